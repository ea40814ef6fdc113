//! Keys as RTP events (RFC 4733).

use radline_audio::DtmfDigit;

/// Finds each key press once: a press is a row of packets with the same timestamp.
#[derive(Debug, Default)]
pub struct KeyEvents {
    last: Option<u32>,
}

impl KeyEvents {
    /// Takes an event packet; returns the key when a press begins.
    pub fn push(&mut self, timestamp: u32, payload: &[u8]) -> Option<DtmfDigit> {
        /// Event, end mark and volume, two bytes of duration.
        const PAYLOAD_BYTES: usize = 4;
        if payload.len() < PAYLOAD_BYTES || self.last == Some(timestamp) {
            return None;
        }
        let key = DtmfDigit::from_event(payload[0])?;
        self.last = Some(timestamp);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_counts_once_however_many_packets_it_has() {
        let mut keys = KeyEvents::default();
        let press = |end: u8| [5, end, 0, 160];
        let first = keys.push(1000, &press(0)).map(DtmfDigit::key);
        assert_eq!(first, Some('5'));
        assert_eq!(keys.push(1000, &press(0)), None);
        assert_eq!(keys.push(1000, &press(0x80)), None);
        assert!(keys.push(2000, &press(0x80)).is_some(), "only the end arrived");
        assert_eq!(keys.push(3000, &[5]), None);
        assert_eq!(keys.push(3000, &[99, 0, 0, 0]), None);
    }
}

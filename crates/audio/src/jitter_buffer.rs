//! Adaptive jitter buffer: puts packets in order and decides when a missing one is lost.
//!
//! It adds no delay of its own to a stream that arrives in order. A packet that is late makes
//! the buffer wait, which delays everything behind it; how long it waits follows the jitter
//! that was seen, and the delay is worked off again when the network calms down. A recogniser,
//! unlike an ear, does not mind a pause in delivery, only a hole.

use std::collections::BTreeMap;
use std::time::Duration;

/// Most packets held, about one second; beyond it the oldest are handed out at once.
pub const PACKETS_MAX: usize = 50;
/// A timestamp this far from the expected one is a new stream, not a gap.
const JUMP: Duration = Duration::from_secs(2);
/// Bounds of the time to wait for a missing packet.
const WAIT_MIN: Duration = Duration::from_millis(40);
const WAIT_MAX: Duration = Duration::from_millis(200);
/// How long nothing may arrive before the line counts as silent: a phone with silence
/// suppression sends nothing between words.
const STARVED_MAX: Duration = Duration::from_millis(60);
/// How much of the observed lateness is forgotten with each packet; halves in about 3 s.
const FORGET: f64 = 0.995;
/// Gaps longer than this are silence suppression, not loss, and are not concealed.
const CONCEAL_MAX: Duration = Duration::from_millis(100);

/// One RTP payload with what is needed to order it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Synchronisation source; a change starts a new stream.
    pub ssrc: u32,
    /// RTP timestamp, in samples of the codec's clock; wraps.
    pub timestamp: u32,
    /// Encoded audio.
    pub payload: Vec<u8>,
    /// Length of the payload in samples.
    pub samples: u32,
}

/// What to play next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Playout {
    /// The next payload in order.
    Payload(Vec<u8>),
    /// This many samples are lost and should be concealed.
    Lost(u32),
    /// Nothing yet; the packet may still come.
    Waiting,
    /// The other side sends nothing: silence.
    Silent,
}

/// Counters for the call record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterStatistics {
    /// Packets taken.
    pub received: u64,
    /// Gaps that were concealed.
    pub lost: u64,
    /// Packets that came after their place had been concealed, or twice.
    pub late: u64,
    /// Streams started after the first: SSRC changes and timestamp jumps.
    pub restarts: u64,
}

/// Orders packets of one stream. Time is a monotonic duration since any fixed moment.
#[derive(Debug)]
pub struct JitterBuffer {
    rate_hz: u32,
    /// Packets by extended timestamp, with their arrival.
    waiting: BTreeMap<i64, (Duration, Packet)>,
    ssrc: Option<u32>,
    /// Extended timestamp of the next sample to play.
    next: Option<i64>,
    /// Extended timestamp of the newest packet, to unwrap the 32-bit ones.
    newest: i64,
    /// Smallest difference between arrival and timestamp, ms: the undelayed path.
    fastest_transit_ms: f64,
    /// Recent lateness over that, ms, slowly forgotten.
    lateness_ms: f64,
    last_arrival: Duration,
    statistics: JitterStatistics,
}

impl JitterBuffer {
    /// A buffer for a codec with this RTP clock, Hz.
    pub fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            waiting: BTreeMap::new(),
            ssrc: None,
            next: None,
            newest: 0,
            fastest_transit_ms: 0.0,
            lateness_ms: 0.0,
            last_arrival: Duration::ZERO,
            statistics: JitterStatistics::default(),
        }
    }

    /// Takes a packet that arrived at `now`.
    pub fn push(&mut self, now: Duration, packet: Packet) {
        self.statistics.received += 1;
        let timestamp = self.unwrap(packet.timestamp);
        let jumped = self
            .next
            .is_some_and(|next| self.to_ms(timestamp - next).abs() > JUMP.as_millis() as f64);
        // A gap in arrival as long as the gap in timestamps is silence suppression, which
        // keeps its stream; only a change of source or a jump out of step is a new one.
        let in_step = (now.saturating_sub(self.last_arrival).as_secs_f64() * 1000.0
            - self.to_ms(timestamp - self.newest))
        .abs()
            < JUMP.as_millis() as f64;
        if self.ssrc != Some(packet.ssrc) || (jumped && !in_step) {
            self.restart(&packet);
        }
        let timestamp = self.unwrap(packet.timestamp);
        self.last_arrival = now;
        if self.next.is_some_and(|next| timestamp < next) || self.waiting.contains_key(&timestamp) {
            self.statistics.late += 1;
            return;
        }
        self.newest = self.newest.max(timestamp);
        self.observe(now, timestamp);
        self.next.get_or_insert(timestamp);
        self.waiting.insert(timestamp, (now, packet));
        if self.waiting.len() > PACKETS_MAX {
            // Bounded: the oldest goes; it is more than a second late.
            self.waiting.pop_first();
            self.statistics.lost += 1;
            self.next = self.waiting.keys().next().copied();
        }
    }

    /// The next thing to play at `now`. Ask again only when its audio has been used up.
    pub fn pop(&mut self, now: Duration) -> Playout {
        let (Some(next), Some((&first, (arrival, _)))) =
            (self.next, self.waiting.first_key_value())
        else {
            let silent_for = now.saturating_sub(self.last_arrival);
            return if silent_for > STARVED_MAX { Playout::Silent } else { Playout::Waiting };
        };
        let gap = first - next;
        if gap > 0 && self.to_ms(gap) <= CONCEAL_MAX.as_millis() as f64 {
            if now.saturating_sub(*arrival) < self.wait() {
                return Playout::Waiting;
            }
            self.statistics.lost += 1;
            self.next = Some(first);
            return Playout::Lost(u32::try_from(gap).unwrap_or(0));
        }
        let (_, packet) = self.waiting.remove(&first).expect("the key was just read");
        self.next = Some(first + i64::from(packet.samples));
        Playout::Payload(packet.payload)
    }

    /// Whether more audio is held than the present jitter asks for, so that two frames should
    /// be taken in one tick to work the delay off.
    pub fn is_behind(&self) -> bool {
        let held: i64 = self.waiting.values().map(|(_, packet)| i64::from(packet.samples)).sum();
        self.to_ms(held) > self.wait().as_millis() as f64 + 20.0
    }

    /// How long a missing packet is waited for at present.
    pub fn wait(&self) -> Duration {
        Duration::from_secs_f64(self.lateness_ms / 1000.0).clamp(WAIT_MIN, WAIT_MAX)
    }

    /// Counters so far.
    pub fn statistics(&self) -> JitterStatistics {
        self.statistics
    }

    fn restart(&mut self, packet: &Packet) {
        if self.ssrc.is_some() {
            self.statistics.restarts += 1;
        }
        self.waiting.clear();
        self.ssrc = Some(packet.ssrc);
        self.next = None;
        self.newest = i64::from(packet.timestamp);
        self.fastest_transit_ms = f64::INFINITY;
        self.lateness_ms = 0.0;
    }

    fn observe(&mut self, now: Duration, timestamp: i64) {
        let transit = now.as_secs_f64() * 1000.0 - self.to_ms(timestamp);
        self.fastest_transit_ms = self.fastest_transit_ms.min(transit);
        // The undelayed path may become slower for good (a re-route), and clocks drift.
        self.fastest_transit_ms += 0.01;
        self.lateness_ms = (self.lateness_ms * FORGET).max(transit - self.fastest_transit_ms);
    }

    /// Extends a wrapping 32-bit timestamp to the value nearest to the newest one.
    fn unwrap(&self, timestamp: u32) -> i64 {
        let difference = timestamp.wrapping_sub(self.newest as u32) as i32;
        self.newest + i64::from(difference)
    }

    fn to_ms(&self, samples: i64) -> f64 {
        samples as f64 * 1000.0 / f64::from(self.rate_hz)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    fn packet(index: u32) -> Packet {
        Packet {
            ssrc: 7,
            timestamp: 1000_u32.wrapping_add(index * 160),
            payload: index.to_be_bytes().to_vec(),
            samples: 160,
        }
    }

    #[test]
    fn a_stream_in_order_is_not_delayed() {
        let mut buffer = JitterBuffer::new(8000);
        for index in 0..100 {
            let now = FRAME * index;
            buffer.push(now, packet(index));
            assert_eq!(buffer.pop(now), Playout::Payload(index.to_be_bytes().to_vec()));
        }
        assert_eq!(buffer.statistics().lost, 0);
    }

    #[test]
    fn swapped_packets_come_out_in_order_and_a_lost_one_is_concealed() {
        let mut buffer = JitterBuffer::new(8000);
        buffer.push(FRAME, packet(0));
        assert!(matches!(buffer.pop(FRAME), Playout::Payload(_)));
        buffer.push(FRAME * 2, packet(2));
        assert_eq!(buffer.pop(FRAME * 2), Playout::Waiting);
        buffer.push(FRAME * 3, packet(1));
        assert_eq!(buffer.pop(FRAME * 3), Playout::Payload(1_u32.to_be_bytes().to_vec()));
        assert_eq!(buffer.pop(FRAME * 3), Playout::Payload(2_u32.to_be_bytes().to_vec()));
        buffer.push(FRAME * 4, packet(4));
        assert_eq!(buffer.pop(FRAME * 4), Playout::Waiting);
        assert_eq!(buffer.pop(FRAME * 14), Playout::Lost(160));
        assert!(matches!(buffer.pop(FRAME * 14), Playout::Payload(_)));
        // The lost one arrives after all: too late, and it must not be played out of order.
        buffer.push(FRAME * 15, packet(3));
        assert_eq!(buffer.statistics().late, 1);
    }

    #[test]
    fn a_new_source_or_a_jump_starts_over() {
        let mut buffer = JitterBuffer::new(8000);
        buffer.push(FRAME, packet(0));
        buffer.pop(FRAME);
        let mut other = packet(90_000);
        other.ssrc = 8;
        buffer.push(FRAME * 2, other);
        assert!(matches!(buffer.pop(FRAME * 2), Playout::Payload(_)));
        let mut jumped = packet(5);
        jumped.ssrc = 8;
        buffer.push(FRAME * 3, jumped);
        assert!(matches!(buffer.pop(FRAME * 3), Playout::Payload(_)));
        assert_eq!(buffer.statistics().restarts, 2);
    }

    #[test]
    fn a_phone_that_stops_sending_is_silent_and_resumes() {
        let mut buffer = JitterBuffer::new(8000);
        buffer.push(FRAME, packet(0));
        buffer.pop(FRAME);
        assert_eq!(buffer.pop(FRAME * 2), Playout::Waiting);
        assert_eq!(buffer.pop(FRAME * 10), Playout::Silent);
        buffer.push(FRAME * 500, packet(499));
        assert!(matches!(buffer.pop(FRAME * 500), Playout::Payload(_)));
        assert_eq!(buffer.statistics().restarts, 0);
    }

    #[test]
    fn timestamps_wrap() {
        let mut buffer = JitterBuffer::new(8000);
        for index in 0..10_u32 {
            let mut wrapping = packet(index);
            wrapping.timestamp = (u32::MAX - 500).wrapping_add(index * 160);
            buffer.push(FRAME * index, wrapping);
            assert!(matches!(buffer.pop(FRAME * index), Playout::Payload(_)), "{index}");
        }
    }

    proptest! {
        #[test]
        fn payloads_come_out_once_and_in_order_whatever_arrives(
            arrivals in proptest::collection::vec((0_u32..60, 0_u64..40), 1..200)
        ) {
            let mut buffer = JitterBuffer::new(8000);
            let (mut now, mut last) = (Duration::from_secs(1), None);
            for (index, wait_ms) in arrivals {
                now += Duration::from_millis(wait_ms);
                buffer.push(now, packet(index));
                prop_assert!(buffer.waiting.len() <= PACKETS_MAX);
                if let Playout::Payload(payload) = buffer.pop(now) {
                    let index = u32::from_be_bytes(payload.try_into().expect("four bytes"));
                    prop_assert!(last.is_none_or(|last| index > last));
                    last = Some(index);
                }
            }
        }
    }
}

//! RTP packets (RFC 3550) out and in.

use radline_audio::jitter_buffer::Packet;
use rand::Rng;
use rtp_types::{RtpPacket, RtpPacketBuilder};

/// Largest datagram read; audio packets are far smaller.
pub const DATAGRAM_MAX: usize = 2048;

/// One datagram, sorted.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Audio of the agreed codec.
    Audio(Packet),
    /// A telephone event: timestamp and payload.
    Event(u32, Vec<u8>),
    /// Anything else: not RTP, RTCP, another payload type.
    Other,
}

/// Sorts a datagram. One byte of G.711 is one sample.
pub fn sort(datagram: &[u8], payload_type: u8, events: Option<u8>) -> Incoming {
    let Ok(packet) = RtpPacket::parse(datagram) else { return Incoming::Other };
    let payload = packet.payload();
    if Some(packet.payload_type()) == events {
        return Incoming::Event(packet.timestamp(), payload.to_vec());
    }
    if packet.payload_type() != payload_type || payload.is_empty() {
        return Incoming::Other;
    }
    Incoming::Audio(Packet {
        ssrc: packet.ssrc(),
        timestamp: packet.timestamp(),
        samples: payload.len() as u32,
        payload: payload.to_vec(),
    })
}

/// Numbers the packets that we send.
#[derive(Debug)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The next packet is the first after a pause.
    marker: bool,
}

impl Sender {
    /// A stream with random beginnings, as RFC 3550 asks.
    pub fn new() -> Self {
        let mut random = rand::rng();
        Self {
            ssrc: random.random(),
            sequence: random.random(),
            timestamp: random.random(),
            marker: true,
        }
    }

    /// The next packet.
    pub fn packet(&mut self, payload_type: u8, payload: &[u8]) -> Option<Vec<u8>> {
        let packet = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(payload_type)
            .sequence_number(self.sequence)
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .marker_bit(self.marker)
            .payload(payload)
            .write_vec()
            .ok();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(payload.len() as u32);
        self.marker = false;
        packet
    }

    /// Time passes without a packet.
    pub fn skip(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.marker = true;
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_can_be_read() {
        let mut sender = Sender::new();
        let first = sender.packet(0, &[1; 160]).expect("builds");
        let Incoming::Audio(packet) = sort(&first, 0, Some(101)) else { panic!("no audio") };
        assert_eq!((packet.samples, packet.payload.len()), (160, 160));
        let second = sender.packet(0, &[1; 160]).expect("builds");
        let Incoming::Audio(next) = sort(&second, 0, None) else { panic!("no audio") };
        assert_eq!(next.timestamp, packet.timestamp.wrapping_add(160));
        assert_eq!(sort(&first, 8, None), Incoming::Other);
        assert_eq!(sort(&first[..7], 0, None), Incoming::Other);
        assert_eq!(sort(b"", 0, None), Incoming::Other);
    }
}

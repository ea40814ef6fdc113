//! Telephone codecs.

pub mod g711;

/// A codec that a call may negotiate, with its static RTP payload type (RFC 3551).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// Every codec, in our order of preference.
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// The static payload type of RFC 3551.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The name in an SDP `rtpmap`.
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Decodes a payload to 8 kHz samples.
    pub fn decode(self, payload: &[u8]) -> Vec<i16> {
        match self {
            Self::Pcmu => payload.iter().map(|&byte| g711::ulaw_to_linear(byte)).collect(),
            Self::Pcma => payload.iter().map(|&byte| g711::alaw_to_linear(byte)).collect(),
        }
    }

    /// Encodes 8 kHz samples to a payload.
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Pcmu => samples.iter().map(|&sample| g711::linear_to_ulaw(sample)).collect(),
            Self::Pcma => samples.iter().map(|&sample| g711::linear_to_alaw(sample)).collect(),
        }
    }
}

//! Audio as calls use it: frames, telephone codecs, resampling, jitter buffer, loss
//! concealment, echo cancellation, level. Knows no model, socket or clock.

pub mod codec;
pub mod concealment;
pub mod echo;
pub mod frame;
pub mod jitter_buffer;
pub mod level;
pub mod resample;

pub use codec::Codec;
pub use echo::EchoCanceller;
pub use frame::{AudioFrame, DtmfDigit, SpeechProbability};

/// Sample rate inside Radline, Hz. Whisper and the voice-activity model both want it.
pub const SAMPLE_RATE_HZ: u32 = 16_000;
/// Sample rate of G.711 on the telephone line, Hz (ITU-T G.711).
pub const TELEPHONE_RATE_HZ: u32 = 8_000;
/// Length of one frame inside Radline and of one packet that we send, ms.
pub const FRAME_MS: u32 = 20;
/// Samples in one 20 ms frame at 16 kHz.
pub const FRAME_SAMPLES: usize = (SAMPLE_RATE_HZ * FRAME_MS / 1000) as usize;
/// Samples in one 20 ms frame at 8 kHz.
pub const TELEPHONE_FRAME_SAMPLES: usize = (TELEPHONE_RATE_HZ * FRAME_MS / 1000) as usize;

//! Voice activity, transcription and synthesis behind small synchronous traits.
//!
//! Everything here blocks and belongs on a model thread. Nothing here knows about calls.

pub mod clauses;
mod constrained;
mod dates;
mod error;
mod identity;
pub mod onnx;
mod phonemes;
mod repetition;
mod spelled;
pub mod synthesizer;
pub mod transcriber;
pub mod voice_activity;
pub mod whisper_weights;

/// As callers and sentences name them. The dialogue's wording has its own list; this crate does not
/// know it.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub use error::SpeechError;
pub use synthesizer::{PiperVoice, Synthesizer};
pub use transcriber::{Asked, Transcriber, Transcript, Vocabulary, WhisperTranscriber};
pub use voice_activity::{SileroVoiceActivity, VoiceActivity};

//! Voice activity, transcription and synthesis behind small synchronous traits.
//!
//! Everything here blocks and belongs on a model thread. Nothing here knows about calls.

pub mod clauses;
mod error;
pub mod onnx;
mod repetition;
pub mod synthesizer;
pub mod transcriber;
pub mod voice_activity;
pub mod whisper_weights;

pub use error::SpeechError;
pub use synthesizer::{PiperVoice, Synthesizer};
pub use transcriber::{Transcriber, Transcript, WhisperTranscriber};
pub use voice_activity::{SileroVoiceActivity, VoiceActivity};

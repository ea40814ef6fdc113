//! Model threads: bounded queues in front of models that block.

pub mod queue;
pub mod synthesis;
pub mod transcription;

pub use queue::{Priority, Queue};
pub use synthesis::Voice;
pub use transcription::Ears;

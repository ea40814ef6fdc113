//! Model threads: bounded queues in front of models that block.

pub mod endpoint;
pub mod queue;
pub mod reading;
pub mod supervision;
pub mod synthesis;
pub mod transcription;

pub use queue::{Priority, Queue};
pub use reading::Reader;
pub use supervision::Supervisor;
pub use synthesis::Voice;
pub use transcription::Ears;

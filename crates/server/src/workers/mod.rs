//! Model threads: bounded queues in front of models that block.

pub mod endpoint;
pub mod first_sight;
pub mod queue;
pub mod reading;
pub mod supervision;
pub mod synthesis;
pub mod transcription;

pub use first_sight::FirstSight;
pub use queue::{Priority, Queue};
pub use reading::Reader;
pub use supervision::Supervisor;
pub use synthesis::Voice;
pub use transcription::Ears;

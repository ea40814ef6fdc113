//! Everything that outlives a call: the embedded clinic, the record of calls, recordings.
//! The only place that speaks SQL, and the only one that writes health data to disk.

pub mod accounts;
pub mod appointments;
pub mod audit;
pub mod autonomy;
pub mod calls;
pub mod clinic;
pub mod database;
mod existing;
pub mod import;
mod orphans;
pub mod outgoing;
pub mod recording;
pub mod tasks;

pub use accounts::{Account, Role, Secret, WrapUp, WrapUpEntry};
pub use appointments::{AppointmentEntry, SlotEntry};
pub use audit::AuditEntry;
pub use autonomy::{Acceptance, BlockedWording, Grant};
pub use calls::{CallEntry, CallSearch, CallStart, Day};
pub use clinic::Moment;
pub use database::{Store, StoreError};
pub use outgoing::{DialOutcome, OutgoingCall, OutgoingEntry};
pub use recording::{Recording, RecordingError};
pub use tasks::TaskEntry;

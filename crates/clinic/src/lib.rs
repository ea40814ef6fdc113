//! The clinic's side of the call: patients, orders, free times, and the rules by which they are
//! matched and offered. Pure rules; what they work on is kept by `store`.

pub mod identity;
pub mod import;
pub mod offers;
pub mod office;
pub mod record;
pub mod schedule;

pub use import::{ImportError, ImportLine, parse_jsonl};
pub use office::Office;
pub use record::{
    Appointment, AppointmentStatus, Patient, Record, RelatedPerson, ServiceRequest, Sex, Slot,
};
pub use schedule::ScheduleRule;

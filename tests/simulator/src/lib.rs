//! Whole calls in virtual time, from one seed: the real engine, dialogue, parsers and jitter
//! buffer; scripted callers, a network that loses and delays, models as slow as the real ones are.
//! After every step the invariants are checked; a violation is reported with its seed and the
//! call's transcript, and the same seed brings it back.

pub mod caller;
pub mod clinic;
pub mod heap;
pub mod invariants;
pub mod link;
pub mod mark;
pub mod models;
pub mod persons;
pub mod report;
pub mod script;
pub mod world;

pub use report::{Report, Violation};
pub use world::simulate;

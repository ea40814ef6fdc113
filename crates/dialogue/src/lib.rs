//! The dialogue as clinicians review it. So far: what may be expected and what may be understood.

pub mod understanding;

pub use understanding::{Command, Expectation, PartOfDay, TimeWish, Understanding, UnderstoodBy};

//! Deterministic readers of what callers say, one file per kind of value.

pub mod birth_date;
pub mod numbers;
pub mod words;
pub mod yes_no;

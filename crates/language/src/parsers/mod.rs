//! Deterministic readers of what callers say, one file per kind of value.

pub mod birth_date;
pub mod day_time;
pub mod exam;
pub mod name;
pub mod numbers;
pub mod request;
pub mod yes_no;

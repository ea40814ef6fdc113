//! Deterministic readers of what callers say, one file per kind of value.

pub mod birth_date;
mod busy_days;
pub mod course;
pub mod day_time;
pub mod exam;
pub mod feeling;
pub mod implants;
mod languages;
pub mod medicines;
pub(crate) mod misheard;
pub mod name;
mod named_days;
pub mod numbers;
pub mod request;
mod request_phrases;
pub mod terms;
pub mod to_book;
pub mod topic;
pub mod weight;
pub mod whose_name;
pub mod window;
mod wrong_number;
pub mod yes_no;
mod yes_no_phrases;

//! Words to typed values. The deterministic parsers carry what they can carry exactly: yes and
//! no, numbers, names, dates of birth, days and times. They are first-class and stay where
//! the fine-tuned model reads what they cannot.

pub mod danger;
pub mod intents;
pub mod labelled;
pub mod model;
pub mod parsers;
pub mod phrasing;
pub mod understanding;
pub mod verifier;

//! What the end-to-end suites share: a caller that is not Radline.

pub mod caller;
pub mod phone;
pub mod provider;
pub mod python;
pub mod recordings;
pub mod server;
pub mod stage;
pub mod telephone_set;
pub mod tone;

/// Up to the read-back; the next line is the yes that books.
pub const UNTIL_READ_BACK: [&str; 15] = [
    "yes",
    "I need an MRI of my knee",
    "Helen Carter",
    "March 19, 1967",
    "no",
    "left",
    "no",
    "no",
    "no",
    "no",
    "no",
    "no",
    "yes",
    "Tuesday morning",
    "the first one",
];

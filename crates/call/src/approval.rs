//! Supervised mode: a person approves, edits or rejects each reply before it is spoken, as in the trial
//! that this line follows. What a site has granted by name is spoken without asking.

use std::collections::BTreeSet;
use std::time::Duration;

use radline_phi::Phi;
use serde::{Deserialize, Serialize};

/// A site's policy for drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// How long a draft waits for a person.
    pub wait: Duration,
    /// What happens when nobody decides.
    pub unanswered: Unanswered,
    /// States whose replies are spoken without asking.
    pub granted: BTreeSet<String>,
}

/// What happens to a draft that nobody decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// It is spoken: every reply is made of approved text.
    Speak,
    /// The caller is asked for patience, for a while, and then gets a person.
    #[default]
    Hold,
    /// The caller gets a person.
    Person,
}

impl Unanswered {
    /// Name in records and on the console.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Speak => "speak",
            Self::Hold => "hold",
            Self::Person => "person",
        }
    }
}

/// What a person says to a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Speak it.
    Approve,
    /// Speak this in its place.
    Edit(Phi<String>),
    /// Speak this in its place, said somebody; but it says something else than the record, as is told here.
    /// The draft waits on.
    Blocked(Phi<String>, String),
    /// Do not speak it; a person takes over.
    Reject,
    /// Nobody is there who could say anything.
    Nobody,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftVerdict {
    /// Spoken as it was.
    Approved,
    /// Spoken in other words.
    Edited,
    /// Not spoken: a person takes over.
    Rejected,
    /// Nobody decided; the site's policy did.
    Expired,
    /// The caller went on speaking, and the reply is made anew.
    Withdrawn,
    /// A person took the call over.
    TakenOver,
}

impl DraftVerdict {
    /// Name in records and on the console.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::TakenOver => "taken_over",
        }
    }
}

/// How many letters have to be changed to make one text of another (Levenshtein).
pub fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (place, opposite) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != *opposite);
            corner = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(corner + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edit_distance("left knee", "left knee"), 0);
        assert_eq!(edit_distance("left knee", "right knee"), 4);
        assert_eq!(edit_distance("", "ten"), 3);
        assert_eq!(edit_distance("ten", ""), 3);
    }
}

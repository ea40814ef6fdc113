//! Who takes calls, and which.

use crate::escalation::{Escalation, Urgency};

/// A person who takes calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider {
    /// The account's name.
    pub name: String,
    /// As others see it.
    pub display: String,
}

/// Which calls a provider takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Calls that need one of these, or nothing in particular; all of them if empty.
    pub skills: Vec<String>,
    /// Languages, BCP 47; all of them if empty.
    pub languages: Vec<String>,
}

impl Filter {
    /// Whether such a call is one of them. Where it is urgent everybody is asked: somebody who can
    /// listen is better than nobody.
    pub fn takes(&self, escalation: &Escalation) -> bool {
        if escalation.urgency >= Urgency::Urgent {
            return true;
        }
        let needed = &escalation.skills;
        let able = self.skills.is_empty()
            || needed.is_empty()
            || needed.iter().any(|skill| self.skills.iter().any(|own| own == skill));
        let speaks = self.languages.is_empty() || self.languages.contains(&escalation.language);
        able && speaks
    }
}

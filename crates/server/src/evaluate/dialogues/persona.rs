//! An invented caller: what is true of them, what they say to each question, how the call must end.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::{Date, Time};
use radline_dialogue::{Modality, Priority, Side};
use serde::Deserialize;
use serde_json::Value;

/// One line of a file of callers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Persona {
    pub(super) id: String,
    pub(super) scenario: String,
    /// What the caller wants, and what they do on the way.
    #[serde(default)]
    pub(super) goal: String,
    pub(super) facts: Facts,
    /// How they talk; impatient callers lose patience a step sooner.
    #[serde(default)]
    pub(super) manner: String,
    /// Key → the ways to say it.
    pub(super) lines: BTreeMap<String, Vec<String>>,
    pub(super) expected: Expected,
}

/// What is true of a caller.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) date_of_birth: Date,
    #[serde(default)]
    pub(super) phone: Option<String>,
    /// `self`, or who is on the line instead, in words.
    #[serde(default)]
    pub(super) caller: String,
    #[serde(default)]
    pub(super) order: Option<Order>,
    #[serde(default)]
    pub(super) appointment: Option<Appointment>,
    #[serde(default)]
    pub(super) flags: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) preferences: BTreeMap<String, Value>,
}

/// An order as recorded.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub(super) modality: Modality,
    pub(super) exam: String,
    #[serde(default)]
    pub(super) body_part: Option<String>,
    #[serde(default)]
    pub(super) side: Option<Side>,
    #[serde(default)]
    pub(super) contrast: Option<String>,
    #[serde(default)]
    pub(super) priority: Option<Priority>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) requester: Option<String>,
    #[serde(default)]
    pub(super) authored: Option<Date>,
    #[serde(default)]
    pub(super) expires: Option<Date>,
}

/// An appointment as recorded.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Appointment {
    #[serde(default)]
    pub(super) exam: String,
    #[serde(default)]
    pub(super) date: Option<Date>,
    #[serde(default)]
    pub(super) time: Option<Time>,
}

/// How the call must end.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Expected {
    pub(super) outcome: String,
    #[serde(default)]
    pub(super) must_say: Vec<String>,
    #[serde(default)]
    pub(super) must_not_say: Vec<String>,
}

impl Persona {
    /// Whether they lose patience a step sooner than others.
    pub(super) fn is_impatient(&self) -> bool {
        let manner = self.manner.to_lowercase();
        ["impatient", "angry", "short-tempered", "no patience"]
            .iter()
            .any(|word| manner.contains(word))
    }

    /// The clinic calls them, instead of the other way round.
    pub(super) fn is_called(&self) -> bool {
        self.scenario == "PP"
            && self.facts.appointment.as_ref().is_some_and(|one| one.date.is_some())
    }

    /// A preference as text.
    pub(super) fn preference(&self, key: &str) -> Option<&str> {
        self.facts.preferences.get(key).and_then(Value::as_str)
    }
}

/// Reads a file of callers.
pub(super) fn load(file: &Path) -> Result<Vec<Persona>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}: line {}", file.display(), index + 1))
        })
        .collect()
}

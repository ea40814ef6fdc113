//! Labelled utterances: one JSON object a line.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a caller said, and what it means.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    #[serde(default)]
    pub(crate) id: String,
    /// The day of the call; utterances for training are of one and the same.
    #[serde(default = "day_of_training")]
    pub(crate) today: Date,
    /// What the agent had just asked.
    #[serde(default)]
    pub(crate) asked: String,
    /// The shape of the answer that was asked for.
    pub(crate) expects: String,
    pub(crate) said: String,
    pub(crate) intent: String,
    #[serde(default, deserialize_with = "as_text")]
    pub(crate) slots: BTreeMap<String, String>,
    pub(crate) red_flag: String,
    #[serde(default)]
    pub(crate) distress: u8,
}

const fn day_of_training() -> Date {
    jiff::civil::date(2026, 11, 23)
}

/// Slot values are text or numbers.
fn as_text<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, String>, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(input)?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(values.into_iter().map(|(key, value)| (key, text(value))).collect())
}

/// The name of "no red flag".
pub(crate) const NO_FLAG: &str = "none";

/// Reads a file.
pub(crate) fn load(file: &Path) -> Result<Vec<Record>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}: line {}", file.display(), number + 1))
        })
        .collect()
}

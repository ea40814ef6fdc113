//! Labelled utterances: one JSON object a line.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a caller said, and what it means.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    /// The day of the call.
    pub(super) today: Date,
    /// What the agent had just asked.
    #[serde(default)]
    pub(super) asked: String,
    /// The shape of the answer that was asked for.
    pub(super) expects: String,
    pub(super) said: String,
    pub(super) intent: String,
    #[serde(default, deserialize_with = "as_text")]
    pub(super) slots: BTreeMap<String, String>,
    pub(super) red_flag: String,
    #[serde(default)]
    pub(super) distress: u8,
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
pub(super) const NO_FLAG: &str = "none";

/// Reads a file.
pub(super) fn load(file: &Path) -> Result<Vec<Record>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}: line {}", file.display(), number + 1))
        })
        .collect()
}

//! Labelled utterances: one JSON object a line.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use radline_dialogue::{Expectation, Feeling};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::TrainingError;

/// What a caller said, and what it means.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Record {
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The day of the call; utterances for training are of one and the same.
    #[serde(default = "day_of_training")]
    pub today: Date,
    /// What the agent had just asked.
    #[serde(default)]
    pub asked: String,
    /// The shape of the answer that was asked for.
    pub expects: String,
    /// The caller's words.
    pub said: String,
    /// The main act; empty where it is not labelled.
    #[serde(default)]
    pub intent: String,
    /// Values by slot.
    #[serde(default, deserialize_with = "as_text")]
    pub slots: BTreeMap<String, String>,
    /// What a question is about; empty where nothing is asked.
    #[serde(default)]
    pub topic: String,
    /// The class of danger, or [`NO_FLAG`].
    pub red_flag: String,
    /// 0 none, 1 some, 2 strong.
    #[serde(default)]
    pub distress: u8,
    /// The only label that the record has; all of them where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

/// What a caller said with a feeling in it, and sentences that answer it.
#[derive(Debug, Clone, Deserialize)]
pub struct Wording {
    /// The caller's words.
    pub said: String,
    /// What the feeling is about.
    pub feels: Feeling,
    /// Sentences that fit; none where nothing that was said fills one.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// A question of a call.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// The shape of the answer, as [`Record::expects`] names it.
    pub expects: String,
    /// The agent's words.
    pub asked: String,
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
pub const NO_FLAG: &str = "none";

impl Record {
    /// The shape of the question, as a call knows it.
    pub fn expectation(&self) -> Expectation {
        match self.expects.as_str() {
            "yes_no" => Expectation::YesNo,
            "name" => Expectation::Name,
            "date_of_birth" => Expectation::DateOfBirth,
            "phone" | "number" => Expectation::Digits,
            "side" | "choice" => Expectation::Choice,
            "day_time" => Expectation::DayTime,
            "reason" => Expectation::Story,
            _ => Expectation::Open,
        }
    }
}

/// The name of a question's shape, which [`Record::expectation`] reads.
pub const fn shape(expects: Expectation) -> &'static str {
    match expects {
        Expectation::YesNo => "yes_no",
        Expectation::Name => "name",
        Expectation::DateOfBirth => "date_of_birth",
        Expectation::Digits => "phone",
        Expectation::Choice => "choice",
        Expectation::DayTime => "day_time",
        Expectation::Story => "reason",
        Expectation::Open => "open",
    }
}

/// Reads a file.
///
/// # Errors
/// The file cannot be read, or a line is no record; the message has the line's number.
pub fn load<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, TrainingError> {
    let wrong = |reason: String| TrainingError::file(file, reason);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| wrong(format!("line {}: {error}", number + 1)))
        })
        .collect()
}

/// Reads every `*.jsonl` of a folder, in the order of their names.
///
/// # Errors
/// As for [`load`], or the folder holds none.
pub fn load_folder<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>, TrainingError> {
    let wrong = |reason: String| TrainingError::file(folder, reason);
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(error.to_string()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
    files.sort();
    let mut records = Vec::new();
    for file in files {
        records.extend(load::<T>(&file)?);
    }
    if records.is_empty() {
        return Err(wrong("no utterances (*.jsonl) there".to_owned()));
    }
    Ok(records)
}

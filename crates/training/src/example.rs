//! A labelled utterance, or a sentence to a feeling, as tokens.

use radline_language::model::ModelTokenizer;
use radline_language::model::labels::{self, Labels};
use radline_language::phrasing::{self, NOTHING};

use crate::TrainingError;
use crate::record::{NO_FLAG, Record, Wording};

/// Tokens of a prompt and of the line that is to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The prompt, the line, and the mark that ends it.
    pub tokens: Vec<u32>,
    /// Where the line begins.
    pub line_at: usize,
}

impl Example {
    /// The record's tokens.
    ///
    /// # Errors
    /// The tokenizer failed.
    pub fn new(record: &Record, tokenizer: &ModelTokenizer) -> Result<Self, TrainingError> {
        let labels = Labels {
            intent: record.intent.clone(),
            topic: record.topic.clone(),
            slots: record.slots.clone(),
            danger: Some(&record.red_flag)
                .filter(|class| *class != NO_FLAG)
                .cloned()
                .unwrap_or_default(),
        };
        let question = labels::question(record.expectation(), &record.asked);
        Self::of(&[&question, &labels::answer(&record.said)], &labels.line(), tokenizer)
    }

    /// The sentences to a feeling, each behind the words that it answers.
    ///
    /// # Errors
    /// The tokenizer failed.
    pub fn wordings(
        record: &Wording,
        tokenizer: &ModelTokenizer,
    ) -> Result<Vec<Self>, TrainingError> {
        let prompt = phrasing::prompt(record.feels, &record.said);
        let none = record.lines.is_empty().then_some(NOTHING);
        let lines = record.lines.iter().map(String::as_str).chain(none);
        lines.map(|line| Self::of(&[&prompt], line, tokenizer)).collect()
    }

    fn of(prompt: &[&str], line: &str, tokenizer: &ModelTokenizer) -> Result<Self, TrainingError> {
        let encode = |text: &str| tokenizer.encode(text).map_err(TrainingError::Tokens);
        let mut tokens = Vec::new();
        for part in prompt {
            tokens.extend(encode(part)?);
        }
        let line_at = tokens.len();
        tokens.extend(encode(line)?);
        tokens.push(tokenizer.end());
        Ok(Self { tokens, line_at })
    }
}

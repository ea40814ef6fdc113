//! A labelled utterance as tokens.

use radline_language::model::ModelTokenizer;
use radline_language::model::labels::{self, Labels};

use crate::TrainingError;
use crate::record::{NO_FLAG, Record};

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
        let encode = |text: &str| tokenizer.encode(text).map_err(TrainingError::Tokens);
        let mut tokens = encode(&labels::question(record.expectation(), &record.asked))?;
        tokens.extend(encode(&labels::answer(&record.said))?);
        let line_at = tokens.len();
        tokens.extend(encode(&labels.line())?);
        tokens.push(tokenizer.end());
        Ok(Self { tokens, line_at })
    }
}

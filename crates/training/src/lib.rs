//! Labelled utterances in, an adapter for the language model out.
//!
//! The base model stays as it is; what is learned are two thin matrices beside some of its own
//! (LoRA, Hu et al. 2021). Only the last layers are trained: what the others make of an utterance
//! does not change meanwhile, so it is computed once and kept.

pub mod base;
pub mod card;
mod checkpoint;
pub mod classifier;
pub mod example;
mod loss;
pub mod optimizer;
pub mod plan;
pub mod record;
pub mod run;
pub mod telephone_line;
pub mod trainer;
pub mod walks;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A file is missing, damaged, or not what it should be.
    #[error("{file}: {reason}")]
    File {
        /// Path as given.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The base model cannot be loaded.
    #[error(transparent)]
    Base(#[from] radline_language::model::ModelError),
    /// A computation failed.
    #[error("the computation failed: {0}")]
    Computation(#[from] candle_core::Error),
    /// The model's text could not be turned into tokens.
    #[error("tokens: {0}")]
    Tokens(String),
}

impl TrainingError {
    pub(crate) fn file(file: &std::path::Path, reason: impl std::fmt::Display) -> Self {
        Self::File { file: file.display().to_string(), reason: reason.to_string() }
    }
}

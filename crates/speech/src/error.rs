//! What can go wrong with a speech model.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// A model could not be loaded or did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// A file is missing or is not what it should be.
    #[error("{path}: {reason}; run `radline models fetch`, or put the file there by hand")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Weights that should be converted are not in the form that was expected.
    #[error("the Whisper weights cannot be converted: {0}")]
    Weights(String),
    /// A model ran and failed.
    #[error("{model} failed: {reason}")]
    Inference {
        /// Which model.
        model: &'static str,
        /// Its own words; never contains what a caller said.
        reason: String,
    },
}

impl SpeechError {
    pub(crate) fn file(path: &Path, reason: impl Display) -> Self {
        Self::File { path: path.to_path_buf(), reason: reason.to_string() }
    }

    pub(crate) fn inference(model: &'static str, reason: impl Display) -> Self {
        Self::Inference { model, reason: reason.to_string() }
    }
}

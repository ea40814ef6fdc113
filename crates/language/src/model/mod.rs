//! The language model: a question and the caller's words in, labels out under a grammar, and nothing
//! else.
//!
//! The grammar has no slot for a name, a date or a number, and a medicine or an implant is one of a list or
//! words that were said, so that the model cannot invent one; a wish, a yes or a no that only it reads counts once the
//! caller has said so.

pub mod adapter;
pub mod batch;
mod body;
pub mod classifier;
pub mod decoder;
pub mod device;
pub mod encoder;
mod frozen;
pub mod gguf;
mod grammar;
pub mod labels;
pub mod lora_gguf;
mod packed;
pub mod peft;
mod prompted;
pub mod remote;
mod tokenizer;
pub mod transformer;
pub mod turn_reader;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use gguf::Weights;
pub use tokenizer::ModelTokenizer;

use crate::verifier::Block;

/// What can go wrong with the language model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is missing, damaged, or of an architecture that is not supported.
    #[error("{file}: {reason}")]
    File {
        /// Path as given.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The model failed on an input.
    #[error("the language model failed: {0}")]
    Inference(String),
    /// What it wrote may not be spoken.
    #[error("a sentence was blocked: {0}")]
    Blocked(#[from] Block),
    /// No time was left.
    #[error("the language model was stopped at its deadline")]
    Deadline,
}

impl ModelError {
    fn file(file: &Path, reason: impl std::fmt::Display) -> Self {
        Self::File { file: file.display().to_string(), reason: reason.to_string() }
    }
}

/// Opens a GGUF file; `load` makes the model of it.
///
/// # Errors
/// The file is missing, damaged or of another architecture.
pub fn open<M>(
    file: &Path,
    load: impl FnOnce(&mut Weights<File>) -> candle_core::Result<M>,
) -> Result<(M, ModelTokenizer), ModelError> {
    let reader = File::open(file).map_err(|error| ModelError::file(file, error))?;
    let mut weights = Weights::open(reader).map_err(|error| ModelError::file(file, error))?;
    let tokenizer = ModelTokenizer::from_gguf(weights.content())
        .map_err(|error| ModelError::file(file, error))?;
    let model = load(&mut weights).map_err(|error| ModelError::file(file, error))?;
    Ok((model, tokenizer))
}

/// The measures of the model in a GGUF file.
///
/// # Errors
/// As for [`open`].
pub fn shape(file: &Path) -> Result<gguf::Shape, ModelError> {
    let reader = File::open(file).map_err(|error| ModelError::file(file, error))?;
    let weights = Weights::open(reader).map_err(|error| ModelError::file(file, error))?;
    weights.shape().map_err(|error| ModelError::file(file, error))
}

/// A model whose products are exact, without a tokenizer: what others are compared with.
///
/// # Errors
/// As for [`open`].
pub fn exact(file: &Path) -> Result<transformer::Transformer, ModelError> {
    let reader = File::open(file).map_err(|error| ModelError::file(file, error))?;
    let mut weights = Weights::open(reader).map_err(|error| ModelError::file(file, error))?;
    let device = candle_core::Device::Cpu;
    transformer::Transformer::load(&mut weights, &device, transformer::Products::Exact)
        .map_err(|error| ModelError::file(file, error))
}

/// A moment in the future. Inference is a loop that has to look at the clock to be able to stop.
struct Deadline(Instant, Duration);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a deadline is a matter of this computation")]
    fn after(limit: Duration) -> Self {
        Self(Instant::now(), limit)
    }

    fn has_passed(&self) -> bool {
        self.0.elapsed() > self.1
    }
}

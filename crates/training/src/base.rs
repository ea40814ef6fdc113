//! The model that an adapter is trained for.

use std::path::Path;

use candle_core::Device;
use radline_language::model::transformer::{Products, Transformer};
use radline_language::model::{self, ModelTokenizer};

use crate::TrainingError;

/// A base model with dense weights, and its tokenizer.
pub struct Base {
    /// The model.
    pub model: Transformer,
    /// Its tokenizer.
    pub tokenizer: ModelTokenizer,
}

impl Base {
    /// Loads a GGUF file for training on the processor.
    ///
    /// # Errors
    /// The file is missing, damaged or of another architecture.
    pub fn load(file: &Path) -> Result<Self, TrainingError> {
        let load = |weights: &mut _| Transformer::load(weights, &Device::Cpu, Products::Packed);
        let (model, tokenizer) = model::open(file, load)?;
        Ok(Self { model, tokenizer })
    }
}

//! The model that an adapter is trained for.

use std::fs::File;
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use radline_language::model::ModelTokenizer;
use radline_language::model::transformer::Transformer;

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
        let wrong = |reason: String| TrainingError::file(file, reason);
        let mut reader = File::open(file).map_err(|error| wrong(error.to_string()))?;
        let content = Content::read(&mut reader).map_err(|error| wrong(error.to_string()))?;
        let tokenizer = ModelTokenizer::from_gguf(&content).map_err(wrong)?;
        let model = Transformer::load_dense(&content, &mut reader, &Device::Cpu)
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self { model, tokenizer })
    }
}

//! The model that an adapter is trained for.

use std::path::Path;

use candle_core::Device;
use radline_language::model::transformer::{Products, Transformer};
use radline_language::model::{self, ModelTokenizer};

use crate::TrainingError;

/// The processor, or the first GPU.
///
/// # Errors
/// There is no GPU, or the program was built without the feature `cuda`.
pub fn device(gpu: bool) -> Result<Device, TrainingError> {
    if gpu { Device::new_cuda(0).map_err(TrainingError::from) } else { Ok(Device::Cpu) }
}

/// A base model with dense weights, and its tokenizer.
pub struct Base {
    /// The model.
    pub model: Transformer,
    /// Its tokenizer.
    pub tokenizer: ModelTokenizer,
}

impl Base {
    /// Loads a GGUF file for training on a device.
    ///
    /// # Errors
    /// The file is missing, damaged or of another architecture.
    pub fn load(file: &Path, device: &Device) -> Result<Self, TrainingError> {
        let load = |weights: &mut _| Transformer::load(weights, device, Products::Packed);
        let (model, tokenizer) = model::open(file, load)?;
        Ok(Self { model, tokenizer })
    }
}

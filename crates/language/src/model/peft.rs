//! Adapters in the files of PEFT (`adapter_model.safetensors`, `adapter_config.json`).
//!
//! A llama in a GGUF file has the rows of its query and key matrices in another order than the one
//! that PEFT knows, because the two turn them differently; the rows are put in order on the way.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, bail};
use serde_json::json;

use super::ModelError;
use super::adapter::{Adapter, Lora, Part};
use super::gguf::Shape;

const WEIGHTS: &str = "adapter_model.safetensors";
const CONFIGURATION: &str = "adapter_config.json";

fn name(layer: usize, part: Part, which: &str) -> String {
    format!("base_model.model.model.layers.{layer}.{}.lora_{which}.weight", part.name_in_peft())
}

/// Writes an adapter into a folder. `base` names the model that it belongs to.
///
/// # Errors
/// The folder cannot be written.
pub fn save(
    adapter: &Adapter,
    shape: &Shape,
    base: &str,
    folder: &Path,
) -> std::result::Result<(), ModelError> {
    let (weights, configuration) = (folder.join(WEIGHTS), folder.join(CONFIGURATION));
    std::fs::create_dir_all(folder).map_err(|error| ModelError::file(folder, error))?;
    let described = format!("{:#}\n", described(adapter, base));
    std::fs::write(&configuration, described)
        .map_err(|error| ModelError::file(&configuration, error))?;
    let tensors = tensors(adapter, shape).map_err(|error| ModelError::file(&weights, error))?;
    candle_core::safetensors::save(&tensors, &weights)
        .map_err(|error| ModelError::file(&weights, error))
}

fn tensors(adapter: &Adapter, shape: &Shape) -> Result<HashMap<String, Tensor>> {
    let mut tensors = HashMap::new();
    for (layer, part, lora) in adapter.all() {
        // Half the bytes; what is lost is far below what the quantised base loses.
        let kept = |matrix: &Tensor| matrix.contiguous()?.to_dtype(DType::F16);
        tensors.insert(name(layer, part, "A"), kept(&lora.a)?);
        tensors.insert(name(layer, part, "B"), kept(&rows(&lora.b, part, shape, true)?)?);
    }
    Ok(tensors)
}

/// The configuration as PEFT reads it.
fn described(adapter: &Adapter, base: &str) -> serde_json::Value {
    let layers: BTreeSet<usize> = adapter.all().map(|(layer, ..)| layer).collect();
    let parts: BTreeSet<Part> = adapter.all().map(|(_, part, _)| part).collect();
    let rank = adapter.all().next().map_or(0, |(_, _, lora)| lora.a.dims()[0]);
    let alpha = adapter.all().next().map_or(0.0, |(_, _, lora)| lora.scale * rank as f64);
    json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": true,
        "target_modules": parts
            .iter()
            .map(|part| part.name_in_peft().rsplit('.').next())
            .collect::<Vec<_>>(),
        "layers_to_transform": layers,
        "layers_pattern": "layers",
    })
}

/// Reads an adapter from a folder.
///
/// # Errors
/// A file is missing or is not what PEFT writes.
pub fn load(folder: &Path, shape: &Shape) -> std::result::Result<Adapter, ModelError> {
    let read = |name: &str| {
        let file = folder.join(name);
        std::fs::read(&file).map_err(|error| ModelError::file(&file, error))
    };
    let (configuration, weights) = (read(CONFIGURATION)?, read(WEIGHTS)?);
    from_bytes(&configuration, &weights, shape).map_err(|error| ModelError::file(folder, error))
}

/// Reads an adapter from the bytes of its two files.
///
/// # Errors
/// They are not what PEFT writes, or belong to a model of another shape.
pub fn from_bytes(configuration: &[u8], weights: &[u8], shape: &Shape) -> Result<Adapter> {
    let configuration: serde_json::Value =
        serde_json::from_slice(configuration).map_err(candle_core::Error::wrap)?;
    let number = |key: &str| match configuration[key].as_f64() {
        Some(number) => Ok(number),
        None => bail!("{CONFIGURATION} has no {key}"),
    };
    let scale = number("lora_alpha")? / number("r")?;
    let tensors = candle_core::safetensors::load_buffer(weights, &Device::Cpu)?;
    let mut adapter = Adapter::default();
    for layer in 0..shape.layers {
        for part in Part::ALL {
            let of = |which: &str| tensors.get(&name(layer, part, which));
            if let (Some(a), Some(b)) = (of("A"), of("B")) {
                let (a, b) = (a.to_dtype(DType::F32)?, b.to_dtype(DType::F32)?);
                let b = rows(&b, part, shape, false)?.contiguous()?;
                adapter.set(layer, part, Lora { a, b, scale });
            }
        }
    }
    if adapter.all().count() * 2 != tensors.len() {
        bail!("{WEIGHTS} has matrices for which the model has no place");
    }
    Ok(adapter)
}

/// The rows in PEFT's order, or back in the file's.
fn rows(b: &Tensor, part: Part, shape: &Shape, to_peft: bool) -> Result<Tensor> {
    let heads = match part {
        Part::Query if shape.interleaved => shape.heads,
        Part::Key if shape.interleaved => shape.key_heads,
        _ => return Ok(b.clone()),
    };
    let (outputs, rank) = b.dims2()?;
    let half = shape.head_width / 2;
    // GGUF: pairs side by side; PEFT: first all firsts, then all seconds.
    let split = if to_peft { (heads, half, 2, rank) } else { (heads, 2, half, rank) };
    b.reshape(split)?.transpose(1, 2)?.contiguous()?.reshape((outputs, rank))
}

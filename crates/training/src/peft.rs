//! Adapters in the files of PEFT (`adapter_model.safetensors`, `adapter_config.json`).
//!
//! A llama in a GGUF file has the rows of its query and key matrices in another order than the one
//! that PEFT knows, because the two turn them differently; the rows are put in order on the way.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Result, Tensor};
use radline_language::model::adapter::{Adapter, Lora, Part};
use radline_language::model::transformer::Shape;
use serde_json::json;

use crate::TrainingError;
use crate::plan::Plan;

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
    plan: &Plan,
    base: &str,
    folder: &Path,
) -> std::result::Result<(), TrainingError> {
    std::fs::create_dir_all(folder).map_err(|error| TrainingError::file(folder, error))?;
    let mut tensors = HashMap::new();
    for (layer, part, lora) in adapter.all() {
        tensors.insert(name(layer, part, "A"), lora.a.contiguous()?);
        tensors.insert(name(layer, part, "B"), rows(&lora.b, part, shape, true)?.contiguous()?);
    }
    candle_core::safetensors::save(&tensors, folder.join(WEIGHTS))?;
    let trained = shape.layers.saturating_sub(plan.layers)..shape.layers;
    let configuration = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": plan.rank,
        "lora_alpha": plan.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": true,
        "target_modules": Part::ALL.map(|part| part.name_in_peft().rsplit('.').next()),
        "layers_to_transform": trained.collect::<Vec<_>>(),
        "layers_pattern": "layers",
    });
    let file = folder.join(CONFIGURATION);
    std::fs::write(&file, format!("{configuration:#}\n"))
        .map_err(|error| TrainingError::file(&file, error))
}

/// Reads an adapter from a folder.
///
/// # Errors
/// A file is missing or is not what PEFT writes.
pub fn load(
    folder: &Path,
    shape: &Shape,
    device: &Device,
) -> std::result::Result<Adapter, TrainingError> {
    let file = folder.join(CONFIGURATION);
    let text = std::fs::read_to_string(&file).map_err(|error| TrainingError::file(&file, error))?;
    let configuration: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| TrainingError::file(&file, error))?;
    let number = |key: &str| {
        let value = configuration[key].as_f64();
        value.ok_or_else(|| TrainingError::file(&file, format!("it has no {key}")))
    };
    let scale = number("lora_alpha")? / number("r")?;
    let tensors = candle_core::safetensors::load(folder.join(WEIGHTS), device)?;
    let mut adapter = Adapter::default();
    for layer in 0..shape.layers {
        for part in Part::ALL {
            let of = |which: &str| tensors.get(&name(layer, part, which));
            if let (Some(a), Some(b)) = (of("A"), of("B")) {
                let b = rows(b, part, shape, false)?.contiguous()?;
                adapter.set(layer, part, Lora { a: a.clone(), b, scale });
            }
        }
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

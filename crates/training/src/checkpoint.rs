//! A run that was broken off, and goes on as if it had not been.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use crate::TrainingError;
use crate::optimizer::Trained;
use crate::plan::Plan;

const TENSORS: &str = "checkpoint.safetensors";
const STATE: &str = "checkpoint.json";

/// What is kept beside the weights.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct State {
    plan: Plan,
    steps_done: usize,
    examples: usize,
}

/// Writes where a run is. Each file is written beside its place and then moved into it, so that a
/// crash leaves the checkpoint before.
pub(crate) fn save(
    weights: &[Trained],
    plan: &Plan,
    steps_done: usize,
    examples: usize,
    folder: &Path,
) -> Result<(), TrainingError> {
    std::fs::create_dir_all(folder).map_err(|error| TrainingError::file(folder, error))?;
    let mut tensors = HashMap::new();
    for (number, trained) in weights.iter().enumerate() {
        tensors.insert(format!("weight.{number}"), trained.weight.as_tensor().clone());
        tensors.insert(format!("first.{number}"), trained.first.clone());
        tensors.insert(format!("second.{number}"), trained.second.clone());
    }
    // One file, so that weights and steps cannot belong to different moments.
    let steps = Tensor::new(&[steps_done as u32], &Device::Cpu)?;
    tensors.insert("steps_done".to_owned(), steps);
    let moved = |name: &str| (folder.join(format!("{name}.new")), folder.join(name));
    let (new, place) = moved(TENSORS);
    candle_core::safetensors::save(&tensors, &new)?;
    std::fs::rename(&new, &place).map_err(|error| TrainingError::file(&place, error))?;
    let state = State { plan: plan.clone(), steps_done, examples };
    let text = serde_json::to_string_pretty(&state)
        .map_err(|error| TrainingError::file(&folder.join(STATE), error))?;
    let (new, place) = moved(STATE);
    std::fs::write(&new, text)
        .and_then(|()| std::fs::rename(&new, &place))
        .map_err(|error| TrainingError::file(&place, error))
}

/// Takes up a run where it was left. Returns the steps that are done; 0 where there is no checkpoint.
pub(crate) fn restore(
    weights: &mut [Trained],
    plan: &Plan,
    examples: usize,
    folder: &Path,
) -> Result<usize, TrainingError> {
    let file = folder.join(STATE);
    if !file.is_file() {
        return Ok(0);
    }
    let wrong = |reason: &str| TrainingError::file(&file, reason);
    let text = std::fs::read_to_string(&file).map_err(|error| TrainingError::file(&file, error))?;
    let state: State =
        serde_json::from_str(&text).map_err(|error| TrainingError::file(&file, error))?;
    if state.plan != *plan || state.examples != examples {
        return Err(wrong(
            "it belongs to a run with another plan or other data; name another folder, or remove it",
        ));
    }
    let Some(first) = weights.first() else { return Ok(0) };
    let device = first.weight.device().clone();
    let tensors = candle_core::safetensors::load(folder.join(TENSORS), &device)?;
    let of = |name: String| {
        tensors.get(&name).cloned().ok_or_else(|| wrong(&format!("its tensors have no {name}")))
    };
    for (number, trained) in weights.iter_mut().enumerate() {
        trained.weight.set(&of(format!("weight.{number}"))?)?;
        trained.first = of(format!("first.{number}"))?;
        trained.second = of(format!("second.{number}"))?;
    }
    Ok(of("steps_done".to_owned())?.to_vec1::<u32>()?[0] as usize)
}

//! ONNX Runtime, loaded at run time and shared by all models that use it.

use std::path::Path;
use std::sync::Mutex;

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::SpeechError;

static LOADED: Mutex<bool> = Mutex::new(false);

/// Loads the shared library once. The file is checked before it is opened: ort waits for ever
/// on a library that is missing.
pub fn load(library: &Path) -> Result<(), SpeechError> {
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if *loaded {
        return Ok(());
    }
    let library = library.canonicalize().map_err(|error| SpeechError::file(library, error))?;
    let fresh = ort::init_from(&library)
        .map_err(|error| SpeechError::file(&library, error))?
        .with_name("radline")
        .with_telemetry(false)
        .commit();
    tracing::debug!(fresh, "ONNX Runtime loaded");
    *loaded = true;
    Ok(())
}

/// A session that uses `threads` threads and does not spin while idle: a call that is silent
/// must not cost a core.
pub(crate) fn session(model: &Path, threads: usize) -> Result<Session, SpeechError> {
    if !model.is_file() {
        return Err(SpeechError::file(model, "the file is missing"));
    }
    build(model, threads).map_err(|error| SpeechError::file(model, error))
}

fn build(model: &Path, threads: usize) -> ort::Result<Session> {
    Session::builder()?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .commit_from_file(model)
}

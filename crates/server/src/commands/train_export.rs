//! `radline train export`: an adapter in the files of other programs.

use anyhow::{Context, Result};
use radline_language::model::turn_reader::own_adapter;
use radline_language::model::{lora_gguf, peft, shape};

use crate::cli::TrainExport;
use crate::models::cache::Cache;
use crate::models::manifest::Manifest;
use crate::terminal;

/// Writes the adapter where it was asked for.
pub fn run(options: &TrainExport) -> Result<()> {
    let base = &options.base;
    let manifest = Manifest::built_in();
    let known = manifest.known(base)?;
    let file = Cache::at(options.models.clone())?.path(known);
    let shape = shape(&file)
        .with_context(|| format!("`radline models fetch --only {base}` brings the model"))?;
    let adapter = match &options.adapter {
        Some(folder) => peft::load(folder, &shape).with_context(|| {
            format!(
                "{} holds no adapter for {base}, or a run without a first step",
                folder.display()
            )
        })?,
        None => own_adapter(&shape)
            .with_context(|| format!("the program's own adapter is not for {base}"))?,
    };
    if let Some(folder) = &options.peft {
        peft::save(&adapter, &shape, &known.file, folder)?;
        terminal::line(&format!("PEFT's files are in {}", folder.display()))?;
    }
    if let Some(file) = &options.gguf {
        lora_gguf::save(&adapter, &shape, file)?;
        terminal::line(&format!("the adapter for llama.cpp is in {}", file.display()))?;
    }
    Ok(())
}

//! `radline train classifier`: labelled utterances in, what the classifier has learned out.

use anyhow::{Context, Result};
use radline_language::model::classifier::EncoderTokenizer;
use radline_language::model::encoder;
use radline_training::classifier::{self, ClassifierRun};
use radline_training::plan::Plan;
use radline_training::record::{self, Asked};

use super::train_run::{follow, load_folders};
use crate::cli::TrainClassifier;
use crate::models::cache::{CLASSIFIER, Cache};
use crate::terminal;

/// Trains, and writes what was learned and the curve of its losses into the folder.
pub fn run(options: &TrainClassifier) -> Result<()> {
    let plan = Plan {
        layers: options.layers,
        passes: options.passes,
        rate: options.rate,
        seed: options.seed,
        ..classifier::plan()
    };
    let cache = Cache::at(options.models.clone())?;
    let [weights, tokenizer] = CLASSIFIER.map(|id| cache.built_in(id));
    let bytes = std::fs::read(&weights).with_context(|| {
        format!("`radline models fetch --only {}` brings {}", CLASSIFIER[0], weights.display())
    })?;
    let base = encoder::tensors(&bytes).with_context(|| weights.display().to_string())?;
    let tokenizer = EncoderTokenizer::load(&tokenizer)?;
    let records = load_folders(&options.data)?;
    terminal::line(&format!("{} utterances, {plan:?}", records.len()))?;
    let asked: Vec<Asked> = record::load(&options.asked)?;
    let mut run = ClassifierRun::new(base, &tokenizer, &records, &asked, plan)?;
    let out = options.out.join("learned.safetensors");
    follow(&mut run, &options.out, |run| {
        run.write(&out).with_context(|| out.display().to_string())
    })?;
    terminal::line(&format!("what was learned is in {}", out.display()))
}

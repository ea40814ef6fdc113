//! `radline train wording`: sentences to feelings in, the adapter that words them out.

use anyhow::Result;
use radline_language::phrasing;
use radline_training::TrainingError;
use radline_training::example::Example;
use radline_training::record::Wording;

use super::train_run::{Examples, learn, load_base, load_folders};
use crate::cli::TrainWording;
use crate::models::cache::LANGUAGE;
use crate::models::manifest::Manifest;

/// Trains, and writes the adapter and the curve of its losses into the folder.
pub fn run(options: &TrainWording) -> Result<()> {
    let base = load_base(LANGUAGE, options.models.clone(), false)?;
    let records: Vec<Wording> = load_folders(&options.data)?;
    let mut lines = Vec::new();
    for record in &records {
        lines.extend(Example::wordings(record, &base.tokenizer)?);
    }
    // Callers say words that none of these callers said, and they have to be told apart as well.
    let mut others = Vec::new();
    for word in phrasing::all_words() {
        let tokens = base.tokenizer.encode(&format!(" {word}")).map_err(TrainingError::Tokens)?;
        others.extend(tokens);
    }
    let manifest = Manifest::built_in();
    let base_file = &manifest.known(LANGUAGE)?.file;
    learn(&base, base_file, options.plan(), Examples { lines, others }, &options.out)
}

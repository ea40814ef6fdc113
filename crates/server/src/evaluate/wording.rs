//! `radline evaluate wording`: sentences to what callers feel, as the language model words them and as the
//! site has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use radline_dialogue::Scenario;
use radline_dialogue::scenario::Empathy;
use radline_language::model::turn_reader::TurnReader;
use radline_language::model::{ModelError, peft};
use radline_language::phrasing::Felt;
use radline_phi::Phi;
use radline_training::record::{self, Wording};
use serde_json::json;

use super::{FETCH, Times};
use crate::cli::WordingCallers;
use crate::models::cache::{Cache, LANGUAGE};
use crate::terminal;
use crate::workers::reading::WORDING_LIMIT;

/// What became of the records.
#[derive(Default)]
struct Worded {
    /// How sure the model has to be.
    sure: f32,
    /// Sentences that may be spoken.
    sentences: Vec<String>,
    /// Nothing that was said fills a sentence.
    none: usize,
    /// Why others may not be spoken, or are not there in time.
    lost: BTreeMap<String, usize>,
    took: Vec<Duration>,
}

/// Words a sentence to each record and reports how many there are, why others are not, and how long it takes.
pub fn run(options: &WordingCallers) -> Result<()> {
    let model = reader(options)?;
    let records: Vec<Wording> = record::load(&options.data)?;
    let scenario = Scenario::load(&options.site.join("scenarios"))?;
    let empathy = &scenario.line.empathy;
    let mut out = options.out.as_deref().map(create).transpose()?;
    let mut worded = Worded { sure: options.sure, ..Worded::default() };
    for (number, record) in records.iter().enumerate() {
        let sentence = worded.add(record, empathy, &model);
        let plain = empathy.plain(record.feels);
        let plain = plain.get(number % plain.len().max(1));
        if let Some(out) = &mut out {
            let line = json!({"said": record.said, "worded": sentence, "plain": plain});
            writeln!(out, "{line}")?;
        }
    }
    worded.report(records.len())
}

/// The program's model, or its base with another adapter for sentences.
fn reader(options: &WordingCallers) -> Result<TurnReader> {
    let base = Cache::at(options.models.clone())?.built_in(LANGUAGE);
    let own = TurnReader::built_in(&base).context(FETCH)?;
    match &options.adapter {
        Some(folder) => Ok(own.with_wording(|shape| peft::load(folder, shape))?),
        None => Ok(own),
    }
}

fn create(file: &Path) -> Result<BufWriter<File>> {
    let made = File::create(file).with_context(|| file.display().to_string())?;
    Ok(BufWriter::new(made))
}

impl Worded {
    #[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
    fn add(&mut self, record: &Wording, empathy: &Empathy, model: &TurnReader) -> Option<String> {
        let felt = Felt {
            feeling: record.feels,
            said: Phi::new(record.said.clone()),
            frames: empathy.worded(record.feels).to_vec(),
            sure: self.sure,
        };
        let began = Instant::now();
        let sentence = model.acknowledge(felt, WORDING_LIMIT);
        self.took.push(began.elapsed());
        match sentence {
            Ok(Some(sentence)) => {
                self.sentences.push(sentence.clone());
                return Some(sentence);
            }
            Ok(None) => self.none += 1,
            Err(error @ (ModelError::Blocked(_) | ModelError::Deadline)) => {
                *self.lost.entry(error.to_string()).or_default() += 1;
            }
            Err(error) => *self.lost.entry(format!("failed: {error}")).or_default() += 1,
        }
        None
    }

    fn report(&self, records: usize) -> Result<()> {
        let row = |what: &str, count: usize| {
            terminal::line(&format!("{what:<60} {count:>4} of {records}"))
        };
        row("worded with what the caller said", self.sentences.len())?;
        row("nothing that was said fits", self.none)?;
        for (why, count) in &self.lost {
            row(why, *count)?;
        }
        let different: BTreeSet<&String> = self.sentences.iter().collect();
        row("different sentences", different.len())?;
        match Times::of(&self.took) {
            Some(times) => {
                terminal::line(&format!("a sentence, ms: p50 {}, p95 {}", times.median, times.high))
            }
            None => Ok(()),
        }
    }
}

//! `radline train readers`: the readers that learn from labelled utterances.

use std::path::Path;

use anyhow::{Context, Result};
use radline_dialogue::RedFlag;
use radline_dialogue::linear::{LinearModel, features};
use radline_language::intents::INTENTS;
use radline_training::record::{NO_FLAG, Record, load_folder};

use crate::terminal;

/// Parts of the data, each of which is read by a model that has not seen it.
const FOLDS: usize = 5;

/// Trains both readers on every file of a folder and writes them. Before that each is measured on
/// the fifth of the utterances that it has not seen, five times.
pub fn readers(data: &Path, red_flags: &Path, intents: &Path, seed: u64) -> Result<()> {
    let records: Vec<Record> = load_folder(data)?;
    terminal::line(&format!("{} utterances", records.len()))?;
    let slots: Vec<Vec<u32>> = records.iter().map(|record| features(&record.said)).collect();
    let flagged = |record: &Record| record.red_flag != NO_FLAG;
    let examples = examples(&records, &slots, |_| true, flagged);
    measure("red flags", &examples, seed)?;
    let mut bytes = LinearModel::train(&examples, seed).to_bytes();
    for class in RedFlag::ALL {
        // Which danger it is, among dangers.
        let is = |record: &Record| record.red_flag == class.key();
        let examples = self::examples(&records, &slots, flagged, is);
        measure(class.key(), &examples, seed)?;
        bytes.extend(LinearModel::train(&examples, seed).to_bytes());
    }
    write(red_flags, &bytes)?;
    let mut bytes = Vec::new();
    for intent in INTENTS {
        let open = |record: &Record| record.expects == "open";
        let examples = self::examples(&records, &slots, open, |record| record.intent == intent);
        measure(intent, &examples, seed)?;
        bytes.extend(LinearModel::train(&examples, seed).to_bytes());
    }
    write(intents, &bytes)
}

fn examples(
    records: &[Record],
    slots: &[Vec<u32>],
    wanted: impl Fn(&Record) -> bool,
    meant: impl Fn(&Record) -> bool,
) -> Vec<(Vec<u32>, bool)> {
    let pairs = records.iter().zip(slots).filter(|(record, _)| wanted(record));
    pairs.map(|(record, slots)| (slots.clone(), meant(record))).collect()
}

/// Recall and false alarms on utterances that the model has not seen.
fn measure(what: &str, examples: &[(Vec<u32>, bool)], seed: u64) -> Result<()> {
    let mut counts = [[0_usize; 2]; 2];
    for fold in 0..FOLDS {
        let seen = |(at, _): &(usize, _)| at % FOLDS != fold;
        let rest: Vec<_> =
            examples.iter().cloned().enumerate().filter(seen).map(|(_, one)| one).collect();
        let model = LinearModel::train(&rest, seed);
        for (slots, meant) in examples.iter().skip(fold).step_by(FOLDS) {
            let found = model.of_features(slots) >= 0.5;
            counts[usize::from(*meant)][usize::from(found)] += 1;
        }
    }
    let share = |[no, yes]: [usize; 2]| 100.0 * yes as f64 / (no + yes).max(1) as f64;
    terminal::line(&format!(
        "{what:<20} found {:>5.1} % of {}, falsely {:>4.1} % of {}",
        share(counts[1]),
        counts[1][0] + counts[1][1],
        share(counts[0]),
        counts[0][0] + counts[0][1],
    ))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}

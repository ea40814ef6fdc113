//! `radline train walks`: calls that nobody made, from a site's statechart and labelled utterances.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result};
use radline_dialogue::Scenario;
use radline_training::card::{self, Kept};
use radline_training::record::{self, Record};
use radline_training::walks::{WalkedTurn, Walks};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::train_run::load_folders;
use crate::cli::TrainWalks;
use crate::terminal;

/// Walks, and writes the turns and, where one is asked for, their card.
pub fn run(options: &TrainWalks) -> Result<()> {
    let scenario = Scenario::load(&options.site.join("scenarios"))?;
    let records: Vec<Record> = load_folders(&options.data)?;
    let mut measured: Vec<Record> = Vec::new();
    for file in &options.against {
        measured.extend(record::load::<Record>(file)?);
    }
    let kept = Kept::new(measured.iter());
    let mine = |record: &&Record| card::is_held(record) == options.held;
    let (near, own): (Vec<&Record>, Vec<&Record>) =
        records.iter().filter(mine).partition(|record| kept.holds(&record.said));
    let walks = Walks::new(&scenario, own.iter().copied());
    let mut random = StdRng::seed_from_u64(options.seed);
    let turns: Vec<WalkedTurn> =
        (0..options.calls).flat_map(|call| walks.call(call, &mut random)).collect();
    write(options, &turns)?;
    if let Some(file) = &options.card {
        std::fs::write(file, card::card(&scenario, &turns))
            .with_context(|| file.display().to_string())?;
    }
    terminal::line(&format!(
        "{} turns of {} calls, from {} utterances; {} were left out, which are near to one that is measured with",
        turns.len(),
        options.calls,
        own.len(),
        near.len(),
    ))
}

fn write(options: &TrainWalks, turns: &[WalkedTurn]) -> Result<()> {
    let file = File::create(&options.out).with_context(|| options.out.display().to_string())?;
    let mut out = BufWriter::new(file);
    for turn in turns {
        writeln!(out, "{}", serde_json::to_string(turn)?)?;
    }
    Ok(out.flush()?)
}

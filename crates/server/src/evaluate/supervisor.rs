//! `radline evaluate supervisor`: what the second reader catches on labelled utterances, and what it
//! costs. It has the words here and no audio.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use radline_call::Reread;
use radline_dialogue::{Question, RedFlags};
use radline_language::model::turn_reader::TurnReader;
use radline_phi::Phi;
use radline_training::record::{self, NO_FLAG, Record};

use super::Times;
use super::score::Share;
use crate::terminal;
use crate::workers::Reader;
use crate::workers::supervision::Means;

/// Reads every record that the first reading finds harmless once more.
pub fn run(data: &Path, model: TurnReader) -> Result<()> {
    let records: Vec<Record> = record::load(data)?;
    let red_flags = Arc::new(RedFlags::english());
    let reader = Reader::start(model)?;
    let mut means =
        Means { transcriber: None, reader: reader.clone(), red_flags: Arc::clone(&red_flags) };
    let [mut first, mut caught, mut false_first, mut false_second] = [Share::default(); 4];
    let mut times = Vec::new();
    for record in &records {
        let found = red_flags.find(&record.said).is_some();
        let danger = record.red_flag != NO_FLAG;
        if danger { &mut first } else { &mut false_first }.add(found);
        if found {
            continue;
        }
        let (flagged, took) = reread(&mut means, record);
        if danger { &mut caught } else { &mut false_second }.add(flagged);
        times.push(took);
    }
    reader.close();
    terminal::line(&format!("{} records", records.len()))?;
    terminal::line(&format!("{:<44} {first}", "dangers found at once"))?;
    terminal::line(&format!("{:<44} {caught}", "dangers found at second reading, of the rest"))?;
    terminal::line(&format!("{:<44} {false_first}", "false alarms at once"))?;
    terminal::line(&format!(
        "{:<44} {false_second}",
        "false alarms at second reading, of the rest"
    ))?;
    match Times::of(&times) {
        Some(times) => terminal::line(&format!(
            "{:<44} p50 {}, p95 {}",
            "a second reading, ms", times.median, times.high
        )),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
fn reread(means: &mut Means, record: &Record) -> (bool, Duration) {
    let began = Instant::now();
    let turn = Reread {
        turn: 1,
        question: Question::of(record.expectation()),
        past: false,
        audio: Phi::new(Vec::new()),
        words: Phi::new(record.said.clone()),
        before: Phi::default(),
    };
    let reading = means.reread(&turn, record.today);
    (reading.flag.is_some(), began.elapsed())
}

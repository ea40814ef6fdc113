//! `radline evaluate`: how well callers are understood, on labelled utterances.

pub mod dialogues;
mod reading;
mod score;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use radline_dialogue::RedFlags;
use radline_language::model::transformer::Transformer;
use radline_language::model::turn_reader::TurnReader;
use radline_training::peft;
use radline_training::record::{self, Record};
use serde_json::json;

use reading::{Readings, Source};
use score::{Scores, Share};

use crate::cli::Labelled;
use crate::models::cache::{Cache, LANGUAGE};
use crate::models::manifest::Manifest;

/// What the report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Red flags: recall and false alarms.
    RedFlags,
    /// Everything: intents, slots, red flags, requests for a person.
    Understanding,
}

/// The language model with the adapter in a folder.
pub fn reader(models: Option<PathBuf>, adapter: &Path) -> Result<TurnReader> {
    let file = Cache::at(models)?.folder().join(Manifest::built_in().file(LANGUAGE));
    let load = |model: &Transformer| {
        peft::load(adapter, model.shape(), model.device()).map_err(|error| error.to_string())
    };
    Ok(TurnReader::load(&file, load)?)
}

/// Reads every record of a file, scores what is understood of it, and prints the report: a table, or
/// one JSON object. With a model there are three: of the parsers, of the model, and of both.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub fn run(subject: Subject, labelled: &Labelled, model: Option<&TurnReader>) -> Result<()> {
    let records = record::load(&labelled.data)?;
    let red_flags = RedFlags::english();
    let sources: &[Source] = if model.is_some() { &Source::ALL } else { &[Source::Parsers] };
    let read = records
        .iter()
        .map(|record| Ok((record, Readings::of(record, &red_flags, model)?)))
        .collect::<Result<Vec<_>>>()?;
    if !labelled.json {
        println!("{} records", records.len());
    }
    for source in sources {
        let mut scores = Scores::default();
        let mut misses = Vec::new();
        for (record, readings) in &read {
            if let Some(miss) = scores.add(record, &readings.by(*source)) {
                misses.push(miss.to_string());
            }
        }
        if let Some(file) = &labelled.errors {
            std::fs::write(file, misses.join("\n")).with_context(|| file.display().to_string())?;
        }
        if labelled.json {
            println!("{}", described(source.name(), &records, &scores));
            continue;
        }
        if model.is_some() {
            println!("\n{}", source.name());
        }
        table(subject, &scores);
    }
    let times = Times::of(read.iter().filter_map(|(_, readings)| readings.took));
    if let Some(times) = times.filter(|_| !labelled.json) {
        println!("\nmodel, ms: p50 {}, p95 {}", times.median, times.high);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is the command's output")]
fn table(subject: Subject, scores: &Scores) {
    if subject == Subject::Understanding {
        println!("{:<28} {}", "intent", scores.intent);
        for (expects, share) in &scores.intent_by_expectation {
            println!("  asked for {expects:<16} {share}");
        }
        println!("{:<28} {:.3}", "slot precision", scores.slots.precision());
        println!("{:<28} {:.3}", "slot recall", scores.slots.recall());
        println!("{:<28} {:.3}", "slot F1", scores.slots.f1());
        println!("{:<28} {}", "requests for a person", scores.person);
        println!("{:<28} {}", "others taken for one", scores.person_false);
    }
    println!("{:<28} {}", "red flags found", scores.red_flags);
    for (class, share) in &scores.red_flags_by_class {
        println!("  {class:<26} {share}");
    }
    println!("{:<28} {}", "  with the right class", scores.red_flag_class);
    println!("{:<28} {}", "false alarms", scores.false_alarms);
}

/// How long the model took.
struct Times {
    median: u128,
    high: u128,
}

impl Times {
    fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut sorted: Vec<Duration> = times.collect();
        sorted.sort();
        let at = |share: f64| {
            sorted.get((sorted.len() as f64 * share) as usize).map(Duration::as_millis)
        };
        Some(Self { median: at(0.5)?, high: at(0.95)? })
    }
}

fn described(source: &str, records: &[Record], scores: &Scores) -> serde_json::Value {
    let by = |shares: &std::collections::BTreeMap<String, Share>| {
        let pairs = shares.iter().map(|(name, share)| (name.clone(), json!(share.value())));
        serde_json::Value::Object(pairs.collect())
    };
    json!({
        "by": source,
        "records": records.len(),
        "intent_accuracy": scores.intent.value(),
        "intent_accuracy_by_expectation": by(&scores.intent_by_expectation),
        "slot_precision": scores.slots.precision(),
        "slot_recall": scores.slots.recall(),
        "slot_f1": scores.slots.f1(),
        "red_flag_recall": scores.red_flags.value(),
        "red_flag_recall_by_class": by(&scores.red_flags_by_class),
        "red_flag_class_accuracy": scores.red_flag_class.value(),
        "red_flag_false_alarm_rate": scores.false_alarms.value(),
        "person_request_recall": scores.person.value(),
        "person_request_false_rate": scores.person_false.value(),
        "distress_agreement": scores.distress.value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_scored_and_its_misses_are_written_down() {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, errors) = (folder.path().join("data.jsonl"), folder.path().join("errors.jsonl"));
        let line = |id: &str, expects: &str, said: &str, intent: &str, flag: &str, slots: &str| {
            format!(
                r#"{{"id":"{id}","today":"2026-11-23","asked":"","expects":"{expects}","said":"{said}","intent":"{intent}","slots":{slots},"topic":"","red_flag":"{flag}","distress":0}}"#
            )
        };
        let lines = [
            line("a", "yes_no", "yes please", "affirm", "none", "{}"),
            line("b", "open", "i can't breathe", "report_symptom", "life_threat", "{}"),
            line("c", "name", "helen carter", "provide", "none", r#"{"name":"Helen Carter"}"#),
            line("d", "open", "never mind the weather", "book", "none", "{}"),
        ];
        std::fs::write(&data, lines.join("\n")).expect("written");
        let labelled = Labelled { data, json: true, errors: Some(errors.clone()) };
        run(Subject::Understanding, &labelled, None).expect("scored");
        let misses = std::fs::read_to_string(&errors).expect("written");
        assert_eq!(misses.lines().count(), 1, "{misses}");
        assert!(misses.contains(r#""id":"d""#), "{misses}");
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data.jsonl");
        std::fs::write(&data, "{}\n").expect("written");
        let error = run(Subject::RedFlags, &Labelled { data, json: true, errors: None }, None)
            .expect_err("it has no fields");
        assert!(format!("{error:#}").contains("line 1"), "{error:#}");
    }
}

//! `radline evaluate`: how well callers are understood, on labelled utterances.

mod calibration;
pub mod compare;
pub mod dialogues;
mod reading;
mod score;
pub mod sgd;
pub mod speed;
pub mod supervisor;
pub mod wording;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use radline_dialogue::RedFlags;
use radline_language::model::classifier::{Classifier, Impression};
use radline_language::model::peft;
use radline_language::model::turn_reader::{Prompted, TurnReader};
use radline_training::record::{self, Record};
use serde_json::json;

pub use reading::Source;
use reading::{Model, Reading, combined};
use score::{Scores, Share};

use calibration::Calibration;

use crate::chart::{self, Panel};
use crate::cli::{Labelled, Readers, Sight};
use crate::config;
use crate::models::cache::{CLASSIFIER, Cache};
use crate::models::manifest::Manifest;
use crate::workers::endpoint::Endpoint;

/// What the report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Red flags: recall and false alarms.
    RedFlags,
    /// Everything: intents, slots, red flags, requests for a person.
    Understanding,
}

/// Who reads beside the parsers.
#[derive(Default)]
pub struct BesideParsers {
    /// What reads every utterance at first sight, where its files are there.
    classifier: Option<Classifier>,
    /// The fine-tuned language model, and the base that is only told what to do.
    models: Vec<(Source, Model)>,
}

impl BesideParsers {
    /// As in a call: those of them that are there.
    ///
    /// # Errors
    /// A file is damaged, or the adapter does not fit the base.
    pub fn present(readers: &Readers) -> Result<Self> {
        if readers.endpoint.is_some() || base(readers)?.is_file() {
            return Self::all(readers);
        }
        tracing::warn!("the language model is not there: {FETCH}");
        Ok(Self { classifier: classifier(&readers.sight)?, models: Vec::new() })
    }

    /// The classifier, the fine-tuned model with the program's own adapter or the one in a folder, and
    /// the base that is only told what to do.
    ///
    /// # Errors
    /// The base is not there, or the adapter does not fit it.
    pub fn all(readers: &Readers) -> Result<Self> {
        let classifier = classifier(&readers.sight)?;
        if let Some(endpoint) = elsewhere(readers)? {
            let models = vec![(Source::Elsewhere, Model::Elsewhere(Box::new(endpoint)))];
            return Ok(Self { classifier, models });
        }
        let file = base(readers)?;
        let tuned = tuned(&file, readers.adapter.as_deref())?;
        let mut models = vec![(Source::FineTuned, Model::Here(Box::new(tuned)))];
        if readers.prompted {
            for (source, by) in
                [(Source::ZeroShot, Prompted::Instructions), (Source::Prompted, Prompted::Examples)]
            {
                let model = TurnReader::prompted(&file, by).context(FETCH)?;
                models.push((source, Model::Here(Box::new(model))));
            }
        }
        Ok(Self { classifier, models })
    }
}

/// What a model elsewhere is called where nothing is said.
const ELSEWHERE: &str = "radline";

/// The model behind an interface, where one is named.
///
/// # Errors
/// Its address is none, or its key cannot be read.
fn elsewhere(readers: &Readers) -> Result<Option<Endpoint>> {
    let Some(place) = &readers.endpoint else { return Ok(None) };
    let config = config::endpoint(config::EndpointTable {
        endpoint: place.clone(),
        model: readers.endpoint_model.clone().unwrap_or_else(|| ELSEWHERE.to_owned()),
        key_file: readers.key_file.clone(),
        tuned: readers.tuned,
    })?;
    Endpoint::new(config).map(Some)
}

/// The classifier, with what the program or a file has learned. Nothing where its encoder is missing.
///
/// # Errors
/// A file is damaged, or what was learned does not fit.
pub fn classifier(sight: &Sight) -> Result<Option<Classifier>> {
    let cache = Cache::at(sight.models.clone())?;
    let [weights, tokenizer] = CLASSIFIER.map(|id| cache.built_in(id));
    Ok(match &sight.classifier {
        None if !weights.is_file() => {
            tracing::warn!(
                "the classifier's encoder is not there; `radline models fetch` brings it"
            );
            None
        }
        Some(file) => {
            let learned = std::fs::read(file).with_context(|| file.display().to_string())?;
            Some(Classifier::load(&weights, &tokenizer, &learned)?)
        }
        None => Some(Classifier::built_in(&weights, &tokenizer)?),
    })
}

/// What mends a model that is not there.
const FETCH: &str = "`radline models fetch` brings the language model";

/// The base's file.
///
/// # Errors
/// The manifest does not have it, or another model was asked for.
pub fn base(readers: &Readers) -> Result<PathBuf> {
    if readers.endpoint.is_some() {
        bail!("this measures the model in the process; leave --endpoint out");
    }
    let manifest = Manifest::built_in();
    let known = manifest.known(&readers.base)?;
    Ok(Cache::at(readers.sight.models.clone())?.path(known))
}

/// The fine-tuned reader.
///
/// # Errors
/// The base is not there, or the adapter does not fit it.
pub fn tuned(base: &Path, adapter: Option<&Path>) -> Result<TurnReader> {
    let tuned = match adapter {
        Some(folder) => TurnReader::load(base, |shape| peft::load(folder, shape)),
        None => TurnReader::built_in(base),
    };
    tuned.context(FETCH)
}

/// Reads every record of a file, scores what is understood of it, and prints the report: a table for each
/// reader, the parsers always among them, or one JSON object on the best, the last, with those on all of
/// them in `readers`.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub fn run(subject: Subject, labelled: &Labelled, readers: &BesideParsers) -> Result<()> {
    let records = record::load(&labelled.data)?;
    if !labelled.json {
        println!("{} records", records.len());
    }
    let all: Vec<&Record> = records.iter().collect();
    let (mut pictured, mut reports) = (Pictured::default(), Vec::new());
    each_reading(&all, readers, |source, readings, behind| {
        // The model by itself tells no danger.
        let by_itself = !matches!(source, Source::Parsers | Source::FirstSight | Source::Both);
        if subject == Subject::RedFlags && by_itself {
            return Ok(());
        }
        let scores = report(subject, labelled, source, (&records, readings), &behind)?;
        reports.push(described(source.name(), &records, &scores, &behind));
        pictured.readers.push((source.name(), scores));
        if source == Source::FineTuned {
            pictured.calibration = behind.model.map(|model| Calibration::of(&records, model));
        }
        Ok(())
    })?;
    if labelled.json {
        let mut report = reports.last().cloned().unwrap_or_default();
        report["readers"] = json!(reports);
        println!("{report}");
    }
    match &labelled.picture {
        Some(file) => std::fs::write(file, pictured.svg())
            .with_context(|| format!("{} cannot be written", file.display())),
        None => Ok(()),
    }
}

/// Lets everyone read the records: the parsers, alone and with what is seen at first sight, each model,
/// and the fine-tuned one together with them. `tell` hears who read, what was understood, and what the
/// model itself read.
fn each_reading(
    records: &[&Record],
    readers: &BesideParsers,
    mut tell: impl FnMut(Source, &[Reading], Behind<'_>) -> Result<()>,
) -> Result<()> {
    let red_flags = RedFlags::english();
    let parsed = |impressions: Option<&[Impression]>| -> Vec<Reading> {
        let of = |at: usize| impressions.and_then(|impressions| impressions.get(at));
        let read = records.iter().enumerate();
        read.map(|(at, record)| reading::read(record, &red_flags, of(at), None)).collect()
    };
    let alone = parsed(None);
    tell(Source::Parsers, &alone, Behind::default())?;
    let impressions = match &readers.classifier {
        Some(classifier) => {
            let seen = records.iter().map(|record| reading::see(record, classifier));
            Some(seen.collect::<Result<(Vec<_>, Vec<_>), _>>()?)
        }
        None => None,
    };
    let seen = impressions.as_ref().map(|(seen, _)| seen.as_slice());
    let parsed = parsed(seen);
    if let Some((seen, took)) = &impressions {
        let acts = records.iter().zip(&parsed).zip(seen);
        let acts =
            acts.map(|((record, parsed), seen)| reading::at_first_sight(record, parsed, seen));
        let behind = Behind { took: took.clone(), model: None };
        tell(Source::FirstSight, &acts.collect::<Vec<_>>(), behind)?;
    }
    for (source, model) in &readers.models {
        let read = records.iter().map(|record| reading::label(record, model));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        let model = records.iter().zip(&alone).zip(&read);
        let model = model
            .map(|((record, parsed), (read, _))| combined(record, parsed, &read.labels, *source));
        let took = read.iter().map(|(_, took)| *took).collect();
        tell(*source, &model.collect::<Vec<_>>(), Behind { took, model: Some(&read) })?;
        if matches!(source, Source::FineTuned | Source::Elsewhere) {
            let both = records.iter().zip(&read).enumerate();
            let both = both.map(|(at, (record, (read, _)))| {
                let mut labels = read.labels.clone();
                let seen = seen.and_then(|seen| seen.get(at));
                let parsed = &reading::read(record, &red_flags, seen, Some(read));
                if let Some(seen) = seen {
                    labels.intent = seen.with_model(read).0;
                }
                combined(record, parsed, &labels, Source::Both)
            });
            tell(Source::Both, &both.collect::<Vec<_>>(), Behind::default())?;
        }
    }
    Ok(())
}

/// The report on one reader.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
fn report(
    subject: Subject,
    labelled: &Labelled,
    source: Source,
    (records, readings): (&[Record], &[Reading]),
    behind: &Behind<'_>,
) -> Result<Scores> {
    let mut scores = Scores::default();
    let pairs = records.iter().zip(readings);
    let misses: Vec<String> = pairs
        .filter_map(|(record, reading)| Some(scores.add(record, reading)?.to_string()))
        .collect();
    if let Some(file) = &labelled.errors {
        std::fs::write(file, misses.join("\n")).with_context(|| file.display().to_string())?;
    }
    if labelled.json {
        return Ok(scores);
    }
    if subject == Subject::Understanding {
        println!("\n{}", source.name());
    }
    table(subject, &scores);
    if let Some(times) = Times::of(&behind.took) {
        println!("{:<28} p50 {}, p95 {}", "model, ms", times.median, times.high);
    }
    if let Some(calibration) = behind.model.map(|model| Calibration::of(records, model)) {
        println!("{:<28} {:.3}", "calibration error", calibration.error());
        for bin in calibration.bins() {
            println!("  sure {bin}");
        }
    }
    Ok(scores)
}

#[expect(clippy::print_stdout, reason = "the report is the command's output")]
fn table(subject: Subject, scores: &Scores) {
    if subject == Subject::Understanding {
        println!("{:<28} {}", "intent", scores.intent);
        for (expects, share) in &scores.intent_by_expectation {
            println!("  asked for {expects:<16} {share}");
        }
        let all = scores.slots.all();
        println!("{:<28} {:.3}", "slot precision", all.precision());
        println!("{:<28} {:.3}", "slot recall", all.recall());
        println!("{:<28} {all}", "slot F1");
        for (name, values) in scores.slots.by_name() {
            println!("  {name:<26} {values}");
        }
        for ((meant, read), times) in scores.confusions() {
            println!("  {meant} taken for {read:<20} {times}");
        }
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

/// What the picture shows.
#[derive(Default)]
struct Pictured {
    readers: Vec<(&'static str, Scores)>,
    calibration: Option<Calibration>,
}

impl Pictured {
    fn svg(&self) -> String {
        let groups = self.readers.iter().map(|(name, scores)| {
            (*name, vec![scores.intent.value().unwrap_or_default(), scores.slots.all().f1()])
        });
        let mut panels = vec![Panel::Bars {
            title: "Understanding",
            names: vec!["acts that are right", "F1 of the values"],
            groups: groups.collect(),
        }];
        if let Some(calibration) = &self.calibration {
            panels.push(Panel::Lines {
                title: "How sure the model is, and how often it is right",
                axes: ("sure", "right"),
                lines: vec![
                    ("model", calibration.points()),
                    ("as it should be", vec![(0.0, 0.0), (1.0, 1.0)]),
                ],
            });
        }
        chart::svg(&panels)
    }
}

/// How long the model took.
struct Times {
    median: u128,
    high: u128,
}

impl Times {
    fn of(times: &[Duration]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort();
        let at = |share: f64| {
            sorted.get((sorted.len() as f64 * share) as usize).map(Duration::as_millis)
        };
        Some(Self { median: at(0.5)?, high: at(0.95)? })
    }
}

/// What stands behind readings.
#[derive(Default)]
struct Behind<'a> {
    /// How long each took.
    took: Vec<Duration>,
    /// What the language model alone read.
    model: Option<&'a [reading::Labelled]>,
}

fn described(
    source: &str,
    records: &[Record],
    scores: &Scores,
    behind: &Behind<'_>,
) -> serde_json::Value {
    let by = |shares: &std::collections::BTreeMap<String, Share>| {
        let pairs = shares.iter().map(|(name, share)| (name.clone(), json!(share.value())));
        serde_json::Value::Object(pairs.collect())
    };
    json!({
        "by": source,
        "records": records.len(),
        "intent_accuracy": scores.intent.value(),
        "intent_accuracy_by_expectation": by(&scores.intent_by_expectation),
        "slot_precision": scores.slots.all().precision(),
        "slot_recall": scores.slots.all().recall(),
        "slot_f1": scores.slots.all().f1(),
        "slot_f1_by_name": scores.slots.by_name().map(|(name, values)| (name.clone(), values.f1()))
            .collect::<std::collections::BTreeMap<_, _>>(),
        "red_flag_recall": scores.red_flags.value(),
        "red_flag_recall_by_class": by(&scores.red_flags_by_class),
        "red_flag_class_accuracy": scores.red_flag_class.value(),
        "red_flag_false_alarm_rate": scores.false_alarms.value(),
        "person_request_recall": scores.person.value(),
        "person_request_false_rate": scores.person_false.value(),
        "distress_agreement": scores.distress.value(),
        "confusions": scores.confusions().into_iter()
            .map(|((meant, read), times)| json!({"meant": meant, "read": read, "times": times}))
            .collect::<Vec<_>>(),
        "calibration_error": behind.model.map(|model| Calibration::of(records, model).error()),
        "model_ms": Times::of(&behind.took)
            .map(|times| json!({"p50": times.median, "p95": times.high})),
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
        let labelled = Labelled { data, json: true, errors: Some(errors.clone()), picture: None };
        run(Subject::Understanding, &labelled, &BesideParsers::default()).expect("scored");
        let misses = std::fs::read_to_string(&errors).expect("written");
        assert_eq!(misses.lines().count(), 1, "{misses}");
        assert!(misses.contains(r#""id":"d""#), "{misses}");
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data.jsonl");
        std::fs::write(&data, "{}\n").expect("written");
        let error = run(
            Subject::RedFlags,
            &Labelled { data, json: true, errors: None, picture: None },
            &BesideParsers::default(),
        )
        .expect_err("it has no fields");
        assert!(format!("{error:#}").contains("line 1"), "{error:#}");
    }
}

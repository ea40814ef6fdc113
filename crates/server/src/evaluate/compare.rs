//! `radline train compare`: adapters beside each other on the same utterances.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use radline_training::record::{self, NO_FLAG, Record};
use serde_json::{Value, json};

use super::reading::Model;
use super::score::Scores;
use super::{BesideParsers, Source, Times, base, classifier, each_reading, tuned};
use crate::cli::{Readers, TrainCompare};
use crate::terminal;

/// The name of the program's own adapter.
const OWN: &str = "own";

/// Reads every record with every adapter, alone and beside classifier and parsers, and prints what each gets right,
/// and how surely it differs from the first.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub fn run(options: &TrainCompare) -> Result<()> {
    let mut records = Vec::new();
    for file in &options.data {
        records.extend(record::load(file)?);
    }
    let mut compared: Vec<Compared> = Vec::new();
    for adapter in &options.adapter {
        let own = adapter.as_path() == Path::new(OWN);
        let adapter = (!own).then(|| adapter.clone());
        let name = adapter.as_ref().map_or(OWN.to_owned(), |folder| folder.display().to_string());
        if !options.json {
            terminal::line(&format!("{name} reads {} records", records.len()))?;
        }
        let readers = Readers {
            adapter,
            base: options.base.clone(),
            sight: options.sight.clone(),
            ..Readers::default()
        };
        compared.push(Compared::read(name, &records, &readers)?);
    }
    if options.json {
        println!("{}", described(&compared, records.len()));
        return Ok(());
    }
    for one in &compared {
        println!("\n{one}");
    }
    let Some((first, others)) = compared.split_first() else { return Ok(()) };
    for other in others {
        println!("\n{}", Difference::between(first, other));
    }
    Ok(())
}

/// What one adapter made of the records.
struct Compared {
    name: String,
    alone: Scores,
    together: Scores,
    /// Whether the act is right, of every record that is no danger.
    right: Vec<bool>,
    times: Option<Times>,
}

impl Compared {
    fn read(name: String, records: &[Record], readers: &Readers) -> Result<Self> {
        let reader = tuned(&base(readers)?, readers.adapter.as_deref())?;
        let beside = BesideParsers {
            classifier: classifier(&readers.sight)?,
            models: vec![(Source::FineTuned, Model::Here(Box::new(reader)))],
        };
        let all: Vec<&Record> = records.iter().collect();
        let (alone, together) = (Scores::default(), Scores::default());
        let mut read = Self { name, alone, together, right: Vec::new(), times: None };
        each_reading(&all, &beside, |source, readings, behind| {
            let pairs = records.iter().zip(readings);
            match source {
                Source::FineTuned => {
                    for (record, reading) in pairs {
                        read.alone.add(record, reading);
                    }
                    read.times = Times::of(&behind.took);
                }
                Source::Both => {
                    for (record, reading) in pairs {
                        read.together.add(record, reading);
                        if record.red_flag == NO_FLAG {
                            read.right.push(record.intent == reading.intent);
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(read)
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.name)?;
        writeln!(formatter, "  {:<34} {}", "acts, the model alone", self.alone.intent)?;
        let beside = "acts, beside classifier and parsers";
        writeln!(formatter, "  {beside:<34} {}", self.together.intent)?;
        writeln!(formatter, "  {:<34} {}", "values, the model alone", self.alone.slots.all())?;
        writeln!(formatter, "  {:<34} {}", "values, beside them", self.together.slots.all())?;
        writeln!(formatter, "  {:<34} {}", "requests for a person", self.together.person)?;
        writeln!(formatter, "  {:<34} {}", "red flags found", self.together.red_flags)?;
        write!(formatter, "  {:<34} {}", "false alarms", self.together.false_alarms)?;
        match &self.times {
            Some(times) => {
                write!(formatter, "\n  {:<34} p50 {}, p95 {}", "ms", times.median, times.high)
            }
            None => Ok(()),
        }
    }
}

/// How two adapters differ on the same records.
struct Difference {
    names: [String; 2],
    /// Acts that only the first, and only the second, gets right.
    only: [u64; 2],
}

impl Difference {
    fn between(first: &Compared, second: &Compared) -> Self {
        let only = |a: &[bool], b: &[bool]| {
            a.iter().zip(b).filter(|(right, other)| **right && !**other).count() as u64
        };
        Self {
            names: [first.name.clone(), second.name.clone()],
            only: [only(&first.right, &second.right), only(&second.right, &first.right)],
        }
    }

    /// How likely a difference at least as large is between two that are equally good (McNemar, exact, two-sided).
    fn chance(&self) -> f64 {
        let [a, b] = self.only;
        let (of, fewer) = (a + b, a.min(b));
        // The binomial distribution of as many throws of a coin, term after term.
        let mut term = 0.5_f64.powf(of as f64);
        let mut sum = term;
        for at in 1..=fewer {
            term *= (of + 1 - at) as f64 / at as f64;
            sum += term;
        }
        (2.0 * sum).min(1.0)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([first, second], [a, b]) = (&self.names, self.only);
        writeln!(formatter, "acts that only {first} gets right: {a}, only {second}: {b}")?;
        write!(formatter, "by chance alone, or more: {:.3}", self.chance())
    }
}

fn described(compared: &[Compared], records: usize) -> Value {
    let one = |one: &Compared| {
        json!({
            "adapter": one.name,
            "intent_accuracy_alone": one.alone.intent.value(),
            "intent_accuracy": one.together.intent.value(),
            "slot_f1_alone": one.alone.slots.all().f1(),
            "slot_f1": one.together.slots.all().f1(),
            "person_request_recall": one.together.person.value(),
            "red_flag_recall": one.together.red_flags.value(),
            "red_flag_false_alarm_rate": one.together.false_alarms.value(),
            "model_ms": one.times.as_ref().map(|times| json!({"p50": times.median, "p95": times.high})),
            "against_the_first": compared.first().map(|first| {
                let difference = Difference::between(first, one);
                let [theirs, ours] = difference.only;
                json!({"only_first_right": theirs, "only_this_right": ours, "p": difference.chance()})
            }),
        })
    };
    json!({"records": records, "adapters": compared.iter().map(one).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_as_sure_as_a_coin_says() {
        let chance = |only| Difference { names: [const { String::new() }; 2], only }.chance();
        assert!((chance([0, 0]) - 1.0).abs() < 1e-12);
        // One of two to the fourth, on both sides.
        assert!((chance([0, 5]) - 0.0625).abs() < 1e-12);
        assert!((chance([5, 1]) - 0.218_75).abs() < 1e-12);
        assert!((chance([7, 7]) - 1.0).abs() < 1e-12);
    }
}

//! What Radline understands of an utterance, in the terms of the labels.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use radline_dialogue::{
    Command, Distress, ExamMention, Intent, Question, RedFlags, Side, TimeWish, wording,
};
use radline_language::model::ModelError;
use radline_language::model::labels::{Labels, SLOTS};
use radline_language::model::turn_reader::TurnReader;
use radline_language::understanding;
use radline_phi::Phi;
use radline_training::record::{NO_FLAG, Record};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The parsers alone.
    Parsers,
    /// The base model, told what to do.
    ZeroShot,
    /// The base model, told what to do and shown examples.
    Prompted,
    /// The fine-tuned model alone; red flags are found beside it.
    FineTuned,
    /// Both: the model says what is meant, the parsers read values.
    Both,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Parsers => "parsers",
            Self::ZeroShot => "base, told what to do",
            Self::Prompted => "base, shown examples",
            Self::FineTuned => "fine-tuned",
            Self::Both => "fine-tuned and parsers",
        }
    }
}

/// What a model read, and how long it took.
pub(super) type Labelled = (Labels, Duration);

/// Longest reading in a measurement: everything is read, however long it takes.
const LIMIT: Duration = Duration::from_mins(1);

/// Reads an utterance with a model, the question being read already.
#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
pub(super) fn label(record: &Record, model: &TurnReader) -> Result<Labelled, ModelError> {
    let asked = model.ask(record.expectation(), &record.asked)?;
    let began = Instant::now();
    let reading = model.read(&asked, &record.said, LIMIT)?;
    Ok((reading.labels, began.elapsed()))
}

/// What the model says is meant, beside what the parsers found; their values count where both are
/// asked.
pub(super) fn combined(parsers: &Reading, model: &Labels, source: Source) -> Reading {
    let intent = match parsers.intent.as_str() {
        _ if parsers.red_flag != NO_FLAG => "report_symptom",
        "request_person" if source == Source::Both => "request_person",
        _ => &model.intent,
    };
    let mut slots = BTreeMap::new();
    // What is not meant for the line, or changes nothing, has no values.
    let empty = ["repeat", "goodbye", "none", "request_person"].contains(&intent);
    if source == Source::Both && !empty {
        slots.extend(parsers.slots.clone());
        slots.retain(|slot, _| !SLOTS.contains(&slot.as_str()));
    }
    slots.extend(model.slots.clone());
    Reading { intent: intent.to_owned(), slots, ..parsers.clone() }
}

/// What was understood.
#[derive(Debug, Default, Clone)]
pub(super) struct Reading {
    pub(super) intent: String,
    pub(super) slots: BTreeMap<String, String>,
    pub(super) red_flag: String,
    pub(super) distress: u8,
}

/// Understands the utterance as a call would: red flags first, then the parsers.
pub(super) fn read(record: &Record, red_flags: &RedFlags) -> Reading {
    let asked = Phi::new(record.asked.clone());
    let question = Question { asked, ..Question::of(record.expectation()) };
    let words = Phi::new(record.said.clone());
    let commands = understanding::understand(&words, &question, record.today).commands;
    let flag = red_flags.find(&record.said);
    let mut slots = BTreeMap::new();
    for command in &commands {
        fill(&mut slots, command);
    }
    let intent = if flag.is_some() { "report_symptom" } else { intent(&commands, &slots) };
    Reading {
        intent: intent.to_owned(),
        slots,
        red_flag: flag.map_or(NO_FLAG, |flag| flag.key()).to_owned(),
        distress: distress(&commands),
    }
}

/// 0 none, 1 some, 2 strong.
fn distress(commands: &[Command]) -> u8 {
    let felt = |command: &Command| match command {
        Command::Feels(Distress::Some, _) => Some(1),
        Command::Feels(Distress::Strong, _) => Some(2),
        _ => None,
    };
    commands.iter().find_map(felt).unwrap_or_default()
}

/// The main act: what changes the course of the call comes before an answer.
fn intent(commands: &[Command], slots: &BTreeMap<String, String>) -> &'static str {
    let of = |command: &Command| match command {
        Command::RequestPerson => Some((0, "request_person")),
        Command::AskIfMachine => Some((1, "clinic_question")),
        Command::Repeat => Some((2, "repeat")),
        Command::Want(Intent::Results) => Some((3, "results_question")),
        Command::Want(Intent::Question) => Some((3, "clinic_question")),
        Command::Want(intent) => Some((3, intent.key())),
        Command::Unsure | Command::Wait => Some((5, "unsure")),
        Command::Deny => Some((6, "deny")),
        Command::Affirm => Some((7, "affirm")),
        Command::Goodbye => Some((9, "goodbye")),
        _ => None,
    };
    let value = (!slots.is_empty()).then_some((4, "provide"));
    let first = commands.iter().filter_map(of).chain(value).min();
    first.map_or("none", |(_, intent)| intent)
}

fn fill(slots: &mut BTreeMap<String, String>, command: &Command) {
    let mut put = |key: &str, value: Option<String>| {
        slots.extend(value.map(|value| (key.to_owned(), value)));
    };
    match command {
        Command::Exam(exam) => fill_exam(&mut put, exam),
        Command::DateOfBirth(date) => put("date_of_birth", Some(date.expose().to_string())),
        Command::Name(name) => put("name", Some(name.expose().clone())),
        Command::Digits(digits) => put("phone", Some(digits.expose().clone())),
        Command::When(wish) => fill_wish(&mut put, wish),
        _ => {}
    }
}

fn fill_exam(put: &mut impl FnMut(&str, Option<String>), exam: &ExamMention) {
    put("modality", exam.modality.map(|modality| modality.key().to_owned()));
    put("body_part", exam.body_part.clone());
    let side = exam.side.map(|side| match side {
        Side::Both => "both",
        side => side.spoken(),
    });
    put("side", side.map(ToOwned::to_owned));
}

fn fill_wish(put: &mut impl FnMut(&str, Option<String>), wish: &TimeWish) {
    let clock = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    put("date", wish.date.map(|date| date.to_string()));
    put("weekday", wish.weekday.map(|day| wording::weekday(day).to_lowercase()));
    put("part_of_day", wish.part_of_day.map(|part| part.spoken().to_owned()));
    put("time", wish.time.map(clock));
    put("not_before", wish.not_before.map(clock));
    put("not_after", wish.not_after.map(clock));
}

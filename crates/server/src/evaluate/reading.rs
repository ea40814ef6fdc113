//! What Radline understands of an utterance, in the terms of the labels.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::civil::Date;
use radline_dialogue::{
    Command, Distress, ExamMention, Intent, Question, RedFlags, Side, TimeWish, wording, words,
};
use radline_language::model::ModelError;
use radline_language::model::classifier::{Classifier, Impression};
use radline_language::model::labels::Labels;
use radline_language::model::turn_reader::{self, TurnReader};
use radline_language::parsers::terms::{self, Term};
use radline_language::parsers::{day_time, exam, weight};
use radline_language::{danger, labelled, understanding};
use radline_phi::Phi;
use radline_training::record::{NO_FLAG, Record};

use crate::workers::endpoint::Endpoint;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The parsers alone.
    Parsers,
    /// The parsers, and the classifier for what is meant and felt.
    FirstSight,
    /// The base model, told what to do.
    ZeroShot,
    /// The base model, told what to do and shown examples.
    Prompted,
    /// The fine-tuned model alone; red flags are found beside it.
    FineTuned,
    /// A model elsewhere.
    Elsewhere,
    /// Both: the model says what is meant, the parsers read values.
    Both,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Parsers => "parsers",
            Self::FirstSight => "classifier and parsers",
            Self::ZeroShot => "base, told what to do",
            Self::Prompted => "base, shown examples",
            Self::FineTuned => "fine-tuned",
            Self::Elsewhere => "model at the endpoint",
            Self::Both => "model, classifier and parsers",
        }
    }
}

/// A model that reads what was said.
pub(super) enum Model {
    /// In this process.
    Here(Box<TurnReader>),
    /// Behind an interface like OpenAI's.
    Elsewhere(Box<Endpoint>),
}

/// What a model read, and how long it took.
pub(super) type Labelled = (turn_reader::Reading, Duration);

/// Longest reading in a measurement: everything is read, however long it takes.
const LIMIT: Duration = Duration::from_mins(1);

/// Reads an utterance with a model, the question being read already.
#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
pub(super) fn label(record: &Record, model: &Model) -> Result<Labelled> {
    match model {
        Model::Here(model) => {
            let asked = model.ask(record.expectation(), &record.asked)?;
            let began = Instant::now();
            let reading = model.read(&asked, &record.said, LIMIT)?;
            Ok((reading, began.elapsed()))
        }
        Model::Elsewhere(model) => {
            let asked = Phi::new(record.asked.clone());
            let question = Question { asked, ..Question::of(record.expectation()) };
            let began = Instant::now();
            let reading = model.read(&question, &record.said, LIMIT);
            let took = began.elapsed();
            // A call goes on with what the parsers read; a server that is not there is no measurement.
            let refused = |error: &anyhow::Error| error.downcast_ref::<ModelError>().is_some();
            match reading {
                Err(error) if refused(&error) => Ok((turn_reader::Reading::nothing(), took)),
                reading => Ok((reading.context("the endpoint")?, took)),
            }
        }
    }
}

/// What an utterance is at first sight, and how long that took.
#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
pub(super) fn see(
    record: &Record,
    classifier: &Classifier,
) -> Result<(Impression, Duration), ModelError> {
    let began = Instant::now();
    let seen = classifier.read(record.expectation(), &record.asked, &record.said)?;
    Ok((seen, began.elapsed()))
}

/// What the classifier says is meant, beside the parsers' values.
pub(super) fn at_first_sight(record: &Record, parsers: &Reading, seen: &Impression) -> Reading {
    let labels = Labels { intent: seen.act().to_owned(), ..Labels::default() };
    combined(record, parsers, &labels, Source::Both)
}

/// What the model says is meant, beside what the parsers found; their values count where both have
/// one.
pub(super) fn combined(
    record: &Record,
    parsers: &Reading,
    model: &Labels,
    source: Source,
) -> Reading {
    let both = source == Source::Both;
    let intent = match parsers.intent.as_str() {
        _ if parsers.red_flag != NO_FLAG => "report_symptom",
        read if both && model.intent.is_empty() => read,
        "request_person" if both => "request_person",
        _ => &model.intent,
    };
    let mut slots = model.slots.clone();
    // What is not meant for the line, or changes nothing, has no values.
    let empty = ["repeat", "goodbye", "none", "request_person"].contains(&intent);
    if both && !empty {
        slots = labelled::backed(&record.said, model).slots;
        let read = slots.clone();
        slots.extend(parsers.slots.clone());
        // A wish holds one weekday, and an exam one part of the body; the model reads all of them.
        for slot in ["weekday", "body_part"] {
            let more = read
                .get(slot)
                .filter(|all| slots.get(slot).is_some_and(|one| all.contains(one.as_str())));
            slots.extend(more.map(|all| (slot.to_owned(), all.clone())));
        }
        slots.extend(day_told(record, intent));
        answered(&mut slots, record, intent);
    }
    // Who asks something back has not given a name, whatever the words look like.
    if both && !["provide", "correct", "book", "affirm"].contains(&intent) {
        slots.remove("name");
    }
    if record.expects == "yes_no" && ["affirm", "deny", "unsure"].contains(&intent) {
        keep_what_is_wished(&mut slots, record, intent);
    }
    Reading { intent: intent.to_owned(), slots, ..parsers.clone() }
}

/// The day in a yes or no is the appointment's only where that was asked for ("heparin until Friday"), and
/// what is turned down is not wished for.
fn keep_what_is_wished(slots: &mut BTreeMap<String, String>, record: &Record, intent: &str) {
    const TIMES: [&str; 6] = ["date", "weekday", "part_of_day", "time", "not_before", "not_after"];
    const ABOUT: [&str; 8] =
        ["appointment", "book", "booking", "slot", "day", "time", "come", "schedule"];
    let offered = day_time::parse(&record.asked, record.today);
    let about = words::split(&record.asked).iter().any(|word| ABOUT.contains(&word.as_str()));
    if offered.is_none() && !about {
        slots.retain(|slot, _| !TIMES.contains(&slot.as_str()));
    } else if let Some(wish) = offered.filter(|_| intent == "deny") {
        let mut turned_down = BTreeMap::new();
        fill(&mut turned_down, &Command::When(wish));
        slots.retain(|slot, value| turned_down.get(slot) != Some(value));
    }
}

/// The day and time that are told with a wish about an appointment.
fn day_told(record: &Record, intent: &str) -> BTreeMap<String, String> {
    let mut slots = BTreeMap::new();
    let about = ["book", "reschedule", "cancel", "check_appointment", "prepare"].contains(&intent);
    if about
        && record.expects == "open"
        && let Some(wish) = day_time::of_an_appointment(told(&record.said, intent), record.today)
    {
        fill(&mut slots, &Command::When(wish));
        // Who asks for the hour has not told it.
        if intent == "check_appointment" {
            slots.remove("time");
        }
        name_weekday(&mut slots, &record.said);
    }
    slots
}

/// What is told of a day: where an appointment is to be moved, what comes behind the old one.
fn told<'a>(said: &'a str, intent: &str) -> &'a str {
    const THEN: [&str; 9] = [
        " to ",
        " for ",
        " what about ",
        " how about ",
        " instead ",
        " rather ",
        " make it ",
        " would you have ",
        " have you ",
    ];
    let last = THEN.iter().filter_map(|word| Some(said.rfind(word)? + word.len())).max();
    last.filter(|_| intent == "reschedule").and_then(|at| said.get(at..)).unwrap_or(said)
}

/// A date that was told with its weekday has both.
fn name_weekday(slots: &mut BTreeMap<String, String>, said: &str) {
    let Some(date) = slots.get("date").and_then(|date| date.parse::<Date>().ok()) else { return };
    let named =
        words::split(said).iter().any(|word| day_time::weekday(word) == Some(date.weekday()));
    if named {
        let day = wording::weekday(date.weekday()).to_lowercase();
        slots.insert("weekday".to_owned(), day);
    }
}

/// A yes or no fills the slot that its question is about, as the table of questions does in a call.
fn answered(slots: &mut BTreeMap<String, String>, record: &Record, intent: &str) {
    const ABOUT: [(&str, &[&str]); 7] = [
        ("kidney_problem", &["kidney", "kidneys", "renal", "dialysis"]),
        ("pregnant", &["pregnant", "pregnancy", "expecting"]),
        ("diabetes", &["diabetes", "diabetic"]),
        ("prior_reaction", &["reaction", "reacted"]),
        ("claustrophobia", &["claustrophobic", "claustrophobia", "enclosed", "confined", "small"]),
        ("implant", &["metal", "implant", "implants", "implanted", "pacemaker"]),
        ("blood_thinner", &["thin", "thinner", "thinners", "thinning", "clotting"]),
    ];
    let asked = words::split(&record.asked);
    let names = |words: &&[&str]| asked.iter().any(|word| words.contains(&word.as_str()));
    let Some((slot, _)) = ABOUT.iter().find(|(_, words)| names(words)) else { return };
    let free_text = ["implant", "blood_thinner"].contains(slot);
    let value = match (intent, *slot) {
        ("deny", "implant") => "none",
        ("deny", _) => "no",
        ("affirm", _) if !free_text => "yes",
        ("unsure", _) if !free_text => "unsure",
        _ => return,
    };
    if record.expects == "yes_no" {
        slots.insert((*slot).to_owned(), value.to_owned());
    }
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
pub(super) fn read(
    record: &Record,
    red_flags: &RedFlags,
    seen: Option<&Impression>,
    model: Option<&turn_reader::Reading>,
) -> Reading {
    let asked = Phi::new(record.asked.clone());
    let options = offers(record).len();
    let question = Question { asked, options, ..Question::of(record.expectation()) };
    let words = Phi::new(record.said.clone());
    let parsed = understanding::parse(&words, &question, record.today);
    // In a call the model is not asked about everything.
    let asked = |seen| labelled::is_for_model(&words, &parsed, &question, Some(seen));
    let model = model.filter(|_| seen.is_none_or(asked));
    let danger = danger::weighed(seen, model, &question);
    let commands = understanding::by_example(&words, parsed, &question).commands;
    let flag = red_flags.find_with(&record.said, false, danger);
    let mut slots = BTreeMap::new();
    for command in &commands {
        fill(&mut slots, command);
        fill_chosen(&mut slots, command, record);
    }
    fill_terms(&mut slots, &record.said);
    name_weekday(&mut slots, &record.said);
    // Where the exam is the question, a body part alone answers it.
    if ["exam", "body_part", "reason"].contains(&record.expects.as_str())
        && let Some(exam) = exam::parse(&record.said, true)
    {
        fill(&mut slots, &Command::Exam(exam));
    }
    if asks_for_weight(&record.asked)
        && ["number", "yes_no", "open"].contains(&record.expects.as_str())
    {
        let pounds = weight::parse(&record.said, &record.asked);
        slots.remove("phone");
        slots.extend(pounds.map(|pounds| ("weight_lb".to_owned(), format!("{pounds:.0}"))));
    }
    let intent = if flag.is_some() { "report_symptom" } else { intent(&commands, &slots) };
    Reading {
        intent: intent.to_owned(),
        slots,
        red_flag: flag.map_or(NO_FLAG, |flag| flag.key()).to_owned(),
        distress: seen.map_or_else(|| distress(&commands), Impression::feeling),
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

fn asks_for_weight(asked: &str) -> bool {
    let about = ["weight", "weigh", "weighs", "heavy", "pounds", "kilos", "kilograms", "stone"];
    words::split(asked).iter().any(|word| about.contains(&word.as_str()))
}

/// The times that were read out to choose from.
fn offers(record: &Record) -> Vec<TimeWish> {
    if record.expects != "choice" {
        return Vec::new();
    }
    let offers = record.asked.split(['.', '?']).next().unwrap_or_default();
    let offers = offers.split([',', ';']).flat_map(|part| part.split(" or "));
    let wishes = offers.filter_map(|offer| day_time::parse(offer, record.today));
    wishes.filter(|wish| !wish.is_empty()).collect()
}

/// A time that was chosen by its place among those that were read out.
fn fill_chosen(slots: &mut BTreeMap<String, String>, command: &Command, record: &Record) {
    let wishes = offers(record);
    let chosen = match command {
        Command::Choose(place) => wishes.get(*place),
        Command::ChooseLast => wishes.last(),
        _ => None,
    };
    if let Some(wish) = chosen {
        fill(slots, &Command::When(wish.clone()));
    }
}

/// Medicines and the like that are named.
fn fill_terms(slots: &mut BTreeMap<String, String>, said: &str) {
    let kinds = [("medication", Term::Medication), ("blood_thinner", Term::BloodThinner)];
    for (slot, kind) in kinds {
        let names = terms::find(said, kind).join(", ");
        slots.extend((!names.is_empty()).then(|| (slot.to_owned(), names)));
    }
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

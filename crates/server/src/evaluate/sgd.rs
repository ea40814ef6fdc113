//! `radline evaluate sgd`: booking turns of dialogues that nobody wrote for this phone line, the
//! Schema-Guided Dialogue dataset (Rastogi et al. 2020, arXiv:1909.05855, CC BY-SA 4.0).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::{Date, date};
use radline_dialogue::words;
use radline_training::record::{NO_FLAG, Record};
use serde::Deserialize;

use super::BesideParsers;
use super::each_reading;
use super::reading::Reading;
use super::score::{Share, Slots};

/// The day on which the dialogues were held, by the dataset's own reading of "next Thursday".
const TODAY: Date = date(2019, 3, 1);
/// The intent whose turns are read; looking for a dentist is none of ours.
const BOOKING: &str = "BookAppointment";

#[derive(Deserialize)]
struct Dialogue {
    split: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    speaker: String,
    utterance: String,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    actions: Vec<Act>,
    #[serde(default)]
    state: State,
}

#[derive(Deserialize, Default)]
struct State {
    active_intent: String,
}

#[derive(Deserialize)]
struct Act {
    #[serde(rename = "act")]
    kind: String,
    slot: String,
    canonical_values: Vec<String>,
}

/// A caller's turn. Several acts may be the main one: "yes, and what is their number?".
struct Booking {
    record: Record,
    acts: Vec<&'static str>,
}

/// Reads the dataset's dialogues (one JSON object a line), those of one split where it is named, and
/// prints what a list of keywords, the parsers, the model and both make of the booking turns.
///
/// # Errors
/// The file cannot be read, is none of the dataset, or a model failed.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub fn run(data: &Path, split: Option<&str>, models: &BesideParsers) -> Result<()> {
    let bookings = load(data, split)?;
    println!("{} booking turns", bookings.len());
    println!("{:<28} {:<44} slot precision, recall, F1", "", "act");
    let line = |name: &str, readings: &[Reading]| println!("{}", scored(name, &bookings, readings));
    let keywords: Vec<Reading> = bookings.iter().map(|one| by_keywords(&one.record)).collect();
    line("keywords", &keywords);
    let records: Vec<&Record> = bookings.iter().map(|one| &one.record).collect();
    each_reading(&records, models, |source, readings, _| {
        line(source.name(), readings);
        Ok(())
    })
}

fn load(data: &Path, split: Option<&str>) -> Result<Vec<Booking>> {
    let text = std::fs::read_to_string(data).with_context(|| data.display().to_string())?;
    let mut bookings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let dialogue: Dialogue = serde_json::from_str(line).with_context(|| {
            format!("{}, line {}: no dialogue of the dataset", data.display(), number + 1)
        })?;
        if split.is_none_or(|split| dialogue.split == split) {
            bookings
                .extend(dialogue.turns.windows(2).filter_map(|pair| booking(&pair[0], &pair[1])));
        }
    }
    anyhow::ensure!(!bookings.is_empty(), "{}: no booking turns there", data.display());
    Ok(bookings)
}

fn booking(system: &Turn, user: &Turn) -> Option<Booking> {
    let frame = user.frames.first().filter(|_| user.speaker == "USER")?;
    if frame.state.active_intent != BOOKING {
        return None;
    }
    let asked = system.frames.iter().flat_map(|frame| &frame.actions);
    let asks_when = |act: &Act| act.kind == "REQUEST" && act.slot.starts_with("appointment_");
    let yes_no = ["CONFIRM", "OFFER", "OFFER_INTENT", "REQ_MORE"];
    let expects = match &asked.clone().map(|act| act.kind.as_str()).collect::<Vec<_>>()[..] {
        _ if asked.clone().any(asks_when) => "day_time",
        acts if acts.iter().any(|act| yes_no.contains(act)) => "yes_no",
        _ => "open",
    };
    let mut slots = BTreeMap::new();
    for act in &frame.actions {
        let slot = act.slot.strip_prefix("appointment_").unwrap_or_default();
        if let (true, Some(value)) = (act.kind == "INFORM", act.canonical_values.first())
            && ["date", "time"].contains(&slot)
        {
            slots.insert(slot.to_owned(), value.clone());
        }
    }
    let record = Record {
        id: String::new(),
        today: TODAY,
        asked: system.utterance.clone(),
        expects: expects.to_owned(),
        said: user.utterance.clone(),
        intent: String::new(),
        slots,
        topic: String::new(),
        red_flag: NO_FLAG.to_owned(),
        distress: 0,
        only: None,
    };
    let acts: Vec<&str> = frame.actions.iter().filter_map(ours).collect();
    (!acts.is_empty()).then_some(Booking { record, acts })
}

/// The dataset's act in our terms.
fn ours(act: &Act) -> Option<&'static str> {
    Some(match act.kind.as_str() {
        "INFORM_INTENT" => "book",
        "AFFIRM" | "AFFIRM_INTENT" | "SELECT" => "affirm",
        "NEGATE" | "NEGATE_INTENT" => "deny",
        "INFORM" => "provide",
        "REQUEST" => "clinic_question",
        "REQUEST_ALTS" => "correct",
        "THANK_YOU" | "GOODBYE" => "goodbye",
        _ => return None,
    })
}

/// What anybody would write first: one list of words for each act, days and times as they are spelled.
fn by_keywords(record: &Record) -> Reading {
    const ACTS: [(&str, &[&str]); 6] = [
        ("book", &["book", "appointment", "reserve", "schedule"]),
        ("clinic_question", &["what", "where", "phone", "address", "rating"]),
        ("deny", &["no", "not", "never"]),
        ("affirm", &["yes", "yeah", "yep", "correct", "right", "sure", "good", "great"]),
        ("goodbye", &["thanks", "thank", "bye"]),
        ("provide", &["am", "pm", "march", "next", "tomorrow"]),
    ];
    let words = words::split(&record.said);
    let has = |word: &&str| words.iter().any(|said| said == word);
    let act = ACTS.iter().find(|(_, keywords)| keywords.iter().any(&has));
    let mut slots = BTreeMap::new();
    // "The 7th", "7": any other word is no number, and no mistake.
    let number = |word: &String| word.trim_end_matches(char::is_alphabetic).parse::<i8>().ok();
    let day = has(&"march").then(|| words.iter().find_map(number)).flatten();
    if let Some(day) = day.and_then(|day| Date::new(TODAY.year(), 3, day).ok()) {
        slots.insert("date".to_owned(), day.to_string());
    }
    let said = record.said.to_lowercase();
    let clock = said.split_whitespace().find_map(|word| {
        let (hour, minute) = word.trim_matches(|c: char| !c.is_ascii_digit()).split_once(':')?;
        let (hour, minute) = (hour.parse::<i8>().ok()?, minute.parse::<i8>().ok()?);
        let later = has(&"pm") || has(&"afternoon") || has(&"evening");
        jiff::civil::Time::new(if later { hour % 12 + 12 } else { hour }, minute, 0, 0).ok()
    });
    slots.extend(clock.map(|time| ("time".to_owned(), time.strftime("%H:%M").to_string())));
    let intent = act.map_or("none", |(act, _)| act).to_owned();
    Reading { intent, slots, ..Reading::default() }
}

fn scored(name: &str, bookings: &[Booking], readings: &[Reading]) -> String {
    let (mut acts, mut slots) = (Share::default(), Slots::default());
    for (booking, reading) in bookings.iter().zip(readings) {
        acts.add(booking.acts.contains(&reading.intent.as_str()));
        let mut read = reading.slots.clone();
        read.retain(|slot, _| ["date", "time"].contains(&slot.as_str()));
        slots.add(&booking.record.slots, &read);
    }
    let all = slots.all();
    let (precision, recall, f1) = (all.precision(), all.recall(), all.f1());
    format!("{name:<28} {acts:<44} {precision:.3} {recall:.3} {f1:.3}")
}

#[cfg(test)]
mod tests {
    use radline_dialogue::RedFlags;

    use super::super::reading;
    use super::*;

    #[test]
    fn booking_turns_are_found_and_their_acts_are_ours() {
        let line = r#"{"split":"test","turns":[
            {"speaker":"SYSTEM","utterance":"What day?","frames":[{"actions":[{"act":"REQUEST","slot":"appointment_date","canonical_values":[]}]}]},
            {"speaker":"USER","utterance":"Next Thursday at 1:45 pm","frames":[{"state":{"active_intent":"BookAppointment"},"actions":[
                {"act":"INFORM","slot":"appointment_date","canonical_values":["2019-03-07"]},
                {"act":"INFORM","slot":"appointment_time","canonical_values":["13:45"]}]}]},
            {"speaker":"SYSTEM","utterance":"Done.","frames":[]},
            {"speaker":"USER","utterance":"A dentist in Gilroy","frames":[{"state":{"active_intent":"FindProvider"},"actions":[]}]}]}"#;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dialogues.jsonl");
        std::fs::write(&file, line.replace('\n', " ")).expect("written");
        let bookings = load(&file, None).expect("read");
        assert_eq!(bookings.len(), 1);
        assert_eq!(bookings[0].acts, ["provide", "provide"]);
        assert_eq!(bookings[0].record.expects, "day_time");
        let keywords = by_keywords(&bookings[0].record);
        assert_eq!(keywords.slots["time"], "13:45");
        let parsed = reading::read(&bookings[0].record, &RedFlags::english(), None, None);
        assert_eq!(parsed.slots["date"], "2019-03-07", "{parsed:?}");
        run(&file, Some("test"), &BesideParsers::default()).expect("scored");
        assert!(run(&file, Some("train"), &BesideParsers::default()).is_err());
    }
}

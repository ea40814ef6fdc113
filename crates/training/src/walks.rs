//! Calls that nobody made: walks through a site's statechart, with a labelled utterance of the right kind
//! behind every question.
//!
//! What callers say comes from utterances that were written by hand; a walk decides what is asked, which
//! way the answer goes, and in which manner it is given: hesitating, begun twice, corrected, with a second
//! fact or a question behind it. None of that changes what is meant but as the labels then say.

use std::collections::BTreeSet;

use radline_dialogue::scenario::State;
use radline_dialogue::{Expectation, Scenario, wording, words};
use radline_language::parsers::yes_no::{self, YesNo};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use crate::record::{NO_FLAG, Record, shape};

/// Turns after which a caller hangs up.
const TURNS_MAX: usize = 30;
/// States that are walked through without anybody speaking, before the walk is given up.
const SILENT_MAX: usize = 60;
/// Share of the words that two questions have in common which ask the same.
const ALIKE: f64 = 0.45;
/// An answer that fits any question of its shape is this short, words.
const PLAIN_WORDS: usize = 6;
/// How many calls are taken up in the middle, so that what few callers come to is asked, too.
const IN_THE_MIDDLE: f64 = 0.5;
/// Questions behind an answer are this short, words.
const BEHIND_WORDS: usize = 14;
/// How often a safety question is the last one.
const SCREENED: f64 = 0.15;
/// How often something dangerous is said instead of an answer.
const DANGER: f64 = 0.02;
/// How often a caller says something else instead of an answer: asks back, wants a person, says goodbye.
const ASIDE: f64 = 0.08;

/// Utterances that are drawn before it is taken that none fits.
const DRAWS: usize = 4000;

/// What stands in questions where a call has values.
const VALUES: &[(&str, &str)] = &[
    ("hospital", "Lakeside Hospital"),
    ("department", "radiology"),
    ("name", "Maria Delgado"),
    ("given_name", "Maria"),
    ("called_name", "Maria Delgado"),
    ("date_of_birth", "March nineteenth, nineteen sixty seven"),
    ("exam", "MRI of the left knee"),
    ("mentioned_exam", "CT"),
    ("orders", "MRI of the left knee or CT of the chest"),
    ("appointments", "CT of the chest, on Tuesday, December first, at ten in the morning"),
    ("appointment_when", "Tuesday, December first, at ten in the morning"),
    ("appointment_place", "the main building"),
    (
        "offers",
        "Tuesday, December first, at ten in the morning or Friday, December fourth, at noon",
    ),
    ("when", "Friday, December fourth, at noon"),
    ("place", "the main building"),
    ("denied", "no pacemaker and no metal in the body"),
    ("callback_number", "five five five, zero one, four two"),
    ("wish", "move an appointment"),
    ("missing_points", "when to stop eating"),
    ("findings", "a pacemaker"),
];

/// How a caller speaks, from call to call: how likely each habit is in an answer.
#[derive(Debug, Clone, Copy)]
struct Manner {
    hesitates: f64,
    begins_twice: f64,
    corrects: f64,
    adds: f64,
    asks: f64,
}

/// A turn of such a call.
#[derive(Debug, Clone, serde::Serialize)]
pub struct WalkedTurn {
    /// The call.
    pub call: usize,
    /// The state whose question is answered.
    pub state: String,
    /// What was asked and said, with its labels.
    #[serde(flatten)]
    pub record: Record,
}

/// Utterances, and the statechart that they are put behind.
pub struct Walks<'a> {
    scenario: &'a Scenario,
    utterances: Vec<&'a Record>,
    /// The words of each utterance's question.
    questions: Vec<BTreeSet<String>>,
}

impl<'a> Walks<'a> {
    /// Walks through a scenario, with utterances that have all labels.
    pub fn new(scenario: &'a Scenario, utterances: impl Iterator<Item = &'a Record>) -> Self {
        let utterances: Vec<&Record> = utterances.filter(|one| one.only.is_none()).collect();
        let questions = utterances.iter().map(|one| content(&one.asked)).collect();
        Self { scenario, utterances, questions }
    }

    /// One call.
    pub fn call(&self, number: usize, random: &mut StdRng) -> Vec<WalkedTurn> {
        let manner = Manner::draw(random);
        let (mut turns, mut silent) = (Vec::new(), 0);
        let mut name = self.start(random);
        while let Some(state) = self.scenario.states.get(name) {
            silent += 1;
            if state.end || turns.len() >= TURNS_MAX || silent > SILENT_MAX {
                break;
            }
            let asked = self.question(state, random);
            let outcome = state.on.iter().choose(random);
            let said = asked.and_then(|(asked, expects)| {
                let turn = self.turn(&asked, expects, outcome.map(|(key, _)| key), random)?;
                Some(manner.say(turn, self, random))
            });
            if let Some(record) = said {
                let over = record.red_flag != NO_FLAG || record.intent == "goodbye";
                turns.push(WalkedTurn { call: number, state: name.to_owned(), record });
                silent = 0;
                if over {
                    break;
                }
            }
            let Some((_, target)) = outcome else { break };
            // A safety screening is one state with many questions.
            if state.screening.is_none() || random.random_bool(SCREENED) {
                name = target;
            }
        }
        turns
    }

    /// Where a walk begins.
    fn start(&self, random: &mut StdRng) -> &str {
        let begin = self.scenario.line.starts.inbound.as_str();
        let asks = |state: &State| state.expects.is_some() || state.screening.is_some();
        let middle = self.scenario.states.iter().filter(|(_, state)| asks(state)).choose(random);
        middle.filter(|_| random.random_bool(IN_THE_MIDDLE)).map_or(begin, |(name, _)| name)
    }

    /// What a state asks, and the shape of the answer.
    fn question(&self, state: &State, random: &mut StdRng) -> Option<(String, Expectation)> {
        let (text, expects) = match (state.screening, state.expects) {
            (Some(_), _) => {
                let question = self.scenario.screening.choose(random)?;
                let text = if random.random_bool(0.8) { &question.ask } else { &question.again };
                (text, Expectation::YesNo)
            }
            (None, Some(expects)) if !state.ask.is_empty() => {
                let again = state.again.choose(random).filter(|_| random.random_bool(0.2));
                (again.unwrap_or(&state.ask), expects)
            }
            _ => return None,
        };
        let values = VALUES.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Some((wording::fill(text, &values).ok()?, expects))
    }

    /// An utterance behind a question, which leads where `outcome` says.
    fn turn(
        &self,
        asked: &str,
        expects: Expectation,
        outcome: Option<&String>,
        random: &mut StdRng,
    ) -> Option<Record> {
        const ASIDES: [&str; 5] = ["request_person", "repeat", "goodbye", "none", "correct"];
        let found = if random.random_bool(DANGER) {
            self.draw(|one, _| one.red_flag != NO_FLAG, random)
        } else if random.random_bool(ASIDE) {
            let kind = ASIDES.choose(random)?;
            self.draw(|one, _| one.intent == *kind && one.red_flag == NO_FLAG, random)
        } else {
            let (kinds, asks) = (kinds(outcome?, expects), content(asked));
            let fits = |one: &Record, question: &BTreeSet<String>| {
                let answer = ["affirm", "deny", "unsure"].contains(&one.intent.as_str());
                let shaped = one.intent != "provide" || is_value_of(one, expects);
                let plain = || is_plain(one);
                kinds.contains(&one.intent.as_str())
                    && one.red_flag == NO_FLAG
                    && shaped
                    && (!answer || plain() || alike(question, &asks) >= ALIKE)
            };
            self.draw(fits, random)
        };
        let expects = shape(expects).to_owned();
        Some(Record { asked: asked.to_owned(), expects, ..found?.clone() })
    }

    /// An utterance that fits, if some thousand draws hold one.
    fn draw(
        &self,
        fits: impl Fn(&Record, &BTreeSet<String>) -> bool,
        random: &mut StdRng,
    ) -> Option<&Record> {
        let places = 0..self.utterances.len();
        (0..DRAWS).find_map(|_| {
            let at = places.clone().choose(random)?;
            Some(self.utterances[at]).filter(|one| fits(one, &self.questions[at]))
        })
    }

    /// Another utterance that may stand behind or before one.
    fn another(&self, fits: impl Fn(&Record) -> bool, random: &mut StdRng) -> Option<&Record> {
        let short = |one: &Record| words::split(&one.said).len() <= BEHIND_WORDS;
        self.draw(|one, _| one.red_flag == NO_FLAG && short(one) && fits(one), random)
    }
}

/// Whether an utterance holds a value of the kind that is asked for.
fn is_value_of(one: &Record, expects: Expectation) -> bool {
    let held = |slots: &[&str]| slots.iter().any(|slot| one.slots.contains_key(*slot));
    match expects {
        Expectation::Digits => held(&["phone"]),
        Expectation::Name => held(&["name"]),
        Expectation::DateOfBirth => held(&["date_of_birth"]),
        Expectation::DayTime => held(&["date", "weekday", "part_of_day", "time", "not_before"]),
        _ => one.expectation() == expects,
    }
}

/// Whether an answer fits any question: it is a yes or a no in so many words, and short.
fn is_plain(one: &Record) -> bool {
    let short = words::split(&one.said).len() <= PLAIN_WORDS && one.slots.is_empty();
    let meant = match one.intent.as_str() {
        "affirm" => YesNo::Yes,
        "deny" => YesNo::No,
        _ => YesNo::Unsure,
    };
    short && yes_no::parse(&one.said) == Some(meant)
}

/// The acts that lead to an outcome.
fn kinds(outcome: &str, expects: Expectation) -> Vec<&str> {
    match outcome {
        "yes" => vec!["affirm"],
        "no" => vec!["deny"],
        "value" if expects == Expectation::Open => vec!["book", "reschedule", "prepare", "cancel"],
        "value" | "missing" => vec!["provide"],
        "question" => vec!["prepare", "clinic_question"],
        "results" => vec!["results_question"],
        "complaint" => vec!["clinic_question"],
        other => vec![other],
    }
}

impl Manner {
    fn draw(random: &mut StdRng) -> Self {
        let mut habit = |most: f64| random.random_range(0.0..1.0_f64).powi(2) * most;
        Self {
            hesitates: habit(0.8),
            begins_twice: habit(0.5),
            corrects: habit(0.4),
            adds: habit(0.5),
            asks: habit(0.4),
        }
    }

    /// The utterance as this caller says it.
    fn say(self, mut record: Record, walks: &Walks<'_>, random: &mut StdRng) -> Record {
        if record.red_flag != NO_FLAG {
            return record;
        }
        if random.random_bool(self.corrects) {
            correct(&mut record, walks, random);
        }
        if random.random_bool(self.adds) {
            add(&mut record, walks, random);
        }
        if random.random_bool(self.asks) {
            ask(&mut record, walks, random);
        }
        if random.random_bool(self.begins_twice) {
            let begun: Vec<&str> = record.said.split(' ').take(random.random_range(1..3)).collect();
            record.said = format!("{} {}", begun.join(" "), record.said);
        }
        if random.random_bool(self.hesitates) {
            hesitate(&mut record, random);
        }
        record
    }
}

/// "Tuesday, no, wait, Friday": the last counts.
fn correct(record: &mut Record, walks: &Walks<'_>, random: &mut StdRng) {
    const TURNS: &[&str] = &["no wait", "no sorry", "actually", "i mean", "sorry no, make that"];
    let expects = record.expectation();
    let time = record.intent == "provide" && expects == Expectation::DayTime;
    if !time {
        return;
    }
    let short = |one: &Record| words::split(&one.said).len() <= 6;
    let first = walks.another(
        |one| one.intent == "provide" && one.expectation() == expects && short(one),
        random,
    );
    if let (Some(first), Some(turn)) = (first, TURNS.choose(random)) {
        record.said = format!("{} {turn} {}", first.said, record.said);
    }
}

/// A second fact in the same breath: "Maria Delgado, and it's March nineteenth sixty seven".
fn add(record: &mut Record, walks: &Walks<'_>, random: &mut StdRng) {
    let (slot, joint) = match record.expectation() {
        Expectation::Name => ("date_of_birth", "and my date of birth is"),
        Expectation::DateOfBirth => ("phone", "and my number is"),
        _ => return,
    };
    if record.intent != "provide" || record.slots.contains_key(slot) {
        return;
    }
    let only = |one: &Record| one.slots.len() == 1 && one.slots.contains_key(slot);
    if let Some(more) = walks.another(|one| one.intent == "provide" && only(one), random) {
        record.said = format!("{} {joint} {}", record.said, more.said);
        record.slots.extend(more.slots.clone());
    }
}

/// A question behind the answer: the act stays, and the topic is the question's.
fn ask(record: &mut Record, walks: &Walks<'_>, random: &mut StdRng) {
    const ANSWERS: &[&str] = &["affirm", "deny", "provide", "book", "reschedule", "unsure"];
    if !record.topic.is_empty() || !ANSWERS.contains(&record.intent.as_str()) {
        return;
    }
    let asks = |one: &Record| {
        ["prepare", "clinic_question"].contains(&one.intent.as_str())
            && !one.topic.is_empty()
            && one.slots.is_empty()
    };
    if let Some(question) = walks.another(asks, random) {
        record.said = format!("{} and {}", record.said, question.said);
        record.topic.clone_from(&question.topic);
        record.distress = record.distress.max(question.distress);
    }
}

fn hesitate(record: &mut Record, random: &mut StdRng) {
    const FILLERS: &[&str] = &["um", "uh", "er", "well", "let me see", "you know", "like", "so"];
    let mut said: Vec<&str> = record.said.split(' ').collect();
    let at = random.random_range(0..said.len());
    if let Some(filler) = FILLERS.choose(random) {
        said.insert(at, filler);
    }
    record.said = said.join(" ");
}

/// Words that say what a text is about.
fn content(text: &str) -> BTreeSet<String> {
    words::split(text).into_iter().filter(|word| word.len() > 3).collect()
}

/// Share of the words that two texts have in common.
fn alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let all = one.union(other).count();
    if all == 0 { 0.0 } else { one.intersection(other).count() as f64 / all as f64 }
}

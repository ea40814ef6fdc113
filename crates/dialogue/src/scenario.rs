//! A scenario as data: a statechart that a clinician can read, and its checks.
//!
//! A state says something, then asks (`ask`), decides (`check`), acts (`act`), screens
//! (`screening`) or ends the call (`end`). What comes back is an outcome such as `yes`, `value` or
//! `held`, and `on` names the next state for it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::red_flags::RedFlag;
use crate::screening::ScreeningQuestion;
use crate::understanding::Expectation;
use crate::{action::CallbackReason, wording};

/// What can go wrong with a scenario file.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// Path as given.
        file: String,
        /// From the system.
        reason: String,
    },
    /// The file is not what it should be; the message has line and column.
    #[error("{file}: {reason}")]
    Malformed {
        /// Path as given.
        file: String,
        /// From the parser.
        reason: String,
    },
    /// The file reads, but its statechart does not hold together.
    #[error("{file}: {}", findings.join("; "))]
    Unsound {
        /// Path as given.
        file: String,
        /// What does not hold, each with the state.
        findings: Vec<String>,
    },
}

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name, such as "AT".
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Version of the text and rules; part of every reply's provenance.
    pub version: String,
    /// Who has approved it, or that nobody has.
    pub approval: String,
    /// First state.
    pub start: String,
    /// Short answers that leave the state as it is.
    pub asides: Asides,
    /// Where the scenario goes whatever the state.
    pub exits: Exits,
    /// The script for each red flag: the state that begins it.
    pub red_flags: BTreeMap<RedFlag, String>,
    /// Where a change of an earlier answer leads.
    pub corrected: BTreeMap<SlotName, String>,
    /// The statechart.
    pub states: BTreeMap<String, State>,
    /// The screening table, in the order of asking.
    #[serde(default)]
    pub screening: Vec<ScreeningQuestion>,
}

/// Short answers that leave the state as it is; the question is asked again after most.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asides {
    /// "Am I talking to a machine?" Truthful, always.
    pub machine: String,
    /// "Hold on, I'm looking for it."
    pub wait: String,
    /// A question that this scenario cannot answer.
    pub question: String,
    /// Before going back to change an earlier answer.
    pub corrected: String,
    /// Before a question is repeated because it was not understood.
    pub not_understood: String,
    /// Before a question is repeated because nothing was heard.
    pub not_heard: String,
    /// While the clinic's answer takes longer than a pause in talking.
    pub working: String,
    /// Before the call is given to a person because a part of the system failed.
    pub failure: String,
}

/// Where the scenario goes whatever the state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exits {
    /// The caller asks for a person.
    pub person: String,
    /// The call is about someone else.
    pub on_behalf: String,
    /// Too many answers were not understood.
    pub not_understood: String,
    /// Nothing was heard for too long.
    pub silence: String,
    /// A part of the system failed.
    pub failure: String,
    /// The caller says goodbye.
    pub goodbye: String,
}

/// A place for one value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SlotName {
    /// Consent to recording.
    Recording,
    /// The exam that the caller speaks of.
    Exam,
    /// Name.
    Name,
    /// Date of birth.
    DateOfBirth,
    /// Which of several orders.
    Order,
    /// Side of the body, as the caller says it.
    Side,
    /// Wish for day and time.
    When,
    /// Which of the offered times.
    Offer,
    /// Where to call back.
    CallbackNumber,
    /// Where the caller is, in their words.
    Location,
}

/// A decision that needs nothing but what the dialogue knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Does the order have a side? `yes`, `no`.
    OrderHasSide,
    /// Is the order `asap` or `stat`, which a person schedules? `yes`, `no`.
    OrderUrgent,
    /// Is it the caller's side? `yes`, `no`.
    SideMatches,
    /// Were safety questions denied that have to be read back? `yes`, `no`.
    HasDenials,
    /// Has the screening found something to review? `yes`, `no`.
    NeedsReview,
    /// Is the patient known by two identifiers? `yes`, `no`.
    Identified,
    /// Does the clinic have a number for the call-back? `yes`, `no`.
    HasCallbackNumber,
}

/// A request to the clinic, by name; the values come from the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// `matched`, `not_matched`.
    MatchIdentity,
    /// `found`, `several`, `none`, `mismatch`, `expired`.
    FindOrders,
    /// `offers`, `nearest`, `none`.
    FindSlots,
    /// `held`, `taken`.
    Hold,
    /// `booked`, `held_for_review`, `taken`.
    Book,
    /// `callback_noted`.
    RequestCallback,
    /// `done`.
    AmendCallback,
    /// `done`.
    Release,
}

/// One state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that an author writes or not")]
pub struct State {
    /// Spoken on entry.
    pub say: String,
    /// The question, spoken after `say` and whenever it is asked again.
    pub ask: String,
    /// Other words for the question, for the second, third … time.
    pub again: Vec<String>,
    /// The shape of the answer.
    pub expects: Option<Expectation>,
    /// How many digits the number may have that is asked for.
    #[serde(default)]
    pub digits: Vec<usize>,
    /// The slot that the answer fills.
    pub fills: Option<SlotName>,
    /// Slots that are emptied on entry.
    pub clears: Vec<SlotName>,
    /// A decision.
    pub check: Option<Check>,
    /// A request to the clinic.
    pub act: Option<Act>,
    /// Why, for `request_callback`.
    pub reason: Option<CallbackReason>,
    /// Ask the open screening questions: `clear`, `review`, `stop`.
    pub screening: bool,
    /// Forget the screening answers on entry.
    pub screen_afresh: bool,
    /// Where a reading by the language model is confirmed before it counts. Without it such a
    /// reading is not used here: the model never decides.
    pub confirm: Option<String>,
    /// Outcome → next state.
    pub on: BTreeMap<String, String>,
    /// Where to go after too many answers that were not understood; the exit unless told.
    pub fails_to: Option<String>,
    /// How often the state may be entered in a call, and where the next attempt goes.
    pub limit: Option<Limit>,
    /// What is said here (`say`) is not cut short by the caller's voice.
    pub firm: bool,
    /// The call ends here.
    pub end: bool,
}

/// How often a state may be entered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Entries allowed.
    pub entries: u8,
    /// Where the next one goes.
    pub then: String,
}

/// A target that stands for what is being confirmed.
pub(crate) const CONFIRMED: &str = "@confirmed";

/// Placeholders that the dialogue knows how to fill.
pub(crate) const VALUES: &[&str] = &[
    "hospital",
    "department",
    "emergency_number",
    "crisis_line",
    "office_hours",
    "name",
    "given_name",
    "date_of_birth",
    "exam",
    "orders",
    "offers",
    "when",
    "place",
    "denied",
    "callback_due",
    "callback_number",
    "wish",
];

impl Scenario {
    /// Name and version, for the record.
    pub fn name(&self) -> String {
        format!("{} {}", self.id, self.version)
    }

    /// Reads and checks a scenario file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable {
            file: file.clone(),
            reason: error.to_string(),
        })?;
        Self::read(&file, &text)
    }

    /// Reads and checks the text of a scenario file.
    pub fn read(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Malformed {
            file: file.to_owned(),
            reason: error.to_string(),
        })?;
        let findings = scenario.findings();
        if findings.is_empty() {
            Ok(scenario)
        } else {
            Err(ScenarioError::Unsound { file: file.to_owned(), findings })
        }
    }

    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let exits = [
            ("start", &self.start),
            ("exits.person", &self.exits.person),
            ("exits.on_behalf", &self.exits.on_behalf),
            ("exits.not_understood", &self.exits.not_understood),
            ("exits.silence", &self.exits.silence),
            ("exits.failure", &self.exits.failure),
            ("exits.goodbye", &self.exits.goodbye),
        ];
        for (place, target) in exits {
            self.check_target(place, target, &mut findings);
        }
        for flag in RedFlag::ALL {
            match self.red_flags.get(&flag) {
                Some(target) => self.check_target("red_flags", target, &mut findings),
                None => findings.push(format!("red_flags: no script for {}", flag.key())),
            }
        }
        for target in self.corrected.values() {
            self.check_target("corrected", target, &mut findings);
        }
        for (name, state) in &self.states {
            self.check_state(name, state, &mut findings);
        }
        findings.extend(self.unreachable());
        findings
    }

    fn check_target(&self, place: &str, target: &str, findings: &mut Vec<String>) {
        if target != CONFIRMED && !self.states.contains_key(target) {
            findings.push(format!("{place}: there is no state \"{target}\""));
        }
    }

    fn check_state(&self, name: &str, state: &State, findings: &mut Vec<String>) {
        let targets = state.on.values().chain(&state.fails_to).chain(&state.confirm);
        for target in targets.chain(state.limit.as_ref().map(|limit| &limit.then)) {
            self.check_target(name, target, findings);
        }
        let kinds = [
            !state.ask.is_empty(),
            state.check.is_some(),
            state.act.is_some(),
            state.screening,
            state.end,
        ];
        match kinds.iter().filter(|kind| **kind).count() {
            0 if state.on.contains_key("done") => {}
            0 => findings.push(format!("{name}: neither asks, checks, acts, ends nor goes on")),
            1 => {}
            _ => findings.push(format!("{name}: does more than one of ask, check, act, end")),
        }
        if !state.digits.is_empty() && state.expects != Some(Expectation::Digits) {
            findings.push(format!("{name}: says how many digits, but does not expect any"));
        }
        if !state.ask.is_empty() && state.expects.is_none() {
            findings.push(format!("{name}: asks, but does not say what it expects"));
        }
        for outcome in state.required_outcomes() {
            if !state.on.contains_key(*outcome) {
                findings.push(format!("{name}: nothing is said about the outcome \"{outcome}\""));
            }
        }
        if state.act == Some(Act::RequestCallback) && state.reason.is_none() {
            findings.push(format!("{name}: a call-back needs a reason"));
        }
        for text in [&state.say, &state.ask].into_iter().chain(&state.again) {
            for value in wording::placeholders(text).filter(|value| !VALUES.contains(value)) {
                findings.push(format!("{name}: nobody fills {{{value}}}"));
            }
        }
    }

    /// States that no path from the start or an exit reaches.
    fn unreachable(&self) -> Vec<String> {
        let exits = &self.exits;
        let mut open: Vec<&String> = vec![
            &self.start,
            &exits.person,
            &exits.on_behalf,
            &exits.not_understood,
            &exits.silence,
            &exits.failure,
            &exits.goodbye,
        ];
        open.extend(self.red_flags.values().chain(self.corrected.values()));
        let mut seen = std::collections::BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(state) = self.states.get(name).filter(|_| seen.insert(name)) {
                open.extend(state.on.values().chain(&state.fails_to).chain(&state.confirm));
                open.extend(state.limit.as_ref().map(|limit| &limit.then));
            }
        }
        let lost = self.states.keys().filter(|name| !seen.contains(name));
        lost.map(|name| format!("{name}: no path leads here")).collect()
    }
}

impl State {
    fn required_outcomes(&self) -> &'static [&'static str] {
        if self.screening {
            return &["clear", "review", "stop"];
        }
        match (self.check, self.act) {
            (Some(_), _) => &["yes", "no"],
            (_, Some(Act::MatchIdentity)) => &["matched", "not_matched"],
            (_, Some(Act::FindOrders)) => &["found", "several", "none", "mismatch", "expired"],
            (_, Some(Act::FindSlots)) => &["offers", "nearest", "none"],
            (_, Some(Act::Hold)) => &["held", "taken"],
            (_, Some(Act::Book)) => &["booked", "held_for_review", "taken"],
            (_, Some(Act::RequestCallback)) => &["callback_noted"],
            (_, Some(Act::AmendCallback | Act::Release)) => &["done"],
            _ if self.fills.is_some_and(|slot| slot != SlotName::Recording) => &["value"],
            _ if self.expects == Some(Expectation::YesNo) => &["yes", "no"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        let error =
            Scenario::read("at.toml", "id = \"AT\"\nwhat = 1\n").expect_err("unknown field");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}

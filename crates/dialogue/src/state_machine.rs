//! Walks a scenario: one understanding or clinic outcome in, one [`DialogueMove`] out.
//!
//! The machine owns every decision. What the caller's words mean is decided before it, how the
//! sentences sound after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use radline_phi::Phi;

use crate::action::{ActionOutcome, CallbackReason, Offer, OrderFacts, PatientFacts};
use crate::dialogue_move::{DialogueMove, Sentence, Then};
use crate::red_flags::RedFlag;
use crate::scenario::{CONFIRMED, Check, Scenario, SlotName, State};
use crate::screening::{Answers, Disposition};
use crate::slots::Slots;
use crate::understanding::{Command, Expectation, Question, Understanding, UnderstoodBy};
use crate::vocabulary::{Intent, Priority};

mod answers;
mod outcomes;
mod prompts;

/// Steps between two prompts, at most. A scenario that needs more goes in circles.
const STEPS_MAX: usize = 40;
/// Times that a question may be answered by nothing usable before the scenario's exit is taken,
/// if the state lists fewer other wordings than this.
const TRIES_MIN: usize = 2;

/// Times that a question is said again, or put off, because the caller asks for that. A line that
/// is asked to repeat for ever is not understood, and someone else should take over.
const ASIDES_MAX: usize = 4;

/// What the site fills into prompts.
#[derive(Debug, Clone, Default)]
pub struct SiteFacts {
    /// Placeholder → text: hospital, department, emergency_number, crisis_line, office_hours.
    pub values: BTreeMap<String, String>,
}

/// One caller's way through a scenario.
#[derive(Debug, Clone)]
pub struct Dialogue {
    scenario: Arc<Scenario>,
    site: Arc<SiteFacts>,
    state: String,
    slots: Slots,
    answers: Answers,
    patient: Option<PatientFacts>,
    orders: Vec<OrderFacts>,
    offers: Vec<Offer>,
    declined: Vec<DateTime>,
    callback_due: Option<DateTime>,
    callback_number_known: bool,
    red_flag: Option<RedFlag>,
    /// The words that raised it.
    alarm: Option<Phi<String>>,
    /// How often each state was entered.
    entries: BTreeMap<String, u8>,
    /// How often the current question went without a usable answer.
    tries: usize,
    /// How often the current question was put off by an aside.
    asides: usize,
    /// Where a reading by the language model leads once it is confirmed, and how it is said.
    to_confirm: Option<(String, String)>,
    /// The screening question that was asked last, and whether it was the second one.
    asked_screening: Option<(String, bool)>,
}

/// What the next prompt is made of while the machine walks.
#[derive(Default)]
struct Prompt {
    sentences: Vec<Sentence>,
    patient: bool,
}

impl Dialogue {
    /// A dialogue before its first word.
    pub fn new(scenario: Arc<Scenario>, site: Arc<SiteFacts>) -> Self {
        let state = scenario.start.clone();
        Self {
            scenario,
            site,
            state,
            slots: Slots::default(),
            answers: Answers::default(),
            patient: None,
            orders: Vec::new(),
            offers: Vec::new(),
            declined: Vec::new(),
            callback_due: None,
            callback_number_known: false,
            red_flag: None,
            alarm: None,
            entries: BTreeMap::new(),
            tries: 0,
            asides: 0,
            to_confirm: None,
            asked_screening: None,
        }
    }

    /// The greeting.
    pub fn begin(&mut self) -> DialogueMove {
        let start = self.scenario.start.clone();
        self.go(&start, Prompt::default())
    }

    /// The caller has said or keyed something.
    pub fn hear(&mut self, words: &Phi<String>, understanding: &Understanding) -> DialogueMove {
        let scenario = Arc::clone(&self.scenario);
        let mut prompt = Prompt::default();
        if understanding.by == UnderstoodBy::Model {
            return self.confirm(words, understanding);
        }
        if let Some(exit) = self.exit_for(understanding) {
            return self.go(&exit, prompt);
        }
        let aside = aside_for(&scenario, understanding);
        if let Some(aside) = aside.filter(|_| self.asides < ASIDES_MAX) {
            self.asides += 1;
            self.speak(&mut prompt, aside, "aside");
            prompt.patient = understanding.has(&Command::Wait);
            return self.ask_again(prompt, 0);
        }
        let replaced = self.slots.take(understanding);
        let screening_changed = self.take_screening_mentions(words);
        if let Some(target) = self.correction(&replaced, screening_changed) {
            self.speak(&mut prompt, &scenario.asides.corrected, "aside");
            return self.go(&target, prompt);
        }
        if let Some(outcome) = self.read_answer(words, understanding) {
            if self.current().screening {
                return self.screen_on(prompt);
            }
            if let Some(target) = self.current().on.get(outcome).cloned() {
                return self.go(&target, prompt);
            }
        }
        self.without_answer(understanding, prompt)
    }

    /// What is said while the clinic takes its time.
    pub fn still_working(&self) -> Vec<Sentence> {
        let mut prompt = Prompt::default();
        self.speak(&mut prompt, &self.scenario.asides.working, "aside");
        prompt.sentences
    }

    /// The question once more, after the caller was away.
    pub fn remind(&mut self) -> DialogueMove {
        self.ask_again(Prompt::default(), 0)
    }

    /// Nothing was heard for as long as this question allows.
    pub fn silence(&mut self) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        if self.give_up() {
            return self.go(&scenario.exits.silence, prompt);
        }
        self.speak(&mut prompt, &scenario.asides.not_heard, "aside");
        let tries = self.tries;
        self.ask_again(prompt, tries)
    }

    /// The words speak of danger: the script for it, at once.
    pub fn red_flag(&mut self, flag: RedFlag, words: &Phi<String>) -> Option<DialogueMove> {
        // A script that runs is not begun again by the caller's answers to it, unless what they
        // say is more urgent than what it is for.
        if self.red_flag.is_some_and(|running| running <= flag) {
            return None;
        }
        self.red_flag = Some(flag);
        self.alarm = Some(words.clone());
        let target = self.scenario.red_flags.get(&flag)?.clone();
        Some(self.go(&target, Prompt::default()))
    }

    /// The clinic has answered the action of the last move.
    pub fn answer(&mut self, outcome: ActionOutcome) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        let target = self.take_outcome(outcome).and_then(|key| self.current().on.get(key).cloned());
        match target {
            Some(target) => self.go(&target, prompt),
            None if self.state == scenario.exits.failure => {
                // Even the task cannot be written: say so and end, rather than go in circles.
                self.speak(&mut prompt, &scenario.asides.failure, "aside");
                self.done(prompt, Then::HangUp)
            }
            None => {
                self.speak(&mut prompt, &scenario.asides.failure, "aside");
                self.go(&scenario.exits.failure, prompt)
            }
        }
    }

    /// A part of the system failed: on to a person.
    pub fn failure(&mut self) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        self.speak(&mut prompt, &scenario.asides.failure, "aside");
        self.go(&scenario.exits.failure, prompt)
    }

    /// The collected values.
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The screening answers.
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The scenario's name and version, for the record.
    pub fn scenario(&self) -> String {
        self.scenario.name()
    }

    /// The state's name.
    pub fn state(&self) -> &str {
        &self.state
    }

    fn current(&self) -> &State {
        &self.scenario.states[&self.state]
    }

    fn may_be_pregnant(&self) -> bool {
        self.patient.as_ref().is_none_or(|patient| patient.may_be_pregnant)
    }

    /// What the language model read does not count before the caller has said yes to it.
    fn confirm(&mut self, words: &Phi<String>, understanding: &Understanding) -> DialogueMove {
        let prompt = Prompt::default();
        let Some(state) = self.current().confirm.clone() else {
            return self.without_answer(&Understanding::from_parsers(Vec::new()), prompt);
        };
        let person = understanding.has(&Command::RequestPerson);
        let target = if person {
            Some(self.scenario.exits.person.clone())
        } else {
            self.slots.take(understanding);
            let outcome = self.read_answer(words, understanding);
            outcome.and_then(|outcome| self.current().on.get(outcome).cloned())
        };
        let Some(target) = target else { return self.without_answer(understanding, prompt) };
        self.to_confirm = Some((target, wish(understanding)));
        self.go(&state, prompt)
    }

    /// The next screening question, or the way out of the table.
    fn screen_on(&mut self, prompt: Prompt) -> DialogueMove {
        self.tries = 0;
        let target = self.screening_outcome().and_then(|key| self.current().on.get(key).cloned());
        match target {
            Some(target) => self.go(&target, prompt),
            None => self.ask_again(prompt, 0),
        }
    }

    /// Leaves the scenario's path when the caller asks for that, whatever the question was.
    fn exit_for(&self, understanding: &Understanding) -> Option<String> {
        let exits = &self.scenario.exits;
        let on_the_way_out = self.callback_due.is_some();
        if understanding.has(&Command::RequestPerson) && !on_the_way_out {
            return Some(exits.person.clone());
        }
        if understanding.has(&Command::OnBehalf) && self.patient.is_none() && !on_the_way_out {
            return Some(exits.on_behalf.clone());
        }
        let leaves = understanding.has(&Command::Goodbye) && !understanding.has(&Command::Affirm);
        (leaves && self.state != exits.goodbye).then(|| exits.goodbye.clone())
    }

    fn take_screening_mentions(&mut self, words: &Phi<String>) -> bool {
        let scenario = Arc::clone(&self.scenario);
        let before = self.disposition();
        self.answers.take_mentions(&scenario.screening, words);
        self.disposition() > before
    }

    fn disposition(&self) -> Disposition {
        self.slots.order.as_ref().map_or(Disposition::Clear, |order| {
            self.answers.disposition(&self.scenario.screening, order, self.may_be_pregnant())
        })
    }

    /// Where a change of something said earlier leads.
    fn correction(&self, replaced: &[SlotName], screening_changed: bool) -> Option<String> {
        let asked = self.current().fills;
        if self.callback_due.is_some() || self.red_flag.is_some() {
            return None;
        }
        if screening_changed && !self.current().screening {
            let screening = self.scenario.states.iter().find(|(_, state)| state.screening)?;
            return Some(screening.0.clone());
        }
        let changed = replaced.iter().find(|slot| Some(**slot) != asked)?;
        let target = self.scenario.corrected.get(changed)?.clone();
        Some(target)
    }

    fn without_answer(
        &mut self,
        understanding: &Understanding,
        mut prompt: Prompt,
    ) -> DialogueMove {
        let scenario = Arc::clone(&self.scenario);
        let asks = |intent| matches!(intent, &Command::Want(Intent::Question | Intent::Results));
        if understanding.commands.iter().any(asks) {
            self.speak(&mut prompt, &scenario.asides.question, "aside");
            return self.ask_again(prompt, 0);
        }
        if self.give_up() {
            let exit = self.current().fails_to.clone();
            let exit = exit.unwrap_or_else(|| scenario.exits.not_understood.clone());
            return self.go(&exit, prompt);
        }
        self.speak(&mut prompt, &scenario.asides.not_understood, "aside");
        let tries = self.tries;
        self.ask_again(prompt, tries)
    }

    /// Counts a turn without a usable answer; true when there were enough of them.
    fn give_up(&mut self) -> bool {
        self.tries += 1;
        self.tries > self.current().again.len().max(TRIES_MIN)
    }

    /// Says the question once more, in the words for this try (0: the words of the first time).
    fn ask_again(&mut self, mut prompt: Prompt, tries: usize) -> DialogueMove {
        self.speak_question(&mut prompt, tries);
        let question = self.question(&prompt);
        self.done(prompt, Then::Listen(question))
    }

    /// Enters a state and walks on until something has to come from outside.
    fn go(&mut self, target: &str, mut prompt: Prompt) -> DialogueMove {
        let mut target = target.to_owned();
        for _ in 0..STEPS_MAX {
            if target == CONFIRMED {
                target = self.to_confirm.take().map_or_else(
                    || self.scenario.exits.not_understood.clone(),
                    |(confirmed, _)| confirmed,
                );
            }
            target = self.limited(target);
            self.enter(&target);
            let state = self.current().clone();
            self.speak(&mut prompt, &state.say, "say");
            if state.end {
                return self.done(prompt, Then::HangUp);
            }
            if let Some(act) = state.act {
                return match self.action(act, &state) {
                    Some(action) => self.done(prompt, Then::Act(action)),
                    None => self.stuck(prompt),
                };
            }
            let Some(outcome) = self.next_without_asking(&state) else {
                return self.ask_again(prompt, 0);
            };
            match state.on.get(outcome) {
                Some(next) => target.clone_from(next),
                None => return self.stuck(prompt),
            }
        }
        self.stuck(prompt)
    }

    /// The scenario led nowhere. The checks at load time rule this out; a caller must not be the
    /// one to find the case they missed.
    fn stuck(&mut self, mut prompt: Prompt) -> DialogueMove {
        let scenario = Arc::clone(&self.scenario);
        self.speak(&mut prompt, &scenario.asides.failure, "aside");
        self.state.clone_from(&scenario.exits.failure);
        let action = self.callback(CallbackReason::Failure);
        self.done(prompt, Then::Act(action))
    }

    fn limited(&self, target: String) -> String {
        let limit = self.scenario.states[&target].limit.as_ref();
        match limit.filter(|limit| self.entries.get(&target) >= Some(&limit.entries)) {
            Some(limit) => limit.then.clone(),
            None => target,
        }
    }

    fn enter(&mut self, target: &str) {
        target.clone_into(&mut self.state);
        let entries = self.entries.entry(target.to_owned()).or_default();
        *entries = entries.saturating_add(1);
        (self.tries, self.asides) = (0, 0);
        let state = self.current().clone();
        if state.screen_afresh {
            self.answers.clear();
        }
        for slot in state.clears {
            self.slots.clear(slot);
        }
    }

    /// The outcome of a state that needs no answer, or whose answer is known already.
    fn next_without_asking(&self, state: &State) -> Option<&'static str> {
        if let Some(check) = state.check {
            return Some(if self.check(check) { "yes" } else { "no" });
        }
        if state.screening {
            return self.screening_outcome();
        }
        if state.ask.is_empty() {
            return Some("done");
        }
        let known = state.fills.filter(|slot| self.slots.is_filled(*slot))?;
        (known != SlotName::Recording).then_some("value")
    }

    /// The screening question that the current state would ask now.
    fn open_screening(&self) -> Option<(String, bool)> {
        let order = self.slots.order.as_ref().filter(|_| self.current().screening)?;
        let next = self.answers.next(&self.scenario.screening, order, self.may_be_pregnant())?;
        Some((next.id.to_owned(), next.detail))
    }

    fn screening_outcome(&self) -> Option<&'static str> {
        let order = self.slots.order.as_ref()?;
        let disposition = self.disposition();
        let open = self.answers.next(&self.scenario.screening, order, self.may_be_pregnant());
        match disposition {
            Disposition::Stop => Some("stop"),
            _ if open.is_some() => None,
            Disposition::Review => Some("review"),
            Disposition::Clear | Disposition::Note => Some("clear"),
        }
    }

    fn check(&self, check: Check) -> bool {
        let order = self.slots.order.as_ref();
        match check {
            Check::OrderHasSide => order.is_some_and(|order| order.side.is_some()),
            Check::OrderUrgent => {
                order.is_some_and(|order| matches!(order.priority, Priority::Asap | Priority::Stat))
            }
            Check::SideMatches => order.and_then(|order| order.side) == self.slots.side,
            Check::HasDenials => !self.answers.denied(&self.scenario.screening).is_empty(),
            Check::NeedsReview => self.disposition() == Disposition::Review,
            Check::Identified => self.patient.is_some(),
            Check::HasCallbackNumber => self.callback_number_known,
        }
    }

    fn done(&self, prompt: Prompt, then: Then) -> DialogueMove {
        DialogueMove {
            say: prompt.sentences,
            then,
            state: self.state.clone(),
            patient: prompt.patient,
        }
    }

    fn expectation(&self) -> Expectation {
        if self.current().screening {
            return Expectation::YesNo;
        }
        self.current().expects.unwrap_or(Expectation::Open)
    }

    fn question(&mut self, prompt: &Prompt) -> Question {
        self.asked_screening = self.open_screening();
        let expectation = self.expectation();
        let options = match self.current().fills {
            Some(SlotName::Offer) => self.offers.len(),
            Some(SlotName::Order) => self.orders.len(),
            _ => 0,
        };
        let asked = prompt.sentences.last().map(|sentence| sentence.text.clone());
        let digits = self.current().digits.clone();
        Question { expectation, options, digits, asked: asked.unwrap_or_default() }
    }
}

/// What the caller seems to want, after "you would like to".
fn wish(understanding: &Understanding) -> String {
    let spoken = understanding.commands.iter().find_map(|command| match command {
        Command::RequestPerson => Some("talk with a person".to_owned()),
        Command::Exam(exam) => {
            exam.modality.map(|kind| format!("book this exam: {}", kind.spoken()))
        }
        Command::Want(intent) if *intent != Intent::Book => Some(intent.spoken().to_owned()),
        _ => None,
    });
    spoken.unwrap_or_else(|| Intent::Book.spoken().to_owned())
}

/// Answers that leave the state as it is.
fn aside_for<'a>(scenario: &'a Scenario, understanding: &Understanding) -> Option<&'a str> {
    if understanding.has(&Command::AskIfMachine) {
        return Some(&scenario.asides.machine);
    }
    // "Sorry, say that again? Oh. My name is Helen Carter": the answer was found after all.
    let value = |command: &Command| {
        matches!(
            command,
            Command::Name(_) | Command::DateOfBirth(_) | Command::Digits(_) | Command::Choose(_)
        )
    };
    if understanding.commands.iter().any(value) {
        return None;
    }
    if understanding.has(&Command::Wait) {
        return Some(&scenario.asides.wait);
    }
    understanding.has(&Command::Repeat).then_some("")
}

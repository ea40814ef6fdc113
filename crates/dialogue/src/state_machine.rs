//! Walks a scenario: one understanding or clinic outcome in, one [`DialogueMove`] out.
//!
//! The machine owns every decision. What the caller's words mean is decided before it, how the
//! sentences sound after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use radline_phi::Phi;

use crate::action::{
    ActionOutcome, AppointmentFacts, CallbackReason, Called, Offer, OrderFacts, PatientFacts, age,
};
use crate::dialogue_move::{DialogueMove, Sentence, Then};
use crate::records::{Instruction, KnowledgeRecord};
use crate::red_flags::RedFlag;
use crate::scenario::{BACK, CONFIRMED, Check, Scenario, SlotName, State};
use crate::screening::{Answers, Disposition, Scope, Stage};
use crate::slots::Slots;
use crate::understanding::{Command, Expectation, Question};
use crate::vocabulary::{DateOrder, Intent};
use doubt::Doubt;

pub use story::{SafetyAnswer, Settled, Story};

mod answers;
mod doubt;
mod facts;
mod feelings;
mod handover;
mod hearing;
mod outcomes;
mod prompts;
mod story;

/// Steps between two prompts, at most. A scenario that needs more goes in circles.
const STEPS_MAX: usize = 40;
/// Times that a question may be answered by nothing usable before the scenario's exit is taken,
/// if the state lists fewer other wordings than this.
const TRIES_MIN: usize = 2;

/// From this age on callers speak for themselves (the site's rule for minors: a guardian does).
const ADULT_YEARS: i16 = 16;

/// Times that a question is said again, or put off, because the caller asks for that. A line that
/// is asked to repeat for ever is not understood, and someone else should take over.
const ASIDES_MAX: usize = 4;

/// What the site knows: what its prompts are filled with, and its records.
#[derive(Debug, Clone, Default)]
pub struct SiteFacts {
    /// Placeholder → text: hospital, department, emergency_number, crisis_line, office_hours.
    pub values: BTreeMap<String, String>,
    /// What may be said about the clinic.
    pub knowledge: Vec<KnowledgeRecord>,
    /// How patients get ready, in the order of speaking.
    pub instructions: Vec<Instruction>,
    /// How bare dates are read where the site is.
    pub date_order: DateOrder,
    /// Whether the site only demonstrates: records that nobody signed are spoken, too.
    pub demonstration: bool,
}

/// One caller's way through a scenario.
#[derive(Debug, Clone)]
pub struct Dialogue {
    scenario: Arc<Scenario>,
    site: Arc<SiteFacts>,
    /// The day of the call.
    today: Date,
    /// Whom the clinic called; nobody when the caller did.
    called: Option<Called>,
    state: String,
    slots: Slots,
    answers: Answers,
    patient: Option<PatientFacts>,
    /// Whether the caller has said that they call for somebody else: then only recorded authority identifies.
    for_another: bool,
    /// The first patient who was identified in this call.
    spoke_for: Option<String>,
    orders: Vec<OrderFacts>,
    appointments: Vec<AppointmentFacts>,
    offers: Vec<Offer>,
    declined: Vec<DateTime>,
    callback_due: Option<DateTime>,
    review_due: Option<DateTime>,
    callback_number_known: bool,
    /// Whether somebody was there to take over when a person was asked for last.
    person_present: bool,
    /// How many wait for a person before this caller, while they wait.
    place_in_line: usize,
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
    /// The state that the confirmation interrupted.
    back: Option<String>,
    /// Which safety questions the call has come to.
    stage: Stage,
    /// The screening question that was asked last, and whether it was the second one.
    asked_screening: Option<(String, bool)>,
    /// The appointment that is spoken of or was made, as far as it stands.
    standing: Option<String>,
    /// The patient whose appointment was cancelled in this call.
    cancelled: Option<String>,
    /// A yes or no that only the language model could read, while the caller is asked about it.
    doubt: Option<Doubt>,
    /// What was read into an answer to a screening question and agreed to, though perhaps to the question itself.
    agreed: Option<((String, bool), Command)>,
    /// The screening question to which something was said that sounded like a yes.
    suspected: Option<(String, bool)>,
    /// What the caller asked about last.
    topic: Option<String>,
    /// Sentences said to feelings so far, and turns since the last one.
    acknowledged: (usize, usize),
    /// The site's sentences in which the caller's words were said back.
    worded: BTreeSet<String>,
    /// Turns in which the caller was angry.
    angry: usize,
    /// Points of the preparation that the caller has said back.
    said_back: BTreeSet<String>,
}

/// What the next prompt is made of while the machine walks.
#[derive(Default)]
struct Prompt {
    sentences: Vec<Sentence>,
    patient: bool,
}

impl Dialogue {
    /// A dialogue with someone who calls, before its first word. `today` is the day of the call.
    pub fn new(scenario: Arc<Scenario>, site: Arc<SiteFacts>, today: Date) -> Self {
        let state = scenario.line.starts.inbound.clone();
        Self {
            scenario,
            site,
            today,
            called: None,
            state,
            slots: Slots::default(),
            answers: Answers::default(),
            patient: None,
            for_another: false,
            spoke_for: None,
            orders: Vec::new(),
            appointments: Vec::new(),
            offers: Vec::new(),
            declined: Vec::new(),
            callback_due: None,
            review_due: None,
            callback_number_known: false,
            person_present: false,
            place_in_line: 0,
            red_flag: None,
            alarm: None,
            entries: BTreeMap::new(),
            tries: 0,
            asides: 0,
            to_confirm: None,
            back: None,
            stage: Stage::Booking,
            asked_screening: None,
            standing: None,
            cancelled: None,
            doubt: None,
            agreed: None,
            suspected: None,
            topic: None,
            acknowledged: (0, usize::MAX),
            worded: BTreeSet::new(),
            angry: 0,
            said_back: BTreeSet::new(),
        }
    }

    /// A dialogue with a patient whom the clinic calls to prepare an appointment.
    pub fn preparation(
        scenario: Arc<Scenario>,
        site: Arc<SiteFacts>,
        today: Date,
        called: Called,
    ) -> Self {
        let state = scenario.line.starts.preparation.clone();
        // The name is on the record; that it is the patient who speaks, and the second identifier,
        // has to come from them.
        let slots = Slots { name: Some(called.name.clone()), ..Slots::default() };
        let new = Self::new(scenario, site, today);
        Self { state, slots, called: Some(called), stage: Stage::Preparation, ..new }
    }

    /// The greeting.
    pub fn begin(&mut self) -> DialogueMove {
        let start = self.state.clone();
        self.go(&start, Prompt::default())
    }

    /// What is said while the clinic takes its time.
    pub fn still_working(&self) -> Vec<Sentence> {
        let mut prompt = Prompt::default();
        self.speak(&mut prompt, &self.scenario.line.asides.working, "aside");
        prompt.sentences
    }

    /// The question once more, after the caller was away.
    pub fn remind(&mut self) -> DialogueMove {
        if self.current().connect {
            return self.still_waiting();
        }
        self.ask_again(Prompt::default(), 0)
    }

    /// Nothing was heard for as long as this question allows.
    pub fn silence(&mut self) -> DialogueMove {
        if self.current().connect {
            return self.still_waiting();
        }
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        if self.give_up() {
            return self.go(&scenario.line.exits.silence, prompt);
        }
        self.speak(&mut prompt, &scenario.line.asides.not_heard, "aside");
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
        let target = self.scenario.line.red_flags.get(&flag)?.clone();
        Some(self.go(&target, Prompt::default()))
    }

    /// The danger whose script runs.
    pub const fn running_red_flag(&self) -> Option<RedFlag> {
        self.red_flag
    }

    /// The clinic has answered the action of the last move.
    pub fn answer(&mut self, outcome: ActionOutcome) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        if let ActionOutcome::Matched(patient) = &outcome
            && self.is_for_a_person(patient)
        {
            return self.go(&scenario.line.exits.on_behalf, prompt);
        }
        let target = self.take_outcome(outcome).and_then(|key| self.current().on.get(key).cloned());
        match target {
            Some(target) => self.go(&target, prompt),
            None if self.state == scenario.line.exits.failure => {
                // Even the task cannot be written: say so and end, rather than go in circles.
                self.speak(&mut prompt, &scenario.line.asides.failure, "aside");
                self.done(prompt, Then::HangUp)
            }
            None => {
                self.speak(&mut prompt, &scenario.line.asides.failure, "aside");
                self.go(&scenario.line.exits.failure, prompt)
            }
        }
    }

    /// Whom a person has to speak with: a child, for whom a guardian speaks who is on record, and a second
    /// patient in the same call, of whom the caller can only be one.
    fn is_for_a_person(&self, patient: &PatientFacts) -> bool {
        let grown = age(*patient.date_of_birth.expose(), self.today) >= ADULT_YEARS;
        let spoken_for = self.slots.proxy.is_some();
        let second = self.spoke_for.as_ref().is_some_and(|earlier| *earlier != patient.id);
        !(grown || spoken_for) || second
    }

    /// A part of the system failed: on to a person.
    pub fn failure(&mut self) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        self.speak(&mut prompt, &scenario.line.asides.failure, "aside");
        self.go(&scenario.line.exits.failure, prompt)
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

    /// Whether what was asked last was about the past.
    pub fn asks_about_the_past(&self) -> bool {
        let asked = self.asked_screening.as_ref().filter(|_| self.current().screening.is_some());
        asked.is_some_and(|(id, _)| {
            self.scenario.screening.iter().any(|question| question.id == *id && question.past)
        })
    }

    fn current(&self) -> &State {
        &self.scenario.states[&self.state]
    }

    /// Counts a turn without a usable answer; true when there were enough of them.
    fn give_up(&mut self) -> bool {
        self.tries += 1;
        self.tries > self.current().again.len().max(TRIES_MIN)
    }

    /// Says the question once more, in the words for this try (0: the words of the first time).
    fn ask_again(&mut self, mut prompt: Prompt, tries: usize) -> DialogueMove {
        // A yes to this question must not settle another one.
        self.doubt = None;
        self.speak_question(&mut prompt, tries);
        let question = self.question(&prompt);
        self.done(prompt, Then::Listen(question))
    }

    /// Comes back to the question after something else was answered: in the shorter words.
    fn return_to_question(&mut self, prompt: Prompt) -> DialogueMove {
        let length = |text: &str| crate::words::split(text).len();
        let state = self.current();
        let again = state.again.first().filter(|_| state.screening.is_none());
        let shorter = again.is_some_and(|again| length(again) < length(&state.ask));
        self.ask_again(prompt, usize::from(shorter))
    }

    /// Enters a state and walks on until something has to come from outside.
    fn go(&mut self, target: &str, mut prompt: Prompt) -> DialogueMove {
        let mut target = target.to_owned();
        for _ in 0..STEPS_MAX {
            // Whoever comes back to an interrupted question has not answered it yet: its limit is not
            // used up by the interruption.
            let interrupted = target == BACK;
            target = self.resolved(target);
            if !interrupted {
                target = self.limited(target);
            }
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
            if state.connect {
                return self.connect(prompt);
            }
            let Some(outcome) = self.next_without_asking(&state, &mut prompt) else {
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
        self.speak(&mut prompt, &scenario.line.asides.failure, "aside");
        self.state.clone_from(&scenario.line.exits.failure);
        let action = self.callback(CallbackReason::Failure);
        self.done(prompt, Then::Act(action))
    }

    /// The state that a target stands for.
    fn resolved(&mut self, target: String) -> String {
        let confirmed = match target.as_str() {
            CONFIRMED => self.to_confirm.take().map(|(confirmed, _)| confirmed),
            BACK => self.back.take(),
            _ => return target,
        };
        confirmed.unwrap_or_else(|| self.scenario.line.exits.not_understood.clone())
    }

    fn limited(&self, target: String) -> String {
        let limit = self.scenario.states[&target].limit.as_ref();
        match limit.filter(|limit| self.entries.get(&target) >= Some(&limit.entries)) {
            Some(limit) => limit.then.clone(),
            None => target,
        }
    }

    fn enter(&mut self, target: &str) {
        self.doubt = None;
        target.clone_into(&mut self.state);
        let entries = self.entries.entry(target.to_owned()).or_default();
        *entries = entries.saturating_add(1);
        (self.tries, self.asides) = (0, 0);
        self.for_another |= self.scenario.line.exits.proxy.as_deref() == Some(target);
        let state = self.current().clone();
        self.stage = state.screening.unwrap_or(self.stage);
        if state.screen_afresh {
            self.answers.clear();
        }
        for slot in state.clears {
            self.slots.clear(slot);
        }
        self.slots.purpose = state.purpose.or(self.slots.purpose);
    }

    /// The outcome of a state that needs no answer, or whose answer is known already.
    fn next_without_asking(&mut self, state: &State, prompt: &mut Prompt) -> Option<&'static str> {
        if let Some(check) = state.check {
            return Some(self.check(check));
        }
        if state.screening.is_some() {
            return self.screening_outcome();
        }
        if let Some(topic) = &state.record {
            return Some(if self.speak_record(prompt, topic) { "done" } else { "none" });
        }
        if state.instruct {
            return Some(if self.speak_instructions(prompt) { "done" } else { "none" });
        }
        if state.ask.is_empty() {
            return Some("done");
        }
        match state.fills {
            Some(SlotName::Recording | SlotName::TeachBack) | None => None,
            Some(SlotName::Purpose) => {
                let exam = self.slots.exam.modality.map(|_| "exam");
                let known = self.slots.purpose.map(Intent::key).or(exam);
                known.filter(|key| state.on.contains_key(*key))
            }
            Some(slot) => self.slots.is_filled(slot).then_some("value"),
        }
    }

    fn scope<'a>(&self, scenario: &'a Scenario, order: &'a OrderFacts) -> Scope<'a> {
        Scope {
            table: &scenario.screening,
            order,
            may_be_pregnant: self.patient.as_ref().is_none_or(|patient| patient.may_be_pregnant),
            stage: self.stage,
        }
    }

    fn disposition(&self) -> Disposition {
        self.disposition_of(&self.answers)
    }

    fn disposition_of(&self, answers: &Answers) -> Disposition {
        let order = self.slots.order.as_ref();
        order.map_or(Disposition::Clear, |order| {
            answers.disposition(self.scope(&self.scenario, order))
        })
    }

    /// The screening question that the current state would ask now.
    fn open_screening(&self) -> Option<(String, bool)> {
        self.current().screening?;
        let order = self.slots.order.as_ref()?;
        let next = self.answers.next(self.scope(&self.scenario, order))?;
        Some((next.id.to_owned(), next.detail))
    }

    fn screening_outcome(&self) -> Option<&'static str> {
        let order = self.slots.order.as_ref()?;
        let open = self.answers.next(self.scope(&self.scenario, order));
        match self.disposition() {
            Disposition::Stop => Some("stop"),
            _ if open.is_some() => None,
            Disposition::Review => Some("review"),
            Disposition::Clear | Disposition::Note => Some("clear"),
        }
    }

    fn check(&self, check: Check) -> &'static str {
        let order = self.slots.order.as_ref();
        let holds = match check {
            Check::Purpose => return self.slots.purpose.map_or("none", Intent::key),
            Check::OrderHasSide => order.is_some_and(|order| order.side.is_some()),
            Check::OrderUrgent => order.is_some_and(OrderFacts::is_urgent),
            Check::OrderCovered => order.is_some_and(|order| order.covered),
            Check::SideMatches => order.and_then(|order| order.side) == self.slots.side,
            Check::Stopped => self.disposition() == Disposition::Stop,
            Check::HasDenials => !self.answers.denied(&self.scenario.screening).is_empty(),
            Check::Identified => self.patient.is_some(),
            Check::HasCallbackNumber => self.callback_number_known,
            Check::HasTeachBack => !self.points().is_empty(),
            Check::AppointmentPending => {
                self.slots.appointment.as_ref().is_some_and(|appointment| appointment.pending)
            }
            Check::Cancelled => {
                let patient = self.patient.as_ref().map(|patient| &patient.id);
                patient.is_some() && self.cancelled.as_ref() == patient
            }
            Check::Outbound => self.called.is_some(),
            Check::PersonPresent => self.person_present,
        };
        if holds { "yes" } else { "no" }
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
        if self.current().screening.is_some() {
            // A value and its day are told as a story is, with pauses to remember.
            return if self.asks_kidney_function() {
                Expectation::Story
            } else {
                Expectation::YesNo
            };
        }
        self.current().expects.unwrap_or(Expectation::Open)
    }

    fn question(&mut self, prompt: &Prompt) -> Question {
        self.asked_screening = self.open_screening();
        let expectation = self.expectation();
        let options = match self.current().fills {
            Some(SlotName::Offer) => self.offers.len(),
            Some(SlotName::Order) => self.orders.len(),
            Some(SlotName::Appointment) => self.appointments.len(),
            _ => 0,
        };
        let asked = prompt.sentences.last().map(|sentence| sentence.text.clone());
        let digits = self.current().digits.clone();
        let trouble = self.current().screening.is_some() || self.current().trouble;
        let (opens, asked) = (self.current().opens.is_some(), asked.unwrap_or_default());
        let date_order = self.site.date_order;
        let reads_back = self.current().reads_back;
        Question { expectation, options, digits, date_order, opens, trouble, reads_back, asked }
    }
}

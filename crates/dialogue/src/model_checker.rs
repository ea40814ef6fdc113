//! Proves a site's statechart sound, whatever callers and clinic answer.
//!
//! Every state is walked with every outcome, together with the few facts that safety hangs on:
//! who is on the line, what was screened, what is held, what was read back. A finding comes with the
//! shortest way there, written as a dialogue. Words are left out: that they lead to these outcomes
//! and no others is the business of the parsers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::red_flags::RedFlag;
use crate::scenario::{Act, BACK, CONFIRMED, Check, Scenario, SlotName, State};
use crate::screening::{Disposition, Stage};
use crate::wording;

/// What does not hold, and how a call gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File and line of the state.
    pub place: String,
    /// What does not hold.
    pub what: String,
    /// A call that shows it, line by line; empty where the data itself shows it.
    pub dialogue: Vec<String>,
}

/// Facts that safety hangs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_excessive_bools, reason = "the state space is made of them")]
struct Facts {
    /// The clinic called.
    outbound: bool,
    /// Two identifiers matched.
    identified: bool,
    /// The order's side was compared with the caller's, or it has none.
    side_agreed: bool,
    /// The booking's safety questions are answered, and nothing stops it.
    screened: bool,
    /// An answer stops the booking.
    stopped: bool,
    /// A time is held.
    held: bool,
    /// What is about to be done was read back, and the caller said yes.
    confirmed: bool,
    /// Danger was spoken of.
    alarmed: bool,
    /// There is an appointment, found or made.
    standing: bool,
    /// A finding was told that the appointment must not outlast as it is.
    late: bool,
    /// A person is owed to the caller: danger, a failure, a wish, no understanding.
    owed: bool,
    /// A person has a task about this call.
    person: bool,
}

/// A state of a call, as far as the checker tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Point<'a> {
    state: &'a str,
    facts: Facts,
    /// What a confirmation leads to.
    confirmed: Option<&'a str>,
    /// What a confirmation interrupted.
    back: Option<&'a str>,
}

struct Step<'a> {
    /// Who does it, and what: "Caller: yes".
    label: String,
    next: Point<'a>,
}

/// Placeholders that tell what the call is about.
const PRIVATE: &[&str] = &[
    "exam",
    "orders",
    "appointments",
    "appointment_when",
    "appointment_place",
    "when",
    "given_name",
    "date_of_birth",
    "missing_points",
];

/// Everything that does not hold, each with the shortest call that shows it.
pub fn check(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Walk::of(scenario).findings();
    findings.extend(loops(scenario));
    findings.extend(scripts(scenario));
    findings.extend(table(scenario));
    findings
}

/// Red-flag scripts are fixed, said to the end, and never behind a question.
fn scripts(scenario: &Scenario) -> Vec<Finding> {
    let plain = |name: &String| {
        let state = scenario.states.get(name)?;
        let what = if !state.firm {
            "a script for danger can be cut short: it needs `firm = true`"
        } else if state.say.is_empty() {
            "a script for danger says nothing before it acts"
        } else {
            return None;
        };
        Some(finding(scenario, name, what.to_owned(), Vec::new()))
    };
    scenario
        .line
        .red_flags
        .values()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(plain)
        .collect()
}

/// A denied safety question is read back, so that a "no" that was misheard is noticed.
fn table(scenario: &Scenario) -> Vec<Finding> {
    let silent = scenario.screening.iter().filter(|question| {
        question.yes >= Disposition::Review
            && question.no == Disposition::Clear
            && question.denied.is_empty()
    });
    silent
        .map(|question| Finding {
            place: format!("screening \"{}\"", question.id),
            what: "a no to this question counts and is not read back: it needs `denied`".to_owned(),
            dialogue: Vec::new(),
        })
        .collect()
}

/// Circles that a caller can walk for ever: every one has to have a state with a limit in it.
fn loops(scenario: &Scenario) -> Vec<Finding> {
    let free = |name: &str| scenario.states.get(name).is_some_and(|state| state.limit.is_none());
    let next = |name: &str| -> Vec<(String, &String)> {
        let Some(state) = scenario.states.get(name) else { return Vec::new() };
        let on = state.on.iter().map(|(outcome, target)| (outcome.clone(), target));
        let fails = state.fails_to.iter().map(|target| ("not understood".to_owned(), target));
        on.chain(fails).filter(|(_, target)| free(target)).collect()
    };
    let mut findings = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in scenario.states.keys().filter(|name| free(name)) {
        // The shortest way from a state back to itself through states without a limit.
        let mut came: BTreeMap<&str, (&str, String)> = BTreeMap::new();
        let mut open = VecDeque::from([start.as_str()]);
        while let Some(name) = open.pop_front() {
            for (outcome, target) in next(name) {
                if !came.contains_key(target.as_str()) {
                    came.insert(target, (name, outcome));
                    open.push_back(target);
                }
            }
        }
        if !came.contains_key(start.as_str()) || done.contains(start.as_str()) {
            continue;
        }
        let (mut at, mut path) = (start.as_str(), Vec::new());
        while let Some((from, outcome)) = came.get(at) {
            path.push(format!("{from}: {outcome} leads to {at}"));
            done.insert(from);
            at = from;
            if at == start.as_str() {
                break;
            }
        }
        path.reverse();
        let what = "a caller can go in this circle for ever: one of its states needs a `limit`";
        findings.push(finding(scenario, start, what.to_owned(), path));
    }
    findings
}

fn finding(scenario: &Scenario, state: &str, what: String, dialogue: Vec<String>) -> Finding {
    Finding { place: format!("{}: {state}", scenario.place(state)), what, dialogue }
}

struct Walk<'a> {
    scenario: &'a Scenario,
    /// Every point that a call can come to, with the point before it and the step between.
    seen: BTreeMap<Point<'a>, Option<(Point<'a>, String)>>,
    /// Points in the order of finding, nearest first.
    order: Vec<Point<'a>>,
    /// Point → the points after it.
    after: BTreeMap<Point<'a>, Vec<Point<'a>>>,
}

impl<'a> Walk<'a> {
    fn of(scenario: &'a Scenario) -> Self {
        let mut walk =
            Self { scenario, seen: BTreeMap::new(), order: Vec::new(), after: BTreeMap::new() };
        let starts = &scenario.line.starts;
        let start = |state: &'a String, outbound| Point {
            state,
            facts: Facts { outbound, ..Facts::default() },
            confirmed: None,
            back: None,
        };
        let mut open: VecDeque<Point<'a>> =
            VecDeque::from([start(&starts.inbound, false), start(&starts.preparation, true)]);
        for point in &open {
            walk.seen.insert(point.clone(), None);
        }
        while let Some(point) = open.pop_front() {
            walk.order.push(point.clone());
            for step in walk.steps(&point) {
                walk.after.entry(point.clone()).or_default().push(step.next.clone());
                if !walk.seen.contains_key(&step.next) {
                    walk.seen.insert(step.next.clone(), Some((point.clone(), step.label)));
                    open.push_back(step.next);
                }
            }
        }
        walk
    }

    /// The findings, one of each kind and place: the nearest.
    fn findings(&self) -> Vec<Finding> {
        let ends = self.reaches_an_end();
        let mut found: BTreeMap<(String, &str), Finding> = BTreeMap::new();
        for point in &self.order {
            let mut problems = self.problems(point);
            if !ends.contains(point) {
                problems.push("from here no call comes to an end".to_owned());
            }
            for what in problems {
                found.entry((what.clone(), point.state)).or_insert_with(|| {
                    finding(self.scenario, point.state, what, self.dialogue_to(point))
                });
            }
        }
        found.into_values().collect()
    }

    fn reaches_an_end(&self) -> BTreeSet<&Point<'a>> {
        let mut before: BTreeMap<&Point<'a>, Vec<&Point<'a>>> = BTreeMap::new();
        for (point, nexts) in &self.after {
            for next in nexts {
                before.entry(next).or_default().push(point);
            }
        }
        let mut open: Vec<&Point<'a>> =
            self.order.iter().filter(|point| self.scenario.states[point.state].end).collect();
        let mut reached: BTreeSet<&Point<'a>> = open.iter().copied().collect();
        while let Some(point) = open.pop() {
            for earlier in before.get(point).into_iter().flatten() {
                if reached.insert(earlier) {
                    open.push(earlier);
                }
            }
        }
        reached
    }

    fn problems(&self, point: &Point<'a>) -> Vec<String> {
        let (state, facts) = (&self.scenario.states[point.state], point.facts);
        let mut problems = Vec::new();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        match state.act {
            Some(Act::Book) => {
                need(facts.identified, "a booking without the patient's identity");
                need(!facts.stopped, "a booking after an answer that stops it");
                need(facts.screened, "a booking without the safety questions");
                need(facts.side_agreed, "a booking without the side being compared");
                need(facts.held, "a booking of a time that is not held");
                need(facts.confirmed, "a booking that was not read back and confirmed");
            }
            Some(Act::Reschedule) => {
                need(facts.identified, "an appointment is moved without the patient's identity");
                need(facts.held, "an appointment is moved to a time that is not held");
                need(facts.confirmed, "an appointment is moved without a read-back and a yes");
            }
            Some(Act::Cancel) => {
                need(
                    facts.identified,
                    "an appointment is cancelled without the patient's identity",
                );
                need(facts.confirmed, "an appointment is cancelled without a read-back and a yes");
            }
            _ => {}
        }
        if state.end {
            need(!facts.owed || facts.person, "the call ends, and no person was told");
            need(!facts.alarmed || facts.person, "danger was spoken of, and no person was told");
            need(
                !facts.late || facts.person,
                "a finding was told, the appointment stands as it was, and no person knows",
            );
        }
        if !facts.identified {
            let tells =
                |text: &String| wording::placeholders(text).any(|value| PRIVATE.contains(&value));
            let texts = [&state.say, &state.ask].into_iter().chain(&state.again);
            need(
                !state.instruct && !texts.into_iter().any(tells),
                "the exam is spoken of before it is known who listens",
            );
        }
        problems
    }

    /// The way to a point, as a dialogue.
    fn dialogue_to(&self, point: &Point<'a>) -> Vec<String> {
        let mut lines = Vec::new();
        let mut at = point;
        lines.push(self.spoken(at.state));
        while let Some(Some((before, label))) = self.seen.get(at) {
            lines.push(label.clone());
            lines.push(self.spoken(before.state));
            at = before;
        }
        lines.reverse();
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn spoken(&self, name: &str) -> String {
        let state = &self.scenario.states[name];
        let asked = if state.screening.is_some() { "(the safety questions)" } else { &state.ask };
        let words = [state.say.as_str(), asked].join(" ");
        format!("Radline [{name}]: {}", words.trim())
    }

    fn steps(&self, point: &Point<'a>) -> Vec<Step<'a>> {
        let state = &self.scenario.states[point.state];
        let mut steps = Vec::new();
        if state.end {
            return steps;
        }
        for (outcome, target) in &state.on {
            if let Some(facts) = after(state, outcome, point.facts) {
                let label = format!("{}: {}", speaker(state), outcome.replace('_', " "));
                self.lead(&mut steps, point, &label, target, facts);
            }
        }
        if let Some(target) = &state.confirm {
            for (outcome, confirmed) in &state.on {
                let label = format!("Caller: (read by the model as) {outcome}");
                let confirmed = Some(confirmed.as_str());
                let next = Point { confirmed, ..at(target, point.facts) };
                self.enter(&mut steps, label, next);
            }
        }
        if state.act.is_some() {
            let failed = Facts { owed: true, ..point.facts };
            // When not even a call-back can be noted, the code says so and ends the call.
            if point.state != self.scenario.line.exits.failure {
                let failure = &self.scenario.line.exits.failure;
                self.lead(&mut steps, point, "Clinic: (no answer)", failure, failed);
            }
        } else if state.connect {
            self.alarms(&mut steps, point);
            let goodbye = &self.scenario.line.exits.goodbye;
            self.lead(&mut steps, point, "Caller: goodbye", goodbye, point.facts);
            self.persons(&mut steps, point);
        } else if !state.ask.is_empty() || state.screening.is_some() {
            self.exits(&mut steps, point, state);
        }
        steps
    }

    /// What may happen in any state that asks.
    fn exits(&self, steps: &mut Vec<Step<'a>>, point: &Point<'a>, state: &'a State) {
        let (line, facts) = (&self.scenario.line, point.facts);
        let owed = Facts { owed: true, ..facts };
        let fails = state.fails_to.as_ref().unwrap_or(&line.exits.not_understood);
        let lost = if state.fails_to.is_some() { facts } else { owed };
        self.lead(steps, point, "Caller: (not understood too often)", fails, lost);
        let silent = if facts.identified { owed } else { facts };
        self.lead(steps, point, "Caller: (silence)", &line.exits.silence, silent);
        self.lead(steps, point, "Caller: goodbye", &line.exits.goodbye, facts);
        self.alarms(steps, point);
        self.persons(steps, point);
        if facts.person || facts.alarmed {
            return;
        }
        self.lead(steps, point, "Caller: a person, please", &line.exits.person, owed);
        self.lead(steps, point, "Caller: (another language)", &line.exits.interpreter, owed);
        if facts.outbound {
            self.lead(steps, point, "Caller: no more calls", &line.exits.opt_out, facts);
        }
        if !facts.identified {
            self.lead(steps, point, "Caller: it is for someone else", &line.exits.on_behalf, owed);
            let asked = facts.outbound || state.on.contains_key("on_behalf");
            if let Some(proxy) = line.exits.proxy.as_ref().filter(|_| !asked) {
                self.lead(steps, point, "Caller: I call for the patient", proxy, facts);
            }
            if facts.outbound {
                self.lead(steps, point, "(an answering machine)", &line.exits.voicemail, facts);
                let stranger = "Caller: you have the wrong number";
                self.lead(steps, point, stranger, &line.exits.wrong_number, facts);
            }
        }
        if facts.standing && facts.identified && !facts.outbound && state.screening.is_none() {
            let late = Facts { late: true, ..facts };
            let label = "Caller: (tells of a finding)";
            self.lead(steps, point, label, &line.exits.late_finding, late);
        }
        for (slot, target) in &line.corrected {
            // A correction of what is known already; the dialogue refuses others.
            if facts.identified || !matches!(slot, SlotName::Exam | SlotName::Side) {
                let label = format!("Caller: (corrects {slot:?})");
                let sided = *slot != SlotName::Side && facts.side_agreed;
                let facts = Facts { side_agreed: sided, confirmed: false, ..facts };
                self.lead(steps, point, &label, target, facts);
            }
        }
        for (intent, target) in &line.wishes {
            let label = format!("Caller: I would like to {}", intent.spoken());
            let next = Point {
                confirmed: Some(target),
                back: Some(point.state),
                ..at(&line.exits.other_wish, facts)
            };
            self.enter(steps, label, next);
        }
        self.lead(steps, point, "Caller: (despair)", &line.empathy.strong, facts);
    }

    /// A person may take over in any state in which the caller is heard, and give them back.
    fn persons(&self, steps: &mut Vec<Step<'a>>, point: &Point<'a>) {
        let (handover, facts) = (&self.scenario.line.handover, point.facts);
        let Facts { outbound, identified, standing, .. } = facts;
        let back = Facts { outbound, identified, standing, ..Facts::default() };
        self.lead(steps, point, "(a person, who gives the caller back)", &handover.returned, back);
        self.lead(steps, point, "(a person, who is lost)", &handover.lost, facts);
        let owed = Facts { owed: true, ..facts };
        let label = "(a person, who does not let a reply pass)";
        self.lead(steps, point, label, &handover.rejected, owed);
    }

    /// Danger may be spoken of in any state in which the caller is heard.
    fn alarms(&self, steps: &mut Vec<Step<'a>>, point: &Point<'a>) {
        if point.facts.alarmed {
            return;
        }
        for flag in RedFlag::ALL {
            if let Some(target) = self.scenario.line.red_flags.get(&flag) {
                let alarmed = Facts { alarmed: true, owed: true, ..point.facts };
                let label = format!("Caller: (danger: {})", flag.key());
                self.lead(steps, point, &label, target, alarmed);
            }
        }
    }

    /// A step to a target, which may stand for another one.
    fn lead(
        &self,
        steps: &mut Vec<Step<'a>>,
        point: &Point<'a>,
        label: &str,
        target: &'a str,
        facts: Facts,
    ) {
        let not_understood = &self.scenario.line.exits.not_understood;
        let target = match target {
            CONFIRMED => point.confirmed.unwrap_or(not_understood),
            BACK => point.back.unwrap_or(not_understood),
            other => other,
        };
        self.enter(steps, label.to_owned(), at(target, facts));
    }

    /// Enters the state, or where its limit leads when it was entered too often.
    fn enter(&self, steps: &mut Vec<Step<'a>>, label: String, next: Point<'a>) {
        let Some(state) = self.scenario.states.get(next.state) else { return };
        if let Some(limit) = &state.limit {
            let label = format!("{label} (once too often)");
            let next = Point { state: &limit.then, ..next.clone() };
            steps.push(Step { label, next: entered(self.scenario, next) });
        }
        steps.push(Step { label, next: entered(self.scenario, next) });
    }
}

/// What entering a state changes by itself.
fn entered<'a>(scenario: &Scenario, mut point: Point<'a>) -> Point<'a> {
    if let Some(state) = scenario.states.get(point.state) {
        point.facts.screened &= !state.screen_afresh;
        point.facts.stopped &= !state.screen_afresh;
    }
    point
}

/// A point: a confirmation is over once it was answered.
const fn at(target: &str, facts: Facts) -> Point<'_> {
    Point { state: target, facts, confirmed: None, back: None }
}

fn speaker(state: &State) -> &'static str {
    if state.act.is_some() {
        "Clinic"
    } else if state.ask.is_empty() && state.screening.is_none() {
        "(so)"
    } else {
        "Caller"
    }
}

/// The facts after an outcome; nothing when it cannot come.
fn after(state: &State, outcome: &str, facts: Facts) -> Option<Facts> {
    let mut next = facts;
    if let Some(check) = state.check {
        let known = match check {
            Check::Identified => Some(facts.identified),
            Check::Outbound => Some(facts.outbound),
            _ => None,
        };
        if known.is_some_and(|known| known != (outcome == "yes")) {
            return None;
        }
        match (check, outcome) {
            (Check::SideMatches, "yes") | (Check::OrderHasSide, "no") => next.side_agreed = true,
            _ => {}
        }
    }
    if state.screening == Some(Stage::Booking) {
        next.screened = outcome != "stop";
        next.stopped = outcome == "stop";
    }
    if state.reads_back {
        next.confirmed = outcome == "yes";
    }
    match (state.act, outcome) {
        (Some(Act::MatchIdentity), "matched") => next.identified = true,
        (Some(Act::MatchIdentity), _) => next.identified = false,
        (Some(Act::FindOrders | Act::FindAppointments), _) => {
            next = Facts {
                standing: state.act == Some(Act::FindAppointments) && outcome == "found",
                outbound: facts.outbound,
                identified: facts.identified,
                alarmed: facts.alarmed,
                owed: facts.owed,
                person: facts.person,
                ..Facts::default()
            };
        }
        (Some(Act::FindSlots), _) => (next.held, next.confirmed) = (false, false),
        (Some(Act::Hold), outcome) => (next.held, next.confirmed) = (outcome == "held", false),
        (Some(Act::Book | Act::Reschedule | Act::Cancel), _) => {
            (next.held, next.confirmed) = (false, false);
            next.standing = match outcome {
                "booked" | "held_for_review" | "moved" => true,
                "cancelled" => false,
                _ => facts.standing,
            };
        }
        (Some(Act::HoldForReview), "held_for_review") => next.late = false,
        (Some(Act::RequestCallback), _) => (next.person, next.held) = (true, false),
        _ => {}
    }
    Some(next)
}

//! Whether a scenario's parts fit together: every name that is used exists, every state does one
//! thing, every outcome leads somewhere. What a call can come to is the model checker's business.

use std::collections::BTreeSet;

use super::{Act, BACK, CONFIRMED, Check, Scenario, SlotName, State};
use crate::red_flags::RedFlag;
use crate::understanding::Expectation;
use crate::wording;

/// Placeholders that the dialogue knows how to fill.
pub(crate) const VALUES: &[&str] = &[
    "hospital",
    "department",
    "emergency_number",
    "crisis_line",
    "office_hours",
    "name",
    "given_name",
    "called_name",
    "date_of_birth",
    "exam",
    "mentioned_exam",
    "orders",
    "appointments",
    "appointment_when",
    "appointment_place",
    "offers",
    "when",
    "place",
    "denied",
    "callback_due",
    "review_due",
    "findings",
    "callback_number",
    "wish",
    "missing_points",
    "place_in_line",
];

impl Scenario {
    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let line = &self.line;
        let starts = [
            ("starts.inbound", &line.starts.inbound),
            ("starts.preparation", &line.starts.preparation),
            ("empathy.strong", &line.empathy.strong),
            ("handover.returned", &line.handover.returned),
            ("handover.lost", &line.handover.lost),
            ("handover.rejected", &line.handover.rejected),
        ];
        for (place, target) in starts.into_iter().chain(line.exits.all()) {
            self.check_target(&format!("[line] {place}"), target, &mut findings);
        }
        for flag in RedFlag::ALL {
            match line.red_flags.get(&flag) {
                Some(target) => self.check_target("[line] red_flags", target, &mut findings),
                None => {
                    findings.push(format!("[line] red_flags: no script for {}", flag.key()));
                }
            }
        }
        for target in line.corrected.values().chain(line.wishes.values()) {
            self.check_target("[line] corrected, wishes", target, &mut findings);
        }
        let empathy = &line.empathy;
        for list in [&empathy.waiting, &empathy.exam, &empathy.general, &empathy.anger] {
            if list.is_empty() {
                findings.push("[line] empathy: every list needs a sentence".to_owned());
            }
        }
        findings.extend(empathy.worded.values().flatten().filter_map(|frame| unfit(frame)));
        for (name, state) in &self.states {
            self.check_state(name, state, &mut findings);
        }
        findings.extend(self.unreachable());
        findings
    }

    fn check_target(&self, place: &str, target: &str, findings: &mut Vec<String>) {
        if target != CONFIRMED && target != BACK && !self.states.contains_key(target) {
            findings.push(format!("{place}: there is no state \"{target}\""));
        }
    }

    fn check_state(&self, name: &str, state: &State, findings: &mut Vec<String>) {
        let place = format!("{}: {name}", self.place(name));
        for (_, target) in self.targets(state) {
            self.check_target(&place, target, findings);
        }
        if let Some(target) = &state.opens {
            self.check_target(&place, target, findings);
        }
        let kinds = [
            !state.ask.is_empty(),
            state.check.is_some(),
            state.act.is_some(),
            state.screening.is_some(),
            state.record.is_some(),
            state.instruct,
            state.connect,
            state.end,
        ];
        match kinds.iter().filter(|kind| **kind).count() {
            0 if state.on.contains_key("done") => {}
            0 => findings.push(format!("{place}: neither asks, checks, acts, ends nor goes on")),
            1 => {}
            _ => findings.push(format!("{place}: does more than one of ask, check, act, end")),
        }
        if !state.digits.is_empty() && state.expects != Some(Expectation::Digits) {
            findings.push(format!("{place}: says how many digits, but does not expect any"));
        }
        if !state.ask.is_empty() && state.expects.is_none() {
            findings.push(format!("{place}: asks, but does not say what it expects"));
        }
        for outcome in state.required_outcomes() {
            if !state.on.contains_key(*outcome) {
                findings.push(format!("{place}: nothing is said about the outcome \"{outcome}\""));
            }
        }
        if state.act == Some(Act::RequestCallback) && state.reason.is_none() {
            findings.push(format!("{place}: a call-back needs a reason"));
        }
        for text in [&state.say, &state.ask].into_iter().chain(&state.again) {
            for value in wording::placeholders(text).filter(|value| !VALUES.contains(value)) {
                findings.push(format!("{place}: nobody fills {{{value}}}"));
            }
        }
    }

    /// States that no path from a start or an exit reaches.
    fn unreachable(&self) -> Vec<String> {
        let mut open: Vec<&String> = self.entrances().into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(state) = self.states.get(name).filter(|_| seen.insert(name)) {
                open.extend(self.targets(state).map(|(_, target)| target));
            }
        }
        let lost = self.states.keys().filter(|name| !seen.contains(name));
        lost.map(|name| format!("{}: {name}: no path leads here", self.place(name))).collect()
    }
}

impl State {
    /// Outcomes that can come whatever the author thought of.
    pub(crate) fn required_outcomes(&self) -> &'static [&'static str] {
        if self.screening.is_some() {
            return &["clear", "review", "stop"];
        }
        if self.record.is_some() || self.instruct {
            return &["done", "none"];
        }
        if self.connect {
            return &["nobody", "no"];
        }
        match (self.check, self.act) {
            (Some(Check::Purpose), _) => &[
                "none",
                "book",
                "reschedule",
                "cancel",
                "check_appointment",
                "prepare",
                "results",
                "report_symptom",
            ],
            (Some(_), _) => &["yes", "no"],
            (_, Some(Act::MatchIdentity)) => &["matched", "not_matched"],
            (_, Some(Act::FindOrders)) => &["found", "several", "none", "mismatch", "expired"],
            (_, Some(Act::FindAppointments)) => &["found", "several", "none"],
            (_, Some(Act::FindSlots)) => &["offers", "nearest", "none"],
            (_, Some(Act::Hold)) => &["held", "taken"],
            (_, Some(Act::Book)) => &["booked", "held_for_review", "taken"],
            (_, Some(Act::Reschedule)) => &["moved", "taken"],
            (_, Some(Act::Cancel)) => &["cancelled"],
            (_, Some(Act::HoldForReview)) => &["held_for_review"],
            (_, Some(Act::RequestCallback)) => &["callback_noted"],
            (
                _,
                Some(
                    Act::AmendCallback
                    | Act::ForbidCallback
                    | Act::Release
                    | Act::RecordPreparation
                    | Act::OptOut,
                ),
            ) => &["done"],
            _ if self.fills == Some(SlotName::TeachBack) => &["value", "missing"],
            _ if self.fills.is_some_and(|slot| slot != SlotName::Recording) => &["value"],
            _ if self.expects == Some(Expectation::YesNo) => &["yes", "no"],
            _ => &[],
        }
    }
}

/// What is wrong with a sentence into which the caller's words are put.
fn unfit(frame: &str) -> Option<String> {
    let (places, values): (Vec<&str>, Vec<&str>) =
        wording::placeholders(frame).partition(|name| *name == "what");
    let known = values.iter().all(|value| VALUES.contains(value));
    let sound = places.len() == 1 && known && wording::sentences(frame).len() == 1;
    (!sound).then(|| format!("[line] empathy.worded: one sentence with one {{what}}: \"{frame}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        let file = ("at.toml".to_owned(), "id = \"AT\"\nwhat = 1\n".to_owned());
        let error = Scenario::read(&[file]).expect_err("unknown field");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}

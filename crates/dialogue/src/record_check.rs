//! Whether a site's records may be spoken: none expired or unsigned, none that contradict each
//! other, every placeholder filled.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::action::OrderFacts;
use crate::model_checker::Finding;
use crate::records::{Approval, INSTRUCTION_VALUES, Instruction};
use crate::scenario::Scenario;
use crate::state_machine::SiteFacts;
use crate::vocabulary::{Modality, Priority};
use crate::wording;

/// Topics that the scenarios themselves answer from, whatever callers ask.
const NEEDED: &[&str] = &["results_time", "results_meaning"];

/// Everything that is wrong with the records on this day.
pub fn check(site: &SiteFacts, scenario: &Scenario, today: Date) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |place: String, what: String| {
        findings.push(Finding { place, what, dialogue: Vec::new() });
    };
    let mut topics = BTreeSet::new();
    for record in &site.knowledge {
        let place = format!("knowledge \"{}\"", record.topic);
        if let Some(what) = not_in_force(&record.approval, today, site.demonstration) {
            find(place.clone(), what);
        }
        if !topics.insert((record.topic.clone(), record.modality)) {
            find(place.clone(), "there are two records for this question".to_owned());
        }
        for value in unfilled(&record.text, |value| site.values.contains_key(value)) {
            find(place.clone(), format!("nobody fills {{{value}}}"));
        }
    }
    let asked = scenario.states.values().filter_map(|state| state.record.as_deref());
    let needed: BTreeSet<&str> =
        asked.chain(NEEDED.iter().copied()).filter(|topic| !topic.starts_with('@')).collect();
    for topic in needed {
        if !topics.iter().any(|(held, modality)| held == topic && modality.is_none()) {
            find("knowledge".to_owned(), format!("there is no record for \"{topic}\""));
        }
    }
    for record in &site.instructions {
        let place = format!("preparation \"{}\"", record.id);
        if let Some(what) = not_in_force(&record.approval, today, site.demonstration) {
            find(place.clone(), what);
        }
        for what in instruction(record, scenario) {
            find(place.clone(), what);
        }
    }
    for what in contradictions(&site.instructions) {
        find("preparation".to_owned(), what);
    }
    findings
}

fn not_in_force(approval: &Approval, today: Date, demonstration: bool) -> Option<String> {
    if approval.expires < today {
        return Some(format!("expired on {}: it is not spoken any more", approval.expires));
    }
    (!approval.holds(today, demonstration))
        .then(|| "nobody has signed it: it is not spoken to patients".to_owned())
}

fn unfilled(text: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
    wording::placeholders(text).filter(|value| !known(value)).map(str::to_owned).collect()
}

fn instruction(record: &Instruction, scenario: &Scenario) -> Vec<String> {
    let mut problems = Vec::new();
    let known = |value: &str| INSTRUCTION_VALUES.contains(&value);
    let denied = record.denied.as_ref().map(|denied| &denied.text);
    for text in [&record.text, &record.key].into_iter().chain(denied) {
        problems
            .extend(unfilled(text, known).iter().map(|value| format!("nobody fills {{{value}}}")));
    }
    let timed = unfilled(&record.general, |_| false);
    problems.extend(timed.iter().map(|value| {
        format!("`general` is said without an appointment, and has no value for {{{value}}}")
    }));
    if !record.teach.is_empty() && record.key.is_empty() {
        problems.push("has to be said back, but has no `key` for saying it once more".to_owned());
    }
    let asked = |id: &str| scenario.screening.iter().any(|question| question.id == *id);
    if let Some(id) = record.when.as_ref().filter(|id| !asked(id)) {
        problems.push(format!("is for those who said yes to \"{id}\", which nobody asks"));
    }
    if let Some(denied) = record.denied.as_ref().filter(|denied| !asked(&denied.question)) {
        let id = &denied.question;
        problems.push(format!("is shorter for those who said no to \"{id}\", which nobody asks"));
    }
    if record.text.contains("{clock}") && record.hours_before < 0.0 {
        problems.push("`hours_before` is negative".to_owned());
    }
    problems
}

/// Two instructions on one topic for the same exam.
fn contradictions(instructions: &[Instruction]) -> Vec<String> {
    let parts: BTreeSet<&String> =
        instructions.iter().flat_map(|record| &record.applies.body_parts).collect();
    let mut found = BTreeSet::new();
    for modality in Modality::ALL {
        for contrast in [false, true] {
            for part in parts.iter().map(|part| Some(*part)).chain([None]) {
                let order = OrderFacts {
                    id: String::new(),
                    modality,
                    body_part: part.cloned(),
                    side: None,
                    contrast,
                    priority: Priority::Routine,
                    expired: false,
                    covered: true,
                    spoken: String::new(),
                };
                let mut by_topic: BTreeMap<&str, &str> = BTreeMap::new();
                let fitting = instructions.iter().filter(|record| record.is_for(&order));
                for record in fitting.filter(|record| record.when.is_none()) {
                    for topic in &record.topics {
                        if let Some(other) = by_topic.insert(topic, &record.id) {
                            let pair = format!(
                                "\"{other}\" and \"{}\" both answer \"{topic}\" for {}",
                                record.id,
                                modality.spoken()
                            );
                            found.insert(pair);
                        }
                    }
                }
            }
        }
    }
    found.into_iter().collect()
}

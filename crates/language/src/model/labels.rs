//! What the fine-tuned model reads and writes: the question and the words go in, one line of labels
//! comes out.

use std::collections::BTreeMap;

use radline_dialogue::{Expectation, words};

/// What the model writes of an utterance. Days, times and numbers are not among it: the parsers read
/// them, and a model would make them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The main act.
    pub intent: String,
    /// What a question is about; empty where nothing is asked.
    pub topic: String,
    /// Values by slot.
    pub slots: BTreeMap<String, String>,
    /// The class of a danger; empty where there is none. Danger outranks the act: it is written in its place.
    pub danger: String,
}

/// How the line of a danger begins. How likely it is to begin so tells how likely the danger is.
pub const DANGER: &str = "danger";
/// The act of whoever tells of a danger.
pub const TELLS_OF_DANGER: &str = "report_symptom";

/// Slots that the model reads.
pub const SLOTS: &[&str] = &[
    "modality",
    "body_part",
    "side",
    "contrast",
    "for_whom",
    "weekday",
    "part_of_day",
    "medication",
    "blood_thinner",
    "allergy",
    "implant",
    "prior_reaction",
    "kidney_problem",
    "diabetes",
    "pregnant",
    "claustrophobia",
];

/// Those of them that safety questions ask for.
pub const FINDINGS: &[&str] = SLOTS.split_at(7).1;

/// Longest question and utterance that are read, words.
pub(super) const ASKED_MAX: usize = 40;
const SAID_MAX: usize = 90;

impl Labels {
    /// The line: `clinic_question parking; for_whom parent`, or `danger life_threat`.
    pub fn line(&self) -> String {
        let (act, about) = match self.danger.as_str() {
            "" => (self.intent.as_str(), self.topic.as_str()),
            danger => (DANGER, danger),
        };
        let about = Some(about).filter(|about| !about.is_empty());
        let head: Vec<&str> = std::iter::once(act).chain(about).collect();
        let slots = SLOTS.iter().filter_map(|slot| {
            let value = self.slots.get(*slot)?;
            Some(format!("{} {value}", slot.replace('_', " ")))
        });
        std::iter::once(head.join(" ")).chain(slots).collect::<Vec<_>>().join("; ")
    }

    /// A slot's value; empty where there is none.
    pub fn slot(&self, name: &str) -> &str {
        self.slots.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Reads such a line; what is none of the slots is left out.
    pub fn read(line: &str) -> Self {
        let mut parts = line.trim().split("; ");
        let head = parts.next().unwrap_or_default();
        let (intent, topic, danger) = match head.split_once(' ').unwrap_or((head, "")) {
            (DANGER, class) => (TELLS_OF_DANGER, "", class),
            (act, topic) => (act, topic, ""),
        };
        let mut slots = BTreeMap::new();
        for part in parts {
            let found = SLOTS.iter().find_map(|slot| {
                let value = part.strip_prefix(slot.replace('_', " ").as_str())?;
                Some((*slot, value.strip_prefix(' ')?))
            });
            slots.extend(found.map(|(slot, value)| (slot.to_owned(), value.to_owned())));
        }
        let [intent, topic, danger] = [intent, topic, danger].map(str::to_owned);
        Self { intent, topic, slots, danger }
    }
}

/// What the model reads before the caller speaks: the shape of the question and its words, plain,
/// because recognisers differ in capitals and punctuation.
pub fn question(expects: Expectation, asked: &str) -> String {
    format!("{}: {}\n", shape(expects), plain(asked, ASKED_MAX))
}

/// The shape of a question in a word or two.
pub(super) const fn shape(expects: Expectation) -> &'static str {
    match expects {
        Expectation::YesNo => "yes no",
        Expectation::Choice => "choice",
        Expectation::Digits => "number",
        Expectation::DateOfBirth => "date of birth",
        Expectation::Name => "name",
        Expectation::DayTime => "day time",
        Expectation::Story => "reason",
        Expectation::Open => "open",
    }
}

/// What it reads when the caller has spoken.
pub fn answer(said: &str) -> String {
    plain(said, SAID_MAX) + "\n"
}

fn plain(text: &str, most: usize) -> String {
    let words = words::split(text);
    let from = words.len().saturating_sub(most);
    words[from..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let slots = [("body_part", "lumbar spine"), ("side", "left")];
        let labels = Labels {
            intent: "clinic_question".to_owned(),
            topic: "parking".to_owned(),
            slots: slots.map(|(slot, value)| (slot.to_owned(), value.to_owned())).into(),
            danger: String::new(),
        };
        assert_eq!(labels.line(), "clinic_question parking; body part lumbar spine; side left");
        assert_eq!(Labels::read(&labels.line()), labels);
        assert_eq!(
            Labels::read("affirm"),
            Labels { intent: "affirm".to_owned(), ..Labels::default() }
        );
    }

    #[test]
    fn danger_stands_in_the_place_of_the_act() {
        let told = Labels { intent: TELLS_OF_DANGER.to_owned(), ..Labels::default() };
        let danger = Labels { danger: "self_harm".to_owned(), ..told };
        assert_eq!(danger.line(), "danger self_harm");
        assert_eq!(Labels::read("danger self_harm"), danger);
    }

    #[test]
    fn findings_begin_behind_exam_and_appointment() {
        assert_eq!((FINDINGS[0], FINDINGS.len()), ("medication", 9));
    }

    #[test]
    fn questions_and_words_are_plain() {
        assert_eq!(question(Expectation::YesNo, "Any metal?"), "yes no: any metal\n");
        assert_eq!(answer("Yes, a pin."), "yes a pin\n");
    }
}

//! The site's approved records: what may be said about the clinic, and how patients get ready.
//!
//! A fact that is spoken comes from one of these or from the clinic's own data. The language model
//! has no part in them.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Span};
use serde::Deserialize;

use crate::action::OrderFacts;
use crate::screening::Applies;
use crate::vocabulary::Modality;
use crate::wording;

/// Where a record comes from and how long it holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Approval {
    /// What it is based on.
    pub source: String,
    /// Edition of that source.
    pub edition: String,
    /// Last day on which someone checked it.
    pub verified: Date,
    /// Last day on which it may be spoken.
    pub expires: Date,
    /// Who signed it; empty when nobody has.
    #[serde(default)]
    pub approved_by: String,
}

impl Approval {
    /// Whether the record may be spoken to a patient on this day. Unsigned ones only where the
    /// site says that it is a demonstration.
    pub fn holds(&self, today: Date, demonstration: bool) -> bool {
        self.expires >= today && (demonstration || !self.approved_by.trim().is_empty())
    }
}

/// What may be said on a topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnowledgeRecord {
    /// What it answers, such as "parking".
    pub topic: String,
    /// The kind of exam that it is about; none means all.
    #[serde(default)]
    pub modality: Option<Modality>,
    /// The answer. Placeholders are the site's values.
    pub text: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub approval: Approval,
}

/// One thing that a patient has to do for an exam.
#[derive(Debug, Clone, Deserialize)]
pub struct Instruction {
    /// Its name, for records.
    pub id: String,
    /// Questions that it answers, such as "fasting".
    pub topics: Vec<String>,
    /// For which exams.
    pub applies: Applies,
    /// Only for patients who answered this screening question with yes.
    #[serde(default)]
    pub when: Option<String>,
    /// What is left of it for patients who answered a screening question with no.
    #[serde(default)]
    pub denied: Option<Denied>,
    /// `{clock}` and `{clock_day}` are this long before the appointment begins, hours.
    #[serde(default)]
    pub hours_before: f64,
    /// The instruction for a known appointment.
    pub text: String,
    /// The same without an appointment.
    pub general: String,
    /// What a patient who has understood says back: one phrase of each group.
    #[serde(default)]
    pub teach: Vec<Vec<String>>,
    /// How the point is said once more when the patient left it out.
    #[serde(default)]
    pub key: String,
    /// Whether the exam may fail without it: it has to be said back.
    #[serde(default)]
    pub essential: bool,
    /// Whose rules it follows, such as "US".
    pub jurisdiction: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub approval: Approval,
}

/// A shorter instruction: who has no diabetes need not hear of insulin before a scan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// The screening question.
    pub question: String,
    /// What is said then; nothing when it is empty. To a patient who asks, the whole text is said.
    #[serde(default)]
    pub text: String,
}

/// Placeholders of instructions.
pub const INSTRUCTION_VALUES: &[&str] = &["clock", "clock_day", "place", "exam", "when", "day"];

/// The appointment that instructions are for.
#[derive(Debug, Clone, Copy)]
pub struct ForAppointment<'a> {
    /// Local start.
    pub start: DateTime,
    /// Where.
    pub place: &'a str,
    /// The exam as spoken.
    pub exam: &'a str,
}

impl Instruction {
    /// Whether it is for this exam. Unlike a safety question, an instruction for a body part is not
    /// for an order that names none.
    pub fn is_for(&self, order: &OrderFacts) -> bool {
        let named = order.body_part.is_some() || self.applies.body_parts.is_empty();
        named && self.applies.to_exam(order)
    }

    /// The instruction's words, with clock times where the appointment is known. `None` when a
    /// placeholder has no value, which the check of the site pack rules out.
    pub fn spoken(&self, appointment: Option<ForAppointment<'_>>) -> Option<String> {
        let template = if appointment.is_some() { &self.text } else { &self.general };
        self.filled(template, appointment)
    }

    /// The point once more, for a patient who left it out.
    pub fn reminder(&self, appointment: Option<ForAppointment<'_>>) -> Option<String> {
        self.filled(&self.key, appointment)
    }

    fn filled(&self, template: &str, appointment: Option<ForAppointment<'_>>) -> Option<String> {
        let mut values = std::collections::BTreeMap::new();
        if let Some(appointment) = appointment {
            let minutes = (self.hours_before * 60.0).round() as i64;
            let clock = appointment
                .start
                .checked_sub(Span::try_from(SignedDuration::from_mins(minutes)).ok()?)
                .ok()?;
            values.insert("clock", wording::time(clock.time()));
            values.insert("clock_day", wording::day(clock.date()));
            values.insert("place", appointment.place.to_owned());
            values.insert("exam", appointment.exam.to_owned());
            values.insert("when", wording::moment(appointment.start));
            values.insert("day", wording::day(appointment.start.date()));
        }
        wording::fill(template, &values).ok()
    }

    /// Whether the patient's words hold the point.
    pub fn said_back_in(&self, words: &[String]) -> bool {
        let said = |phrase: &String| crate::words::contains(words, phrase);
        self.teach.iter().all(|group| group.iter().any(said))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    fn fasting() -> Instruction {
        toml::from_str(
            r#"
            id = "fasting"
            topics = ["fasting"]
            applies = { modalities = ["pet_ct"] }
            hours_before = 6.0
            text = "Eat nothing after {clock} on {clock_day}."
            general = "Eat nothing for six hours before."
            teach = [["no food", "nothing to eat"]]
            key = "that you eat nothing after {clock}"
            jurisdiction = "US"
            source = "test"
            edition = "1"
            verified = "2026-11-01"
            expires = "2027-05-01"
            "#,
        )
        .expect("reads")
    }

    #[test]
    fn clock_times_come_from_the_appointment() {
        let start = datetime(2026, 11, 25, 11, 45, 0, 0);
        let appointment = ForAppointment { start, place: "room one", exam: "PET CT scan" };
        assert_eq!(
            fasting().spoken(Some(appointment)).as_deref(),
            Some(
                "Eat nothing after five forty five in the morning on Wednesday, November twenty fifth."
            )
        );
        assert_eq!(fasting().spoken(None).as_deref(), Some("Eat nothing for six hours before."));
    }

    #[test]
    fn expired_and_unsigned_records_are_not_spoken_to_patients() {
        let mut approval = fasting().approval;
        assert!(approval.holds(date(2026, 12, 1), true));
        assert!(!approval.holds(date(2026, 12, 1), false), "nobody has signed it");
        assert!(!approval.holds(date(2027, 5, 2), true), "it has expired");
        approval.approved_by = "Dr. Example".to_owned();
        assert!(approval.holds(date(2027, 5, 1), false));
    }

    #[test]
    fn a_point_is_said_back_in_any_of_its_phrases() {
        let words = crate::words::split("So, nothing to eat from six on.");
        assert!(fasting().said_back_in(&words));
        assert!(!fasting().said_back_in(&crate::words::split("Yes, okay.")));
    }
}

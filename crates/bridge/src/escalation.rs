//! Why a person is needed, how soon, and who.

use jiff::Timestamp;
use radline_dialogue::{CallbackReason, RedFlag};
use radline_phi::Phi;
use serde::Serialize;

/// How soon a person is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// In its turn.
    Routine,
    /// Before routine callers.
    Urgent,
    /// Now, before everybody.
    Emergency,
}

/// The need for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Why.
    pub reason: CallbackReason,
    /// How soon.
    pub urgency: Urgency,
    /// What the person should be able to do: "scheduling", "clinical", "mr_safety", "crisis",
    /// "interpreter".
    pub skills: Vec<&'static str>,
    /// The caller's language, BCP 47.
    pub language: String,
    /// The caller's sentence that led to it, where they agreed to a record.
    pub trigger: Option<Phi<String>>,
    /// Since when.
    pub since: Timestamp,
}

impl Escalation {
    /// What a reason calls for.
    pub fn new(
        reason: CallbackReason,
        language: &str,
        trigger: Option<Phi<String>>,
        since: Timestamp,
    ) -> Self {
        let skills = skills(reason);
        let language = language.to_owned();
        Self { reason, urgency: urgency(reason), skills, language, trigger, since }
    }

    /// The reason for people.
    pub const fn text(&self) -> &'static str {
        text(self.reason)
    }
}

/// The classes of the clinic's rules: danger to life and to the self come before everybody, other
/// danger and people who are in distress before routine.
const fn urgency(reason: CallbackReason) -> Urgency {
    match reason {
        CallbackReason::RedFlag(
            RedFlag::LifeThreat | RedFlag::SelfHarm | RedFlag::MrHazard | RedFlag::ContrastReaction,
        ) => Urgency::Emergency,
        CallbackReason::RedFlag(_)
        | CallbackReason::Distress
        | CallbackReason::Urgent
        | CallbackReason::Supervision
        | CallbackReason::PersonLost => Urgency::Urgent,
        _ => Urgency::Routine,
    }
}

fn skills(reason: CallbackReason) -> Vec<&'static str> {
    match reason {
        CallbackReason::RedFlag(RedFlag::SelfHarm | RedFlag::Abuse) | CallbackReason::Distress => {
            vec!["crisis", "clinical"]
        }
        CallbackReason::RedFlag(RedFlag::MrHazard) | CallbackReason::Screening => {
            vec!["mr_safety", "clinical"]
        }
        CallbackReason::RedFlag(_) | CallbackReason::Symptom | CallbackReason::TeachBack => {
            vec!["clinical"]
        }
        CallbackReason::Interpreter => vec!["interpreter"],
        CallbackReason::Order
        | CallbackReason::Urgent
        | CallbackReason::Laterality
        | CallbackReason::NoSlot
        | CallbackReason::NoAppointment => vec!["scheduling", "clinical"],
        _ => Vec::new(),
    }
}

const fn text(reason: CallbackReason) -> &'static str {
    match reason {
        CallbackReason::RedFlag(RedFlag::LifeThreat) => "Danger to life",
        CallbackReason::RedFlag(RedFlag::SelfHarm) => "Suicide or self-harm",
        CallbackReason::RedFlag(RedFlag::ContrastReaction) => "Reaction after contrast",
        CallbackReason::RedFlag(RedFlag::PostProcedure) => "Trouble after a procedure",
        CallbackReason::RedFlag(RedFlag::MrHazard) => "Hazard at the scanner",
        CallbackReason::RedFlag(RedFlag::Abuse) => "Abuse, or someone lost",
        CallbackReason::Asked => "Asked for a person",
        CallbackReason::OtherWish => "A wish that the line cannot serve",
        CallbackReason::OnBehalf => "Calls for somebody else",
        CallbackReason::Identity => "Identity did not match twice",
        CallbackReason::Order => "No order that fits",
        CallbackReason::Urgent => "Order too urgent for the line",
        CallbackReason::Symptom => "New or worse symptom",
        CallbackReason::Laterality => "Order and caller differ on the side",
        CallbackReason::Screening => "A safety answer stops the exam",
        CallbackReason::NoSlot => "No time suits",
        CallbackReason::NoAppointment => "Appointment not found",
        CallbackReason::Interpreter => "Needs an interpreter",
        CallbackReason::NoRecord => "A question without an answer on record",
        CallbackReason::Distress => "Distress",
        CallbackReason::Complaint => "Complaint",
        CallbackReason::TeachBack => "Could not say back how to get ready",
        CallbackReason::NotReached => "Patient not reached",
        CallbackReason::Silence => "The line went silent",
        CallbackReason::NotUnderstood => "Repeatedly not understood",
        CallbackReason::Supervision => "A reply was not let pass",
        CallbackReason::PersonLost => "The connection to a colleague broke",
        CallbackReason::Failure => "A part of the system failed",
    }
}

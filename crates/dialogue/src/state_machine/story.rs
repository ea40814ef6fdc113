//! What a person has to know who takes over: the whole story, as the dialogue has it.

use radline_phi::Phi;

use super::Dialogue;
use crate::action::CallbackReason;
use crate::scenario::SlotName;
use crate::screening::{Answer, Disposition};
use crate::vocabulary::{Intent, Priority};
use crate::wording;

/// What a person has to know who takes over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// The caller's name, as they gave it.
    pub name: Option<Phi<String>>,
    /// Their date of birth, ISO 8601.
    pub date_of_birth: Option<Phi<String>>,
    /// Whether two identifiers matched a record.
    pub verified: bool,
    /// Whether the clinic placed the call.
    pub outbound: bool,
    /// What is settled.
    pub settled: Vec<Settled>,
    /// What the caller's wish still needs.
    pub open: Vec<&'static str>,
    /// The answers to the safety questions, the gravest first.
    pub safety: Vec<SafetyAnswer>,
    /// The order in words, with its priority.
    pub order: Option<Phi<String>>,
    /// The appointment in words, and whether it waits for a review.
    pub appointment: Option<(Phi<String>, bool)>,
    /// The words that spoke of danger.
    pub alarm: Option<Phi<String>>,
    /// The state that the dialogue is in.
    pub state: String,
}

/// A value that the call has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What.
    pub label: &'static str,
    /// The value.
    pub value: Phi<String>,
    /// Whether a record bears it out.
    pub confirmed: bool,
}

/// An answer to a safety question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyAnswer {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// What follows from it.
    pub level: Disposition,
    /// The caller's words.
    pub quote: Phi<String>,
}

impl Dialogue {
    /// What a person has to know who takes over now.
    pub fn story(&self) -> Story {
        let slots = &self.slots;
        let order = slots.order.as_ref().map(|order| {
            let priority = match order.priority {
                Priority::Routine => "routine",
                Priority::Urgent => "urgent",
                Priority::Asap => "as soon as possible",
                Priority::Stat => "stat",
            };
            Phi::new(format!("{}, {priority}", order.spoken))
        });
        let appointment = slots.appointment.as_ref().map(|found| {
            let when = wording::moment(found.start);
            (Phi::new(format!("{when}, {}: {}", found.place, found.order.spoken)), found.pending)
        });
        Story {
            name: slots.name.clone(),
            date_of_birth: slots.date_of_birth.as_ref().map(|date| date.map(ToString::to_string)),
            verified: self.patient.is_some(),
            outbound: self.called.is_some(),
            settled: self.settled(),
            open: self.open(),
            safety: self.safety(),
            order,
            appointment,
            alarm: self.alarm.clone(),
            state: self.state.clone(),
        }
    }

    /// What the site advises a provider to do first, and where that stands.
    pub fn first_step(&self, reason: CallbackReason) -> Option<(String, String)> {
        let text = self.scenario.line.handover.steps.get(&reason.key())?;
        let values =
            self.site.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let text = wording::fill(text, &values).ok()?;
        Some((text, format!("site, [line.handover.steps] {}", reason.key())))
    }

    fn settled(&self) -> Vec<Settled> {
        let (slots, mut settled) = (&self.slots, Vec::new());
        let mut put = |label, value: Option<String>, confirmed| {
            let value = value.map(Phi::new);
            settled.extend(value.map(|value| Settled { label, value, confirmed }));
        };
        put("Wish", slots.purpose.map(|purpose| purpose.spoken().to_owned()), false);
        let exam = slots.exam.modality.map(|modality| modality.spoken().to_owned());
        let proxy = slots.proxy.as_ref().map(|name| name.expose().clone());
        put("Calls for the patient", proxy, self.patient.is_some());
        put("Exam, as said", exam.filter(|_| slots.order.is_none()), false);
        put("Exam", slots.order.as_ref().map(|order| order.spoken.clone()), true);
        let agreed = self.check_side();
        put("Side, as said", slots.side.map(|side| side.spoken().to_owned()), agreed);
        let when = slots.offer.as_ref();
        put("Time", when.map(|offer| wording::moment(offer.start)), self.standing.is_some());
        let number = slots.callback_number.as_ref();
        put("Number to call", number.map(|digits| digits.expose().clone()), false);
        put(
            "Where the caller is",
            slots.location.as_ref().map(|place| place.expose().clone()),
            false,
        );
        let recording = slots.recording.map(|agreed| if agreed { "agreed" } else { "refused" });
        put("Recording", recording.map(str::to_owned), true);
        settled
    }

    fn check_side(&self) -> bool {
        let ordered = self.slots.order.as_ref().and_then(|order| order.side);
        ordered.is_some() && ordered == self.slots.side
    }

    /// What the wish still needs, in the order in which it is asked.
    fn open(&self) -> Vec<&'static str> {
        let (slots, mut open) = (&self.slots, Vec::new());
        let mut need = |missing: bool, label| open.extend(missing.then_some(label));
        need(slots.purpose.is_none(), "What the call is about");
        let about_record = !matches!(slots.purpose, None | Some(Intent::Results));
        need(about_record && self.patient.is_none(), "Identity");
        if slots.purpose == Some(Intent::Book) && self.standing.is_none() {
            need(slots.order.is_none(), "Order");
            let sided = slots.order.as_ref().is_some_and(|order| order.side.is_some());
            need(sided && !slots.is_filled(SlotName::Side), "Side");
            let scope = slots.order.as_ref().map(|order| self.scope(&self.scenario, order));
            need(scope.is_none_or(|scope| self.answers.next(scope).is_some()), "Safety questions");
            need(slots.offer.is_none(), "Date and time");
            need(true, "Confirmation");
        }
        open
    }

    fn safety(&self) -> Vec<SafetyAnswer> {
        let Some(order) = &self.slots.order else { return Vec::new() };
        let scope = self.scope(&self.scenario, order);
        let answers = self.answers.report(scope).into_iter();
        answers
            .map(|(question, answer, level, quote)| SafetyAnswer {
                question: question.ask.clone(),
                answer,
                level,
                quote: quote.clone(),
            })
            .collect()
    }
}

//! Requests to the clinic from the slots, and the clinic's answers into them.

use radline_phi::Phi;

use super::Dialogue;
use crate::action::{Action, ActionOutcome, AppointmentFacts, CallbackReason, OrderFacts};
use crate::scenario::{Act, State};
use crate::screening::Disposition;

impl Dialogue {
    /// The request that the state stands for, or `None` when a value is missing.
    pub(super) fn action(&self, act: Act, state: &State) -> Option<Action> {
        let order = || Some(self.slots.order.as_ref()?.id.clone());
        let slot = || Some(self.slots.offer.as_ref()?.slot.clone());
        let appointment = || Some(self.slots.appointment.as_ref()?.id.clone());
        Some(match act {
            Act::MatchIdentity => Action::MatchIdentity {
                name: self.slots.name.clone()?,
                date_of_birth: self.slots.date_of_birth.clone()?,
                // Who calls for another and has not said their own name is nobody on record.
                proxy: self
                    .slots
                    .proxy
                    .clone()
                    .or(self.for_another.then(|| Phi::new(String::new()))),
            },
            Act::FindOrders => Action::FindOrders { patient: self.patient.as_ref()?.id.clone() },
            Act::FindAppointments => {
                Action::FindAppointments { patient: self.patient.as_ref()?.id.clone() }
            }
            Act::Reschedule => Action::Reschedule { appointment: appointment()?, slot: slot()? },
            Act::Cancel => Action::Cancel { appointment: appointment()? },
            Act::HoldForReview => Action::HoldForReview {
                appointment: self.standing.clone()?,
                review: [Disposition::Stop, Disposition::Review]
                    .into_iter()
                    .flat_map(|disposition| self.findings(disposition))
                    .collect(),
            },
            Act::RecordPreparation => Action::RecordPreparation {
                appointment: appointment()?,
                review: self.findings(Disposition::Review),
                notes: self.findings(Disposition::Note),
            },
            Act::OptOut => Action::OptOut {
                patient: self.called.as_ref().map(|called| called.patient.clone())?,
            },
            Act::FindSlots => Action::FindSlots {
                order: order()?,
                wish: self.slots.when.clone().unwrap_or_default(),
                declined: self.declined.clone(),
                preparation: self.preparation_takes(),
            },
            Act::Hold => Action::Hold { slot: slot()?, order: order()? },
            Act::Book => Action::Book {
                slot: slot()?,
                order: self.order_to_book()?.id.clone(),
                review: self.reviews(),
                notes: self.findings(Disposition::Note),
            },
            Act::RequestCallback => self.callback(state.reason?),
            Act::AmendCallback => Action::AmendCallback {
                number: self.slots.callback_number.clone(),
                location: self.slots.location.clone(),
            },
            // What stands in the number's place is read by whoever would dial it.
            Act::ForbidCallback => Action::AmendCallback {
                number: Some(Phi::new("not safe to call".to_owned())),
                location: None,
            },
            Act::Release => Action::Release,
        })
    }

    /// The order that the call is about, where a time may be booked for it: it was found open for that
    /// purpose, and is not so urgent that a person books it. Whatever way the call took here.
    pub(super) fn order_to_book(&self) -> Option<&OrderFacts> {
        let order = self.slots.order.as_ref()?;
        let open = self.orders.iter().any(|open| open.id == order.id);
        (open && !order.expired && !order.is_urgent()).then_some(order)
    }

    /// A call-back task with what the colleague should know.
    pub(super) fn callback(&self, reason: CallbackReason) -> Action {
        let mut story: Vec<Phi<String>> = self
            .slots
            .described()
            .into_iter()
            .map(|(name, value)| value.map(|value| format!("{name}: {value}")))
            .collect();
        story
            .extend(self.alarm.iter().map(|words| words.map(|words| format!("said: \"{words}\""))));
        story.extend(self.findings(Disposition::Stop));
        story.extend(self.findings(Disposition::Review));
        // The script knows which danger it is for; the file may serve several of them.
        let reason = match (reason, self.red_flag) {
            (CallbackReason::RedFlag(_), Some(flag)) => CallbackReason::RedFlag(flag),
            _ => reason,
        };
        // The patient whom the clinic called is the one to call again, whoever picked up.
        let called = self.called.as_ref().map(|called| called.patient.clone());
        let patient = self.patient.as_ref().map(|patient| patient.id.clone()).or(called);
        Action::RequestCallback { reason, patient, story }
    }

    /// Everything that a provider has to look at before a booking is confirmed.
    fn reviews(&self) -> Vec<Phi<String>> {
        let mut reviews = self.findings(Disposition::Review);
        if self.slots.order.as_ref().is_some_and(|order| !order.covered) {
            reviews.push(Phi::new("Coverage or authorisation is not on record".to_owned()));
        }
        reviews
    }

    fn findings(&self, disposition: Disposition) -> Vec<Phi<String>> {
        let Some(order) = &self.slots.order else { return Vec::new() };
        self.answers.findings(self.scope(&self.scenario, order), disposition)
    }

    /// Takes up what the clinic answered; the outcome's name, or `None` when it failed.
    pub(super) fn take_outcome(&mut self, outcome: ActionOutcome) -> Option<&'static str> {
        Some(match outcome {
            ActionOutcome::Matched(patient) => {
                self.spoke_for = Some(patient.id.clone());
                self.patient = Some(patient);
                "matched"
            }
            ActionOutcome::NotMatched => {
                // Whoever gave other identifiers than before is not known any more.
                self.patient = None;
                self.standing = None;
                "not_matched"
            }
            ActionOutcome::Orders(orders) => self.take_orders(orders),
            ActionOutcome::Appointments(found) => self.take_appointments(found),
            ActionOutcome::Moved { appointment } => {
                self.standing = Some(appointment);
                "moved"
            }
            ActionOutcome::Cancelled => {
                self.standing = None;
                self.cancelled = self.patient.as_ref().map(|patient| patient.id.clone());
                "cancelled"
            }
            ActionOutcome::Offers { offers, as_wished } => {
                self.slots.offer = None;
                self.offers = offers;
                match (self.offers.is_empty(), as_wished) {
                    (true, _) => "none",
                    (false, true) => "offers",
                    (false, false) => "nearest",
                }
            }
            ActionOutcome::Held => "held",
            ActionOutcome::Taken => {
                let start = self.slots.offer.take().map(|offer| offer.start);
                self.declined.extend(start);
                "taken"
            }
            ActionOutcome::Booked { appointment } => {
                self.standing = Some(appointment);
                "booked"
            }
            ActionOutcome::HeldForReview { appointment, due } => {
                self.standing = Some(appointment);
                self.review_due = Some(due);
                "held_for_review"
            }
            ActionOutcome::CallbackNoted { due, has_number, person_present } => {
                self.callback_due = Some(due);
                self.callback_number_known = has_number;
                self.person_present = person_present;
                "callback_noted"
            }
            ActionOutcome::Done => "done",
            ActionOutcome::Unavailable => return None,
        })
    }

    /// Which of the orders the call is about. What the caller said about the exam has to fit:
    /// an order for something else is a person's business.
    fn take_orders(&mut self, orders: Vec<OrderFacts>) -> &'static str {
        self.slots.order = None;
        self.standing = None;
        if orders.is_empty() {
            return "none";
        }
        let open: Vec<OrderFacts> = orders.into_iter().filter(|order| !order.expired).collect();
        if open.is_empty() {
            return "expired";
        }
        self.orders = open;
        let fitting: Vec<&OrderFacts> =
            self.orders.iter().filter(|order| self.mention_fits(order)).collect();
        match &fitting[..] {
            [] => "mismatch",
            [order] => {
                self.slots.order = Some((*order).clone());
                "found"
            }
            _ => {
                self.orders = fitting.into_iter().cloned().collect();
                "several"
            }
        }
    }

    /// Which of the appointments the call is about: the one that the clinic called for, or the only
    /// one that fits what the caller said.
    fn take_appointments(&mut self, found: Vec<AppointmentFacts>) -> &'static str {
        self.slots.appointment = None;
        let called = self.called.as_ref().map(|called| called.appointment.clone());
        if let Some(one) = found.iter().find(|one| Some(&one.id) == called.as_ref()) {
            let one = one.clone();
            self.take_appointment(one);
            return "found";
        }
        let mut fitting = found.clone();
        fitting.retain(|one| self.mention_fits(&one.order));
        self.appointments = if fitting.is_empty() { found } else { fitting };
        match &self.appointments[..] {
            [] => "none",
            [one] => {
                let one = one.clone();
                self.take_appointment(one);
                "found"
            }
            _ => "several",
        }
    }

    /// The exam of the appointment is what the rest of the call is about.
    pub(super) fn take_appointment(&mut self, appointment: AppointmentFacts) {
        // Its own time is no new one.
        self.declined = vec![appointment.start];
        self.slots.order = Some(appointment.order.clone());
        self.standing = Some(appointment.id.clone());
        self.slots.appointment = Some(appointment);
    }

    /// Whether the order is for the exam that the caller spoke of. The side is left to its own
    /// question: a wrong side has to be noticed, not filtered away.
    pub(super) fn mention_fits(&self, order: &OrderFacts) -> bool {
        let mention = &self.slots.exam;
        let part_fits = match (&mention.body_part, &order.body_part) {
            (Some(said), Some(ordered)) => parts_agree(said, ordered),
            _ => true,
        };
        mention.modality.is_none_or(|modality| modality == order.modality) && part_fits
    }

    /// The one open order that fits what the caller has said by now.
    pub(super) fn order_by_mention(&self) -> Option<OrderFacts> {
        let mut fitting = self.orders.iter().filter(|order| self.mention_fits(order));
        let order = fitting.next()?;
        fitting.next().is_none().then(|| order.clone())
    }
}

/// Whether two body parts may mean the same exam. Callers name the neighbourhood ("my back", "my
/// belly"), orders name the organ.
fn parts_agree(said: &str, ordered: &str) -> bool {
    const REGIONS: &[&[&str]] = &[
        &["head", "brain", "sinuses", "jaw"],
        &["neck", "cervical spine", "carotid", "thyroid"],
        &["chest", "heart", "breast", "thoracic spine"],
        &["abdomen", "liver", "gallbladder", "pancreas", "kidneys", "pelvis", "bladder"],
        &["spine", "lumbar spine", "cervical spine", "thoracic spine"],
        &["pelvis", "hip", "bladder", "prostate"],
        &["leg", "knee", "ankle", "foot", "hip"],
        &["arm", "elbow", "wrist", "hand", "shoulder"],
    ];
    let together = |region: &&[&str]| region.contains(&said) && region.contains(&ordered);
    said == ordered || ordered == "whole body" || REGIONS.iter().any(together)
}

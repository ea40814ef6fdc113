//! A clinic with one patient, one order and two free times, which is now and then slow, and which
//! notices what must never happen.

use std::time::Duration;

use jiff::civil::{Date, date, datetime};
use radline_dialogue::vocabulary::{Modality, Priority, Side};
use radline_dialogue::{Action, ActionOutcome, AppointmentFacts, Offer, OrderFacts, PatientFacts};
use rand::Rng;
use rand::rngs::StdRng;

use crate::models::{Fate, spread};

/// Today in every simulated call.
pub const TODAY: Date = date(2026, 11, 23);
/// An answer takes this long, ms.
const ANSWER_MS: f64 = 3.0;
/// Share of answers that take seconds.
const SLOW: f64 = 0.01;

/// The clinic of one call.
#[derive(Debug, Default)]
pub struct Clinic {
    held: Option<String>,
    /// The appointment that the call made.
    appointment: Option<AppointmentFacts>,
    /// Appointments made.
    pub booked: usize,
    /// What must never happen, if it did.
    pub broken: Option<String>,
}

impl Clinic {
    /// How long an answer takes, and what becomes of it.
    pub fn delay(random: &mut StdRng) -> (Duration, Fate) {
        let fate = Fate::draw(random);
        if random.random_bool(SLOW) {
            return (Duration::from_millis(random.random_range(1000..7000)), fate);
        }
        (spread(ANSWER_MS, random), fate)
    }

    /// Carries out a request.
    pub fn perform(&mut self, action: &Action, random: &mut StdRng) -> ActionOutcome {
        match action {
            Action::MatchIdentity { name, date_of_birth, proxy } => {
                let name = name.expose().to_lowercase();
                // Nobody is on record as somebody who may speak for Jane.
                let born = *date_of_birth.expose() == date(1960, 3, 4);
                let known = name.contains("jane") && born && proxy.is_none();
                if known { ActionOutcome::Matched(patient()) } else { ActionOutcome::NotMatched }
            }
            // An order with an appointment is no open one.
            Action::FindOrders { .. } if self.booked > 0 => ActionOutcome::Orders(Vec::new()),
            Action::FindOrders { .. } => ActionOutcome::Orders(vec![order()]),
            Action::FindAppointments { .. } => {
                ActionOutcome::Appointments(self.appointment.iter().cloned().collect())
            }
            Action::Reschedule { slot, .. } => self.reschedule(slot),
            Action::Cancel { .. } => {
                self.appointment = None;
                ActionOutcome::Cancelled
            }
            Action::FindSlots { declined, .. } => {
                let offers: Vec<Offer> =
                    offers().into_iter().filter(|offer| !declined.contains(&offer.start)).collect();
                ActionOutcome::Offers { offers, as_wished: random.random_bool(0.8) }
            }
            Action::Hold { slot, .. } => {
                if random.random_bool(0.03) {
                    return ActionOutcome::Taken;
                }
                self.held = Some(slot.clone());
                ActionOutcome::Held
            }
            Action::Book { slot, review, .. } => self.book(slot, !review.is_empty()),
            Action::RequestCallback { .. } => {
                self.held = None;
                ActionOutcome::CallbackNoted {
                    due: datetime(2026, 11, 24, 12, 0, 0, 0),
                    has_number: random.random_bool(0.5),
                    person_present: random.random_bool(0.4),
                }
            }
            Action::HoldForReview { appointment, .. } => {
                match self.appointment.as_mut() {
                    Some(standing) if standing.id == *appointment => standing.pending = true,
                    _ => self.broken = Some("what is not there was held back".to_owned()),
                }
                ActionOutcome::HeldForReview {
                    appointment: appointment.clone(),
                    due: datetime(2026, 11, 24, 12, 0, 0, 0),
                }
            }
            Action::AmendCallback { .. }
            | Action::RecordPreparation { .. }
            | Action::OptOut { .. } => ActionOutcome::Done,
            Action::Release => {
                self.held = None;
                ActionOutcome::Done
            }
        }
    }

    fn book(&mut self, slot: &str, review: bool) -> ActionOutcome {
        if self.held.as_deref() != Some(slot) {
            self.broken = Some("a time was booked that was not held".to_owned());
        }
        self.booked += 1;
        if self.booked > 1 {
            self.broken = Some("one call booked twice".to_owned());
        }
        let appointment = "A1".to_owned();
        self.appointment =
            offers().into_iter().find(|offer| offer.slot == slot).map(|offer| AppointmentFacts {
                id: appointment.clone(),
                start: offer.start,
                place: offer.place,
                order: order(),
                pending: review,
            });
        if review {
            ActionOutcome::HeldForReview { appointment, due: datetime(2026, 11, 24, 12, 0, 0, 0) }
        } else {
            ActionOutcome::Booked { appointment }
        }
    }
}

impl Clinic {
    fn reschedule(&mut self, slot: &str) -> ActionOutcome {
        if self.held.as_deref() != Some(slot) {
            self.broken = Some("an appointment was moved to a time that was not held".to_owned());
        }
        let moved = offers().into_iter().find(|offer| offer.slot == slot);
        match (self.appointment.as_mut(), moved) {
            (Some(appointment), Some(offer)) => appointment.start = offer.start,
            _ => self.broken = Some("what is not there was moved".to_owned()),
        }
        let appointment = self.appointment.as_ref().map(|found| found.id.clone());
        ActionOutcome::Moved { appointment: appointment.unwrap_or_default() }
    }
}

fn patient() -> PatientFacts {
    PatientFacts {
        id: "P1".to_owned(),
        given_name: "Jane".into(),
        date_of_birth: date(1960, 3, 4).into(),
        may_be_pregnant: false,
    }
}

fn order() -> OrderFacts {
    OrderFacts {
        id: "O1".to_owned(),
        modality: Modality::Mri,
        body_part: Some("knee".to_owned()),
        side: Some(Side::Left),
        contrast: false,
        priority: Priority::Routine,
        expired: false,
        covered: true,
        spoken: "MRI of the left knee".to_owned(),
    }
}

fn offers() -> Vec<Offer> {
    let place = "the main building".to_owned();
    [(24, 9), (25, 14)]
        .into_iter()
        .map(|(day, hour)| Offer {
            slot: format!("S{day}-{hour}"),
            start: datetime(2026, 11, day, hour, 0, 0, 0),
            place: place.clone(),
        })
        .collect()
}

//! What the dialogue asks of the clinic, and what it may hear back. One vocabulary for both
//! sides, so that no third place has to keep them equal.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use radline_phi::Phi;
use serde::{Deserialize, Serialize};

use crate::red_flags::RedFlag;
use crate::understanding::TimeWish;
use crate::vocabulary::{Modality, Priority, Side};

/// One request to the clinic. The only effects that a dialogue has on the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Who is the patient with these two identifiers?
    MatchIdentity {
        /// As the caller said it.
        name: Phi<String>,
        /// As the caller said it.
        date_of_birth: Phi<Date>,
        /// Whoever speaks for the patient, as they said their name: then only a patient who has allowed
        /// them to is matched.
        proxy: Option<Phi<String>>,
    },
    /// Which open orders does the patient have?
    FindOrders {
        /// The patient's record.
        patient: String,
    },
    /// Which appointments does the patient have from now on?
    FindAppointments {
        /// The patient's record.
        patient: String,
    },
    /// Which times are free for the order?
    FindSlots {
        /// The order's record.
        order: String,
        /// When the caller would like to come.
        wish: TimeWish,
        /// Starts that were declined already.
        declined: Vec<DateTime>,
        /// Getting ready takes so long before the exam: an earlier time cannot be kept.
        preparation: SignedDuration,
    },
    /// Keep a time for this call until it is booked or the hold runs out.
    Hold {
        /// The time.
        slot: String,
        /// The order that it is for.
        order: String,
    },
    /// Make the held time an appointment.
    Book {
        /// The held time.
        slot: String,
        /// The order that it fulfils.
        order: String,
        /// Screening findings that a provider has to look at first; then the appointment is
        /// pending, not booked.
        review: Vec<Phi<String>>,
        /// Findings to keep with the appointment.
        notes: Vec<Phi<String>>,
    },
    /// Give an appointment the held time instead of its own.
    Reschedule {
        /// The appointment.
        appointment: String,
        /// The held time.
        slot: String,
    },
    /// Give an appointment up.
    Cancel {
        /// The appointment.
        appointment: String,
    },
    /// Take back an appointment's confirmation: something was told after it was made.
    HoldForReview {
        /// The appointment.
        appointment: String,
        /// What a provider has to look at first.
        review: Vec<Phi<String>>,
    },
    /// Keep with the appointment that the patient knows how to get ready.
    RecordPreparation {
        /// The appointment.
        appointment: String,
        /// Findings that a provider has to look at before the exam.
        review: Vec<Phi<String>>,
        /// Findings to keep with the appointment.
        notes: Vec<Phi<String>>,
    },
    /// Note that the patient wants no more calls from this line.
    OptOut {
        /// The patient's record.
        patient: String,
    },
    /// Ask a person to call back. Frees whatever this call holds.
    RequestCallback {
        /// Why.
        reason: CallbackReason,
        /// The patient, when known.
        patient: Option<String>,
        /// What the colleague should know.
        story: Vec<Phi<String>>,
    },
    /// More for the task that [`Action::RequestCallback`] made in this call.
    AmendCallback {
        /// Where to call back: digits as said or keyed.
        number: Option<Phi<String>>,
        /// Where the caller is, in their words.
        location: Option<Phi<String>>,
    },
    /// Free whatever this call holds.
    Release,
}

impl Action {
    /// The action's name in records: its kind, never its values.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MatchIdentity { .. } => "match_identity",
            Self::FindOrders { .. } => "find_orders",
            Self::FindAppointments { .. } => "find_appointments",
            Self::FindSlots { .. } => "find_slots",
            Self::Hold { .. } => "hold",
            Self::Book { .. } => "book",
            Self::Reschedule { .. } => "reschedule",
            Self::Cancel { .. } => "cancel",
            Self::HoldForReview { .. } => "hold_for_review",
            Self::RecordPreparation { .. } => "record_preparation",
            Self::OptOut { .. } => "opt_out",
            Self::RequestCallback { .. } => "request_callback",
            Self::AmendCallback { .. } => "amend_callback",
            Self::Release => "release",
        }
    }

    /// Whether the action only reads, so that asking twice does no harm.
    pub const fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::MatchIdentity { .. }
                | Self::FindOrders { .. }
                | Self::FindAppointments { .. }
                | Self::FindSlots { .. }
        )
    }
}

/// A request that only reads. The type says so, so that it may be asked before the words that led
/// to it count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp(Action);

impl LookUp {
    /// The request, unless it would change something.
    pub fn new(action: Action) -> Option<Self> {
        action.only_reads().then_some(Self(action))
    }

    /// The request.
    pub const fn action(&self) -> &Action {
        &self.0
    }

    /// The request, for carrying it out.
    pub fn into_action(self) -> Action {
        self.0
    }
}

/// Why a person should call back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackReason {
    /// The caller asked for a person.
    Asked,
    /// The caller wants something that this line cannot do.
    OtherWish,
    /// The caller speaks for someone else.
    OnBehalf,
    /// Two identifiers did not match twice.
    Identity,
    /// No order, an expired one, or one for another exam.
    Order,
    /// The order is too urgent for a self-service line.
    Urgent,
    /// A new or worse symptom.
    Symptom,
    /// The order's side and the caller's differ.
    Laterality,
    /// A screening answer that stops a booking.
    Screening,
    /// No suitable time.
    NoSlot,
    /// The appointment that the caller speaks of is not there.
    NoAppointment,
    /// The caller needs an interpreter.
    Interpreter,
    /// A question that no record answers.
    NoRecord,
    /// What weighs on the caller.
    Distress,
    /// A complaint.
    Complaint,
    /// The patient could not say back how to get ready.
    TeachBack,
    /// The patient was not reached.
    NotReached,
    /// The line went silent in the middle of something.
    Silence,
    /// Caller and line did not understand each other.
    NotUnderstood,
    /// A person did not let a reply pass.
    Supervision,
    /// The connection to the person who had taken over broke.
    PersonLost,
    /// A part of the system failed.
    Failure,
    /// Words that may mean danger.
    RedFlag(RedFlag),
}

impl CallbackReason {
    /// Name in records, such as "red_flag self_harm" or "screening".
    pub fn key(self) -> String {
        match self {
            Self::RedFlag(flag) => format!("red_flag {}", flag.key()),
            plain => plain.kind().to_owned(),
        }
    }

    /// Whether somebody is on the line whom a person could speak with now.
    pub const fn has_caller(self) -> bool {
        !matches!(self, Self::NotReached | Self::Silence)
    }

    /// Name of the kind, without the class of danger.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::OtherWish => "other_wish",
            Self::OnBehalf => "on_behalf",
            Self::Identity => "identity",
            Self::Order => "order",
            Self::Urgent => "urgent",
            Self::Symptom => "symptom",
            Self::Laterality => "laterality",
            Self::Screening => "screening",
            Self::NoSlot => "no_slot",
            Self::NoAppointment => "no_appointment",
            Self::Interpreter => "interpreter",
            Self::NoRecord => "no_record",
            Self::Distress => "distress",
            Self::Complaint => "complaint",
            Self::TeachBack => "teach_back",
            Self::NotReached => "not_reached",
            Self::Silence => "silence",
            Self::NotUnderstood => "not_understood",
            Self::Supervision => "supervision",
            Self::PersonLost => "person_lost",
            Self::Failure => "failure",
            Self::RedFlag(_) => "red_flag",
        }
    }
}

/// What the clinic answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    /// Exactly one patient has both identifiers.
    Matched(PatientFacts),
    /// Nobody, or more than one.
    NotMatched,
    /// The patient's open orders, newest first.
    Orders(Vec<OrderFacts>),
    /// The patient's appointments from now on, earliest first.
    Appointments(Vec<AppointmentFacts>),
    /// Free times, earliest first; empty when there are none.
    Offers {
        /// At most three.
        offers: Vec<Offer>,
        /// Whether they meet the whole wish.
        as_wished: bool,
    },
    /// The time is kept for this call.
    Held,
    /// Someone else has the time by now.
    Taken,
    /// The appointment is in the schedule.
    Booked {
        /// Its record.
        appointment: String,
    },
    /// The time is kept as a pending appointment, and a provider has a review task.
    HeldForReview {
        /// The pending appointment's record.
        appointment: String,
        /// By when the provider is to call, local time.
        due: DateTime,
    },
    /// The appointment has the held time now; its old one is free.
    Moved {
        /// Its record.
        appointment: String,
    },
    /// The appointment is given up; its time is free.
    Cancelled,
    /// A task exists.
    CallbackNoted {
        /// By when a colleague is to call, local time.
        due: DateTime,
        /// Whether the clinic has a number to call.
        has_number: bool,
        /// Whether somebody is there who could take over this call now.
        person_present: bool,
    },
    /// Done; nothing to say about it.
    Done,
    /// The clinic did not answer in time, or failed.
    Unavailable,
}

impl ActionOutcome {
    /// The outcome's name in records.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Matched(_) => "matched",
            Self::NotMatched => "not_matched",
            Self::Orders(_) => "orders",
            Self::Appointments(_) => "appointments",
            Self::Moved { .. } => "moved",
            Self::Cancelled => "cancelled",
            Self::Offers { .. } => "offers",
            Self::Held => "held",
            Self::Taken => "taken",
            Self::Booked { .. } => "booked",
            Self::HeldForReview { .. } => "held_for_review",
            Self::CallbackNoted { .. } => "callback_noted",
            Self::Done => "done",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What the dialogue may know of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientFacts {
    /// The record.
    pub id: String,
    /// For addressing whoever is on the line: the patient, or who speaks for them.
    pub given_name: Phi<String>,
    /// For rules that depend on age.
    pub date_of_birth: Phi<Date>,
    /// For rules that depend on it; unknown counts as female where pregnancy matters.
    pub may_be_pregnant: bool,
}

/// How many years old a person is on a day.
pub fn age(born: Date, today: Date) -> i16 {
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    today.year() - born.year() - i16::from(!had_birthday)
}

/// What the dialogue may know of an order (`ServiceRequest`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// The record.
    pub id: String,
    /// Kind of exam.
    pub modality: Modality,
    /// Body part in plain words.
    pub body_part: Option<String>,
    /// Side, where the exam has one.
    pub side: Option<Side>,
    /// Whether contrast is given.
    pub contrast: bool,
    /// As ordered.
    pub priority: Priority,
    /// Whether its validity has ended.
    pub expired: bool,
    /// Whether the payer covers it, as far as the record knows.
    pub covered: bool,
    /// How the exam is called when speaking, such as "MRI of the left knee".
    pub spoken: String,
}

impl OrderFacts {
    /// Whether a person finds the time for it, at once.
    pub const fn is_urgent(&self) -> bool {
        matches!(self.priority, Priority::Asap | Priority::Stat)
    }
}

/// A free time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The slot's record.
    pub slot: String,
    /// Local start.
    pub start: DateTime,
    /// Where, as spoken: "the main building, room two".
    pub place: String,
}

/// What the dialogue may know of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentFacts {
    /// The record.
    pub id: String,
    /// Local start.
    pub start: DateTime,
    /// Where, as spoken.
    pub place: String,
    /// What is examined.
    pub order: OrderFacts,
    /// Whether it waits for a provider's review.
    pub pending: bool,
}

/// Whom the clinic calls, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The patient's record.
    pub patient: String,
    /// The patient's name: said to whoever picks up, and nothing else is before they are known.
    pub name: Phi<String>,
    /// The appointment that the call is about.
    pub appointment: String,
}

//! The clinic's records, in the words of FHIR R4.

use jiff::civil::{Date, DateTime};
use radline_dialogue::{Modality, OrderFacts, PatientFacts, Priority, Side, age};
use radline_phi::Phi;
use serde::{Deserialize, Serialize};

/// One line of an import file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resource", deny_unknown_fields)]
pub enum Record {
    /// A patient.
    Patient(Patient),
    /// Somebody who may speak for a patient.
    RelatedPerson(RelatedPerson),
    /// An order.
    ServiceRequest(ServiceRequest),
    /// A time in the schedule.
    Slot(Slot),
    /// A booked, pending, cancelled or fulfilled slot.
    Appointment(Appointment),
}

/// Recorded sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Anything else, or not recorded. Treated as female where pregnancy matters.
    #[default]
    Unknown,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patient {
    /// Record number.
    pub id: String,
    /// Given names.
    #[serde(with = "radline_phi::stored")]
    pub given_name: Phi<String>,
    /// Family name.
    #[serde(with = "radline_phi::stored")]
    pub family_name: Phi<String>,
    /// Date of birth.
    #[serde(with = "radline_phi::stored")]
    pub date_of_birth: Phi<Date>,
    /// Recorded sex.
    #[serde(default)]
    pub sex: Sex,
    /// Telephone number, digits.
    #[serde(default, with = "radline_phi::stored")]
    pub phone: Phi<Option<String>>,
}

impl Patient {
    /// What the dialogue may know. Ages 12 to 50 count as possibly pregnant (ACR–SPR practice
    /// parameter on imaging patients who may be pregnant), unless the record says male.
    pub fn facts(&self, today: Date) -> PatientFacts {
        const AGES: std::ops::RangeInclusive<i16> = 12..=50;
        let age = age(*self.date_of_birth.expose(), today);
        PatientFacts {
            id: self.id.clone(),
            given_name: self.given_name.clone(),
            date_of_birth: self.date_of_birth.clone(),
            may_be_pregnant: self.sex != Sex::Male && AGES.contains(&age),
        }
    }
}

/// Somebody whom a patient, or the law where the patient is a child, has allowed to speak for them: told the
/// patient's appointments, and heard when they change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelatedPerson {
    /// Record number.
    pub id: String,
    /// The patient's record number.
    pub patient: String,
    /// Given names.
    #[serde(with = "radline_phi::stored")]
    pub given_name: Phi<String>,
    /// Family name.
    #[serde(with = "radline_phi::stored")]
    pub family_name: Phi<String>,
    /// What they are to the patient: "daughter", "guardian".
    #[serde(default)]
    pub relationship: Option<String>,
    /// The last day on which they may speak; none means until it is taken back.
    #[serde(default)]
    pub until: Option<Date>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRequest {
    /// Record number.
    pub id: String,
    /// The patient's record number.
    pub patient: String,
    /// Kind of exam.
    pub modality: Modality,
    /// How the exam is called when speaking, such as "MRI of the left knee".
    pub exam: String,
    /// Body part in plain singular words.
    #[serde(default)]
    pub body_part: Option<String>,
    /// Side, where the exam has one.
    #[serde(default)]
    pub side: Option<Side>,
    /// Whether contrast is given.
    #[serde(default)]
    pub contrast: bool,
    /// As ordered.
    #[serde(default = "routine")]
    pub priority: Priority,
    /// Whether the payer covers it; not recorded counts as covered.
    #[serde(default = "yes")]
    pub covered: bool,
    /// Why the exam was ordered.
    #[serde(default, with = "radline_phi::stored")]
    pub reason: Phi<Option<String>>,
    /// Who ordered it.
    #[serde(default)]
    pub requester: Option<String>,
    /// When it was ordered.
    #[serde(default)]
    pub authored: Option<Date>,
    /// Last day of validity; none means that it does not run out.
    #[serde(default)]
    pub expires: Option<Date>,
}

const fn yes() -> bool {
    true
}

const fn routine() -> Priority {
    Priority::Routine
}

impl ServiceRequest {
    /// What the dialogue may know.
    pub fn facts(&self, today: Date) -> OrderFacts {
        OrderFacts {
            id: self.id.clone(),
            modality: self.modality,
            body_part: self.body_part.clone(),
            // An exam of both sides has no side that a caller could get wrong.
            side: self.side.filter(|side| *side != Side::Both),
            contrast: self.contrast,
            priority: self.priority,
            expired: self.expires.is_some_and(|last| last < today),
            covered: self.covered,
            spoken: self.exam.clone(),
        }
    }
}

/// A time in the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Record number.
    pub id: String,
    /// Which exams it is for.
    pub modality: Modality,
    /// Room or device; a room takes one patient at a time.
    pub room: String,
    /// The place as it is spoken: "the main building, room two".
    pub place: String,
    /// Local start.
    pub start: DateTime,
    /// Length.
    pub minutes: u16,
}

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentStatus {
    /// Confirmed.
    Booked,
    /// Held until a provider has reviewed it.
    Pending,
    /// Given up.
    Cancelled,
    /// Done.
    Fulfilled,
}

impl AppointmentStatus {
    /// Name in files and tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Pending => "pending",
            Self::Cancelled => "cancelled",
            Self::Fulfilled => "fulfilled",
        }
    }
}

/// A slot that a patient has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// Record number.
    pub id: String,
    /// The slot's record number.
    pub slot: String,
    /// The order's record number.
    pub order: String,
    /// The patient's record number.
    pub patient: String,
    /// Where it stands.
    pub status: AppointmentStatus,
}

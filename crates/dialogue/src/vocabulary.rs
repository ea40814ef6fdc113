//! The radiology words that dialogue, language and clinic share.

use serde::{Deserialize, Serialize};

/// Kind of examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Computed tomography, with or without contrast.
    Ct,
    /// Magnetic resonance imaging, MRA and MRCP included.
    Mri,
    /// Sonography.
    Ultrasound,
    /// Screening or diagnostic mammography.
    Mammography,
    /// Plain film.
    Xray,
    /// Positron emission tomography with CT.
    PetCt,
    /// Moving X-ray pictures: swallows, enemas.
    Fluoroscopy,
    /// A needle procedure under imaging.
    Biopsy,
    /// Bone density.
    Dexa,
}

impl Modality {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Ct,
        Self::Mri,
        Self::Ultrasound,
        Self::Mammography,
        Self::Xray,
        Self::PetCt,
        Self::Fluoroscopy,
        Self::Biopsy,
        Self::Dexa,
    ];

    /// How the agent says it.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Ct => "CT scan",
            Self::Mri => "MRI",
            Self::Ultrasound => "ultrasound",
            Self::Mammography => "mammogram",
            Self::Xray => "X-ray",
            Self::PetCt => "PET CT scan",
            Self::Fluoroscopy => "fluoroscopy exam",
            Self::Biopsy => "biopsy",
            Self::Dexa => "bone density scan",
        }
    }

    /// Name in data files and tables.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ct => "ct",
            Self::Mri => "mri",
            Self::Ultrasound => "ultrasound",
            Self::Mammography => "mammography",
            Self::Xray => "xray",
            Self::PetCt => "pet_ct",
            Self::Fluoroscopy => "fluoroscopy",
            Self::Biopsy => "biopsy",
            Self::Dexa => "dexa",
        }
    }
}

/// Side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both sides.
    Both,
}

impl Side {
    /// How the agent says it.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Both => "both sides",
        }
    }
}

/// Urgency of an order, as FHIR R4 `request-priority` has it. Read from the order, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Normal.
    Routine,
    /// Before routine ones.
    Urgent,
    /// As soon as possible: a person schedules it.
    Asap,
    /// At once: a person schedules it.
    Stat,
}

/// What the caller says about the exam they need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExamMention {
    /// Kind of exam.
    pub modality: Option<Modality>,
    /// Body part in plain singular words, such as "knee" or "lumbar spine".
    pub body_part: Option<String>,
    /// Side of the exam.
    pub side: Option<Side>,
}

impl ExamMention {
    /// Whether nothing was said about the exam.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a caller wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Book an exam.
    Book,
    /// Move an appointment.
    Reschedule,
    /// Give an appointment up.
    Cancel,
    /// Leave an appointment as it is, after having asked for another time.
    Keep,
    /// Hear when the appointment is.
    CheckAppointment,
    /// Get ready for an appointment.
    Prepare,
    /// Ask about a result.
    Results,
    /// Ask anything else about the clinic.
    Question,
    /// Tell of a new or worse symptom.
    ReportSymptom,
}

impl Intent {
    /// How it is said after "you would like to".
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Book => "book an exam",
            Self::Reschedule => "move an appointment",
            Self::Cancel => "cancel an appointment",
            Self::Keep => "keep your appointment as it is",
            Self::CheckAppointment => "hear when your appointment is",
            Self::Prepare => "hear how to get ready for an exam",
            Self::Results => "hear about a result",
            Self::Question => "ask a question",
            Self::ReportSymptom => "tell us about a symptom",
        }
    }

    /// Name in data files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Reschedule => "reschedule",
            Self::Cancel => "cancel",
            Self::Keep => "keep",
            Self::CheckAppointment => "check_appointment",
            Self::Prepare => "prepare",
            Self::Results => "results",
            Self::Question => "question",
            Self::ReportSymptom => "report_symptom",
        }
    }
}

/// Which number of a bare date comes first where the site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// "Five, two": May second.
    #[default]
    MonthDay,
    /// "Five, two": the fifth of February.
    DayMonth,
}

/// How much weighs on the caller, by their words alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distress {
    /// Some worry, annoyance or sadness.
    Some,
    /// Fear, despair or rage.
    Strong,
}

/// What the feeling is about, as far as the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feeling {
    /// Waiting, not knowing.
    Waiting,
    /// The exam itself.
    Exam,
    /// Anger about the clinic or this line.
    Anger,
    /// Anything else.
    General,
}

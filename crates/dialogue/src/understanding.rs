//! What was asked and what was understood: the closed vocabulary between language and dialogue.

use jiff::civil::{Date, Time, Weekday};
use radline_phi::Phi;

/// The shape of the answer that the last question asks for. It decides how long a pause may be
/// before the turn is over and which reading of an ambiguous answer comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Yes or no, however indirect.
    YesNo,
    /// One of a few options that were read out.
    Choice,
    /// A number said digit by digit, or keyed in.
    Digits,
    /// A date of birth.
    DateOfBirth,
    /// A person's name, perhaps spelled.
    Name,
    /// A wish for a day and a time.
    DayTime,
    /// Several sentences: what happened, why they call.
    Story,
    /// Anything.
    Open,
}

/// Who turned the words into commands; kept in the call record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnderstoodBy {
    /// The deterministic parsers.
    Parsers,
    /// The language model under its grammar.
    Model,
    /// Keys on the telephone.
    Keypad,
    /// Nothing was understood.
    Nobody,
}

/// Part of a day that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOfDay {
    /// Before noon.
    Morning,
    /// Noon to 17:00.
    Afternoon,
    /// From 17:00.
    Evening,
}

/// When a caller would like to come. Every part is optional; parts that are present all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeWish {
    /// A day that the words fix.
    pub date: Option<Date>,
    /// A weekday of no particular week.
    pub weekday: Option<Weekday>,
    /// A weekday that does not suit.
    pub not_weekday: Option<Weekday>,
    /// Part of the day.
    pub part_of_day: Option<PartOfDay>,
    /// An exact time.
    pub time: Option<Time>,
    /// Not earlier than this.
    pub not_before: Option<Time>,
    /// Not later than this.
    pub not_after: Option<Time>,
}

impl TimeWish {
    /// Whether nothing was wished for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One thing that the caller's words ask the dialogue to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Yes.
    Affirm,
    /// No.
    Deny,
    /// Cannot or will not say; in screening this counts as yes.
    Unsure,
    /// A person instead of this line.
    RequestPerson,
    /// Once more, please.
    Repeat,
    /// The caller is about to end the call.
    Goodbye,
    /// A date of birth.
    DateOfBirth(Phi<Date>),
    /// A name, as heard.
    Name(Phi<String>),
    /// Digits in the order said.
    Digits(Phi<String>),
    /// A wish for an appointment's day and time.
    When(TimeWish),
}

/// The commands in one utterance, and who found them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understanding {
    /// In the order in which they should be carried out.
    pub commands: Vec<Command>,
    /// Who decided.
    pub by: UnderstoodBy,
}

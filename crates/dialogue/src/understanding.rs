//! What was asked and what was understood: the closed vocabulary between language and dialogue.

use jiff::civil::{Date, DateTime, Time, Weekday};
use radline_phi::Phi;

use crate::red_flags::Suspicion;
use crate::vocabulary::{DateOrder, Distress, ExamMention, Feeling, Intent, Modality, Side};
use crate::wording;

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

impl Expectation {
    /// How many keys on the telephone answer the question, where that is known: input is complete
    /// then. Otherwise the hash key or a pause ends it.
    pub const fn keys(self) -> Option<usize> {
        match self {
            Self::YesNo | Self::Choice => Some(1),
            Self::DateOfBirth => Some(8),
            Self::Digits | Self::Name | Self::DayTime | Self::Story | Self::Open => None,
        }
    }
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

impl PartOfDay {
    /// How it is said.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// Whether the time of day falls into it.
    pub fn contains(self, time: Time) -> bool {
        match self {
            Self::Morning => time.hour() < 12,
            Self::Afternoon => (12..17).contains(&time.hour()),
            Self::Evening => time.hour() >= 17,
        }
    }
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

    /// The wish in the words of the record.
    pub fn described(&self) -> String {
        let parts = [
            self.date.map(|date| format!("on {date}")),
            self.weekday.map(|day| format!("on a {}", wording::weekday(day))),
            self.not_weekday.map(|day| format!("not on a {}", wording::weekday(day))),
            self.part_of_day.map(|part| format!("in the {}", part.spoken())),
            self.time.map(|time| format!("at {}", time.strftime("%H:%M"))),
            self.not_before.map(|time| format!("not before {}", time.strftime("%H:%M"))),
            self.not_after.map(|time| format!("not after {}", time.strftime("%H:%M"))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Whether a start time meets every part of the wish. "Not after" bounds the start: a caller
    /// who can come "by noon" can come at noon.
    pub fn admits(&self, start: DateTime) -> bool {
        let (date, time) = (start.date(), start.time());
        self.date.is_none_or(|wished| wished == date)
            && self.weekday.is_none_or(|wished| wished == date.weekday())
            && self.not_weekday.is_none_or(|unwanted| unwanted != date.weekday())
            && self.part_of_day.is_none_or(|part| part.contains(time))
            && self.time.is_none_or(|wished| wished == time)
            && self.not_before.is_none_or(|earliest| time >= earliest)
            && self.not_after.is_none_or(|latest| time <= latest)
    }

    /// This wish with the parts of a later one laid over it: "and in the morning" adds to
    /// "Tuesday", "Wednesday instead" replaces it.
    #[must_use]
    pub fn refined_by(&self, later: &Self) -> Self {
        let new_day = later.date.is_some() || later.weekday.is_some();
        let new_hour = later.part_of_day.is_some()
            || later.time.is_some()
            || later.not_before.is_some()
            || later.not_after.is_some();
        let (day, hour) = (if new_day { later } else { self }, if new_hour { later } else { self });
        Self {
            date: day.date,
            weekday: day.weekday,
            not_weekday: later.not_weekday.or(self.not_weekday),
            part_of_day: hour.part_of_day,
            time: hour.time,
            not_before: hour.not_before,
            not_after: hour.not_after,
        }
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
    /// A moment, please: the caller is looking for something.
    Wait,
    /// The caller asks whether they speak with a machine.
    AskIfMachine,
    /// The caller takes back the consent to be recorded.
    StopRecording,
    /// The caller is about to end the call.
    Goodbye,
    /// The call is about someone else than the caller.
    OnBehalf,
    /// The caller would rather speak another language.
    RequestInterpreter,
    /// An answering machine speaks.
    Voicemail,
    /// Whoever picked up has never heard of the patient.
    WrongNumber,
    /// The caller wants no more calls from this line.
    OptOut,
    /// What the caller wants done.
    Want(Intent),
    /// A question, by its topic, such as "parking".
    Ask(String),
    /// What weighs on the caller.
    Feels(Distress, Feeling),
    /// Something about the exam.
    Exam(ExamMention),
    /// A date of birth.
    DateOfBirth(Phi<Date>),
    /// A name, as heard.
    Name(Phi<String>),
    /// Digits in the order said.
    Digits(Phi<String>),
    /// One of the options read out, counted from 0.
    Choose(usize),
    /// The last of the options read out.
    ChooseLast,
    /// A wish for an appointment's day and time.
    When(TimeWish),
}

impl Command {
    /// Whether it is a yes, a no, or a doubt.
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Affirm | Self::Deny | Self::Unsure)
    }

    /// The command's name in records: its kind, never its value.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Affirm => "affirm",
            Self::Deny => "deny",
            Self::Unsure => "unsure",
            Self::RequestPerson => "request_person",
            Self::Repeat => "repeat",
            Self::Wait => "wait",
            Self::AskIfMachine => "ask_if_machine",
            Self::StopRecording => "stop_recording",
            Self::Goodbye => "goodbye",
            Self::OnBehalf => "on_behalf",
            Self::RequestInterpreter => "request_interpreter",
            Self::Voicemail => "voicemail",
            Self::WrongNumber => "wrong_number",
            Self::OptOut => "opt_out",
            Self::Ask(_) => "ask",
            Self::Feels(..) => "feels",
            Self::Want(_) => "want",
            Self::Exam(_) => "exam",
            Self::DateOfBirth(_) => "date_of_birth",
            Self::Name(_) => "name",
            Self::Digits(_) => "digits",
            Self::Choose(_) => "choose",
            Self::ChooseLast => "choose_last",
            Self::When(_) => "when",
        }
    }

    /// The command with its value, for the stored record and the screen of text mode.
    pub fn described(&self) -> Phi<String> {
        let kind = self.kind();
        Phi::new(match self {
            Self::Want(intent) => format!("{kind} {}", intent.key()),
            Self::Ask(topic) => format!("{kind} {topic}"),
            Self::Exam(exam) => {
                let modality = exam.modality.map_or("", Modality::key);
                let side = exam.side.map_or("", Side::spoken);
                let part = exam.body_part.as_deref().unwrap_or_default();
                let words = [kind, modality, side, part];
                words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
            }
            Self::DateOfBirth(date) => format!("{kind} {}", date.expose()),
            Self::Name(text) | Self::Digits(text) => format!("{kind} {}", text.expose()),
            Self::Choose(index) => format!("{kind} {}", index + 1),
            Self::When(wish) => format!("{kind} {}", wish.described()),
            _ => kind.to_owned(),
        })
    }
}

/// What the last question was: everything that understanding may use of the dialogue's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The shape of the answer.
    pub expectation: Expectation,
    /// How many options were read out, 0 when none were.
    pub options: usize,
    /// How many digits the number has that is asked for; empty when that is not known.
    pub digits: Vec<usize>,
    /// How a bare date is read at this site.
    pub date_order: DateOrder,
    /// Whether any wish may be told here beside the answer, as at the beginning of a call.
    pub opens: bool,
    /// Whether it asks for something wrong, as safety questions do: "they are fine" denies that.
    pub trouble: bool,
    /// Whether it reads back what is about to count: only a clear yes is one.
    pub reads_back: bool,
    /// The words of the question, for the language model's prompt.
    pub asked: Phi<String>,
}

impl Question {
    /// A question of this shape, of which nothing else is known.
    pub fn of(expectation: Expectation) -> Self {
        Self {
            expectation,
            options: 0,
            digits: Vec::new(),
            date_order: DateOrder::default(),
            opens: false,
            trouble: false,
            reads_back: false,
            asked: Phi::default(),
        }
    }
}

/// The commands in one utterance, and who found them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understanding {
    /// In the order in which they should be carried out.
    pub commands: Vec<Command>,
    /// Who decided.
    pub by: UnderstoodBy,
    /// Danger that the classifier takes the words for.
    pub danger: Option<Suspicion>,
    /// A sentence to what weighs on the caller, made from one of the site's
    /// ([`Empathy::worded`](crate::scenario::Empathy)).
    pub acknowledgement: Option<Phi<String>>,
}

impl Understanding {
    /// What the deterministic parsers found; nobody's when that is nothing.
    pub fn from_parsers(commands: Vec<Command>) -> Self {
        let by = if commands.is_empty() { UnderstoodBy::Nobody } else { UnderstoodBy::Parsers };
        Self { commands, by, danger: None, acknowledgement: None }
    }

    /// Whether it has to be asked back: only the model read it, and it is a yes, a no, or a wish that
    /// changes the course of the call. A question that it misread costs one sentence.
    pub fn needs_a_word(&self) -> bool {
        let weighty = |command: &Command| match command {
            Command::Affirm | Command::Deny | Command::Unsure | Command::RequestPerson => true,
            Command::Want(intent) => {
                !matches!(intent, Intent::Question | Intent::Prepare | Intent::Results)
            }
            _ => false,
        };
        self.by == UnderstoodBy::Model && self.commands.iter().any(weighty)
    }

    /// Whether the command kind is among the commands.
    pub fn has(&self, command: &Command) -> bool {
        self.commands.contains(command)
    }

    /// The same without a yes, a no, or a doubt.
    #[must_use]
    pub fn without_answer(&self) -> Self {
        let mut rest = self.clone();
        rest.commands.retain(|command| !command.is_answer());
        rest
    }

    /// What the caller asks about, in order.
    pub fn topics(&self) -> impl Iterator<Item = &String> {
        self.commands.iter().filter_map(|command| match command {
            Command::Ask(topic) => Some(topic),
            _ => None,
        })
    }

    /// What the caller wants done, in order.
    pub fn wants(&self) -> impl Iterator<Item = Intent> + '_ {
        self.commands.iter().filter_map(|command| match command {
            Command::Want(intent) => Some(*intent),
            _ => None,
        })
    }

    /// The day and time that the caller wishes for.
    pub fn wish(&self) -> Option<&TimeWish> {
        self.commands.iter().find_map(|command| match command {
            Command::When(wish) => Some(wish),
            _ => None,
        })
    }

    /// Which of so many things the caller chooses, counted from 0. It may be more than there are.
    pub fn chosen_of(&self, count: usize) -> Option<usize> {
        self.commands.iter().find_map(|command| match command {
            Command::Choose(index) => Some(*index),
            Command::ChooseLast => count.checked_sub(1),
            _ => None,
        })
    }
}

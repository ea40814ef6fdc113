//! A scenario as data: a statechart that a clinician can read.
//!
//! A state says something, then asks (`ask`), decides (`check`), acts (`act`), screens
//! (`screening`), answers from the site's records (`record`), gives instructions (`instruct`) or
//! ends the call (`end`). What comes back is an outcome such as `yes`, `value` or `held`, and `on`
//! names the next state for it.
//!
//! A site has one statechart in several files, its chapters: one for what all calls share, one for
//! each kind of call. A state of one chapter may lead to a state of another, which is how a caller
//! changes from one scenario to the next in the middle of a call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::action::CallbackReason;
use crate::red_flags::RedFlag;
use crate::screening::{ScreeningQuestion, Stage};
use crate::understanding::Expectation;
use crate::vocabulary::{Feeling, Intent};

mod diagram;
mod handover;
mod soundness;

pub use handover::Handover;

/// What can go wrong with scenario files.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// Path as given.
        file: String,
        /// From the system.
        reason: String,
    },
    /// The file is not what it should be; the message has line and column.
    #[error("{file}: {reason}")]
    Malformed {
        /// Path as given.
        file: String,
        /// From the parser.
        reason: String,
    },
    /// The files read, but their statechart does not hold together.
    #[error("{}", findings.join("\n"))]
    Unsound {
        /// What does not hold, each with file, line and state.
        findings: Vec<String>,
    },
}

/// A site's whole statechart.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What all calls share.
    pub line: Line,
    /// The files that it was read from.
    pub chapters: Vec<Chapter>,
    /// The states of all chapters.
    pub states: BTreeMap<String, State>,
    /// The screening table, in the order of asking.
    pub screening: Vec<ScreeningQuestion>,
}

/// A file of a scenario: its head.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Short name, such as "AT".
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Version of the text and rules; part of every reply's provenance.
    pub version: String,
    /// Who has approved it, or that nobody has.
    pub approval: String,
    /// The file's name.
    pub file: String,
    /// State → line in the file, for messages.
    lines: BTreeMap<String, usize>,
}

/// A scenario file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChapterFile {
    id: String,
    title: String,
    version: String,
    approval: String,
    line: Option<Line>,
    #[serde(default)]
    states: BTreeMap<String, State>,
    #[serde(default)]
    screening: Vec<ScreeningQuestion>,
}

/// What all calls on a site's line share. Exactly one chapter has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Where calls begin.
    pub starts: Starts,
    /// Short answers that leave the state as it is.
    pub asides: Asides,
    /// What is said to feelings, before facts.
    pub empathy: Empathy,
    /// Where a call goes whatever the state.
    pub exits: Exits,
    /// The script for each red flag: the state that begins it.
    pub red_flags: BTreeMap<RedFlag, String>,
    /// Where a change of an earlier answer leads.
    pub corrected: BTreeMap<SlotName, String>,
    /// Where a wish leads that comes up in the middle of another one.
    pub wishes: BTreeMap<Intent, String>,
    /// What is said around a person taking over.
    pub handover: Handover,
}

/// Where calls begin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// A patient phones.
    pub inbound: String,
    /// Radline phones a patient to prepare an appointment.
    pub preparation: String,
}

/// Short answers that leave the state as it is; the question is asked again after most.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asides {
    /// "Am I talking to a machine?" Truthful, always.
    pub machine: String,
    /// "Hold on, I'm looking for it."
    pub wait: String,
    /// A question that no record answers.
    pub question: String,
    /// A question about getting ready, before it is known for which exam.
    pub which_exam: String,
    /// Before going back to change an earlier answer.
    pub corrected: String,
    /// After the caller took back the consent to be recorded.
    pub recording_stopped: String,
    /// After an answer that only the language model could read, and read as a yes: asks whether it
    /// was one.
    pub taken_as_yes: String,
    /// The same for a no.
    pub taken_as_no: String,
    /// Before a question is repeated because it was not understood.
    pub not_understood: String,
    /// Before a question is repeated because nothing was heard.
    pub not_heard: String,
    /// While the clinic's answer takes longer than a pause in talking.
    pub working: String,
    /// Before the call is given to a person because a part of the system failed.
    pub failure: String,
}

/// What is said to feelings: acknowledged in a sentence, before facts, and never more than the
/// words show. Each list is gone through in turn, so that nothing is said twice.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empathy {
    /// To waiting for a result.
    pub waiting: Vec<String>,
    /// To fear of the exam.
    pub exam: Vec<String>,
    /// To anything else that weighs.
    pub general: Vec<String>,
    /// To anger about the clinic or this line.
    pub anger: Vec<String>,
    /// The state for strong feelings without a question or an answer in them.
    pub strong: String,
    /// Sentences by feeling into which what weighs on the caller is put, in their own words, where the
    /// language model finds any (`{what}`). Without them the others are spoken.
    #[serde(default)]
    pub worded: BTreeMap<Feeling, Vec<String>>,
}

impl Empathy {
    /// The sentences to a feeling.
    pub fn plain(&self, feeling: Feeling) -> &[String] {
        match feeling {
            Feeling::Waiting => &self.waiting,
            Feeling::Exam => &self.exam,
            Feeling::Anger => &self.anger,
            Feeling::General => &self.general,
        }
    }

    /// Those into which the caller's words are put.
    pub fn worded(&self, feeling: Feeling) -> &[String] {
        self.worded.get(&feeling).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Where a call goes whatever the state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exits {
    /// The caller asks for a person.
    pub person: String,
    /// The call is about someone else, and a person has to see who may speak for whom.
    pub on_behalf: String,
    /// Somebody calls for the patient: asks who they are, so that their recorded authority can be looked up.
    /// Without it a person does that.
    pub proxy: Option<String>,
    /// The caller needs another language.
    pub interpreter: String,
    /// An answering machine picked up.
    pub voicemail: String,
    /// Whoever picked up has never heard of the patient.
    pub wrong_number: String,
    /// The caller wants no more calls from this line.
    pub opt_out: String,
    /// Too many answers were not understood.
    pub not_understood: String,
    /// Nothing was heard for too long.
    pub silence: String,
    /// A part of the system failed.
    pub failure: String,
    /// The caller says goodbye.
    pub goodbye: String,
    /// Another wish came up: asks whether it is meant.
    pub other_wish: String,
    /// A question that no record answers, where nothing else is open.
    pub no_record: String,
    /// A safety finding is told once there is an appointment.
    pub late_finding: String,
}

impl Exits {
    /// Each with its name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let proxy = self.proxy.iter().map(|proxy| ("proxy", proxy));
        let always = [
            ("person", &self.person),
            ("on_behalf", &self.on_behalf),
            ("interpreter", &self.interpreter),
            ("voicemail", &self.voicemail),
            ("wrong_number", &self.wrong_number),
            ("opt_out", &self.opt_out),
            ("not_understood", &self.not_understood),
            ("silence", &self.silence),
            ("failure", &self.failure),
            ("goodbye", &self.goodbye),
            ("other_wish", &self.other_wish),
            ("no_record", &self.no_record),
            ("late_finding", &self.late_finding),
        ];
        always.into_iter().chain(proxy)
    }
}

/// A place for one value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SlotName {
    /// Consent to recording.
    Recording,
    /// What the caller wants done.
    Purpose,
    /// The exam that the caller speaks of.
    Exam,
    /// Name.
    Name,
    /// Name of whoever speaks for the patient.
    Proxy,
    /// Date of birth.
    DateOfBirth,
    /// Which of several orders.
    Order,
    /// Which of several appointments.
    Appointment,
    /// Side of the body, as the caller says it.
    Side,
    /// Wish for day and time.
    When,
    /// Which of the offered times.
    Offer,
    /// Where to call back.
    CallbackNumber,
    /// Where the caller is, in their words.
    Location,
    /// The preparation in the caller's own words.
    TeachBack,
}

/// A decision that needs nothing but what the dialogue knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// What does the caller want? The intent's name; `none` while that is not known.
    Purpose,
    /// Does the order have a side? `yes`, `no`.
    OrderHasSide,
    /// Is the order `asap` or `stat`, which a person schedules? `yes`, `no`.
    OrderUrgent,
    /// Does the payer cover the order, as far as the record knows? `yes`, `no`.
    OrderCovered,
    /// Is it the caller's side? `yes`, `no`.
    SideMatches,
    /// Does a safety answer stop the exam? `yes`, `no`.
    Stopped,
    /// Were safety questions denied that have to be read back? `yes`, `no`.
    HasDenials,
    /// Is the patient known by two identifiers? `yes`, `no`.
    Identified,
    /// Does the clinic have a number for the call-back? `yes`, `no`.
    HasCallbackNumber,
    /// Does the preparation hold points that the patient should say back? `yes`, `no`.
    HasTeachBack,
    /// Is the appointment waiting for a review? `yes`, `no`.
    AppointmentPending,
    /// Was an appointment of this patient cancelled in this call? `yes`, `no`.
    Cancelled,
    /// Did the clinic place this call? `yes`, `no`.
    Outbound,
    /// Is somebody there who could take over now? `yes`, `no`.
    PersonPresent,
}

/// A request to the clinic, by name; the values come from the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// `matched`, `not_matched`.
    MatchIdentity,
    /// `found`, `several`, `none`, `mismatch`, `expired`.
    FindOrders,
    /// `found`, `several`, `none`.
    FindAppointments,
    /// `offers`, `nearest`, `none`.
    FindSlots,
    /// `held`, `taken`.
    Hold,
    /// `booked`, `held_for_review`, `taken`.
    Book,
    /// `moved`, `taken`.
    Reschedule,
    /// `cancelled`.
    Cancel,
    /// `held_for_review`.
    HoldForReview,
    /// `done`.
    RecordPreparation,
    /// `callback_noted`.
    RequestCallback,
    /// `done`.
    AmendCallback,
    /// `done`. It is not safe to call the patient's number.
    ForbidCallback,
    /// `done`.
    OptOut,
    /// `done`.
    Release,
}

/// One state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that an author writes or not")]
pub struct State {
    /// Spoken on entry.
    pub say: String,
    /// The question, spoken after `say` and whenever it is asked again.
    pub ask: String,
    /// Other words for the question, for the second, third … time.
    pub again: Vec<String>,
    /// The shape of the answer.
    pub expects: Option<Expectation>,
    /// How many digits the number may have that is asked for.
    pub digits: Vec<usize>,
    /// The slot that the answer fills.
    pub fills: Option<SlotName>,
    /// Slots that are emptied on entry.
    pub clears: Vec<SlotName>,
    /// What the caller wants, from here on.
    pub purpose: Option<Intent>,
    /// A decision.
    pub check: Option<Check>,
    /// A request to the clinic.
    pub act: Option<Act>,
    /// Why, for `request_callback`.
    pub reason: Option<CallbackReason>,
    /// Ask the open screening questions of this stage: `clear`, `review`, `stop`.
    pub screening: Option<Stage>,
    /// Forget the screening answers on entry.
    pub screen_afresh: bool,
    /// Say the site's record on this topic, or, with "@asked", on what the caller asked about:
    /// `done`, `none`.
    pub record: Option<String>,
    /// Speak the instructions for the appointment: `done`, `none`.
    pub instruct: bool,
    /// The state that asks what it is about, where callers tell that here already.
    pub opens: Option<String>,
    /// The question asks for something wrong: "all is fine" is a no to it.
    pub trouble: bool,
    /// The values that count are read back here: a yes confirms them.
    pub reads_back: bool,
    /// Where a reading by the language model is confirmed before it counts. Without it such a
    /// reading is not used here: the model never decides.
    pub confirm: Option<String>,
    /// Outcome → next state.
    pub on: BTreeMap<String, String>,
    /// Where to go after too many answers that were not understood; the exit unless told.
    pub fails_to: Option<String>,
    /// How often the state may be entered in a call, and where the next attempt goes.
    pub limit: Option<Limit>,
    /// The caller waits here until a person takes over: `nobody`, and `no` for a caller who would
    /// rather be called back.
    pub connect: bool,
    /// What is said here (`say`) is not cut short by the caller's voice.
    pub firm: bool,
    /// The call ends here.
    pub end: bool,
    /// Name and version of the chapter that it stands in.
    #[serde(skip)]
    pub chapter: String,
}

/// How often a state may be entered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Entries allowed.
    pub entries: u8,
    /// Where the next one goes.
    pub then: String,
}

/// A target that stands for what is being confirmed.
pub(crate) const CONFIRMED: &str = "@confirmed";
/// A target that stands for the state that a confirmation interrupted.
pub(crate) const BACK: &str = "@back";
/// A record's topic that stands for what the caller asked about.
pub(crate) const ASKED: &str = "@asked";

impl Scenario {
    /// Name and version, for the record: the chapter that the others hang on.
    pub fn name(&self) -> String {
        let names =
            self.chapters.iter().map(|chapter| format!("{} {}", chapter.id, chapter.version));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Reads and checks every `.toml` file of a folder, in the order of their names.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn load(folder: &Path) -> Result<Self, ScenarioError> {
        let unreadable = |path: &Path, error: std::io::Error| ScenarioError::Unreadable {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            files.push((path.display().to_string(), text));
        }
        Self::read(&files)
    }

    /// Reads and checks the texts of scenario files, each with its name.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn read(files: &[(String, String)]) -> Result<Self, ScenarioError> {
        let (mut lines, mut findings) = (Vec::new(), Vec::new());
        let (mut chapters, mut screening) = (Vec::new(), Vec::new());
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        for (file, text) in files {
            let chapter: ChapterFile = toml::from_str(text).map_err(|error| {
                ScenarioError::Malformed { file: file.clone(), reason: error.to_string() }
            })?;
            let name = format!("{} {}", chapter.id, chapter.version);
            lines.extend(chapter.line);
            for (state, mut what) in chapter.states {
                what.chapter.clone_from(&name);
                if states.insert(state.clone(), what).is_some() {
                    findings.push(format!("{file}: there is a second state \"{state}\""));
                }
            }
            screening.extend(chapter.screening);
            chapters.push(Chapter {
                id: chapter.id,
                title: chapter.title,
                version: chapter.version,
                approval: chapter.approval,
                file: file.clone(),
                lines: headings(text),
            });
        }
        let line = match (lines.len(), lines.pop()) {
            (1, Some(line)) => line,
            (count, _) => {
                let what = format!("one scenario file needs a [line] table; {count} have it");
                return Err(ScenarioError::Unsound { findings: vec![what] });
            }
        };
        let scenario = Self { line, chapters, states, screening };
        findings.extend(scenario.findings());
        if findings.is_empty() { Ok(scenario) } else { Err(ScenarioError::Unsound { findings }) }
    }

    /// File and line of a state, for messages.
    pub fn place(&self, state: &str) -> String {
        let place = |chapter: &Chapter| {
            chapter.lines.get(state).map(|line| format!("{}:{line}", chapter.file))
        };
        self.chapters.iter().find_map(place).unwrap_or_default()
    }

    /// Where each state may lead, by outcome.
    pub fn targets<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (&'a str, &'a String)> + 'a {
        let named = state.on.iter().map(|(outcome, target)| (outcome.as_str(), target));
        let fails = state.fails_to.iter().map(|target| ("not understood", target));
        let confirm = state.confirm.iter().map(|target| ("read by the model", target));
        let limit = state.limit.iter().map(|limit| ("once too often", &limit.then));
        named.chain(fails).chain(confirm).chain(limit)
    }

    /// The states from which calls and exits begin.
    pub fn entrances(&self) -> BTreeSet<&String> {
        let line = &self.line;
        let mut open: BTreeSet<&String> =
            BTreeSet::from([&line.starts.inbound, &line.starts.preparation, &line.empathy.strong]);
        open.extend(line.exits.all().map(|(_, target)| target));
        open.extend(line.red_flags.values().chain(line.corrected.values()));
        open.extend(line.wishes.values());
        let handover = &line.handover;
        open.extend([&handover.returned, &handover.lost, &handover.rejected]);
        open
    }
}

/// The line on which each state begins.
fn headings(text: &str) -> BTreeMap<String, usize> {
    let heading = |(index, line): (usize, &str)| {
        let name = line.trim().strip_prefix("[states.")?.strip_suffix(']')?;
        Some((name.to_owned(), index + 1))
    };
    text.lines().enumerate().filter_map(heading).collect()
}

//! The record of a call: append-only events, each with its time since the call began.

use radline_dialogue::{CallbackReason, RedFlag, UnderstoodBy};
use radline_phi::{Phi, stored};
use serde::{Deserialize, Serialize};

use crate::approval::DraftVerdict;
use crate::barge_in::Verdict;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Since the call began, ms.
    pub at_ms: u64,
    /// The turn it belongs to; the greeting is 0.
    pub turn: u32,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The call began.
    Started {
        /// Scenario and version.
        scenario: String,
    },
    /// The dialogue entered a state.
    Entered {
        /// Its name.
        state: String,
    },
    /// The agent spoke a sentence.
    AgentSaid {
        /// The words.
        #[serde(with = "stored")]
        text: Phi<String>,
        /// Scenario, version, state and part that the words come from.
        source: String,
        /// When the caller began to hear it, ms since the call began.
        from_ms: u64,
        /// How much of it was heard, ms.
        heard_ms: u64,
        /// How long it is, ms.
        length_ms: u64,
        /// The words that were heard, when that was not all of them.
        #[serde(default, with = "stored")]
        heard: Phi<Option<String>>,
    },
    /// The caller spoke.
    CallerSaid {
        /// The words; absent when the caller did not agree to be recorded.
        #[serde(with = "stored")]
        words: Phi<Option<String>>,
        /// Mean probability of the words, 0 to 1.
        confidence: f32,
        /// Start of speech, ms since the call began.
        from_ms: u64,
        /// End of speech, ms since the call began.
        to_ms: u64,
    },
    /// Keys were pressed.
    KeysPressed {
        /// How many.
        count: usize,
    },
    /// What the words or keys were taken to mean.
    Understood {
        /// Who decided.
        by: UnderstoodBy,
        /// The commands with their values.
        #[serde(with = "stored")]
        commands: Phi<Vec<String>>,
    },
    /// Words that may mean danger.
    RedFlagRaised {
        /// The class.
        class: RedFlag,
    },
    /// A second, slower reading found danger that the first had not seen.
    SupervisorRaised {
        /// The class.
        class: RedFlag,
    },
    /// A second, slower reading heard a value otherwise. The caller is read back what counts, so that
    /// nothing follows from it but a mark for whoever reads the record.
    HeardOtherwise,
    /// A question was left unanswered by silence.
    NothingHeard,
    /// The agent's voice was cut by the caller's.
    BargeIn {
        /// From the caller's first sound to the agent's silence, ms.
        yield_ms: u64,
    },
    /// A sound over the agent's voice after which the agent went on where it had stopped.
    SpokeOn {
        /// What the sound was.
        because: Verdict,
        /// How long the agent was silent for it, ms.
        paused_ms: u64,
    },
    /// The caller went on with the words of the turn before, which had been taken for whole. What
    /// it led to is undone; the next turn has all the words.
    TurnReopened,
    /// The clinic was asked.
    ActionRequested {
        /// The action's name.
        action: String,
    },
    /// The clinic answered.
    ActionAnswered {
        /// The action's name.
        action: String,
        /// The outcome's name.
        outcome: String,
    },
    /// A person is needed.
    Escalated {
        /// Why.
        reason: CallbackReason,
    },
    /// The caller waits on the line for a person.
    QueuedForPerson,
    /// A person has taken over. From here on Radline is silent.
    PersonJoined {
        /// How long the caller had waited on the line, ms.
        waited_ms: u64,
    },
    /// The person spoke.
    PersonSaid {
        /// The words; absent when the caller did not agree to be recorded.
        #[serde(with = "stored")]
        words: Phi<Option<String>>,
        /// Mean probability of the words, 0 to 1.
        confidence: f32,
        /// Start of speech, ms since the call began.
        from_ms: u64,
        /// End of speech, ms since the call began.
        to_ms: u64,
    },
    /// The caller's exchange was asked to connect the caller and the person without us.
    TransferTried {
        /// What became of it.
        outcome: TransferOutcome,
    },
    /// What became of the need for a person.
    EscalationEnded {
        /// What.
        outcome: EscalationOutcome,
    },
    /// A reply waits for a person's word.
    Drafted {
        /// Its number.
        draft: u64,
        /// The dialogue's state that it belongs to.
        state: String,
    },
    /// What became of it.
    DraftDecided {
        /// Its number.
        draft: u64,
        /// What.
        verdict: DraftVerdict,
        /// Who decided: an account, "policy", "caller".
        by: String,
        /// After how long, ms.
        waited_ms: u64,
        /// Letters that were changed.
        edits: usize,
    },
    /// A person's words for a draft were not taken: they say something else than the record.
    WordingBlocked {
        /// The draft's number.
        draft: u64,
        /// Whose words.
        by: String,
        /// What differs.
        because: String,
        /// The words.
        #[serde(with = "stored")]
        words: Phi<String>,
        /// The draft, which is made of approved text.
        #[serde(with = "stored")]
        approved: Phi<String>,
    },
    /// How long the parts of a turn took.
    TurnTimed(TurnTiming),
    /// The caller put us on hold.
    Held,
    /// The caller came back.
    Resumed,
    /// The caller agreed to be recorded.
    RecordingStarted,
    /// The caller took back the consent to the recording.
    RecordingStopped,
    /// What the call sounded like from outside, once it is over.
    LineMeasured(LineFigures),
    /// Something did not work.
    Problem {
        /// What, without health data.
        what: String,
    },
    /// The call ended.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// What became of the need for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationOutcome {
    /// A person took the call and finished it.
    Taken,
    /// Everybody who could have taken it declined.
    Declined,
    /// Nobody took it in time, or nobody was there.
    NoAnswer,
    /// Everybody who could have taken it was talking.
    Busy,
    /// The caller left while they waited.
    CallerLeft,
    /// The connection to the person broke.
    ProviderDropped,
    /// The person gave the caller back.
    HandedBack,
    /// The caller is called back: there is a task for that.
    CallbackPromised,
}

impl EscalationOutcome {
    /// Name in records and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Declined => "declined",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::CallerLeft => "caller_left",
            Self::ProviderDropped => "provider_dropped",
            Self::HandedBack => "handed_back",
            Self::CallbackPromised => "callback_promised",
        }
    }
}

/// What became of the attempt to let the caller's exchange connect both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// They are connected.
    Connected,
    /// The exchange does not do it.
    Refused,
    /// It tried, and it failed.
    Failed,
    /// It never said what became of it.
    Late,
}

impl TransferOutcome {
    /// Name in records and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Late => "late",
        }
    }
}

/// Times that are kept of one call, at most.
pub const MILLISECONDS_MAX: usize = 500;

/// What a call sounded like from outside, measured at the line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineFigures {
    /// From the end of the caller's speech to the agent's voice, ms, one for each answer.
    pub voice_to_voice_ms: Vec<u64>,
    /// From the caller's first sound over the agent's voice to the agent's silence, ms.
    pub yield_ms: Vec<u64>,
    /// Time in which both spoke, ms.
    pub overlap_ms: u64,
    /// Time in silences of more than a second, ms.
    pub dead_air_ms: u64,
}

/// How long the parts of a turn took, ms, from the end of the caller's speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TurnTiming {
    /// Until the turn was held to be over.
    pub waited_ms: u64,
    /// Attempts to understand the turn; all but the last were dropped when the caller went on.
    #[serde(default)]
    pub attempts: u32,
    /// Work on the turn that was done before it was over, ms: what speculation won.
    #[serde(default)]
    pub won_ms: u64,
    /// Time that transcription took; it begins before the turn is over.
    pub transcription_ms: u64,
    /// Time that understanding took.
    pub understanding_ms: u64,
    /// From the decision to the words: the clinic's answers included.
    pub wording_ms: u64,
    /// From the words to their first audio.
    pub first_audio_ms: u64,
    /// From the end of the caller's speech to the agent's first frame.
    pub voice_to_voice_ms: u64,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The dialogue reached its end.
    Finished,
    /// A person took over and ended it.
    EndedByPerson,
    /// A person took over, and the caller's exchange has connected both without us.
    Transferred,
    /// The caller hung up.
    CallerHungUp,
    /// No packets came for too long.
    MediaLost,
    /// The longest call or hold was reached.
    TooLong,
    /// The server went down.
    Shutdown,
    /// The server died; the next one ended the record.
    ServerLost,
    /// A part of the system failed.
    Failed,
    /// The caller was gone before the call began.
    NotConnected,
}

impl EndReason {
    /// Name in records and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::EndedByPerson => "ended_by_person",
            Self::Transferred => "transferred",
            Self::CallerHungUp => "caller_hung_up",
            Self::MediaLost => "media_lost",
            Self::TooLong => "too_long",
            Self::Shutdown => "shutdown",
            Self::ServerLost => "server_lost",
            Self::Failed => "failed",
            Self::NotConnected => "not_connected",
        }
    }
}

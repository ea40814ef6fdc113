//! What a call asks of the world around it.

use std::time::Duration;

use radline_audio::AudioFrame;
use radline_dialogue::{Action, Expectation, LookUp, Question, Sentence};
use radline_phi::Phi;

use crate::approval::Unanswered;
use crate::event::{CallEvent, EndReason};
use crate::input::TurnId;

/// A turn that is to be read once more.
#[derive(Debug, Clone)]
pub struct Reread {
    /// Its number; goes back with the result.
    pub turn: u32,
    /// What was asked.
    pub question: Question,
    /// Whether that asked about the past.
    pub past: bool,
    /// 16 kHz mono; nothing where the words were written.
    pub audio: Phi<Vec<i16>>,
    /// The words as they were read.
    pub words: Phi<String>,
    /// The caller's words of the turn before.
    pub before: Phi<String>,
}

/// A reply that waits for a person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftReply {
    /// Goes back with the word.
    pub draft: u64,
    /// What would be spoken.
    pub text: Phi<String>,
    /// Where its sentences come from.
    pub sources: Vec<String>,
    /// How long it waits.
    pub wait: Duration,
    /// What happens then.
    pub unanswered: Unanswered,
}

/// What a call asks of the world around it.
#[derive(Debug, Clone)]
pub enum CallOutput {
    /// Turn audio into words. Effect-free: the result may be dropped.
    Transcribe {
        /// Goes back with the result.
        turn: TurnId,
        /// 16 kHz mono.
        audio: Phi<Vec<i16>>,
        /// What was asked.
        expectation: Expectation,
    },
    /// This is being asked: the language model can read it while the caller listens.
    Ask(Question),
    /// Turn words into commands. Effect-free.
    Understand {
        /// Goes back with the result.
        turn: TurnId,
        /// The words.
        words: Phi<String>,
        /// What was asked.
        question: Question,
    },
    /// Turn keys into commands. Effect-free.
    UnderstandKeys {
        /// Goes back with the result.
        turn: TurnId,
        /// The keys in order.
        keys: Phi<String>,
        /// What was asked.
        question: Question,
    },
    /// Ask the clinic. Only ever for a committed turn.
    Act {
        /// Goes back with the result.
        request: u32,
        /// What to do.
        action: Action,
    },
    /// Look something up at the clinic, for a turn that does not count yet. Effect-free by its type;
    /// the answer comes as that to [`Self::Act`] does.
    LookUp {
        /// Goes back with the result.
        request: u32,
        /// What to look up.
        look_up: LookUp,
    },
    /// Turn a sentence into audio. Effect-free.
    Synthesize {
        /// Goes back with the result.
        sentence_id: u32,
        /// The words.
        sentence: Sentence,
    },
    /// Read a turn that counts once more, with more time. Effect-free; nobody waits for it.
    Supervise(Reread),
    /// Write down what was said to or by a person. Effect-free; nobody waits for it, and the result
    /// comes as that to [`Self::Transcribe`] does.
    Overhear {
        /// Goes back with the result.
        turn: TurnId,
        /// 16 kHz mono.
        audio: Phi<Vec<i16>>,
    },
    /// The caller waits on the line for a person from here on.
    QueueForPerson,
    /// The caller waits no longer.
    LeaveQueue,
    /// A reply waits for a person's word. What becomes of it is on the record.
    Draft(DraftReply),
    /// Send this frame now.
    Play(AudioFrame),
    /// Keep this event.
    Record(CallEvent),
    /// The caller agreed: record from here on.
    StartRecording,
    /// Record no more: the caller has taken back the consent.
    StopRecording,
    /// End the call.
    HangUp(EndReason),
}

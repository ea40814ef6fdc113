//! What can happen to a call.

use radline_audio::{AudioFrame, DtmfDigit, SpeechProbability};
use radline_dialogue::{ActionOutcome, RedFlag, Understanding};
use radline_phi::Phi;

use crate::approval::Judgement;
use crate::event::{EscalationOutcome, TransferOutcome};

/// One attempt to hear the caller. Work that is given out carries it, and a result that comes
/// back with an old one changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TurnId(pub u32);

/// Words out of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// The words.
    pub text: Phi<String>,
    /// Mean probability of the words, 0 to 1.
    pub confidence: f32,
}

/// A part of a sentence's audio: the caller hears the first clause while the next is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenPart {
    /// 16 kHz mono.
    pub audio: Phi<Vec<i16>>,
    /// Whether the sentence ends with it.
    pub last: bool,
}

impl SpokenPart {
    /// A sentence that comes whole.
    pub const fn whole(audio: Phi<Vec<i16>>) -> Self {
        Self { audio, last: true }
    }
}

/// What a second, slower reading of a turn found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondReading {
    /// Danger that the first reading did not see.
    pub flag: Option<RedFlag>,
    /// The words that it was seen in.
    pub words: Phi<String>,
    /// A value that the first reading took up was heard otherwise.
    pub differs: bool,
}

/// How a person's part in a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonLeft {
    /// They gave the caller back.
    HandedBack,
    /// The connection to them broke.
    Lost,
    /// They have finished the call.
    Finished,
    /// They talk with the caller without us: the caller's exchange has connected both.
    Transferred,
}

/// What can happen to a call.
#[derive(Debug, Clone)]
pub enum CallInput {
    /// Both sides can hear each other.
    Connected,
    /// 20 ms from the caller, and how likely it is that they hold speech.
    Audio(AudioFrame, SpeechProbability),
    /// The playout clock: 20 ms have passed.
    Tick,
    /// A key was pressed.
    Key(DtmfDigit),
    /// The caller put us on hold.
    Held,
    /// The caller is back.
    Resumed,
    /// The caller is gone.
    HungUp,
    /// No packets have come for too long.
    MediaLost,
    /// A line of text, in text mode.
    Line(Phi<String>),
    /// The transcript for [`crate::CallOutput::Transcribe`], or that there is none.
    Transcribed(TurnId, Option<Transcript>),
    /// The understanding for [`crate::CallOutput::Understand`].
    Understood(TurnId, Understanding),
    /// The clinic's answer to [`crate::CallOutput::Act`].
    ClinicAnswered(u32, ActionOutcome),
    /// The next part of the audio for [`crate::CallOutput::Synthesize`], or that there is none.
    Synthesized(u32, Option<SpokenPart>),
    /// What came of [`crate::CallOutput::Supervise`], with the number of the turn.
    Supervised(u32, SecondReading),
    /// How many wait for a person before this caller.
    PlaceInLine(usize),
    /// Nobody can take over, for this reason.
    NobodyFree(EscalationOutcome),
    /// A person has taken over: both hear each other from here on.
    PersonJoined,
    /// 20 ms from that person, and how likely it is that they hold speech.
    PersonAudio(AudioFrame, SpeechProbability),
    /// The caller's exchange was asked to connect both without us, and this came of it. Until the person's
    /// side says that they are gone, the conversation goes on here.
    TransferTried(TransferOutcome),
    /// That person is gone.
    PersonLeft(PersonLeft),
    /// A person has decided about a draft, and who.
    DraftJudged(u64, Judgement, String),
    /// The server is going down.
    Shutdown,
}

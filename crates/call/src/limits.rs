//! Every wait and every bound of a call, in one place.

use std::time::Duration;

use radline_dialogue::Expectation;

/// Caller speech over the agent's voice that makes the agent stop.
pub const BARGE_IN: Duration = Duration::from_millis(300);
/// Silence after which the words so far are transcribed, in case the turn is over.
pub const EARLY_TRANSCRIPTION: Duration = Duration::from_millis(200);
/// Less voice than this is a click or a cough, not an utterance.
pub const SPEECH_MIN: Duration = Duration::from_millis(120);
/// Longest utterance; whoever talks longer is answered in between.
pub const UTTERANCE_MAX: Duration = Duration::from_secs(28);
/// Audio kept from before speech is noticed, so that the first sound is not cut off.
pub const PRE_ROLL: Duration = Duration::from_millis(300);
/// Silence before the question is asked again.
pub const NO_INPUT: Duration = Duration::from_secs(7);
/// The same after the caller asked for a moment.
pub const NO_INPUT_PATIENT: Duration = Duration::from_secs(25);
/// Pause that ends a row of keys.
pub const KEY_PAUSE: Duration = Duration::from_millis(2500);
/// Keys kept; more are noise.
pub const KEYS_MAX: usize = 32;
/// Longest wait for a transcript.
pub const TRANSCRIPTION_DEADLINE: Duration = Duration::from_secs(8);
/// Longest wait for an understanding.
pub const UNDERSTANDING_DEADLINE: Duration = Duration::from_secs(4);
/// Longest wait for the clinic.
pub const CLINIC_DEADLINE: Duration = Duration::from_secs(5);
/// Longest wait for a sentence's audio.
pub const SYNTHESIS_DEADLINE: Duration = Duration::from_secs(6);
/// Sentences that may fail to be spoken before the call is given up.
pub const SYNTHESIS_FAILURES_MAX: u32 = 3;
/// Transcriptions that may fail in a row before a person is promised.
pub const TRANSCRIPTION_FAILURES_MAX: u32 = 2;
/// Pause between two sentences of the agent.
pub const SENTENCE_GAP: Duration = Duration::from_millis(160);
/// Earlier readings that the language model is reminded of.
pub const READINGS_MAX: usize = 4;
/// Longest call.
pub const CALL_MAX: Duration = Duration::from_mins(20);
/// Longest hold.
pub const HOLD_MAX: Duration = Duration::from_mins(5);
/// Sentences waiting to be spoken.
pub const SENTENCES_MAX: usize = 32;

/// How long a caller may be silent before the turn is over, by what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// When the words so far answer the question.
    pub answered: Duration,
    /// When nothing is known about them yet.
    pub unknown: Duration,
    /// When they do not answer it: the caller may be searching for words.
    pub unanswered: Duration,
}

/// The silences for a question.
pub const fn silence(expectation: Expectation) -> Silence {
    let (answered, unknown, unanswered) = match expectation {
        Expectation::YesNo | Expectation::Choice => (450, 650, 800),
        Expectation::DateOfBirth => (550, 1000, 1400),
        Expectation::Name => (800, 900, 1100),
        Expectation::DayTime => (650, 850, 1000),
        Expectation::Digits => (1000, 1200, 1400),
        Expectation::Open => (700, 800, 900),
        Expectation::Story => (900, 1000, 1200),
    };
    Silence {
        answered: Duration::from_millis(answered),
        unknown: Duration::from_millis(unknown),
        unanswered: Duration::from_millis(unanswered),
    }
}

//! Every wait and every bound of a call, in one place.

use std::time::Duration;

use radline_dialogue::Expectation;

/// Caller speech over the agent's voice after which it pauses: at the first frame after it was
/// noticed.
pub const PAUSE_AFTER: Duration = Duration::from_millis(60);
/// How long the agent falls silent for a sound of which nobody can tell yet whether it is a voice …
pub const HESITATES_MAX: Duration = Duration::from_millis(300);
/// … how far below the caller's own level such a sound may be, dB …
pub const HESITATES_DB: f32 = 12.0;
/// … and how long it does not do so again when nothing came of it: a noise that lasts would make it stutter.
pub const HESITATES_AGAIN: Duration = Duration::from_secs(3);
/// Calm after which it goes on when nothing came of such a sound …
pub const CALM: Duration = Duration::from_millis(60);
/// … and after a cough or a noise, which often comes in two parts.
pub const CALM_AFTER_NOISE: Duration = Duration::from_millis(400);
/// Longest wait for that calm.
pub const CALM_MAX: Duration = Duration::from_millis(600);
/// Caller speech over the agent's voice that takes the floor whatever the words are.
pub const YIELD_AFTER: Duration = Duration::from_millis(1200);
/// How long the agent stays paused for somebody who has fallen silent.
pub const VERDICT_MAX: Duration = Duration::from_millis(1500);
/// Speech this much below the caller's own level comes from someone else in the room, dB.
pub const BACKGROUND_DB: f32 = 10.0;
/// What is taken for the caller's own level before they have spoken, dBFS. ITU-T's listening tests
/// play speech at −26 (P.830); distant and soft callers are some dB below.
pub const CALLER_LEVEL_LEAST_DBFS: f32 = -32.0;
/// A reply of which no more was played than this has not been heard: a caller who speaks now goes
/// on with what they were saying.
pub const REOPEN_PLAYED: Duration = Duration::from_millis(700);
/// How long a turn can be reopened. Later the caller answers, rather than goes on.
pub const REOPEN_MAX: Duration = Duration::from_secs(3);
/// Longest time that a reply is held back because the caller is speaking.
pub const REPLY_HELD_MAX: Duration = Duration::from_secs(4);
/// Silence after which the words so far are transcribed, in case the turn is over.
pub const EARLY_TRANSCRIPTION: Duration = Duration::from_millis(100);
/// Silence after which a sound too short for speech is forgotten.
pub const CLICK_OVER: Duration = Duration::from_millis(200);
/// More silence for a sentence that wants to go on.
pub const HESITATION: Duration = Duration::from_millis(400);
/// Pauses up to this length inside an utterance are usual.
pub const PACE_USUAL: Duration = Duration::from_millis(400);
/// Most that a slow caller's pauses add to the silence.
pub const PACE_MAX: Duration = Duration::from_millis(500);
/// Patience added for each time in a row that caller and agent began at the same moment. Speakers take
/// about 200 ms to notice each other and to fall silent; this is more than two of those …
pub const COLLISION: Duration = Duration::from_millis(500);
/// … and so many times at most.
pub const COLLISIONS_MAX: u32 = 2;
/// How long the clinic may take before the caller is told that it does.
pub const FILLER_AFTER: Duration = Duration::from_millis(1500);
/// Less voice than this is a click or a cough, not an utterance.
pub const SPEECH_MIN: Duration = Duration::from_millis(120);
/// Longest utterance; whoever talks longer is answered in between.
pub const UTTERANCE_MAX: Duration = Duration::from_secs(28);
/// A part of a long utterance that is at least this long, with a pause behind it, is transcribed
/// once: what follows costs only itself.
pub const PART_MIN: Duration = Duration::from_secs(5);
/// That pause. A shorter one may lie within a word.
pub const PART_PAUSE: Duration = Duration::from_millis(300);
/// Audio kept from before speech is noticed, so that the first sound is not cut off.
pub const PRE_ROLL: Duration = Duration::from_millis(300);
/// Silence before the question is asked again.
pub const NO_INPUT: Duration = Duration::from_secs(7);
/// The same when the caller answered before the question was out, and waits for its effect.
pub const NO_INPUT_EARLY: Duration = Duration::from_millis(1800);
/// A second reading of a turn that comes later than so many turns after it changes nothing: by then
/// the call is elsewhere, and the record has the words.
pub const SUPERVISED_TURNS: u32 = 3;
/// Times in a row that a question is said again for such a caller before it counts as not heard.
pub const REMINDERS_MAX: u32 = 2;
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
/// Longest call.
pub const CALL_MAX: Duration = Duration::from_mins(20);
/// Longest that a person talks with a caller before the line takes it for forgotten.
pub const PERSON_MAX: Duration = Duration::from_hours(1);
/// Longest that a caller waits on the line for a person, whatever the desk says.
pub const PERSON_WAIT_MAX: Duration = Duration::from_mins(5);
/// Silence after which a caller who waits for a person is told that they are not forgotten. Callers
/// take a longer one for a line that is dead.
pub const WAIT_WORD_EVERY: Duration = Duration::from_secs(15);
/// Longest that a reply waits for a person's word while the caller is asked for patience.
pub const APPROVAL_MAX: Duration = Duration::from_secs(40);
/// How often they are.
pub const PATIENCE_EVERY: Duration = Duration::from_secs(12);
/// Silence that ends an utterance of a conversation that is only written down.
pub const OVERHEARD_PAUSE: Duration = Duration::from_millis(700);
/// Utterances of such a conversation that are being transcribed; more are left out of the record.
pub const OVERHEARD_MAX: usize = 8;
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
        Expectation::YesNo => (240, 450, 600),
        Expectation::Choice => (280, 480, 650),
        Expectation::DateOfBirth => (300, 650, 1100),
        Expectation::Name => (420, 500, 600),
        Expectation::DayTime => (380, 550, 750),
        Expectation::Digits => (300, 700, 900),
        Expectation::Open => (340, 500, 600),
        Expectation::Story => (600, 700, 900),
    };
    Silence {
        answered: Duration::from_millis(answered),
        unknown: Duration::from_millis(unknown),
        unanswered: Duration::from_millis(unanswered),
    }
}

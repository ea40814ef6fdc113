//! Times the parts of a turn, from the end of the caller's speech to the agent's first frame.

use std::time::Duration;

use crate::event::TurnTiming;

/// Marks of one turn; times since the call began.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch {
    pub(super) speech_ended: Duration,
    pub(super) turn_ended: Duration,
    pub(super) transcription: Duration,
    pub(super) understanding: Duration,
    pub(super) decided: Duration,
    pub(super) worded: Option<Duration>,
    pub(super) attempts: u32,
    /// Work that was done before the turn was over.
    pub(super) won: Duration,
}

impl Stopwatch {
    /// The reply's words are known, unless the clinic has to be asked without a word.
    pub(super) fn worded(&mut self, now: Duration, has_words: bool) {
        if has_words {
            self.worded.get_or_insert(now);
        }
    }

    /// The first frame of the reply is due.
    pub(super) fn first_audio(&mut self, now: Duration) -> Option<TurnTiming> {
        let worded = self.worded?;
        let between = |from: Duration, to: Duration| to.saturating_sub(from).as_millis() as u64;
        Some(TurnTiming {
            waited_ms: between(self.speech_ended, self.turn_ended),
            attempts: self.attempts,
            won_ms: self.won.as_millis() as u64,
            transcription_ms: self.transcription.as_millis() as u64,
            understanding_ms: self.understanding.as_millis() as u64,
            wording_ms: between(self.decided, worded),
            first_audio_ms: between(worded, now),
            voice_to_voice_ms: between(self.speech_ended, now),
        })
    }
}

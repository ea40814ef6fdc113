//! When does the caller speak, and since when have they been silent?

use std::collections::VecDeque;
use std::time::Duration;

use radline_audio::{AudioFrame, SpeechProbability, level};

use crate::{FRAME, limits};

/// Speech begins above this probability …
const BEGINS: f32 = 0.5;
/// … and lasts until it falls below this one.
const LASTS: f32 = 0.35;
/// Frames in a row above [`BEGINS`] that are speech rather than a click.
const BEGIN_FRAMES: usize = 3;
/// Above this something may be a voice that begins softly. On 61 read sentences over a telephone line it is
/// passed 180 ms after the first audible packet in 95 of 100, [`BEGINS`] only after 340.
const STIRS: f32 = 0.1;
/// Frames in a row above it that count.
const STIR_FRAMES: usize = 3;
/// A frame this far below the utterance's mean level ends speech whatever the model says, dB.
const FADED_DB: f32 = 18.0;
/// How much of the recent power one frame is: it follows within about 150 ms, so that a single loud
/// syllable of somebody behind the caller does not count as the caller.
const RECENT: f64 = 0.15;

/// What the last frame changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Still silent, before any speech.
    Quiet,
    /// Speech began, or began again after a pause.
    Begun,
    /// Speech goes on.
    Speaking,
    /// A pause after speech.
    Pausing,
}

/// Follows the caller's voice and keeps the utterance.
#[derive(Debug, Default)]
pub struct Endpointing {
    /// The utterance from a little before its first sound; before speech, the last frames only.
    frames: VecDeque<AudioFrame>,
    /// Frames in a row that sound like speech, before speech has begun.
    rising: usize,
    stirring: Stirring,
    begun: bool,
    speaking: bool,
    voiced: Duration,
    silence: Duration,
    began_at: Duration,
    ended_at: Duration,
    /// The longest pause after which speech went on.
    longest_pause: Duration,
    /// Sum of the power of voiced frames, and their count.
    loudness: (f64, u32),
    /// Power of the last voiced frames.
    recent: f64,
    /// Frames whose words are known for good.
    settled: usize,
}

/// Something that may be a voice.
#[derive(Debug, Clone, Copy, Default)]
struct Stirring {
    /// Frames in a row.
    above: usize,
    /// Frames in a row that are not.
    below: usize,
    /// The loudest of them, power.
    loudest: f64,
}

impl Stirring {
    fn push(&mut self, speech: SpeechProbability, power: f64) {
        if speech.value() < STIRS {
            (self.above, self.below) = (0, self.below + 1);
        } else if self.above == 0 {
            (self.above, self.below, self.loudest) = (1, 0, power);
        } else {
            (self.above, self.loudest) = (self.above + 1, self.loudest.max(power));
        }
    }
}

/// An utterance that was taken, in case the caller goes on with it.
#[derive(Debug, Clone)]
pub struct Taken {
    frames: VecDeque<AudioFrame>,
    voiced: Duration,
    began_at: Duration,
}

impl Endpointing {
    /// Takes a frame that ends at `now`.
    pub fn push(&mut self, now: Duration, frame: AudioFrame, speech: SpeechProbability) -> Change {
        let power = level::power(frame.samples());
        self.stirring.push(speech, power);
        self.frames.push_back(frame);
        let threshold = if self.speaking { LASTS } else { BEGINS };
        // The model is sure of speech for about 100 ms after the last sound; the level is not.
        let usual = self.level().unwrap_or(level::SILENCE_DBFS);
        let faded = self.speaking && level::dbfs(power) < usual - FADED_DB;
        let voiced = speech.value() >= threshold && !faded;
        self.rising = if voiced { self.rising + 1 } else { 0 };
        if voiced {
            self.loudness = (self.loudness.0 + power, self.loudness.1 + 1);
            let before = if self.loudness.1 == 1 { power } else { self.recent };
            self.recent = RECENT.mul_add(power - before, before);
        } else if !self.begun {
            self.loudness = (0.0, 0);
        }
        if self.speaking {
            return self.while_speaking(now, voiced);
        }
        if self.rising >= BEGIN_FRAMES {
            return self.begin(now);
        }
        if self.begun {
            self.silence += FRAME;
            return Change::Pausing;
        }
        let keep = (limits::PRE_ROLL.as_millis() / FRAME.as_millis()) as usize;
        while self.frames.len() > keep {
            self.frames.pop_front();
        }
        Change::Quiet
    }

    fn begin(&mut self, now: Duration) -> Change {
        if !self.begun {
            self.began_at = now.saturating_sub(FRAME * BEGIN_FRAMES as u32);
        }
        self.longest_pause = self.longest_pause.max(self.silence);
        (self.begun, self.speaking, self.silence) = (true, true, Duration::ZERO);
        self.voiced += FRAME * BEGIN_FRAMES as u32;
        self.ended_at = now;
        Change::Begun
    }

    fn while_speaking(&mut self, now: Duration, voiced: bool) -> Change {
        if voiced {
            self.voiced += FRAME;
            self.ended_at = now;
            return Change::Speaking;
        }
        self.speaking = false;
        self.silence = FRAME;
        Change::Pausing
    }

    /// Forgets the utterance, after it was taken or because it does not count.
    pub fn reset(&mut self) {
        let keep = self.frames.len().min(BEGIN_FRAMES);
        let frames = self.frames.split_off(self.frames.len() - keep);
        *self = Self { frames, stirring: self.stirring, ..Self::default() };
    }

    /// Takes the utterance out, for [`Self::prepend`] if the caller goes on with it.
    pub fn take(&mut self) -> Taken {
        let taken = Taken {
            frames: std::mem::take(&mut self.frames),
            voiced: self.voiced,
            began_at: self.began_at,
        };
        self.reset();
        taken
    }

    /// The caller goes on with an utterance that was taken for whole: what is being heard now is
    /// its second part.
    pub fn prepend(&mut self, mut first: Taken) {
        first.frames.append(&mut self.frames);
        self.frames = first.frames;
        self.settled = 0;
        self.voiced += first.voiced;
        if first.voiced > Duration::ZERO {
            self.began_at = first.began_at;
        }
    }

    /// Whether the caller has begun to speak.
    pub const fn begun(&self) -> bool {
        self.begun
    }

    /// Whether the caller speaks right now.
    pub const fn speaking(&self) -> bool {
        self.speaking
    }

    /// Whether the last frame sounds like speech that may be about to begin.
    pub const fn may_begin(&self) -> bool {
        !self.speaking && self.rising > 0
    }

    /// Whether something sounds as if it may become speech, at this level (dBFS) at least: long before it is
    /// known to be some.
    pub fn stirs(&self, level: f32) -> bool {
        self.stirring.above >= STIR_FRAMES && level::dbfs(self.stirring.loudest) >= level
    }

    /// Since how long nothing sounds like it any more.
    pub fn calm(&self) -> Duration {
        FRAME * self.stirring.below as u32
    }

    /// How much of the utterance is voice.
    pub const fn voiced(&self) -> Duration {
        self.voiced
    }

    /// How long the caller has been silent after speech.
    pub const fn silence(&self) -> Duration {
        self.silence
    }

    /// Start and end of speech, since the call began.
    pub const fn span(&self) -> (Duration, Duration) {
        (self.began_at, self.ended_at)
    }

    /// The longest pause inside the utterance so far.
    pub const fn longest_pause(&self) -> Duration {
        self.longest_pause
    }

    /// Mean level of the voiced frames, dBFS; none before the first.
    pub fn level(&self) -> Option<f32> {
        let (sum, frames) = self.loudness;
        (frames > 0).then(|| level::dbfs(sum / f64::from(frames)))
    }

    /// Level of the last voiced frames, dBFS; none before the first.
    pub fn recent_level(&self) -> Option<f32> {
        (self.loudness.1 > 0).then(|| level::dbfs(self.recent))
    }

    /// Length of the utterance so far, pauses included.
    pub fn length(&self) -> Duration {
        FRAME * self.frames.len() as u32
    }

    /// The words of the first so many frames are known for good: what is still to be transcribed
    /// begins behind them.
    pub fn settle(&mut self, frames: usize) {
        self.settled = frames.min(self.frames.len());
    }

    /// Frames whose words are known for good.
    pub const fn settled(&self) -> usize {
        self.settled
    }

    /// Frames of the utterance so far.
    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// What is to be transcribed of the utterance, 16 kHz.
    pub fn audio(&self) -> Vec<i16> {
        let frames = self.frames.iter().skip(self.settled);
        frames.flat_map(|frame| frame.samples().iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(endpointing: &mut Endpointing, from: &mut u64, frames: usize, speech: f32) -> Change {
        let mut change = Change::Quiet;
        for _ in 0..frames {
            *from += u64::from(radline_audio::FRAME_MS);
            let now = Duration::from_millis(*from);
            change = endpointing.push(now, AudioFrame::silence(), SpeechProbability::new(speech));
        }
        change
    }

    #[test]
    fn clicks_do_not_begin_an_utterance_and_the_first_sound_is_kept() {
        let (mut endpointing, mut clock) = (Endpointing::default(), 0);
        push(&mut endpointing, &mut clock, 50, 0.1);
        assert_eq!(push(&mut endpointing, &mut clock, 2, 0.9), Change::Quiet);
        push(&mut endpointing, &mut clock, 5, 0.1);
        assert_eq!(push(&mut endpointing, &mut clock, 3, 0.9), Change::Begun);
        assert!(endpointing.length() >= limits::PRE_ROLL);
    }

    #[test]
    fn silence_counts_from_the_last_voice_and_speech_resumes() {
        let (mut endpointing, mut clock) = (Endpointing::default(), 0);
        push(&mut endpointing, &mut clock, 20, 0.9);
        assert_eq!(push(&mut endpointing, &mut clock, 10, 0.0), Change::Pausing);
        assert_eq!(endpointing.silence(), Duration::from_millis(200));
        assert_eq!(endpointing.span().1, Duration::from_millis(400));
        push(&mut endpointing, &mut clock, 2, 0.9);
        assert_eq!(push(&mut endpointing, &mut clock, 1, 0.9), Change::Begun);
        assert_eq!(endpointing.silence(), Duration::ZERO);
        assert_eq!(endpointing.span().0, Duration::ZERO);
    }
}

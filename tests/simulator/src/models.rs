//! Fakes of the models, as slow as the real ones were measured to be on two cores (BENCHMARKS.md),
//! and now and then much slower, failing, or silent for ever.

use std::collections::BTreeSet;
use std::time::Duration;

use radline_call::{CallInput, Transcript, TurnId};
use radline_phi::Phi;
use rand::Rng;
use rand::rngs::StdRng;

use crate::mark::{Mark, Source};
use crate::script::Utterance;

/// Transcription: fixed part, and part per second of audio, ms.
const TRANSCRIPTION_MS: (f64, f64) = (90.0, 35.0);
/// Synthesis of a sentence that is not in the cache: fixed part, and per second of speech, ms.
const SYNTHESIS_MS: (f64, f64) = (40.0, 100.0);
/// The language model on one utterance, ms.
const READING_MS: f64 = 250.0;
/// Shares of work that fails, and that never comes back.
const FAILS: f64 = 0.003;
const NEVER: f64 = 0.001;
/// Share of words that are misheard or lost.
const MISHEARD: f64 = 0.02;
const MISHEARD_AS: &[&str] = &["the", "what", "sure", "Tuesday", "knee", "four", "please", "no"];

/// A time around `mean_ms`, spread as measured: a few are twice as long.
pub fn spread(mean_ms: f64, random: &mut StdRng) -> Duration {
    let normal: f64 = (0..6).map(|_| random.random_range(-0.5..0.5)).sum::<f64>() * 1.41;
    Duration::from_secs_f64(mean_ms * (0.25 * normal).exp() / 1000.0)
}

/// What becomes of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is done.
    Done,
    /// It fails.
    Fails,
    /// Nothing is heard of it again.
    Never,
}

impl Fate {
    /// Drawn at random.
    pub fn draw(random: &mut StdRng) -> Self {
        match random.random::<f64>() {
            draw if draw < NEVER => Self::Never,
            draw if draw < NEVER + FAILS => Self::Fails,
            _ => Self::Done,
        }
    }
}

/// How long a sentence's synthesis takes.
pub fn synthesis_time(reusable: bool, length: Duration, random: &mut StdRng) -> Duration {
    if reusable {
        return Duration::ZERO;
    }
    spread(SYNTHESIS_MS.1.mul_add(length.as_secs_f64(), SYNTHESIS_MS.0), random)
}

/// How long the language model takes.
pub fn reading_time(random: &mut StdRng) -> Duration {
    spread(READING_MS, random)
}

/// How long a spoken sentence is: 14 letters a second.
pub fn spoken_frames(text: &str) -> usize {
    10 + text.chars().count() * 50 / 14
}

/// The transcription thread: one utterance at a time, and a newer one takes the place of an older
/// one that waits.
#[derive(Debug, Default)]
pub struct Ears {
    running: bool,
    waiting: Option<(TurnId, Vec<i16>)>,
}

/// When a transcription ends, and with what.
pub type Finish = (Duration, Option<CallInput>);

impl Ears {
    /// Takes an utterance. Returns when it ends, if it starts now.
    pub fn take(
        &mut self,
        turn: TurnId,
        audio: Vec<i16>,
        spoken: &[Utterance],
        random: &mut StdRng,
    ) -> Option<Finish> {
        self.waiting = Some((turn, audio));
        if self.running { None } else { self.start(spoken, random) }
    }

    /// The one that ran is over. Returns when the next one ends.
    pub fn next(&mut self, spoken: &[Utterance], random: &mut StdRng) -> Option<Finish> {
        self.running = false;
        self.start(spoken, random)
    }

    fn start(&mut self, spoken: &[Utterance], random: &mut StdRng) -> Option<Finish> {
        let (turn, audio) = self.waiting.take()?;
        self.running = true;
        let seconds = audio.len() as f64 / 16_000.0;
        let takes = spread(TRANSCRIPTION_MS.1.mul_add(seconds, TRANSCRIPTION_MS.0), random);
        let result = match Fate::draw(random) {
            Fate::Done => {
                let transcript = transcribe(&audio, spoken, random);
                Some(CallInput::Transcribed(turn, Some(transcript)))
            }
            Fate::Fails => Some(CallInput::Transcribed(turn, None)),
            Fate::Never => None,
        };
        Some((takes, result))
    }
}

/// The words whose frames are in the audio, with mistakes.
fn transcribe(audio: &[i16], spoken: &[Utterance], random: &mut StdRng) -> Transcript {
    let marks: Vec<Mark> =
        audio.chunks(radline_audio::FRAME_SAMPLES).filter_map(Mark::of).collect();
    let mut pieces: Vec<u16> = Vec::new();
    for mark in
        marks.iter().filter(|mark| matches!(mark.source, Source::Caller | Source::Background))
    {
        if !pieces.contains(&mark.piece) {
            pieces.push(mark.piece);
        }
    }
    let mut words = Vec::new();
    for piece in pieces {
        let Some(utterance) = spoken.get(usize::from(piece)) else { continue };
        let frames: BTreeSet<u16> =
            marks.iter().filter(|mark| mark.piece == piece).map(|mark| mark.frame).collect();
        for word in &utterance.words {
            let heard = (word.from..word.to).filter(|frame| frames.contains(frame)).count();
            if heard * 10 < usize::from(word.to - word.from) * 6 {
                continue;
            }
            if random.random_bool(MISHEARD) {
                if random.random_bool(0.5) {
                    let wrong = MISHEARD_AS[random.random_range(0..MISHEARD_AS.len())];
                    words.push(wrong.to_owned());
                }
                continue;
            }
            words.push(word.text.clone());
        }
    }
    let confidence = if words.is_empty() { 0.0 } else { random.random_range(0.5..0.98) };
    Transcript { text: Phi::new(words.join(" ")), confidence }
}

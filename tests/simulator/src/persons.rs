//! The desk and the people at it, as far as a call sees them: they come, or nobody does; they talk, give
//! the caller back, finish the call, or are lost.

use std::time::Duration;

use radline_audio::{AudioFrame, SpeechProbability};
use radline_call::{CallInput, EscalationOutcome, PersonLeft};
use rand::Rng;
use rand::rngs::StdRng;

/// Calls that a provider takes over although nobody is needed, a share.
const TAKEN_OVER: f64 = 0.03;

/// A provider in the simulated world.
#[derive(Debug, Default)]
pub struct Persons {
    joined: bool,
    /// Frames of the utterance or the pause that they are in.
    left: u32,
    speaks: bool,
}

impl Persons {
    /// What the desk says to a caller who begins to wait, each with its delay.
    pub fn queue(random: &mut StdRng) -> Vec<(Duration, CallInput)> {
        let before = random.random_range(0..4);
        let mut coming = vec![(Duration::ZERO, CallInput::PlaceInLine(before))];
        let after = Duration::from_millis(random.random_range(200..60_000));
        coming.push(match random.random_range(0..10) {
            0 => (after, CallInput::NobodyFree(EscalationOutcome::Declined)),
            1 => (after, CallInput::NobodyFree(EscalationOutcome::NoAnswer)),
            2 => (after * 3, CallInput::NobodyFree(EscalationOutcome::Busy)),
            _ => (after, CallInput::PersonJoined),
        });
        coming
    }

    /// When a provider takes a call over that needs nobody, if one does.
    pub fn takes_over(random: &mut StdRng) -> Option<Duration> {
        let taken = random.random_bool(TAKEN_OVER);
        taken.then(|| Duration::from_millis(random.random_range(0..90_000)))
    }

    /// How the conversation that begins now ends, and after how long.
    pub fn join(&mut self, random: &mut StdRng) -> (Duration, CallInput) {
        self.joined = true;
        let how = match random.random_range(0..10) {
            0..3 => PersonLeft::HandedBack,
            3..5 => PersonLeft::Lost,
            _ => PersonLeft::Finished,
        };
        (Duration::from_millis(random.random_range(20..40_000)), CallInput::PersonLeft(how))
    }

    /// The conversation is over.
    pub const fn leave(&mut self) {
        self.joined = false;
    }

    /// Their next frame.
    pub fn frame(&mut self, random: &mut StdRng) -> Option<CallInput> {
        if !self.joined {
            return None;
        }
        if self.left == 0 {
            self.speaks = !self.speaks;
            self.left = random.random_range(10..200);
        }
        self.left -= 1;
        let speech = SpeechProbability::new(if self.speaks { 0.95 } else { 0.02 });
        Some(CallInput::PersonAudio(AudioFrame::silence(), speech))
    }
}

//! Both speak. The agent's voice is lowered, pauses, and either goes on where it stopped or
//! yields; and what the caller did not hear is taken back.

use std::time::Duration;

use radline_dialogue::{Command, Dialogue, Question};

use super::{CallEngine, Medium, Waiting};
use crate::barge_in::{self, Interruption, Verdict};
use crate::endpointing::{Change, Taken};
use crate::event::EventKind;
use crate::limits;
use crate::output::CallOutput;

/// A sound over the agent's voice that is not judged yet.
#[derive(Debug)]
pub(super) struct Overlap {
    began: Duration,
    paused_at: Option<Duration>,
    /// The agent goes on until the words are known: what it says must be heard, or is goodbye.
    firm: bool,
    /// Too faint to be the caller, so far.
    faint: bool,
    /// Voice before it was loud enough.
    voiced_before: Duration,
    /// The caller goes on with the turn before, of whose reply nothing to speak of was heard.
    reopens: bool,
}

/// What a short silence of the agent's waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    /// A sound that may become speech.
    Speech,
    /// An end to a noise.
    Calm,
}

/// A short silence of the agent's for what may be a voice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hesitation {
    /// Since when it lasts, and what is waited for: for a sound to become speech, or for calm after a noise.
    since: Option<(Duration, WaitsFor)>,
    /// When one that nothing came of was over.
    over: Option<Duration>,
}

/// Whether the caller knows what is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// As far as it has been said.
    Afresh,
    /// The agent was cut off before the caller could hear the question.
    Unheard,
    /// The question is being said again, and was heard whole before.
    HeardBefore,
}

/// How things stood before the last turn counted, kept as long as that can be undone.
#[derive(Debug)]
pub(super) struct Checkpoint {
    dialogue: Dialogue,
    question: Question,
    patient: bool,
    asking: Asking,
    utterance: Taken,
    at: Duration,
}

impl CallEngine {
    pub(super) fn follow_overlap(&mut self, change: Change) {
        match change {
            Change::Begun if self.overlap.is_none() => self.begin_overlap(),
            Change::Speaking => self.lengthen_overlap(),
            Change::Pausing => self.bound_overlap(),
            // The utterance was forgotten, on hold for instance.
            Change::Quiet if self.overlap.is_some() => self.speak_on(Verdict::Noise),
            Change::Quiet => self.hesitate(),
            Change::Begun => {}
        }
    }

    /// Falls silent for what may be the caller's first sound. A soft one is known for speech only after a
    /// third of a second, and until then both would speak; a short silence for nothing does little harm.
    fn hesitate(&mut self) {
        let lately = |over: Duration| self.now.saturating_sub(over) < limits::HESITATES_AGAIN;
        let speaks = self.playout.is_speaking() && !self.playout.is_paused();
        if !speaks
            || self.sounds_firm()
            || self.hesitation.since.is_some()
            || self.hesitation.over.is_some_and(lately)
            || self.medium == Medium::Text
            || self.listening().is_none()
        {
            return;
        }
        if self.stirs() {
            self.playout.pause();
            self.hesitation.since = Some((self.now, WaitsFor::Speech));
        }
    }

    /// Whether something sounds as if it might become the caller's speech.
    pub(super) fn stirs(&self) -> bool {
        let usual = self.caller_level.unwrap_or(limits::CALLER_LEVEL_LEAST_DBFS);
        self.endpointing.stirs(usual - limits::HESITATES_DB)
    }

    /// A sound was waited for, and nothing came of it so far.
    pub(super) const fn has_hesitated(&mut self) {
        self.hesitation = Hesitation { since: None, over: Some(self.now) };
    }

    /// Goes on when nothing came of it.
    pub(super) fn end_hesitation(&mut self) {
        let Some((since, waits_for)) = self.hesitation.since else { return };
        let (calm, most) = match waits_for {
            WaitsFor::Speech => (limits::CALM, limits::HESITATES_MAX),
            WaitsFor::Calm => (limits::CALM_AFTER_NOISE, limits::CALM_MAX),
        };
        let long = self.now.saturating_sub(since) > most;
        if long || self.endpointing.calm() >= calm {
            self.has_hesitated();
            self.playout.go_on();
        }
    }

    /// The caller is speaking and the agent has something to say.
    pub(super) fn begin_overlap(&mut self) {
        let hesitated = self.hesitation.since.take();
        if self.playout.is_idle() || self.listening().is_none() || self.medium == Medium::Text {
            if hesitated.is_some() {
                self.playout.go_on();
            }
            return;
        }
        let firm = self.sounds_firm();
        let unheard = self.playout.played() <= limits::REOPEN_PLAYED;
        let fresh =
            |checkpoint: &Checkpoint| self.now.saturating_sub(checkpoint.at) <= limits::REOPEN_MAX;
        let reopens = unheard && self.checkpoint.as_ref().is_some_and(fresh);
        let faint = self.sounds_faint();
        let silent = !self.playout.is_speaking();
        let mut overlap = Overlap {
            began: self.endpointing.span().0,
            paused_at: None,
            firm,
            faint,
            voiced_before: Duration::ZERO,
            reopens,
        };
        if hesitated.is_some() && !firm && !faint {
            overlap.paused_at = hesitated.map(|(since, _)| since);
        } else if hesitated.is_some() {
            self.playout.go_on();
        } else if silent && !faint {
            // Nothing was said yet: let the caller finish first.
            self.playout.pause();
            overlap.paused_at = Some(self.now);
        } else if !firm && !faint {
            self.playout.duck();
        }
        self.overlap = Some(overlap);
    }

    /// Whether what the agent is saying must be heard, or is goodbye.
    fn sounds_firm(&self) -> bool {
        self.playout.is_firm() || matches!(self.waiting, Waiting::LastWords(_))
    }

    /// Whether the voice is too faint to be the caller's.
    fn sounds_faint(&self) -> bool {
        // Nobody has been heard yet: somebody at the telephone is this loud at least.
        let usual = self.caller_level.unwrap_or(limits::CALLER_LEVEL_LEAST_DBFS);
        self.endpointing.recent_level().is_some_and(|level| level < usual - limits::BACKGROUND_DB)
    }

    fn lengthen_overlap(&mut self) {
        let voiced = self.endpointing.voiced();
        let waits = matches!(self.waiting, Waiting::Clinic { .. } | Waiting::Approval);
        let filler = waits && self.playout.is_speaking();
        if filler && voiced >= limits::PAUSE_AFTER && !self.playout.is_firm() {
            // What is said while the clinic is asked can be done without; the caller's words are
            // heard as soon as the clinic has answered.
            self.stop_speaking();
        }
        let faint = self.sounds_faint();
        let firm = self.sounds_firm();
        let Some(overlap) = &mut self.overlap else { return };
        // What had to be heard may be over, and the next sentence need not be.
        overlap.firm &= firm;
        if overlap.faint {
            // Somebody in the room, and then perhaps the caller.
            (overlap.faint, overlap.voiced_before) = (faint, voiced);
            overlap.began = self.now;
            return;
        }
        let voiced = voiced.saturating_sub(overlap.voiced_before);
        let pauses = !overlap.firm && voiced >= limits::PAUSE_AFTER;
        if pauses && overlap.paused_at.is_none() {
            overlap.paused_at = Some(self.now);
            self.playout.pause();
        }
        let farewell = matches!(self.waiting, Waiting::LastWords(_));
        if voiced >= limits::YIELD_AFTER && !farewell {
            self.yield_floor();
        }
    }

    /// Whoever interrupted has fallen silent, and nobody can tell what it was.
    fn bound_overlap(&mut self) {
        if self.overlap.is_some() && self.endpointing.silence() > limits::VERDICT_MAX {
            self.speak_on(Verdict::Noise);
        }
    }

    /// Judges the words over the agent's voice. Whether they take the floor, and still stand.
    pub(super) fn settle_overlap(&mut self) -> bool {
        let verdict = self.verdict();
        if verdict != Verdict::Yield {
            self.speak_on(verdict);
            return false;
        }
        self.yield_floor();
        // A reopened turn is heard again, with its first half.
        self.hearing.is_some()
    }

    fn verdict(&self) -> Verdict {
        let (Some(hearing), Some(question), Some(overlap)) =
            (&self.hearing, self.listening(), &self.overlap)
        else {
            return Verdict::Noise;
        };
        let Some((transcript, understanding)) = hearing.words() else { return Verdict::Noise };
        let words = transcript.text.expose();
        let past = self.dialogue.asks_about_the_past();
        let alarming = self.red_flags.find_with(words, past, understanding.danger).is_some();
        let verdict = barge_in::judge(&Interruption {
            words,
            confidence: transcript.confidence,
            understanding,
            expectation: question.expectation,
            heard_enough: self.heard_enough(),
            alarming,
        });
        let urgent = alarming || understanding.has(&Command::RequestPerson);
        let farewell = matches!(self.waiting, Waiting::LastWords(_));
        match verdict {
            Verdict::Yield if farewell && !urgent => Verdict::Backchannel,
            Verdict::Yield if overlap.faint && !urgent => Verdict::Noise,
            verdict => verdict,
        }
    }

    /// A sound that is no speech: nothing to hear, and the agent goes on.
    pub(super) fn not_speech(&mut self) {
        if self.overlap.is_some() {
            self.speak_on(Verdict::Noise);
        } else {
            self.forget_hearing();
        }
    }

    fn speak_on(&mut self, because: Verdict) {
        let Some(overlap) = self.overlap.take() else { return };
        self.answered_early |= because == Verdict::TooEarly;
        self.forget_hearing();
        if because == Verdict::Noise && self.playout.is_paused() {
            self.hesitation.since = Some((self.now, WaitsFor::Calm));
        } else {
            self.playout.go_on();
        }
        let paused = overlap.paused_at.map(|since| self.now.saturating_sub(since));
        let paused_ms = paused.unwrap_or_default().as_millis() as u64;
        self.record(EventKind::SpokeOn { because, paused_ms });
    }

    fn yield_floor(&mut self) {
        let Some(overlap) = self.overlap.take() else { return };
        let silent_at = overlap.paused_at.unwrap_or(self.now);
        let yield_ms = silent_at.saturating_sub(overlap.began).as_millis() as u64;
        if overlap.reopens && self.reopen() {
            self.begun_over = self.begun_over.saturating_add(1);
            return;
        }
        if self.asking != Asking::HeardBefore {
            let heard = self.playout.heard_enough();
            self.asking = if heard { Asking::Afresh } else { Asking::Unheard };
        }
        self.stop_speaking();
        self.record(EventKind::BargeIn { yield_ms });
    }

    /// The caller goes on with the turn before: what it led to is undone, and both parts are
    /// heard as one utterance.
    pub(super) fn reopen(&mut self) -> bool {
        let Some(checkpoint) = self.checkpoint.take() else { return false };
        self.drop_prompt();
        self.hearing = None;
        self.stopwatch = None;
        self.dialogue = checkpoint.dialogue;
        self.asking = checkpoint.asking;
        let (question, patient) = (checkpoint.question, checkpoint.patient);
        self.waiting = Waiting::Caller { question, patient };
        self.endpointing.prepend(checkpoint.utterance);
        self.record(EventKind::TurnReopened);
        true
    }

    /// Cuts a prompt that is undone, with everything that would be owed of it.
    fn drop_prompt(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        self.stop_speaking();
        self.owed = owed;
    }

    /// Cuts the agent's voice, keeps what was heard of it and what has to be said again.
    pub(super) fn stop_speaking(&mut self) {
        let cut = self.playout.cut();
        if let Some(heard) = cut.heard {
            self.record_heard(&heard);
        }
        if let Some(frame) = cut.fading {
            self.emit(CallOutput::Play(frame));
        }
        self.owed.extend(cut.owed);
        self.owed.truncate(limits::SENTENCES_MAX);
        self.overlap = None;
        self.hesitation.since = None;
    }

    /// Whether the caller has heard all that an answer depends on.
    pub(super) fn heard_enough(&self) -> bool {
        match self.asking {
            Asking::HeardBefore => true,
            Asking::Unheard => false,
            Asking::Afresh => self.playout.heard_enough(),
        }
    }

    /// Keeps how things stood before a turn counts, and learns how this caller speaks.
    pub(super) fn keep_checkpoint(&mut self) {
        let pause = self.endpointing.longest_pause();
        // Half old, half new: one long search for a word does not make a slow speaker.
        self.pace = (self.pace + pause) / 2;
        if let Some(level) = self.endpointing.level() {
            self.caller_level =
                Some(self.caller_level.map_or(level, |usual| 0.7f32.mul_add(usual, 0.3 * level)));
        }
        let utterance = self.endpointing.take();
        self.checkpoint = match &self.waiting {
            Waiting::Caller { question, patient } => Some(Checkpoint {
                dialogue: self.dialogue.clone(),
                question: question.clone(),
                patient: *patient,
                asking: self.asking,
                utterance,
                at: self.now,
            }),
            _ => None,
        };
        self.asking = Asking::Afresh;
    }
}

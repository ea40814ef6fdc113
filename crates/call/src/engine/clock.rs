//! What time alone makes happen: the next frame, silence, deadlines, hold.

use std::time::Duration;

use radline_dialogue::ActionOutcome;

use super::overlap::Asking;
use super::{CallEngine, Waiting};
use crate::event::{EndReason, EventKind};
use crate::limits;
use crate::output::CallOutput;

impl CallEngine {
    /// 20 ms have passed.
    pub(super) fn tick(&mut self) {
        if self.now > limits::CALL_MAX + self.conversation.lasted(self.now) {
            self.end(EndReason::TooLong);
            return;
        }
        if let Some(since) = self.held_since {
            if self.now.saturating_sub(since) > limits::HOLD_MAX {
                self.end(EndReason::TooLong);
            }
            return;
        }
        self.end_own_words();
        self.end_hesitation();
        self.play();
        self.check_deadlines();
        self.check_keys();
        self.check_silence();
    }

    fn play(&mut self) {
        if self.holds_reply() {
            return;
        }
        let due = self.playout.tick(self.now);
        if due.first {
            self.first_audio();
        }
        if let Some(frame) = due.frame {
            self.emit(CallOutput::Play(frame));
        }
        if let Some(heard) = due.ended {
            self.record_heard(&heard);
        }
        if !self.playout.is_idle() {
            self.quiet_since = self.now;
        }
        if self.playout.played() > limits::REOPEN_PLAYED {
            self.begun_over = 0;
        }
        if let Some(id) = self.playout.overdue(self.now, limits::SYNTHESIS_DEADLINE) {
            self.sentence_failed(id);
        }
    }

    /// A reply does not begin while the caller is speaking, for a while; and a shorter while for a sound
    /// that may become speech, or both begin at once.
    fn holds_reply(&mut self) -> bool {
        // A voice that is paused waits for something already.
        let waits = self.playout.is_speaking() || self.playout.is_paused();
        let begins = !self.playout.is_idle() && !waits;
        let speaking =
            self.endpointing.speaking() && self.endpointing.voiced() >= limits::SPEECH_MIN;
        if !begins || !(speaking || self.stirs()) {
            self.reply_held = None;
            return false;
        }
        let most = if speaking { limits::REPLY_HELD_MAX } else { limits::HESITATES_MAX };
        let since = *self.reply_held.get_or_insert(self.now);
        let holds = self.now.saturating_sub(since) < most;
        if !holds && !speaking {
            self.has_hesitated();
        }
        holds
    }

    fn first_audio(&mut self) {
        let timed = self.stopwatch.as_mut().and_then(|watch| watch.first_audio(self.now));
        if let Some(timing) = timed {
            self.stopwatch = None;
            self.record(EventKind::TurnTimed(timing));
        }
    }

    fn check_deadlines(&mut self) {
        self.fill_the_wait();
        self.check_draft();
        if let Waiting::Clinic { request, since, action, .. } = self.waiting
            && self.now.saturating_sub(since) > limits::CLINIC_DEADLINE
        {
            self.given_up = Some(request);
            self.problem("the clinic did not answer in time");
            self.record_answer(action, ActionOutcome::Unavailable.kind());
            let next = self.dialogue.answer(ActionOutcome::Unavailable);
            self.apply(next);
        }
        self.check_hearing();
    }

    /// Tells the caller that the clinic takes its time, once.
    fn fill_the_wait(&mut self) {
        let (now, idle) = (self.now, self.playout.is_idle());
        let Waiting::Clinic { since, told, .. } = &mut self.waiting else { return };
        if *told || !idle || now.saturating_sub(*since) < limits::FILLER_AFTER {
            return;
        }
        *told = true;
        for sentence in self.dialogue.still_working() {
            let worded = self.worded(sentence);
            self.speak(worded, false);
        }
    }

    fn check_keys(&mut self) {
        let paused = self.now.saturating_sub(self.last_key) > limits::KEY_PAUSE;
        if !self.keys.is_empty() && paused {
            self.keys_complete();
        }
    }

    fn check_silence(&mut self) {
        let patient = match &self.waiting {
            Waiting::Caller { patient, .. } => *patient,
            Waiting::Person { .. } => return self.check_wait(),
            _ => return,
        };
        let busy = self.hearing.is_some() || self.endpointing.begun() || !self.keys.is_empty();
        if busy || !self.playout.is_idle() || self.have_second_thought() {
            return;
        }
        let limit = match (patient, self.answered_early) {
            (true, _) => limits::NO_INPUT_PATIENT,
            (_, true) => limits::NO_INPUT_EARLY,
            _ => limits::NO_INPUT,
        };
        if self.now.saturating_sub(self.quiet_since) <= limit {
            return;
        }
        self.turn += 1;
        self.record(EventKind::NothingHeard);
        // "I did not hear anything" would be untrue to someone who answered early.
        let remind = self.answered_early && self.reminders < limits::REMINDERS_MAX;
        self.reminders += u32::from(remind);
        let heard = self.heard_enough();
        let next = if remind { self.dialogue.remind() } else { self.dialogue.silence() };
        self.apply(next);
        // Who answers over the reminder knows what it is about.
        if remind && heard {
            self.asking = Asking::HeardBefore;
        }
    }

    /// On hold nothing is played, heard or counted.
    pub(super) fn held(&mut self) {
        if self.held_since.is_none() {
            self.held_since = Some(self.now);
            self.forget_hearing();
            self.record(EventKind::Held);
        }
    }

    pub(super) fn resumed(&mut self) {
        let Some(since) = self.held_since.take() else { return };
        let away = self.now.saturating_sub(since);
        self.quiet_since += away;
        if let Waiting::Clinic { since, .. } = &mut self.waiting {
            *since += away;
        }
        self.record(EventKind::Resumed);
        // Whoever comes back has lost the thread: say the question again.
        if let Waiting::Caller { .. } = self.waiting
            && away > REMIND_AFTER
        {
            let next = self.dialogue.remind();
            self.apply(next);
        }
    }
}

/// A shorter hold than this needs no reminder.
const REMIND_AFTER: Duration = Duration::from_secs(3);

//! A person takes over: the wait for one, the conversation that is only written down, and what
//! becomes of the need for a person.

use std::collections::VecDeque;
use std::time::Duration;

use radline_audio::{AudioFrame, SpeechProbability};
use radline_dialogue::{Action, ActionOutcome, RedFlag};
use radline_phi::Phi;

use super::{CallEngine, Medium, Waiting};
use crate::approval::DraftVerdict;
use crate::endpointing::{Change, Endpointing};
use crate::event::{EndReason, EscalationOutcome, EventKind};
use crate::input::{PersonLeft, Transcript, TurnId};
use crate::limits;
use crate::output::CallOutput;

/// Who speaks in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    Caller,
    Person,
}

/// A conversation between the caller and a person.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// Since when it lasts; none while there is none.
    since: Option<Duration>,
    /// How long earlier ones of this call lasted.
    before: Duration,
    caller: Endpointing,
    person: Endpointing,
    /// What the clinic was being asked when the person joined.
    clinic: Option<(u32, &'static str)>,
    /// Danger that the caller spoke of to the person.
    danger: Option<(RedFlag, Phi<String>)>,
    /// Utterances that are being transcribed, with their beginning and end.
    pending: VecDeque<(TurnId, Speaker, (Duration, Duration))>,
}

impl Conversation {
    /// How long persons have talked with the caller until `now`, as far as a call may be longer for
    /// it.
    pub(super) fn lasted(&self, now: Duration) -> Duration {
        let current = self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        (self.before + current).min(limits::PERSON_MAX)
    }
}

impl CallEngine {
    /// Since when the caller waits on the line for a person, if they do.
    pub(super) const fn waits_for_person(&self) -> Option<Duration> {
        match self.waiting {
            Waiting::Person { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Tells the world when the wait begins or ends.
    pub(super) fn follow_queue(&mut self, queued: bool) {
        match (queued, self.waits_for_person().is_some()) {
            (false, true) => {
                // What led here is the person's business now, and is not undone.
                self.checkpoint = None;
                self.record(EventKind::QueuedForPerson);
                self.emit(CallOutput::QueueForPerson);
            }
            (true, false) => self.emit(CallOutput::LeaveQueue),
            _ => {}
        }
    }

    /// A word to a caller who waits and has heard nothing for a while.
    pub(super) fn check_wait(&mut self) {
        let busy = self.hearing.is_some() || self.endpointing.begun() || !self.playout.is_idle();
        if busy || self.have_second_thought() {
            return;
        }
        let since = self.waits_for_person().unwrap_or(self.now);
        if self.now.saturating_sub(since) > limits::PERSON_WAIT_MAX {
            // The desk gives up earlier; if it has forgotten the caller, the line has not.
            self.nobody_free(EscalationOutcome::NoAnswer);
            return;
        }
        if self.now.saturating_sub(self.quiet_since) > limits::WAIT_WORD_EVERY {
            let next = self.dialogue.silence();
            self.apply(next);
        }
    }

    /// Notes that a person is needed. Whoever could not be reached before has a task; the new need
    /// takes its place.
    pub(super) fn note_escalation(&mut self, action: &Action) {
        let Action::RequestCallback { reason, .. } = action else { return };
        self.end_escalation(EscalationOutcome::CallbackPromised);
        self.escalated = reason.has_caller();
        if self.escalated {
            self.record(EventKind::Escalated { reason: *reason });
        }
    }

    pub(super) fn end_escalation(&mut self, outcome: EscalationOutcome) {
        if std::mem::take(&mut self.escalated) {
            self.record(EventKind::EscalationEnded { outcome });
        }
    }

    /// The call ends while a person was awaited, or was there.
    pub(super) fn leave_unanswered(&mut self, reason: EndReason) {
        let left = matches!(reason, EndReason::CallerHungUp | EndReason::MediaLost);
        match self.waiting {
            Waiting::Person { .. } if left => self.end_escalation(EscalationOutcome::CallerLeft),
            Waiting::Conversation => self.end_escalation(EscalationOutcome::Taken),
            _ => {}
        }
    }

    pub(super) fn nobody_free(&mut self, outcome: EscalationOutcome) {
        if self.waits_for_person().is_none() {
            return;
        }
        self.end_escalation(outcome);
        self.forget_hearing();
        let next = self.dialogue.nobody_free();
        self.apply(next);
    }

    /// Both hear each other. What must be heard to the end is said over the person's first words, an
    /// emergency's instruction for instance; everything else is dropped.
    pub(super) fn person_joined(&mut self) {
        let over = matches!(self.waiting, Waiting::LastWords(EndReason::Shutdown));
        if over || matches!(self.waiting, Waiting::Conversation | Waiting::Connection) {
            return;
        }
        let waited = self.waits_for_person().map(|since| self.now.saturating_sub(since));
        let waited_ms = waited.unwrap_or_default().as_millis() as u64;
        self.drop_draft(DraftVerdict::TakenOver, "person");
        self.forget_hearing();
        (self.overlap, self.checkpoint, self.second_thought) = (None, None, None);
        self.playout.go_on();
        self.follow_consent();
        self.owed.clear();
        self.keys.clear();
        if let Waiting::Clinic { request, action, .. } = self.waiting {
            self.conversation.clinic = Some((request, action));
        }
        self.waiting = Waiting::Conversation;
        self.end_own_words();
        self.conversation.since = Some(self.now);
        self.record(EventKind::PersonJoined { waited_ms });
    }

    /// In a conversation Radline is silent, once what must be heard is said.
    pub(super) fn end_own_words(&mut self) {
        let speaks = !self.playout.is_idle() && !self.playout.is_firm();
        if speaks && matches!(self.waiting, Waiting::Conversation) {
            self.stop_speaking();
            self.owed.clear();
        }
    }

    /// The clinic answers what it was asked before a person joined. It is done, so the dialogue has to
    /// know of it; what it would have said is left to the person.
    pub(super) fn answered_in_conversation(
        &mut self,
        answered: u32,
        outcome: &ActionOutcome,
    ) -> bool {
        let asked = self.conversation.clinic.take_if(|(request, _)| *request == answered);
        let Some((_, action)) = asked else { return false };
        self.record_answer(action, outcome.kind());
        self.dialogue.learn(outcome.clone());
        true
    }

    pub(super) fn person_left(&mut self, how: PersonLeft) {
        if !matches!(self.waiting, Waiting::Conversation) {
            return;
        }
        self.conversation.before = self.conversation.lasted(self.now);
        self.conversation.since = None;
        self.forget_hearing();
        self.finish_overhearing();
        if let Some((request, _)) = self.conversation.clinic.take() {
            self.given_up = Some(request);
        }
        let danger = self.conversation.danger.take();
        match how {
            PersonLeft::HandedBack => {
                self.escalated = true;
                self.end_escalation(EscalationOutcome::HandedBack);
                let next = self.dialogue.handed_back();
                self.apply(next);
            }
            PersonLeft::Lost => {
                self.escalated = true;
                self.end_escalation(EscalationOutcome::ProviderDropped);
                // Perhaps nobody heard it.
                self.second_thought = danger;
                let next = self.dialogue.person_lost();
                self.apply(next);
            }
            PersonLeft::Finished => {
                self.escalated = true;
                self.end(EndReason::EndedByPerson);
            }
            PersonLeft::Transferred => {
                self.escalated = true;
                self.end(EndReason::Transferred);
            }
        }
    }

    pub(super) fn person_audio(&mut self, frame: AudioFrame, speech: SpeechProbability) {
        if matches!(self.waiting, Waiting::Conversation) && self.medium == Medium::Voice {
            self.overhear(Speaker::Person, frame, speech);
        }
    }

    /// Writes down what is said in a conversation, where the caller agreed to a record.
    pub(super) fn overhear(
        &mut self,
        speaker: Speaker,
        frame: AudioFrame,
        speech: SpeechProbability,
    ) {
        let ears = match speaker {
            Speaker::Caller => &mut self.conversation.caller,
            Speaker::Person => &mut self.conversation.person,
        };
        let change = ears.push(self.now, frame, speech);
        let over = change == Change::Pausing && ears.silence() >= limits::OVERHEARD_PAUSE;
        if over || ears.length() >= limits::UTTERANCE_MAX {
            self.write_down(speaker);
        }
    }

    /// What was begun to be said when the conversation ended is written down, too.
    fn finish_overhearing(&mut self) {
        for speaker in [Speaker::Caller, Speaker::Person] {
            self.write_down(speaker);
        }
    }

    fn write_down(&mut self, speaker: Speaker) {
        let ears = match speaker {
            Speaker::Caller => &mut self.conversation.caller,
            Speaker::Person => &mut self.conversation.person,
        };
        let (span, voiced) = (ears.span(), ears.voiced());
        let audio = Phi::new(ears.audio());
        ears.reset();
        let agreed = self.dialogue.slots().recording == Some(true);
        if !agreed || voiced < limits::SPEECH_MIN {
            return;
        }
        if self.conversation.pending.len() >= limits::OVERHEARD_MAX {
            self.problem("an utterance is not in the record: transcription is behind");
            return;
        }
        self.attempt.0 += 1;
        let turn = self.attempt;
        self.conversation.pending.push_back((turn, speaker, span));
        self.emit(CallOutput::Overhear { turn, audio });
    }

    /// The words of a conversation came back. Whether they were some.
    pub(super) fn overheard(&mut self, turn: TurnId, transcript: Option<&Transcript>) -> bool {
        let pending = &mut self.conversation.pending;
        let Some(at) = pending.iter().position(|(asked, ..)| *asked == turn) else { return false };
        let Some((_, speaker, span)) = pending.remove(at) else { return false };
        let Some(transcript) = transcript else { return true };
        if transcript.text.expose().trim().is_empty() {
            return true;
        }
        let agreed = self.dialogue.slots().recording == Some(true);
        let words = transcript.text.map(|words| agreed.then(|| words.clone()));
        let confidence = transcript.confidence;
        let (from_ms, to_ms) = (span.0.as_millis() as u64, span.1.as_millis() as u64);
        self.record(match speaker {
            Speaker::Caller => EventKind::CallerSaid { words, confidence, from_ms, to_ms },
            Speaker::Person => EventKind::PersonSaid { words, confidence, from_ms, to_ms },
        });
        let danger = self.red_flags.find_in_answer(transcript.text.expose(), false);
        if let Some(class) = danger.filter(|_| speaker == Speaker::Caller) {
            self.record(EventKind::RedFlagRaised { class });
            let heard = Some((class, transcript.text.clone()));
            // A person who is there sees it, and nothing is said to it. If they are lost it is taken up.
            if matches!(self.waiting, Waiting::Conversation) {
                self.conversation.danger = heard;
            } else {
                self.second_thought = heard;
            }
        }
        true
    }
}

//! One call: inputs in, outputs out, and nothing in between that waits.
//!
//! `handle` takes what happened and when (time since the call began); `poll_output` is drained
//! after it. Hearing is speculative and has no effect: only `commit` lets the dialogue decide.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use radline_dialogue::{
    Action, ActionOutcome, Dialogue, DialogueMove, EarlierReading, Question, RedFlags, Sentence,
    Then,
};
use radline_phi::Phi;

use crate::endpointing::Endpointing;
use crate::event::{CallEvent, EndReason, EventKind};
use crate::input::{CallInput, TurnId};
use crate::limits;
use crate::output::CallOutput;
use crate::playout::{Heard, Playout};

mod clock;
mod hearing;
mod timing;

use hearing::Hearing;
use timing::Stopwatch;

/// How caller and agent exchange words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Audio both ways.
    Voice,
    /// Lines of text; what is said counts as heard.
    Text,
}

/// What the call waits for.
#[derive(Debug)]
enum Waiting {
    /// The connection.
    Connection,
    /// The caller's answer.
    Caller { question: Question, patient: bool },
    /// The clinic's answer.
    Clinic { request: u32, action: &'static str, since: Duration },
    /// The last words to be heard; then the call ends.
    LastWords(EndReason),
    /// Nothing: the call is over.
    Nothing,
}

/// One call.
#[derive(Debug)]
pub struct CallEngine {
    medium: Medium,
    dialogue: Dialogue,
    red_flags: Arc<RedFlags>,
    outputs: VecDeque<CallOutput>,
    now: Duration,
    waiting: Waiting,
    /// The last move, for whoever shows the dialogue's inside.
    last_move: Option<DialogueMove>,
    playout: Playout,
    endpointing: Endpointing,
    hearing: Option<Hearing>,
    attempt: TurnId,
    turn: u32,
    /// Since when neither side has said anything.
    quiet_since: Duration,
    /// What the language model read in turns that were committed.
    readings: VecDeque<EarlierReading>,
    keys: String,
    last_key: Duration,
    held_since: Option<Duration>,
    next_sentence: u32,
    next_request: u32,
    stopwatch: Option<Stopwatch>,
    recording: bool,
    synthesis_failures: u32,
    transcription_failures: u32,
}

impl CallEngine {
    /// A call before it is connected.
    pub fn new(medium: Medium, dialogue: Dialogue, red_flags: Arc<RedFlags>) -> Self {
        Self {
            medium,
            dialogue,
            red_flags,
            outputs: VecDeque::new(),
            now: Duration::ZERO,
            waiting: Waiting::Connection,
            last_move: None,
            playout: Playout::default(),
            endpointing: Endpointing::default(),
            hearing: None,
            attempt: TurnId::default(),
            turn: 0,
            quiet_since: Duration::ZERO,
            readings: VecDeque::new(),
            keys: String::new(),
            last_key: Duration::ZERO,
            held_since: None,
            next_sentence: 0,
            next_request: 0,
            stopwatch: None,
            recording: false,
            synthesis_failures: 0,
            transcription_failures: 0,
        }
    }

    /// Takes what happened at `now`, the time since the call began. Time never goes back.
    pub fn handle(&mut self, now: Duration, input: CallInput) {
        self.now = self.now.max(now);
        if matches!(self.waiting, Waiting::Nothing) {
            return;
        }
        match input {
            CallInput::Connected => self.connected(),
            CallInput::Audio(frame, speech) => self.audio(frame, speech),
            CallInput::Tick => self.tick(),
            CallInput::Key(key) => self.key(key.key()),
            CallInput::Held => self.held(),
            CallInput::Resumed => self.resumed(),
            CallInput::HungUp => self.end(EndReason::CallerHungUp),
            CallInput::MediaLost => self.end(EndReason::MediaLost),
            CallInput::Line(words) => self.line(words),
            CallInput::Transcribed(turn, transcript) => self.transcribed(turn, transcript),
            CallInput::Understood(turn, understanding) => self.understood(turn, understanding),
            CallInput::ClinicAnswered(request, outcome) => self.clinic_answered(request, outcome),
            CallInput::Synthesized(id, audio) => self.synthesized(id, audio.as_ref()),
            CallInput::Shutdown => self.shut_down(),
        }
        if matches!(self.waiting, Waiting::LastWords(_)) && self.playout.is_idle() {
            self.hang_up();
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<CallOutput> {
        self.outputs.pop_front()
    }

    /// Whether the call is over.
    pub const fn is_over(&self) -> bool {
        matches!(self.waiting, Waiting::Nothing)
    }

    /// The dialogue, for showing its inside.
    pub const fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }

    /// The dialogue's last move.
    pub const fn last_move(&self) -> Option<&DialogueMove> {
        self.last_move.as_ref()
    }

    /// What the caller is being asked.
    pub const fn question(&self) -> Option<&Question> {
        match &self.waiting {
            Waiting::Caller { question, .. } => Some(question),
            _ => None,
        }
    }

    fn emit(&mut self, output: CallOutput) {
        self.outputs.push_back(output);
    }

    fn record(&mut self, kind: EventKind) {
        let at_ms = self.now.as_millis() as u64;
        let turn = self.turn;
        self.emit(CallOutput::Record(CallEvent { at_ms, turn, kind }));
    }

    fn problem(&mut self, what: &str) {
        self.record(EventKind::Problem { what: what.to_owned() });
    }

    fn connected(&mut self) {
        if matches!(self.waiting, Waiting::Connection) {
            let scenario = self.dialogue.scenario();
            self.record(EventKind::Started { scenario });
            let first = self.dialogue.begin();
            self.apply(first);
        }
    }

    /// Carries out the dialogue's next move.
    fn apply(&mut self, next: DialogueMove) {
        self.record(EventKind::Entered { state: next.state.clone() });
        if let (false, Some(true)) = (self.recording, self.dialogue.slots().recording) {
            self.recording = true;
            self.emit(CallOutput::StartRecording);
            self.record(EventKind::RecordingStarted);
        }
        if let Some(stopwatch) = &mut self.stopwatch {
            stopwatch.worded(self.now, !next.say.is_empty());
        }
        self.last_move = Some(next.clone());
        for sentence in next.say {
            self.speak(sentence);
        }
        self.quiet_since = self.now;
        self.waiting = match next.then {
            Then::Listen(question) => Waiting::Caller { question, patient: next.patient },
            Then::Act(action) => self.act(action),
            Then::HangUp => Waiting::LastWords(EndReason::Finished),
        };
    }

    fn act(&mut self, action: Action) -> Waiting {
        self.next_request += 1;
        let (request, kind) = (self.next_request, action.kind());
        self.record(EventKind::ActionRequested { action: kind.to_owned() });
        self.emit(CallOutput::Act { request, action });
        Waiting::Clinic { request, action: kind, since: self.now }
    }

    fn speak(&mut self, sentence: Sentence) {
        if self.medium == Medium::Text {
            let (from, heard) = (self.now, Duration::ZERO);
            self.record_heard(Heard { sentence, from, heard, length: heard });
            return;
        }
        self.next_sentence += 1;
        let sentence_id = self.next_sentence;
        if self.playout.queue(sentence_id, sentence.clone()) {
            self.emit(CallOutput::Synthesize { sentence_id, sentence });
        } else {
            self.problem("a sentence was dropped: too many were waiting to be spoken");
        }
    }

    fn record_heard(&mut self, heard: Heard) {
        self.record(EventKind::AgentSaid {
            text: heard.sentence.text,
            source: heard.sentence.source,
            from_ms: heard.from.as_millis() as u64,
            heard_ms: heard.heard.as_millis() as u64,
            length_ms: heard.length.as_millis() as u64,
        });
    }

    fn clinic_answered(&mut self, answered: u32, outcome: ActionOutcome) {
        let (action, late) = match &self.waiting {
            Waiting::Clinic { request, action, .. } if *request == answered => (*action, false),
            _ => ("an earlier request", true),
        };
        self.record(EventKind::ActionAnswered {
            action: action.to_owned(),
            outcome: outcome.kind().to_owned(),
        });
        if late {
            self.problem("the clinic answered too late; the answer was not used");
            return;
        }
        let next = self.dialogue.answer(outcome);
        self.apply(next);
    }

    fn synthesized(&mut self, id: u32, audio: Option<&Phi<Vec<i16>>>) {
        match audio {
            Some(audio) => {
                self.synthesis_failures = 0;
                self.playout.supply(id, audio);
            }
            None => self.sentence_failed(id),
        }
    }

    fn sentence_failed(&mut self, id: u32) {
        if !self.playout.drop_sentence(id) {
            return;
        }
        self.problem("a sentence could not be spoken");
        self.synthesis_failures += 1;
        if self.synthesis_failures >= limits::SYNTHESIS_FAILURES_MAX {
            // A line that cannot speak must not keep the caller waiting in silence.
            self.end(EndReason::Failed);
        }
    }

    fn shut_down(&mut self) {
        self.stop_speaking();
        self.forget_hearing();
        self.waiting = Waiting::LastWords(EndReason::Shutdown);
        self.speak(Sentence {
            text: "I am sorry, I have to end this call. Please call again in a few minutes.".into(),
            reusable: true,
            firm: true,
            source: "engine shutdown".into(),
        });
    }

    /// Cuts the agent's voice and keeps what was heard of it.
    fn stop_speaking(&mut self) {
        let (heard, last) = self.playout.cut();
        if let Some(heard) = heard {
            self.record_heard(heard);
        }
        if let Some(frame) = last {
            self.emit(CallOutput::Play(frame));
        }
    }

    fn hang_up(&mut self) {
        if let Waiting::LastWords(reason) = self.waiting {
            self.record(EventKind::Ended { reason });
            self.emit(CallOutput::HangUp(reason));
            self.waiting = Waiting::Nothing;
        }
    }

    /// Ends the call now, whatever it was doing.
    fn end(&mut self, reason: EndReason) {
        self.stop_speaking();
        self.waiting = Waiting::LastWords(reason);
        self.hang_up();
    }
}

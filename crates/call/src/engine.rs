//! One call: inputs in, outputs out, and nothing in between that waits.
//!
//! `handle` takes what happened and when (time since the call began); `poll_output` is drained
//! after it. Hearing is speculative and has no effect: only `commit` lets the dialogue decide.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use radline_dialogue::{
    Action, ActionOutcome, Dialogue, DialogueMove, Question, RedFlag, RedFlags, Sentence, Then,
};
use radline_phi::Phi;

use crate::approval::DraftVerdict;
use crate::endpointing::Endpointing;
use crate::event::{CallEvent, EndReason, EscalationOutcome, EventKind};
use crate::input::{CallInput, SpokenPart, Transcript, TurnId};
use crate::limits;
use crate::output::CallOutput;
use crate::playout::{Heard, Playout};

mod clock;
mod draft;
mod hearing;
mod overlap;
mod person;
mod planning;
mod supervision;
mod timing;

use draft::Drafts;
use hearing::Hearing;
use overlap::{Asking, Checkpoint, Hesitation, Overlap};
use person::Conversation;
use planning::{Numbers, Step, Worded};
use timing::Stopwatch;

/// How caller and agent exchange words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Audio both ways.
    Voice,
    /// Lines of text; what is said counts as heard.
    Text,
}

/// What is queued in a call. Each has its bound in [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loads {
    /// Sentences to be spoken.
    pub sentences: usize,
    /// Sentences to be said again.
    pub owed: usize,
    /// Keys pressed.
    pub keys: usize,
    /// Outputs that nobody has polled.
    pub outputs: usize,
    /// Length of the utterance that is being heard.
    pub utterance: Duration,
}

/// What the call waits for.
#[derive(Debug)]
enum Waiting {
    /// The connection.
    Connection,
    /// The caller's answer.
    Caller { question: Question, patient: bool },
    /// The clinic's answer.
    Clinic { request: u32, action: &'static str, since: Duration, told: bool },
    /// A person who takes over. Meanwhile the caller is heard as with a question.
    Person { question: Question, since: Duration },
    /// A person's word about the reply.
    Approval,
    /// Nothing: a person talks with the caller.
    Conversation,
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
    /// The caller speaks over the agent's voice, and it is not decided who goes on.
    overlap: Option<Overlap>,
    /// The agent has fallen silent for what may be a voice, and when it last did.
    hesitation: Hesitation,
    /// How things stood before the last turn counted, while that can be undone.
    checkpoint: Option<Checkpoint>,
    /// Whether the caller knows what is being asked.
    asking: Asking,
    /// The caller answered before they could know what is asked, and believes that it counted.
    answered_early: bool,
    /// Times in a row that the question was said again for that.
    reminders: u32,
    /// Sentences that must be heard and were cut off.
    owed: Vec<Sentence>,
    /// The words of the part of a long utterance that is transcribed for good.
    settled_words: Transcript,
    /// The longest pause that the caller usually makes inside an utterance.
    pace: Duration,
    /// Replies in a row over whose first word the caller spoke.
    begun_over: u32,
    /// How loud the caller usually speaks, dBFS.
    caller_level: Option<f32>,
    attempt: TurnId,
    /// Attempts since the last turn that counted.
    attempts: u32,
    turn: u32,
    /// Since when neither side has said anything.
    quiet_since: Duration,
    keys: String,
    last_key: Duration,
    held_since: Option<Duration>,
    numbers: Numbers,
    /// A request to the clinic that was given up; its answer comes too late.
    given_up: Option<u32>,
    /// Since when a reply is held back because the caller is speaking.
    reply_held: Option<Duration>,
    stopwatch: Option<Stopwatch>,
    recording: bool,
    synthesis_failures: u32,
    transcription_failures: u32,
    /// The caller's words in the last turn that counted.
    last_words: Phi<String>,
    /// Danger that a second reading found, and the words, until a turn has taken it up.
    second_thought: Option<(RedFlag, Phi<String>)>,
    /// What is only written down: a person and the caller talk.
    conversation: Conversation,
    /// Replies that a person approves.
    drafts: Drafts,
    /// A person is needed, and it is not known yet what becomes of that.
    escalated: bool,
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
            overlap: None,
            hesitation: Hesitation::default(),
            checkpoint: None,
            asking: Asking::Afresh,
            answered_early: false,
            reminders: 0,
            owed: Vec::new(),
            settled_words: Transcript { text: Phi::new(String::new()), confidence: 0.0 },
            pace: Duration::ZERO,
            begun_over: 0,
            caller_level: None,
            attempt: TurnId::default(),
            attempts: 0,
            turn: 0,
            quiet_since: Duration::ZERO,
            keys: String::new(),
            last_key: Duration::ZERO,
            held_since: None,
            numbers: Numbers::default(),
            given_up: None,
            reply_held: None,
            stopwatch: None,
            recording: false,
            synthesis_failures: 0,
            transcription_failures: 0,
            last_words: Phi::default(),
            second_thought: None,
            conversation: Conversation::default(),
            drafts: Drafts::default(),
            escalated: false,
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
            CallInput::Synthesized(id, audio) => self.synthesized(id, audio),
            CallInput::Supervised(turn, reading) => self.supervised(turn, reading),
            CallInput::PlaceInLine(before) => self.dialogue.set_place_in_line(before),
            CallInput::NobodyFree(outcome) => self.nobody_free(outcome),
            CallInput::PersonJoined => self.person_joined(),
            CallInput::PersonAudio(frame, speech) => self.person_audio(frame, speech),
            CallInput::TransferTried(outcome) => {
                self.record(EventKind::TransferTried { outcome });
            }
            CallInput::PersonLeft(how) => self.person_left(how),
            CallInput::DraftJudged(draft, judgement, by) => self.judged(draft, judgement, &by),
            CallInput::Shutdown => self.shut_down(),
        }
        let silent = self.playout.is_idle() && self.hearing.is_none();
        if silent && matches!(self.waiting, Waiting::LastWords(_)) {
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

    /// What is queued at the moment.
    pub fn loads(&self) -> Loads {
        Loads {
            sentences: self.playout.queued(),
            owed: self.owed.len(),
            keys: self.keys.len(),
            outputs: self.outputs.len(),
            utterance: self.endpointing.length(),
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

    /// Carries out a move of the dialogue that no words of the caller led to.
    fn apply(&mut self, next: DialogueMove) {
        self.checkpoint = None;
        let step = self.step(next);
        self.carry_out(vec![step], None);
    }

    fn step(&mut self, next: DialogueMove) -> Step {
        let say = self.worded_all(&next.say);
        Step::Move { next, say }
    }

    fn worded_all(&mut self, sentences: &[Sentence]) -> Vec<Worded> {
        sentences.iter().map(|sentence| self.worded(sentence.clone())).collect()
    }

    fn worded(&mut self, sentence: Sentence) -> Worded {
        Worded { id: self.numbers.sentence(), sentence, asked: false, audio: Vec::new() }
    }

    /// Carries out what was decided, once it may be. `pending` is a question to the clinic that was
    /// asked already.
    fn carry_out(&mut self, steps: Vec<Step>, pending: Option<(u32, &'static str)>) {
        if let Some(steps) = self.hold_for_approval(steps, pending) {
            self.carry_out_approved(steps, pending);
        }
    }

    /// One step after the other.
    fn carry_out_approved(&mut self, steps: Vec<Step>, pending: Option<(u32, &'static str)>) {
        self.playout.begin_prompt();
        self.answered_early = false;
        self.say_what_is_owed(&steps);
        let mut last = None;
        for step in steps {
            match step {
                Step::Move { next, say } => last = Some(self.enter(next, say)),
                Step::LookedUp { action, outcome } => {
                    self.record(EventKind::ActionRequested { action: action.to_owned() });
                    self.record_answer(action, outcome);
                }
            }
        }
        if let Some((then, patient)) = last {
            self.wait_for(then, patient, pending);
        }
        self.quiet_since = self.now;
        if self.endpointing.begun() {
            self.begin_overlap();
        }
    }

    fn wait_for(&mut self, then: Then, patient: bool, pending: Option<(u32, &'static str)>) {
        let queued = self.waits_for_person();
        self.waiting = match then {
            Then::Listen(question) => {
                self.emit(CallOutput::Ask(question.clone()));
                Waiting::Caller { question, patient }
            }
            Then::Connect(question) => {
                Waiting::Person { question, since: queued.unwrap_or(self.now) }
            }
            Then::Act(action) => self.act(action, pending),
            Then::HangUp => Waiting::LastWords(EndReason::Finished),
        };
        self.follow_queue(queued.is_some());
    }

    /// What must be heard and was cut off comes before anything else, unless it is said anyway.
    fn say_what_is_owed(&mut self, steps: &[Step]) {
        let owed = std::mem::take(&mut self.owed);
        let said_anyway = |sentence: &Sentence| {
            steps.iter().any(|step| match step {
                Step::Move { next, .. } => next.say.iter().any(|next| next.text == sentence.text),
                Step::LookedUp { .. } => false,
            })
        };
        for sentence in owed.into_iter().filter(|sentence| !said_anyway(sentence)) {
            let worded = self.worded(sentence);
            self.speak(worded, false);
        }
    }

    /// Enters a state and says what it says.
    fn enter(&mut self, next: DialogueMove, say: Vec<Worded>) -> (Then, bool) {
        self.record(EventKind::Entered { state: next.state.clone() });
        self.follow_consent();
        if let Some(stopwatch) = &mut self.stopwatch {
            stopwatch.worded(self.now, !next.say.is_empty());
        }
        self.last_move = Some(next.clone());
        let asks = match next.then {
            Then::Listen(_) => say.len().checked_sub(1),
            _ => None,
        };
        for (index, worded) in say.into_iter().enumerate() {
            self.speak(worded, asks == Some(index));
        }
        (next.then, next.patient)
    }

    /// Records from the caller's consent on, until it is taken back.
    pub(super) fn follow_consent(&mut self) {
        match (self.recording, self.dialogue.slots().recording) {
            (false, Some(true)) => {
                self.emit(CallOutput::StartRecording);
                self.record(EventKind::RecordingStarted);
            }
            (true, Some(false)) => {
                self.emit(CallOutput::StopRecording);
                self.record(EventKind::RecordingStopped);
            }
            _ => return,
        }
        self.recording = !self.recording;
        // Neither is undone with the turn that led to it.
        self.checkpoint = None;
    }

    fn act(&mut self, action: Action, pending: Option<(u32, &'static str)>) -> Waiting {
        let kind = action.kind();
        self.record(EventKind::ActionRequested { action: kind.to_owned() });
        self.note_escalation(&action);
        let request = match pending {
            Some((request, asked)) if asked == kind => request,
            _ => {
                let request = self.numbers.request();
                // What only reads can be undone with the turn that asked for it.
                if !action.only_reads() {
                    self.checkpoint = None;
                }
                self.emit(CallOutput::Act { request, action });
                request
            }
        };
        Waiting::Clinic { request, action: kind, since: self.now, told: false }
    }

    fn speak(&mut self, worded: Worded, asks: bool) {
        let Worded { id, sentence, asked, audio } = worded;
        if self.medium == Medium::Text {
            let (from, heard) = (self.now, Duration::ZERO);
            self.record_heard(&Heard { sentence, from, heard, length: heard });
            return;
        }
        if !self.playout.queue(id, sentence.clone(), asks) {
            self.problem("a sentence was dropped: too many were waiting to be spoken");
            return;
        }
        for part in &audio {
            self.playout.supply(id, part);
        }
        if !asked {
            self.emit(CallOutput::Synthesize { sentence_id: id, sentence });
        }
    }

    fn record_heard(&mut self, heard: &Heard) {
        let words = heard.words();
        let part = (heard.heard < heard.length).then(|| words.to_owned());
        self.record(EventKind::AgentSaid {
            text: heard.sentence.text.clone(),
            source: heard.sentence.source.clone(),
            from_ms: heard.from.as_millis() as u64,
            heard_ms: heard.heard.as_millis() as u64,
            length_ms: heard.length.as_millis() as u64,
            heard: part.into(),
        });
    }

    fn clinic_answered(&mut self, answered: u32, outcome: ActionOutcome) {
        let action = match &self.waiting {
            Waiting::Clinic { request, action, .. } if *request == answered => *action,
            _ => return self.answered_aside(answered, outcome),
        };
        self.record_answer(action, outcome.kind());
        let next = self.dialogue.answer(outcome);
        self.apply(next);
    }

    fn record_answer(&mut self, action: &str, outcome: &str) {
        let (action, outcome) = (action.to_owned(), outcome.to_owned());
        self.record(EventKind::ActionAnswered { action, outcome });
    }

    /// An answer that the dialogue does not wait for: to a plan's question, to that of a plan that
    /// was dropped, or one that comes too late.
    fn answered_aside(&mut self, answered: u32, outcome: ActionOutcome) {
        if self.answered_for_draft(answered, &outcome)
            || self.answered_in_conversation(answered, &outcome)
        {
            return;
        }
        if self.given_up == Some(answered) {
            self.record_answer("an earlier request", outcome.kind());
            self.problem("the clinic answered too late; the answer was not used");
            return;
        }
        let numbers = &mut self.numbers;
        let plan = self.hearing.as_mut().and_then(Hearing::plan_at_work);
        let preparations = plan.map(|plan| plan.answered(answered, outcome, numbers));
        self.prepare(preparations.unwrap_or_default());
        self.plan_advanced();
    }

    fn synthesized(&mut self, id: u32, part: Option<SpokenPart>) {
        let Some(part) = part else { return self.sentence_failed(id) };
        self.synthesis_failures = 0;
        let others = match self.hearing.as_mut().and_then(Hearing::plan_at_work) {
            Some(plan) => plan.synthesized(id, part),
            None => Some(part),
        };
        let others = others.and_then(|part| self.synthesized_for_draft(id, part));
        match others {
            Some(part) => self.playout.supply(id, &part),
            None => self.plan_advanced(),
        }
    }

    fn sentence_failed(&mut self, id: u32) {
        self.unspoken_for_draft(id);
        if let Some(plan) = self.hearing.as_mut().and_then(Hearing::plan_at_work) {
            plan.unspoken(id);
        }
        if let Some(sentence) = self.playout.try_again(id) {
            self.emit(CallOutput::Synthesize { sentence_id: id, sentence });
            return;
        }
        if !self.playout.drop_sentence(id) {
            return;
        }
        self.problem("a sentence could not be spoken");
        // The rest of the prompt may not make sense without it: an answer is none, and the
        // question is asked again.
        self.asking = Asking::Unheard;
        self.synthesis_failures += 1;
        if self.synthesis_failures >= limits::SYNTHESIS_FAILURES_MAX {
            // A line that cannot speak must not keep the caller waiting in silence.
            self.end(EndReason::Failed);
        }
    }

    fn shut_down(&mut self) {
        self.drop_draft(DraftVerdict::Withdrawn, "shutdown");
        self.stop_speaking();
        self.forget_hearing();
        self.waiting = Waiting::LastWords(EndReason::Shutdown);
        let worded = self.worded(Sentence {
            text: "I am sorry, I have to end this call. Please call again in a few minutes.".into(),
            reusable: true,
            firm: true,
            source: "engine shutdown".into(),
        });
        self.speak(worded, false);
    }

    fn hang_up(&mut self) {
        if let Waiting::LastWords(reason) = self.waiting {
            self.end_escalation(EscalationOutcome::CallbackPromised);
            self.record(EventKind::Ended { reason });
            self.emit(CallOutput::HangUp(reason));
            self.waiting = Waiting::Nothing;
        }
    }

    /// Ends the call now, whatever it was doing.
    fn end(&mut self, reason: EndReason) {
        self.stop_speaking();
        self.drop_draft(DraftVerdict::Withdrawn, "end of the call");
        self.leave_unanswered(reason);
        self.waiting = Waiting::LastWords(reason);
        self.hang_up();
    }
}

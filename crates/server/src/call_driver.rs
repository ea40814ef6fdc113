//! The only loop around a call: one input in, the outputs out, each one performed.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use radline_audio::{AudioFrame, EchoCanceller, FRAME_MS, SAMPLE_RATE_HZ, SpeechProbability};
use radline_call::{
    Approval, CallEngine, CallEvent, CallInput, CallOutput, EndReason, EventKind, Judgement,
    Medium, PersonLeft, Reread, Transcript, TurnId,
};
use radline_dialogue::{Action, ActionOutcome, Called, Dialogue, Question, Understanding};
use radline_language::danger;
use radline_language::labelled::{self, Readings};
use radline_language::phrasing::Felt;
use radline_language::understanding;
use radline_phi::Phi;
use radline_speech::{SileroVoiceActivity, VoiceActivity};
use radline_store::{CallStart, Recording};
use radline_telephony::{Leg, LegEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::Services;
use crate::event_log::EventLog;
use crate::handover::{Handover, with_presence};
use crate::wire_meter::WireMeter;

/// Results that wait to be taken up by one call.
const RESULTS_MAX: usize = 256;
/// No packets for this long, while nobody is on hold, means that the caller is gone.
const MEDIA_LOST: Duration = Duration::from_secs(20);
/// The recording's head is brought up to date this often, so that a crash loses little of it.
const RECORDING_FLUSH: Duration = Duration::from_secs(2);

/// A call that is answered, by us or by a patient whom the clinic calls.
#[derive(Debug)]
pub struct AnsweredCall {
    /// The number of its record.
    pub id: String,
    /// Audio and events.
    pub leg: Leg,
    /// Whom the clinic calls; nobody when somebody called us.
    pub called: Option<Called>,
}

impl From<Leg> for AnsweredCall {
    /// Somebody called us.
    fn from(leg: Leg) -> Self {
        Self { id: Uuid::new_v4().to_string(), leg, called: None }
    }
}

/// Runs a call from its first frame to the end of its record.
pub async fn run(services: Arc<Services>, call: AnsweredCall, shutdown: CancellationToken) {
    let (id, peer) = (call.id.clone(), call.leg.peer());
    let start = CallStart {
        id: id.clone(),
        started: services.clock.moment().now,
        peer: peer.to_string(),
        scenario: services.site.scenario.name(),
    };
    if let Err(error) = services.store.begin_call(&start).await {
        // Without a record there is no call: nothing that it did could be answered for.
        tracing::error!(%error, "a call was turned away: its record cannot be written");
        return;
    }
    tracing::info!(call = %id, %peer, called = call.called.is_some(), "call began");
    services.metrics.calls_active.inc();
    let approval = approval(&services).await;
    let mut driver = CallDriver::new(Arc::clone(&services), call, approval);
    let reason = driver.drive(shutdown).await;
    let recording = driver.close().await;
    services.metrics.calls_active.dec();
    let ended = services.clock.moment().now;
    let result = services.store.end_call(&id, ended, reason, recording.as_deref()).await;
    if let Err(error) = result {
        tracing::error!(%error, "the end of a call could not be recorded");
    }
    tracing::info!(call = %id, reason = reason.key(), "call ended");
}

/// The site's policy for drafts, with what has been granted since. A database that does not answer grants
/// nothing.
async fn approval(services: &Services) -> Option<Approval> {
    let mut approval = services.site.approval.clone()?;
    match services.store.grants().await {
        Ok(grants) => approval.granted.extend(grants.into_iter().map(|grant| grant.state)),
        Err(error) => tracing::error!(%error, "what is granted could not be read"),
    }
    Some(approval)
}

struct CallDriver {
    services: Arc<Services>,
    id: String,
    /// Names the call in the queues of the model threads.
    number: u64,
    leg: Leg,
    engine: CallEngine,
    /// The person who takes over, and the desk that finds one.
    handover: Handover,
    ears: Option<SileroVoiceActivity>,
    echo: EchoCanceller,
    results: mpsc::Receiver<CallInput>,
    sender: mpsc::Sender<CallInput>,
    log: Option<EventLog>,
    began: Instant,
    recording: Option<Recording>,
    /// A recording that ended before the call did.
    recorded: Option<PathBuf>,
    recording_flushed: Duration,
    /// The caller's frames that are not in the recording yet.
    caller_audio: VecDeque<AudioFrame>,
    line: WireMeter,
    held: bool,
    ended: Option<EndReason>,
    /// The frame that this tick sends.
    due: Option<AudioFrame>,
    /// What Radline said in the last tick: who takes over hears it, too, and does not talk over it.
    own: Option<AudioFrame>,
}

impl CallDriver {
    fn new(services: Arc<Services>, call: AnsweredCall, approval: Option<Approval>) -> Self {
        let AnsweredCall { id, leg, called } = call;
        let (scenario, facts) =
            (Arc::clone(&services.site.scenario), Arc::clone(&services.site.facts));
        let today = services.clock.moment().local.date();
        let dialogue = match called {
            Some(called) => Dialogue::preparation(scenario, facts, today, called),
            None => Dialogue::new(scenario, facts, today),
        };
        let engine = CallEngine::new(Medium::Voice, dialogue, Arc::clone(&services.red_flags))
            .with_approval(approval);
        let (sender, results) = mpsc::channel(RESULTS_MAX);
        let log =
            EventLog::start(services.store.clone(), id.clone(), Arc::clone(&services.metrics));
        Self {
            number: services.next_number(),
            ears: services.take_voice_activity(),
            echo: EchoCanceller::default(),
            handover: Handover::begin(Arc::clone(&services), &id, sender.clone()),
            services,
            id,
            leg,
            engine,
            results,
            sender,
            log: Some(log),
            began: Instant::now(),
            recording: None,
            recorded: None,
            recording_flushed: Duration::ZERO,
            caller_audio: VecDeque::new(),
            line: WireMeter::default(),
            held: false,
            ended: None,
            due: None,
            own: None,
        }
    }

    async fn drive(&mut self, shutdown: CancellationToken) -> EndReason {
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        // After a stall the missed frames are made up for, so that the stream keeps its clock.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        self.input(CallInput::Connected);
        let mut told = false;
        loop {
            if let Some(reason) = self.ended {
                return reason;
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !told => {
                    told = true;
                    self.input(CallInput::Shutdown);
                }
                event = self.leg.event() => self.leg_event(event),
                // Before the desk's words: what came of a transfer is known here before the provider's
                // side, told of it, says goodbye.
                result = self.results.recv() => {
                    if let Some(result) = result {
                        self.input(result);
                    }
                }
                word = self.handover.word() => {
                    if let Some(input) = self.handover.take(word, &self.leg) {
                        self.input(input);
                    }
                }
                _ = ticks.tick() => self.tick(),
            }
        }
    }

    fn leg_event(&mut self, event: LegEvent) {
        match event {
            LegEvent::Held => {
                self.held = true;
                self.input(CallInput::Held);
            }
            LegEvent::Resumed => {
                self.held = false;
                self.input(CallInput::Resumed);
            }
            LegEvent::HungUp => self.input(CallInput::HungUp),
        }
    }

    /// 20 ms: take what came in, let the engine decide, send what is due.
    fn tick(&mut self) {
        let now = self.began.elapsed();
        let received = self.leg.receive(now);
        for key in received.keys {
            self.input(CallInput::Key(key));
        }
        let mut speech = SpeechProbability::NONE;
        for frame in received.frames {
            if self.recording.is_some() {
                self.caller_audio.push_back(frame.clone());
            }
            let frame = self.echo.heard(frame);
            self.handover.hear(AudioFrame::mixed(Some(frame.clone()), self.own.take()));
            speech = self.speech(&frame);
            self.input(CallInput::Audio(frame, speech));
        }
        if !self.held && self.leg.silent_for(now) > MEDIA_LOST {
            self.input(CallInput::MediaLost);
        }
        if self.handover.is_cut_off() {
            self.handover.hang_up();
            self.input(CallInput::PersonLeft(PersonLeft::Lost));
        }
        let person = self.handover.speak();
        if let Some((frame, speech)) = &person {
            self.input(CallInput::PersonAudio(frame.clone(), *speech));
        }
        self.input(CallInput::Tick);
        self.own = self.due.take();
        let due = AudioFrame::mixed(self.own.clone(), person.map(|(frame, _)| frame));
        if let Some(frame) = &due {
            self.echo.played(frame);
        }
        self.leg.send(due.as_ref());
        // What people say to each other is not how the line answers.
        if !self.handover.is_joined() {
            self.line.follow(now, speech, due.as_ref());
        }
        self.record(due.as_ref());
    }

    fn speech(&mut self, frame: &AudioFrame) -> SpeechProbability {
        let Some(ears) = &mut self.ears else { return SpeechProbability::NONE };
        ears.probability(frame).unwrap_or_else(|error| {
            tracing::warn!(%error, "voice activity failed on a frame");
            SpeechProbability::NONE
        })
    }

    fn input(&mut self, input: CallInput) {
        self.engine.handle(self.began.elapsed(), input);
        while let Some(output) = self.engine.poll_output() {
            self.perform(output);
        }
        self.handover.brief(self.engine.dialogue());
    }

    fn perform(&mut self, output: CallOutput) {
        match output {
            CallOutput::Transcribe { turn, audio, expectation } => {
                let sender = self.sender.clone();
                self.services.ears.transcribe(self.number, audio, expectation, move |result| {
                    give(&sender, CallInput::Transcribed(turn, result.map(transcript)));
                });
            }
            CallOutput::Ask(question) => self.services.reader.ask(self.number, question),
            CallOutput::Understand { turn, words, question } => {
                self.understand(turn, words, question);
            }
            CallOutput::UnderstandKeys { turn, keys, question } => {
                let today = self.services.clock.moment().local.date();
                let understood = understanding::from_keys(&keys, &question, today);
                give(&self.sender, CallInput::Understood(turn, understood));
            }
            CallOutput::Act { request, action } => self.act(request, action),
            CallOutput::LookUp { request, look_up } => self.act(request, look_up.into_action()),
            CallOutput::Synthesize { sentence_id, sentence } => {
                let sender = self.sender.clone();
                let reply = move |part| {
                    give(&sender, CallInput::Synthesized(sentence_id, part));
                };
                let (text, reusable) = (sentence.text, sentence.reusable);
                self.services.voice.speak(self.number, text, reusable, reply);
            }
            CallOutput::Supervise(turn) => self.supervise(turn),
            CallOutput::Play(frame) => self.due = Some(frame),
            CallOutput::Record(event) => {
                self.handover.show(&event);
                if let Some(log) = &self.log {
                    log.keep(event);
                }
            }
            CallOutput::Overhear { turn, audio } => {
                let sender = self.sender.clone();
                self.services.ears.overhear(self.number, audio, move |result| {
                    give(&sender, CallInput::Transcribed(turn, result.map(transcript)));
                });
            }
            CallOutput::Draft(reply) => {
                let draft = reply.draft;
                if !self.handover.draft(reply) {
                    let nobody = CallInput::DraftJudged(draft, Judgement::Nobody, String::new());
                    give(&self.sender, nobody);
                }
            }
            CallOutput::QueueForPerson => self.handover.queue(true),
            CallOutput::LeaveQueue => self.handover.queue(false),
            CallOutput::StartRecording => self.start_recording(),
            CallOutput::StopRecording => {
                self.recorded = self.finish_recording().or(self.recorded.take());
            }
            CallOutput::HangUp(reason) => {
                self.leg.hang_up();
                self.ended = Some(reason);
            }
        }
    }

    /// The parsers and the classifier first; the language model for what they cannot read. Danger does not
    /// wait for it.
    fn understand(&self, turn: TurnId, words: Phi<String>, question: Question) {
        let today = self.services.clock.moment().local.date();
        let (services, number) = (Arc::clone(&self.services), self.number);
        let sender = self.sender.clone();
        let parsed = understanding::parse(&words, &question, today);
        if danger::is_named(&services.red_flags, &words, &question) {
            give(&sender, CallInput::Understood(turn, parsed));
            return;
        }
        let (asked, said) = (question.clone(), words.clone());
        self.services.first_sight.see(number, asked, said, move |seen| {
            let seen = seen.as_ref();
            if danger::alarms(&services.red_flags, &words, &question, seen) {
                give(&sender, CallInput::Understood(turn, labelled::as_seen(parsed, seen)));
                return;
            }
            let then = Worded { services: Arc::clone(&services), number, turn, sender };
            if !labelled::is_for_model(&words, &parsed, &question, seen) {
                then.give(&words, labelled::as_seen(parsed, seen));
                return;
            }
            let seen = seen.cloned();
            services.reader.read(number, question.clone(), words.clone(), move |read| {
                let read = Readings { seen: seen.as_ref(), read: read.as_ref() };
                let understood = labelled::understand(&words, parsed, read, &question, today);
                then.give(&words, understood);
            });
        });
    }

    fn supervise(&self, turn: Reread) {
        let today = self.services.clock.moment().local.date();
        let (sender, number) = (self.sender.clone(), turn.turn);
        self.services.supervisor.reread(self.number, turn, today, move |reading| {
            give(&sender, CallInput::Supervised(number, reading));
        });
    }

    fn act(&mut self, request: u32, action: Action) {
        // Before the clinic is asked: a person is paged whether the task can be written or not.
        let present = self.handover.escalate(&action);
        let (services, call) = (Arc::clone(&self.services), self.id.clone());
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let moment = services.clock.moment();
            let office = &services.site.office;
            let result = services.store.perform(&call, moment, office, &action).await;
            let outcome = result.unwrap_or_else(|error| {
                tracing::error!(%error, action = action.kind(), "the clinic failed");
                ActionOutcome::Unavailable
            });
            let outcome = with_presence(outcome, present);
            give(&sender, CallInput::ClinicAnswered(request, outcome));
        });
    }

    fn start_recording(&mut self) {
        let path = self.services.store.recording_path(&self.id);
        match Recording::begin(&path, SAMPLE_RATE_HZ) {
            Ok(recording) => self.recording = Some(recording),
            Err(error) => tracing::error!(%error, "a call is not recorded"),
        }
    }

    fn record(&mut self, agent: Option<&AudioFrame>) {
        let Some(recording) = &mut self.recording else { return };
        let silence = AudioFrame::silence();
        let caller = self.caller_audio.pop_front();
        let caller = caller.as_ref().unwrap_or(&silence).samples();
        let mut result = recording.write(caller, agent.unwrap_or(&silence).samples());
        let now = self.began.elapsed();
        if result.is_ok() && now.saturating_sub(self.recording_flushed) > RECORDING_FLUSH {
            self.recording_flushed = now;
            result = recording.flush();
        }
        if let Err(error) = result {
            tracing::error!(%error, "a recording was given up");
            self.recording = None;
        }
    }

    /// Writes what is left and gives back what was borrowed.
    async fn close(&mut self) -> Option<PathBuf> {
        self.services.reader.forget(self.number);
        self.services.supervisor.forget(self.number);
        self.handover.hang_up();
        self.handover.describe(self.engine.dialogue()).await;
        if let Some(ears) = self.ears.take() {
            self.services.give_back_voice_activity(ears);
        }
        if let Some(log) = self.log.take() {
            let at_ms = self.began.elapsed().as_millis() as u64;
            let kind = EventKind::LineMeasured(std::mem::take(&mut self.line).finish());
            log.keep(CallEvent { at_ms, turn: 0, kind });
            log.finish().await;
        }
        self.finish_recording().or(self.recorded.take())
    }

    fn finish_recording(&mut self) -> Option<PathBuf> {
        let finished = self.recording.take().map(Recording::finish);
        match finished {
            Some(Ok(path)) => Some(path),
            Some(Err(error)) => {
                tracing::error!(%error, "a recording was not finished");
                None
            }
            None => None,
        }
    }
}

/// Words as the engine takes them.
fn transcript(heard: radline_speech::Transcript) -> Transcript {
    Transcript { text: heard.text, confidence: heard.confidence }
}

/// An understanding on its way to the engine.
struct Worded {
    services: Arc<Services>,
    number: u64,
    turn: TurnId,
    sender: mpsc::Sender<CallInput>,
}

impl Worded {
    /// Gives it, with a sentence to what the caller feels where one is worded in time.
    fn give(self, words: &Phi<String>, understood: Understanding) {
        let empathy = &self.services.site.scenario.line.empathy;
        let Some(felt) = Felt::of(words, &understood, empathy) else {
            give(&self.sender, CallInput::Understood(self.turn, understood));
            return;
        };
        let (turn, sender) = (self.turn, self.sender);
        self.services.reader.acknowledge(self.number, felt, move |acknowledgement| {
            let understood = Understanding { acknowledgement, ..understood };
            give(&sender, CallInput::Understood(turn, understood));
        });
    }
}

/// Gives a result to its call. A full queue belongs to a call that hangs: the engine's deadlines
/// deal with that. A closed one belongs to a call that is over.
pub fn give(sender: &mpsc::Sender<CallInput>, input: CallInput) {
    if sender.try_send(input).is_err() {
        tracing::debug!("a result came for a call that takes none");
    }
}

//! One simulated call: the engine between a caller, a network, models and a clinic.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use radline_audio::jitter_buffer::{JitterBuffer, Packet, Playout};
use radline_audio::{AudioFrame, DtmfDigit, FRAME_MS, FRAME_SAMPLES, SpeechProbability};
use radline_call::{
    Approval, CallEngine, CallEvent, CallInput, CallOutput, EventKind, Judgement, Medium, Reread,
    SecondReading, SpokenPart, Transcript, TurnId, Unanswered,
};
use radline_dialogue::{
    Action, ActionOutcome, Command, Dialogue, RedFlag, RedFlags, Scenario, SiteFacts, Understanding,
};
use radline_language::{labelled, understanding};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::caller::{Caller, Sentence};
use crate::clinic::{Clinic, TODAY};
use crate::heap::Heap;
use crate::invariants::{Invariants, Seen, Snapshot};
use crate::link::{Link, Quality};
use crate::mark::{Mark, Source};
use crate::models::{self, Ears, Fate};
use crate::persons::Persons;
use crate::report::{Report, Violation};

const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sites/demo-hospital/scenarios");
/// No call is longer.
const CALL_MAX: Duration = Duration::from_mins(25);
/// Frames of a clause.
const CLAUSE_FRAMES: usize = 60;
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
/// The caller's clock is off by up to this share.
const DRIFT_MAX: f64 = 200e-6;
/// RTP clock, Hz, and samples in a packet.
const RTP_RATE: u32 = 8000;
const RTP_SAMPLES: u32 = RTP_RATE * FRAME_MS / 1000;
/// Chance, in a tick, that an answer comes to something that nobody waits for any more.
const STALE: f64 = 0.002;
/// Chance that the server is shut down in mid-call.
const SHUTDOWN: f64 = 0.01;
/// Second readings that see danger where there is none, a share.
const FALSE_ALARM: f64 = 0.002;
/// How long a conversation's words take to be written down.
const OVERHEARING: Duration = Duration::from_millis(1500);
/// The slowest second reading, ms.
const REREADING_MAX_MS: u64 = 12_000;

enum Event {
    CallerTick,
    AgentTick,
    ToAgent(Packet),
    ToCaller(Option<Mark>),
    Result(CallInput),
    EarsFree(Option<CallInput>),
    Hold,
    Resume,
    HangUp,
    Shutdown,
}

struct World {
    seed: u64,
    random: StdRng,
    heap: Heap<Event>,
    now: Duration,
    engine: CallEngine,
    caller: Caller,
    drift: f64,
    up: Link,
    down: Link,
    jitter: JitterBuffer,
    /// What the last frame from the caller held.
    last_mark: Option<Mark>,
    timestamp: u32,
    /// What the caller hears at the moment.
    sounding: Option<Mark>,
    /// The frame that the engine wants sent in this tick.
    due: Option<AudioFrame>,
    ears: Ears,
    voice_activity: f32,
    clinic: Clinic,
    persons: Persons,
    sentences: BTreeMap<u16, (Sentence, bool)>,
    on_hold: bool,
    over: bool,
    invariants: Invariants,
    report: Report,
    events: Vec<CallEvent>,
    /// Everything that went in, for the replay.
    inputs: Vec<(Duration, CallInput)>,
    outputs: DefaultHasher,
}

/// The scenario and its facts, read once.
fn dialogue() -> Dialogue {
    static SCENARIO: OnceLock<(Arc<Scenario>, Arc<SiteFacts>)> = OnceLock::new();
    let (scenario, facts) = SCENARIO.get_or_init(|| {
        let scenario = Scenario::load(Path::new(FOLDER))
            .expect("the demonstration scenario is checked by the tests of its own crate");
        let names = ["hospital", "department", "emergency_number", "crisis_line", "office_hours"];
        let values = names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        (Arc::new(scenario), Arc::new(SiteFacts { values, ..SiteFacts::default() }))
    });
    Dialogue::new(Arc::clone(scenario), Arc::clone(facts), TODAY)
}

/// One call in eight is supervised, each in its own way.
fn approval(seed: u64) -> Option<Approval> {
    let unanswered = [Unanswered::Hold, Unanswered::Speak, Unanswered::Person];
    seed.is_multiple_of(8).then(|| Approval {
        wait: Duration::from_secs(8),
        unanswered: unanswered[(seed / 8 % 3) as usize],
        granted: BTreeSet::from(["greeting".to_owned()]),
    })
}

fn engine(seed: u64) -> CallEngine {
    static FLAGS: OnceLock<Arc<RedFlags>> = OnceLock::new();
    let flags = FLAGS.get_or_init(|| Arc::new(RedFlags::english()));
    CallEngine::new(Medium::Voice, dialogue(), Arc::clone(flags)).with_approval(approval(seed))
}

/// Simulates the call of one seed. Returns its figures and its transcript.
pub fn simulate(seed: u64) -> (Report, Vec<String>) {
    let mut world = World::new(seed);
    world.run();
    let transcript = transcript(&world.events);
    (world.report, transcript)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let caller = Caller::new(random.random());
        let (up, down) = (Quality::draw(&mut random), Quality::draw(&mut random));
        let drift = random.random_range(-DRIFT_MAX..DRIFT_MAX);
        let mut heap = Heap::default();
        heap.at(Duration::ZERO, Event::AgentTick);
        heap.at(Duration::from_millis(random.random_range(0..20)), Event::CallerTick);
        if let Some(at) = caller.hangs_up_at {
            heap.at(at, Event::HangUp);
        }
        if let Some((from, to)) = caller.holds {
            heap.at(from, Event::Hold);
            heap.at(to, Event::Resume);
        }
        if random.random_bool(SHUTDOWN) {
            heap.at(Duration::from_secs(random.random_range(1..100)), Event::Shutdown);
        }
        if let Some(at) = Persons::takes_over(&mut random) {
            heap.at(at, Event::Result(CallInput::PersonJoined));
        }
        Self {
            seed,
            heap,
            now: Duration::ZERO,
            engine: engine(seed),
            caller,
            drift,
            up: Link::new(up),
            down: Link::new(down),
            jitter: JitterBuffer::new(RTP_RATE),
            last_mark: None,
            timestamp: random.random(),
            sounding: None,
            due: None,
            ears: Ears::default(),
            voice_activity: 0.0,
            clinic: Clinic::default(),
            persons: Persons::default(),
            sentences: BTreeMap::new(),
            on_hold: false,
            over: false,
            invariants: Invariants::default(),
            report: Report { calls: 1, ..Report::default() },
            events: Vec::new(),
            inputs: Vec::new(),
            outputs: DefaultHasher::new(),
            random,
        }
    }

    fn run(&mut self) {
        self.input(CallInput::Connected, false);
        while !self.over
            && let Some((now, event)) = self.heap.pop()
        {
            self.now = now;
            self.happen(event);
            if now > CALL_MAX {
                self.violation("the call has no end".to_owned());
            }
        }
        self.report.booked = self.clinic.booked;
        if self.report.violations.is_empty() {
            self.replay();
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::CallerTick => self.caller_tick(),
            Event::AgentTick => self.agent_tick(),
            Event::ToAgent(packet) => self.jitter.push(self.now, packet),
            Event::ToCaller(mark) => self.sounding = mark,
            Event::Result(input) => self.input(input, false),
            Event::EarsFree(result) => {
                if let Some(result) = result {
                    self.input(result, false);
                }
                let next = self.ears.next(&self.caller.spoken, &mut self.random);
                self.schedule_ears(next);
            }
            Event::Hold => {
                self.on_hold = true;
                self.input(CallInput::Held, false);
            }
            Event::Resume => {
                self.on_hold = false;
                self.input(CallInput::Resumed, false);
            }
            Event::HangUp => self.input(CallInput::HungUp, false),
            Event::Shutdown => self.input(CallInput::Shutdown, false),
        }
    }

    /// 20 ms by the caller's clock.
    fn caller_tick(&mut self) {
        let sentences = &self.sentences;
        let sentence_of = |piece| sentences.get(&piece).map(|(sentence, _)| sentence.clone());
        let mark = self.caller.frame(self.now, self.sounding, sentence_of);
        for key in self.caller.take_keys() {
            if let Some(key) = DtmfDigit::from_char(key) {
                self.input(CallInput::Key(key), false);
            }
        }
        self.timestamp = self.timestamp.wrapping_add(RTP_SAMPLES);
        if !self.on_hold {
            let packet = Packet {
                ssrc: 1,
                timestamp: self.timestamp,
                payload: Mark::to_payload(mark),
                samples: RTP_SAMPLES,
            };
            for arrival in self.up.send(self.now, &mut self.random) {
                self.heap.at(arrival, Event::ToAgent(packet.clone()));
            }
        }
        let next = self.now + FRAME.mul_f64(1.0 + self.drift);
        self.heap.at(next, Event::CallerTick);
    }

    /// 20 ms by the agent's clock: as the call driver does it.
    fn agent_tick(&mut self) {
        let frames = if self.jitter.is_behind() { 2 } else { 1 };
        for _ in 0..frames {
            let (frame, mark) = match self.jitter.pop(self.now) {
                Playout::Payload(payload) => {
                    let mark = Mark::of_payload(&payload);
                    (mark.map_or_else(AudioFrame::silence, Mark::to_frame), mark)
                }
                // Concealed by what came before, as the real leg does it.
                Playout::Lost(_) => {
                    let mark = self.last_mark;
                    (mark.map_or_else(AudioFrame::silence, Mark::to_frame), mark)
                }
                Playout::Silent => (AudioFrame::silence(), None),
                Playout::Waiting => break,
            };
            self.last_mark = mark;
            let speech = self.speech(mark);
            self.input(CallInput::Audio(frame, speech), false);
        }
        self.maybe_stale();
        if let Some(frame) = self.persons.frame(&mut self.random) {
            self.input(frame, false);
        }
        self.input(CallInput::Tick, false);
        let mark = self.due.take().and_then(|frame| Mark::of(frame.samples()));
        if let Some((_, firm)) = mark.and_then(|mark| self.sentences.get(&mark.piece)) {
            self.invariants.sounds(*firm);
        }
        for arrival in self.down.send(self.now, &mut self.random) {
            self.heap.at(arrival, Event::ToCaller(mark));
        }
        self.heap.at(self.now + FRAME, Event::AgentTick);
    }

    /// As the voice activity model judges: it follows speech within a frame or two, in and out,
    /// and takes a cough for speech now and then; of every second noise it only wonders.
    fn speech(&mut self, mark: Option<Mark>) -> SpeechProbability {
        let target = match mark.map(|mark| (mark.source, mark.piece % 2)) {
            Some((Source::Caller | Source::Background, _)) => 0.97,
            Some((Source::Noise, 0)) => self.random.random_range(0.0..0.9),
            Some((Source::Noise, _)) => self.random.random_range(0.1..0.4),
            Some((Source::Agent, _)) | None => 0.02,
        };
        self.voice_activity += 0.65 * (target - self.voice_activity);
        SpeechProbability::new(self.voice_activity)
    }

    /// Answers to what nobody asks any more: they must change nothing.
    fn maybe_stale(&mut self) {
        if !self.random.random_bool(STALE) {
            return;
        }
        let person = || Understanding::from_parsers(vec![Command::RequestPerson]);
        let long_ago = TurnId(u32::MAX - self.random.random_range(0..3));
        let input = match self.random.random_range(0..3) {
            0 => CallInput::Understood(long_ago, person()),
            1 => {
                let nothing = SpokenPart::whole(vec![0; 320].into());
                CallInput::Synthesized(u32::MAX, Some(nothing))
            }
            _ => CallInput::ClinicAnswered(u32::MAX, ActionOutcome::Held),
        };
        self.input(input, true);
    }

    #[expect(clippy::needless_pass_by_value, reason = "an input is handed over")]
    fn input(&mut self, input: CallInput, stale: bool) {
        if self.over {
            return;
        }
        self.inputs.push((self.now, input.clone()));
        let before = Snapshot::of(&self.engine);
        self.engine.handle(self.now, input.clone());
        let outputs: Vec<CallOutput> = std::iter::from_fn(|| self.engine.poll_output()).collect();
        for output in &outputs {
            fingerprint(output, &mut self.outputs);
        }
        let after = Snapshot::of(&self.engine);
        for output in &outputs {
            if let CallOutput::Record(event) = output {
                self.count(event);
            }
        }
        let seen = Seen {
            now: self.now,
            input: &input,
            stale,
            outputs: &outputs,
            before: &before,
            after: &after,
        };
        if let Some(broken) = self.invariants.check(&seen, &self.engine) {
            self.violation(broken);
            return;
        }
        for output in outputs {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: CallOutput) {
        match output {
            CallOutput::Transcribe { turn, audio, .. } => {
                let audio = audio.into_exposed();
                let next = self.ears.take(turn, audio, &self.caller.spoken, &mut self.random);
                self.schedule_ears(next);
            }
            CallOutput::Understand { turn, words, question, .. } => {
                let parsed = understanding::parse(&words, &question, TODAY);
                let delay = if labelled::is_for_model(&words, &parsed, &question, None) {
                    models::reading_time(&mut self.random)
                } else {
                    Duration::ZERO
                };
                let parsed = understanding::by_example(&words, parsed, &question);
                self.later(delay, CallInput::Understood(turn, parsed));
            }
            CallOutput::UnderstandKeys { turn, keys, question } => {
                let parsed = understanding::from_keys(&keys, &question, TODAY);
                self.later(Duration::ZERO, CallInput::Understood(turn, parsed));
            }
            CallOutput::Act { request, action } => self.ask_clinic(request, &action),
            CallOutput::LookUp { request, look_up } => self.ask_clinic(request, look_up.action()),
            CallOutput::Synthesize { sentence_id, sentence } => {
                self.synthesize(sentence_id, &sentence);
            }
            CallOutput::Play(frame) => self.due = Some(frame),
            CallOutput::HangUp(_) => self.over = true,
            CallOutput::Supervise(turn) => self.reread(&turn),
            CallOutput::Overhear { turn, .. } => {
                let words = Transcript { text: "and what then".into(), confidence: 0.9 };
                let heard = self.random.random_bool(0.9).then_some(words);
                self.later(OVERHEARING, CallInput::Transcribed(turn, heard));
            }
            CallOutput::QueueForPerson => {
                for (delay, input) in Persons::queue(&mut self.random) {
                    self.later(delay, input);
                }
            }
            CallOutput::Record(event) => self.follow_person(&event.kind),
            CallOutput::Draft(reply) => self.judge(reply.draft),
            CallOutput::Ask(_)
            | CallOutput::LeaveQueue
            | CallOutput::StartRecording
            | CallOutput::StopRecording => {}
        }
    }

    /// Whoever supervises approves most drafts, in their own time, and forgets some.
    fn judge(&mut self, draft: u64) {
        let delay = Duration::from_millis(self.random.random_range(50..12_000));
        let judgement = match self.random.random_range(0..10) {
            0 => Judgement::Reject,
            1 => Judgement::Edit("And what would you like to do?".into()),
            2 => Judgement::Nobody,
            3 => return,
            _ => Judgement::Approve,
        };
        self.later(delay, CallInput::DraftJudged(draft, judgement, "jo".to_owned()));
    }

    fn follow_person(&mut self, event: &EventKind) {
        match event {
            EventKind::PersonJoined { .. } => {
                let (delay, end) = self.persons.join(&mut self.random);
                self.later(delay, end);
            }
            EventKind::EscalationEnded { .. } => self.persons.leave(),
            _ => {}
        }
    }

    /// The second reader is slow, and now and then sees danger that there is not.
    fn reread(&mut self, turn: &Reread) {
        let delay = Duration::from_millis(self.random.random_range(200..REREADING_MAX_MS));
        let flag = self.random.random_bool(FALSE_ALARM).then_some(RedFlag::ALL[0]);
        let differs = self.random.random_bool(0.1);
        let reading = SecondReading { flag, words: turn.words.clone(), differs };
        self.later(delay, CallInput::Supervised(turn.turn, reading));
    }

    fn later(&mut self, delay: Duration, input: CallInput) {
        self.heap.at(self.now + delay, Event::Result(input));
    }

    fn schedule_ears(&mut self, finish: Option<models::Finish>) {
        if let Some((takes, result)) = finish {
            self.heap.at(self.now + takes, Event::EarsFree(result));
        }
    }

    fn ask_clinic(&mut self, request: u32, action: &Action) {
        let (delay, fate) = Clinic::delay(&mut self.random);
        let outcome = match fate {
            Fate::Done => self.clinic.perform(action, &mut self.random),
            Fate::Fails => ActionOutcome::Unavailable,
            Fate::Never => return,
        };
        if let Some(broken) = self.clinic.broken.take() {
            self.violation(broken);
        }
        self.later(delay, CallInput::ClinicAnswered(request, outcome));
    }

    fn synthesize(&mut self, id: u32, sentence: &radline_dialogue::Sentence) {
        let piece = (id % u32::from(crate::mark::PIECES_MAX)) as u16;
        let text = sentence.text.expose().clone();
        let frames = models::spoken_frames(&text) as u16;
        let audio: Vec<i16> = (0..frames)
            .flat_map(|frame| *Mark { source: Source::Agent, piece, frame }.to_frame().samples())
            .collect();
        let heard = Sentence { source: sentence.source.clone(), text };
        self.sentences.insert(piece, (heard, sentence.firm));
        // A sentence from the cache comes whole, another one clause by clause.
        let clause = if sentence.reusable { audio.len() } else { CLAUSE_FRAMES * FRAME_SAMPLES };
        let parts = audio.len().div_ceil(clause);
        let mut delay = Duration::ZERO;
        for (index, part) in audio.chunks(clause).enumerate() {
            let length = FRAME * (part.len() / FRAME_SAMPLES) as u32;
            delay += models::synthesis_time(sentence.reusable, length, &mut self.random);
            let part = SpokenPart { audio: part.to_vec().into(), last: index + 1 == parts };
            match Fate::draw(&mut self.random) {
                Fate::Done => self.later(delay, CallInput::Synthesized(id, Some(part))),
                Fate::Fails => return self.later(delay, CallInput::Synthesized(id, None)),
                Fate::Never => return,
            }
        }
    }

    fn count(&mut self, event: &CallEvent) {
        match &event.kind {
            EventKind::CallerSaid { .. } => self.report.turns += 1,
            EventKind::TurnReopened => self.report.reopened += 1,
            EventKind::BargeIn { yield_ms } => {
                self.report.barge_ins += 1;
                self.report.yield_ms.push(*yield_ms);
            }
            EventKind::SpokeOn { because, .. } => {
                *self.report.spoke_on.entry(because.key().to_owned()).or_default() += 1;
            }
            EventKind::TurnTimed(timing) => {
                self.report.attempts += timing.attempts as usize;
                self.report.voice_to_voice_ms.push(timing.voice_to_voice_ms);
                self.report.won_ms.push(timing.won_ms);
            }
            EventKind::Ended { reason } => {
                *self.report.ended.entry(reason.key().to_owned()).or_default() += 1;
            }
            _ => {}
        }
        self.events.push(event.clone());
    }

    fn violation(&mut self, what: String) {
        self.over = true;
        let transcript = transcript(&self.events);
        self.report.violations.push(Violation { seed: self.seed, at: self.now, what, transcript });
    }

    /// The same inputs lead to the same outputs and the same state.
    fn replay(&mut self) {
        let mut again = engine(self.seed);
        let mut outputs = DefaultHasher::new();
        for (now, input) in self.inputs.drain(..) {
            again.handle(now, input);
            while let Some(output) = again.poll_output() {
                fingerprint(&output, &mut outputs);
            }
        }
        let same = outputs.finish() == self.outputs.finish()
            && Snapshot::of(&again) == Snapshot::of(&self.engine);
        if !same {
            self.violation("the call does not replay to the same state".to_owned());
        }
    }
}

/// What tells two outputs apart.
fn fingerprint(output: &CallOutput, hasher: &mut DefaultHasher) {
    match output {
        CallOutput::Play(frame) => frame.samples().hash(hasher),
        CallOutput::Record(event) => {
            serde_json::to_string(event).unwrap_or_default().hash(hasher);
        }
        CallOutput::Transcribe { turn, audio, .. } => {
            (turn.0, audio.expose().len()).hash(hasher);
        }
        other => format!("{other:?}").hash(hasher),
    }
}

/// The call in lines: times, words, and what was made of them. Every word in it is invented.
fn transcript(events: &[CallEvent]) -> Vec<String> {
    let line = |event: &CallEvent| {
        let mut line = format!("{:7.2} [{}] ", event.at_ms as f64 / 1000.0, event.turn);
        let json = serde_json::to_value(&event.kind).unwrap_or_default();
        let kind = json["event"].as_str().unwrap_or_default();
        line.push_str(kind);
        for (name, value) in json.as_object().into_iter().flatten() {
            let dull = matches!(name.as_str(), "event" | "confidence") || value.is_null();
            if !dull && write!(line, " {name}={value}").is_err() {
                break;
            }
        }
        line
    };
    events.iter().map(line).collect()
}

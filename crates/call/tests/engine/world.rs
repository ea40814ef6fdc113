//! A call with a world around it that answers at once, unless told otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use radline_audio::{AudioFrame, FRAME_SAMPLES, SpeechProbability};
use radline_call::{
    Approval, CallEngine, CallInput, CallOutput, EndReason, EventKind, Medium, Reread, SpokenPart,
    Transcript, TurnId,
};
use radline_dialogue::{Action, Command, Dialogue, RedFlags, Scenario, SiteFacts, Understanding};

const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sites/demo-hospital/scenarios");

/// When sentences become audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    AtOnce,
    /// When told to.
    Late,
    Never,
}

/// A call with a world that answers at once, unless told otherwise.
pub(super) struct World {
    pub(super) engine: CallEngine,
    pub(super) now: Duration,
    pub(super) events: Vec<EventKind>,
    pub(super) played: usize,
    /// Audio length of every sentence, frames.
    pub(super) sentence_frames: usize,
    pub(super) transcribes: Vec<TurnId>,
    /// Length of what was last to be transcribed, samples.
    pub(super) transcribed_samples: usize,
    pub(super) understands: Vec<(TurnId, String)>,
    pub(super) actions: Vec<(u32, Action)>,
    pub(super) look_ups: Vec<(u32, Action)>,
    pub(super) rereads: Vec<Reread>,
    pub(super) hung_up: Option<EndReason>,
    pub(super) recording: bool,
    /// Audio of a conversation that is to be written down.
    pub(super) overheard: Vec<TurnId>,
    /// Replies that wait for a person's word.
    pub(super) drafts: Vec<(u64, String)>,
    /// Whether the caller waits on the line for a person.
    pub(super) queued: bool,
    pub(super) voice: Voice,
    /// Audio that comes when told to.
    late: Vec<CallInput>,
}

impl World {
    pub(super) fn new(medium: Medium) -> Self {
        Self::with(medium, 25, Voice::AtOnce)
    }

    pub(super) fn with(medium: Medium, sentence_frames: usize, voice: Voice) -> Self {
        Self::of(medium, sentence_frames, voice, None)
    }

    /// A call whose replies are approved.
    pub(super) fn supervised(medium: Medium, policy: Approval) -> Self {
        Self::of(medium, 25, Voice::AtOnce, Some(policy))
    }

    fn of(medium: Medium, sentence_frames: usize, voice: Voice, policy: Option<Approval>) -> Self {
        let scenario = Scenario::load(std::path::Path::new(FOLDER)).expect("sound");
        let names = ["hospital", "department", "emergency_number", "crisis_line", "office_hours"];
        let values: BTreeMap<String, String> =
            names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        let site = Arc::new(SiteFacts { values, ..SiteFacts::default() });
        let dialogue = Dialogue::new(Arc::new(scenario), site, jiff::civil::date(2026, 11, 23));
        let engine =
            CallEngine::new(medium, dialogue, Arc::new(RedFlags::english())).with_approval(policy);
        let mut world = Self {
            engine,
            now: Duration::ZERO,
            events: Vec::new(),
            played: 0,
            sentence_frames,
            transcribes: Vec::new(),
            transcribed_samples: 0,
            understands: Vec::new(),
            actions: Vec::new(),
            look_ups: Vec::new(),
            rereads: Vec::new(),
            hung_up: None,
            recording: false,
            overheard: Vec::new(),
            drafts: Vec::new(),
            queued: false,
            voice,
            late: Vec::new(),
        };
        world.input(CallInput::Connected);
        world
    }

    pub(super) fn input(&mut self, input: CallInput) {
        self.engine.handle(self.now, input);
        let mut replies = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                CallOutput::Transcribe { turn, audio, .. } => {
                    self.transcribes.push(turn);
                    self.transcribed_samples = audio.expose().len();
                }
                CallOutput::Understand { turn, words, .. } => {
                    self.understands.push((turn, words.into_exposed()));
                }
                CallOutput::UnderstandKeys { turn, keys, .. } => {
                    self.understands.push((turn, keys.into_exposed()));
                }
                CallOutput::Act { request, action } => self.actions.push((request, action)),
                CallOutput::LookUp { request, look_up } => {
                    self.look_ups.push((request, look_up.into_action()));
                }
                CallOutput::Synthesize { sentence_id, .. } => {
                    let samples = FRAME_SAMPLES * self.sentence_frames;
                    let audio = (self.voice != Voice::Never)
                        .then(|| SpokenPart::whole(vec![1; samples].into()));
                    let reply = CallInput::Synthesized(sentence_id, audio);
                    if self.voice == Voice::Late {
                        self.late.push(reply);
                    } else {
                        replies.push(reply);
                    }
                }
                CallOutput::Supervise(turn) => self.rereads.push(turn),
                CallOutput::Ask(_) => {}
                CallOutput::Overhear { turn, .. } => self.overheard.push(turn),
                CallOutput::Draft(reply) => {
                    self.drafts.push((reply.draft, reply.text.into_exposed()));
                }
                CallOutput::QueueForPerson => self.queued = true,
                CallOutput::LeaveQueue => self.queued = false,
                CallOutput::Play(_) => self.played += 1,
                CallOutput::Record(event) => self.events.push(event.kind),
                CallOutput::StartRecording => self.recording = true,
                CallOutput::StopRecording => self.recording = false,
                CallOutput::HangUp(reason) => self.hung_up = Some(reason),
            }
        }
        for reply in replies {
            self.input(reply);
        }
    }

    /// Lets the audio come that was asked for.
    pub(super) fn speak_late(&mut self) {
        for audio in std::mem::take(&mut self.late) {
            self.input(audio);
        }
    }

    /// Lets frames pass with the caller speaking or silent.
    pub(super) fn pass(&mut self, ms: u64, speaking: bool) {
        self.sound(ms, if speaking { 0.9 } else { 0.0 });
    }

    /// Lets frames pass in which the caller is heard with this probability of speech.
    pub(super) fn sound(&mut self, ms: u64, probability: f32) {
        for _ in 0..ms / 20 {
            self.now += Duration::from_millis(20);
            let speech = SpeechProbability::new(probability);
            let level = if probability > 0.0 { 2000 } else { 0 };
            let frame = AudioFrame::from_samples([level; FRAME_SAMPLES]);
            self.input(CallInput::Audio(frame, speech));
            self.input(CallInput::Tick);
        }
    }

    pub(super) fn heard(&mut self, words: &str, commands: Vec<Command>) {
        self.heard_words(words);
        self.heard_meaning(commands);
    }

    pub(super) fn heard_words(&mut self, words: &str) {
        let turn = *self.transcribes.last().expect("was asked to transcribe");
        let transcript = Transcript { text: words.into(), confidence: 0.9 };
        self.input(CallInput::Transcribed(turn, Some(transcript)));
    }

    pub(super) fn heard_meaning(&mut self, commands: Vec<Command>) {
        let (turn, _) = self.understands.last().cloned().expect("was asked to understand");
        self.input(CallInput::Understood(turn, Understanding::from_parsers(commands)));
    }

    pub(super) fn state(&self) -> &str {
        self.engine.dialogue().state()
    }

    pub(super) fn count(&self, wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}

//! From 20 ms of audio to an utterance, an utterance to words, words to an understanding, an
//! understanding to a plan, and the one moment when that counts.

use std::time::Duration;

use radline_audio::{AudioFrame, SpeechProbability};
use radline_dialogue::{Expectation, Question, Understanding};
use radline_phi::Phi;

use super::person::Speaker;
use super::planning::{Plan, Preparation, Said};
use super::timing::Stopwatch;
use super::{CallEngine, Medium, Waiting};
use crate::approval::DraftVerdict;
use crate::barge_in::Verdict;
use crate::end_of_turn::{self, Evidence, Reading};
use crate::endpointing::Change;
use crate::event::{EndReason, EventKind};
use crate::input::{Transcript, TurnId};
use crate::output::CallOutput;
use crate::speculative::{Speculative, TurnOver};
use crate::{FRAME, limits};

/// What Whisper writes when there is hardly anything to hear.
const PHANTOMS: &[&str] =
    &["", "you", "thank you", "thanks for watching", "bye", "so", "the", "hmm"];
/// Voice shorter than this may be nothing but a phantom.
const PHANTOM_VOICE_MAX: Duration = Duration::from_millis(400);

/// One attempt to understand an utterance. It has no effect until it is committed.
#[derive(Debug)]
pub(super) struct Hearing {
    turn: TurnId,
    /// The end of the turn; until then the attempt is speculative.
    over: Option<TurnOver>,
    span: (Duration, Duration),
    voiced: Duration,
    /// Frames of the utterance when it was asked.
    frames: usize,
    asked_at: Duration,
    transcript: Option<Transcript>,
    transcribed_at: Option<Duration>,
    understanding: Option<(Understanding, Duration)>,
    plan: Option<Speculative<Plan>>,
    /// When everything was worked out.
    ready_at: Option<Duration>,
    /// What was transcribed.
    audio: Phi<Vec<i16>>,
}

impl Hearing {
    /// An attempt that begins now.
    const fn new(
        turn: TurnId,
        now: Duration,
        span: (Duration, Duration),
        voiced: Duration,
    ) -> Self {
        Self {
            turn,
            over: None,
            span,
            voiced,
            frames: 0,
            asked_at: now,
            transcript: None,
            transcribed_at: None,
            understanding: None,
            plan: None,
            ready_at: None,
            audio: Phi::new(Vec::new()),
        }
    }

    /// The plan, to be worked on.
    pub(super) fn plan_at_work(&mut self) -> Option<&mut Plan> {
        self.plan.as_mut().map(Speculative::work)
    }

    /// What was heard, once it is understood.
    pub(super) fn words(&self) -> Option<(&Transcript, &Understanding)> {
        let understanding = self.understanding.as_ref().map(|(understanding, _)| understanding);
        self.transcript.as_ref().zip(understanding)
    }
}

impl CallEngine {
    /// 20 ms from the caller.
    pub(super) fn audio(&mut self, frame: AudioFrame, speech: SpeechProbability) {
        if self.held_since.is_some() || self.medium == Medium::Text {
            self.endpointing.reset();
            return;
        }
        if matches!(self.waiting, Waiting::Conversation) {
            self.overhear(Speaker::Caller, frame, speech);
            return;
        }
        let change = self.endpointing.push(self.now, frame, speech);
        self.follow_overlap(change);
        match change {
            Change::Quiet => {}
            // What was heard so far was not all: drop the attempt and wait for the rest.
            Change::Begun => {
                self.settle_part();
                self.hearing = None;
            }
            Change::Speaking => {
                if self.endpointing.voiced() >= limits::SPEECH_MIN {
                    self.withdraw_draft();
                }
                if self.endpointing.length() > limits::UTTERANCE_MAX {
                    self.attempt();
                    self.turn_over();
                }
            }
            Change::Pausing => self.pausing(),
        }
    }

    /// The question that words would be heard against now. While goodbye is said the caller may
    /// still ask for a person, or say that they are in danger.
    pub(super) fn listening(&self) -> Option<Question> {
        match &self.waiting {
            Waiting::Caller { question, .. } | Waiting::Person { question, .. } => {
                Some(question.clone())
            }
            Waiting::LastWords(EndReason::Finished) | Waiting::Approval => {
                Some(Question::of(Expectation::Open))
            }
            _ => None,
        }
    }

    fn pausing(&mut self) {
        let silence = self.endpointing.silence();
        if self.endpointing.voiced() < limits::SPEECH_MIN {
            if silence >= limits::CLICK_OVER {
                self.not_speech();
            }
            return;
        }
        if silence >= limits::EARLY_TRANSCRIPTION && self.hearing.is_none() {
            self.attempt();
        }
        let decided = self.overlap.is_none();
        if decided && self.hearing.is_some() && silence >= self.patience() {
            self.turn_over();
        }
    }

    /// How much silence ends the turn, given what is known of the words.
    fn patience(&self) -> Duration {
        let Some(question) = self.listening() else { return Duration::ZERO };
        let hearing = self.hearing.as_ref();
        let understanding = hearing.and_then(|hearing| hearing.understanding.as_ref());
        let transcript = hearing.and_then(|hearing| hearing.transcript.as_ref());
        end_of_turn::patience(&Evidence {
            expectation: question.expectation,
            reading: understanding.map_or(Reading::Unknown, |(understanding, _)| {
                end_of_turn::reading(&question, understanding)
            }),
            goes_on: transcript
                .is_some_and(|transcript| end_of_turn::goes_on(transcript.text.expose())),
            pace: self.pace.max(self.endpointing.longest_pause()),
            begun_over: self.begun_over,
        })
    }

    fn attempt(&mut self) {
        let Some(question) = self.listening() else { return };
        let turn = self.next_attempt();
        let (span, voiced) = (self.endpointing.span(), self.endpointing.voiced());
        let frames = self.endpointing.frames();
        let audio = Phi::new(self.endpointing.audio());
        let hearing = Hearing::new(turn, self.now, span, voiced);
        self.hearing = Some(Hearing { frames, audio: audio.clone(), ..hearing });
        self.emit(CallOutput::Transcribe { turn, audio, expectation: question.expectation });
    }

    /// The caller goes on with a long story after a pause: the words so far are kept, and what
    /// follows is transcribed by itself. Not where a value is asked for, which may span the pause.
    fn settle_part(&mut self) {
        let open = self.listening().is_some_and(|question| {
            matches!(question.expectation, Expectation::Open | Expectation::Story)
        });
        let Some(hearing) = self.hearing.as_ref().filter(|_| open) else { return };
        let pause = self.now.saturating_sub(hearing.asked_at) + limits::EARLY_TRANSCRIPTION;
        let part = hearing.frames.saturating_sub(self.endpointing.settled());
        let long = FRAME * u32::try_from(part).unwrap_or(u32::MAX) >= limits::PART_MIN;
        if let Some(transcript) = &hearing.transcript
            && long
            && pause >= limits::PART_PAUSE
        {
            self.settled_words = transcript.clone();
            self.endpointing.settle(hearing.frames);
        }
    }

    /// The words of the whole utterance, when those of its last part came back.
    fn with_settled(&self, transcript: Transcript, voiced: Duration) -> Transcript {
        if self.endpointing.settled() == 0 {
            return transcript;
        }
        let before = &self.settled_words;
        if is_phantom(&transcript.text, voiced) {
            return before.clone();
        }
        let text = format!("{} {}", before.text.expose(), transcript.text.expose());
        let confidence = before.confidence.min(transcript.confidence);
        Transcript { text: Phi::new(text), confidence }
    }

    const fn next_attempt(&mut self) -> TurnId {
        self.attempt.0 += 1;
        self.attempts += 1;
        self.attempt
    }

    fn turn_over(&mut self) {
        let over = TurnOver::at(self.now);
        if let Some(hearing) = &mut self.hearing {
            hearing.over.get_or_insert(over);
        }
        self.commit_if_ready();
    }

    /// A line of text is an utterance that is over.
    pub(super) fn line(&mut self, words: Phi<String>) {
        let transcript = Transcript { text: words, confidence: 1.0 };
        self.hear_now();
        self.transcribed(self.attempt, Some(transcript));
    }

    /// One key.
    pub(super) fn key(&mut self, key: char) {
        let Waiting::Caller { question, .. } = &self.waiting else { return };
        let expected = question.expectation.keys();
        if self.held_since.is_some() || self.keys.len() >= limits::KEYS_MAX {
            return;
        }
        let decides = matches!(question.expectation, Expectation::YesNo | Expectation::Choice);
        if decides && key != '0' && !self.heard_enough() {
            // A yes to what was not heard is none; the agent goes on, and the key can be pressed
            // again.
            self.answered_early = true;
            self.record(EventKind::SpokeOn { because: Verdict::TooEarly, paused_ms: 0 });
            return;
        }
        if !self.playout.is_idle() && !self.playout.is_firm() {
            self.stop_speaking();
            self.record(EventKind::BargeIn { yield_ms: 0 });
        }
        self.keys.push(key);
        self.last_key = self.now;
        let enough = expected.is_some_and(|count| self.keys.len() >= count);
        if enough || key == '#' || self.keys == "0" && expected.is_some() {
            self.keys_complete();
        }
    }

    pub(super) fn keys_complete(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        let Waiting::Caller { question, .. } = &self.waiting else { return };
        let question = question.clone();
        self.record(EventKind::KeysPressed { count: keys.len() });
        self.hear_now();
        self.emit(CallOutput::UnderstandKeys { turn: self.attempt, keys: keys.into(), question });
    }

    /// An attempt without audio, whose turn is over already.
    fn hear_now(&mut self) {
        let (turn, now) = (self.next_attempt(), self.now);
        self.endpointing.reset();
        if self.overlap.take().is_some() {
            self.playout.go_on();
        }
        self.hearing = Some(Hearing {
            over: Some(TurnOver::at(now)),
            transcribed_at: Some(now),
            ..Hearing::new(turn, now, (now, now), limits::UTTERANCE_MAX)
        });
    }

    /// Words came back. Those of an earlier attempt change nothing.
    pub(super) fn transcribed(&mut self, turn: TurnId, transcript: Option<Transcript>) {
        let now = self.now;
        if self.overheard(turn, transcript.as_ref()) {
            return;
        }
        let Some(question) = self.listening() else { return };
        let Some(hearing) = self.hearing.as_mut().filter(|hearing| hearing.turn == turn) else {
            return;
        };
        let Some(transcript) = transcript else {
            self.hearing_failed("a transcription failed");
            return;
        };
        let voiced = hearing.voiced;
        let transcript = self.with_settled(transcript, voiced);
        let Some(hearing) = &mut self.hearing else { return };
        if is_phantom(&transcript.text, voiced) {
            self.not_speech();
            return;
        }
        self.transcription_failures = 0;
        let words = transcript.text.clone();
        hearing.transcribed_at = Some(now);
        hearing.transcript = Some(transcript);
        self.emit(CallOutput::Understand { turn, words, question });
    }

    /// An understanding came back.
    pub(super) fn understood(&mut self, turn: TurnId, understanding: Understanding) {
        let now = self.now;
        let Some(hearing) = self.hearing.as_mut().filter(|hearing| hearing.turn == turn) else {
            return;
        };
        hearing.understanding = Some((understanding, now));
        if matches!(self.waiting, Waiting::Approval) && !self.heard_over_draft() {
            return;
        }
        let asked = self.heard_enough();
        if self.overlap.is_some() && !self.settle_overlap() {
            return;
        }
        self.plan(asked);
        self.commit_if_ready();
    }

    /// Works out what would follow, without letting it count.
    fn plan(&mut self, asked: bool) {
        let Some(hearing) = &self.hearing else { return };
        let Some((understanding, _)) = &hearing.understanding else { return };
        let nothing = Phi::default();
        let words = hearing.transcript.as_ref().map_or(&nothing, |transcript| &transcript.text);
        let earlier = self.second_thought.as_ref();
        let said = Said { words, understanding, asked, earlier };
        let dialogue = self.dialogue.clone();
        let (plan, preparations) = Plan::new(dialogue, &self.red_flags, said, &mut self.numbers);
        let ready = plan.is_ready();
        if let Some(hearing) = &mut self.hearing {
            hearing.plan = Some(Speculative::new(plan));
            hearing.ready_at = ready.then_some(self.now);
        }
        self.prepare(preparations);
    }

    pub(super) fn prepare(&mut self, preparations: Vec<Preparation>) {
        for preparation in preparations {
            match preparation {
                // In text mode words are heard as they are written.
                Preparation::Synthesize { .. } if self.medium == Medium::Text => {}
                Preparation::Synthesize { sentence_id, sentence } => {
                    self.emit(CallOutput::Synthesize { sentence_id, sentence });
                }
                Preparation::LookUp { request, look_up } => {
                    self.emit(CallOutput::LookUp { request, look_up });
                }
            }
        }
    }

    /// Something came that a plan waited for.
    pub(super) fn plan_advanced(&mut self) {
        let now = self.now;
        let Some(hearing) = &mut self.hearing else { return };
        let ready = hearing.plan.as_ref().is_some_and(|plan| plan.peek().is_ready());
        if ready {
            hearing.ready_at.get_or_insert(now);
        }
    }

    fn commit_if_ready(&mut self) {
        let ready = |hearing: &Hearing| hearing.over.is_some() && hearing.plan.is_some();
        // A sound that may be the next word: another frame or two will tell.
        if self.overlap.is_none()
            && !self.endpointing.may_begin()
            && self.hearing.as_ref().is_some_and(ready)
            && let Some(hearing) = self.hearing.take()
        {
            self.commit(hearing);
        }
    }

    /// From here on it counts.
    fn commit(&mut self, hearing: Hearing) {
        let (Some(plan), Some(over)) = (hearing.plan, hearing.over) else { return };
        let Some((understanding, understood_at)) = hearing.understanding else { return };
        self.turn += 1;
        self.reminders = 0;
        self.keep_checkpoint();
        let transcribed_at = hearing.transcribed_at.unwrap_or(understood_at);
        let worked_until = hearing.ready_at.unwrap_or(self.now).min(over.when());
        self.stopwatch = Some(Stopwatch {
            speech_ended: hearing.span.1,
            turn_ended: over.when(),
            transcription: transcribed_at.saturating_sub(hearing.asked_at),
            understanding: understood_at.saturating_sub(transcribed_at),
            decided: self.now,
            worded: None,
            attempts: std::mem::take(&mut self.attempts),
            won: worked_until.saturating_sub(hearing.asked_at),
        });
        let transcript =
            hearing.transcript.unwrap_or(Transcript { text: Phi::default(), confidence: 1.0 });
        let plan = plan.commit(over);
        if plan.takes_up {
            self.second_thought = None;
        }
        self.have_reread(&transcript.text, hearing.audio, plan.flag.is_some());
        self.dialogue = plan.dialogue;
        // Consent may have come with this very answer, so the words are recorded after it.
        self.record_heard_words(&transcript, hearing.span);
        self.record(EventKind::Understood {
            by: understanding.by,
            commands: Phi::new(
                understanding.commands.iter().map(|c| c.described().into_exposed()).collect(),
            ),
        });
        if let Some(class) = plan.flag {
            self.drop_draft(DraftVerdict::Withdrawn, "danger");
            self.owed.clear();
            self.record(EventKind::RedFlagRaised { class });
        }
        self.carry_out(plan.steps, plan.pending);
    }

    fn record_heard_words(&mut self, transcript: &Transcript, span: (Duration, Duration)) {
        let agreed = self.dialogue.slots().recording == Some(true);
        self.record(EventKind::CallerSaid {
            words: transcript.text.map(|words| agreed.then(|| words.clone())),
            confidence: transcript.confidence,
            from_ms: span.0.as_millis() as u64,
            to_ms: span.1.as_millis() as u64,
        });
    }

    /// Drops the attempt and the utterance.
    pub(super) fn forget_hearing(&mut self) {
        self.hearing = None;
        self.endpointing.reset();
        self.quiet_since = self.now;
    }

    /// Results that never came.
    pub(super) fn check_hearing(&mut self) {
        let Some(hearing) = &self.hearing else { return };
        let since = hearing.transcribed_at.unwrap_or(hearing.asked_at);
        let (limit, what) = match hearing.transcribed_at {
            None => (limits::TRANSCRIPTION_DEADLINE, "a transcription took too long"),
            Some(_) => (limits::UNDERSTANDING_DEADLINE, "an understanding took too long"),
        };
        if hearing.understanding.is_none() && self.now.saturating_sub(since) > limit {
            self.hearing_failed(what);
        }
    }

    /// The caller has spoken and cannot be understood through no fault of theirs.
    fn hearing_failed(&mut self, what: &str) {
        self.problem(what);
        self.transcription_failures += 1;
        if self.overlap.is_some() {
            self.not_speech();
            return;
        }
        self.forget_hearing();
        if matches!(self.waiting, Waiting::Approval) {
            return;
        }
        self.turn += 1;
        let waits = self.waits_for_person().is_some();
        let enough = self.transcription_failures >= limits::TRANSCRIPTION_FAILURES_MAX;
        let next = if enough && !waits { self.dialogue.failure() } else { self.dialogue.silence() };
        self.apply(next);
    }
}

fn is_phantom(text: &Phi<String>, voiced: Duration) -> bool {
    let plain: String = text
        .expose()
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == ' ')
        .collect();
    let plain = plain.trim();
    plain.is_empty() && voiced < Duration::from_secs(1)
        || voiced < PHANTOM_VOICE_MAX && PHANTOMS.contains(&plain)
}

//! Hearing the caller: audio to an utterance, an utterance to words, words to an understanding,
//! and the one moment when that counts.

use std::time::Duration;

use radline_audio::{AudioFrame, SpeechProbability};
use radline_dialogue::{Command, EarlierReading, Expectation, Understanding, UnderstoodBy};
use radline_phi::Phi;

use super::timing::Stopwatch;
use super::{CallEngine, Medium, Waiting};
use crate::endpointing::Change;
use crate::event::EventKind;
use crate::input::{Transcript, TurnId};
use crate::limits;
use crate::output::CallOutput;

/// What Whisper writes when there is hardly anything to hear.
const PHANTOMS: &[&str] =
    &["", "you", "thank you", "thanks for watching", "bye", "so", "the", "hmm"];
/// Voice shorter than this may be nothing but a phantom.
const PHANTOM_VOICE_MAX: Duration = Duration::from_millis(400);

/// One attempt to understand an utterance. It has no effect until it is committed.
#[derive(Debug)]
pub(super) struct Hearing {
    turn: TurnId,
    /// Whether the turn is over; until then the attempt is speculative.
    over: Option<Duration>,
    span: (Duration, Duration),
    voiced: Duration,
    asked_at: Duration,
    transcript: Option<Transcript>,
    transcribed_at: Option<Duration>,
    understanding: Option<(Understanding, Duration)>,
}

impl CallEngine {
    /// 20 ms from the caller.
    pub(super) fn audio(&mut self, frame: AudioFrame, speech: SpeechProbability) {
        let listens = matches!(self.waiting, Waiting::Caller { .. });
        if !listens || self.held_since.is_some() || self.medium == Medium::Text {
            self.endpointing.reset();
            return;
        }
        match self.endpointing.push(self.now, frame, speech) {
            Change::Quiet => {}
            Change::Begun => {
                // What was heard so far was not all: drop the attempt and wait for the rest.
                self.hearing = None;
                self.maybe_barge_in();
            }
            Change::Speaking => {
                self.maybe_barge_in();
                if self.endpointing.length() > limits::UTTERANCE_MAX {
                    self.attempt();
                    self.turn_over();
                }
            }
            Change::Pausing => self.pausing(),
        }
    }

    fn maybe_barge_in(&mut self) {
        let loud_enough = self.endpointing.voiced() >= limits::BARGE_IN;
        if loud_enough && !self.playout.is_idle() && !self.playout.is_firm() {
            self.stop_speaking();
            self.record(EventKind::BargeIn);
        }
    }

    fn pausing(&mut self) {
        let silence = self.endpointing.silence();
        if !self.playout.is_idle() || self.endpointing.voiced() < limits::SPEECH_MIN {
            // A word over the agent's voice that did not stop it, or a click.
            if silence > limits::EARLY_TRANSCRIPTION {
                self.endpointing.reset();
            }
            return;
        }
        if silence >= limits::EARLY_TRANSCRIPTION && self.hearing.is_none() {
            self.attempt();
        }
        if self.hearing.is_some() && silence >= self.patience() {
            self.turn_over();
        }
    }

    /// How much silence ends the turn, given what is known of the words.
    fn patience(&self) -> Duration {
        let Waiting::Caller { question, .. } = &self.waiting else { return Duration::ZERO };
        let silence = limits::silence(question.expectation);
        match self.hearing.as_ref().and_then(|hearing| hearing.understanding.as_ref()) {
            None => silence.unknown,
            Some((understanding, _)) if answers(question.expectation, understanding) => {
                silence.answered
            }
            Some(_) => silence.unanswered,
        }
    }

    fn attempt(&mut self) {
        let Waiting::Caller { question, .. } = &self.waiting else { return };
        let expectation = question.expectation;
        self.attempt.0 += 1;
        let turn = self.attempt;
        self.hearing = Some(Hearing {
            turn,
            over: None,
            span: self.endpointing.span(),
            voiced: self.endpointing.voiced(),
            asked_at: self.now,
            transcript: None,
            transcribed_at: None,
            understanding: None,
        });
        let audio = Phi::new(self.endpointing.audio());
        self.emit(CallOutput::Transcribe { turn, audio, expectation });
    }

    fn turn_over(&mut self) {
        let now = self.now;
        if let Some(hearing) = &mut self.hearing {
            hearing.over.get_or_insert(now);
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
        if !self.playout.is_idle() && !self.playout.is_firm() {
            self.stop_speaking();
            self.record(EventKind::BargeIn);
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
        self.attempt.0 += 1;
        self.endpointing.reset();
        self.hearing = Some(Hearing {
            turn: self.attempt,
            over: Some(self.now),
            span: (self.now, self.now),
            voiced: limits::UTTERANCE_MAX,
            asked_at: self.now,
            transcript: None,
            transcribed_at: Some(self.now),
            understanding: None,
        });
    }

    /// Words came back. Those of an earlier attempt change nothing.
    pub(super) fn transcribed(&mut self, turn: TurnId, transcript: Option<Transcript>) {
        let now = self.now;
        let Waiting::Caller { question, .. } = &self.waiting else { return };
        let question = question.clone();
        let Some(hearing) = self.hearing.as_mut().filter(|hearing| hearing.turn == turn) else {
            return;
        };
        let Some(transcript) = transcript else {
            self.hearing_failed("a transcription failed");
            return;
        };
        if is_phantom(&transcript.text, hearing.voiced) {
            self.forget_hearing();
            return;
        }
        self.transcription_failures = 0;
        let words = transcript.text.clone();
        hearing.transcribed_at = Some(now);
        hearing.transcript = Some(transcript);
        let earlier = self.readings.iter().cloned().collect();
        self.emit(CallOutput::Understand { turn, words, question, earlier });
    }

    /// An understanding came back.
    pub(super) fn understood(&mut self, turn: TurnId, understanding: Understanding) {
        let now = self.now;
        let Some(hearing) = self.hearing.as_mut().filter(|hearing| hearing.turn == turn) else {
            return;
        };
        hearing.understanding = Some((understanding, now));
        self.commit_if_ready();
    }

    fn commit_if_ready(&mut self) {
        let ready = |hearing: &Hearing| hearing.over.is_some() && hearing.understanding.is_some();
        if self.hearing.as_ref().is_some_and(ready)
            && let Some(hearing) = self.hearing.take()
        {
            self.commit(hearing);
        }
    }

    /// From here on it counts.
    fn commit(&mut self, hearing: Hearing) {
        let Some((understanding, understood_at)) = hearing.understanding else { return };
        self.turn += 1;
        self.endpointing.reset();
        let transcribed_at = hearing.transcribed_at.unwrap_or(understood_at);
        self.stopwatch = Some(Stopwatch {
            speech_ended: hearing.span.1,
            turn_ended: hearing.over.unwrap_or(self.now),
            transcription: transcribed_at.saturating_sub(hearing.asked_at),
            understanding: understood_at.saturating_sub(transcribed_at),
            decided: self.now,
            ..Stopwatch::default()
        });
        let transcript =
            hearing.transcript.unwrap_or(Transcript { text: Phi::default(), confidence: 1.0 });
        let words = transcript.text;
        let flag = self.red_flags.find(words.expose());
        let next = flag.and_then(|flag| self.dialogue.red_flag(flag, &words));
        let next = next.map(|next| (next, true));
        let (next, flagged) =
            next.unwrap_or_else(|| (self.dialogue.hear(&words, &understanding), false));
        self.remember_reading(&words, &understanding);
        // Consent may have come with this very answer, so the words are recorded after it.
        self.record_heard_words(&words, transcript.confidence, hearing.span);
        self.record(EventKind::Understood {
            by: understanding.by,
            commands: Phi::new(
                understanding.commands.iter().map(|c| c.described().into_exposed()).collect(),
            ),
        });
        if let Some(class) = flag.filter(|_| flagged) {
            self.record(EventKind::RedFlagRaised { class });
        }
        self.apply(next);
    }

    /// Keeps what the language model read, for its next reading.
    fn remember_reading(&mut self, words: &Phi<String>, understanding: &Understanding) {
        if understanding.by != UnderstoodBy::Model {
            return;
        }
        if self.readings.len() >= limits::READINGS_MAX {
            self.readings.pop_front();
        }
        let commands = understanding.commands.clone();
        self.readings.push_back(EarlierReading { words: words.clone(), commands });
    }

    fn record_heard_words(
        &mut self,
        words: &Phi<String>,
        confidence: f32,
        span: (Duration, Duration),
    ) {
        let agreed = self.dialogue.slots().recording == Some(true);
        self.record(EventKind::CallerSaid {
            words: words.map(|words| agreed.then(|| words.clone())),
            confidence,
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
        self.forget_hearing();
        self.turn += 1;
        self.transcription_failures += 1;
        let next = if self.transcription_failures >= limits::TRANSCRIPTION_FAILURES_MAX {
            self.dialogue.failure()
        } else {
            self.dialogue.silence()
        };
        self.apply(next);
    }
}

/// Whether the understanding answers what was asked.
fn answers(expectation: Expectation, understanding: &Understanding) -> bool {
    /// A telephone number without and with its area code.
    const NUMBER_LENGTHS: [usize; 2] = [10, 11];
    understanding.commands.iter().any(|command| match (expectation, command) {
        (Expectation::YesNo, Command::Affirm | Command::Deny | Command::Unsure)
        | (Expectation::Choice, Command::Choose(_) | Command::ChooseLast | Command::Exam(_))
        | (Expectation::Choice | Expectation::DayTime, Command::When(_))
        | (Expectation::DateOfBirth, Command::DateOfBirth(_))
        | (Expectation::Open, Command::Want(_) | Command::Exam(_))
        | (_, Command::RequestPerson | Command::Repeat) => true,
        (Expectation::Name, Command::Name(name)) => name.expose().contains(' '),
        (Expectation::Digits, Command::Digits(digits)) => {
            NUMBER_LENGTHS.contains(&digits.expose().len())
        }
        _ => false,
    })
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

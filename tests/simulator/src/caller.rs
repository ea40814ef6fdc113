//! A scripted caller: answers what they heard asked, at their own pace, and does what people do
//! on the telephone.

use std::time::Duration;

use radline_audio::FRAME_MS;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::mark::{Mark, Source};
use crate::script::{self, Utterance};

/// What this caller is like.
#[derive(Debug, Clone)]
struct Habits {
    /// Mean time before they answer, ms.
    reaction_ms: f64,
    /// Chance of "mm-hmm" in a sentence of the agent.
    backchannel: f64,
    /// Chance that they begin to answer before the agent has finished.
    early: f64,
    /// Chance of a cough or a door in a sentence.
    noise: f64,
    /// Chance of a voice in the room in a sentence.
    background: f64,
    /// Chance of saying something else than an answer.
    aside: f64,
    /// Chance of not answering at all.
    silent: f64,
    /// Chance that the telephone slips and presses keys against a cheek.
    mashes: f64,
    /// Chance of keying a number or a date instead of saying it.
    keys: f64,
}

/// A sentence of the agent, as the caller may hear it.
#[derive(Debug, Clone)]
pub struct Sentence {
    /// Scenario, version, state and part.
    pub source: String,
    /// The words.
    pub text: String,
}

impl Sentence {
    /// State and part of the source.
    pub fn state_and_part(&self) -> (&str, &str) {
        let last = self.source.rsplit(' ').next().unwrap_or_default();
        last.rsplit_once('.').unwrap_or((last, "say"))
    }
}

/// The caller.
#[derive(Debug)]
pub struct Caller {
    random: StdRng,
    habits: Habits,
    /// Everything they have uttered or are uttering; a mark's piece counts in here.
    pub spoken: Vec<Utterance>,
    sounding: Option<(u16, u16)>,
    planned: Option<(Duration, Utterance)>,
    /// The state that asks, and its part, while it is not answered.
    asked: Option<(String, String)>,
    answer_at: Option<Duration>,
    heard_at: Duration,
    sentence: Option<u16>,
    keys: Vec<char>,
    /// When they hang up of their own accord.
    pub hangs_up_at: Option<Duration>,
    /// When they put the agent on hold, and until when.
    pub holds: Option<(Duration, Duration)>,
}

impl Caller {
    /// A caller drawn at random.
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut sometimes = |share: f64, most: f64| {
            if random.random_bool(share) { random.random_range(0.0..most) } else { 0.0 }
        };
        let habits = Habits {
            backchannel: sometimes(0.6, 0.4),
            early: sometimes(0.6, 0.4),
            noise: sometimes(0.4, 0.2),
            background: sometimes(0.2, 0.2),
            aside: sometimes(0.4, 0.15),
            silent: sometimes(0.2, 0.3),
            mashes: sometimes(0.05, 0.2),
            keys: sometimes(0.2, 0.5),
            reaction_ms: 0.0,
        };
        let habits = Habits { reaction_ms: random.random_range(150.0..1200.0), ..habits };
        let second = |random: &mut StdRng, range| Duration::from_secs(random.random_range(range));
        let hangs_up_at = random.random_bool(0.06).then(|| second(&mut random, 1..120));
        let holds = random.random_bool(0.04).then(|| {
            let from = second(&mut random, 5..90);
            (from, from + second(&mut random, 1..40))
        });
        Self {
            random,
            habits,
            spoken: Vec::new(),
            sounding: None,
            planned: None,
            asked: None,
            answer_at: None,
            heard_at: Duration::ZERO,
            sentence: None,
            keys: Vec::new(),
            hangs_up_at,
            holds,
        }
    }

    /// 20 ms: hears what came, utters what is due.
    pub fn frame(
        &mut self,
        now: Duration,
        heard: Option<Mark>,
        sentence_of: impl Fn(u16) -> Option<Sentence>,
    ) -> Option<Mark> {
        if let Some(mark) = heard.filter(|mark| mark.source == Source::Agent) {
            self.heard_at = now;
            if self.sentence != Some(mark.piece) {
                self.sentence = Some(mark.piece);
                if let Some(sentence) = sentence_of(mark.piece) {
                    self.sentence_begins(now, &sentence);
                }
            }
        }
        self.consider(now);
        self.utter(now)
    }

    /// The keys that they press now.
    pub fn take_keys(&mut self) -> Vec<char> {
        std::mem::take(&mut self.keys)
    }

    fn sentence_begins(&mut self, now: Duration, sentence: &Sentence) {
        let (state, part) = sentence.state_and_part();
        if sentence.text.ends_with('?') || !matches!(part, "say" | "aside") {
            self.asked = Some((state.to_owned(), part.to_owned()));
            self.answer_at = None;
        }
        let soon = now + Duration::from_millis(self.random.random_range(200..2000));
        let draw: f64 = self.random.random();
        let habits = &self.habits;
        let mut bound = habits.early;
        if draw < bound {
            self.answer_at = Some(soon);
            return;
        }
        let random = &mut self.random;
        bound += habits.backchannel;
        if draw < bound {
            self.planned = Some((soon, Utterance::backchannel(random)));
            return;
        }
        bound += habits.noise;
        if draw < bound {
            self.planned = Some((soon, Utterance::noise(random)));
        } else if draw < bound + habits.background {
            self.planned = Some((soon, Utterance::background(random)));
        }
    }

    /// Decides whether to say something now.
    fn consider(&mut self, now: Duration) {
        if self.sounding.is_some() {
            return;
        }
        if let Some((_, utterance)) = self.planned.take_if(|(at, _)| *at <= now) {
            self.begin(utterance);
            return;
        }
        let quiet = now.saturating_sub(self.heard_at);
        let asked = self.asked.is_some();
        if asked && self.answer_at.is_none() && quiet > Duration::from_millis(300) {
            let wait = self.random.random_range(0.3..2.0) * self.habits.reaction_ms;
            self.answer_at = Some(now + Duration::from_secs_f64(wait / 1000.0));
        }
        if self.answer_at.is_some_and(|at| at <= now) {
            self.answer();
        } else if quiet > Duration::from_secs(20) {
            self.heard_at = now;
            let hello = Utterance::new("hello are you there", &mut self.random);
            self.begin(hello);
        }
    }

    fn answer(&mut self) {
        self.answer_at = None;
        let Some((state, part)) = self.asked.take() else { return };
        let random = &mut self.random;
        if random.random_bool(self.habits.silent) {
            return;
        }
        if random.random_bool(self.habits.mashes) {
            let keys = (0..random.random_range(5..80)).map(|_| random.random_range('1'..='9'));
            self.keys = keys.collect();
            return;
        }
        let keyed = match state.as_str() {
            "date_of_birth" | "date_of_birth_again" => Some("03041960"),
            "callback_number" | "emergency_number" => Some("5550171234#"),
            "greeting" | "read_back" => Some("1"),
            _ => None,
        };
        if let Some(keys) = keyed.filter(|_| random.random_bool(self.habits.keys)) {
            self.keys = keys.chars().collect();
            return;
        }
        let utterance = if random.random_bool(self.habits.aside) {
            // The question is still open afterwards.
            self.asked = Some((state, part));
            script::aside(random)
        } else {
            script::answer(&state, &part, random)
        };
        self.begin(utterance);
    }

    fn begin(&mut self, utterance: Utterance) {
        self.sounding = Some((self.spoken.len() as u16, 0));
        self.spoken.push(utterance);
    }

    fn utter(&mut self, now: Duration) -> Option<Mark> {
        let (piece, frame) = self.sounding?;
        let utterance = &self.spoken[usize::from(piece)];
        self.sounding = (frame + 1 < utterance.frames).then_some((piece, frame + 1));
        // While they speak they do not wait for the agent.
        if self.sounding.is_none() {
            self.heard_at = self.heard_at.max(now.saturating_sub(FRAME));
        }
        let mark = Mark { source: utterance.source, piece, frame };
        utterance.sounds(frame).then_some(mark)
    }
}

const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);

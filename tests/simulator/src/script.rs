//! What callers say, by the state of the dialogue that asks them, with pauses, searching for
//! words, and corrections of themselves.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::mark::Source;

/// A word of an utterance, and the frames in which it sounds.
#[derive(Debug, Clone)]
pub struct Word {
    /// As spoken.
    pub text: String,
    /// First frame.
    pub from: u16,
    /// The frame after the last.
    pub to: u16,
}

/// Something that somebody utters; a cough has no words.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// Who.
    pub source: Source,
    /// The words in order, with gaps between them where the speaker pauses.
    pub words: Vec<Word>,
    /// Frames in all.
    pub frames: u16,
}

impl Utterance {
    /// From text. "…" is a pause of a random length.
    pub fn new(text: &str, random: &mut StdRng) -> Self {
        let mut words = Vec::new();
        let mut at: u16 = 0;
        // Frames per letter: fast and slow speakers.
        let pace: f64 = random.random_range(2.2..4.0);
        for token in text.split_whitespace() {
            if token == "…" {
                at += pause_frames(random);
                continue;
            }
            let frames = 4 + (token.chars().count() as f64 * pace) as u16;
            words.push(Word { text: token.to_owned(), from: at, to: at + frames });
            at += frames;
        }
        Self { source: Source::Caller, words, frames: at }
    }

    /// "Mm-hmm."
    pub fn backchannel(random: &mut StdRng) -> Self {
        let text = ["Mm-hmm.", "Uh-huh.", "Okay.", "Right."].choose(random).unwrap_or(&"Okay.");
        Self::new(text, random)
    }

    /// A cough or a door: no words.
    pub fn noise(random: &mut StdRng) -> Self {
        let frames = random.random_range(4..25);
        Self { source: Source::Noise, words: Vec::new(), frames }
    }

    /// A voice elsewhere in the room.
    pub fn background(random: &mut StdRng) -> Self {
        Self {
            source: Source::Background,
            ..Self::new("are you coming for dinner tonight", random)
        }
    }

    /// Whether the speaker sounds in this frame, rather than pauses.
    pub fn sounds(&self, frame: u16) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| (word.from..word.to).contains(&frame))
    }
}

/// Pauses inside an utterance: most are short, some are long enough to be taken for its end.
fn pause_frames(random: &mut StdRng) -> u16 {
    match random.random_range(0..10) {
        0..6 => random.random_range(8..20),
        6..9 => random.random_range(20..50),
        _ => random.random_range(50..110),
    }
}

/// What a patient says when this state asks. `part` tells a screening question.
pub fn answer(state: &str, part: &str, random: &mut StdRng) -> Utterance {
    let options: &[&str] = match state {
        "greeting" => &["yes", "yes that's fine", "sure", "no", "yes please go ahead"],
        "reason" => &[
            "I need to book an MRI of my left knee",
            "um … I'd like to schedule an MRI please",
            "hi … my doctor ordered an MRI … and I want to make an appointment",
        ],
        "name" | "name_again" => {
            &["Jane Doe", "my name is Jane Doe", "it's Jane … Doe", "Jane um … Doe"]
        }
        "date_of_birth" | "date_of_birth_again" => &[
            "March 4 1960",
            "it's March … 4 … 1960",
            "March 5 … no sorry March 4 1960",
            "the fourth of March … nineteen sixty",
        ],
        "which_order" => &["the first one", "the MRI"],
        "side_question" => &["the left one", "left", "um … left"],
        "when" | "when_again" => {
            &["next week in the morning", "Tuesday morning", "any … any time Wednesday"]
        }
        "offer" | "offer_nearest" => &["the first one", "the second one … please", "the last one"],
        "read_back" | "reason_confirm" => &["yes", "yes please", "yes … that's right"],
        "denials_read_back" => {
            &["yes", "that's right", "yes … it is", "yes it is", "correct", "no that's wrong"]
        }
        "anything_else" | "something_else" => &["no", "no thank you", "no … that's all"],
        "emergency_confirm" => &["yes"],
        "emergency_location" => &["at home … in the kitchen"],
        "callback_number" | "emergency_number" | "self_harm_number" | "urgent_number"
        | "abuse_number" => {
            &["555 … 017 … 1234", "five five five … oh one seven … one two three four"]
        }
        _ if part == "ask" || part == "again" => &["no", "no I don't think so", "yes"],
        _ => &[
            "no",
            "no",
            "no",
            "no … never",
            "not that I know of",
            "nope",
            "no I don't",
            "no nothing",
            "I don't think so",
            "no … I don't",
            "none",
            "yes",
        ],
    };
    Utterance::new(options.choose(random).unwrap_or(&"yes"), random)
}

/// What callers say that has nothing to do with the question.
pub fn aside(random: &mut StdRng) -> Utterance {
    let options = [
        "can you repeat that",
        "hold on … let me look for it",
        "am I talking to a machine",
        "I want to talk to a person",
        "where do I park",
        "I have terrible chest pain right now",
        "it's actually … for my mother",
        "wait … it's my knee not my hip",
    ];
    Utterance::new(options.choose(random).unwrap_or(&"hello"), random)
}

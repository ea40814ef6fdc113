//! The caller speaks while the agent does: is it for the agent, and does it take the floor?
//!
//! The agent's voice is lowered at once and pauses within [`crate::limits::PAUSE_AFTER`]; what is
//! decided here is whether it goes on where it stopped or yields. A wrong "yield" loses a prompt,
//! a wrong "go on" loses an answer, so words that mean something to the question asked yield, and
//! sounds that only say "I am listening" do not.

use radline_dialogue::{Command, Expectation, Understanding, words};
use serde::{Deserialize, Serialize};

/// What a sound over the agent's voice was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Somebody wants the floor: the agent falls silent.
    Yield,
    /// "Mm-hm": the agent goes on.
    Backchannel,
    /// A cough, a door, a voice in the room: the agent goes on.
    Noise,
    /// An answer to what has not been said yet: the agent goes on, so that it can be meant.
    TooEarly,
}

impl Verdict {
    /// Name in records and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Yield => "yield",
            Self::Backchannel => "backchannel",
            Self::Noise => "noise",
            Self::TooEarly => "too_early",
        }
    }
}

/// What is known of it.
#[derive(Debug)]
pub struct Interruption<'a> {
    /// The words.
    pub words: &'a str,
    /// Mean probability of the words, 0 to 1.
    pub confidence: f32,
    /// What they mean, given the question.
    pub understanding: &'a Understanding,
    /// What is being asked.
    pub expectation: Expectation,
    /// Whether the caller has heard what an answer would be an answer to.
    pub heard_enough: bool,
    /// Whether the words may mean danger.
    pub alarming: bool,
}

/// Words that say no more than that somebody listens.
const LISTENING: &[&str] = &[
    "mm", "mmm", "mhm", "mmhm", "mmhmm", "mhmm", "hm", "hmm", "hmmm", "uh", "huh", "uhhuh", "um",
    "ah", "aha", "oh", "ooh", "eh", "ok", "okay", "right", "alright", "all", "sure", "yeah", "yep",
    "yup", "yes", "ya", "i", "see", "got", "it", "good", "great", "fine", "well", "so", "gotcha",
];
/// More words than this are a sentence, whatever they are.
const LISTENING_WORDS_MAX: usize = 4;
/// Words recognised with less confidence than this are not speech to us.
const CONFIDENCE_MIN: f32 = 0.3;
/// So many words without a meaning that we know are still somebody who wants to speak.
const TALK_WORDS_MIN: usize = 3;

/// Whether the words only say that somebody listens.
fn is_backchannel(text: &str) -> bool {
    let spoken = words::split(text);
    !spoken.is_empty()
        && spoken.len() <= LISTENING_WORDS_MAX
        && spoken.iter().all(|word| LISTENING.contains(&word.replace('-', "").as_str()))
}

/// Decides.
pub fn judge(interruption: &Interruption<'_>) -> Verdict {
    if interruption.alarming {
        return Verdict::Yield;
    }
    let spoken = words::split(interruption.words);
    if spoken.is_empty() || interruption.confidence < CONFIDENCE_MIN {
        return Verdict::Noise;
    }
    let commands = &interruption.understanding.commands;
    let answer =
        |command: &Command| matches!(command, Command::Affirm | Command::Deny | Command::Unsure);
    let only_an_answer = !commands.is_empty() && commands.iter().all(answer);
    let asked_for = interruption.expectation == Expectation::YesNo && interruption.heard_enough;
    if is_backchannel(interruption.words) {
        return if only_an_answer && asked_for { Verdict::Yield } else { Verdict::Backchannel };
    }
    if only_an_answer {
        let sentence = spoken.len() > LISTENING_WORDS_MAX;
        return if asked_for || sentence { Verdict::Yield } else { Verdict::TooEarly };
    }
    if commands.is_empty() && spoken.len() < TALK_WORDS_MIN {
        Verdict::Noise
    } else {
        Verdict::Yield
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(words: &str, commands: Vec<Command>, heard_enough: bool) -> Verdict {
        judge(&Interruption {
            words,
            confidence: 0.8,
            understanding: &Understanding::from_parsers(commands),
            expectation: Expectation::YesNo,
            heard_enough,
            alarming: false,
        })
    }

    #[test]
    fn listening_is_not_an_interruption_and_an_answer_is() {
        for words in ["Mm-hmm.", "Uh-huh", "okay", "Oh, I see.", "All right.", "Got it"] {
            assert_eq!(verdict(words, vec![], true), Verdict::Backchannel, "{words}");
        }
        let yes = || vec![Command::Affirm];
        assert_eq!(verdict("Yes.", yes(), true), Verdict::Yield, "it answers the question");
        assert_eq!(verdict("Yes.", yes(), false), Verdict::Backchannel, "nothing was asked yet");
        assert_eq!(verdict("No.", vec![Command::Deny], false), Verdict::TooEarly);
        assert_eq!(verdict("No.", vec![Command::Deny], true), Verdict::Yield);
    }

    #[test]
    fn requests_and_sentences_take_the_floor_and_noise_does_not() {
        let person = vec![Command::RequestPerson];
        assert_eq!(verdict("A person, please", person, false), Verdict::Yield);
        assert_eq!(verdict("hold it I need to ask", vec![], false), Verdict::Yield);
        assert_eq!(verdict("Thank you", vec![], true), Verdict::Noise);
        assert_eq!(verdict("", vec![], true), Verdict::Noise);
    }

    #[test]
    fn danger_and_doubt() {
        let nothing = Understanding::from_parsers(vec![]);
        let mut interruption = Interruption {
            words: "chest pain",
            confidence: 0.1,
            understanding: &nothing,
            expectation: Expectation::Name,
            heard_enough: false,
            alarming: true,
        };
        assert_eq!(judge(&interruption), Verdict::Yield, "danger needs no confidence");
        interruption.alarming = false;
        assert_eq!(judge(&interruption), Verdict::Noise);
    }
}

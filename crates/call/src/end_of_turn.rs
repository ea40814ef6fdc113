//! How much silence ends the caller's turn: by what was asked, by whether the words so far answer
//! it, by whether they want to go on, and by how this caller paces themselves.

use std::time::Duration;

use radline_dialogue::{Command, Expectation, Question, Understanding, words};

use crate::limits;

/// What the words so far are, as an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Nothing is known about them yet.
    Unknown,
    /// They answer the question.
    Answered,
    /// They may answer it, or be misheard: more digits than were asked for, or digits that the
    /// recogniser has begun again.
    Doubtful,
    /// They do not answer it: the caller may be searching for words.
    Unanswered,
}

/// What is known while the caller pauses.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// The shape of the answer that was asked for.
    pub expectation: Expectation,
    /// What the words so far are.
    pub reading: Reading,
    /// Whether they end in a way that wants to go on.
    pub goes_on: bool,
    /// The longest pause that this caller made inside an utterance lately.
    pub pace: Duration,
    /// Replies in a row over whose first word the caller spoke.
    pub begun_over: u32,
}

/// The silence that ends the turn.
pub fn patience(evidence: &Evidence) -> Duration {
    let silence = limits::silence(evidence.expectation);
    let base = match evidence.reading {
        Reading::Unknown | Reading::Doubtful => silence.unknown,
        Reading::Answered => silence.answered,
        Reading::Unanswered => silence.unanswered,
    };
    let hesitation = if evidence.goes_on { limits::HESITATION } else { Duration::ZERO };
    // Who pauses long inside a sentence gets more time, unless the answer is there already.
    let slow = match evidence.reading {
        Reading::Answered => Duration::ZERO,
        _ => evidence.pace.saturating_sub(limits::PACE_USUAL).min(limits::PACE_MAX),
    };
    // Two who begin at the same moment do so again if both wait as long as before: we wait longer.
    let collided = limits::COLLISION * evidence.begun_over.min(limits::COLLISIONS_MAX);
    base + hesitation + slow + collided
}

/// The reading of an understanding.
pub fn reading(question: &Question, understanding: &Understanding) -> Reading {
    let digits = understanding.commands.iter().find_map(|command| match command {
        Command::Digits(digits) => Some(digits.expose().as_str()),
        _ => None,
    });
    let longest = question.digits.iter().max();
    if let (Expectation::Digits, Some(digits), Some(longest)) =
        (question.expectation, digits, longest)
        && (digits.len() > *longest || begins_again(digits))
    {
        return Reading::Doubtful;
    }
    if answers(question, understanding) { Reading::Answered } else { Reading::Unanswered }
}

/// Whether the digits end with a part that was said before: in mid-number the recogniser likes to
/// begin again, which makes a half number look like a whole one.
fn begins_again(digits: &str) -> bool {
    let Some(from) = digits.len().checked_sub(AGAIN_MIN) else { return false };
    digits.is_ascii() && digits[..from].contains(&digits[from..])
}

/// Whether the understanding answers what was asked.
fn answers(question: &Question, understanding: &Understanding) -> bool {
    understanding.commands.iter().any(|command| match (question.expectation, command) {
        (Expectation::YesNo, Command::Affirm | Command::Deny | Command::Unsure)
        | (Expectation::Choice, Command::Choose(_) | Command::ChooseLast | Command::Exam(_))
        | (Expectation::Choice | Expectation::DayTime, Command::When(_))
        | (Expectation::DateOfBirth, Command::DateOfBirth(_))
        | (Expectation::Open, Command::Want(_) | Command::Exam(_))
        | (_, Command::RequestPerson | Command::Repeat) => true,
        (Expectation::Name, Command::Name(name)) => name.expose().contains(' '),
        (Expectation::Digits, Command::Digits(digits)) => {
            question.digits.contains(&digits.expose().len())
        }
        _ => false,
    })
}

/// Digits that were said before in the same order, at the end of a number; fewer are chance.
const AGAIN_MIN: usize = 3;

/// Words that nobody ends with.
const OPEN_ENDS: &[&str] = &[
    "and", "or", "but", "because", "the", "a", "an", "my", "um", "uh", "er", "erm", "hmm", "with",
    "of", "at", "from", "if", "its", "im", "id", "would", "maybe", "than", "need", "for", "in",
];
/// Ends of answers that look as if they wanted to go on.
const CLOSED_ENDS: &[[&str; 2]] =
    &[["know", "of"], ["aware", "of"], ["think", "of"], ["heard", "of"], ["come", "in"]];

/// Whether the sentence wants to go on: it stops at a word that nobody ends with, or Whisper heard
/// it break off.
pub fn goes_on(text: &str) -> bool {
    let text = text.trim_end();
    if text.ends_with("...") || text.ends_with(['…', ',', '-', '–']) {
        return true;
    }
    let spoken = words::split(text);
    // A lone "I" or "and" may be a misheard answer; it takes two words to break off.
    let [.., before, last] = spoken.as_slice() else { return false };
    OPEN_ENDS.contains(&last.as_str()) && !CLOSED_ENDS.contains(&[before.as_str(), last.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(reading: Reading) -> Evidence {
        Evidence {
            expectation: Expectation::YesNo,
            reading,
            goes_on: false,
            pace: Duration::ZERO,
            begun_over: 0,
        }
    }

    #[test]
    fn an_answer_ends_a_turn_sooner_than_none() {
        let answered = patience(&evidence(Reading::Answered));
        assert!(answered < patience(&evidence(Reading::Unknown)));
        assert!(answered < patience(&evidence(Reading::Unanswered)));
    }

    #[test]
    fn a_broken_off_sentence_and_a_slow_caller_get_more_time() {
        let mut slow = evidence(Reading::Unanswered);
        let usual = patience(&slow);
        slow.goes_on = true;
        assert!(patience(&slow) > usual);
        slow.goes_on = false;
        slow.pace = Duration::from_secs(9);
        assert_eq!(patience(&slow), usual + limits::PACE_MAX);
    }

    #[test]
    fn digits_are_counted() {
        let question = Question { digits: vec![8], ..Question::of(Expectation::Digits) };
        let of = |digits: &str| {
            let command = Command::Digits(radline_phi::Phi::new(digits.to_owned()));
            reading(&question, &Understanding::from_parsers(vec![command]))
        };
        assert_eq!(of("17964238"), Reading::Answered);
        assert_eq!(of("179642"), Reading::Unanswered);
        assert_eq!(of("1796423333"), Reading::Doubtful, "too many");
        assert_eq!(of("82598259"), Reading::Doubtful, "four digits, twice");
    }

    #[test]
    fn sentences_that_want_to_go_on() {
        for text in [
            "I was born in",
            "Yes, and",
            "It is, um",
            "My name is...",
            "It's the",
            "the nineteenth of",
        ] {
            assert!(goes_on(text), "{text}");
        }
        for text in
            ["Yes.", "I don't think so.", "March 19, 1967.", "I", "Not that I know of", "at nine"]
        {
            assert!(!goes_on(text), "{text}");
        }
    }
}

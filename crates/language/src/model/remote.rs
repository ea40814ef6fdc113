//! A language model that runs elsewhere: what it is sent, and what counts of its answer. Nothing here
//! knows a network.

use radline_dialogue::Expectation;

use super::ModelError;
use super::grammar::Grammar;
use super::labels::{self, Labels};
use super::prompted::{EXAMPLES, INSTRUCTIONS};

/// Who says a message of a conversation with a model, in the words of the chat interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// What is to be labelled.
    User,
    /// The labels.
    Assistant,
}

impl Role {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What a model is sent: instructions, worked examples, and the caller's words with the question that
/// they answer.
pub fn conversation(expects: Expectation, asked: &str, said: &str) -> Vec<(Role, String)> {
    let turn = |expects, asked: &str, said: &str| {
        (Role::User, beginning(expects, asked, said).trim().to_owned())
    };
    let mut messages = vec![(Role::System, INSTRUCTIONS.trim().to_owned())];
    for (expects, asked, said, line) in EXAMPLES {
        messages.push(turn(expects, asked, said));
        messages.push((Role::Assistant, line.to_owned()));
    }
    messages.push(turn(expects, asked, said));
    messages
}

/// What a model with our adapter is sent (`radline train export`): it was trained to go on behind that.
pub fn beginning(expects: Expectation, asked: &str, said: &str) -> String {
    labels::question(expects, asked) + &labels::answer(said)
}

/// Reads lines of a model that no grammar held while it wrote.
pub struct LineReader(Grammar);

impl LineReader {
    /// Compiles the grammar.
    ///
    /// # Errors
    /// The grammar does not compile; a test sees to it that it does.
    pub fn new() -> Result<Self, ModelError> {
        Grammar::of_bytes().map(Self).map_err(ModelError::Inference)
    }

    /// The labels of a line, if it is one that a model here could have written of these words.
    ///
    /// # Errors
    /// It is not; nothing of it counts then.
    pub fn read(&self, said: &str, line: &str) -> Result<Labels, ModelError> {
        let line = line.trim();
        if self.0.admits(&labels::answer(said), line).map_err(ModelError::Inference)? {
            return Ok(Labels::read(line));
        }
        Err(ModelError::Inference("its answer is no line of labels".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_when_the_grammar_could_have_written_it() {
        let reader = LineReader::new().expect("it compiles");
        let said = "I take Warfarin and something called glorbon";
        let read = |line: &str| reader.read(said, line);
        let labels = read("provide; medication glorbon; blood thinner warfarin\n").expect("labels");
        assert_eq!(labels.slot("medication"), "glorbon");
        assert!(read("prepare fasting").is_ok());
        // A medicine that nobody said, an act that there is not, a topic behind an act that has none,
        // talk, and half a line.
        for line in [
            "provide; medication blorgon",
            "diagnose",
            "repeat parking",
            "Sure! Here are the labels: affirm",
            "provide; medication",
            "",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
        assert!(reader.read("", "affirm").is_ok(), "nothing was said, and that is no error");
    }

    #[test]
    fn the_examples_are_lines() {
        let reader = LineReader::new().expect("it compiles");
        for (_, _, said, line) in EXAMPLES {
            assert!(reader.read(said, line).is_ok(), "{line}");
        }
        let messages = conversation(Expectation::YesNo, "Any metal?", "No, none.");
        assert_eq!(messages.len(), 2 + 2 * EXAMPLES.len());
        assert_eq!(messages.last(), Some(&(Role::User, "yes no: any metal\nno none".to_owned())));
    }
}

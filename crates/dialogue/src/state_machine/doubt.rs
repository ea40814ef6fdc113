//! What only the language model could read: it counts once the caller has said so.

use std::sync::Arc;

use radline_phi::Phi;

use super::hearing::UNCLEAR_MAX;
use super::{ASIDES_MAX, Dialogue, Prompt};
use crate::dialogue_move::{DialogueMove, Then};
use crate::understanding::{Command, Expectation, Question, Understanding, UnderstoodBy};
use crate::vocabulary::Intent;
use crate::words;

/// Words of a "yes, that's right" or "no, not at all".
const SETTLING_MAX: usize = 5;
/// What is only said of something that was read back, whatever stands around it.
const AGREEING: &[&str] =
    &["thats right", "thats all right", "thats correct", "thats all correct", "youve got it"];

/// A yes or no that is not settled.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    /// The caller's words.
    words: Phi<String>,
    /// What they were taken for.
    answer: Command,
    /// The wish that was told beside it, at the beginning of a call.
    beside: Option<Understanding>,
}

impl Dialogue {
    /// A yes or no that the model read is asked back. That the caller is not sure counts at once: to a
    /// safety question it is the careful answer.
    fn doubt(
        &mut self,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> Option<DialogueMove> {
        let answer = understanding.commands.iter().find(|command| command.is_answer())?.clone();
        if self.expectation() != Expectation::YesNo {
            return None;
        }
        let screening = self.open_screening();
        // "I got stuck in a lift once, I freak out" is no answer to whether it shall be cancelled.
        let feels =
            understanding.commands.iter().any(|command| matches!(command, Command::Feels(..)));
        if feels && screening.is_none() && self.tries < UNCLEAR_MAX {
            let mut prompt = Prompt::default();
            let felt = self.acknowledge(&mut prompt, understanding);
            return Some(self.without_value(&understanding.without_answer(), prompt, felt));
        }
        // "Is it true that it knocks" is no answer, and asks for none that there is.
        if screening.is_some() && asks(words) && self.asides < ASIDES_MAX {
            let question = Understanding::from_parsers(vec![Command::Want(Intent::Question)]);
            return Some(self.without_answer(&question, Prompt::default()));
        }
        // What sounded like a yes is denied by a plain no alone; a remark in which the model reads one leaves it
        // open, and what is open counts as a yes.
        let denied = answer == Command::Deny && screening.is_some();
        let qualified = denied && is_qualified(words);
        if qualified && self.tries < UNCLEAR_MAX {
            let nothing = Understanding::from_parsers(Vec::new());
            return Some(self.without_answer(&nothing, Prompt::default()));
        }
        let open = denied && screening == self.suspected || qualified;
        if answer == Command::Unsure || open {
            return Some(self.hear(words, &Understanding::from_parsers(vec![Command::Unsure])));
        }
        if answer == Command::Affirm && screening.is_some() {
            self.suspected = screening;
        }
        let scenario = Arc::clone(&self.scenario);
        let asides = &scenario.line.asides;
        let text = match answer {
            Command::Affirm => &asides.taken_as_yes,
            _ => &asides.taken_as_no,
        };
        let mut prompt = Prompt::default();
        self.speak(&mut prompt, text, "aside");
        let asked = self.question(&prompt);
        let question = Question { trouble: false, opens: false, reads_back: true, ..asked };
        let beside = self.current().opens.is_some().then(|| understanding.without_answer());
        let beside = beside.filter(|beside| beside.wants().next().is_some());
        self.doubt = Some(Doubt { words: words.clone(), answer, beside });
        Some(self.done(prompt, Then::Listen(question)))
    }

    /// The caller's word on what was taken for a yes or a no; nothing when they say something else,
    /// which then answers the question itself.
    pub(super) fn settle_doubt(
        &mut self,
        said: &Phi<String>,
        understanding: &Understanding,
    ) -> Option<DialogueMove> {
        let Doubt { words, answer, beside } = self.doubt.take()?;
        let agreed = understanding.has(&Command::Affirm) && !understanding.has(&Command::Deny);
        if let Some(beside) = beside.filter(|_| agreed) {
            // "I need an x-ray. Record away": the wish is not lost over the recording.
            self.read_answer(&words, &Understanding::from_parsers(vec![answer]));
            return Some(self.confirm_wish(&beside));
        }
        // "Yep, that's all correct, oh boy, okay" is long and leaves nothing open.
        let in_words =
            AGREEING.iter().any(|phrase| words::contains(&words::split(said.expose()), phrase));
        if in_words && agreed && !self.tells_more(said) {
            return Some(self.hear(&words, &Understanding::from_parsers(vec![answer])));
        }
        // Whoever says more than that tells something new, and is heard out. In answer to a safety
        // question their yes or no may be meant for either question, so that it is asked once more.
        if words::split(said.expose()).len() > SETTLING_MAX
            || understanding.by == UnderstoodBy::Model
        {
            let (agrees, denies) =
                (understanding.has(&Command::Affirm), understanding.has(&Command::Deny));
            let tells_more = self.tells_more(said);
            let screens = self.current().screening.is_some();
            let again = understanding.by == UnderstoodBy::Model;
            // Asking back what was read into an answer to asking back would not end: read twice the same
            // way, it counts, unless safety hangs on it.
            if again && agrees && !denies && !screens {
                return Some(self.hear(&words, &Understanding::from_parsers(vec![answer])));
            }
            // "Yes, I have it on the flour sack" may be a yes to either question. Said twice to the same
            // reading of the same question, it is one to the reading.
            if agrees && !denies && screens && !tells_more {
                let read = self.open_screening().map(|question| (question, answer.clone()));
                if read.is_some() && read == self.agreed {
                    return Some(self.hear(&words, &Understanding::from_parsers(vec![answer])));
                }
                self.agreed = read;
            }
            let ambiguous = (screens || again) && (agrees || denies) && !tells_more;
            let nothing = Understanding::from_parsers(Vec::new());
            return ambiguous.then(|| self.without_answer(&nothing, Prompt::default()));
        }
        match (understanding.has(&Command::Affirm), understanding.has(&Command::Deny)) {
            (true, false) => Some(self.hear(&words, &Understanding::from_parsers(vec![answer]))),
            // "No" may mean that it is none, or that it is one: the question once more.
            (_, true) => {
                let nothing = Understanding::from_parsers(Vec::new());
                Some(self.without_answer(&nothing, Prompt::default()))
            }
            _ => None,
        }
    }

    /// What the language model read does not count before the caller has said yes to it.
    pub(super) fn confirm(
        &mut self,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> DialogueMove {
        if let Some(next) = self.doubt(words, understanding) {
            return next;
        }
        if self.current().opens.is_some() {
            self.read_answer(words, understanding);
        }
        self.confirm_wish(understanding)
    }

    /// A wish that the model read is asked back.
    fn confirm_wish(&mut self, understanding: &Understanding) -> DialogueMove {
        let prompt = Prompt::default();
        // At the beginning of a call the wish is told beside the answer to something else.
        let scenario = Arc::clone(&self.scenario);
        let here = self.current().clone();
        let opens = here.opens.as_ref();
        let asking = opens.and_then(|name| scenario.states.get(name)).unwrap_or(&here);
        let Some(state) = asking.confirm.clone() else {
            return match self.other_wish(understanding) {
                Some(target) => self.go(&target, prompt),
                None => self.without_answer(&Understanding::from_parsers(Vec::new()), prompt),
            };
        };
        let person = understanding.has(&Command::RequestPerson);
        let target = if person {
            Some(self.scenario.line.exits.person.clone())
        } else {
            self.slots.take(understanding, None);
            let wanted = understanding.wants().next();
            self.slots.purpose = wanted.or(self.slots.purpose);
            wanted.and_then(|intent| asking.on.get(intent.key()).cloned())
        };
        let Some(target) = target else { return self.without_answer(understanding, prompt) };
        self.to_confirm = Some((target, wish(understanding)));
        self.go(&state, prompt)
    }
}

/// Whether the words begin as a question does, or end as one, and hold nothing that may be an answer: what
/// is only half a no must not be lost over it.
pub(super) fn asks(said: &Phi<String>) -> bool {
    const ASKING: &[&str] = &[
        "is it",
        "is that",
        "is there",
        "are you",
        "are they",
        "are there",
        "do you",
        "do they",
        "does it",
        "does that",
        "can i",
        "can you",
        "can my",
        "could i",
        "could you",
        "could my",
        "will it",
        "will you",
        "will they",
        "what",
        "whats",
        "where",
        "when",
        "how",
        "hows",
        "why",
        "who",
        "which",
    ];
    const ANSWERING: &[&str] = &[
        "no",
        "not",
        "nope",
        "nah",
        "none",
        "nothing",
        "never",
        "dont",
        "yes",
        "yeah",
        "yep",
        "probably",
        "maybe",
        "perhaps",
        "possibly",
        "think",
        "guess",
        "sure",
        "know",
        "remember",
        "could be",
        "might",
        "i have",
        "ive",
        "i had",
        "im",
        "i am",
        "mine",
        "they put",
        "they took",
    ];
    let words = words::split(said.expose());
    let begins = |phrase: &&str| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        words.len() > phrase.len() && words.iter().zip(&phrase).all(|(word, asked)| word == asked)
    };
    // "Could you just put no, I'm probably not" answers in a question.
    let answers = ANSWERING.iter().any(|word| words::contains(&words, word));
    (ASKING.iter().any(begins) || said.expose().trim_end().ends_with('?')) && !answers
}

/// "They're weak, the kidneys, but no dialysis": a no that the model reads in words that hold something against it is
/// none.
fn is_qualified(said: &Phi<String>) -> bool {
    const AGAINST: &[&str] = &["but", "except", "though", "although", "unless"];
    let words = words::split(said.expose());
    AGAINST.iter().any(|word| words::contains(&words, word)) || words::tells_of_something(&words)
}

/// What the caller seems to want, after "you would like to".
fn wish(understanding: &Understanding) -> String {
    let spoken = understanding.commands.iter().find_map(|command| match command {
        Command::RequestPerson => Some("talk with a person".to_owned()),
        Command::Exam(exam) => {
            exam.modality.map(|kind| format!("book this exam: {}", kind.spoken()))
        }
        Command::Want(intent) if *intent != Intent::Book => Some(intent.spoken().to_owned()),
        _ => None,
    });
    spoken.unwrap_or_else(|| Intent::Book.spoken().to_owned())
}

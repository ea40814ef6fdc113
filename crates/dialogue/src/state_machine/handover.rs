//! A person takes over: the wait for one, and what comes after.

use std::sync::Arc;

use radline_phi::Phi;

use super::{Dialogue, Prompt};
use crate::action::ActionOutcome;
use crate::dialogue_move::{DialogueMove, Then};
use crate::understanding::{Command, Understanding};
use crate::words;

impl Dialogue {
    /// Waits for a person after what was said.
    pub(super) fn connect(&mut self, prompt: Prompt) -> DialogueMove {
        let question = self.question(&prompt);
        self.done(prompt, Then::Connect(question))
    }

    /// Nobody can take over now.
    pub fn nobody_free(&mut self) -> DialogueMove {
        self.person_present = false;
        match self.current().on.get("nobody").cloned() {
            Some(target) => self.go(&target, Prompt::default()),
            None => self.failure(),
        }
    }

    /// The clinic has answered something whose caller is elsewhere by now: the facts are taken, and nothing
    /// is said.
    pub fn learn(&mut self, outcome: ActionOutcome) {
        self.take_outcome(outcome);
    }

    /// A person has taken over and gives the caller back. Whatever a person was needed for is theirs
    /// now, so that the caller may ask for one again.
    pub fn handed_back(&mut self) -> DialogueMove {
        (self.callback_due, self.red_flag, self.alarm) = (None, None, None);
        let target = self.scenario.line.handover.returned.clone();
        self.go(&target, Prompt::default())
    }

    /// A person did not let a reply pass: they, or another one, take over.
    pub fn rejected(&mut self) -> DialogueMove {
        let target = self.scenario.line.handover.rejected.clone();
        self.go(&target, Prompt::default())
    }

    /// Whether a person has been called: in danger, or because the caller needs one. What is said until
    /// they come are fixed words.
    pub const fn has_called_a_person(&self) -> bool {
        self.red_flag.is_some() || self.callback_due.is_some()
    }

    /// The connection to the person broke: the caller goes back to waiting.
    pub fn person_lost(&mut self) -> DialogueMove {
        let target = self.scenario.line.handover.lost.clone();
        self.go(&target, Prompt::default())
    }

    /// How many wait for a person before this caller.
    pub const fn set_place_in_line(&mut self, before: usize) {
        self.place_in_line = before;
    }

    /// A word to a caller who waits for a person: honest, and never more than is known.
    pub(super) fn still_waiting(&mut self) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        let handover = &scenario.line.handover;
        let text = match self.place_in_line {
            0 => &handover.next_in_line,
            _ => &handover.place_in_line,
        };
        self.speak(&mut prompt, text, "aside");
        self.connect(prompt)
    }

    /// What the caller says while they wait. Danger and goodbye are seen to before this.
    pub(super) fn hear_while_waiting(
        &mut self,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> DialogueMove {
        let (mut prompt, scenario) = (Prompt::default(), Arc::clone(&self.scenario));
        let said = words::split(words.expose());
        let declines = &scenario.line.handover.declines;
        // In danger nobody is sent away for a figure of speech.
        let asked = self.red_flag.is_none();
        let declined = asked && declines.iter().any(|phrase| words::asserts(&said, phrase));
        if declined && let Some(target) = self.current().on.get("no").cloned() {
            return self.go(&target, prompt);
        }
        if understanding.has(&Command::AskIfMachine) {
            self.speak(&mut prompt, &scenario.line.asides.machine, "aside");
            return self.connect(prompt);
        }
        let felt = self.acknowledge(&mut prompt, understanding);
        let before = prompt.sentences.len();
        self.answer_questions(&mut prompt, understanding);
        if prompt.sentences.len() == before && !felt {
            self.speak(&mut prompt, &scenario.line.handover.still, "aside");
        }
        self.connect(prompt)
    }
}

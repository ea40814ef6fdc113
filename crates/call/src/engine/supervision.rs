//! A second, slower reading of every turn, which nobody waits for: what it finds counts from the next turn
//! on.

use radline_phi::Phi;

use super::CallEngine;
use crate::event::EventKind;
use crate::input::SecondReading;
use crate::limits;
use crate::output::{CallOutput, Reread};

impl CallEngine {
    /// Asks for it, once a turn counts. What was taken for danger needs no second reading.
    pub(super) fn have_reread(&mut self, words: &Phi<String>, audio: Phi<Vec<i16>>, flagged: bool) {
        let before = std::mem::replace(&mut self.last_words, words.clone());
        let Some(question) = self.listening().filter(|_| !flagged) else { return };
        let words = words.clone();
        let (turn, past) = (self.turn, self.dialogue.asks_about_the_past());
        self.emit(CallOutput::Supervise(Reread { turn, question, past, audio, words, before }));
    }

    /// What it found.
    pub(super) fn supervised(&mut self, turn: u32, reading: SecondReading) {
        let late = self.turn.saturating_sub(turn) > limits::SUPERVISED_TURNS;
        if late {
            return;
        }
        if reading.differs {
            self.record(EventKind::HeardOtherwise);
        }
        if let Some(class) = reading.flag {
            self.record(EventKind::SupervisorRaised { class });
            self.second_thought = Some((class, reading.words));
        }
    }

    /// Takes up what was found while nobody speaks. Returns whether there was anything.
    pub(super) fn have_second_thought(&mut self) -> bool {
        let Some((class, words)) = self.second_thought.take() else { return false };
        let Some(next) = self.dialogue.red_flag(class, &words) else { return false };
        self.owed.clear();
        self.turn += 1;
        self.record(EventKind::RedFlagRaised { class });
        self.apply(next);
        true
    }
}

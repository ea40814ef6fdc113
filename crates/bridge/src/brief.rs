//! What a person reads before the first word. Ready before it is asked for, and readable in five
//! seconds: who, why now, what is settled, what is open, what is dangerous, what to do first.

use radline_dialogue::{Dialogue, Story};
use radline_phi::Phi;

use crate::escalation::Escalation;

/// What a person reads before the first word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brief {
    /// The story as the dialogue has it.
    pub story: Story,
    /// Why now; nothing while no person is needed.
    pub escalation: Option<Escalation>,
    /// How the caller feels, in their own words. Nothing is inferred from the voice.
    pub feelings: Vec<Phi<String>>,
    /// What to do first, and where that stands.
    pub next: Option<(String, String)>,
}

impl Brief {
    /// The brief as things stand.
    pub fn of(
        dialogue: &Dialogue,
        escalation: Option<Escalation>,
        feelings: Vec<Phi<String>>,
    ) -> Self {
        let next = escalation.as_ref().and_then(|need| dialogue.first_step(need.reason));
        Self { story: dialogue.story(), escalation, feelings, next }
    }

    /// The exam that the call is about.
    pub fn about(&self) -> Option<Phi<String>> {
        let exam = self.story.settled.iter().find(|settled| settled.label.starts_with("Exam"));
        exam.map(|settled| settled.value.clone())
    }
}

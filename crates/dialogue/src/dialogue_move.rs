//! What the dialogue does next, for the call engine to carry out.

use radline_phi::Phi;

use crate::action::Action;
use crate::understanding::Question;

/// One sentence to speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The words.
    pub text: Phi<String>,
    /// Whether the sentence holds no caller's data, so that its audio may be kept and reused.
    pub reusable: bool,
    /// Whether it must be heard to the end: the caller's voice does not cut it short.
    pub firm: bool,
    /// Where it comes from: "AT 2026-11-01 read_back.ask".
    pub source: String,
}

/// What the caller is to do after the sentences were spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Answer the question.
    Listen(Question),
    /// Wait on the line for a person to take over. What the caller says meanwhile is heard like the
    /// answer to this question; that nobody can come goes to [`super::Dialogue::nobody_free`].
    Connect(Question),
    /// Wait for the clinic; the outcome goes to [`super::Dialogue::answer`].
    Act(Action),
    /// Nothing: the call is over once the sentences were heard.
    HangUp,
}

/// What the dialogue does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogueMove {
    /// To be spoken now, in order.
    pub say: Vec<Sentence>,
    /// What comes after.
    pub then: Then,
    /// The state that the dialogue is in now.
    pub state: String,
    /// The caller asked for time: be patient before asking again.
    pub patient: bool,
}

//! The dialogue as clinicians review it: scenarios as data, screening rules, red flags, and the
//! machine that walks a scenario. Pure: no clock, no network, no language model, no audio.

pub mod action;
pub mod dialogue_move;
pub mod linear;
pub mod model_checker;
pub mod record_check;
pub mod records;
pub mod red_flags;
pub mod scenario;
pub mod screening;
pub mod slots;
pub mod state_machine;
pub mod understanding;
pub mod vocabulary;
pub mod wording;
pub mod words;

pub use action::{
    Action, ActionOutcome, AppointmentFacts, CallbackReason, Called, LookUp, Offer, OrderFacts,
    PatientFacts, age,
};
pub use dialogue_move::{DialogueMove, Sentence, Then};
pub use records::{Instruction, KnowledgeRecord};
pub use red_flags::{RAISED_PERMILLE, RedFlag, RedFlags, Suspicion};
pub use scenario::{Scenario, ScenarioError};
pub use screening::{Answer, Disposition};
pub use state_machine::{Dialogue, SafetyAnswer, Settled, SiteFacts, Story};
pub use understanding::{
    Command, Expectation, PartOfDay, Question, TimeWish, Understanding, UnderstoodBy,
};
pub use vocabulary::{DateOrder, Distress, ExamMention, Feeling, Intent, Modality, Priority, Side};

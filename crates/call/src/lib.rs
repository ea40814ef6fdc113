//! The call engine, sans-IO: what happens in a call, decided from inputs and the time that comes
//! with them. It reads no clock, opens no socket and knows no model; the driver around it does.

pub mod approval;
pub mod barge_in;
pub mod end_of_turn;
pub mod endpointing;
pub mod engine;
pub mod event;
pub mod input;
pub mod limits;
pub mod output;
pub mod playout;
pub mod speculative;

pub use approval::{Approval, DraftVerdict, Judgement, Unanswered};
pub use barge_in::Verdict;
pub use engine::{CallEngine, Loads, Medium};
pub use event::{
    CallEvent, EndReason, EscalationOutcome, EventKind, LineFigures, MILLISECONDS_MAX,
    TransferOutcome, TurnTiming,
};
pub use input::{CallInput, PersonLeft, SecondReading, SpokenPart, Transcript, TurnId};
pub use output::{CallOutput, DraftReply, Reread};

/// One frame of audio.
pub(crate) const FRAME: std::time::Duration =
    std::time::Duration::from_millis(radline_audio::FRAME_MS as u64);

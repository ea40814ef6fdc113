//! An independent caller: its own SIP and RTP, a voice and ears, and a persona that reacts to
//! what the agent says. It shares no signalling or media code with the server.

pub mod conversation;
pub mod exchange;
pub mod line;
pub mod media;
pub mod overlap;
pub mod persona;
pub mod sip;

pub use conversation::{CallReport, Options, Turn, Way, converse};
pub use exchange::Exchange;
pub use line::{LineCall, Lines};
pub use persona::Persona;

//! The provider's side of the line: the desk that finds a person for a caller, what a person has to
//! know, and the two ways in which they are there, provider systems over gRPC and the console.

pub mod bridge;
pub mod brief;
pub mod console;
pub mod credentials;
pub mod desk;
pub mod escalation;
pub mod feed;
pub mod grpc;
pub mod limits;
pub mod line;
pub mod provider;
pub mod wrap_up;

pub use bridge::{Bridge, CallHandle, DriverWord};
pub use brief::Brief;
pub use desk::{Desk, Place, QueuedCall, Refusal};
pub use escalation::{Escalation, Urgency};
pub use line::{CallerLine, PersonLine};
pub use provider::{Filter, Provider};

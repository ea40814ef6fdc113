//! Telephone legs: SIP signalling and RTP media in, audio frames out. Knows no dialogue and no
//! model.

pub mod admission;
pub mod config;
pub mod digest;
pub mod dtmf;
pub mod endpoint;
pub mod fuzzing;
mod invite;
pub mod leg;
pub mod outgoing;
mod receiving;
pub mod rtp;
pub mod sdp;
pub mod transfer;
mod udp;
pub mod webrtc;

pub use admission::{Admission, Credentials, Network};
pub use config::SipConfig;
pub use endpoint::{
    IncomingCall, LineEvent, MissedCall, MissedReason, SipEndpoint, TelephonyError,
};
pub use leg::{Leg, LegEvent, Received};
pub use outgoing::{CallOutError, Dialer, LinePlace};
pub use transfer::{TransferError, TransferResult, TransferTarget};
pub use udp::route_to;
pub use webrtc::{BrowserError, BrowserLeg};

//! How the telephone line is set up.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::admission::Admission;

/// How the telephone line is set up.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// Address for SIP, UDP and TCP alike.
    pub listen: SocketAddr,
    /// Address that the other side should send to, when it is not the one we listen on.
    pub external: Option<IpAddr>,
    /// Who may call.
    pub admission: Admission,
    /// Calls at once; more are told to try again.
    pub calls_max: usize,
    /// Ports for audio; `None` takes any free one.
    pub rtp_ports: Option<RangeInclusive<u16>>,
}

/// Header value that names us.
pub const USER_AGENT: &str = concat!("Radline/", env!("CARGO_PKG_VERSION"));
/// When to try again, for a caller who finds the line full or going down.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);
/// Longest wait for the ACK of an answered call (RFC 3261: 64 × T1).
pub const ACK_DEADLINE: Duration = Duration::from_secs(35);
/// Longest life of one SIP transaction in our hands.
pub const TRANSACTION_DEADLINE: Duration = Duration::from_secs(70);
/// Longest wait for a caller's exchange to say what became of a transfer.
pub const TRANSFER_DEADLINE: Duration = Duration::from_secs(20);
/// Calls that are accepted but not yet taken up by the server.
pub const INCOMING_MAX: usize = 16;
/// Events of one leg that wait to be taken up.
pub const LEG_EVENTS_MAX: usize = 16;
/// TCP connections at once.
pub const TCP_CONNECTIONS_MAX: usize = 256;

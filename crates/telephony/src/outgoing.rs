//! Calls that we place: to a telephone on which a person may take over, and to patients. 202 and 180 are no success; the
//! other side's own answer is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::invitation::InviteOption;
use rsipstack::sip::{Header, StatusCode, Uri};
use tokio::net::lookup_host;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::endpoint::Context;
use crate::invite;
use crate::leg::Leg;
use crate::sdp::{self, Description};

/// Longest wait for a name to be looked up.
const LOOK_UP: Duration = Duration::from_secs(3);
/// The usual port of SIP.
const SIP_PORT: u16 = 5060;

/// Why nobody is on the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallOutError {
    /// They are talking.
    #[error("busy")]
    Busy,
    /// It rang, and nobody answered.
    #[error("no answer")]
    NoAnswer,
    /// They did not want to.
    #[error("declined")]
    Declined,
    /// The address is none, the way is closed, or there is nothing that both speak.
    #[error("not reached: {0}")]
    Unreachable(String),
}

/// Places calls from the open line.
#[derive(Clone)]
pub struct Dialer {
    pub(crate) context: Arc<Context>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// A place on the line, taken for a call that is ours to begin. Dropping it gives the place back.
#[derive(Debug)]
pub struct LinePlace(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Dialer {
    /// Takes a place on the line, if one is free and the line is not closing. A telephone that rings for somebody
    /// who is on the line already needs none.
    pub fn take_place(&self) -> Option<LinePlace> {
        if self.context.draining.is_cancelled() {
            return None;
        }
        Arc::clone(&self.context.places).try_acquire_owned().ok().map(LinePlace)
    }

    /// Calls an address such as `sip:desk@10.0.0.5` and waits for the answer. Dropping the future stops
    /// the ringing.
    ///
    /// # Errors
    /// Why nobody is on the line.
    pub async fn call(&self, target: &str, ring: Duration) -> Result<Leg, CallOutError> {
        let unreachable = |reason: &str| CallOutError::Unreachable(reason.to_owned());
        let callee = Uri::try_from(target).map_err(|_| unreachable("no SIP address"))?;
        let peer = address_of(&callee).await.ok_or_else(|| unreachable("no such host"))?;
        let context = &self.context;
        let socket = invite::bind_rtp(context, peer).await;
        let socket = socket.ok_or_else(|| unreachable("no port is free for audio"))?;
        let bound = socket.local_addr().map_err(|error| unreachable(&error.to_string()))?;
        let local = SocketAddr::new(context.config.external.unwrap_or(bound.ip()), bound.port());
        let own = format!("sip:radline@{}", SocketAddr::new(local.ip(), context.contact.port()));
        let own = Uri::try_from(own.as_str()).map_err(|error| unreachable(&error.to_string()))?;
        let option = InviteOption {
            caller: own.clone(),
            callee,
            contact: own,
            content_type: Some("application/sdp".to_owned()),
            offer: Some(sdp::offer(local, 1)),
            // It stops ringing by itself even if we die and cannot say so (RFC 3261, 13.2.1).
            headers: Some(vec![Header::Expires(ring.as_secs().max(1).to_string().into())]),
            ..InviteOption::default()
        };
        let (sender, states) = context.dialogs.new_dialog_state_channel();
        let answered = timeout(ring, context.dialogs.do_invite(option, sender)).await;
        let (dialog, response) = answered
            .map_err(|_| CallOutError::NoAnswer)?
            .map_err(|error| unreachable(&error.to_string()))?;
        let response = response.ok_or(CallOutError::NoAnswer)?;
        if let Some(refusal) = refusal(&response.status_code) {
            return Err(refusal);
        }
        let Ok(description) = Description::parse(&response.body) else {
            drop(dialog.bye().await);
            return Err(unreachable("nothing that both speak"));
        };
        Ok(invite::follow_outgoing(
            Arc::clone(context),
            dialog,
            states,
            peer,
            local,
            socket,
            &description,
        ))
    }
}

async fn address_of(callee: &Uri) -> Option<SocketAddr> {
    let host = callee.host_with_port.to_string();
    let with_port =
        if callee.host_with_port.port.is_some() { host } else { format!("{host}:{SIP_PORT}") };
    timeout(LOOK_UP, lookup_host(with_port)).await.ok()?.ok()?.next()
}

/// What an answer that is none means.
fn refusal(code: &StatusCode) -> Option<CallOutError> {
    match code.code() {
        200..=299 => None,
        486 | 600 => Some(CallOutError::Busy),
        408 | 480 | 487 => Some(CallOutError::NoAnswer),
        603 | 607 => Some(CallOutError::Declined),
        other => Some(CallOutError::Unreachable(format!("SIP {other}"))),
    }
}

//! A call leaves us: the caller's own exchange is asked to connect it with somebody (REFER, RFC 3515), in the
//! place of a call that we hold with them (Replaces, RFC 3891). 202 says only that it will be tried; what
//! the exchange reports afterwards decides.

use rsipstack::dialog::DialogId;
use rsipstack::sip::Request;
use tokio::sync::oneshot;

/// Why the caller is still with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The exchange does not transfer calls, or not this one.
    #[error("the exchange did not accept the transfer")]
    Refused,
    /// It tried, and the other side did not take the call over: SIP's status.
    #[error("the exchange tried, and it failed with SIP {0}")]
    Failed(u16),
    /// It has not said what became of it.
    #[error("the exchange did not say what became of the transfer")]
    Late,
}

/// What became of a transfer.
pub type TransferResult = Result<(), TransferError>;

/// Whom the caller is to be connected with: the value of a Refer-To header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferTarget(pub String);

impl TransferTarget {
    /// The other end of a dialog of ours, which the caller's call takes the place of. The tags are named
    /// as the other end sees them: its own is the to-tag.
    pub(crate) fn replacing(other: &str, dialog: &DialogId) -> Self {
        let replaces = format!(
            "{};to-tag={};from-tag={}",
            dialog.call_id, dialog.remote_tag, dialog.local_tag
        );
        Self(format!("<{other}?Replaces={}>", escaped(&replaces)))
    }
}

/// Percent-encodes what may not stand in a URI's header part (RFC 3261, 25.1).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A wish to transfer a leg, on its way to the leg's signalling.
#[derive(Debug)]
pub(crate) struct TransferRequest {
    pub(crate) target: TransferTarget,
    pub(crate) reply: oneshot::Sender<TransferResult>,
}

/// SIP's status in the exchange's report (message/sipfrag, RFC 3420).
pub(crate) fn reported(notify: &Request) -> Option<u16> {
    let body = std::str::from_utf8(&notify.body).ok()?;
    let line = body.lines().find(|line| line.starts_with("SIP/2.0 "))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a report means: nothing yet while it is still being tried.
pub(crate) const fn verdict(status: u16) -> Option<TransferResult> {
    match status {
        0..=199 => None,
        200..=299 => Some(Ok(())),
        status => Some(Err(TransferError::Failed(status))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_the_dialog_as_its_other_end_sees_it() {
        let dialog = DialogId {
            call_id: "a;b@host".to_owned(),
            local_tag: "ours".to_owned(),
            remote_tag: "theirs".to_owned(),
        };
        let target = TransferTarget::replacing("sip:desk@10.0.0.5:5070", &dialog);
        assert_eq!(
            target.0,
            "<sip:desk@10.0.0.5:5070?Replaces=a%3Bb%40host%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours>"
        );
    }

    #[test]
    fn only_a_final_report_decides() {
        assert_eq!(verdict(100), None);
        assert_eq!(verdict(180), None);
        assert_eq!(verdict(200), Some(Ok(())));
        assert_eq!(verdict(503), Some(Err(TransferError::Failed(503))));
    }
}

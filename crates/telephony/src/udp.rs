//! The UDP socket under the SIP stack, with what the stack leaves to its surroundings: a
//! `Content-Length` for messages that come without one, and no spinning on socket errors.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rsipstack::platform::net::UdpSocket as PlatformSocket;
use tokio::net::UdpSocket;

/// Pause after a socket error, so that a broken socket does not burn a core.
const ERROR_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct SipSocket(pub(crate) UdpSocket);

#[async_trait::async_trait]
impl PlatformSocket for SipSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            match self.0.recv_from(buffer).await {
                Ok((length, from)) => return Ok((complete(buffer, length), from)),
                Err(error) => {
                    tracing::debug!(%error, "the SIP socket failed to read");
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    }

    async fn send_to(&self, buffer: &[u8], target: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.0.send_to(buffer, target).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }
}

/// Over UDP the body reaches to the end of the datagram when no length is given (RFC 3261,
/// 18.3); the stack would drop it. Adds the header in place and returns the new length.
pub(crate) fn complete(buffer: &mut [u8], length: usize) -> usize {
    let message = &buffer[..length];
    let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") else {
        return length;
    };
    let has_length = message[..end].split(|byte| *byte == b'\n').any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l")
    });
    let body = length - end - 4;
    let header = format!("\r\nContent-Length: {body}");
    if has_length || body == 0 || length + header.len() > buffer.len() {
        return length;
    }
    buffer.copy_within(end..length, end + header.len());
    buffer[end..end + header.len()].copy_from_slice(header.as_bytes());
    length + header.len()
}

/// The address of ours that packets to a peer leave from.
pub async fn route_to(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0)).await.ok()?;
    socket.connect(peer).await.ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(message: &str) -> String {
        let mut buffer = vec![0; 1000];
        buffer[..message.len()].copy_from_slice(message.as_bytes());
        let length = complete(&mut buffer, message.len());
        String::from_utf8(buffer[..length].to_vec()).expect("text")
    }

    #[test]
    fn a_missing_length_is_added_and_nothing_else() {
        assert_eq!(
            completed("INVITE sip:a SIP/2.0\r\nTo: b\r\n\r\nv=0"),
            "INVITE sip:a SIP/2.0\r\nTo: b\r\nContent-Length: 3\r\n\r\nv=0"
        );
        for same in [
            "INVITE sip:a SIP/2.0\r\ncontent-length : 3\r\n\r\nv=0",
            "INVITE sip:a SIP/2.0\r\nl: 3\r\n\r\nv=0",
            "OPTIONS sip:a SIP/2.0\r\n\r\n",
            "garbage",
            "",
        ] {
            assert_eq!(completed(same), same);
        }
    }
}

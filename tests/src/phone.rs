//! A telephone in text: sends what it is told, right or wrong, and shows what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::caller::sip::{header, media_address, ok, status};

/// A telephone in text.
#[derive(Debug)]
pub struct Phone {
    socket: UdpSocket,
    /// Audio.
    pub rtp: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
}

impl Phone {
    /// A telephone that calls `server`.
    pub async fn new(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let rtp = UdpSocket::bind("127.0.0.1:0").await?;
        let local = socket.local_addr()?;
        Ok(Self { socket, rtp, server, local })
    }

    /// A request of the call `id`.
    pub fn message(&self, method: &str, id: &str, to_tag: &str, cseq: u32, body: &str) -> String {
        let Self { server, local, .. } = self;
        let (cseq_method, branch) = match method {
            "ACK" if cseq == 1 => ("ACK", format!("z9hG4bK{id}ack")),
            "CANCEL" => ("CANCEL", format!("z9hG4bK{id}INVITE{cseq}")),
            _ => (method, format!("z9hG4bK{id}{method}{cseq}")),
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:radline@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch={branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:t@{local}>;tag=t\r\nTo: <sip:radline@{server}>{to_tag}\r\n\
             Call-ID: {id}\r\nCSeq: {cseq} {cseq_method}\r\nContact: <sip:t@{local}>\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Calls as `id` with µ-law and acknowledges the answer. Returns the other side's tag and where
    /// it takes audio.
    pub async fn call(&self, id: &str) -> Result<(String, SocketAddr)> {
        let invite = self.message("INVITE", id, "", 1, &self.sdp("0", "sendrecv"));
        let answer = self.ask(&invite).await?;
        starts(&answer, "200")?;
        let tag = to_tag(&answer);
        self.send(&self.message("ACK", id, &tag, 1, "")).await?;
        Ok((tag, media_address(&answer).context("the answer names no audio")?))
    }

    /// Waits for the other side's BYE and answers it.
    pub async fn hung_up(&self, limit: Duration) -> Result<()> {
        let wait = async {
            loop {
                let mut buffer = vec![0; 4096];
                let (length, _) = self.socket.recv_from(&mut buffer).await?;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("BYE ") {
                    return self.send(&ok(&text)).await;
                }
            }
        };
        timeout(limit, wait).await.context("the other side does not hang up")?
    }

    /// Sends a message as it is.
    pub async fn send(&self, message: &str) -> Result<()> {
        self.socket.send_to(message.as_bytes(), self.server).await?;
        Ok(())
    }

    /// The next final answer.
    pub async fn answer(&self) -> Result<String> {
        let wait = async {
            loop {
                let mut buffer = vec![0; 4096];
                let (length, _) = self.socket.recv_from(&mut buffer).await?;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if status(&text).is_some_and(|status| status >= 200) {
                    return Ok(text);
                }
            }
        };
        timeout(Duration::from_secs(10), wait).await.context("no answer")?
    }

    /// Asks and waits for the answer to this very request; retransmissions of others pass by.
    pub async fn ask(&self, message: &str) -> Result<String> {
        self.send(message).await?;
        loop {
            let answer = self.answer().await?;
            let same = |name| header(&answer, name) == header(message, name);
            if same("call-id") && same("cseq") {
                return Ok(answer);
            }
        }
    }

    /// The ACK of a refusal belongs to the INVITE's own transaction.
    pub async fn ack_refusal(&self, id: &str, answer: &str) -> Result<()> {
        let ack = self.message("ACK", id, &to_tag(answer), 1, "");
        self.send(&ack.replace(&format!("{id}ack;"), &format!("{id}INVITE1;"))).await
    }

    /// A description of audio in these formats.
    pub fn sdp(&self, formats: &str, direction: &str) -> String {
        format!(
            "v=0\r\no=t 1 1 IN IP4 127.0.0.1\r\ns=t\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {formats}\r\na={direction}\r\n",
            self.rtp.local_addr().map_or(0, |address| address.port())
        )
    }
}

/// The tag that the answer gave its side.
pub fn to_tag(answer: &str) -> String {
    let to = header(answer, "to");
    let tag = to.and_then(|to| to.split(";tag=").nth(1)).unwrap_or_default();
    format!(";tag={}", tag.trim())
}

/// Fails unless the answer has the status.
pub fn starts(answer: &str, status: &str) -> Result<()> {
    ensure!(answer.starts_with(&format!("SIP/2.0 {status}")), "not {status} but:\n{answer}");
    Ok(())
}

//! A telephone in text: sends what it is told, right or wrong, and shows what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::UdpSocket;
use tokio::time::timeout;

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
        Ok((tag, media_address(&answer)?))
    }

    /// Waits for the other side's BYE and answers it.
    pub async fn hung_up(&self, limit: Duration) -> Result<()> {
        let wait = async {
            loop {
                let mut buffer = vec![0; 4096];
                let (length, _) = self.socket.recv_from(&mut buffer).await?;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("BYE ") {
                    let copied = ["via", "from", "to", "call-id", "cseq"]
                        .iter()
                        .filter_map(|name| line(&text, &format!("{name}:")))
                        .fold(String::new(), |all, line| all + line + "\r\n");
                    let answer = format!("SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n");
                    return self.send(&answer).await;
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
                if text.starts_with("SIP/2.0 ") && !text.starts_with("SIP/2.0 1") {
                    return Ok(text);
                }
            }
        };
        timeout(Duration::from_secs(10), wait).await.context("no answer")?
    }

    /// Asks and waits for the answer to this very request; retransmissions of others pass by.
    pub async fn ask(&self, message: &str) -> Result<String> {
        self.send(message).await?;
        let value = |text: &str, name: &str| {
            line(text, name)
                .and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        loop {
            let answer = self.answer().await?;
            let same = |name| value(&answer, name) == value(message, name);
            if same("call-id:") && same("cseq:") {
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

fn line<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find(|line| line.to_lowercase().starts_with(name))
}

/// Where the answer's audio goes.
pub fn media_address(answer: &str) -> Result<SocketAddr> {
    let value = |prefix: &str| answer.lines().find_map(|line| line.strip_prefix(prefix));
    let ip = value("c=IN IP4 ").context("no address")?.trim().parse()?;
    let port = value("m=audio ").and_then(|rest| rest.split(' ').next()).context("no port")?;
    Ok(SocketAddr::new(ip, port.parse()?))
}

/// The tag that the answer gave its side.
pub fn to_tag(answer: &str) -> String {
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("to:"));
    let tag = line.and_then(|line| line.split(";tag=").nth(1)).unwrap_or_default();
    format!(";tag={}", tag.trim())
}

/// Fails unless the answer has the status.
pub fn starts(answer: &str, status: &str) -> Result<()> {
    ensure!(answer.starts_with(&format!("SIP/2.0 {status}")), "not {status} but:\n{answer}");
    Ok(())
}

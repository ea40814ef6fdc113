//! Just enough SIP to place a call over UDP, or to answer one, and to end it: text in, text out.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// Longest wait for a final answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
/// How long a called telephone rings.
const RINGS: Duration = Duration::from_millis(1500);
/// RFC 3261: the first retransmission comes after this long.
const T1: Duration = Duration::from_millis(500);

/// One call's signalling.
#[derive(Debug)]
pub struct SipCall {
    socket: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
    call_id: String,
    tag: String,
    to: String,
    cseq: u32,
}

impl SipCall {
    /// Calls and waits for the answer; returns where to send audio.
    pub async fn place(server: SocketAddr, rtp: SocketAddr) -> Result<(Self, SocketAddr)> {
        let socket = UdpSocket::bind((rtp.ip(), 0)).await?;
        let local = socket.local_addr()?;
        let mut call = Self {
            socket,
            server,
            local,
            call_id: format!("{:016x}@caller", rand::random::<u64>()),
            tag: format!("{:08x}", rand::random::<u32>()),
            to: format!("<sip:radline@{server}>"),
            cseq: 1,
        };
        let invite = call.request("INVITE", 1, &offer(rtp));
        let answer = call.transact(&invite).await?;
        let status = status(&answer).context("the answer is not SIP")?;
        call.to = header(&answer, "to").unwrap_or(&call.to).to_owned();
        let ack = call.request("ACK", 1, "");
        call.socket.send_to(ack.as_bytes(), server).await?;
        if status != 200 {
            bail!("the call was answered with {status}");
        }
        let media = media_address(&answer).context("the answer names no audio")?;
        Ok((call, media))
    }

    /// Waits on a telephone's socket for a call, answers it, and returns where to send audio.
    pub async fn answer(socket: UdpSocket, rtp: SocketAddr) -> Result<(Self, SocketAddr)> {
        let local = socket.local_addr()?;
        let mut buffer = vec![0; 4096];
        let (invite, server) = loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.starts_with("INVITE ") {
                break (message, from);
            }
        };
        let part = |name: &str| header(&invite, name).map(str::to_owned).context("no such header");
        let tag = format!("{:08x}", rand::random::<u32>());
        let contact = format!("Contact: <sip:callee@{local}>\r\n");
        let ringing = response(&invite, "180 Ringing", &tag, &contact, "");
        socket.send_to(ringing.as_bytes(), server).await?;
        sleep(RINGS).await;
        let taken = response(&invite, "200 OK", &tag, &contact, &offer(rtp));
        let media = media_address(&invite).context("the offer names no audio")?;
        socket.send_to(taken.as_bytes(), server).await?;
        let call = Self {
            socket,
            server,
            local,
            call_id: part("call-id")?,
            tag,
            to: part("from")?,
            cseq: 1,
        };
        timeout(ANSWER_DEADLINE, async {
            // A repeated INVITE means that our answer was lost.
            while !call.receive().await?.starts_with("ACK ") {
                call.send(&taken).await?;
            }
            anyhow::Ok(())
        })
        .await
        .context("our answer was not acknowledged")??;
        Ok((call, media))
    }

    fn request(&self, method: &str, cseq: u32, body: &str) -> String {
        let Self { server, local, call_id, tag, to, .. } = self;
        let branch = format!("z9hG4bK{method}{cseq}{tag}");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:radline@{server} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch={branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:caller@{local}>;tag={tag}\r\n\
             To: {to}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:caller@{local}>\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Sends a request until a final answer comes.
    pub(super) async fn transact(&self, request: &str) -> Result<String> {
        let exchange = async {
            self.socket.send_to(request.as_bytes(), self.server).await?;
            let mut wait = T1;
            loop {
                let Ok(message) = timeout(wait, self.receive()).await else {
                    self.socket.send_to(request.as_bytes(), self.server).await?;
                    wait *= 2;
                    continue;
                };
                let message = message?;
                if status(&message).is_some_and(|code| code >= 200) {
                    return Ok(message);
                }
                // Provisional: no more retransmissions are needed.
                wait = ANSWER_DEADLINE;
            }
        };
        timeout(ANSWER_DEADLINE, exchange).await.context("nobody answered the call")?
    }

    pub(super) async fn receive(&self) -> Result<String> {
        let mut buffer = vec![0; 4096];
        let (length, _) = self.socket.recv_from(&mut buffer).await?;
        Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Waits for the other side to hang up, answering what it asks meanwhile.
    pub async fn hung_up(&self) -> Result<()> {
        loop {
            let message = self.receive().await?;
            let method = message.split(' ').next().unwrap_or_default().to_owned();
            if method.starts_with("SIP/") || method == "ACK" {
                continue;
            }
            self.socket.send_to(ok(&message).as_bytes(), self.server).await?;
            if method == "BYE" {
                return Ok(());
            }
        }
    }

    pub(super) async fn send(&self, message: &str) -> Result<()> {
        self.socket.send_to(message.as_bytes(), self.server).await?;
        Ok(())
    }

    /// The call's next request.
    pub(super) fn next_request(&mut self, method: &str, body: &str) -> String {
        self.cseq += 1;
        self.request(method, self.cseq, body)
    }

    /// Hangs up.
    pub async fn bye(&mut self) -> Result<()> {
        let bye = self.next_request("BYE", "");
        self.transact(&bye).await.map(drop)
    }
}

fn offer(rtp: SocketAddr) -> String {
    let (ip, port) = (rtp.ip(), rtp.port());
    format!(
        "v=0\r\no=caller 1 1 IN IP4 {ip}\r\ns=call\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// The status of an answer; none of a request.
pub(crate) fn status(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
}

/// The answer to an INVITE, with our tag.
fn response(request: &str, status: &str, tag: &str, contact: &str, body: &str) -> String {
    let copied: String = ["via", "from", "call-id", "cseq"]
        .iter()
        .filter_map(|name| Some(format!("{name}: {}\r\n", header(request, name)?)))
        .collect();
    let to = header(request, "to").unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\n{copied}To: {to};tag={tag}\r\n{contact}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The 200 that answers a request.
pub(crate) fn ok(request: &str) -> String {
    let copied: String = ["via", "from", "to", "call-id", "cseq"]
        .iter()
        .filter_map(|name| Some(format!("{name}: {}\r\n", header(request, name)?)))
        .collect();
    format!("SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n")
}

/// The value of a message's header.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Where the answer's audio goes.
pub(crate) fn media_address(message: &str) -> Option<SocketAddr> {
    let value = |prefix: &str| message.lines().find_map(|line| line.strip_prefix(prefix));
    let ip = value("c=IN IP4 ")?.trim().parse().ok()?;
    let port = value("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

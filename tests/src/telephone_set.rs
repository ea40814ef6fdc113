//! A telephone that rings: answers, is busy, is left ringing, or lets a mailbox answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use radline_audio::{Codec, TELEPHONE_RATE_HZ};
use tokio::net::UdpSocket;
use tokio::time::{interval, sleep};

use crate::caller::sip::{header, media_address, ok};
use crate::stage::{CALLER, PROVIDER};
use crate::tone::{share, tone};

/// Bytes of an RTP header without extras, and of 20 ms.
const HEADER: usize = 12;
const FRAME: usize = 160;

/// What becomes of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Somebody answers, listens for a moment, and presses this key.
    Presses(u8),
    /// Somebody is talking on it.
    Busy,
    /// Nobody is there.
    Rings,
    /// A mailbox answers, and presses no key.
    Mailbox,
}

/// What was seen on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Calls that rang.
    pub rang: usize,
    /// Calls that stopped ringing unanswered.
    pub cancelled: usize,
    /// Calls that the other side ended.
    pub ended: usize,
    /// A call that took the place of ours.
    pub replaced: usize,
    /// Whether the caller's tone was heard.
    pub heard_caller: bool,
}

/// A telephone on this machine.
pub struct TelephoneSet {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl TelephoneSet {
    /// Plugs one in.
    pub async fn plug_in(manner: Manner) -> Result<Self> {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let address = socket.local_addr()?;
        let seen = Arc::<Mutex<Seen>>::default();
        tokio::spawn(serve(socket, manner, Arc::clone(&seen)));
        Ok(Self { address, seen })
    }

    /// Its address.
    pub fn uri(&self) -> String {
        format!("sip:desk@{}", self.address)
    }

    /// What was seen on it so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this was seen.
    pub async fn until(&self, wanted: impl Fn(&Seen) -> bool) -> Result<()> {
        for _ in 0..300 {
            if wanted(&self.seen()) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("the telephone has seen {:?}", self.seen())
    }
}

async fn serve(socket: Arc<UdpSocket>, manner: Manner, seen: Arc<Mutex<Seen>>) -> Result<()> {
    let mut buffer = vec![0; 4096];
    let mut invite: Option<String> = None;
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let note = |act: &dyn Fn(&mut Seen)| {
            act(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        };
        match message.split(' ').next().unwrap_or_default() {
            // A retransmission changes nothing.
            "INVITE"
                if invite.as_ref().and_then(|known| header(known, "call-id"))
                    == header(&message, "call-id") => {}
            "INVITE" if header(&message, "replaces").is_some() => {
                let ours = invite.as_ref().is_some_and(|invite| replaces(&message, invite));
                note(&|seen| seen.replaced += usize::from(ours));
                let status = if ours { "200 OK" } else { "481 Call/Transaction Does Not Exist" };
                socket.send_to(answer(&message, status, "").as_bytes(), from).await?;
            }
            "INVITE" => {
                note(&|seen| seen.rang += 1);
                invite = Some(message.clone());
                if manner == Manner::Busy {
                    socket.send_to(answer(&message, "486 Busy Here", "").as_bytes(), from).await?;
                    continue;
                }
                socket.send_to(answer(&message, "180 Ringing", "").as_bytes(), from).await?;
                if manner != Manner::Rings {
                    let (socket, seen) = (Arc::clone(&socket), Arc::clone(&seen));
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(800)).await;
                        pick_up(&socket, &message, from, manner, seen).await
                    });
                }
            }
            "CANCEL" => {
                note(&|seen| seen.cancelled += 1);
                socket.send_to(ok(&message).as_bytes(), from).await?;
                if let Some(invite) = &invite {
                    let gone = answer(invite, "487 Request Terminated", "");
                    socket.send_to(gone.as_bytes(), from).await?;
                }
            }
            "BYE" => {
                note(&|seen| seen.ended += 1);
                socket.send_to(ok(&message).as_bytes(), from).await?;
            }
            _ => {}
        }
    }
}

/// Whether a call names the one that it takes the place of as this telephone knows it.
fn replaces(message: &str, invite: &str) -> bool {
    let known = || {
        let call = header(invite, "call-id")?;
        let from = header(invite, "from")?.split("tag=").nth(1)?;
        Some(format!("{call};to-tag=set;from-tag={from}"))
    };
    known().as_deref() == header(message, "replaces")
}

/// An answer to a request, with a tag of ours.
fn answer(request: &str, status: &str, body: &str) -> String {
    let copied: String = ["via", "from", "call-id", "cseq"]
        .iter()
        .filter_map(|name| Some(format!("{name}: {}\r\n", header(request, name)?)))
        .collect();
    let to = header(request, "to").unwrap_or_default();
    let contact = to.split(['<', '>']).nth(1).unwrap_or(to);
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\n{copied}to: {to};tag=set\r\ncontact: <{contact}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn pick_up(
    socket: &UdpSocket,
    invite: &str,
    from: SocketAddr,
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
) -> Result<()> {
    let rtp = UdpSocket::bind("127.0.0.1:0").await?;
    let port = rtp.local_addr()?.port();
    let remote = media_address(invite).context("the offer names no audio")?;
    let body = format!(
        "v=0\r\no=set 1 1 IN IP4 127.0.0.1\r\ns=call\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=ptime:20\r\na=sendrecv\r\n"
    );
    socket.send_to(answer(invite, "200 OK", &body).as_bytes(), from).await?;
    let voice = tone(PROVIDER, 60.0, TELEPHONE_RATE_HZ);
    let mut ticks = interval(Duration::from_millis(20));
    let (mut heard, mut buffer) = (Vec::new(), vec![0; 2048]);
    for (number, frame) in voice.chunks(FRAME).enumerate() {
        ticks.tick().await;
        let spoken = if manner == Manner::Mailbox { vec![0; FRAME] } else { frame.to_vec() };
        let (sequence, timestamp) = (number as u16, (number * FRAME) as u32);
        rtp.send_to(&packet(0, sequence, timestamp, &Codec::Pcmu.encode(&spoken)), remote).await?;
        // Two seconds after picking up: the key, as RFC 4733 sends it.
        if let Manner::Presses(key) = manner
            && (100..103).contains(&number)
        {
            let last = if number == 102 { 0x80 } else { 0 };
            let event = [key, last | 0x0a, 1, 0x40];
            rtp.send_to(&packet(101, sequence, 16_000, &event), remote).await?;
        }
        while let Ok(length) = rtp.try_recv(&mut buffer) {
            if length > HEADER && buffer[1].trailing_zeros() >= 7 {
                heard.extend(Codec::Pcmu.decode(&buffer[HEADER..length]));
            }
        }
        let recent = heard.len().saturating_sub(TELEPHONE_RATE_HZ as usize / 3);
        if share(&heard[recent..], CALLER, TELEPHONE_RATE_HZ) > 0.5 {
            seen.lock().unwrap_or_else(PoisonError::into_inner).heard_caller = true;
        }
    }
    Ok(())
}

fn packet(kind: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(7u32.to_be_bytes());
    packet.extend(payload);
    packet
}

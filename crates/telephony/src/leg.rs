//! One leg of a call: 20 ms of audio each way per tick, over RTP.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use radline_audio::resample::TelephoneResampler;
use radline_audio::{AudioFrame, DtmfDigit, TELEPHONE_FRAME_SAMPLES};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::dtmf::KeyEvents;
use crate::receiving::Receiving;
use crate::rtp::{self, Incoming, Sender};
use crate::sdp::Agreement;
use crate::transfer::{TransferError, TransferRequest, TransferResult, TransferTarget};

/// Datagrams read per tick; a flood beyond it waits in the kernel and is dropped there.
const DATAGRAMS_PER_TICK: usize = 64;

/// What the signalling says about a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegEvent {
    /// The other side put us on hold.
    Held,
    /// The other side is back.
    Resumed,
    /// The other side ended the call.
    HungUp,
}

/// What came in since the last tick.
#[derive(Debug, Default)]
pub struct Received {
    /// Audio to take now: mostly one frame, none while the line stutters, two when it catches up.
    pub frames: Vec<AudioFrame>,
    /// Keys that were pressed.
    pub keys: Vec<DtmfDigit>,
}

/// What signalling and media share.
pub(crate) type SharedAgreement = Arc<Mutex<Agreement>>;

/// One leg of a call. Dropping it ends the call.
pub struct Leg {
    socket: UdpSocket,
    agreement: SharedAgreement,
    /// Address of the signalling peer; audio may come from there even if SDP names another.
    peer: SocketAddr,
    /// Where SDP said that audio would come from, when last looked at.
    remote: SocketAddr,
    /// Where audio really comes from, once it does.
    latched: Option<SocketAddr>,
    receiving: Receiving,
    resampler: TelephoneResampler,
    keys: KeyEvents,
    sender: Sender,
    last_packet: Option<Duration>,
    signalling: Signalling,
}

/// A leg's end of its signalling.
pub(crate) struct Signalling {
    pub(crate) events: mpsc::Receiver<LegEvent>,
    pub(crate) hang_up: CancellationToken,
    pub(crate) transfers: mpsc::Sender<TransferRequest>,
    /// How somebody else's call takes the place of this one.
    pub(crate) target: TransferTarget,
}

impl Leg {
    pub(crate) fn new(
        socket: UdpSocket,
        agreement: SharedAgreement,
        peer: SocketAddr,
        signalling: Signalling,
    ) -> Self {
        let remote = agreement.lock().unwrap_or_else(PoisonError::into_inner).remote;
        Self {
            socket,
            agreement,
            peer,
            remote,
            latched: None,
            receiving: Receiving::default(),
            resampler: TelephoneResampler::default(),
            keys: KeyEvents::default(),
            sender: Sender::new(),
            last_packet: None,
            signalling,
        }
    }

    /// The next thing that the signalling says. After [`LegEvent::HungUp`] nothing comes any more.
    pub async fn event(&mut self) -> LegEvent {
        self.signalling.events.recv().await.unwrap_or(LegEvent::HungUp)
    }

    /// Where signalling comes from.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Ends the call from our side.
    pub fn hang_up(&self) {
        self.signalling.hang_up.cancel();
    }

    /// How another leg's caller is connected with this leg's other side.
    pub const fn target(&self) -> &TransferTarget {
        &self.signalling.target
    }

    /// Asks this leg's other side to leave us for the target. Until it has, audio goes on as before; once it
    /// has, hanging up is all that is left.
    pub fn transfer(&self, target: TransferTarget) -> impl Future<Output = TransferResult> + use<> {
        let (reply, result) = oneshot::channel();
        let asked = self.signalling.transfers.try_send(TransferRequest { target, reply });
        async move {
            asked.map_err(|_| TransferError::Refused)?;
            result.await.unwrap_or(Err(TransferError::Late))
        }
    }

    /// How long no packet has come, `now` being monotonic time since the leg began.
    pub fn silent_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_packet.unwrap_or_default())
    }

    /// What came in until `now`. Called once every 20 ms.
    pub fn receive(&mut self, now: Duration) -> Received {
        let agreement = *self.agreement.lock().unwrap_or_else(PoisonError::into_inner);
        if agreement.remote != self.remote {
            // A re-INVITE moved the stream: wait for it at its new place.
            (self.remote, self.latched) = (agreement.remote, None);
        }
        let mut received = Received::default();
        let mut buffer = [0; rtp::DATAGRAM_MAX];
        for _ in 0..DATAGRAMS_PER_TICK {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let key = self.datagram(now, &agreement, &buffer[..length], from);
                    received.keys.extend(key);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An ICMP error for something that we sent; the next read goes on.
                Err(_) => {}
            }
        }
        received.frames = self.receiving.frames(now, agreement.codec);
        received
    }

    fn datagram(
        &mut self,
        now: Duration,
        agreement: &Agreement,
        datagram: &[u8],
        from: SocketAddr,
    ) -> Option<DtmfDigit> {
        // Symmetric RTP: audio goes back to where it comes from, but only to an address that
        // signalling has named, so that a stranger cannot draw the call to themselves.
        let named = [agreement.remote.ip(), self.peer.ip()];
        if !named.iter().any(|ip| ip.to_canonical() == from.ip().to_canonical()) {
            return None;
        }
        match rtp::sort(datagram, agreement.payload_type, agreement.events) {
            Incoming::Audio(packet) => {
                self.latched = Some(from);
                self.last_packet = Some(now);
                self.receiving.push(now, packet);
                None
            }
            Incoming::Event(timestamp, payload) => {
                self.last_packet = Some(now);
                self.keys.push(timestamp, &payload)
            }
            Incoming::Other => None,
        }
    }

    /// Sends the frame that is due now; silence without one. Called once every 20 ms, so that the
    /// other side hears a steady stream.
    pub fn send(&mut self, frame: Option<&AudioFrame>) {
        let agreement = *self.agreement.lock().unwrap_or_else(PoisonError::into_inner);
        let silence = AudioFrame::silence();
        let samples = self.resampler.to_telephone(frame.unwrap_or(&silence));
        if !agreement.direction.sends() {
            self.sender.skip(TELEPHONE_FRAME_SAMPLES as u32);
            return;
        }
        let payload = agreement.codec.encode(&samples);
        let target = self.latched.unwrap_or(agreement.remote);
        if let Some(packet) = self.sender.packet(agreement.payload_type, &payload) {
            // A full socket buffer or an unreachable peer loses this packet, as networks do.
            if let Err(error) = self.socket.try_send_to(&packet, target) {
                tracing::trace!(%error, "a packet was not sent");
            }
        }
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.signalling.hang_up.cancel();
    }
}

impl std::fmt::Debug for Leg {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Leg").field("peer", &self.peer).finish_non_exhaustive()
    }
}

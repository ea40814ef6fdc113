//! A browser's leg: WebRTC with G.711, which every browser has to speak (RFC 7874, 3) and which is all
//! that the telephone on the other side carries. One offer, one answer with every address in it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use radline_audio::jitter_buffer::Packet;
use radline_audio::resample::TelephoneResampler;
use radline_audio::{AudioFrame, Codec, FRAME_MS, TELEPHONE_FRAME_SAMPLES, TELEPHONE_RATE_HZ};
use rand::Rng;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_PCMU;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
    register_default_interceptors,
};
use webrtc::runtime::TokioRuntime;

use crate::receiving::Receiving;

/// Frames between the leg and its user, each way.
const FRAMES_MAX: usize = 50;
/// Packets that wait to be ordered.
const PACKETS_MAX: usize = 64;
/// Longest wait for our own addresses; they are there at once.
const GATHERING: Duration = Duration::from_secs(2);
/// Longest wait for the browser to connect.
const CONNECTING: Duration = Duration::from_secs(12);
/// How long a connection may be interrupted before it is given up: a change of network takes a few
/// seconds, and meanwhile the caller hears nothing.
const INTERRUPTION: Duration = Duration::from_secs(6);

/// A browser cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The offer is none, or has no G.711 audio.
    #[error("the browser's offer cannot be answered: {0}")]
    Offer(String),
    /// No socket, no addresses.
    #[error("the leg to the browser failed: {0}")]
    Failed(String),
}

/// A browser's audio. Dropping either end hangs up.
#[derive(Debug)]
pub struct BrowserLeg {
    /// What the browser's microphone hears, 20 ms at a time; ends with the connection.
    pub voice: mpsc::Receiver<AudioFrame>,
    /// What the browser plays.
    pub ear: mpsc::Sender<AudioFrame>,
}

/// Hears what the connection does.
struct Events {
    packets: mpsc::Sender<Packet>,
    gathered: watch::Sender<bool>,
    state: watch::Sender<RTCPeerConnectionState>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let packets = self.packets.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let samples = packet.payload.len() as u32;
                if packet.header.payload_type != Codec::Pcmu.payload_type() || samples == 0 {
                    continue;
                }
                let (ssrc, timestamp) = (packet.header.ssrc, packet.header.timestamp);
                let payload = packet.payload.to_vec();
                let packet = Packet { ssrc, timestamp, samples, payload };
                match packets.try_send(packet) {
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
                    Err(mpsc::error::TrySendError::Closed(_)) => return,
                }
            }
        });
    }
}

/// Answers a browser's offer. `local` is the address that the browser can reach.
///
/// # Errors
/// The offer cannot be answered, or no socket can be had.
pub async fn answer(offer: &str, local: IpAddr) -> Result<(String, BrowserLeg), BrowserError> {
    let refused = |error: webrtc::error::Error| BrowserError::Offer(error.to_string());
    let failed = |error: webrtc::error::Error| BrowserError::Failed(error.to_string());
    let offer = RTCSessionDescription::offer(offer.to_owned()).map_err(refused)?;
    let (mut engine, codec) = g711().map_err(failed)?;
    let registry = register_default_interceptors(Registry::new(), &mut engine).map_err(failed)?;
    let (packets, incoming) = mpsc::channel(PACKETS_MAX);
    let (gathered, mut gathering) = watch::channel(false);
    let (state, states) = watch::channel(RTCPeerConnectionState::New);
    let events = Arc::new(Events { packets, gathered, state });
    let building = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_interceptor_registry(registry)
        .with_handler(events)
        .with_runtime(Arc::new(TokioRuntime))
        .with_udp_addrs(vec![SocketAddr::new(local, 0)])
        .build();
    // The future is large, and a call's own must not grow by it.
    let peer = Box::pin(building).await.map_err(failed)?;
    let ssrc = rand::rng().random();
    let track: Arc<dyn TrackLocal> = Arc::new(TrackLocalStaticRTP::new(own_track(ssrc, codec)));
    let sdp = match negotiate(&peer, &track, offer, &mut gathering).await {
        Ok(sdp) => sdp,
        Err(error) => {
            // What was built has tasks and a socket of its own.
            drop(peer.close().await);
            return Err(error);
        }
    };
    let (to_user, voice) = mpsc::channel(FRAMES_MAX);
    let (ear, from_user) = mpsc::channel(FRAMES_MAX);
    let stream = Stream { peer: Arc::new(peer), track, ssrc, states, to_user };
    tokio::spawn(stream.run(incoming, from_user));
    Ok((sdp, BrowserLeg { voice, ear }))
}

/// Takes the offer; our answer, with every address in it.
async fn negotiate(
    peer: &impl PeerConnection,
    track: &Arc<dyn TrackLocal>,
    offer: RTCSessionDescription,
    gathering: &mut watch::Receiver<bool>,
) -> Result<String, BrowserError> {
    let refused = |error: webrtc::error::Error| BrowserError::Offer(error.to_string());
    let failed = |error: webrtc::error::Error| BrowserError::Failed(error.to_string());
    peer.add_track(Arc::clone(track)).await.map_err(failed)?;
    peer.set_remote_description(offer).await.map_err(refused)?;
    let answer = peer.create_answer(None).await.map_err(refused)?;
    peer.set_local_description(answer).await.map_err(refused)?;
    if timeout(GATHERING, gathering.wait_for(|all| *all)).await.is_err() {
        tracing::debug!("our addresses for a browser came late");
    }
    let answer = peer.local_description().await;
    let answer = answer.ok_or_else(|| BrowserError::Failed("no answer was made".to_owned()))?;
    Ok(answer.sdp)
}

/// An engine that speaks µ-law and nothing else.
fn g711() -> Result<(MediaEngine, RTCRtpCodec), webrtc::error::Error> {
    let codec = RTCRtpCodec {
        mime_type: MIME_TYPE_PCMU.to_owned(),
        clock_rate: TELEPHONE_RATE_HZ,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: Vec::new(),
    };
    let parameters = RTCRtpCodecParameters {
        rtp_codec: codec.clone(),
        payload_type: Codec::Pcmu.payload_type(),
    };
    let mut engine = MediaEngine::default();
    engine.register_codec(parameters, RtpCodecKind::Audio)?;
    Ok((engine, codec))
}

fn own_track(ssrc: u32, codec: RTCRtpCodec) -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..RTCRtpCodingParameters::default()
        },
        codec,
        ..RTCRtpEncodingParameters::default()
    };
    let name = |part: &str| format!("radline-{part}");
    MediaStreamTrack::new(
        name("stream"),
        name("caller"),
        name("caller"),
        RtpCodecKind::Audio,
        vec![coding],
    )
}

/// The audio of a browser's connection, both ways.
struct Stream<P> {
    peer: Arc<P>,
    track: Arc<dyn TrackLocal>,
    ssrc: u32,
    states: watch::Receiver<RTCPeerConnectionState>,
    to_user: mpsc::Sender<AudioFrame>,
}

impl<P: PeerConnection> Stream<P> {
    async fn run(
        mut self,
        mut incoming: mpsc::Receiver<Packet>,
        mut from_user: mpsc::Receiver<AudioFrame>,
    ) {
        let (mut receiving, mut sending) = (Receiving::default(), Sending::new(self.ssrc));
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let began = Instant::now();
        // Since when there is no connection.
        let mut cut = Some(began);
        let mut heard = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let now = began.elapsed();
                    if self.is_given_up(&mut cut, began) {
                        break;
                    }
                    // Before the first packet there is no browser to hear: its silence is not silence.
                    let frames = if heard { receiving.frames(now, Codec::Pcmu) } else { Vec::new() };
                    for frame in frames {
                        if let Err(mpsc::error::TrySendError::Closed(_)) = self.to_user.try_send(frame) {
                            self.close().await;
                            return;
                        }
                    }
                }
                packet = incoming.recv() => match packet {
                    Some(packet) => {
                        heard = true;
                        receiving.push(began.elapsed(), packet);
                    }
                    None => break,
                },
                frame = from_user.recv() => match frame {
                    Some(frame) => {
                        if let Err(error) = self.track.write_rtp(sending.packet(&frame)).await {
                            tracing::trace!(%error, "a packet to a browser was not sent");
                        }
                    }
                    None => break,
                },
            }
        }
        self.close().await;
    }

    /// Whether the connection has failed, or was interrupted for too long.
    fn is_given_up(&mut self, cut: &mut Option<Instant>, began: Instant) -> bool {
        match *self.states.borrow_and_update() {
            RTCPeerConnectionState::Connected => *cut = None,
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => return true,
            _ => {
                cut.get_or_insert_with(Instant::now);
            }
        }
        let never = *cut == Some(began);
        let limit = if never { CONNECTING } else { INTERRUPTION };
        cut.is_some_and(|since| since.elapsed() > limit)
    }

    async fn close(&self) {
        if let Err(error) = self.peer.close().await {
            tracing::debug!(%error, "a browser's connection did not close");
        }
    }
}

/// Numbers the packets to a browser.
struct Sending {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    resampler: TelephoneResampler,
}

impl Sending {
    fn new(ssrc: u32) -> Self {
        let mut random = rand::rng();
        let (sequence, timestamp) = (random.random(), random.random());
        Self { ssrc, sequence, timestamp, resampler: TelephoneResampler::default() }
    }

    fn packet(&mut self, frame: &AudioFrame) -> rtc::rtp::Packet {
        let samples = self.resampler.to_telephone(frame);
        let header = rtc::rtp::header::Header {
            version: 2,
            payload_type: Codec::Pcmu.payload_type(),
            sequence_number: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            ..rtc::rtp::header::Header::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(TELEPHONE_FRAME_SAMPLES as u32);
        let payload = Bytes::from(Codec::Pcmu.encode(&samples));
        rtc::rtp::Packet { header, payload }
    }
}

//! The caller's side of the audio: a steady stream out, a recording of what comes in, and the
//! times at which either side was heard, taken from the packets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use radline_audio::{Codec, TELEPHONE_FRAME_SAMPLES, level};
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// A packet louder than this holds speech.
const SPEECH_DBFS: f32 = -42.0;
/// Bytes of an RTP header without extras.
const HEADER: usize = 12;

#[derive(Debug, Default)]
struct State {
    outgoing: VecDeque<Vec<i16>>,
    /// When the last frame with speech left.
    spoke_until: Option<Instant>,
    incoming: Vec<i16>,
    first_heard: Option<Instant>,
    last_heard: Option<Instant>,
}

/// The caller's audio.
#[derive(Debug, Clone)]
pub struct Media {
    state: Arc<Mutex<State>>,
}

impl Media {
    /// Starts the stream.
    pub fn start(socket: UdpSocket, remote: SocketAddr) -> Self {
        let media = Self { state: Arc::default() };
        let socket = Arc::new(socket);
        tokio::spawn(send(Arc::clone(&socket), remote, media.clone()));
        tokio::spawn(receive(socket, media.clone()));
        media
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says 8 kHz audio, and returns when its last speech left.
    pub async fn say(&self, audio: &[i16]) -> Instant {
        {
            let mut state = self.lock();
            state.outgoing = audio.chunks(TELEPHONE_FRAME_SAMPLES).map(<[i16]>::to_vec).collect();
            (state.first_heard, state.last_heard) = (None, None);
            state.incoming.clear();
        }
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let state = self.lock();
            if state.outgoing.is_empty() {
                return state.spoke_until.unwrap_or_else(Instant::now);
            }
        }
    }

    /// Waits for the agent to speak and then to be quiet for `quiet`. Returns when it began and
    /// what it said, 8 kHz; `None` when it says nothing for `limit`.
    pub async fn agent_turn(
        &self,
        quiet: Duration,
        limit: Duration,
    ) -> Option<(Instant, Vec<i16>)> {
        let began = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let state = self.lock();
            match (state.first_heard, state.last_heard) {
                (Some(first), Some(last)) if last.elapsed() > quiet => {
                    return Some((first, state.incoming.clone()));
                }
                (None, _) if began.elapsed() > limit => return None,
                _ => {}
            }
        }
    }
}

async fn send(socket: Arc<UdpSocket>, remote: SocketAddr, media: Media) -> Result<()> {
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut sequence, mut timestamp, ssrc) = (rand::random::<u16>(), 0_u32, rand::random::<u32>());
    loop {
        ticks.tick().await;
        let mut frame = {
            let mut state = media.lock();
            let frame = state.outgoing.pop_front().unwrap_or_default();
            if level::rms_dbfs(&frame) > SPEECH_DBFS {
                state.spoke_until = Some(Instant::now());
            }
            frame
        };
        frame.resize(TELEPHONE_FRAME_SAMPLES, 0);
        let mut packet = vec![0x80, 0];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(Codec::Pcmu.encode(&frame));
        socket.send_to(&packet, remote).await?;
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(TELEPHONE_FRAME_SAMPLES as u32);
    }
}

async fn receive(socket: Arc<UdpSocket>, media: Media) -> Result<()> {
    let mut buffer = vec![0; 2048];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).await?;
        if length <= HEADER || buffer[1] & 0x7f != 0 {
            continue;
        }
        let audio = Codec::Pcmu.decode(&buffer[HEADER..length]);
        let mut state = media.lock();
        if level::rms_dbfs(&audio) > SPEECH_DBFS {
            let now = Instant::now();
            state.first_heard.get_or_insert(now);
            state.last_heard = Some(now);
        }
        state.incoming.extend(audio);
    }
}

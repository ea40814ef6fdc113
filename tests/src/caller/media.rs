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
/// An agent that begins with more than this of the caller's answer to come cuts in, frames.
const CUT_IN_FRAMES: usize = 15;
/// Bytes of an RTP header without extras.
const HEADER: usize = 12;

#[derive(Debug, Default)]
struct State {
    outgoing: VecDeque<Vec<i16>>,
    /// When the last frame with speech left.
    spoke_until: Option<Instant>,
    /// When the first frame with speech left, of what was said last.
    spoke_from: Option<Instant>,
    /// When the agent's audible packets came.
    heard: Vec<Instant>,
    /// How far into the caller's answer the agent began to speak, each time that it did.
    agent_cut_in: Vec<Duration>,
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
            (state.first_heard, state.last_heard) = (None, None);
            state.spoke_until = None;
            state.heard.clear();
            state.incoming.clear();
        }
        self.send_all(audio).await;
        self.lock().spoke_until.unwrap_or_else(Instant::now)
    }

    /// Says 8 kHz audio over the agent's voice, and returns when its first audible packet left.
    pub async fn say_over(&self, audio: &[i16]) -> Instant {
        self.send_all(audio).await;
        self.lock().spoke_from.unwrap_or_else(Instant::now)
    }

    /// Queues the audio and waits until it has left.
    async fn send_all(&self, audio: &[i16]) {
        {
            let mut state = self.lock();
            state.spoke_from = None;
            state.outgoing = audio.chunks(TELEPHONE_FRAME_SAMPLES).map(<[i16]>::to_vec).collect();
        }
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if self.lock().outgoing.is_empty() {
                return;
            }
        }
    }

    /// What came in last.
    pub fn last_heard(&self, span: Duration) -> Vec<i16> {
        let state = self.lock();
        let samples = span.as_millis() as usize * TELEPHONE_FRAME_SAMPLES / 20;
        let from = state.incoming.len().saturating_sub(samples);
        state.incoming[from..].to_vec()
    }

    /// When the agent's turn began, and when it was heard last.
    pub fn agent_span(&self) -> Option<(Instant, Instant)> {
        let state = self.lock();
        state.first_heard.zip(state.last_heard)
    }

    /// When the agent's audible packets of this turn came.
    pub fn agent_heard(&self) -> Vec<Instant> {
        self.lock().heard.clone()
    }

    /// How far into the caller's answer the agent began to speak, each time that it did.
    pub fn agent_cut_in(&self) -> Vec<Duration> {
        self.lock().agent_cut_in.clone()
    }

    /// Waits until the agent's turn has begun.
    pub async fn agent_begins(&self, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.lock().first_heard.is_some() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
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
                let now = Instant::now();
                state.spoke_from.get_or_insert(now);
                state.spoke_until = Some(now);
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
            // In mid-answer, rather than in the silence behind it.
            let answering = state.outgoing.len() > CUT_IN_FRAMES && state.first_heard.is_none();
            if let Some(from) = state.spoke_from.filter(|_| answering) {
                state.agent_cut_in.push(now.saturating_duration_since(from));
            }
            state.first_heard.get_or_insert(now);
            state.last_heard = Some(now);
            state.heard.push(now);
        }
        state.incoming.extend(audio);
    }
}

//! Takes our own voice out of what comes back: from the hybrid of a telephone line, or from a
//! loudspeaker into the microphone beside it.
//!
//! The canceller is WebRTC's, in Rust; it finds the delay and the path by itself. What it returns is
//! only used where there is an echo, and for as long as there can be one: a caller on a line without,
//! or who speaks into our silence, is passed on untouched.

use std::collections::VecDeque;
use std::fmt;

use sonora::config::EchoCanceller as EchoSettings;
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::{AudioFrame, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ, level};

/// The canceller works on 10 ms.
const BLOCK: usize = FRAME_SAMPLES / 2;
/// Frames played that wait for the frame heard at the same time. Both come every 20 ms, and one may
/// be a little ahead.
const WAITING_MAX: usize = 8;
/// Our voice may come back this long after it was sent, ms: the network there and back, both jitter
/// buffers, and a room.
const ECHO_LASTS_MS: u32 = 800;
/// What is softer than this is not heard back, dBFS.
const AUDIBLE_DBFS: f32 = -60.0;
/// What the canceller leaves this far below our own voice is a rest of its echo: somebody who
/// interrupts is louder, dB.
const REST_BELOW_DB: f32 = 16.0;
/// What comes back this far below our own voice, or softer, is no echo to speak of, dB.
const ECHO_BELOW_DB: f32 = 35.0;
/// How fast the impression of the line follows: 3 s of our voice. A caller who interrupts does not
/// make a line without echo look like one with it.
const IMPRESSION: f32 = 1.0 / 150.0;
/// The first impression: an echo, until half a second without one.
const FIRST_IMPRESSION: f32 = 0.59;
/// Our voice is remembered for as long as a room rings: it fades by this much a frame, dB.
const RING_DB: f32 = 0.6;

/// The canceller of one call.
pub struct EchoCanceller {
    processing: AudioProcessing,
    played: VecDeque<AudioFrame>,
    /// Frames until no echo can come back any more.
    lasts: u32,
    /// How loud our voice may still be in the room, before any loss, dBFS.
    ringing: f32,
    /// Share of the frames with our voice in which something comes back, as of late.
    echoes: f32,
}

impl Default for EchoCanceller {
    fn default() -> Self {
        let line = StreamConfig::new(SAMPLE_RATE_HZ, 1);
        let config = Config { echo_canceller: Some(EchoSettings::default()), ..Config::default() };
        let builder = AudioProcessing::builder().config(config);
        let processing = builder.capture_config(line).render_config(line).build();
        Self {
            processing,
            played: VecDeque::new(),
            lasts: 0,
            ringing: AUDIBLE_DBFS,
            echoes: FIRST_IMPRESSION,
        }
    }
}

impl EchoCanceller {
    /// Takes a frame that is being played to the caller.
    pub fn played(&mut self, frame: &AudioFrame) {
        if self.played.len() >= WAITING_MAX {
            self.played.pop_front();
        }
        self.played.push_back(frame.clone());
    }

    /// Takes a frame that came from the caller and returns it without our voice.
    pub fn heard(&mut self, frame: AudioFrame) -> AudioFrame {
        let ours = self.played.pop_front().unwrap_or_else(AudioFrame::silence);
        let level = level::rms_dbfs(ours.samples());
        self.ringing = (self.ringing - RING_DB).max(level);
        if level > AUDIBLE_DBFS {
            self.lasts = ECHO_LASTS_MS / FRAME_MS;
        }
        if self.lasts == 0 {
            // Nothing of ours can come back: the canceller rests, and keeps what it has learnt.
            return frame;
        }
        self.lasts -= 1;
        // A frame that could not be processed is better heard with its echo than not at all.
        let Some(cleaned) = self.process(&ours, &frame) else { return frame };
        if !self.has_echo(level, &frame) {
            return frame;
        }
        let rest = level::rms_dbfs(cleaned.samples()) < self.ringing - REST_BELOW_DB;
        if rest { AudioFrame::silence() } else { cleaned }
    }

    /// Whether this is a line with an echo. On one without, the canceller would only take from the
    /// caller's voice when both speak.
    fn has_echo(&mut self, ours: f32, frame: &AudioFrame) -> bool {
        if ours > AUDIBLE_DBFS {
            let back = level::rms_dbfs(frame.samples()) > self.ringing - ECHO_BELOW_DB;
            self.echoes += IMPRESSION * (f32::from(u8::from(back)) - self.echoes);
        }
        self.echoes > 0.5
    }

    fn process(&mut self, ours: &AudioFrame, frame: &AudioFrame) -> Option<AudioFrame> {
        let mut cleaned = [0; FRAME_SAMPLES];
        let mut unused = [0; BLOCK];
        let blocks = ours.samples().chunks(BLOCK).zip(frame.samples().chunks(BLOCK));
        for ((far, near), clean) in blocks.zip(cleaned.chunks_mut(BLOCK)) {
            self.processing.process_render_i16(far, &mut unused).ok()?;
            self.processing.process_capture_i16(near, clean).ok()?;
        }
        Some(AudioFrame::from_samples(cleaned))
    }
}

impl fmt::Debug for EchoCanceller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EchoCanceller")
    }
}

//! From packets in any order to frames at a steady pace, for every kind of leg.

use std::collections::VecDeque;
use std::time::Duration;

use radline_audio::concealment::Concealment;
use radline_audio::jitter_buffer::{JitterBuffer, Packet, Playout};
use radline_audio::resample::TelephoneResampler;
use radline_audio::{AudioFrame, Codec, TELEPHONE_FRAME_SAMPLES, TELEPHONE_RATE_HZ};

/// Orders packets, conceals what is lost, and decodes.
pub(crate) struct Receiving {
    jitter: JitterBuffer,
    concealment: Concealment,
    resampler: TelephoneResampler,
    samples: VecDeque<i16>,
}

impl Default for Receiving {
    fn default() -> Self {
        Self {
            jitter: JitterBuffer::new(TELEPHONE_RATE_HZ),
            concealment: Concealment::default(),
            resampler: TelephoneResampler::default(),
            samples: VecDeque::new(),
        }
    }
}

impl Receiving {
    /// Takes a packet that came at `now`.
    pub(crate) fn push(&mut self, now: Duration, packet: Packet) {
        self.jitter.push(now, packet);
    }

    /// The frames to take now, called once every 20 ms: mostly one, none while the line stutters, two
    /// when it catches up.
    pub(crate) fn frames(&mut self, now: Duration, codec: Codec) -> Vec<AudioFrame> {
        let frames = if self.jitter.is_behind() { 2 } else { 1 };
        (0..frames).filter_map(|_| self.frame(now, codec)).collect()
    }

    fn frame(&mut self, now: Duration, codec: Codec) -> Option<AudioFrame> {
        while self.samples.len() < TELEPHONE_FRAME_SAMPLES {
            match self.jitter.pop(now) {
                Playout::Payload(payload) => {
                    let mut audio = codec.decode(&payload);
                    self.concealment.good(&mut audio);
                    self.samples.extend(audio);
                }
                Playout::Lost(samples) => {
                    self.samples.extend(self.concealment.conceal(samples as usize));
                }
                Playout::Waiting => return None,
                Playout::Silent => return Some(AudioFrame::silence()),
            }
        }
        let mut frame = [0; TELEPHONE_FRAME_SAMPLES];
        for (place, sample) in frame.iter_mut().zip(self.samples.drain(..TELEPHONE_FRAME_SAMPLES)) {
            *place = sample;
        }
        Some(self.resampler.to_frame(&frame))
    }
}

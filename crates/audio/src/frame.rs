//! The currency between the steps of a call: 20 ms of 16 kHz mono audio, and small marks on it.

use std::fmt;

use crate::FRAME_SAMPLES;

/// 20 ms of audio: 320 samples, 16 kHz, mono, signed 16 bit.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioFrame {
    samples: Box<[i16; FRAME_SAMPLES]>,
}

impl AudioFrame {
    /// A frame of digital silence.
    pub fn silence() -> Self {
        Self { samples: Box::new([0; FRAME_SAMPLES]) }
    }

    /// A frame from exactly [`FRAME_SAMPLES`] samples.
    pub fn from_samples(samples: [i16; FRAME_SAMPLES]) -> Self {
        Self { samples: Box::new(samples) }
    }

    /// Cuts audio of any length into frames; the last one is filled up with silence.
    pub fn split(audio: &[i16]) -> Vec<Self> {
        audio
            .chunks(FRAME_SAMPLES)
            .map(|chunk| {
                let mut frame = Self::silence();
                frame.samples[..chunk.len()].copy_from_slice(chunk);
                frame
            })
            .collect()
    }

    /// Two voices at once; nothing where there is neither. Peaks that do not fit are cut.
    pub fn mixed(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (mut one, other) = match (one, other) {
            (Some(one), Some(other)) => (one, other),
            (one, other) => return one.or(other),
        };
        for (sample, added) in one.samples.iter_mut().zip(other.samples.iter()) {
            *sample = sample.saturating_add(*added);
        }
        Some(one)
    }

    /// The samples.
    pub fn samples(&self) -> &[i16; FRAME_SAMPLES] {
        &self.samples
    }

    /// Multiplies the frame by a gain that moves linearly from `from` to `to`, so that a cut
    /// does not click.
    pub fn fade(&mut self, from: f32, to: f32) {
        for (index, sample) in self.samples.iter_mut().enumerate() {
            let position = index as f32 / FRAME_SAMPLES as f32;
            *sample = (f32::from(*sample) * (to - from).mul_add(position, from)) as i16;
        }
    }
}

impl fmt::Debug for AudioFrame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A voice is health data: the samples stay out of any log.
        formatter.write_str("AudioFrame")
    }
}

/// How likely it is that a frame contains speech, 0.0 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct SpeechProbability(f32);

impl SpeechProbability {
    /// Certainly no speech.
    pub const NONE: Self = Self(0.0);

    /// Clamps to the range 0.0 to 1.0; not-a-number becomes 0.
    pub fn new(probability: f32) -> Self {
        Self(if probability.is_nan() { 0.0 } else { probability.clamp(0.0, 1.0) })
    }

    /// The value.
    pub const fn value(self) -> f32 {
        self.0
    }
}

/// A key of the telephone keypad.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DtmfDigit(char);

impl DtmfDigit {
    /// From an RFC 4733 event code: 0–9 digits, 10 star, 11 hash, 12–15 A to D.
    pub fn from_event(code: u8) -> Option<Self> {
        const KEYS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
        KEYS.get(usize::from(code)).copied().map(Self)
    }

    /// From its character.
    pub fn from_char(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        "0123456789*#ABCD".contains(key).then_some(Self(key))
    }

    /// The character on the key.
    pub const fn key(self) -> char {
        self.0
    }
}

impl fmt::Debug for DtmfDigit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Callers key in dates of birth and numbers, so a digit is masked like any other answer.
        formatter.write_str("DtmfDigit")
    }
}

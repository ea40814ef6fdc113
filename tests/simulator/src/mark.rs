//! Audio that says what it is: a frame carries which sound it belongs to and which part of it, so
//! that a fake recogniser hears exactly the frames that reached it, and a fake caller exactly those
//! that the agent played. A fade lowers the peaks and leaves them where they are.

use radline_audio::{AudioFrame, FRAME_SAMPLES};

/// Who makes the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The caller's voice.
    Caller,
    /// A voice elsewhere in the room.
    Background,
    /// A cough, a door.
    Noise,
    /// The agent's voice.
    Agent,
}

/// One frame of a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Who makes it.
    pub source: Source,
    /// Which of their sounds, below [`PIECES_MAX`].
    pub piece: u16,
    /// Which frame of it, below [`PIECES_MAX`].
    pub frame: u16,
}

/// Samples of one of the five zones of a frame; a peak's place in it is a digit.
const ZONE: usize = FRAME_SAMPLES / 5;
/// Two digits make a number.
pub const PIECES_MAX: u16 = (ZONE * ZONE) as u16;
/// Peaks of a voice on the line, about −35 dBFS as a mean.
const LOUD: i16 = 9000;
/// Peaks of a voice elsewhere in the room, 20 dB lower.
const FAINT: i16 = 900;
/// Lower than this nothing is there.
const THRESHOLD: i16 = 100;

impl Mark {
    /// The frame with this mark.
    pub fn to_frame(self) -> AudioFrame {
        let mut samples = [0; FRAME_SAMPLES];
        let level = if self.source == Source::Background { FAINT } else { LOUD };
        let (piece, frame) = (usize::from(self.piece), usize::from(self.frame));
        let digits = [self.source as usize, piece / ZONE, piece % ZONE, frame / ZONE, frame % ZONE];
        for (zone, digit) in digits.into_iter().enumerate() {
            samples[zone * ZONE + digit % ZONE] = level;
        }
        AudioFrame::from_samples(samples)
    }

    /// The mark in a frame; none in silence.
    pub fn of(samples: &[i16]) -> Option<Self> {
        let mut digits = samples.chunks(ZONE).map(|zone| {
            let peak = zone.iter().enumerate().max_by_key(|(_, sample)| **sample)?;
            (*peak.1 >= THRESHOLD).then_some(peak.0)
        });
        let mut digit = || digits.next().flatten();
        let source = match digit()? {
            0 => Source::Caller,
            1 => Source::Background,
            2 => Source::Noise,
            3 => Source::Agent,
            _ => return None,
        };
        let piece = digit()? * ZONE + digit()?;
        let frame = digit()? * ZONE + digit()?;
        Some(Self { source, piece: piece as u16, frame: frame as u16 })
    }

    /// The mark as an RTP payload.
    pub fn to_payload(mark: Option<Self>) -> Vec<u8> {
        let Some(mark) = mark else { return Vec::new() };
        let (piece, frame) = (mark.piece.to_be_bytes(), mark.frame.to_be_bytes());
        vec![mark.source as u8, piece[0], piece[1], frame[0], frame[1]]
    }

    /// The mark of a payload.
    pub fn of_payload(payload: &[u8]) -> Option<Self> {
        let [source, rest @ ..] = payload else { return None };
        let source = match source {
            0 => Source::Caller,
            1 => Source::Background,
            2 => Source::Noise,
            _ => Source::Agent,
        };
        let [a, b, c, d] = rest else { return None };
        let (piece, frame) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        Some(Self { source, piece, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_its_frame_and_a_fade() {
        for source in [Source::Caller, Source::Background, Source::Noise, Source::Agent] {
            let mark = Mark { source, piece: 777, frame: 4000 };
            let mut frame = mark.to_frame();
            frame.fade(1.0, 0.35);
            assert_eq!(Mark::of(frame.samples()), Some(mark));
            assert_eq!(Mark::of_payload(&Mark::to_payload(Some(mark))), Some(mark));
        }
        assert_eq!(Mark::of(AudioFrame::silence().samples()), None);
    }
}

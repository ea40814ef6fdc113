//! Loss concealment: fills a gap by repeating the last pitch period, fading out.
//!
//! The idea is that of ITU-T G.711 Appendix I, in its simplest form. Whisper copes with a short
//! repetition far better than with a hole, which it hears as a stop consonant.

use crate::{TELEPHONE_FRAME_SAMPLES, TELEPHONE_RATE_HZ};

/// Lowest pitch that is searched, Hz; sets the longest period.
const PITCH_MIN_HZ: usize = 66;
/// Highest pitch that is searched, Hz; sets the shortest period.
const PITCH_MAX_HZ: usize = 200;
const PERIOD_MAX: usize = TELEPHONE_RATE_HZ as usize / PITCH_MIN_HZ;
const PERIOD_MIN: usize = TELEPHONE_RATE_HZ as usize / PITCH_MAX_HZ;
/// Audio kept to find a period in: two of the longest.
const HISTORY: usize = 2 * PERIOD_MAX + TELEPHONE_FRAME_SAMPLES;
/// After this many lost frames in a row (60 ms) the output is silence, as in Appendix I.
const FRAMES_MAX: u32 = 3;
/// Samples over which real audio is blended in again after a gap, 5 ms.
const BLEND: usize = TELEPHONE_RATE_HZ as usize / 200;

/// Remembers the last good 8 kHz audio and invents what is missing.
#[derive(Debug)]
pub struct Concealment {
    history: Vec<i16>,
    /// Lost frames since the last good one.
    lost: u32,
    /// Period found when the gap began, samples.
    period: usize,
    /// Where in the period the next invented sample comes from.
    phase: usize,
}

impl Default for Concealment {
    fn default() -> Self {
        Self { history: vec![0; HISTORY], lost: 0, period: PERIOD_MAX, phase: 0 }
    }
}

impl Concealment {
    /// Takes good audio; after a gap its first 5 ms are blended with the invention.
    pub fn good(&mut self, audio: &mut [i16]) {
        if self.lost > 0 {
            let mut tail = [0_i16; BLEND];
            self.repeat(&mut tail);
            for (index, (sample, invented)) in audio.iter_mut().zip(tail).enumerate() {
                let weight = index as f32 / BLEND as f32;
                *sample =
                    f32::from(*sample).mul_add(weight, f32::from(invented) * (1.0 - weight)) as i16;
            }
            self.lost = 0;
        }
        self.remember(audio);
    }

    /// Invents `length` samples for audio that did not arrive.
    pub fn conceal(&mut self, length: usize) -> Vec<i16> {
        if self.lost == 0 {
            self.period = self.find_period();
            self.phase = 0;
        }
        let mut audio = vec![0; length];
        if self.lost < FRAMES_MAX {
            self.repeat(&mut audio);
        }
        self.lost += 1;
        audio
    }

    fn repeat(&mut self, out: &mut [i16]) {
        let start = self.history.len() - self.period;
        let gain_from = 1.0 - self.lost as f32 / FRAMES_MAX as f32;
        let slope = 1.0 / (FRAMES_MAX as f32 * TELEPHONE_FRAME_SAMPLES as f32);
        for (index, sample) in out.iter_mut().enumerate() {
            let gain = (gain_from - slope * index as f32).max(0.0);
            *sample = (f32::from(self.history[start + self.phase]) * gain) as i16;
            self.phase = (self.phase + 1) % self.period;
        }
    }

    fn remember(&mut self, audio: &[i16]) {
        self.history.extend_from_slice(audio);
        let surplus = self.history.len() - HISTORY;
        self.history.drain(..surplus);
    }

    /// The lag with the highest normalised correlation between the last period and the one
    /// before it.
    fn find_period(&self) -> usize {
        let end = self.history.len();
        let correlation = |lag: usize| -> f32 {
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for offset in 1..=PERIOD_MAX {
                let now = f32::from(self.history[end - offset]);
                let before = f32::from(self.history[end - offset - lag]);
                product += now * before;
                energy += before * before;
            }
            product / energy.sqrt()
        };
        (PERIOD_MIN..=PERIOD_MAX)
            .map(|lag| (lag, correlation(lag)))
            .max_by(|left, right| left.1.total_cmp(&right.1))
            .map_or(PERIOD_MAX, |(lag, _)| lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(samples: usize, offset: usize) -> Vec<i16> {
        (offset..offset + samples)
            .map(|n| ((n as f32 * 100.0 * std::f32::consts::TAU / 8000.0).sin() * 8000.0) as i16)
            .collect()
    }

    #[test]
    fn a_lost_frame_of_a_tone_continues_the_tone() {
        let mut concealment = Concealment::default();
        concealment.good(&mut tone(800, 0));
        let invented = concealment.conceal(160);
        let truth = tone(160, 800);
        let error: f32 =
            invented.iter().zip(&truth).map(|(a, b)| f32::from(a - b).abs()).sum::<f32>() / 160.0;
        assert!(error < 1500.0, "mean error {error}");
    }

    #[test]
    fn a_long_gap_falls_silent() {
        let mut concealment = Concealment::default();
        concealment.good(&mut tone(800, 0));
        for _ in 0..FRAMES_MAX {
            concealment.conceal(160);
        }
        assert!(concealment.conceal(160).iter().all(|&sample| sample == 0));
    }
}

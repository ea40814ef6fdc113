//! Tones, and whether one is heard: what two ends of a conversation recognise each other by.

use std::f64::consts::TAU;

/// A tone at about −12 dBFS.
pub fn tone(frequency: f64, seconds: f64, rate: u32) -> Vec<i16> {
    let samples = (seconds * f64::from(rate)) as usize;
    let sample =
        |place: usize| (8000.0 * (TAU * frequency * place as f64 / f64::from(rate)).sin()) as i16;
    (0..samples).map(sample).collect()
}

/// Share of the power of the audio that lies at the frequency (Goertzel), 0 to 1.
pub fn share(audio: &[i16], frequency: f64, rate: u32) -> f64 {
    let coefficient = 2.0 * (TAU * frequency / f64::from(rate)).cos();
    let (mut one, mut two, mut power) = (0.0, 0.0, 0.0);
    for sample in audio {
        let sample = f64::from(*sample);
        power += sample * sample;
        (one, two) = (coefficient.mul_add(one, sample - two), one);
    }
    if power == 0.0 {
        return 0.0;
    }
    let at = (coefficient * one).mul_add(-two, one.mul_add(one, two * two));
    at / (power * audio.len() as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_told_from_another() {
        let audio = tone(440.0, 0.5, 8000);
        assert!(share(&audio, 440.0, 8000) > 0.95);
        assert!(share(&audio, 1000.0, 8000) < 0.01);
        assert!(share(&[0; 400], 440.0, 8000) < 0.01);
    }
}

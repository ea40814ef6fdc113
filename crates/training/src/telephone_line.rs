//! A recording as it comes out of a telephone line: noise where it was made, 8 kHz and eight bits on the
//! way, packets that do not arrive.

use radline_audio::concealment::Concealment;
use radline_audio::resample::{self, ResampleError};
use radline_audio::{Codec, SAMPLE_RATE_HZ, TELEPHONE_FRAME_SAMPLES, TELEPHONE_RATE_HZ};
use rand::Rng;
use rand::rngs::StdRng;

/// A line.
#[derive(Debug, Clone, Default)]
pub struct Line<'a> {
    /// What is heard behind the caller, 16 kHz mono, and how much quieter than speech it is, dB.
    pub noise: Option<(&'a [i16], f32)>,
    /// Packets that are lost, a share.
    pub lost: f64,
    /// The companding of Europe, and not that of North America and Japan.
    pub a_law: bool,
}

impl Line<'_> {
    /// The recording at the other end, 16 kHz mono both. Losses and the place in the noise are drawn.
    ///
    /// # Errors
    /// The rate cannot be changed.
    pub fn carry(&self, audio: &[i16], random: &mut StdRng) -> Result<Vec<i16>, ResampleError> {
        let mut said = resample::to_float(audio);
        if let Some((noise, below)) = self.noise {
            mix(&mut said, &resample::to_float(noise), below, random);
        }
        let narrow = resample::convert(&said, SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ)?;
        let codec = if self.a_law { Codec::Pcma } else { Codec::Pcmu };
        let mut concealment = Concealment::default();
        let mut heard = Vec::with_capacity(narrow.len());
        for packet in resample::to_pcm(&narrow).chunks(TELEPHONE_FRAME_SAMPLES) {
            if random.random_bool(self.lost.clamp(0.0, 1.0)) {
                heard.extend(concealment.conceal(packet.len()));
                continue;
            }
            let mut frame = codec.decode(&codec.encode(packet));
            concealment.good(&mut frame);
            heard.extend(frame);
        }
        let wide =
            resample::convert(&resample::to_float(&heard), TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ)?;
        Ok(resample::to_pcm(&wide))
    }
}

/// Adds noise from a random place on, repeated if it is short, so much quieter than the speech.
fn mix(said: &mut [f32], noise: &[f32], below: f32, random: &mut StdRng) {
    let power = |audio: &[f32]| {
        audio.iter().map(|sample| sample * sample).sum::<f32>() / audio.len().max(1) as f32
    };
    let (speech, sound) = (power(said), power(noise));
    if sound <= 0.0 {
        return;
    }
    let gain = (speech / sound / 10.0_f32.powf(below / 10.0)).sqrt();
    let from = random.random_range(0..noise.len());
    for (sample, noise) in said.iter_mut().zip(noise.iter().cycle().skip(from)) {
        *sample = gain.mul_add(*noise, *sample).clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn tone(seconds: usize) -> Vec<i16> {
        let rate = SAMPLE_RATE_HZ as usize;
        let sample = |at: usize| (at as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin();
        (0..rate * seconds).map(|at| (sample(at) * 8000.0) as i16).collect()
    }

    fn power(audio: &[i16]) -> f64 {
        audio.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / audio.len() as f64
    }

    #[test]
    fn a_good_line_keeps_the_voice_and_a_bad_one_adds_noise_and_holes() {
        let mut random = StdRng::seed_from_u64(1);
        let said = tone(2);
        let heard = Line::default().carry(&said, &mut random).expect("carried");
        assert!((heard.len() as i64 - said.len() as i64).abs() < 400);
        assert!((power(&heard) / power(&said) - 1.0).abs() < 0.1);
        // As loud as the voice, so that twice the power arrives.
        let noise: Vec<i16> = (0..9000).map(|_| random.random_range(-9000..9000)).collect();
        let loud = Line { noise: Some((&noise, 0.0)), ..Line::default() };
        let noisy = loud.carry(&said, &mut random).expect("carried");
        // Half of the noise is above what a telephone carries.
        assert!((1.3..1.8).contains(&(power(&noisy) / power(&said))), "{}", power(&noisy));
        let dead = Line { lost: 1.0, ..Line::default() };
        assert!(power(&dead.carry(&said, &mut random).expect("carried")) < 0.1 * power(&said));
        assert_eq!(
            Line { a_law: true, lost: 0.1, ..Line::default() }
                .carry(&said, &mut StdRng::seed_from_u64(5))
                .expect("carried"),
            Line { a_law: true, lost: 0.1, ..Line::default() }
                .carry(&said, &mut StdRng::seed_from_u64(5))
                .expect("carried")
        );
    }
}

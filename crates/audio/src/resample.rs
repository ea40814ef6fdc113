//! Sample-rate conversion: streaming between the telephone's 8 kHz and our 16 kHz, and one-shot
//! for synthesised speech. The filter is rubato's synchronous FFT resampler.

use rubato::{FftFixedInOut, Resampler};

use crate::{
    AudioFrame, FRAME_SAMPLES, SAMPLE_RATE_HZ, TELEPHONE_FRAME_SAMPLES, TELEPHONE_RATE_HZ,
};

/// Conversion between two rates was not possible.
#[derive(Debug, thiserror::Error)]
pub enum ResampleError {
    /// A rate is zero or the ratio is beyond what the filter can be built for.
    #[error("cannot convert from {from_hz} Hz to {to_hz} Hz")]
    Rate {
        /// Rate of the input.
        from_hz: u32,
        /// Rate that was asked for.
        to_hz: u32,
    },
}

/// Turns 20 ms of telephone audio into 20 ms of ours, and back. Delays by 10 ms each way.
pub struct TelephoneResampler {
    up: FftFixedInOut<f32>,
    down: FftFixedInOut<f32>,
}

impl Default for TelephoneResampler {
    fn default() -> Self {
        let fixed = |from: u32, to: u32, chunk: usize| {
            FftFixedInOut::new(from as usize, to as usize, chunk, 1)
                .expect("both rates and the chunk are constants that divide evenly")
        };
        Self {
            up: fixed(TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ, TELEPHONE_FRAME_SAMPLES),
            down: fixed(SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ, FRAME_SAMPLES),
        }
    }
}

impl TelephoneResampler {
    /// 160 samples at 8 kHz to one frame at 16 kHz.
    pub fn to_frame(&mut self, telephone: &[i16; TELEPHONE_FRAME_SAMPLES]) -> AudioFrame {
        let input = to_float(telephone);
        let mut output = [0.0_f32; FRAME_SAMPLES];
        self.up
            .process_into_buffer(&[&input[..]], &mut [&mut output[..]], None)
            .expect("160 samples make 320 at a ratio of two");
        let mut samples = [0_i16; FRAME_SAMPLES];
        to_integer(&output, &mut samples);
        AudioFrame::from_samples(samples)
    }

    /// One frame at 16 kHz to 160 samples at 8 kHz.
    pub fn to_telephone(&mut self, frame: &AudioFrame) -> [i16; TELEPHONE_FRAME_SAMPLES] {
        let input = to_float(frame.samples());
        let mut output = [0.0_f32; TELEPHONE_FRAME_SAMPLES];
        self.down
            .process_into_buffer(&[&input[..]], &mut [&mut output[..]], None)
            .expect("320 samples make 160 at a ratio of a half");
        let mut samples = [0_i16; TELEPHONE_FRAME_SAMPLES];
        to_integer(&output, &mut samples);
        samples
    }
}

/// Converts a whole piece of audio and keeps its length: nothing is cut at the end, and the
/// filter's delay is taken off the front.
pub fn convert(audio: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, ResampleError> {
    if from_hz == to_hz || audio.is_empty() {
        return Ok(audio.to_vec());
    }
    let mut resampler = FftFixedInOut::<f32>::new(from_hz as usize, to_hz as usize, 1024, 1)
        .map_err(|_| ResampleError::Rate { from_hz, to_hz })?;
    let (chunk, delay) = (resampler.input_frames_next(), resampler.output_delay());
    let wanted = (audio.len() * to_hz as usize).div_ceil(from_hz as usize);
    let mut piece = vec![0.0; resampler.output_frames_max()];
    let mut padded = vec![0.0; chunk];
    let mut output = Vec::with_capacity(wanted + delay + piece.len());
    let mut position = 0;
    while output.len() < wanted + delay {
        let length = chunk.min(audio.len().saturating_sub(position));
        padded[..length].copy_from_slice(&audio[position..position + length]);
        padded[length..].fill(0.0);
        position += length;
        let (_, made) = resampler
            .process_into_buffer(&[&padded[..]], &mut [&mut piece[..]], None)
            .map_err(|_| ResampleError::Rate { from_hz, to_hz })?;
        output.extend_from_slice(&piece[..made]);
    }
    Ok(output[delay..delay + wanted].to_vec())
}

/// Signed 16-bit samples from floating point in the range −1 to 1; louder ones are clipped.
pub fn to_pcm(audio: &[f32]) -> Vec<i16> {
    let mut samples = vec![0; audio.len()];
    to_integer(audio, &mut samples);
    samples
}

/// Floating-point samples in the range −1 to 1, as the models want them.
pub fn to_float(audio: &[i16]) -> Vec<f32> {
    audio.iter().map(|&sample| f32::from(sample) / 32_768.0).collect()
}

fn to_integer(audio: &[f32], samples: &mut [i16]) {
    for (sample, value) in samples.iter_mut().zip(audio) {
        *sample = (value * 32_767.0).clamp(-32_768.0, 32_767.0) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::rms_dbfs;

    fn tone(hz: f32, rate: f32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.5 * (n as f32 * hz * std::f32::consts::TAU / rate).sin()).collect()
    }

    #[test]
    fn one_shot_conversion_keeps_length_and_level() {
        let voice = tone(440.0, 22_050.0, 22_050);
        let converted = convert(&voice, 22_050, 16_000).expect("a usual ratio");
        assert_eq!(converted.len(), 16_000);
        let (before, after) = (rms_dbfs(&to_pcm(&voice)), rms_dbfs(&to_pcm(&converted)));
        assert!((before - after).abs() < 0.2, "{before} dB became {after} dB");
    }

    #[test]
    fn telephone_round_trip_keeps_a_tone() {
        let mut resampler = TelephoneResampler::default();
        let mut last = [0_i16; TELEPHONE_FRAME_SAMPLES];
        for chunk in to_pcm(&tone(1000.0, 8000.0, 8000)).as_chunks().0 {
            let frame = resampler.to_frame(chunk);
            last = resampler.to_telephone(&frame);
        }
        assert!((rms_dbfs(&last) - rms_dbfs(&to_pcm(&tone(1000.0, 8000.0, 160)))).abs() < 0.3);
    }
}

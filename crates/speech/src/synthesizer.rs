//! Text to speech: a Piper voice, clause by clause.

use std::path::{Path, PathBuf};

use piper_rs::{ModelConfig, Piper};
use radline_audio::{SAMPLE_RATE_HZ, level, resample};

use crate::{SpeechError, onnx, phonemes};

/// Speaks text.
pub trait Synthesizer: Send {
    /// 16 kHz mono audio of one sentence or clause, trimmed of leading and trailing silence.
    fn synthesize(&mut self, text: &str) -> Result<Vec<i16>, SpeechError>;
}

/// Peak of a synthesised clause, dBFS: loud enough for a telephone, clear of clipping.
const PEAK_DBFS: f32 = -3.0;
/// Audio quieter than this at the ends of a clause is silence, relative to full scale.
const SILENCE: f32 = 0.008;
/// Silence kept at each end, samples (20 ms), so that soft consonants survive.
const MARGIN: usize = SAMPLE_RATE_HZ as usize / 50;

/// A Piper voice with its espeak-ng phonemes.
pub struct PiperVoice {
    piper: Piper,
    /// What espeak-ng calls the language that the voice was trained on.
    language: String,
    /// Longer is slower; 1.0 is the voice's own pace.
    length_scale: f32,
}

impl PiperVoice {
    /// Loads `NAME.onnx` and, beside it, `NAME.onnx.json`. [`onnx::load`] comes first.
    pub fn load(model: &Path, threads: usize, length_scale: f32) -> Result<Self, SpeechError> {
        let configuration = configuration_path(model);
        let text = std::fs::read_to_string(&configuration)
            .map_err(|error| SpeechError::file(&configuration, error))?;
        let configuration: ModelConfig = serde_json::from_str(&text)
            .map_err(|error| SpeechError::file(&configuration, error))?;
        let session = onnx::session(model, threads)?;
        let language = configuration.espeak.voice.clone();
        let piper = Piper::from_session(session, configuration);
        Ok(Self { piper, language, length_scale })
    }
}

fn configuration_path(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

impl Synthesizer for PiperVoice {
    fn synthesize(&mut self, text: &str) -> Result<Vec<i16>, SpeechError> {
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(Vec::new());
        }
        let phonemes = phonemes::of(text, &self.language)?;
        let (audio, rate) = self
            .piper
            .create(&phonemes, true, None, Some(self.length_scale), None, None)
            .map_err(|error| SpeechError::inference("synthesis", error))?;
        let mut audio = resample::convert(&audio, rate, SAMPLE_RATE_HZ)
            .map_err(|error| SpeechError::inference("synthesis", error))?;
        level::normalise_peak(&mut audio, PEAK_DBFS);
        Ok(resample::to_pcm(trim(&audio)))
    }
}

/// Takes off the silence at both ends: 150 to 250 ms that a caller would wait for nothing.
fn trim(audio: &[f32]) -> &[f32] {
    let loud = |sample: &f32| sample.abs() > SILENCE;
    let Some(first) = audio.iter().position(loud) else { return &[] };
    let last = audio.iter().rposition(loud).unwrap_or(first);
    &audio[first.saturating_sub(MARGIN)..(last + MARGIN).min(audio.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_at_the_ends_goes_and_a_margin_stays() {
        let mut audio = vec![0.0; 4000];
        audio.extend(vec![0.5; 1000]);
        audio.extend(vec![0.0; 4000]);
        assert_eq!(trim(&audio).len(), 1000 + 2 * MARGIN - 1);
        assert!(trim(&[0.0; 100]).is_empty());
    }
}

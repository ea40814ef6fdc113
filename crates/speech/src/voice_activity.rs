//! Is somebody speaking? Silero's model, 32 ms at a time, asked with every 20 ms frame.

use std::path::Path;

use ort::session::Session;
use ort::value::{Tensor, TensorRef};
use radline_audio::level::rms_dbfs;
use radline_audio::{AudioFrame, SAMPLE_RATE_HZ, SpeechProbability};

use crate::{SpeechError, onnx};

/// Judges frames of one call in order.
pub trait VoiceActivity: Send {
    /// How likely the audio up to and including this frame ends in speech.
    fn probability(&mut self, frame: &AudioFrame) -> Result<SpeechProbability, SpeechError>;
    /// Forgets the call, so that the next one starts afresh.
    fn reset(&mut self);
}

/// New samples per run of the model (32 ms at 16 kHz), as it was trained.
const WINDOW: usize = 512;
/// Samples of the window before that the model wants in front.
const CONTEXT: usize = 64;
const STATE: usize = 2 * 128;
/// Below this level nothing on a telephone line is speech, dBFS. The model is not asked, which
/// keeps a silent call cheap.
const SILENCE_DBFS: f32 = -65.0;

/// Silero VAD v5 or v6.
pub struct SileroVoiceActivity {
    session: Session,
    state: Vec<f32>,
    /// The context and then the samples that wait for a full window.
    buffer: Vec<f32>,
    last: SpeechProbability,
}

impl SileroVoiceActivity {
    /// Loads the model. [`onnx::load`] comes first.
    pub fn load(model: &Path) -> Result<Self, SpeechError> {
        let session = onnx::session(model, 1)?;
        Ok(Self {
            session,
            state: vec![0.0; STATE],
            buffer: vec![0.0; CONTEXT],
            last: SpeechProbability::NONE,
        })
    }

    fn run(&mut self) -> ort::Result<f32> {
        let window = &self.buffer[..CONTEXT + WINDOW];
        let outputs = self.session.run(ort::inputs![
            "input" => TensorRef::from_array_view(([1_usize, window.len()], window))?,
            "state" => TensorRef::from_array_view(([2_usize, 1, 128], &self.state[..]))?,
            "sr" => Tensor::from_array(((), vec![i64::from(SAMPLE_RATE_HZ)]))?,
        ])?;
        let probability = outputs["output"].try_extract_tensor::<f32>()?.1[0];
        let state = outputs["stateN"].try_extract_tensor::<f32>()?.1.to_vec();
        drop(outputs);
        self.state = state;
        Ok(probability)
    }
}

impl VoiceActivity for SileroVoiceActivity {
    fn probability(&mut self, frame: &AudioFrame) -> Result<SpeechProbability, SpeechError> {
        self.buffer.extend(frame.samples().iter().map(|&sample| f32::from(sample) / 32_768.0));
        while self.buffer.len() >= CONTEXT + WINDOW {
            let quiet = rms_dbfs(frame.samples()) < SILENCE_DBFS;
            self.last = if quiet && self.last.value() < 0.1 {
                SpeechProbability::NONE
            } else {
                SpeechProbability::new(
                    self.run().map_err(|error| SpeechError::inference("voice activity", error))?,
                )
            };
            self.buffer.drain(..WINDOW);
        }
        Ok(self.last)
    }

    fn reset(&mut self) {
        self.state.fill(0.0);
        self.buffer.clear();
        self.buffer.resize(CONTEXT, 0.0);
        self.last = SpeechProbability::NONE;
    }
}

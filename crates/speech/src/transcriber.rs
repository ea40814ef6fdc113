//! Speech to text: Whisper through whisper.cpp, with the encoder fitted to the utterance.

use std::collections::HashMap;
use std::path::Path;

use radline_audio::{SAMPLE_RATE_HZ, level, resample};
use radline_phi::Phi;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
};

use crate::constrained::{Free, Reading};
use crate::dates::Dates;
use crate::identity::Identity;
use crate::{SpeechError, repetition};

/// What was said, with how sure the recogniser is.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// The words.
    pub text: Phi<String>,
    /// Mean probability of the tokens, 0.0 to 1.0 (geometric); 0 when nothing was recognised.
    pub confidence: f32,
}

/// Turns utterances into text, one at a time.
pub trait Transcriber: Send {
    /// Transcribes 16 kHz mono audio of at most [`UTTERANCE_MAX_SECONDS`]; what is longer is cut
    /// at the front, because the end is what the turn waits for.
    fn transcribe(&mut self, audio: &[i16], asked: Asked<'_>) -> Result<Transcript, SpeechError>;
    /// What this site's callers may say, from here on.
    fn expect(&mut self, vocabulary: &Vocabulary);
}

/// What was asked for, as far as it shapes the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Anything, with words of the kind that is expected, if there are any.
    Anything(Option<&'a str>),
    /// A name, a number or a code: what is spelled or said digit by digit.
    Identity,
    /// A date of birth.
    Date,
}

/// Words that a site's callers are expected to say when they identify themselves.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Names on the worklist.
    pub names: Vec<Phi<String>>,
    /// Words that come with numbers and spellings.
    pub words: Vec<String>,
}

/// Hints whose parameters are kept: one for each shape of answer, and room to spare.
const HINTS_MAX: usize = 64;
/// Whisper's window.
pub const UTTERANCE_MAX_SECONDS: usize = 30;
/// Silence put behind an utterance: Whisper drops a last word that ends with the audio.
const PADDING_SECONDS_X10: usize = 3;
/// Encoder positions, 20 ms each, beyond the utterance itself.
const AUDIO_CONTEXT_MARGIN: usize = 64;
/// Fewest encoder positions. Below it tiny.en repeats a short answer until it runs out of tokens
/// ("Yes? Yes? Yes?"): of 15 short answers 9 did at 64 positions, 4 at 256, none at 384.
const AUDIO_CONTEXT_MIN: usize = 384;
/// The same where letters and digits matter: of the 117 utterances of the AN4 test set over µ-law
/// 100 were exact with 384 positions, 104 with 640, and 101 or 102 with more.
const AUDIO_CONTEXT_IDENTITY: usize = 640;
const AUDIO_CONTEXT_MAX: usize = 1_500;
/// Longer numbers than a telephone number are not read a second time, digits.
const LONG_NUMBER: usize = 11;
/// What is so far below the loudest sound is no longer speech, dB.
const FADED_DB: f32 = 30.0;
/// Levels are taken of pieces of 20 ms.
const LEVEL_SAMPLES: usize = 320;
/// The shortest audio given to whisper.cpp, which reads past the end of less than 201 samples.
const SAMPLES_MIN: usize = SAMPLE_RATE_HZ as usize;

/// Whisper on the CPU (or a GPU, with the `cuda` feature of whisper-rs).
pub struct WhisperTranscriber {
    state: WhisperState,
    /// Made once and cloned: whisper-rs leaks the strings of its setters.
    parameters: FullParams<'static, 'static>,
    /// The same with a hint, by hint; at most [`HINTS_MAX`].
    hinted: HashMap<String, FullParams<'static, 'static>>,
    end_of_text: i32,
    context: WhisperContext,
    identity: Identity,
    dates: Dates,
    threads: usize,
}

impl WhisperTranscriber {
    /// Loads ggml weights. `threads` should leave a core to the calls.
    pub fn load(weights: &Path, threads: usize) -> Result<Self, SpeechError> {
        whisper_rs::install_logging_hooks();
        if !weights.is_file() {
            return Err(SpeechError::file(weights, "the file is missing"));
        }
        let mut options = WhisperContextParameters::default();
        // With flash attention whisper.cpp leaves keys of a longer utterance in the padding of
        // a shorter one, so what one caller said could colour the next.
        options.flash_attn(false);
        let context = WhisperContext::new_with_params(weights, options)
            .map_err(|error| SpeechError::file(weights, error))?;
        let state = context.create_state().map_err(|error| SpeechError::file(weights, error))?;
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        parameters.set_language(Some("en"));
        parameters.set_n_threads(i32::try_from(threads).unwrap_or(1));
        parameters.set_single_segment(true);
        parameters.set_no_context(true);
        parameters.set_no_timestamps(false);
        parameters.set_suppress_blank(true);
        parameters.set_suppress_nst(true);
        parameters.set_temperature(0.0);
        parameters.set_temperature_inc(0.0);
        // whisper.cpp 1.8.3 computes the no-speech probability from an unwritten row.
        parameters.set_no_speech_thold(1.0);
        parameters.set_print_special(false);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        let identity = Identity::new(&context, &Vocabulary::default());
        let dates = Dates::new(&context);
        let (hinted, end_of_text) = (HashMap::new(), context.token_eot());
        Ok(Self { state, parameters, hinted, end_of_text, context, identity, dates, threads })
    }

    fn parameters_for(&mut self, hint: Option<&str>) -> FullParams<'static, 'static> {
        let Some(hint) = hint else { return self.parameters.clone() };
        if let Some(parameters) = self.hinted.get(hint) {
            return parameters.clone();
        }
        let mut parameters = self.parameters.clone();
        parameters.set_initial_prompt(hint);
        if self.hinted.len() < HINTS_MAX {
            self.hinted.insert(hint.to_owned(), parameters.clone());
        }
        parameters
    }

    /// A second reading of what was heard last, by what was asked. Nothing when the free one is to
    /// be believed.
    fn read_again(
        &mut self,
        asked: Asked<'_>,
        free: Free<'_>,
    ) -> Result<Option<Reading>, SpeechError> {
        let (state, threads) = (&mut self.state, self.threads);
        if asked == Asked::Date {
            let date = self.dates.read(state, threads, free)?;
            // Words that hold no number are no date in another form either.
            if date.is_some() || !free.text.contains(|c: char| c.is_ascii_digit()) {
                return Ok(date);
            }
        }
        self.identity.read(state, threads, free)
    }

    fn written(&self, reading: &Reading) -> Transcript {
        let mut bytes = Vec::new();
        for token in &reading.tokens {
            bytes.extend_from_slice(self.context.token_to_bytes(*token).unwrap_or_default());
        }
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        Transcript { text: Phi::new(text), confidence: reading.confidence() }
    }

    /// The words, and the sum of their log probabilities.
    fn read_result(&self, seconds: f32) -> (Transcript, f32) {
        let (mut bytes, mut log_probability, mut tokens) = (Vec::new(), 0.0_f32, 0_u16);
        for segment in self.state.as_iter() {
            bytes.extend_from_slice(segment.to_bytes().unwrap_or_default());
            for token in (0..segment.n_tokens()).filter_map(|index| segment.get_token(index)) {
                let data = token.token_data();
                if data.id < self.end_of_text {
                    log_probability += data.plog;
                    tokens += 1;
                }
            }
        }
        let text = repetition::collapse(String::from_utf8_lossy(&bytes).trim(), seconds);
        let confidence = if tokens == 0 || text.is_empty() {
            0.0
        } else {
            (log_probability / f32::from(tokens)).exp()
        };
        (Transcript { text: Phi::new(text), confidence }, log_probability)
    }
}

/// When the last sound ends that is not far below the loudest, s.
fn speech_end(audio: &[i16]) -> f32 {
    let levels: Vec<f32> = audio.chunks(LEVEL_SAMPLES).map(level::rms_dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let frames = levels.iter().rposition(|level| *level > loudest - FADED_DB);
    let samples = frames.map_or(0, |last| (last + 1) * LEVEL_SAMPLES).min(audio.len());
    samples as f32 / SAMPLE_RATE_HZ as f32
}

/// A long row of digits is what was asked for already, and reading it again would take long.
fn is_long_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits > LONG_NUMBER && !text.contains(char::is_alphabetic)
}

impl Transcriber for WhisperTranscriber {
    fn expect(&mut self, vocabulary: &Vocabulary) {
        self.identity = Identity::new(&self.context, vocabulary);
    }

    fn transcribe(&mut self, audio: &[i16], asked: Asked<'_>) -> Result<Transcript, SpeechError> {
        let second = SAMPLE_RATE_HZ as usize;
        let longest = UTTERANCE_MAX_SECONDS * second - PADDING_SECONDS_X10 * second / 10;
        let audio = &audio[audio.len().saturating_sub(longest)..];
        let mut samples = resample::to_float(audio);
        samples.resize((samples.len() + PADDING_SECONDS_X10 * second / 10).max(SAMPLES_MIN), 0.0);
        let (hint, least) = match asked {
            Asked::Anything(hint) => (hint, AUDIO_CONTEXT_MIN),
            // No example: over µ-law one made tiny.en write the example's letters and length.
            Asked::Identity | Asked::Date => (None, AUDIO_CONTEXT_IDENTITY),
        };
        let mut parameters = self.parameters_for(hint);
        let context = (samples.len() / 320 + AUDIO_CONTEXT_MARGIN).clamp(least, AUDIO_CONTEXT_MAX);
        parameters.set_audio_ctx(context as i32);
        // A token every 100 ms is faster than anybody talks; it bounds a decoder that loops.
        let tokens_max = samples.len() * 10 / second + 8;
        parameters.set_max_tokens(tokens_max as i32);
        self.state
            .full(parameters, &samples)
            .map_err(|error| SpeechError::inference("transcription", error))?;
        let seconds = speech_end(audio);
        let (free, score) = self.read_result(seconds);
        if matches!(asked, Asked::Anything(_)) || is_long_number(free.text.expose()) {
            return Ok(free);
        }
        let reading =
            self.read_again(asked, Free { text: free.text.expose(), score, seconds, tokens_max })?;
        Ok(reading.map_or(free, |reading| self.written(&reading)))
    }
}

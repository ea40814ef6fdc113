//! Measures the end of a turn on recordings that were sent through a telephone line: how often the
//! caller would be cut off, and how long they would wait, by the engine's own rules.
//!
//! Every pause of a recording is transcribed and understood as the call engine does it, with the
//! time that this really takes; then the rules are applied with their patience scaled, which gives
//! the trade-off.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use jiff::civil::{Date, date};
use radline_audio::{AudioFrame, FRAME_MS, FRAME_SAMPLES, level};
use radline_call::end_of_turn::{self, Evidence, Reading};
use radline_call::endpointing::{Change, Endpointing};
use radline_call::limits;
use radline_dialogue::{Expectation, Question};
use radline_language::understanding;
use radline_server::models::Manifest;
use radline_server::workers::transcription::asked as shaped_by;
use radline_speech::{SileroVoiceActivity, Transcriber, VoiceActivity, WhisperTranscriber, onnx};
use radline_tests::recordings;
use radline_tests::server::models;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

#[derive(Parser)]
struct Options {
    /// Folders of recordings (see `radline_tests::recordings`)
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Lengthens a pause between two words in this share of the recordings, to a length drawn as
    /// people pause in mid-turn
    #[arg(long, default_value_t = 0.0)]
    pauses: f64,
    /// Lengths of the numbers that are asked for, separated by commas. The agent knows them, and
    /// recordings whose text has another number of digits are left out
    #[arg(long, value_delimiter = ',')]
    lengths: Vec<usize>,
    /// Every how many-th recording is used
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Writes what was known in each pause to this file, one recording a line
    #[arg(long)]
    json: Option<PathBuf>,
    /// Shows each recording that was cut off
    #[arg(long)]
    errors: bool,
}

/// The day of the calls.
const TODAY: Date = date(2026, 11, 23);
/// Silence after a recording.
const TAIL: Duration = Duration::from_secs(4);
/// Speech ends where the level falls this far below the loudest 20 ms, dB.
const END_BELOW_DB: f32 = 32.0;
/// Patience is scaled by these for the trade-off.
const SCALES: [f64; 9] = [0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 3.0];
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
/// Pauses in mid-turn: median, and spread of the logarithm. Of 704 pauses inside 93 digit strings
/// that were read over telephones half were shorter than 320 ms, one in twenty longer than 600 ms.
const PAUSE_MEDIAN_MS: f64 = 320.0;
const PAUSE_SPREAD: f64 = 0.4;

/// A pause of a recording, and what was known in it.
struct Pause {
    began: Duration,
    /// When speech went on; nothing after the last word.
    ended: Option<Duration>,
    /// When the words were understood, and as what.
    known_at: Duration,
    reading: Reading,
    goes_on: bool,
    pace: Duration,
    voiced: Duration,
    heard: String,
}

struct Measured {
    expectation: Expectation,
    text: String,
    heard: String,
    speech_ended: Duration,
    pauses: Vec<Pause>,
}

impl Measured {
    fn described(&self) -> Value {
        let ms = |time: Duration| time.as_millis() as u64;
        let pauses: Vec<Value> = self
            .pauses
            .iter()
            .map(|pause| {
                json!({
                    "began": ms(pause.began),
                    "ended": pause.ended.map(ms),
                    "known_at": ms(pause.known_at),
                    "answered": pause.reading == Reading::Answered,
                    "goes_on": pause.goes_on,
                    "pace": ms(pause.pace),
                    "voiced": ms(pause.voiced),
                    "heard": pause.heard,
                })
            })
            .collect();
        json!({
            "asked": format!("{:?}", self.expectation),
            "text": self.text,
            "speech_ended": ms(self.speech_ended),
            "pauses": pauses,
        })
    }
}

#[derive(Default)]
struct Score {
    turns: usize,
    cut_off: usize,
    /// Cut off, and mended because nothing of the reply had been heard when the caller went on.
    reopened: usize,
    dead_air: Vec<f64>,
}

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn main() -> Result<()> {
    let options = Options::parse();
    let (folder, manifest) = (models()?, Manifest::built_in());
    let file = |id| folder.join(manifest.file(id));
    onnx::load(&file("onnxruntime"))?;
    let mut voice = SileroVoiceActivity::load(&file("silero-vad"))?;
    let mut ears = WhisperTranscriber::load(&file("whisper-tiny.en"), 2)?;
    let mut random = StdRng::seed_from_u64(1);
    let mut measured = Vec::new();
    for folder in &options.folders {
        for recording in recordings::load(folder)?.into_iter().step_by(options.every) {
            let expectation = recordings::expectation(&recording.field);
            let mut question = Question::of(expectation.unwrap_or(Expectation::Open));
            if question.expectation == Expectation::Digits && !options.lengths.is_empty() {
                let spoken = recording.text.split_whitespace().count();
                if !options.lengths.contains(&spoken) {
                    continue;
                }
                question.digits = vec![spoken];
            }
            let mut audio = recording.audio;
            if random.random_bool(options.pauses) {
                audio = lengthen_pause(&audio, &mut random);
            }
            voice.reset();
            measured.push(measure(&audio, recording.text, &question, &mut voice, &mut ears)?);
        }
    }
    println!(
        "{:>6} {:>6} {:>9} {:>9} {:>9} {:>12} {:>12}",
        "scale", "turns", "cut off", "reopened", "lost", "dead air", "p95"
    );
    for scale in SCALES {
        let score = score(measured.iter(), scale);
        println!("{scale:>6.1} {}", score.row());
    }
    println!("\nby what was asked, at scale 1:");
    let mut kinds: BTreeMap<String, Vec<&Measured>> = BTreeMap::new();
    for one in &measured {
        kinds.entry(format!("{:?}", one.expectation)).or_default().push(one);
    }
    for (kind, of_kind) in kinds {
        println!("{kind:<14} {}", score(of_kind.into_iter(), 1.0).row());
    }
    if let Some(file) = &options.json {
        let lines: Vec<String> = measured.iter().map(|one| one.described().to_string()).collect();
        std::fs::write(file, lines.join("\n")).with_context(|| file.display().to_string())?;
    }
    if options.errors {
        for one in &measured {
            if let (_, Some(at)) = outcome(one, 1.0) {
                println!(
                    "cut off at {:.2} of {:.2} s: {} | {}",
                    at.as_secs_f64(),
                    one.speech_ended.as_secs_f64(),
                    one.text.to_lowercase(),
                    one.heard
                );
            }
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn clock() -> Instant {
    Instant::now()
}

/// Follows a recording frame by frame, as the engine does, and transcribes in every pause.
fn measure(
    audio: &[i16],
    text: String,
    question: &Question,
    voice: &mut SileroVoiceActivity,
    ears: &mut WhisperTranscriber,
) -> Result<Measured> {
    let speech_ended = end_of_speech(audio);
    let mut padded = audio.to_vec();
    let noise = noise_floor(audio);
    let tail = TAIL.as_millis() as usize * 16;
    padded.extend((0..tail).map(|index| noise[index % noise.len()]));
    let mut endpointing = Endpointing::default();
    let (mut pauses, mut heard): (Vec<Pause>, String) = (Vec::new(), String::new());
    let mut asked = false;
    for (index, frame) in AudioFrame::split(&padded).into_iter().enumerate() {
        let now = FRAME * (index as u32 + 1);
        let speech = voice.probability(&frame)?;
        match endpointing.push(now, frame, speech) {
            Change::Begun => {
                if let Some(pause) = pauses.last_mut().filter(|pause| pause.ended.is_none()) {
                    pause.ended = Some(now);
                }
                asked = false;
            }
            Change::Pausing
                if !asked
                    && endpointing.silence() >= limits::EARLY_TRANSCRIPTION
                    && endpointing.voiced() >= limits::SPEECH_MIN =>
            {
                asked = true;
                let began = clock();
                let asked = shaped_by(question.expectation);
                let transcript = ears.transcribe(&endpointing.audio(), asked)?;
                let read = understanding::understand(&transcript.text, question, TODAY);
                let took = began.elapsed();
                heard.clone_from(transcript.text.expose());
                pauses.push(Pause {
                    began: now.saturating_sub(endpointing.silence()),
                    ended: None,
                    known_at: now + took,
                    reading: end_of_turn::reading(question, &read),
                    goes_on: end_of_turn::goes_on(&heard),
                    pace: endpointing.longest_pause(),
                    voiced: endpointing.voiced(),
                    heard: heard.clone(),
                });
            }
            _ => {}
        }
    }
    let expectation = question.expectation;
    Ok(Measured { expectation, text, heard, speech_ended, pauses })
}

/// When the turn is taken for over, and whether that is a cut-off.
fn outcome(measured: &Measured, scale: f64) -> (Option<f64>, Option<Duration>) {
    for pause in &measured.pauses {
        let evidence = |reading| Evidence {
            expectation: measured.expectation,
            reading,
            goes_on: pause.goes_on && reading != Reading::Unknown,
            pace: pause.pace,
            begun_over: 0,
        };
        let patience = |reading| end_of_turn::patience(&evidence(reading)).mul_f64(scale);
        // While the words are unknown the turn cannot end, whatever the patience: they are needed
        // for the reply.
        let over = (pause.began + patience(pause.reading)).max(pause.known_at);
        if pause.ended.is_none_or(|ended| over < ended) {
            let dead = over.as_secs_f64() - measured.speech_ended.as_secs_f64();
            return if pause.ended.is_some() && over < measured.speech_ended {
                (None, Some(over))
            } else {
                (Some(dead.max(0.0)), None)
            };
        }
    }
    (None, None)
}

fn score<'a>(measured: impl Iterator<Item = &'a Measured>, scale: f64) -> Score {
    let mut score = Score::default();
    for one in measured {
        match outcome(one, scale) {
            (Some(dead), _) => {
                score.turns += 1;
                score.dead_air.push(dead);
            }
            (None, Some(over)) => {
                score.turns += 1;
                score.cut_off += 1;
                let resumed =
                    one.pauses.iter().filter_map(|pause| pause.ended).find(|at| *at > over);
                let soon = |at: Duration| at.saturating_sub(over) <= limits::REOPEN_PLAYED;
                score.reopened += usize::from(resumed.is_some_and(soon));
            }
            (None, None) => {}
        }
    }
    score
}

impl Score {
    fn row(&self) -> String {
        let mut dead = self.dead_air.clone();
        dead.sort_by(f64::total_cmp);
        let mean = dead.iter().sum::<f64>() / dead.len().max(1) as f64;
        let p95 = dead.get(dead.len() * 95 / 100).copied().unwrap_or_default();
        let share = |count: usize| 100.0 * count as f64 / self.turns.max(1) as f64;
        format!(
            "{:>6} {:>8.1}% {:>8.1}% {:>8.1}% {:>9.0} ms {:>9.0} ms",
            self.turns,
            share(self.cut_off),
            share(self.reopened),
            share(self.cut_off - self.reopened),
            mean * 1000.0,
            p95 * 1000.0
        )
    }
}

/// Levels of 20 ms pieces, dBFS.
fn levels(audio: &[i16]) -> Vec<f32> {
    audio.chunks(FRAME_SAMPLES).map(level::rms_dbfs).collect()
}

fn end_of_speech(audio: &[i16]) -> Duration {
    let levels = levels(audio);
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    // On a noisy line the noise, not the threshold, marks the end.
    let floor = sorted[sorted.len() / 10] + 8.0;
    let threshold = (loudest - END_BELOW_DB).max(floor);
    let last = levels.iter().rposition(|level| *level > threshold).unwrap_or(0);
    FRAME * (last as u32 + 1)
}

/// A tenth of a second of what the line sounds like when nobody speaks.
fn noise_floor(audio: &[i16]) -> Vec<i16> {
    let quietest = audio
        .chunks_exact(FRAME_SAMPLES * 5)
        .min_by(|a, b| level::rms_dbfs(a).total_cmp(&level::rms_dbfs(b)));
    quietest.map_or_else(|| vec![0; FRAME_SAMPLES], <[i16]>::to_vec)
}

/// Puts a pause of a human length into the recording, where it is quiet between two words.
fn lengthen_pause(audio: &[i16], random: &mut StdRng) -> Vec<i16> {
    let levels = levels(audio);
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let speech = |level: &f32| *level > loudest - 25.0;
    let (Some(first), Some(last)) =
        (levels.iter().position(speech), levels.iter().rposition(speech))
    else {
        return audio.to_vec();
    };
    let gaps: Vec<usize> = (first..last).filter(|index| levels[*index] < loudest - 30.0).collect();
    if gaps.is_empty() {
        return audio.to_vec();
    }
    let at = gaps[random.random_range(0..gaps.len())] * FRAME_SAMPLES;
    let normal: f64 = (0..12).map(|_| random.random_range(-0.5..0.5)).sum();
    let pause = PAUSE_MEDIAN_MS * (PAUSE_SPREAD * normal).exp();
    let noise = noise_floor(audio);
    let mut longer = audio[..at].to_vec();
    longer.extend((0..(pause * 16.0) as usize).map(|index| noise[index % noise.len()]));
    longer.extend_from_slice(&audio[at..]);
    longer
}

//! Compares voice-activity models on recordings with annotated speech, sent through a telephone
//! line, clean and in noise: how well frames are told apart, how late the end of speech is noticed,
//! how often noise alone passes for speech, and what it costs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use earshot::Detector;
use radline_audio::{AudioFrame, FRAME_SAMPLES, SpeechProbability, level};
use radline_server::models::Manifest;
use radline_speech::{SileroVoiceActivity, SpeechError, VoiceActivity, onnx};
use radline_tests::recordings;
use radline_tests::server::models;
use serde::Deserialize;
use webrtc_vad::{VoiceActivityDetector, VoiceActivityProfile};

#[derive(Parser)]
struct Options {
    /// Folder whose `manifest.jsonl` has `file` and `segments`, each [start s, end s, speech or not]
    folder: PathBuf,
    /// Folder of noises (16-bit mono WAV)
    #[arg(long)]
    noise: Option<PathBuf>,
    /// Speech is this far above the noise, dB
    #[arg(long, default_value_t = 10.0)]
    snr: f32,
}

const FRAME_SECONDS: f64 = 0.02;
/// Thresholds that are tried for each model.
const THRESHOLDS: usize = 100;
/// An end of speech is missed when nothing falls silent within so long, s.
const END_WITHIN: f64 = 1.0;

/// Audio with the frames in which somebody speaks.
struct Annotated {
    audio: Vec<i16>,
    speech: Vec<bool>,
    /// Ends of speech after which it is quiet for at least half a second, s.
    ends: Vec<f64>,
}

#[derive(Deserialize)]
struct Line {
    file: PathBuf,
    segments: Vec<(f64, f64, u8)>,
}

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn main() -> Result<()> {
    let options = Options::parse();
    let clean = annotated(&options.folder)?;
    let noises = options.noise.as_deref().map_or_else(|| Ok(Vec::new()), noises)?;
    println!(
        "{:<22} {:<8} {:>6} {:>9} {:>9} {:>10} {:>10} {:>12}",
        "", "", "AUC", "F1 at .5", "best F1", "at", "end late", "us per frame"
    );
    for mut model in candidates()? {
        let (name, activity) = (model.0, model.1.as_mut());
        let quiet = measure(activity, &clean)?;
        quiet.print(name, "clean");
        if noises.is_empty() {
            continue;
        }
        measure(activity, &mixed(&clean, &noises, options.snr))?.print(name, "noisy");
        let alone: Vec<Annotated> = noises
            .iter()
            .map(|noise| Annotated {
                audio: noise.clone(),
                speech: vec![false; noise.len() / FRAME_SAMPLES],
                ends: Vec::new(),
            })
            .collect();
        let alarms = measure(activity, &alone)?;
        let threshold = quiet.best_threshold();
        println!(
            "{name:<22} noise alone passes for speech in {:.1} % of its frames at 0.5, {:.1} % at {threshold:.2}",
            100.0 * alarms.share_above(0.5),
            100.0 * alarms.share_above(threshold)
        );
    }
    Ok(())
}

type Candidate = (&'static str, Box<dyn VoiceActivity>);

fn candidates() -> Result<Vec<Candidate>> {
    let (folder, manifest) = (models()?, Manifest::built_in());
    let file = |id| folder.join(manifest.file(id));
    onnx::load(&file("onnxruntime"))?;
    let mut all: Vec<Candidate> = vec![
        ("Silero 6.2", Box::new(SileroVoiceActivity::load(&file("silero-vad"))?)),
        (
            "earshot 1.2",
            Box::new(Earshot { detector: Detector::default_boxed(), frames: Windows::default() }),
        ),
    ];
    let quality: Make = || VoiceActivityDetector::new(VoiceActivityProfile::QUALITY);
    let aggressive: Make = || VoiceActivityDetector::new(VoiceActivityProfile::VERY_AGGRESSIVE);
    for (name, make) in [("WebRTC, quality", quality), ("WebRTC, aggressive", aggressive)] {
        all.push((name, Box::new(WebRtc { detector: make(), make })));
    }
    Ok(all)
}

/// Cuts a stream into the windows that a model wants.
#[derive(Default)]
struct Windows {
    waiting: Vec<i16>,
    last: f32,
}

struct Earshot {
    detector: Box<Detector>,
    frames: Windows,
}

impl VoiceActivity for Earshot {
    fn probability(&mut self, frame: &AudioFrame) -> Result<SpeechProbability, SpeechError> {
        const WINDOW: usize = 256;
        self.frames.waiting.extend_from_slice(frame.samples());
        while self.frames.waiting.len() >= WINDOW {
            self.frames.last = self.detector.predict_i16(&self.frames.waiting[..WINDOW]);
            self.frames.waiting.drain(..WINDOW);
        }
        Ok(SpeechProbability::new(self.frames.last))
    }

    fn reset(&mut self) {
        self.detector.reset();
        self.frames = Windows::default();
    }
}

type Make = fn() -> VoiceActivityDetector;

struct WebRtc {
    detector: VoiceActivityDetector,
    make: Make,
}

impl VoiceActivity for WebRtc {
    fn probability(&mut self, frame: &AudioFrame) -> Result<SpeechProbability, SpeechError> {
        let speech = self.detector.predict_16khz(frame.samples());
        Ok(SpeechProbability::new(f32::from(u8::from(speech.unwrap_or(false)))))
    }

    fn reset(&mut self) {
        self.detector = (self.make)();
    }
}

fn annotated(folder: &Path) -> Result<Vec<Annotated>> {
    let manifest = folder.join("manifest.jsonl");
    let lines =
        std::fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let one = |line: &str| {
        let line: Line = serde_json::from_str(line)?;
        let (samples, rate) = recordings::read(&folder.join(&line.file))?;
        let audio = recordings::telephone(&samples, rate)?;
        let frames = audio.len() / FRAME_SAMPLES;
        let middle = |frame: usize| (frame as f64 + 0.5) * FRAME_SECONDS;
        let within = |at: f64| line.segments.iter().find(|s| s.0 <= at && at < s.1);
        let speech = (0..frames).map(|f| within(middle(f)).is_some_and(|s| s.2 == 1)).collect();
        let pairs = line.segments.windows(2).filter(|pair| pair[0].2 == 1 && pair[1].2 == 0);
        let ends = pairs.filter(|pair| pair[1].1 - pair[1].0 >= 0.5).map(|pair| pair[0].1);
        Ok(Annotated { audio, speech, ends: ends.collect() })
    };
    lines.lines().map(one).collect()
}

fn noises(folder: &Path) -> Result<Vec<Vec<i16>>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wav"));
    files.sort();
    let one = |file: &PathBuf| {
        let (samples, rate) = recordings::read(file)?;
        recordings::telephone(&samples, rate)
    };
    files.iter().map(one).collect()
}

/// Each recording with a noise in turn.
fn mixed(clean: &[Annotated], noises: &[Vec<i16>], snr: f32) -> Vec<Annotated> {
    clean
        .iter()
        .zip(noises.iter().cycle().step_by(noises.len().div_ceil(clean.len()).max(1)))
        .map(|(one, noise)| {
            let gap = level::rms_dbfs(&one.audio) - level::rms_dbfs(noise) - snr;
            let gain = 10_f32.powf(gap / 20.0);
            let add = |(sample, noise): (&i16, &i16)| {
                (f32::from(*sample) + f32::from(*noise) * gain).clamp(-32_768.0, 32_767.0) as i16
            };
            let audio = one.audio.iter().zip(noise.iter().cycle()).map(add).collect();
            Annotated { audio, speech: one.speech.clone(), ends: one.ends.clone() }
        })
        .collect()
}

struct Measured {
    /// Each frame's score, and whether somebody speaks.
    frames: Vec<(f32, bool)>,
    /// Score over time from each end of speech on.
    after_ends: Vec<Vec<f32>>,
    time: Duration,
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn measure(model: &mut dyn VoiceActivity, recordings: &[Annotated]) -> Result<Measured> {
    let mut measured =
        Measured { frames: Vec::new(), after_ends: Vec::new(), time: Duration::ZERO };
    for one in recordings {
        model.reset();
        let mut scores = Vec::new();
        let began = Instant::now();
        for frame in AudioFrame::split(&one.audio) {
            scores.push(model.probability(&frame)?.value());
        }
        measured.time += began.elapsed();
        for end in &one.ends {
            let from = (end / FRAME_SECONDS) as usize;
            let until = (from + (END_WITHIN / FRAME_SECONDS) as usize).min(scores.len());
            measured.after_ends.push(scores[from.min(until)..until].to_vec());
        }
        measured.frames.extend(scores.into_iter().zip(one.speech.iter().copied()));
    }
    Ok(measured)
}

impl Measured {
    #[expect(clippy::print_stdout, reason = "the report of a measurement")]
    fn print(&self, name: &str, kind: &str) {
        let best = self.best_threshold();
        println!(
            "{name:<22} {kind:<8} {:>6.3} {:>9.3} {:>9.3} {best:>10.2} {:>7.0} ms {:>12.0}",
            self.area(),
            self.f1(0.5),
            self.f1(best),
            1000.0 * self.end_late(best),
            self.time.as_secs_f64() * 1e6 / self.frames.len().max(1) as f64
        );
    }

    fn share_above(&self, threshold: f32) -> f64 {
        let above = self.frames.iter().filter(|(score, _)| *score >= threshold).count();
        above as f64 / self.frames.len().max(1) as f64
    }

    /// How often a frame with speech scores higher than one without.
    fn area(&self) -> f64 {
        let mut sorted = self.frames.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut below, mut won, mut speech) = (0.0, 0.0, 0.0);
        for group in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let positive = group.iter().filter(|frame| frame.1).count() as f64;
            let negative = group.len() as f64 - positive;
            won += positive * (below + negative / 2.0);
            below += negative;
            speech += positive;
        }
        won / (below * speech).max(1.0)
    }

    fn f1(&self, threshold: f32) -> f64 {
        let count = |said: bool, speech: bool| {
            let same = |frame: &&(f32, bool)| (frame.0 >= threshold) == said && frame.1 == speech;
            self.frames.iter().filter(same).count() as f64
        };
        let hit = count(true, true);
        2.0 * hit / (2.0 * hit + count(true, false) + count(false, true)).max(1.0)
    }

    fn best_threshold(&self) -> f32 {
        (1..THRESHOLDS)
            .map(|step| step as f32 / THRESHOLDS as f32)
            .max_by(|a, b| self.f1(*a).total_cmp(&self.f1(*b)))
            .unwrap_or(0.5)
    }

    /// Mean time from the end of speech until the score falls below the threshold, s.
    fn end_late(&self, threshold: f32) -> f64 {
        let late = |scores: &Vec<f32>| {
            let silent = scores.iter().position(|score| *score < threshold);
            silent.map_or(END_WITHIN, |frames| (frames + 1) as f64 * FRAME_SECONDS)
        };
        self.after_ends.iter().map(late).sum::<f64>() / self.after_ends.len().max(1) as f64
    }
}

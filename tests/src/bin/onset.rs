//! How soon is a voice noticed, and how often is a noise taken for one? Sentences after a second of silence,
//! and noises alone, both through a telephone line; for several thresholds and lengths.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use radline_audio::{AudioFrame, FRAME_MS, SAMPLE_RATE_HZ, level};
use radline_server::models::Manifest;
use radline_speech::{SileroVoiceActivity, VoiceActivity, onnx};
use radline_tests::recordings;
use radline_tests::server::models;

#[derive(Parser)]
struct Options {
    /// Folder of sentences (WAV), one after the other below it
    sentences: PathBuf,
    /// Folder of noises (WAV)
    #[arg(long)]
    noise: PathBuf,
}

/// A frame above this is audible, dBFS: what the independent caller takes for the first of its packets.
const AUDIBLE_DBFS: f32 = -42.0;
/// Level that sentences and noises are brought to, dBFS (ITU-T P.830 plays speech at −26).
const LEVEL_DBFS: f32 = -26.0;

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn main() -> Result<()> {
    let options = Options::parse();
    let (folder, manifest) = (models()?, Manifest::built_in());
    onnx::load(&folder.join(manifest.file("onnxruntime")))?;
    let mut activity = SileroVoiceActivity::load(&folder.join(manifest.file("silero-vad")))?;
    let mut judged = |path: &Path| -> Result<Vec<Vec<(f32, f32)>>> {
        files(path)?.iter().map(|file| follow(&mut activity, file)).collect()
    };
    let (sentences, noises) = (judged(&options.sentences)?, judged(&options.noise)?);
    let minutes =
        noises.iter().map(Vec::len).sum::<usize>() as f64 * f64::from(FRAME_MS) / 60_000.0;
    println!("{} sentences; {} noises, {minutes:.1} minutes", sentences.len(), noises.len());
    println!(
        "{:>9} {:>7} {:>7} {:>7} {:>7} {:>7} {:>16}",
        "threshold", "frames", "p50", "p90", "p95", "missed", "noises per min"
    );
    for threshold in [0.5, 0.4, 0.3, 0.2, 0.1] {
        for frames in [4, 3, 2] {
            let mut delays: Vec<usize> = Vec::new();
            let mut missed = 0;
            for sentence in &sentences {
                let first = sentence.iter().position(|(_, level)| *level > AUDIBLE_DBFS);
                match first.zip(noticed(sentence, threshold, frames)) {
                    Some((first, at)) if at <= first + 50 => {
                        delays.push(at.saturating_sub(first) * FRAME_MS as usize);
                    }
                    _ => missed += 1,
                }
            }
            delays.sort_unstable();
            let at = |percent: usize| {
                delays.get(delays.len() * percent / 100).copied().unwrap_or_default()
            };
            let alarms: usize = noises.iter().map(|noise| alarms(noise, threshold, frames)).sum();
            println!(
                "{threshold:>9} {frames:>7} {:>7} {:>7} {:>7} {missed:>7} {:>16.1}",
                at(50),
                at(90),
                at(95),
                alarms as f64 / minutes
            );
        }
    }
    Ok(())
}

/// The frame at which so many in a row are above the threshold.
fn noticed(frames: &[(f32, f32)], threshold: f32, row: usize) -> Option<usize> {
    frames
        .windows(row)
        .position(|window| window.iter().all(|(speech, _)| *speech >= threshold))
        .map(|at| at + row)
}

/// Times that a noise is taken for a voice, at most once a second.
fn alarms(frames: &[(f32, f32)], threshold: f32, row: usize) -> usize {
    let (mut from, mut count) = (0, 0);
    while let Some(at) = noticed(&frames[from..], threshold, row) {
        (from, count) = (from + at + 50, count + 1);
        if from >= frames.len() {
            break;
        }
    }
    count
}

/// Probability of speech and level of each frame, after a second of silence.
fn follow(activity: &mut SileroVoiceActivity, file: &Path) -> Result<Vec<(f32, f32)>> {
    let (samples, rate) = recordings::read(file)?;
    let audio = recordings::telephone(&samples, rate)?;
    let loud = level::rms_dbfs(&audio);
    let gain = 10f32.powf((LEVEL_DBFS - loud) / 20.0);
    let mut all = vec![0; SAMPLE_RATE_HZ as usize];
    all.extend(audio.iter().map(|sample| (f32::from(*sample) * gain) as i16));
    activity.reset();
    AudioFrame::split(&all)
        .iter()
        .map(|frame| {
            let speech = activity.probability(frame)?;
            Ok((speech.value(), level::rms_dbfs(frame.samples())))
        })
        .collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "wav") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

//! `radline train corpus`: labelled utterances are spoken, sent over a telephone line, and written down
//! again by our own recogniser, so that its errors are in them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use hound::{WavReader, WavSpec};
use radline_audio::{SAMPLE_RATE_HZ, resample};
use radline_speech::{PiperVoice, Synthesizer, Transcriber, WhisperTranscriber, onnx};
use radline_training::record::Record;
use radline_training::telephone_line::Line;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::cli::TrainCorpus;
use crate::models::cache::Cache;
use crate::models::manifest::Manifest;
use crate::workers::transcription;
use crate::{config, terminal};

/// Paces of the Piper voice; longer is slower.
const PACES: [f32; 3] = [0.8, 1.0, 1.25];
/// Voices of espeak-ng, with words a minute and pitch (0 to 99) drawn from these ranges.
const ESPEAK_VOICES: [&str; 6] =
    ["en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb+f2", "en-029"];
const ESPEAK_PACE: std::ops::Range<u32> = 130..190;
const ESPEAK_PITCH: std::ops::Range<u32> = 25..75;
/// Share of the utterances that espeak-ng speaks, where it is there.
const ESPEAK_SHARE: f64 = 0.4;
/// Share of the utterances with noise behind them, and how far below the voice it is, dB.
const NOISY_SHARE: f64 = 0.5;
const NOISE_BELOW: std::ops::Range<f32> = 5.0..25.0;
/// Share of the packets that a bad line loses, and the share of bad lines.
const LOST_MAX: f64 = 0.05;
const BAD_LINES: f64 = 0.3;

/// Speaks every record of the files and writes those in which words were heard, with what was heard.
pub fn run(options: &TrainCorpus) -> Result<()> {
    let mut seeds = StdRng::seed_from_u64(options.seed);
    let mut speakers = Speakers::load(options)?;
    let noises = noises(options.noise.as_deref())?;
    let mut output = BufWriter::new(
        File::create(&options.out).with_context(|| options.out.display().to_string())?,
    );
    let (mut written, mut same, mut lost) = (0_usize, 0_usize, 0_usize);
    for file in &options.data {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = || format!("{}, line {}", file.display(), number + 1);
            let mut value: Value = serde_json::from_str(line).with_context(place)?;
            let record: Record = serde_json::from_value(value.clone()).with_context(place)?;
            // A generator for each: Piper never speaks twice at the same length, so the packets, and
            // what is drawn for them, differ from run to run.
            let mut random = StdRng::seed_from_u64(seeds.random());
            let noise = noises.choose(&mut random).filter(|_| random.random_bool(NOISY_SHARE));
            let line = Line {
                noise: noise.map(|noise| (&noise[..], random.random_range(NOISE_BELOW))),
                lost: if random.random_bool(BAD_LINES) {
                    random.random_range(0.0..LOST_MAX)
                } else {
                    0.0
                },
                a_law: random.random_bool(0.5),
            };
            let (voice, audio) = speakers.speak(&record.said, &mut random)?;
            let audio = line.carry(&audio, &mut random)?;
            let heard = speakers.hear(&audio, &record)?;
            let errors = errors(&heard, &record.said);
            if heard.is_empty() || errors > options.errors_max {
                lost += 1;
                continue;
            }
            written += 1;
            same += usize::from(errors == 0.0);
            value["spoken"] = json!(record.said);
            value["said"] = json!(heard);
            value["voice"] = json!(voice);
            value["noise_below_db"] = json!(line.noise.map(|(_, below)| below.round()));
            value["packets_lost"] = json!((line.lost * 1000.0).round() / 1000.0);
            writeln!(output, "{value}")?;
            if written % 100 == 0 {
                output.flush()?;
                terminal::line(&format!("{written} written"))?;
            }
        }
    }
    output.flush()?;
    ensure!(written > 0, "nothing was heard of any utterance");
    terminal::line(&format!(
        "{written} utterances in {}, {:.0} % of them word for word; {lost} too garbled to be written down",
        options.out.display(),
        100.0 * same as f64 / written as f64,
    ))
}

/// Errors for every word that was said.
fn errors(heard: &str, said: &str) -> f64 {
    let [heard, said] = [heard, said].map(radline_dialogue::words::split);
    strsim::generic_levenshtein(&said, &heard) as f64 / said.len().max(1) as f64
}

/// Who speaks, and who writes it down.
struct Speakers {
    piper: Vec<PiperVoice>,
    espeak: bool,
    transcriber: WhisperTranscriber,
}

impl Speakers {
    fn load(options: &TrainCorpus) -> Result<Self> {
        let (manifest, cache) = (Manifest::built_in(), Cache::at(options.models.clone())?);
        let transcription = options.transcription.as_deref().unwrap_or(config::TRANSCRIPTION);
        cache.require(&manifest, transcription)?;
        let file = |id: &str| cache.folder().join(manifest.file(id));
        onnx::load(&file("onnxruntime"))?;
        let threads = config::model_threads();
        let voices = PACES.map(|pace| PiperVoice::load(&file("piper-joe"), threads, pace));
        let espeak = Command::new("espeak-ng").arg("--version").output();
        let espeak = espeak.is_ok_and(|output| output.status.success());
        if !espeak {
            terminal::line("espeak-ng is not installed: Piper speaks alone")?;
        }
        Ok(Self {
            piper: voices.into_iter().collect::<Result<_, _>>()?,
            espeak,
            transcriber: WhisperTranscriber::load(&file(transcription), threads)?,
        })
    }

    /// The words in a voice: its name and 16 kHz audio, with the quiet around it that a call has.
    fn speak(&mut self, said: &str, random: &mut StdRng) -> Result<(String, Vec<i16>)> {
        const QUIET: usize = SAMPLE_RATE_HZ as usize / 5;
        let (name, voice) = if self.espeak && random.random_bool(ESPEAK_SHARE) {
            let voice = ESPEAK_VOICES.choose(random).copied().unwrap_or("en-us");
            let (pace, pitch) =
                (random.random_range(ESPEAK_PACE), random.random_range(ESPEAK_PITCH));
            (format!("espeak-ng {voice} {pace} {pitch}"), espeak(said, voice, pace, pitch)?)
        } else {
            let place = random.random_range(0..self.piper.len());
            (format!("piper joe {}", PACES[place]), self.piper[place].synthesize(said)?)
        };
        let mut audio = vec![0; QUIET];
        audio.extend(voice);
        audio.resize(audio.len() + QUIET, 0);
        Ok((name, audio))
    }

    /// What is heard of it, as in a call that has asked this.
    fn hear(&mut self, audio: &[i16], record: &Record) -> Result<String> {
        let asked = transcription::asked(record.expectation());
        let text = self.transcriber.transcribe(audio, asked)?.text;
        Ok(text.expose().trim().to_owned())
    }
}

/// Speech of espeak-ng at 16 kHz.
fn espeak(said: &str, voice: &str, pace: u32, pitch: u32) -> Result<Vec<i16>> {
    let output = Command::new("espeak-ng")
        .args(["-v", voice, "-s", &pace.to_string(), "-p", &pitch.to_string(), "--stdout", "--"])
        .arg(said)
        .output()?;
    if !output.status.success() {
        bail!("espeak-ng: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let (samples, rate) = wav(&output.stdout).context("espeak-ng wrote no WAV")?;
    let wide = resample::convert(&resample::to_float(&samples), rate, SAMPLE_RATE_HZ)?;
    Ok(resample::to_pcm(&wide))
}

/// The WAV files of a folder, at 16 kHz.
fn noises(folder: Option<&Path>) -> Result<Vec<Vec<i16>>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "wav"));
    files.sort();
    ensure!(!files.is_empty(), "{}: no sounds (*.wav) there", folder.display());
    let read = |file: &PathBuf| {
        let bytes = std::fs::read(file)?;
        let (samples, rate) = wav(&bytes).with_context(|| file.display().to_string())?;
        let wide = resample::convert(&resample::to_float(&samples), rate, SAMPLE_RATE_HZ)?;
        Ok(resample::to_pcm(&wide))
    };
    files.iter().map(read).collect()
}

/// The first channel of a WAV file and its rate, Hz. Programs that write to a pipe do not know how long
/// it will be, and leave lengths that are too long: the end of the bytes is the end.
fn wav(bytes: &[u8]) -> Result<(Vec<i16>, u32)> {
    let mut reader = WavReader::new(bytes)?;
    let WavSpec { channels, sample_rate, bits_per_sample, .. } = reader.spec();
    ensure!(bits_per_sample == 16, "samples of {bits_per_sample} bits are not read, only of 16");
    let samples = reader.samples::<i16>().map_while(Result::ok);
    Ok((samples.step_by(usize::from(channels.max(1))).collect(), sample_rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_from_a_pipe_is_read_to_its_end() {
        let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(22_050_u32.to_le_bytes());
        bytes.extend(44_100_u32.to_le_bytes());
        bytes.extend([2, 0, 16, 0]);
        bytes.extend(b"data\0\xf0\xff\x7f\x01\0\xff\xff");
        assert_eq!(wav(&bytes).expect("it is one"), (vec![1, -1], 22_050));
        assert!(wav(b"RIFF").is_err());
        assert!(wav(&bytes[..40]).is_err());
    }
}

//! Labelled recordings, as they come out of a telephone line.
//!
//! A folder holds `manifest.jsonl`: one JSON object a line with `file` (WAV or FLAC, relative to
//! the folder), `text`, and perhaps `field`, by which results are grouped.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use radline_audio::{Codec, resample};
use radline_dialogue::Expectation;
use serde::Deserialize;

/// One recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What was said.
    pub text: String,
    /// What kind of thing was said; the folder's name when the manifest does not tell.
    pub field: String,
    /// 16 kHz, after 8 kHz µ-law and back.
    pub audio: Vec<i16>,
}

#[derive(Deserialize)]
struct Line {
    file: PathBuf,
    text: Option<String>,
    #[serde(default)]
    field: String,
}

/// The recordings of a folder that have a text.
pub fn load(folder: &Path) -> Result<Vec<Recording>> {
    let manifest = folder.join("manifest.jsonl");
    let lines =
        std::fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let mut recordings = Vec::new();
    for line in lines.lines() {
        let line: Line = serde_json::from_str(line)?;
        let Some(text) = line.text else { continue };
        let file = folder.join(&line.file);
        let (samples, rate) = read(&file).with_context(|| file.display().to_string())?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let field = if line.field.is_empty() { name.unwrap_or_default() } else { line.field };
        recordings.push(Recording { text, field, audio: telephone(&samples, rate)? });
    }
    Ok(recordings)
}

/// What the recordings of a field answer; nothing when it could be anything.
pub fn expectation(field: &str) -> Option<Expectation> {
    match field {
        "surname_spelled" | "first_name_spelled" | "street_name_spelled" | "city_spelled" => {
            Some(Expectation::Name)
        }
        "street_number"
        | "zip_code"
        | "phone_number"
        | "alphanumeric_command"
        | "hyke_ivr"
        | "fsdd_digits" => Some(Expectation::Digits),
        "date_of_birth" => Some(Expectation::DateOfBirth),
        "speechocean762" => Some(Expectation::Story),
        _ => None,
    }
}

/// The samples of a WAV or FLAC file, 16-bit mono, and their rate, Hz.
pub fn read(file: &Path) -> Result<(Vec<i16>, u32)> {
    if file.extension().is_some_and(|extension| extension == "flac") {
        let mut reader = claxon::FlacReader::open(file)?;
        let info = reader.streaminfo();
        if info.channels != 1 || info.bits_per_sample != 16 {
            bail!("only 16-bit mono is read");
        }
        let samples =
            reader.samples().map(|sample| Ok(i16::try_from(sample?)?)).collect::<Result<_>>()?;
        return Ok((samples, info.sample_rate));
    }
    let mut reader = hound::WavReader::open(file)?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.bits_per_sample != 16 {
        bail!("only 16-bit mono is read");
    }
    Ok((reader.samples::<i16>().collect::<Result<_, _>>()?, spec.sample_rate))
}

/// Audio as it comes out of a telephone line: 8 kHz, µ-law and back, 16 kHz.
pub fn telephone(samples: &[i16], rate: u32) -> Result<Vec<i16>> {
    let narrow = resample::convert(&resample::to_float(samples), rate, 8_000)?;
    let line = Codec::Pcmu.decode(&Codec::Pcmu.encode(&resample::to_pcm(&narrow)));
    Ok(resample::to_pcm(&resample::convert(&resample::to_float(&line), 8_000, 16_000)?))
}

//! Sounds over the agent's voice: a cough, "mm-hm", somebody else in the room, or the caller who
//! interrupts; and what the agent did, from the packets.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_audio::resample::{convert, to_float, to_pcm};
use radline_audio::{TELEPHONE_RATE_HZ, level};
use serde::Serialize;
use tokio::time::Instant;

use super::media::Media;
use crate::recordings;

/// The agent has spoken for this long when a sound comes over it.
const INTO_TURN: Duration = Duration::from_millis(1200);
/// Quiet that is no pause between two sentences.
const SILENT: Duration = Duration::from_millis(350);
/// Longest piece of a sound.
const LONGEST_SECONDS: f64 = 2.0;

/// A sound to be played over the agent's voice.
#[derive(Debug, Clone)]
pub struct Sound {
    /// The file's name.
    pub name: String,
    /// 8 kHz; empty until the line is spoken.
    pub audio: Vec<i16>,
    /// What the caller says, in their own voice.
    pub line: Option<String>,
}

/// What the agent did when a sound came over its voice.
#[derive(Debug, Clone, Serialize)]
pub struct Overlap {
    /// The sound's name.
    pub sound: String,
    /// From the sound's first audible packet to the agent's last one before it fell silent or came to
    /// the end of its turn, ms; none when nothing of the agent came after the sound began.
    pub silent_after_ms: Option<u64>,
    /// Length of that silence, ms; none when nothing more was said in this turn.
    pub silence_ms: Option<u64>,
}

/// Reads the sounds of a folder, in the order of their names without the kind: of a WAV file its
/// loudest two seconds, and a text file's line, which the caller says.
pub fn sounds(folder: &Path) -> Result<Vec<Sound>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let kind = |file: &Path| file.extension().map(|kind| kind.to_string_lossy().into_owned());
    files.retain(|file| matches!(kind(file).as_deref(), Some("wav" | "txt")));
    // By what follows the kind, so that the kinds come mixed.
    files.sort_by_key(|file| {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        name.split_once("__").map(|(_, rest)| rest.to_owned()).unwrap_or(name)
    });
    ensure!(!files.is_empty(), "{} holds no WAV and no text file", folder.display());
    let one = |file: &std::path::PathBuf| {
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if kind(file).as_deref() == Some("txt") {
            let line = std::fs::read_to_string(file)?.trim().to_owned();
            return Ok(Sound { name, audio: Vec::new(), line: Some(line) });
        }
        let (samples, rate) = recordings::read(file)?;
        let audio = to_pcm(&convert(&to_float(&samples), rate, TELEPHONE_RATE_HZ)?);
        Ok(Sound { name, audio: loudest(&audio).to_vec(), line: None })
    };
    files.iter().map(one).collect()
}

fn loudest(audio: &[i16]) -> &[i16] {
    let length = (LONGEST_SECONDS * f64::from(TELEPHONE_RATE_HZ)) as usize;
    let step = TELEPHONE_RATE_HZ as usize / 10;
    let windows = audio.windows(length.min(audio.len()).max(1)).step_by(step);
    windows.max_by(|a, b| level::power(a).total_cmp(&level::power(b))).unwrap_or_default()
}

/// Waits until the agent has spoken for a while and is still speaking, and then plays the sound
/// over it. Returns when its first audible packet left; nothing when the agent's turn was too
/// short.
pub(super) async fn play_over(media: &Media, sound: &Sound) -> Option<Instant> {
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let (first, last) = media.agent_span()?;
        if last.elapsed() > SILENT {
            return None;
        }
        if first.elapsed() >= INTO_TURN {
            break;
        }
    }
    Some(media.say_over(&sound.audio).await)
}

/// What the agent did after `began`, by the times of its audible packets.
pub(super) fn overlap(sound: &Sound, began: Instant, heard: &[Instant]) -> Overlap {
    let after: Vec<Instant> = heard.iter().copied().filter(|at| *at >= began).collect();
    let gap = after.windows(2).find(|pair| pair[1] - pair[0] >= SILENT);
    let (last, next) = match gap {
        Some(pair) => (Some(pair[0]), Some(pair[1])),
        None => (after.last().copied(), None),
    };
    let ms = |time: Duration| time.as_millis() as u64;
    Overlap {
        sound: sound.name.clone(),
        silent_after_ms: last.map(|last| ms(last - began)),
        silence_ms: last.zip(next).map(|(last, next)| ms(next - last)),
    }
}

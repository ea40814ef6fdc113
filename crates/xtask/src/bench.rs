//! `cargo xtask bench`: real calls, timed at the caller from the packets.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::server;

/// Stages of a turn, as the record names them.
const STAGES: [&str; 6] = [
    "waited_ms",
    "transcription_ms",
    "understanding_ms",
    "wording_ms",
    "first_audio_ms",
    "voice_to_voice_ms",
];

/// Places calls one after the other, each to a fresh server, and prints p50 and p95.
pub(crate) fn latency(calls: usize) -> Result<()> {
    let setup = server::set_up()?;
    let (mut wire, mut inside) = (Vec::new(), vec![Vec::new(); STAGES.len()]);
    let (mut booked, mut memory) = (0, 0);
    for number in 1..=calls {
        let data = server::fresh_folder("bench")?;
        let folder = data.to_str().context("the folder's name is not text")?;
        let server = setup.serve(&data)?;
        let report = setup.call(server.sip, &data.join("caller.json"), false)?;
        memory = memory.max(peak_memory_mib(server.id()));
        server.stop()?;
        let turns = report["turns"].as_array().cloned().unwrap_or_default();
        wire.extend(turns.iter().filter_map(|turn| turn["voice_to_voice_ms"].as_u64()));
        let list = setup.json_lines(&["appointments", "list", "--json", "--data", folder])?;
        booked += usize::from(list.iter().any(|entry| entry["status"] == "booked"));
        let events = recorded(&setup, folder)?;
        for event in events.iter().filter(|event| event["event"] == "turn_timed") {
            for (values, stage) in inside.iter_mut().zip(STAGES) {
                values.push(event[stage].as_u64().unwrap_or_default());
            }
        }
        println!("call {number} of {calls}: {} turns", turns.len());
    }
    println!("\n{calls} calls, {booked} booked, {} turns timed on the wire", wire.len());
    println!("server memory, peak: {memory} MiB");
    println!("\n{:<28} {:>7} {:>7}", "ms", "p50", "p95");
    println!(
        "{:<28} {:>7} {:>7}",
        "voice-to-voice, on the wire",
        at(&mut wire, 50),
        at(&mut wire, 95)
    );
    for (values, stage) in inside.iter_mut().zip(STAGES) {
        println!("{:<28} {:>7} {:>7}", format!("inside: {stage}"), at(values, 50), at(values, 95));
    }
    Ok(())
}

/// Places calls with a sound over each of the agent's turns, and tells by kind of sound (the part of
/// the file's name before two underscores) how often the agent gave up the floor, and how soon it
/// fell silent.
pub(crate) fn overlap(sounds: &str, calls: usize) -> Result<()> {
    let setup = server::set_up()?;
    let sounds = std::path::absolute(sounds)?;
    let sounds = sounds.to_str().context("the folder's name is not text")?;
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let (mut booked, mut turns, mut played, mut gave_up) = (0, 0, 0, 0);
    let mut cut_in: Vec<u64> = Vec::new();
    for number in 1..=calls {
        let data = server::fresh_folder("bench")?;
        let folder = data.to_str().context("the folder's name is not text")?;
        let server = setup.serve(&data)?;
        let first = played.to_string();
        let more = ["--sounds", sounds, "--first-sound", &first];
        let report =
            setup.call_with(server.sip, &data.join("caller.json"), false, server::BOOKS, &more)?;
        server.stop()?;
        let list = setup.json_lines(&["appointments", "list", "--json", "--data", folder])?;
        booked += usize::from(list.iter().any(|entry| entry["status"] == "booked"));
        turns += report["turns"].as_array().map_or(0, Vec::len);
        let into = report["agent_cut_in_ms"].as_array().cloned().unwrap_or_default();
        cut_in.extend(into.iter().filter_map(Value::as_u64));
        let overlaps = report["overlaps"].as_array().cloned().unwrap_or_default();
        played += overlaps.len();
        for overlap in &overlaps {
            let name = overlap["sound"].as_str().unwrap_or_default();
            let kind = name.split("__").next().unwrap_or_default();
            kinds.entry(kind.to_owned()).or_default().add(overlap);
        }
        let events = recorded(&setup, folder)?;
        let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
        let (floor, reopened) = (count("barge_in"), count("turn_reopened"));
        gave_up += floor + reopened;
        println!(
            "call {number} of {calls}: {} sounds, gave up the floor {floor} times, reopened \
             {reopened} turns, recorded in {folder}",
            overlaps.len()
        );
    }
    let times = cut_in.len();
    println!("\n{calls} calls, {booked} booked, {turns} turns; the agent cut in {times} times");
    println!("that far into the caller's answer, ms: {cut_in:?}");
    println!("{played} sounds over the agent's voice; it gave up the floor {gave_up} times");
    println!(
        "\n{:<20} {:>6} {:>8} {:>10} {:>12} {:>12}",
        "sound", "times", "silent", "went on", "silent p50", "silent p95"
    );
    for (name, kind) in &mut kinds {
        println!(
            "{name:<20} {:>6} {:>8} {:>10} {:>9} ms {:>9} ms",
            kind.times,
            kind.silent.len(),
            kind.went_on,
            at(&mut kind.silent, 50),
            at(&mut kind.silent, 95)
        );
    }
    Ok(())
}

/// The record of the only call in a data folder.
fn recorded(setup: &server::Setup, folder: &str) -> Result<Vec<Value>> {
    let all = setup.json_lines(&["calls", "list", "--json", "--data", folder])?;
    let id = all.first().and_then(|call| call["id"].as_str()).context("no call was kept")?;
    setup.json_lines(&["calls", "show", id, "--json", "--data", folder])
}

/// What the agent did with a kind of sound.
#[derive(Default)]
struct Kind {
    times: usize,
    /// Until it fell silent, where it did so within [`SILENT_MAX_MS`], ms.
    silent: Vec<u64>,
    /// Times that it went on, or never stopped.
    went_on: usize,
}

/// An agent that falls silent later has come to its end, or pauses for itself.
const SILENT_MAX_MS: u64 = 1_500;

impl Kind {
    fn add(&mut self, overlap: &Value) {
        self.times += 1;
        let silent = overlap["silent_after_ms"].as_u64().filter(|after| *after <= SILENT_MAX_MS);
        self.silent.extend(silent);
        self.went_on += usize::from(silent.is_none() || !overlap["silence_ms"].is_null());
    }
}

/// The percentile by nearest rank; 0 of nothing.
fn at(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Most memory that a process has had, MiB, as Linux tells.
fn peak_memory_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// The number behind `--calls`, or the usual one.
pub(crate) fn calls(arguments: &[&str]) -> Result<usize> {
    const USUAL: usize = 3;
    match arguments {
        [] => Ok(USUAL),
        ["--calls", number] => number.parse().context("--calls wants a number"),
        _ => anyhow::bail!("bench latency takes only --calls N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut values: Vec<u64> = (1..=20).rev().collect();
        assert_eq!((at(&mut values, 50), at(&mut values, 95), at(&mut [], 50)), (10, 19, 0));
    }
}

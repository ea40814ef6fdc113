//! `cargo xtask bench latency`: real calls, timed at the caller from the packets.

use anyhow::{Context, Result};

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
        let all = setup.json_lines(&["calls", "list", "--json", "--data", folder])?;
        let id = all.first().and_then(|call| call["id"].as_str()).context("no call was kept")?;
        let events = setup.json_lines(&["calls", "show", id, "--json", "--data", folder])?;
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

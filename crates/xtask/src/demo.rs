//! `cargo xtask demo`: a real telephone call that books a scan, from nothing.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::person_demo;
use crate::server::{self, Setup};

/// Sets up, serves, calls, shows. With `once` it ends after the call.
pub(crate) fn run(once: bool) -> Result<()> {
    let setup = server::set_up()?;
    let data = server::fresh_folder("demo")?;
    println!(
        "starting Radline with the demo hospital (the first time it makes its fixed sentences, \
         which takes a minute)"
    );
    let server = setup.serve(&data)?;
    println!("calling sip:radline@{}\n", server.sip);
    let report = setup.call(server.sip, &data.join("caller.json"), true)?;
    let booked = show_result(&setup, &data, &report)?;
    if once {
        server.stop()?;
        if !booked {
            bail!("the call ended without a booked appointment");
        }
        return Ok(());
    }
    println!(
        "\nRadline stays up until Ctrl-C. Call it from a softphone on this machine:\n  \
         sip:radline@{}   (UDP or TCP, G.711, no account)\n\
         Say that you are Daniel Whitaker, born July 2, 1984, and need a CT of the abdomen.\n\
         Health and metrics: http://{}/metrics",
        server.sip, server.http
    );
    person_demo::run(&setup, &server, &data)?;
    server.wait()
}

/// The appointment, the times, the paths. Returns whether an appointment is booked.
fn show_result(setup: &Setup, data: &Path, report: &Value) -> Result<bool> {
    let folder = data.to_str().context("the folder's name is not text")?;
    let appointments = setup.json_lines(&["appointments", "list", "--json", "--data", folder])?;
    let booked = appointments.iter().find(|appointment| appointment["status"] == "booked");
    println!();
    match booked {
        Some(appointment) => println!(
            "Booked: {} for {}, {} ({})",
            text(&appointment["exam"]),
            text(&appointment["patient_name"]),
            text(&appointment["start"]),
            text(&appointment["room"])
        ),
        None => println!("No appointment was booked."),
    }
    let calls = setup.json_lines(&["calls", "list", "--json", "--data", folder])?;
    let call = calls.first().context("the call is not in the record")?;
    let id = text(&call["id"]);
    show_times(&setup.json_lines(&["calls", "show", id, "--json", "--data", folder])?, report);
    let export = data.join("call");
    let target = export.to_str().context("the folder's name is not text")?;
    crate::shell::output(setup.radline(&["calls", "export", id, target, "--data", folder]))?;
    println!("\nTranscript: {}", export.join("transcript.txt").display());
    let recording = export.join("recording.wav");
    if recording.exists() {
        println!("Recording:  {} (caller left, Radline right)", recording.display());
    }
    Ok(booked.is_some())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// One line a turn: what the caller measured on the wire, and where the time went inside.
fn show_times(events: &[Value], report: &Value) {
    println!("\nMilliseconds from the end of the caller's speech to Radline's voice:");
    println!("  turn   on the wire   inside: waited  transcription  understanding  wording  audio");
    let timed = events.iter().filter(|event| event["event"] == "turn_timed");
    let wire = report["turns"].as_array().cloned().unwrap_or_default();
    for (number, event) in timed.enumerate() {
        let inside = |name: &str| event[name].as_u64().unwrap_or_default();
        let wire = wire.get(number).and_then(|turn| turn["voice_to_voice_ms"].as_u64());
        let wire = wire.map_or("-".to_owned(), |ms| ms.to_string());
        println!(
            "  {:>4}   {wire:>11}   {:>14}  {:>13}  {:>13}  {:>7}  {:>5}",
            number + 1,
            inside("waited_ms"),
            inside("transcription_ms"),
            inside("understanding_ms"),
            inside("wording_ms"),
            inside("first_audio_ms")
        );
    }
}

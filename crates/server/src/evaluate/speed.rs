//! `radline evaluate speed`: how fast the language model reads and writes, alone and for many calls at
//! once, and how much memory it takes.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use radline_dialogue::Question;
use radline_language::model::decoder::{Decoder, KeyValues, Turn};
use radline_phi::Phi;
use radline_training::record::{self, Record};
use serde_json::json;

use super::Times;
use crate::terminal;
use crate::workers::reading::Reader;

/// Lengths of the texts that are read, tokens: a caller's answer, a story, and a page as llama.cpp is
/// usually measured on.
const LENGTHS: [usize; 3] = [16, 64, 512];
/// Tokens that are written one by one.
const WRITTEN: usize = 64;
/// Each is done so often; the fastest counts, as everything else is the machine's.
const TIMES: usize = 5;
/// Calls at once.
const CALLS: [usize; 5] = [1, 2, 5, 10, 20];
/// Utterances of each call.
const UTTERANCES: usize = 12;
/// While a question is spoken, the model has time to read it.
const QUESTION_SPOKEN: Duration = Duration::from_millis(400);

/// Times the base model by itself, which other programs can be compared on, and then the reader with
/// its adapter, as calls use it. One is loaded after the other, so that the memory is that of one.
pub fn run(base: &Path, adapter: Option<&Path>, data: &Path, as_json: bool) -> Result<()> {
    let (decoder, _) = radline_language::model::open(base, Decoder::load)?;
    let mut report = serde_json::Map::new();
    for length in LENGTHS {
        let rate = best(|| read(&decoder, length))?;
        report.insert(format!("read_{length}_tokens_per_second"), json!(rate.round()));
    }
    report.insert("written_tokens_per_second".to_owned(), json!(best(|| write(&decoder))?.round()));
    drop(decoder);
    let records = record::load(data)?;
    let reader = Reader::start(super::tuned(base, adapter)?)?;
    let before = memory_mib("VmRSS:");
    for calls in CALLS {
        let (times, spent) = together(&reader, &records, calls)?;
        let Some(of) = Times::of(&times) else { continue };
        let a_second = times.len() as f64 / spent.as_secs_f64();
        report.insert(
            format!("calls_{calls}"),
            json!({"p50_ms": of.median, "p95_ms": of.high, "readings_per_second": (a_second * 10.0).round() / 10.0}),
        );
    }
    reader.close();
    report.insert("memory_mib".to_owned(), json!(before));
    report.insert("memory_after_calls_mib".to_owned(), json!(memory_mib("VmRSS:")));
    report.insert("memory_peak_mib".to_owned(), json!(memory_mib("VmHWM:")));
    if as_json {
        return terminal::line(&serde_json::Value::Object(report).to_string());
    }
    for (name, value) in &report {
        terminal::line(&format!("{:<32} {value}", name.replace('_', " ")))?;
    }
    Ok(())
}

/// The best of several measurements.
fn best(mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut best = 0.0_f64;
    for _ in 0..TIMES {
        best = best.max(measure()?);
    }
    Ok(best)
}

/// Tokens that are read in a second, so many in one go.
fn read(decoder: &Decoder, length: usize) -> Result<f64> {
    let tokens: Vec<u32> = (0..length as u32).map(|token| 1000 + token % 5000).collect();
    let mut keys = KeyValues::default();
    let took = timed(|| {
        decoder.forward(&mut [Turn { tokens: &tokens, keys: &mut keys }], None)?;
        Ok(())
    })?;
    Ok(length as f64 / took)
}

/// Tokens that are written in a second, each chosen among the whole vocabulary.
fn write(decoder: &Decoder) -> Result<f64> {
    let all: Vec<u32> = (0..decoder.shape().vocabulary as u32).collect();
    let mut keys = KeyValues::default();
    let mut token = 1000;
    let took = timed(|| {
        for _ in 0..WRITTEN {
            let states =
                decoder.forward(&mut [Turn { tokens: &[token], keys: &mut keys }], None)?;
            let state = states.into_iter().next().unwrap_or_default();
            let logits = decoder.logits(&state, &all).into_iter().zip(&all);
            let likeliest = logits.max_by(|one, other| one.0.total_cmp(&other.0));
            token = likeliest.map_or(token, |(_, token)| *token);
        }
        Ok(())
    })?;
    Ok(WRITTEN as f64 / took)
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
fn timed(measured: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    measured()?;
    Ok(began.elapsed().as_secs_f64())
}

/// How long each reading took when so many calls are on the line, each of which speaks again as soon as
/// the next question is asked; and how long all of it took.
#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
fn together(
    reader: &Reader,
    records: &[Record],
    calls: usize,
) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let threads: Vec<_> = (0..calls)
        .map(|call| {
            let reader = reader.clone();
            let mine = records.iter().cycle().skip(call * UTTERANCES).take(UTTERANCES);
            let mine: Vec<Record> = mine.cloned().collect();
            thread::spawn(move || one_call(&reader, call as u64, &mine))
        })
        .collect();
    let mut times = Vec::new();
    for thread in threads {
        let read = thread.join().ok().context("a call's thread ended early")?;
        times.extend(read?);
    }
    Ok((times, began.elapsed()))
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes the time")]
fn one_call(reader: &Reader, call: u64, records: &[Record]) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for record in records {
        let asked = Phi::new(record.asked.clone());
        let question = Question { asked, ..Question::of(record.expectation()) };
        reader.ask(call, question.clone());
        thread::sleep(QUESTION_SPOKEN);
        let began = Instant::now();
        let (tell, told) = mpsc::channel();
        reader.read(call, question, Phi::new(record.said.clone()), move |reading| {
            // Nobody listens once the measurement has failed.
            tell.send(reading.is_some()).unwrap_or_default();
        });
        if told.recv().context("the reader ended")? {
            times.push(began.elapsed());
        }
    }
    reader.forget(call);
    Ok(times)
}

/// This process's memory, MiB, as the system counts it.
fn memory_mib(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

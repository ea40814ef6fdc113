//! Measures transcription on labelled recordings that were sent through a telephone line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use radline_dialogue::{Expectation, words};
use radline_language::parsers::numbers;
use radline_server::workers::transcription::asked as shaped_by;
use radline_speech::{Asked, Transcriber, Vocabulary, WhisperTranscriber};
use radline_tests::recordings::{self, Recording};

#[derive(Parser)]
struct Options {
    /// Folders of recordings (see `radline_tests::recordings`)
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Whisper weights in ggml format
    #[arg(long)]
    weights: PathBuf,
    /// The question that each recording is taken to answer: name, digits, date_of_birth, open …
    #[arg(long)]
    asked: Option<String>,
    /// Words that come with numbers and spellings, separated by commas
    #[arg(long, value_delimiter = ',')]
    vocabulary: Vec<String>,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Shows every utterance that is not exact
    #[arg(long)]
    errors: bool,
}

#[derive(Default)]
struct Score {
    utterances: usize,
    exact: usize,
    words: usize,
    word_errors: usize,
    audio: f64,
    time: Duration,
}

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn main() -> Result<()> {
    let options = Options::parse();
    let asked: Option<Expectation> = match &options.asked {
        Some(name) => Some(serde_json::from_value(name.clone().into()).context("--asked")?),
        None => None,
    };
    let mut ears = WhisperTranscriber::load(&options.weights, options.threads)?;
    ears.expect(&Vocabulary { words: options.vocabulary.clone(), names: Vec::new() });
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for folder in &options.folders {
        for Recording { text: expected, field, audio } in recordings::load(folder)? {
            let began = now();
            let heard = ears.transcribe(&audio, asked.map_or(Asked::Anything(None), shaped_by))?;
            let time = began.elapsed();
            let (wanted, got) = (plain(&expected), plain(heard.text.expose()));
            let exact = wanted.concat() == got.concat();
            for name in [field.as_str(), "all"] {
                let score = scores.entry(name.to_owned()).or_default();
                score.utterances += 1;
                score.exact += usize::from(exact);
                score.words += wanted.len();
                score.word_errors += strsim::generic_levenshtein(&wanted, &got);
                score.audio += audio.len() as f64 / 16_000.0;
                score.time += time;
            }
            if options.errors && !exact {
                println!("  {:<60} {}", expected.to_lowercase(), heard.text.expose());
            }
        }
    }
    println!("{:<28} {:>5} {:>7} {:>7} {:>9} {:>9}", "", "n", "exact", "WER", "audio s", "ms each");
    for (name, score) in &scores {
        println!(
            "{name:<28} {:>5} {:>6.1}% {:>6.1}% {:>9.1} {:>9.0}",
            score.utterances,
            100.0 * score.exact as f64 / score.utterances as f64,
            100.0 * score.word_errors as f64 / score.words.max(1) as f64,
            score.audio / score.utterances as f64,
            score.time.as_secs_f64() * 1000.0 / score.utterances as f64
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Words without case and punctuation, numbers as digits however they were said. A letter stays a
/// letter: an "o" alone may be part of a spelling.
fn plain(text: &str) -> Vec<String> {
    let words: Vec<String> = words::split(text).iter().map(|w| numbers::with_zeros(w)).collect();
    let (mut plain, mut rest) = (Vec::new(), &words[..]);
    while let Some(word) = rest.first() {
        let number = if word == "o" { None } else { numbers::read(rest) };
        let (text, taken) = match number {
            // A written number keeps its leading zeros.
            Some((number, 1)) if number.digits == word.len() => (word.clone(), 1),
            Some((number, taken)) => (number.value.to_string(), taken),
            None => (word.clone(), 1),
        };
        plain.push(text);
        rest = &rest[taken..];
    }
    plain
}

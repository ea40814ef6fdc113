//! Measures transcription on labelled recordings that were sent through a telephone line, and
//! another recogniser's beside it, utterance by utterance.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use radline_dialogue::{Expectation, words};
use radline_language::parsers::numbers;
use radline_server::workers::transcription::asked as shaped_by;
use radline_speech::{Asked, Transcriber, Vocabulary, WhisperTranscriber};
use radline_tests::recordings::{self, Recording};
use serde::Deserialize;
use tempfile::NamedTempFile;

#[derive(Parser)]
struct Options {
    /// Folders of recordings (see `radline_tests::recordings`)
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Whisper weights in ggml format
    #[arg(long)]
    weights: PathBuf,
    /// The question that each recording is taken to answer: name, digits, date_of_birth, open …, or
    /// "field": what its field says
    #[arg(long)]
    asked: Option<String>,
    /// Command that runs another recogniser (see tests/rivals)
    #[arg(long)]
    rival: Option<String>,
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
    characters: usize,
    character_errors: usize,
    audio: f64,
    time: Duration,
}

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn main() -> Result<()> {
    let options = Options::parse();
    let by_field = options.asked.as_deref() == Some("field");
    let asked: Option<Expectation> = match options.asked.as_ref().filter(|_| !by_field) {
        Some(name) => Some(serde_json::from_value(name.clone().into()).context("--asked")?),
        None => None,
    };
    let mut rival = options.rival.as_deref().map(Rival::start).transpose()?;
    let mut of_rival: BTreeMap<String, Score> = BTreeMap::new();
    let mut ears = WhisperTranscriber::load(&options.weights, options.threads)?;
    ears.expect(&Vocabulary { words: options.vocabulary.clone(), names: Vec::new() });
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for folder in &options.folders {
        for Recording { text: expected, field, audio } in recordings::load(folder)? {
            let asked = if by_field { recordings::expectation(&field) } else { asked };
            let began = now();
            let heard = ears.transcribe(&audio, asked.map_or(Asked::Anything(None), shaped_by))?;
            let time = began.elapsed();
            let wanted = plain(&expected);
            let exact = add(&mut scores, &field, &audio, &wanted, heard.text.expose(), time);
            if options.errors && !exact {
                println!("  {:<60} {}", expected.to_lowercase(), heard.text.expose());
            }
            if let Some(rival) = &mut rival {
                let (text, time) = rival.transcribe(&audio)?;
                add(&mut of_rival, &field, &audio, &wanted, &text, time);
            }
        }
    }
    print(&scores);
    if rival.is_some() {
        println!("\nthe rival:");
        print(&of_rival);
        let ms = |scores: &BTreeMap<String, Score>| scores["all"].time.as_secs_f64();
        println!("time of ours: {:.2} of the rival's", ms(&scores) / ms(&of_rival));
    }
    Ok(())
}

/// Adds what was heard to the scores of its field and of all; says whether it is exact.
fn add(
    scores: &mut BTreeMap<String, Score>,
    field: &str,
    audio: &[i16],
    wanted: &Vec<String>,
    heard: &str,
    time: Duration,
) -> bool {
    let got = plain(heard);
    let exact = wanted.concat() == got.concat();
    for name in [field, "all"] {
        let score = scores.entry(name.to_owned()).or_default();
        score.utterances += 1;
        score.exact += usize::from(exact);
        score.words += wanted.len();
        score.word_errors += strsim::generic_levenshtein(wanted, &got);
        let (spelled_out, heard) = (characters(wanted), characters(&got));
        score.characters += spelled_out.len();
        score.character_errors += strsim::generic_levenshtein(&spelled_out, &heard);
        score.audio += audio.len() as f64 / 16_000.0;
        score.time += time;
    }
    exact
}

/// Letters and digits, however they were grouped into words: the fair measure for what is spelled.
fn characters(words: &[String]) -> Vec<char> {
    words.iter().flat_map(|word| word.chars()).collect()
}

#[expect(clippy::print_stdout, reason = "the report of a measurement")]
fn print(scores: &BTreeMap<String, Score>) {
    println!(
        "{:<28} {:>5} {:>7} {:>7} {:>7} {:>9} {:>9}",
        "", "n", "exact", "WER", "CER", "audio s", "ms each"
    );
    for (name, score) in scores {
        let share = |errors: usize, of: usize| 100.0 * errors as f64 / of.max(1) as f64;
        println!(
            "{name:<28} {:>5} {:>6.1}% {:>6.1}% {:>6.1}% {:>9.1} {:>9.0}",
            score.utterances,
            share(score.exact, score.utterances),
            share(score.word_errors, score.words),
            share(score.character_errors, score.characters),
            score.audio / score.utterances as f64,
            score.time.as_secs_f64() * 1000.0 / score.utterances as f64
        );
    }
}

/// Another recogniser: a program that reads a line with a WAV file's path and answers with a line of
/// JSON.
struct Rival {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
    file: NamedTempFile,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    seconds: f64,
}

impl Rival {
    fn start(command: &str) -> Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().context("--rival names no program")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.to_owned())?;
        let output = child.stdout.take().context("the rival has no output")?;
        let file = NamedTempFile::with_suffix(".wav")?;
        Ok(Self { child, answers: BufReader::new(output).lines(), file })
    }

    fn transcribe(&mut self, audio: &[i16]) -> Result<(String, Duration)> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(self.file.path(), spec)?;
        for sample in audio {
            file.write_sample(*sample)?;
        }
        file.finalize()?;
        let input = self.child.stdin.as_mut().context("the rival has no input")?;
        writeln!(input, "{}", self.file.path().display())?;
        let line = self.answers.next().context("the rival ended")??;
        let answer: Answer = serde_json::from_str(&line)?;
        Ok((answer.text, Duration::from_secs_f64(answer.seconds)))
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // It has nothing to save, and may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
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

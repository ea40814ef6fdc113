//! `radline train run`: labelled utterances in, an adapter of the language model out.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use radline_language::model::peft;
use radline_training::base::{self, Base};
use radline_training::example::Example;
use radline_training::plan::Plan;
use radline_training::record::{Record, load_folder};
use radline_training::run::{Lesson, Progress, Run};
use radline_training::trainer::Trainer;
use serde::de::DeserializeOwned;

use crate::chart::{self, Panel};
use crate::cli::TrainRun;
use crate::models::cache::Cache;
use crate::models::manifest::Manifest;
use crate::terminal;

/// How often the run says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// The adapter is written every so many steps, so that a run that is broken off has one.
const KEEP_EVERY: usize = 100;

/// Trains, and writes the adapter and the curve of its losses (`loss.csv`) into the folder.
pub fn run(options: &TrainRun) -> Result<()> {
    let plan = Plan {
        layers: options.layers,
        parts: options.parts.into(),
        rank: options.rank,
        passes: options.passes,
        batch: options.batch,
        rate: options.rate,
        seed: options.seed,
        ..Plan::default()
    };
    let manifest = Manifest::built_in();
    let base_file = &manifest.known(&options.base)?.file;
    let base = load_base(&options.base, options.models.clone(), options.gpu)?;
    let records: Vec<Record> = load_folders(&options.data)?;
    let labelled = records.iter().filter(|record| record.only.is_none());
    let examples = labelled
        .map(|record| Example::new(record, &base.tokenizer))
        .collect::<Result<Vec<_>, _>>()?;
    learn(&base, base_file, plan, Examples { lines: examples, others: Vec::new() }, &options.out)
}

/// What an adapter is learned from.
pub(super) struct Examples {
    /// Prompts with what is to follow them.
    pub(super) lines: Vec<Example>,
    /// Tokens that may be written and that none of the lines holds.
    pub(super) others: Vec<u32>,
}

/// Trains an adapter and writes it, in PEFT's files, and the curve of its losses into a folder.
pub(super) fn learn(
    base: &Base,
    base_file: &str,
    plan: Plan,
    examples: Examples,
    out: &Path,
) -> Result<()> {
    let (count, mut pace) = (examples.lines.len(), Pace::default());
    terminal::line(&format!("{count} utterances, {plan:?}"))?;
    let Examples { lines, others } = examples;
    let mut trainer = Trainer::new(&base.model, plan, lines, &others, |done| {
        if let Some(left) = pace.left(done, count) {
            tell(&format!("prepared {done} of {count}, {left} left"));
        }
    })?;
    follow(&mut trainer, out, |trainer| {
        peft::save(&trainer.adapter(), base.model.shape(), base_file, out)
            .map_err(anyhow::Error::from)
    })?;
    terminal::line(&format!("the adapter is in {}", out.display()))
}

/// A base of the manifest, for training.
pub(super) fn load_base(base: &str, models: Option<PathBuf>, gpu: bool) -> Result<Base> {
    let file = Cache::at(models)?.path(Manifest::built_in().known(base)?);
    let device = base::device(gpu)
        .context("training on a GPU wants one, and a program built with `--features cuda`")?;
    Base::load(&file, &device)
        .with_context(|| format!("`radline models fetch --only {base}` brings the model"))
}

/// The utterances of some folders.
pub(super) fn load_folders<T: DeserializeOwned>(folders: &[PathBuf]) -> Result<Vec<T>> {
    let mut records = Vec::new();
    for folder in folders {
        records.extend(load_folder(folder)?);
    }
    Ok(records)
}

/// Takes a run up where it was left and runs it to its end. Keeps its state, what `write` writes of it,
/// and the curve of its losses (`loss.csv`, `loss.svg`) in the folder.
pub(super) fn follow<L: Lesson>(
    run: &mut Run<L>,
    out: &Path,
    write: impl Fn(&Run<L>) -> Result<()>,
) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let curve = out.join("loss.csv");
    let begun = curve.is_file();
    let mut curve = File::options().create(true).append(true).open(&curve)?;
    if !begun {
        writeln!(curve, "step,loss,rate,gradient")?;
    }
    let (mut pace, mut failed) = (Pace::default(), None);
    let done = run.take_up(out)?;
    if done > 0 {
        terminal::line(&format!("the run goes on after step {done}"))?;
    }
    let keep = |run: &Run<L>| {
        run.keep(out)?;
        write(run)
    };
    run.run(|run, progress| {
        let Progress { step, steps, loss, rate, gradient } = progress;
        if let Some(left) = pace.left(step, steps) {
            tell(&format!("step {step} of {steps}, loss {loss:.3}, {left} left"));
        }
        let written = writeln!(curve, "{step},{loss:.5},{rate:.6},{gradient:.4}");
        failed = written.map_err(anyhow::Error::from).err();
        if failed.is_none() && step % KEEP_EVERY == 0 {
            failed = keep(run).err();
        }
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error.context("the run was given up"));
    }
    keep(run)?;
    draw_curve(out)
}

/// The curve as a picture (`loss.svg`): each step's loss, and the mean of those around it.
fn draw_curve(folder: &Path) -> Result<()> {
    /// Steps on each side that the mean is taken over.
    const AROUND: usize = 15;
    let text = std::fs::read_to_string(folder.join("loss.csv"))?;
    let row = |line: &str| {
        let mut cells = line.split(',').map(|cell| cell.parse::<f64>().ok());
        Some((cells.next()??, cells.next()??))
    };
    let points: Vec<(f64, f64)> = text.lines().skip(1).filter_map(row).collect();
    let mean = |at: usize| {
        let near = &points[at.saturating_sub(AROUND)..points.len().min(at + AROUND + 1)];
        near.iter().map(|(_, loss)| loss).sum::<f64>() / near.len() as f64
    };
    let smooth = points.iter().enumerate().map(|(at, (step, _))| (*step, mean(at))).collect();
    let lines = vec![("mean around a step", smooth), ("step", points.clone())];
    let panel = Panel::Lines { title: "Loss", axes: ("step", "nats"), lines };
    Ok(std::fs::write(folder.join("loss.svg"), chart::svg(&[panel]))?)
}

/// A line of progress; a terminal that went away does not stop the run.
fn tell(text: &str) {
    terminal::line(text).unwrap_or_default();
}

/// How long the rest takes, told now and then.
struct Pace {
    began: Instant,
    told: Instant,
}

impl Default for Pace {
    #[expect(clippy::disallowed_methods, reason = "progress of a command is told in real time")]
    fn default() -> Self {
        Self { began: Instant::now(), told: Instant::now() }
    }
}

impl Pace {
    /// When it is time to say it again.
    fn left(&mut self, done: usize, of: usize) -> Option<String> {
        if self.told.elapsed() < TELL_EVERY && done < of {
            return None;
        }
        self.told += self.told.elapsed();
        let rest = self.began.elapsed().mul_f64((of - done) as f64 / done.max(1) as f64);
        Some(format!("{}:{:02}", rest.as_secs() / 60, rest.as_secs() % 60))
    }
}

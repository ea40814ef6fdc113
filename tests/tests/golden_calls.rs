//! Plays the golden calls of `tests/calls` against the demonstration site, in text.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use jiff::civil::{DateTime, date};
use radline_clinic::parse_jsonl;
use radline_phi::Phi;
use radline_server::clinic_seed;
use radline_server::clock::Clock;
use radline_server::site::Site;
use radline_server::text_call::{LazyReader, TextCall};
use radline_store::Store;
use radline_tests::server::root;

const NOW: DateTime = date(2026, 11, 23).at(10, 0, 0, 0);

/// A golden call as it is written.
#[derive(Default)]
struct Golden {
    outbound: bool,
    records: String,
    steps: Vec<Step>,
    never: Vec<String>,
    end: Vec<String>,
}

enum Step {
    Caller(String),
    Radline(Vec<String>),
}

fn read(text: &str) -> Result<Golden> {
    let mut golden = Golden::default();
    let mut in_records = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            in_records = line == "```records";
        } else if in_records {
            golden.records.push_str(line);
            golden.records.push('\n');
        } else if let Some(kind) = line.strip_prefix("Scenario:") {
            golden.outbound = kind.trim() == "PP";
        } else if let Some(words) = line.strip_prefix("- Caller:") {
            golden.steps.push(Step::Caller(words.trim().to_owned()));
        } else if let Some(parts) = line.strip_prefix("- Radline:") {
            let parts = parts.split(" and \"").map(plain).collect();
            golden.steps.push(Step::Radline(parts));
        } else if let Some(words) = line.strip_prefix("- Never:") {
            golden.never.push(plain(words));
        } else if let Some(ends) = line.strip_prefix("- End:") {
            golden.end = ends.split(';').map(|end| end.trim().to_owned()).collect();
        } else if line.starts_with("- ") {
            bail!("a line that is neither Caller, Radline, Never nor End: {line}");
        }
    }
    ensure!(!golden.end.is_empty(), "the call has no End");
    Ok(golden)
}

fn plain(words: &str) -> String {
    words.trim().trim_matches('"').to_lowercase()
}

async fn play(site: &Arc<Site>, golden: &Golden) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path()).await?;
    let clock = Clock::from(site.timezone.clone(), NOW);
    clinic_seed::bring_up_to_date(&store, site, clock.moment()).await?;
    let mut called = None;
    if !golden.records.is_empty() {
        let known = BTreeSet::new();
        let records = parse_jsonl(&golden.records, &known).map_err(anyhow::Error::from)?;
        store.import(clock.moment(), &records).await?;
    }
    if golden.outbound {
        let appointments = store.appointments().await?;
        let first = appointments.first().context("no appointment to prepare")?;
        called = store.called_for(&first.id).await?;
        ensure!(called.is_some(), "the patient cannot be called");
    }
    let model = Arc::new(LazyReader::default());
    let mut call = TextCall::begin(Arc::clone(site), clock, store.clone(), model, called).await?;
    let mut transcript = String::new();
    let mut reply = said(&call, &mut transcript)?;
    for step in &golden.steps {
        match step {
            Step::Caller(words) => {
                ensure!(call.ended().is_none(), "the call is over before {words:?}\n{transcript}");
                writeln!(transcript, "Caller: {words}")?;
                call.say(Phi::new(words.clone())).await?;
                reply = said(&call, &mut transcript)?;
            }
            Step::Radline(parts) => {
                for part in parts {
                    let holds = reply.to_lowercase().contains(part);
                    ensure!(holds, "not said: {part:?}\n{transcript}");
                }
            }
        }
    }
    if call.ended().is_none() {
        call.hang_up().await?;
    }
    call.close().await?;
    for never in &golden.never {
        let lines = transcript.lines().filter(|line| line.starts_with("Radline:"));
        let text = lines.collect::<Vec<_>>().join("\n").to_lowercase();
        ensure!(!text.contains(never), "said, but must not: {never:?}\n{transcript}");
    }
    for end in &golden.end {
        let holds = ended(&store, end).await.with_context(|| end.clone())?;
        ensure!(holds, "not so at the end: {end}\n{transcript}");
    }
    Ok(())
}

fn said(call: &TextCall, transcript: &mut String) -> Result<String> {
    let replies = call.replies();
    let words: Vec<&str> = replies.iter().map(|(words, _)| *words).collect();
    // Every fact that is spoken can be traced to where it comes from.
    for (words, source) in &replies {
        ensure!(!source.is_empty(), "nobody knows where this comes from: {words}");
    }
    writeln!(transcript, "Radline: {}", words.join(" "))?;
    Ok(words.join(" "))
}

async fn ended(store: &Store, end: &str) -> Result<bool> {
    let appointments = store.appointments().await?;
    let tasks = store.tasks().await?;
    let made = |status: &str| {
        appointments.iter().filter(|one| one.call.is_some() && one.status == status).count()
    };
    let callbacks = || tasks.iter().filter(|task| task.kind == "callback");
    let (what, detail) = end.split_once(' ').unwrap_or((end, ""));
    Ok(match (what, detail) {
        ("booked", "") => made("booked") == 1,
        ("booked", start) => {
            let start: DateTime = start.parse()?;
            made("booked") == 1 && appointments.iter().any(|one| one.start == start)
        }
        ("held", "for review") => made("pending") == 1,
        ("moved", to) => {
            let start: DateTime = to.trim_start_matches("to ").parse()?;
            let active =
                appointments.iter().filter(|one| one.status == "booked" || one.status == "pending");
            let starts: Vec<DateTime> = active.map(|one| one.start).collect();
            starts.contains(&start) && made("booked") + made("pending") == 1
        }
        ("cancelled", _) => appointments.iter().any(|one| one.status == "cancelled"),
        ("prepared", _) => appointments.iter().any(|one| one.prepared),
        ("nothing", "booked") => made("booked") + made("pending") == 0,
        ("no", "callback") => callbacks().next().is_none(),
        ("callback", reason) => callbacks().any(|task| task.reason == reason),
        ("review", "task") => tasks.iter().any(|task| task.kind == "review"),
        ("opted", "out") => {
            let first = appointments.first().context("no appointment")?;
            store.called_for(&first.id).await?.is_none()
        }
        _ => bail!("nobody knows what this means: {end}"),
    })
}

fn files() -> Result<Vec<PathBuf>> {
    // Another folder of calls, for whoever writes some.
    let folder = std::env::var_os("GOLDEN_CALLS")
        .map_or_else(|| Path::new(&root()).join("tests/calls"), PathBuf::from);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        file.extension().is_some_and(|kind| kind == "md") && !file.ends_with("README.md")
    });
    files.sort();
    Ok(files)
}

#[tokio::test]
async fn every_golden_call_goes_as_it_is_written() -> Result<()> {
    let folder = Path::new(&root()).join("deploy/sites/demo-hospital");
    let site = Arc::new(Site::load(&folder)?);
    let mut failures = Vec::new();
    let files = files()?;
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let played = match read(&std::fs::read_to_string(file)?) {
            Ok(golden) => Box::pin(play(&site, &golden)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = played {
            failures.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
    Ok(())
}

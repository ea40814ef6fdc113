//! The `radline` program.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use radline_dialogue::Called;
use radline_server::cli::{self, Cli, Command};
use radline_server::clock::Clock;
use radline_server::config::Config;
use radline_server::models::Cache;
use radline_server::site::Site;
use radline_server::{app, clinic_seed, commands, evaluate, talk};
use radline_store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

/// What is logged unless RUST_LOG says otherwise. The SIP stack logs whole messages, which name
/// callers, at its lower levels.
const LOG: &str = "info,rsipstack=off,whisper_rs=off,ort=off,sqlx=warn";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "errors belong on standard error")]
fn complain(error: &anyhow::Error) {
    eprintln!("radline: {error:#}");
}

fn start_log() {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| LOG.to_owned());
    // Whatever is asked for, the SIP stack's own log stays off: it would print callers' numbers.
    let filter = EnvFilter::new(format!("{filter},rsipstack=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn run(command: Command) -> Result<()> {
    // Model files are fetched and read without a runtime; everything else needs one.
    let command = match command {
        Command::Models(cli::Models::List(selection)) => return commands::models::list(selection),
        Command::Models(cli::Models::Fetch(selection)) => {
            return commands::models::run_fetch(selection);
        }
        Command::Models(cli::Models::Verify(selection)) => {
            return commands::models::verify(selection);
        }
        other => other,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(run_async(command));
    // A line that waits on standard input must not keep the program alive.
    runtime.shutdown_background();
    result
}

async fn run_async(command: Command) -> Result<()> {
    match command {
        Command::Serve(options) => {
            app::serve(Config::from_options(options)?, stop_signals()?).await
        }
        Command::Talk(options) => talk_here(options).await,
        Command::Calls(cli::Calls::List { data, json }) => {
            commands::calls::list(&open(&data).await?, json).await
        }
        Command::Calls(cli::Calls::Show { id, data, json }) => {
            commands::calls::show(&open(&data).await?, &id, json).await
        }
        Command::Calls(cli::Calls::Export { id, folder, data }) => {
            commands::calls::export(&open(&data).await?, &id, &folder).await
        }
        Command::Appointments(cli::Appointments::List { data, json }) => {
            commands::schedule::appointments(&open(&data).await?, json).await
        }
        Command::Slots(cli::Slots::List { data, json, site }) => {
            let clock = Clock::real(match site {
                Some(site) => Site::load(&site)?.timezone,
                None => jiff::tz::TimeZone::system(),
            });
            commands::schedule::slots(&open(&data).await?, clock.moment(), json).await
        }
        Command::Tasks(cli::Tasks::List { data, json }) => {
            commands::schedule::tasks(&open(&data).await?, json).await
        }
        Command::Outreach(cli::Outreach::Call { appointment, to, data }) => {
            let now = Clock::real(jiff::tz::TimeZone::system()).moment().now;
            commands::outreach::call(&open(&data).await?, &appointment, to, now).await
        }
        Command::Outreach(cli::Outreach::List { data, json }) => {
            commands::outreach::list(&open(&data).await?, json).await
        }
        Command::Providers(what) => run_providers(what).await,
        Command::Audit { data, json } => {
            commands::providers::audit(&open(&data).await?, json).await
        }
        Command::Clinic(cli::Clinic::Import { file, data }) => {
            commands::clinic::import(&open(&data).await?, &file).await
        }
        Command::Train(cli::Train::Readers { data, red_flags, intents, seed }) => {
            commands::train::readers(&data, &red_flags, &intents, seed)
        }
        Command::Check(options) => commands::check::run(
            &options.site,
            options.on,
            options.json,
            options.diagrams.as_deref(),
        ),
        Command::Train(cli::Train::Corpus(options)) => commands::train_corpus::run(&options),
        Command::Train(cli::Train::Run(options)) => commands::train_run::run(&options),
        Command::Train(cli::Train::Walks(options)) => commands::train_walks::run(&options),
        Command::Train(cli::Train::Wording(options)) => commands::train_wording::run(&options),
        Command::Train(cli::Train::Export(options)) => commands::train_export::run(&options),
        Command::Train(cli::Train::Compare(options)) => evaluate::compare::run(&options),
        Command::Train(cli::Train::Classifier(options)) => {
            commands::train_classifier::run(&options)
        }
        Command::Evaluate(what) => run_evaluation(what).await,
        Command::Models(_) => Ok(()),
    }
}

async fn run_providers(what: cli::Providers) -> Result<()> {
    match what {
        cli::Providers::Add { name, display, role, data } => {
            commands::providers::add(&open(&data).await?, &name, &display, &role).await
        }
        cli::Providers::List { data, json } => {
            commands::providers::list(&open(&data).await?, json).await
        }
        cli::Providers::Remove { name, data } => {
            commands::providers::remove(&open(&data).await?, &name).await
        }
        cli::Providers::Code { name, data } => {
            commands::providers::code(&open(&data).await?, &name).await
        }
        cli::Providers::Token { name, data } => {
            commands::providers::token(&open(&data).await?, &name).await
        }
    }
}

async fn run_evaluation(what: cli::Evaluate) -> Result<()> {
    match what {
        cli::Evaluate::RedFlags { labelled, readers } => {
            let readers = evaluate::BesideParsers::present(&readers)?;
            evaluate::run(evaluate::Subject::RedFlags, &labelled, &readers)
        }
        cli::Evaluate::Understanding { labelled, readers } => {
            let models = evaluate::BesideParsers::all(&readers)?;
            evaluate::run(evaluate::Subject::Understanding, &labelled, &models)
        }
        cli::Evaluate::Sgd { data, split, readers } => {
            let models = evaluate::BesideParsers::all(&readers)?;
            evaluate::sgd::run(&data, split.as_deref(), &models)
        }
        cli::Evaluate::Dialogues(options) => {
            let (data, site) = (&*options.data, &*options.site);
            let (seed, plays) = (options.seed, options.plays);
            let model = Arc::new(evaluate::dialogues::readers(&options)?);
            let what = evaluate::dialogues::Plays { data, site, model, seed, plays };
            evaluate::dialogues::run(what, options.json, options.errors.as_deref()).await
        }
        cli::Evaluate::Supervisor { data, readers } => {
            let base = evaluate::base(&readers)?;
            let reader = evaluate::tuned(&base, readers.adapter.as_deref())?;
            evaluate::supervisor::run(&data, reader)
        }
        cli::Evaluate::Wording(options) => evaluate::wording::run(&options),
        cli::Evaluate::Speed { data, json, readers } => {
            let base = evaluate::base(&readers)?;
            evaluate::speed::run(&base, readers.adapter.as_deref(), &data, json)
        }
    }
}

async fn open(data: &cli::Data) -> Result<Store> {
    Ok(Store::open(&data.data).await?)
}

/// The earliest appointment that is to come about.
async fn first_appointment(store: &Store) -> Result<String> {
    let appointments = store.appointments().await?;
    let open = appointments.into_iter().find(|one| one.status == "booked");
    let open = open.context("there is no appointment to prepare; book one, or import one")?;
    Ok(open.id)
}

/// Whom a preparation call is for.
async fn called(
    store: &Store,
    scenario: cli::ScenarioName,
    appointment: Option<String>,
) -> Result<Option<Called>> {
    if scenario != cli::ScenarioName::Pp {
        return Ok(None);
    }
    let id = match appointment {
        Some(id) => id,
        None => first_appointment(store).await?,
    };
    let called = store.called_for(&id).await?;
    let called = called.with_context(|| {
        format!("there is no appointment {id} to prepare, or its patient wants no calls; `radline appointments list` shows them")
    })?;
    Ok(Some(called))
}

async fn talk_here(options: cli::Talk) -> Result<()> {
    let site = Site::load(&options.site)?;
    let clock = match options.at {
        Some(start) => Clock::from(site.timezone.clone(), start),
        None => Clock::real(site.timezone.clone()),
    };
    let temporary = match &options.data {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no temporary folder can be made")?),
    };
    let folder = match (&options.data, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => anyhow::bail!("there is no folder for the data"),
    };
    let store = Store::open(&folder).await?;
    clinic_seed::bring_up_to_date(&store, &site, clock.moment()).await?;
    if temporary.is_some() && options.scenario == cli::ScenarioName::Pp {
        clinic_seed::demonstrate_appointments(&store, &options.site, clock.moment()).await?;
    }
    let called = called(&store, options.scenario, options.appointment).await?;
    let models = Cache::at(options.models)?;
    talk::text(site, clock, store, models, called, options.json).await
}

/// A message for each SIGTERM or Ctrl-C.
fn stop_signals() -> Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel(2);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

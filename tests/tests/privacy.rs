//! A whole call under the log guard: whatever is logged, at any level, holds nothing of the caller.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_phi::log_guard::LogGuard;
use radline_server::app;
use radline_server::config::{Config, ServeOptions};
use radline_store::Store;
use radline_tests::caller::{Options, Persona, Way, converse};
use radline_tests::server::{READY_POLL, READY_POLLS, free_addresses, is_ready, models, root};
use tokio::sync::mpsc;

/// What the caller says or is, and what must be in no log line.
const PRIVATE: [&str; 11] = [
    "carter",
    "helen",
    "march",
    "1967-03-19",
    "19670319",
    "1967",
    "knee",
    "nineteen",
    "demo-p1",
    "demo-o1",
    "a scan of my",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_call_leaves_no_word_in_any_log() -> Result<()> {
    let guard = LogGuard::new();
    for text in PRIVATE {
        guard.watch(text);
    }
    tracing::subscriber::set_global_default(guard.clone())?;
    let folder = tempfile::tempdir()?;
    let (sip, http) = free_addresses()?;
    let config = Config::from_options(ServeOptions {
        site: Some(root().join("deploy/sites/demo-hospital")),
        data: Some(folder.path().to_owned()),
        sip: Some(sip),
        http: Some(http),
        ..ServeOptions::default()
    })?;
    let (stop, stopped) = mpsc::channel(2);
    let server = tokio::spawn(app::serve(config, stopped));
    wait_until_ready(http).await?;

    // Consent, the reason, two identifiers and the order; then the caller hangs up.
    let mut persona = Persona::carter()?;
    persona.turns_max = 6;
    let mut talk = Vec::new();
    let show = |who: &str, words: &str| talk.push(format!("{who}: {words}"));
    converse(Way::Calls(sip), &models()?, &persona, &Options::default(), show).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send(()).await?;
    server.await??;

    // The guard proves nothing about a call that never came to the caller's identity.
    let store = Store::open(folder.path()).await?;
    let calls = store.calls().await?;
    let events = store.events(&calls.first().context("no call")?.id).await?;
    let record: String = events.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let matched = record.contains("\"outcome\":\"matched\"");
    ensure!(matched && record.contains("Carter"), "the caller was not identified: {talk:#?}");
    ensure!(guard.lines() > 10, "only {} lines were seen", guard.lines());
    ensure!(guard.leaks().is_empty(), "{:#?}", guard.leaks());
    Ok(())
}

async fn wait_until_ready(http: SocketAddr) -> Result<()> {
    for _ in 0..READY_POLLS {
        if is_ready(http).await {
            return Ok(());
        }
        tokio::time::sleep(READY_POLL).await;
    }
    anyhow::bail!("the server is not ready")
}

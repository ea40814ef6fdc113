//! Calls that the clinic places: a patient is prepared by telephone, and every way in which nobody is reached.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_tests::caller::{Options, Persona, Way, converse};
use radline_tests::server::{Server, all_places, json, models, place, root, run};
use radline_tests::stage::copied_site;
use radline_tests::telephone_set::{Manner, TelephoneSet};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// The appointment of the demonstration.
const APPOINTMENT: &str = "demo-a7";

/// A server that may call at any hour, on any day, with an appointment to prepare.
async fn clinic(ring_seconds: u64) -> Result<(Server, TempDir)> {
    let folder = tempfile::tempdir()?;
    let outreach = format!(
        "\n[outreach]\nfrom = \"00:00\"\nuntil = \"23:59:59\"\nring_seconds = {ring_seconds}\n"
    );
    let site = copied_site(folder.path(), &outreach)?;
    let file = site.join("site.toml");
    let text = std::fs::read_to_string(&file)?;
    let holidays = text.lines().find(|line| line.starts_with("holidays")).context("holidays")?;
    std::fs::write(&file, text.replace(holidays, "holidays = []"))?;
    let server = Server::start_for(&site, folder.path(), &[]).await?;
    let file = root().join("deploy/sites/demo-hospital/appointments.jsonl");
    let file = file.to_str().context("a path")?;
    run(&["clinic", "import", file], folder.path(), "").await?;
    Ok((server, folder))
}

async fn call(folder: &Path, to: Option<&str>) -> Result<()> {
    let mut arguments = vec!["outreach", "call", APPOINTMENT];
    arguments.extend(to.into_iter().flat_map(|to| ["--to", to]));
    run(&arguments, folder, "").await.map(drop)
}

/// The only call, once it is known what came of it.
async fn result(folder: &Path) -> Result<Value> {
    for _ in 0..150 {
        let mut calls = json(folder, &["outreach", "list"]).await?;
        ensure!(calls.len() == 1, "{calls:?}");
        if calls[0]["outcome"].is_string() {
            return Ok(calls.remove(0));
        }
        sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("nothing came of the call")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_called_and_prepared() -> Result<()> {
    let _turn = all_places().await;
    let (server, folder) = clinic(30).await?;
    // A call that comes before the persona's voice is loaded waits in the socket.
    let telephone = UdpSocket::bind("127.0.0.1:0").await?;
    let target = format!("sip:walter@{}", telephone.local_addr()?);
    let persona =
        Persona::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/nguyen_called.toml"))?;
    let mut conversation = Vec::new();
    let show = |who: &str, words: &str| conversation.push(format!("{who}: {words}"));
    let (models, options) = (models()?, Options::default());
    let talk = converse(Way::Answers(telephone), &models, &persona, &options, show);
    let (report, dialled) = tokio::join!(talk, call(folder.path(), Some(&target)));
    dialled?;
    let report = report?;
    let talk = conversation.join("\n");
    ensure!(report.agent_hung_up, "the agent did not say goodbye:\n{talk}");
    let call = result(folder.path()).await?;
    ensure!(call["outcome"] == "answered", "{call}");
    let events = server.json(&["calls", "show", call["call"].as_str().context("a call")?]).await?;
    let prepared = |event: &&Value| event.to_string().contains("record_preparation");
    ensure!(events.iter().any(|event| prepared(&event)), "nothing was recorded:\n{talk}");
    let log = server.log();
    for private in ["Nguyen", "Walter", "walter", "1961"] {
        ensure!(!log.contains(private), "the log holds {private}:\n{log}");
    }
    Ok(())
}

/// Nobody is reached on this telephone.
async fn nobody(manner: Manner, outcome: &str) -> Result<()> {
    let _turn = place().await;
    let phone = TelephoneSet::plug_in(manner).await?;
    let (_server, folder) = clinic(3).await?;
    call(folder.path(), Some(&phone.uri())).await?;
    let again = call(folder.path(), Some(&phone.uri())).await;
    ensure!(again.is_err_and(|error| error.to_string().contains("waits already")), "asked twice");
    let call = result(folder.path()).await?;
    ensure!(call["outcome"] == outcome && call["call"].is_null(), "{call}");
    ensure!(phone.seen().rang == 1, "{:?}", phone.seen());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_is_talking() -> Result<()> {
    nobody(Manner::Busy, "busy").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_does_not_answer() -> Result<()> {
    nobody(Manner::Rings, "no_answer").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_dials_nobodys_number() -> Result<()> {
    let _turn = place().await;
    let (_server, folder) = clinic(3).await?;
    call(folder.path(), None).await?;
    let call = result(folder.path()).await?;
    ensure!(call["outcome"] == "unreachable", "{call}");
    Ok(())
}

//! Supervised mode over a real call: nothing is spoken before a provider has let it pass, and with nobody
//! there the site's policy holds.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use radline_bridge::grpc::v1;
use radline_store::{Grant, Store};
use radline_tests::caller::LineCall;
use radline_tests::stage::{Stage, copied_site};
use serde_json::Value;
use tokio::time::sleep;
use tonic::Code;

/// The demonstration site, with every reply approved but the greeting.
const APPROVAL: &str =
    "\n[approval]\nwait_seconds = 6\nunanswered = \"speak\"\ngranted = [\"greeting\"]\n";

fn decided(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "draft_decided").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_approved_edited_and_left_to_the_policy() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let site = copied_site(folder.path(), APPROVAL)?;
    let stage = Stage::set_for(&site, folder).await?;
    let jo = stage.provider("jo").await?;

    // Nobody is there: the policy speaks.
    let mut caller = LineCall::place(stage.server.sip).await?;
    caller.answer(&stage.yes).await?;
    stage.said("What can I do for you").await?;
    caller.hang_up().await?;
    sleep(Duration::from_millis(500)).await;
    let events = stage.events().await?;
    let verdict = decided(&events).first().copied().context("no draft")?;
    ensure!(verdict["verdict"] == "expired" && verdict["by"] == "policy", "{verdict}");

    // Somebody is there: their word counts.
    let _there = jo.present().await?;
    let mut caller = LineCall::place(stage.server.sip).await?;
    let queued = jo.queued(|call| call.state() == v1::CallState::WithAgent).await?;
    let call = queued.call_id.as_str();
    let mut feed = jo.follow(call, 0).await?;
    caller.answer(&stage.yes).await?;
    let draft = jo.draft(&mut feed).await?;
    ensure!(draft.text.contains("What can I do for you") && draft.policy == "speak", "{draft:?}");
    ensure!(!draft.sources.is_empty(), "{draft:?}");
    sleep(Duration::from_secs(2)).await;
    let spoken = stage.events().await?;
    let said = |part: &str, events: &[Value]| {
        events.iter().any(|event| event["text"].as_str().is_some_and(|text| text.contains(part)))
    };
    ensure!(!said("What can I do for you", &spoken), "spoken before it was approved");
    let other = "Thank you. Please come at 9 o'clock without breakfast. What can I do for you?";
    let differs = jo.decide(call, draft.draft_id, v1::Verdict::Edit, other).await.err();
    let differs = differs.context("an invented time was taken")?;
    ensure!(differs.message().contains("Not spoken"), "{differs}");
    let words = "Thank you. How may I help you today?";
    jo.decide(call, draft.draft_id, v1::Verdict::Edit, words).await?;
    let twice = jo.decide(call, draft.draft_id, v1::Verdict::Approve, "").await;
    let twice = twice.err().context("decided twice")?;
    ensure!(twice.code() == Code::FailedPrecondition, "{twice}");
    stage.said("How may I help you today?").await?;
    caller.answer(&stage.yes).await?;
    let draft = jo.draft(&mut feed).await?;
    jo.decide(call, draft.draft_id, v1::Verdict::Approve, "").await?;
    // A call for a person is no draft.
    caller.answer(&stage.person).await?;
    jo.queued(|call| call.state() == v1::CallState::Waiting).await?;
    caller.hang_up().await?;
    sleep(Duration::from_millis(500)).await;

    let events = stage.events().await?;
    let blocked = events.iter().find(|event| event["event"] == "wording_blocked");
    ensure!(blocked.is_some_and(|blocked| blocked["words"] == other), "{blocked:?}");
    let verdicts = decided(&events);
    ensure!(verdicts.len() == 2, "{verdicts:?}");
    ensure!(verdicts[0]["verdict"] == "edited" && verdicts[0]["by"] == "jo", "{verdicts:?}");
    ensure!(verdicts[0]["waited_ms"].as_u64() > Some(1500), "{verdicts:?}");
    ensure!(verdicts[0]["edits"].as_u64() > Some(5), "{verdicts:?}");
    ensure!(verdicts[1]["verdict"] == "approved", "{verdicts:?}");

    // What has been granted is spoken without asking, from the next call on.
    let drafted = events.iter().find(|event| event["event"] == "drafted").context("drafted")?;
    let state = drafted["state"].as_str().context("a state")?.to_owned();
    let grant =
        Grant { state, by: "sam".to_owned(), at: Timestamp::now(), decided: 40, approved: 39 };
    ensure!(Store::open(stage.folder.path()).await?.grant(&grant).await?, "not granted");
    let mut caller = LineCall::place(stage.server.sip).await?;
    caller.answer(&stage.yes).await?;
    stage.said("What can I do for you").await?;
    caller.hang_up().await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(decided(&stage.events().await?).is_empty(), "drafted although it was granted");
    ensure!(stage.server.end("TERM").await?.success(), "a clean end");
    Ok(())
}

//! A person takes over a real call: provider systems over gRPC, what becomes of the caller when somebody
//! is lost, leaves, or is not there.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_audio::TELEPHONE_RATE_HZ;
use radline_bridge::grpc::v1;
use radline_tests::caller::LineCall;
use radline_tests::provider::{ProviderClient, Talking};
use radline_tests::server::place;
use radline_tests::stage::{CALLER, PROVIDER, SOON, Stage, waits};
use radline_tests::tone::tone;
use tokio::time::Instant;
use tonic::Code;

/// Both ends hear each other.
async fn hear_each_other(caller: &LineCall, talking: &mut Talking) -> Result<()> {
    caller.begin_saying(tone(CALLER, 4.0, TELEPHONE_RATE_HZ));
    ensure!(talking.hears_tone(CALLER, SOON).await?, "the provider does not hear the caller");
    ensure!(caller.hears_tone(PROVIDER, SOON).await, "the caller does not hear the provider");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_over_is_lost_gives_back_and_finishes() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let (jo, sam) = (stage.provider("jo").await?, stage.provider("sam").await?);
    let _there = jo.present().await?;
    let caller = stage.caller().await?;
    let queued = jo.queued(waits).await?;
    let call = queued.call_id.as_str();
    let escalation = queued.escalation.context("why")?;
    let seen = jiff::Timestamp::now().as_millisecond() - escalation.since_unix_ms;
    println!("escalation to the provider's screen: {seen} ms");
    ensure!(escalation.reason() == v1::Reason::Requested, "{escalation:?}");
    ensure!(escalation.trigger.to_lowercase().contains("person"), "{escalation:?}");

    // Exactly one gets it.
    let began = Instant::now();
    let brief = jo.claim(call).await?;
    ensure!(brief.escalation.is_some() && !brief.verified, "{brief:?}");
    let refused = sam.claim(call).await.err().context("claimed twice")?;
    ensure!(refused.code() == Code::FailedPrecondition, "{refused}");
    let mut talking = jo.talk(call, PROVIDER).await?;
    let claimed_to_audio = began.elapsed();
    println!("claim to two-way audio: {} ms", claimed_to_audio.as_millis());
    hear_each_other(&caller, &mut talking).await?;

    // Lost in mid-call: a word, and back to the queue.
    drop(talking);
    stage.said("lost my colleague").await?;
    sam.queued(waits).await?;

    // Sam takes over, and gives the caller back.
    sam.claim(call).await?;
    let mut talking = sam.talk(call, PROVIDER).await?;
    hear_each_other(&caller, &mut talking).await?;
    ensure!(talking.hand_back().await? == v1::Outcome::HandedBack, "not handed back");
    stage.said("automated assistant again").await?;

    // Asked for again, taken and finished.
    caller.answer(&stage.person).await?;
    sam.queued(waits).await?;
    sam.claim(call).await?;
    let talking = sam.talk(call, PROVIDER).await?;
    ensure!(talking.finish().await? == v1::Outcome::Taken, "not finished");
    caller.hung_up(SOON).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    ensure!(
        stage.outcomes().await? == ["provider_dropped", "handed_back", "taken"],
        "{:?}",
        stage.outcomes().await?
    );
    let calls = stage.server.json(&["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "ended_by_person" && calls[0]["escalated"] == true, "{calls:?}");
    ensure!(stage.server.json(&["tasks", "list"]).await?.is_empty(), "a task is left");
    let audit = stage.server.json(&["audit"]).await?;
    ensure!(
        audit.iter().any(|line| line["what"] == "claim_call" && line["who"] == "sam"),
        "{audit:?}"
    );
    let log = stage.server.log();
    ensure!(!log.to_lowercase().contains("talk to a person"), "the log holds words:\n{log}");
    ensure!(stage.server.end("TERM").await?.success(), "a clean end");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_hears_what_radline_still_has_to_say() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let jo = stage.provider("jo").await?;
    let _there = jo.present().await?;
    let caller = LineCall::place(stage.server.sip).await?;
    caller.answer(&stage.yes).await?;
    caller.answer(&stage.danger).await?;
    let queued = jo.queued(|call| call.escalation.is_some()).await?;
    jo.claim(&queued.call_id).await?;
    let mut talking = jo.talk(&queued.call_id, PROVIDER).await?;
    // The caller is silent, and an instruction in danger is said to its end.
    ensure!(talking.hears_voice(SOON).await?, "the provider would talk over the instruction");
    ensure!(talking.finish().await? == v1::Outcome::Taken, "not finished");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_everybody_declines_and_a_caller_who_leaves() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;

    // Nobody is there: a call-back is promised at once.
    let mut caller = stage.caller().await?;
    stage.said("call you back").await?;
    caller.hang_up().await?;
    let jo = stage.provider("jo").await?;
    let there = jo.present().await?;

    // The only one there declines.
    let mut caller = stage.caller().await?;
    let queued = jo.queued(waits).await?;
    jo.decline(&queued.call_id).await?;
    stage.said("nobody is free").await?;
    caller.hang_up().await?;

    // The caller leaves while it rings: the claim comes to nothing.
    let mut caller = stage.caller().await?;
    let queued = jo.queued(waits).await?;
    jo.claim(&queued.call_id).await?;
    caller.hang_up().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let gone = jo.talk(&queued.call_id, PROVIDER).await.err().context("a call of nobody")?;
    ensure!(gone.to_string().contains("over"), "{gone}");

    // The caller hangs up in the conversation: the provider is told.
    let mut caller = stage.caller().await?;
    let queued = jo.queued(waits).await?;
    jo.claim(&queued.call_id).await?;
    let talking = jo.talk(&queued.call_id, PROVIDER).await?;
    caller.hang_up().await?;
    ensure!(talking.ended().await? == v1::Outcome::CallerLeft, "the provider was not told");

    // The server goes down with a caller in the queue: they hear it, and the task is kept.
    let caller = stage.caller().await?;
    jo.queued(waits).await?;
    drop(there);
    stage.server.signal("TERM").await?;
    stage.server.signal("TERM").await?;
    caller.hung_up(2 * SOON).await?;
    ensure!(stage.server.ended().await?.success(), "a clean end");
    let tasks = radline_tests::server::json(stage.folder.path(), &["tasks", "list"]).await?;
    ensure!(tasks.len() >= 3, "{tasks:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_with_a_caller_in_the_queue_leaves_a_task_and_an_outcome() -> Result<()>
{
    let _turn = place().await;
    let stage = Stage::set().await?;
    let jo = stage.provider("jo").await?;
    let there = jo.present().await?;
    let caller = stage.caller().await?;
    jo.queued(waits).await?;
    let folder = stage.folder;
    stage.server.end("KILL").await?;
    drop((there, caller));

    let site = folder.path().join("site");
    let extra = ["--grpc", &stage.grpc.to_string()];
    let stage = Stage::set_at(&site, folder, stage.grpc, &extra).await?;
    let calls = stage.server.json(&["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "server_lost" && calls[0]["escalated"] == true, "{calls:?}");
    ensure!(stage.outcomes().await? == ["callback_promised"], "{:?}", stage.outcomes().await?);
    let events = stage.events().await?;
    ensure!(events.last().is_some_and(|last| last["event"] == "ended"), "{events:?}");
    let tasks = stage.server.json(&["tasks", "list"]).await?;
    ensure!(tasks.len() == 1, "{tasks:?}");
    // And the desk is empty: nobody rings for a caller who has gone.
    ensure!(jo.queue().await?.is_empty(), "somebody waits who is gone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_nothing() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let stranger = ProviderClient::connect(stage.grpc, "not a token").await?;
    let refused = stranger.present().await.err().context("a stranger is there")?;
    ensure!(refused.to_string().contains("token is not known"), "{refused}");
    let refused = stranger.claim("x").await.err().context("a stranger claims")?;
    ensure!(refused.code() == Code::Unauthenticated, "{refused}");
    let jo = stage.provider("jo").await?;
    let refused = jo.claim("no such call").await.err().context("claimed nothing")?;
    ensure!(refused.code() == Code::NotFound, "{refused}");
    Ok(())
}

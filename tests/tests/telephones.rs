//! A person takes over on a telephone: rung by us, told what it is about, taken by a key; and every way in
//! which nobody comes.

use std::time::Duration;

use anyhow::{Result, ensure};
use radline_audio::TELEPHONE_RATE_HZ;
use radline_tests::caller::{Exchange, LineCall};
use radline_tests::server::place;
use radline_tests::stage::{CALLER, PROVIDER, SOON, Stage, copied_site};
use radline_tests::telephone_set::{Manner, TelephoneSet};
use radline_tests::tone::tone;
use tokio::time::sleep;

/// A telephone with more of its settings, and a caller who has asked for a person.
async fn set(manner: Manner, settings: &str) -> Result<(Stage, TelephoneSet, LineCall)> {
    let folder = tempfile::tempdir()?;
    let phone = TelephoneSet::plug_in(manner).await?;
    let uri = phone.uri();
    let table =
        format!("\n[[phone]]\nname = \"Front desk\"\nuri = \"{uri}\"\nalways = true\n{settings}\n");
    let site = copied_site(folder.path(), &table)?;
    let stage = Stage::set_for(&site, folder).await?;
    let caller = stage.caller().await?;
    Ok((stage, phone, caller))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_presses_one_talks_with_the_caller() -> Result<()> {
    let _turn = place().await;
    let (stage, phone, mut caller) = set(Manner::Presses(1), "ring_seconds = 20").await?;
    ensure!(caller.hears_tone(PROVIDER, 3 * SOON).await, "the caller does not hear the telephone");
    caller.begin_saying(tone(CALLER, 4.0, TELEPHONE_RATE_HZ));
    phone.until(|seen| seen.heard_caller).await?;
    // The caller hangs up: the telephone is hung up, too.
    caller.hang_up().await?;
    phone.until(|seen| seen.ended == 1).await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(stage.outcomes().await? == ["taken"], "{:?}", stage.outcomes().await?);
    // Whether it was all said before the caller hung up nobody knows: the task stays for whoever does.
    ensure!(stage.server.json(&["tasks", "list"]).await?.len() == 1, "the task is gone");
    Ok(())
}

/// What becomes of a call that the caller's exchange is to connect itself.
async fn handed_on(exchange: Exchange, outcome: &str) -> Result<()> {
    let _turn = place().await;
    let (stage, phone, mut caller) = set(Manner::Presses(1), "transfer = true").await?;
    caller.transfer(exchange, 3 * SOON).await?;
    if exchange == Exchange::Connects {
        caller.hung_up(SOON).await?;
        phone.until(|seen| seen.replaced == 1 && seen.ended == 1).await?;
    } else {
        ensure!(caller.hears_tone(PROVIDER, SOON).await, "the caller hears nobody");
        caller.begin_saying(tone(CALLER, 4.0, TELEPHONE_RATE_HZ));
        phone.until(|seen| seen.heard_caller).await?;
        caller.hang_up().await?;
    }
    sleep(Duration::from_millis(500)).await;
    let events = stage.events().await?;
    let tried = events.iter().find(|event| event["event"] == "transfer_tried");
    ensure!(tried.is_some_and(|tried| tried["outcome"] == outcome), "{tried:?}");
    ensure!(stage.outcomes().await? == ["taken"], "{:?}", stage.outcomes().await?);
    // Who talks with somebody needs no call back; who hung up may.
    let tasks = stage.server.json(&["tasks", "list"]).await?.len();
    ensure!(tasks == usize::from(exchange != Exchange::Connects), "{tasks} tasks");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_exchange_connects_both() -> Result<()> {
    handed_on(Exchange::Connects, "connected").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_accepts_and_then_fails_leaves_us_between_them() -> Result<()> {
    handed_on(Exchange::Fails, "failed").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_refuses_leaves_us_between_them() -> Result<()> {
    handed_on(Exchange::Refuses, "refused").await
}

/// Nobody takes the call: what the caller is told, and what is kept.
async fn nobody_takes_it(manner: Manner, outcome: &str) -> Result<()> {
    let _turn = place().await;
    let (stage, phone, mut caller) = set(manner, "ring_seconds = 3").await?;
    if manner == Manner::Mailbox {
        // Somebody may be looking for the key.
        sleep(Duration::from_secs(12)).await;
    }
    stage.said("nobody is free").await?;
    caller.hang_up().await?;
    ensure!(stage.outcomes().await? == [outcome], "{:?}", stage.outcomes().await?);
    let seen = phone.seen();
    ensure!(seen.rang == 1, "{seen:?}");
    match manner {
        Manner::Rings => ensure!(seen.cancelled == 1, "it rings on: {seen:?}"),
        Manner::Busy => {}
        _ => phone.until(|seen| seen.ended == 1).await?,
    }
    ensure!(stage.server.json(&["tasks", "list"]).await?.len() == 1, "the task is gone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_telephone() -> Result<()> {
    nobody_takes_it(Manner::Busy, "busy").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_on_which_somebody_declines() -> Result<()> {
    nobody_takes_it(Manner::Presses(2), "declined").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_answers() -> Result<()> {
    nobody_takes_it(Manner::Mailbox, "no_answer").await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers() -> Result<()> {
    nobody_takes_it(Manner::Rings, "no_answer").await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rings_no_longer_than_the_caller_is_there() -> Result<()> {
    let _turn = place().await;
    let (stage, phone, mut caller) = set(Manner::Rings, "ring_seconds = 30").await?;
    phone.until(|seen| seen.rang == 1).await?;
    caller.hang_up().await?;
    phone.until(|seen| seen.cancelled == 1).await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(stage.outcomes().await? == ["caller_left"], "{:?}", stage.outcomes().await?);
    Ok(())
}

//! A person takes over on a telephone: rung by us, told what it is about, taken by a key; and every way in
//! which nobody comes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use radline_audio::TELEPHONE_RATE_HZ;
use radline_tests::caller::Exchange;
use radline_tests::server::place;
use radline_tests::stage::{CALLER, PROVIDER, SOON, Stage, copied_site};
use radline_tests::telephone_set::{Manner, TelephoneSet};
use radline_tests::tone::tone;
use tokio::time::sleep;

/// The demonstration site with these telephones.
fn site(folder: &Path, phones: &[(&str, &TelephoneSet, u32)]) -> Result<PathBuf> {
    let mut text = String::new();
    for (name, phone, ring) in phones {
        text.push_str("\n[[phone]]\nname = \"");
        text.push_str(name);
        text.push_str("\"\nuri = \"");
        text.push_str(&phone.uri());
        text.push_str("\"\nalways = true\nring_seconds = ");
        text.push_str(&ring.to_string());
        text.push('\n');
    }
    copied_site(folder, &text)
}

/// The demonstration site with a telephone to which the caller's exchange is to connect callers itself.
fn transferring(folder: &Path, phone: &TelephoneSet) -> Result<PathBuf> {
    let uri = phone.uri();
    let text = format!(
        "\n[[phone]]\nname = \"Front desk\"\nuri = \"{uri}\"\nalways = true\ntransfer = true\n"
    );
    copied_site(folder, &text)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_presses_one_talks_with_the_caller() -> Result<()> {
    let _turn = place().await;
    let folder = tempfile::tempdir()?;
    let phone = TelephoneSet::plug_in(Manner::Presses(1)).await?;
    let site = site(folder.path(), &[("Front desk", &phone, 20)])?;
    let stage = Stage::set_for(&site, folder).await?;
    let mut caller = stage.caller().await?;
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
    let folder = tempfile::tempdir()?;
    let phone = TelephoneSet::plug_in(Manner::Presses(1)).await?;
    let site = transferring(folder.path(), &phone)?;
    let stage = Stage::set_for(&site, folder).await?;
    let mut caller = stage.caller().await?;
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
    let folder = tempfile::tempdir()?;
    let phone = TelephoneSet::plug_in(manner).await?;
    let site = site(folder.path(), &[("Front desk", &phone, 3)])?;
    let stage = Stage::set_for(&site, folder).await?;
    let mut caller = stage.caller().await?;
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
    let folder = tempfile::tempdir()?;
    let phone = TelephoneSet::plug_in(Manner::Rings).await?;
    let site = site(folder.path(), &[("Front desk", &phone, 30)])?;
    let stage = Stage::set_for(&site, folder).await?;
    let mut caller = stage.caller().await?;
    phone.until(|seen| seen.rang == 1).await?;
    caller.hang_up().await?;
    phone.until(|seen| seen.cancelled == 1).await?;
    sleep(Duration::from_millis(500)).await;
    ensure!(stage.outcomes().await? == ["caller_left"], "{:?}", stage.outcomes().await?);
    Ok(())
}

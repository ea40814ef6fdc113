//! Clients that are not ours take over a call: a Python program that knows nothing but the protocol file,
//! and a browser at the console.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use radline_audio::TELEPHONE_RATE_HZ;
use radline_tests::python::Client;
use radline_tests::server::{place, run};
use radline_tests::stage::{CALLER, PROVIDER, SOON, Stage};
use radline_tests::tone::tone;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

/// A provider's client in Python, signed in and available.
async fn provider(stage: &Stage, more: &[&str]) -> Result<Client> {
    let data = stage.folder.path();
    run(&["providers", "add", "py", "--display", "Py"], data, &format!("{PASSWORD}\n")).await?;
    let token = run(&["providers", "token", "py"], data, "").await?;
    let address = stage.grpc.to_string();
    let mut arguments = vec!["--proto", "proto", "--address", &address];
    arguments.extend(more);
    let secrets = [("RADLINE_TOKEN", token.trim())];
    let mut client = Client::start("provider/client.py", &arguments, &secrets)?;
    client.present().await?;
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_made_from_the_protocol_takes_a_call() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let client = provider(&stage, &[]).await?;
    let caller = stage.caller().await?;
    ensure!(caller.hears_tone(PROVIDER, 3 * SOON).await, "the caller does not hear the client");
    caller.begin_saying(tone(CALLER, 5.0, TELEPHONE_RATE_HZ));
    let seen = client.seen().await?;
    println!("{seen}");
    ensure!(seen["heard_caller"] == true, "{seen}");
    ensure!(seen["outcome"] == "OUTCOME_TAKEN" && seen["reason"] == "REASON_REQUESTED", "{seen}");
    caller.hung_up(SOON).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_off_leaves_the_caller_with_a_word() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let client = provider(&stage, &["--linger"]).await?;
    let mut caller = stage.caller().await?;
    ensure!(caller.hears_tone(PROVIDER, 3 * SOON).await, "the caller does not hear the client");
    client.freeze().await?;
    stage.said("lost my colleague").await?;
    stage.said("call you back").await?;
    caller.hang_up().await?;
    ensure!(stage.server.json(&["tasks", "list"]).await?.len() == 1, "the task is gone");
    Ok(())
}

/// The sound that the browser's microphone hears.
fn microphone(file: &Path) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec)?;
    for sample in tone(PROVIDER, 10.0, spec.sample_rate) {
        wav.write_sample(sample)?;
    }
    Ok(wav.finalize()?)
}

/// A provider's browser, signed in and available.
async fn browser(stage: &Stage, more: &[&str]) -> Result<Client> {
    let data = stage.folder.path();
    let add = ["providers", "add", "jo", "--display", "Jo Park", "--role", "supervisor"];
    let printed = run(&add, data, &format!("{PASSWORD}\n")).await?;
    let secret = printed.lines().find_map(|line| line.strip_prefix("one-time codes: "));
    let secrets = [("RADLINE_PASSWORD", PASSWORD), ("RADLINE_TOTP", secret.context("a secret")?)];
    let sound = data.join("microphone.wav");
    microphone(&sound)?;
    let (url, sound) = (format!("http://{}", stage.server.http), sound.display().to_string());
    let mut arguments = vec!["--url", &url, "--name", "jo", "--tone", &sound];
    arguments.extend(more);
    let mut browser = Client::start("console/browser.py", &arguments, &secrets)?;
    browser.present().await?;
    Ok(browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_vanishes_leaves_the_caller_with_a_word() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let browser = browser(&stage, &["--vanish"]).await?;
    let mut caller = stage.caller().await?;
    ensure!(caller.hears_tone(PROVIDER, 4 * SOON).await, "the caller does not hear the browser");
    caller.begin_saying(tone(CALLER, 12.0, TELEPHONE_RATE_HZ));
    let seen = browser.seen().await?;
    ensure!(seen["heard_caller"] == true, "the browser does not hear the caller: {seen}");
    stage.said("lost my colleague").await?;
    // Nobody else is there, so what can be promised is promised.
    stage.said("call you back").await?;
    caller.hang_up().await?;
    ensure!(stage.outcomes().await?.first().is_some_and(|first| first == "provider_dropped"), "");
    ensure!(stage.server.json(&["tasks", "list"]).await?.len() == 1, "the task is gone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_takes_a_call_in_a_browser() -> Result<()> {
    let _turn = place().await;
    let stage = Stage::set().await?;
    let browser = browser(&stage, &[]).await?;
    let caller = stage.caller().await?;
    if !caller.hears_tone(PROVIDER, 4 * SOON).await {
        let seen = browser.seen().await;
        bail!("the caller does not hear the browser: {seen:?}\n{}", stage.server.log());
    }
    caller.begin_saying(tone(CALLER, 12.0, TELEPHONE_RATE_HZ));
    let seen = browser.seen().await?;
    println!("{seen}");
    ensure!(seen["heard_caller"] == true, "the browser does not hear the caller: {seen}");
    ensure!(seen["faults"] == json!([]), "errors in the browser: {seen}");
    ensure!(seen["violations"] == json!({}), "the page is not accessible: {seen}");
    caller.hung_up(SOON).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(stage.outcomes().await? == ["taken"], "{:?}", stage.outcomes().await?);
    Ok(())
}

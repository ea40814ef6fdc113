//! Whole dialogues through `radline talk --text --json`, as a script would drive it.

use anyhow::{Context, Result, ensure};
use radline_tests::UNTIL_READ_BACK;
use radline_tests::server::{json, talk};
use serde_json::Value;

fn states(turns: &[Value]) -> Vec<&str> {
    turns.iter().filter_map(|turn| turn["state"].as_str()).collect()
}

const IDENTITY: [&str; 4] = ["yes", "I need an MRI of my knee", "Helen Carter", "March 19, 1967"];

#[tokio::test]
async fn a_booking_with_a_change_of_mind_at_the_read_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut lines = IDENTITY.to_vec();
    lines.extend(["no", "left", "no", "no", "no", "no", "no", "no", "yes"]);
    lines.extend(["Wednesday morning", "the first one", "no, Thursday December third please"]);
    lines.extend(["the first", "yes", "no"]);
    let turns = talk(folder.path(), None, &lines).await?;
    let last = turns.last().context("turns")?;
    ensure!(last["ended"] == "finished", "{:?}", states(&turns));
    let booked = json(folder.path(), &["appointments", "list"]).await?;
    ensure!(booked.len() == 1, "{booked:?}");
    let start = booked[0]["start"].as_str().context("a start")?;
    ensure!(start.starts_with("2026-12-03T08"), "{start}");
    ensure!(turns[1]["understood"]["by"] == "parsers", "{}", turns[1]);
    ensure!(turns[2]["slots"]["modality"] == "mri", "{}", turns[2]);
    Ok(())
}

#[tokio::test]
async fn a_pacemaker_stops_the_booking_and_leaves_a_task() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut lines = IDENTITY.to_vec();
    lines.extend(["no", "left", "well, I've got a pacemaker, does that matter"]);
    let turns = talk(folder.path(), None, &lines).await?;
    ensure!(turns.last().is_some_and(|turn| turn["ended"] == "finished"), "{:?}", states(&turns));
    ensure!(json(folder.path(), &["appointments", "list"]).await?.is_empty(), "nothing is booked");
    let tasks = json(folder.path(), &["tasks", "list"]).await?;
    ensure!(tasks.len() == 1 && tasks[0]["reason"] == "screening", "{tasks:?}");
    Ok(())
}

#[tokio::test]
async fn a_red_flag_interrupts_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut lines = IDENTITY.to_vec();
    lines.extend(["my chest feels tight and I can't breathe", "yes", "12 Elm Street", "555 0100"]);
    let turns = talk(folder.path(), None, &lines).await?;
    let flagged = turns.iter().find(|turn| turn["red_flag"] == "life_threat").context("no flag")?;
    let reply = flagged["reply"].as_str().context("a reply")?;
    ensure!(reply.contains("nine one one"), "{reply}");
    let tasks = json(folder.path(), &["tasks", "list"]).await?;
    ensure!(tasks[0]["reason"] == "red_flag life_threat", "{tasks:?}");
    ensure!(
        tasks[0]["location"] == "12 Elm Street" && tasks[0]["number"] == "5550100",
        "{tasks:?}"
    );
    Ok(())
}

#[tokio::test]
async fn hanging_up_at_any_moment_holds_nothing() -> Result<()> {
    for length in 0..=UNTIL_READ_BACK.len() {
        let folder = tempfile::tempdir()?;
        let turns = talk(folder.path(), None, &UNTIL_READ_BACK[..length]).await?;
        let last = turns.last().context("a turn")?;
        ensure!(last["ended"] == "caller_hung_up", "after {length}: {last}");
        ensure!(json(folder.path(), &["appointments", "list"]).await?.is_empty(), "after {length}");
    }
    Ok(())
}

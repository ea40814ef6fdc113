//! SIGKILL around a booking: a confirmed appointment is never lost, a slot never given twice, and
//! what was held is free again. The dialogue runs in text mode: the same engine and store, killed
//! at the very moment.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_tests::UNTIL_READ_BACK;
use radline_tests::server::{Server, json, program, root};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A dialogue that can be killed.
struct Talk {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    async fn begin(data: &Path) -> Result<Self> {
        let mut child = Command::new(program()?)
            .args(["talk", "--text", "--json", "--site", "deploy/sites/demo-hospital", "--data"])
            .arg(data)
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("piped")?;
        let output = BufReader::new(child.stdout.take().context("piped")?).lines();
        let mut talk = Self { child, input, output };
        talk.turn().await?.context("no greeting")?;
        Ok(talk)
    }

    /// What a turn came to; `None` once the process is gone.
    async fn turn(&mut self) -> Result<Option<Value>> {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line()).await;
        let line = line.context("no answer")??;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }

    async fn say(&mut self, line: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Talks up to the read-back.
    async fn reach_read_back(&mut self) -> Result<()> {
        let mut last = Value::Null;
        for line in UNTIL_READ_BACK {
            self.say(line).await?;
            last = self.turn().await?.context("it ended early")?;
        }
        ensure!(last["state"] == "read_back", "{last}");
        Ok(())
    }

    /// SIGKILL; returns what it had said until then.
    async fn kill(mut self) -> Result<Vec<Value>> {
        self.child.kill().await?;
        let mut said = Vec::new();
        while let Some(turn) = self.turn().await? {
            said.push(turn);
        }
        Ok(said)
    }
}

/// Whether the turn tells the caller that they are booked.
fn is_confirmed(turn: &Value) -> bool {
    let booked = |action: &Value| action["outcome"] == "booked";
    turn["actions"].as_array().is_some_and(|actions| actions.iter().any(booked))
}

async fn slots(data: &Path, state: &str) -> Result<usize> {
    let slots = json(data, &["slots", "list"]).await?;
    Ok(slots.iter().filter(|slot| slot["state"] == state).count())
}

#[tokio::test]
async fn a_hold_outlives_its_call_no_longer_than_the_next_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut talk = Talk::begin(folder.path()).await?;
    talk.reach_read_back().await?;
    ensure!(slots(folder.path(), "held").await? == 1, "the read-back holds the time");
    talk.kill().await?;
    ensure!(slots(folder.path(), "held").await? == 1, "the kill came between hold and book");
    let server = Server::start(folder.path(), &[]).await?;
    ensure!(slots(folder.path(), "held").await? == 0, "the start frees it");
    ensure!(json(folder.path(), &["appointments", "list"]).await?.is_empty(), "nothing is booked");
    let calls = json(folder.path(), &["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "server_lost", "{calls:?}");
    ensure!(server.end("TERM").await?.success(), "a clean end");
    Ok(())
}

#[tokio::test]
async fn whatever_was_confirmed_is_in_the_schedule_and_only_once() -> Result<()> {
    let mut random = StdRng::seed_from_u64(11);
    let (mut confirmed, mut unconfirmed) = (0, 0);
    for round in 0..16 {
        let folder = tempfile::tempdir()?;
        let mut talk = Talk::begin(folder.path()).await?;
        talk.reach_read_back().await?;
        talk.say("yes").await?;
        // The first round waits for the word; the others strike anywhere around the booking.
        let mut said = Vec::new();
        if round == 0 {
            said.extend(talk.turn().await?);
        } else {
            tokio::time::sleep(Duration::from_micros(random.random_range(0..12_000))).await;
        }
        said.extend(talk.kill().await?);
        let heard = said.iter().any(is_confirmed);
        let booked = json(folder.path(), &["appointments", "list"]).await?;
        ensure!(booked.len() <= 1 && (!heard || booked.len() == 1), "round {round}: {booked:?}");
        ensure!(slots(folder.path(), "booked").await? == booked.len(), "round {round}");
        confirmed += usize::from(heard);
        unconfirmed += usize::from(!heard);
        // The same caller again: the order is used, or can be booked now.
        let mut again = Talk::begin(folder.path()).await?;
        for line in UNTIL_READ_BACK.iter().chain(&["yes"]) {
            again.say(line).await?;
            if again.turn().await?.is_none_or(|turn| !turn["ended"].is_null()) {
                break;
            }
        }
        again.kill().await?;
        let active = json(folder.path(), &["appointments", "list"]).await?;
        let orders = active.iter().filter(|entry| entry["order"] == active[0]["order"]).count();
        ensure!(active.len() == orders && orders <= 1, "booked twice: {active:?}");
    }
    ensure!(confirmed > 0, "{unconfirmed} rounds, none of them confirmed");
    Ok(())
}

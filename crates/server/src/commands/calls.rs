//! `radline calls list|show|export`.

use std::path::Path;

use anyhow::{Context, Result};
use radline_call::{CallEvent, EventKind};
use radline_store::{CallEntry, Store};

use crate::terminal;

/// Every call, newest first.
pub async fn list(store: &Store, json: bool) -> Result<()> {
    for call in store.calls().await? {
        if json {
            terminal::line(&serde_json::to_string(&call)?)?;
            continue;
        }
        let seconds = call.ended.map(|ended| ended.as_second() - call.started.as_second());
        let length = seconds.map_or("in progress".to_owned(), |seconds| format!("{seconds} s"));
        let recorded = if call.recording.is_some() { "recorded" } else { "not recorded" };
        let reason = call.reason.as_deref().unwrap_or("-");
        terminal::line(&format!(
            "{}  {}  {length:>11}  {reason:<14}  {recorded}",
            call.id, call.started
        ))?;
    }
    Ok(())
}

/// What was said and done in a call.
pub async fn show(store: &Store, id: &str, json: bool) -> Result<()> {
    let call = find(store, id).await?;
    let events = store.events(&call.id).await?;
    if json {
        for event in &events {
            terminal::line(&serde_json::to_string(event)?)?;
        }
        return Ok(());
    }
    terminal::line(&transcript(&call, &events))?;
    for (_, part) in store.wrap_ups(&call.id).await? {
        let said = [part.outcome.as_str(), part.note.expose()];
        let said: Vec<&str> = said.into_iter().filter(|words| !words.is_empty()).collect();
        terminal::line(&format!("{}, {}: {}", part.provider, part.how, said.join("; ")))?;
    }
    Ok(())
}

/// Copies transcript, events and recording into a folder.
pub async fn export(store: &Store, id: &str, folder: &Path) -> Result<()> {
    let call = find(store, id).await?;
    let events = store.events(&call.id).await?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    write("transcript.txt", transcript(&call, &events))?;
    let lines: Vec<String> = events.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    write("events.jsonl", lines.join("\n") + "\n")?;
    if let Some(recording) = &call.recording {
        let source = store.folder().join(recording);
        std::fs::copy(&source, folder.join("recording.wav"))
            .with_context(|| source.display().to_string())?;
    }
    terminal::line(&folder.display().to_string())
}

async fn find(store: &Store, id: &str) -> Result<CallEntry> {
    let call = store.call(id).await?;
    call.with_context(|| {
        format!("there is no one call whose id begins with {id}; see `radline calls list`")
    })
}

/// The conversation with its times, and what was done in between.
pub fn transcript(call: &CallEntry, events: &[CallEvent]) -> String {
    let mut lines = vec![format!("Call {} of {}, {}", call.id, call.started, call.scenario)];
    for event in events {
        lines.extend(described(event));
    }
    lines.join("\n")
}

fn described(event: &CallEvent) -> Option<String> {
    let at = |ms: u64| format!("{:>7.2} s", ms as f64 / 1000.0);
    Some(match &event.kind {
        EventKind::AgentSaid { text, from_ms, heard_ms, length_ms, .. } => {
            let cut = if heard_ms < length_ms { " [interrupted]" } else { "" };
            format!("{}  Radline: {}{cut}", at(*from_ms), text.expose())
        }
        EventKind::CallerSaid { words, from_ms, .. } => {
            let words = words.expose().as_deref().unwrap_or("[not recorded]");
            format!("{}  Caller:  {words}", at(*from_ms))
        }
        EventKind::KeysPressed { count } => {
            format!("{}  Caller:  [{count} keys]", at(event.at_ms))
        }
        EventKind::RedFlagRaised { class } => {
            format!("{}  ! red flag: {}", at(event.at_ms), class.key())
        }
        EventKind::SupervisorRaised { class } => {
            format!("{}  ! red flag at second reading: {}", at(event.at_ms), class.key())
        }
        EventKind::HeardOtherwise => {
            format!("{}  ! heard otherwise at second reading", at(event.at_ms))
        }
        EventKind::ActionAnswered { action, outcome } => {
            format!("{}  > {action}: {outcome}", at(event.at_ms))
        }
        EventKind::Escalated { reason } => {
            format!("{}  > a person is needed: {}", at(event.at_ms), reason.key())
        }
        EventKind::QueuedForPerson => {
            format!("{}  [waits on the line for a person]", at(event.at_ms))
        }
        EventKind::PersonJoined { waited_ms } => {
            format!("{}  [a person takes over, after {}]", at(event.at_ms), at(*waited_ms).trim())
        }
        EventKind::PersonSaid { words, from_ms, .. } => {
            let words = words.expose().as_deref().unwrap_or("[not recorded]");
            format!("{}  Person:  {words}", at(*from_ms))
        }
        EventKind::TransferTried { outcome } => {
            format!("{}  > transfer by the exchange: {}", at(event.at_ms), outcome.key())
        }
        EventKind::EscalationEnded { outcome } => {
            format!("{}  > the need for a person: {}", at(event.at_ms), outcome.key())
        }
        EventKind::WordingBlocked { by, because, words, .. } => {
            let words = words.expose();
            format!("{}  ! words of {by} not spoken, {because}: {words}", at(event.at_ms))
        }
        EventKind::DraftDecided { verdict, by, waited_ms, .. } => {
            let after = at(*waited_ms);
            format!(
                "{}  > draft {} by {by}, after {}",
                at(event.at_ms),
                verdict.key(),
                after.trim()
            )
        }
        EventKind::Problem { what } => format!("{}  ! {what}", at(event.at_ms)),
        EventKind::BargeIn { .. } => format!("{}  [interrupted]", at(event.at_ms)),
        EventKind::TurnReopened => format!("{}  [the caller goes on]", at(event.at_ms)),
        EventKind::Held => format!("{}  [on hold]", at(event.at_ms)),
        EventKind::Resumed => format!("{}  [back]", at(event.at_ms)),
        EventKind::NothingHeard => format!("{}  [silence]", at(event.at_ms)),
        EventKind::Ended { reason } => format!("{}  [ended: {}]", at(event.at_ms), reason.key()),
        _ => return None,
    })
}

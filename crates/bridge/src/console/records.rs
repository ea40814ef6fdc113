//! Tasks, the record of calls, and today's figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use jiff::civil::Date;
use radline_call::{CallEvent, DraftVerdict, EventKind};
use radline_phi::Phi;
use radline_store::{CallEntry, CallSearch};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::answer::{Answer, Failed, done};
use super::live::followed;
use super::session::Session;
use crate::{feed, limits};

pub(super) async fn tasks(State(console): State<Arc<Console>>, session: Session) -> Answer {
    session.does(&console, "tasks", "view_tasks", "").await?;
    let now = console.now();
    let local = (console.parts.local)(now);
    let tasks = console.parts.store.tasks().await?;
    let shown: Vec<Value> = tasks
        .iter()
        .map(|task| {
            json!({
                "id": task.id,
                "call": task.call,
                "kind": task.kind,
                "reason": task.reason.replace('_', " "),
                "patient": task.patient,
                "number": task.number.expose(),
                "location": task.location.expose(),
                "story": task.story.expose(),
                "due": task.due.strftime("%Y-%m-%dT%H:%M").to_string(),
                "overdue": task.due < local,
            })
        })
        .collect();
    Ok(Json(json!({ "tasks": shown })))
}

#[derive(Deserialize)]
pub(super) struct Note {
    #[serde(default)]
    note: String,
}

pub(super) async fn task_done(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
    Json(Note { note }): Json<Note>,
) -> Answer {
    session.does(&console, "tasks", "finish_task", &id).await?;
    let now = console.now();
    if !console.parts.store.finish_task(&id, &Phi::new(note), now).await? {
        return Err(Failed::missing("open task"));
    }
    Ok(done())
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    patient: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    day: String,
}

/// Finds calls. What is looked for is health data, so it comes in the body and not in the address.
pub(super) async fn search(
    State(console): State<Arc<Console>>,
    session: Session,
    Json(asked): Json<Search>,
) -> Answer {
    session.does(&console, "calls", "search_calls", "").await?;
    let search = CallSearch {
        patient: Phi::new(asked.patient.trim().to_owned()),
        outcome: asked.outcome.trim().replace(' ', "_").to_lowercase(),
        words: Phi::new(asked.words.trim().to_owned()),
        limit: if asked.day.trim().is_empty() {
            limits::FOUND_MAX + 1
        } else {
            limits::OF_A_DAY_MAX
        },
    };
    let mut found = console.parts.store.search_calls(&search).await?;
    if let Ok(day) = asked.day.trim().parse::<Date>() {
        found.retain(|call| (console.parts.local)(call.started).date() == day);
    }
    let more = found.len() > limits::FOUND_MAX as usize;
    found.truncate(limits::FOUND_MAX as usize);
    let shown: Vec<Value> = found.iter().map(listed).collect();
    Ok(Json(json!({ "calls": shown, "more": more })))
}

fn listed(call: &CallEntry) -> Value {
    json!({
        "id": call.id,
        "started": call.started.as_millisecond(),
        "ended": call.ended.map(Timestamp::as_millisecond),
        "outcome": call.reason.as_ref().map(|reason| reason.replace('_', " ")),
        "patient": call.patient.expose(),
        "escalated": call.escalated,
        "recording": call.recording.is_some(),
    })
}

pub(super) async fn call(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.allow("calls")?;
    let entry = console.parts.store.call(&id).await?.filter(|entry| entry.id == id);
    let entry = entry.ok_or_else(|| Failed::missing("call"))?;
    console.parts.store.audit(&session.provider.name, "view_call", &id, console.now()).await?;
    let events = console.parts.store.events(&id).await?;
    let mut timeline: Vec<Value> = events.iter().filter_map(moment).collect();
    for (at, wrapped) in console.parts.store.wrap_ups(&id).await? {
        let at_ms = at.duration_since(entry.started).as_millis().max(0);
        let words = [wrapped.outcome.replace('_', " "), wrapped.note.into_exposed()];
        let words: Vec<_> = words.into_iter().filter(|part| !part.is_empty()).collect();
        let (who, how) = (wrapped.provider, wrapped.how.replace('_', " "));
        let text = format!("{who} ({how}) {}", words.join(": "));
        timeline.push(json!({ "kind": "happening", "at_ms": at_ms, "what": "note", "text": text }));
    }
    let mut shown = listed(&entry);
    shown["scenario"] = json!(entry.scenario);
    shown["timeline"] = json!(timeline);
    Ok(Json(shown))
}

/// An event as a line of the timeline.
fn moment(event: &CallEvent) -> Option<Value> {
    if let EventKind::TurnTimed(timing) = &event.kind {
        let ms = timing.voice_to_voice_ms;
        return Some(json!({ "at_ms": event.at_ms, "kind": "timing", "voice_to_voice_ms": ms }));
    }
    let (kind, mut shown) = followed(0, feed::item(event)?);
    shown["kind"] = json!(kind);
    let span = match &event.kind {
        EventKind::CallerSaid { from_ms, to_ms, .. }
        | EventKind::PersonSaid { from_ms, to_ms, .. } => Some((*from_ms, *to_ms)),
        EventKind::AgentSaid { from_ms, heard_ms, .. } => Some((*from_ms, from_ms + heard_ms)),
        _ => None,
    };
    if let Some((from, to)) = span {
        (shown["from_ms"], shown["to_ms"]) = (json!(from), json!(to));
    }
    Some(shown)
}

pub(super) async fn today(State(console): State<Arc<Console>>, session: Session) -> Answer {
    session.allow("today")?;
    let (now, store) = (console.now(), &console.parts.store);
    let local = (console.parts.local)(now);
    // Midnight by the site's clock, as a point in time.
    let since = now - (local - local.date().at(0, 0, 0, 0));
    let day = store.day(since).await?;
    let tasks = store.tasks().await?;
    let overdue = tasks.iter().filter(|task| task.due < local).count();
    let drafted = !day.drafts.is_empty();
    let count = |verdict: DraftVerdict| {
        drafted.then(|| day.drafts.iter().filter(|decided| **decided == verdict).count())
    };
    Ok(Json(json!({
        "calls": day.calls,
        "finished": day.finished,
        "escalated": day.escalated,
        "answered_by_person": day.answered_by_person,
        "median_wait_s": middle(&day.waits_ms, 50).map(|ms| ms / 1000),
        "open_tasks": tasks.len(),
        "overdue_tasks": overdue,
        "voice_to_voice_p50_ms": middle(&day.voice_to_voice_ms, 50),
        "voice_to_voice_p95_ms": middle(&day.voice_to_voice_ms, 95),
        "drafts": {
            "approved": count(DraftVerdict::Approved),
            "edited": count(DraftVerdict::Edited),
            "rejected": count(DraftVerdict::Rejected),
            "expired": count(DraftVerdict::Expired),
        },
    })))
}

/// The value below which this share of them lies, percent.
fn middle(values: &[u64], percent: usize) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len().saturating_sub(1)) * percent / 100).copied()
}

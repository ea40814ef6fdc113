//! What a browser sees as it happens: the queue, and one call. Both are event streams that resume.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use jiff::Timestamp;
use radline_phi::Phi;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::ReceiverStream;

use super::Console;
use super::answer::{Answer, Failed, done};
use super::session::Session;
use crate::bridge::{self, Bridge, PresenceHandle};
use crate::brief::Brief;
use crate::desk::{Place, QueuedCall};
use crate::escalation::Escalation;
use crate::feed::{CallState, FeedItem, Speaker};
use crate::grpc::{answer_key, level_key};
use crate::limits;
use crate::provider::{Filter, Provider};

type Stream = Sse<axum::response::sse::KeepAliveStream<ReceiverStream<Result<Event, Infallible>>>>;

/// Whether a signed-in provider takes calls: they said so, and their console is open.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<Wanted>);

#[derive(Debug, Default)]
struct Wanted {
    filter: Option<Filter>,
    /// Open consoles of the session.
    streams: usize,
    there: Option<PresenceHandle>,
    /// When the page last said that it is alive.
    alive: Option<Timestamp>,
}

impl Presence {
    /// Whether the page has said lately that it is alive. A laptop that was closed says nothing, and its
    /// connections last for many minutes.
    pub(super) fn is_alive(&self, now: Timestamp) -> bool {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.alive.is_none_or(|at| now.duration_since(at) < limits::PAGE_ALIVE)
    }

    fn is_alive_at(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).alive = Some(now);
    }

    fn change(&self, bridge: &Arc<Bridge>, who: &Provider, change: impl FnOnce(&mut Wanted)) {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = wanted.filter.clone();
        change(&mut wanted);
        let filter = wanted.filter.clone().filter(|_| wanted.streams > 0);
        let changed = filter.is_some() != wanted.there.is_some() || before != wanted.filter;
        if changed {
            let there = filter.and_then(|filter| bridge.arrive(who.clone(), filter));
            // The old presence ends after the new one began, so that nobody waits in vain between.
            wanted.there = there;
        }
    }
}

/// A console that is open.
struct Open {
    bridge: Arc<Bridge>,
    session: Session,
}

impl Open {
    fn new(bridge: Arc<Bridge>, session: Session) -> Self {
        session.presence.change(&bridge, &session.provider, |wanted| wanted.streams += 1);
        Self { bridge, session }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let (presence, who) = (Arc::clone(&self.session.presence), &self.session.provider);
        presence.change(&self.bridge, who, |wanted| wanted.streams -= 1);
    }
}

#[derive(Deserialize)]
pub(super) struct PresenceAsked {
    present: bool,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    languages: Vec<String>,
}

pub(super) async fn presence(
    State(console): State<Arc<Console>>,
    session: Session,
    Json(asked): Json<PresenceAsked>,
) -> Answer {
    let what = if asked.present { "present" } else { "away" };
    session.does(&console, "talk", what, "").await?;
    let filter = Filter { skills: asked.skills, languages: asked.languages };
    let filter = asked.present.then_some(filter);
    let change = |wanted: &mut Wanted| wanted.filter = filter;
    session.presence.change(&console.parts.bridge, &session.provider, change);
    Ok(done())
}

/// The page is alive.
pub(super) async fn alive(State(console): State<Arc<Console>>, session: Session) -> Answer {
    session.presence.is_alive_at(console.now());
    Ok(done())
}

pub(super) async fn queue(
    State(console): State<Arc<Console>>,
    session: Session,
) -> Result<Stream, Failed> {
    session.allow("queue")?;
    let (sender, receiver) = mpsc::channel(1);
    let bridge = Arc::clone(&console.parts.bridge);
    session.presence.is_alive_at(console.now());
    tokio::spawn(async move {
        let open = Open::new(Arc::clone(&bridge), session);
        let mut changes = bridge.watch();
        let mut looked = Instant::now();
        loop {
            changes.borrow_and_update();
            let shown = queue_shown(&bridge, &open.session.provider);
            let event = Event::default().event("queue").data(shown.to_string());
            // A slow browser holds this up, and gets what is true then.
            if sender.send(Ok(event)).await.is_err() {
                return;
            }
            if !bridge::until_changed(&mut changes, &sender, limits::LOOK_AGAIN).await {
                return;
            }
            if looked.elapsed() >= limits::LOOK_AGAIN {
                if !console.goes_on(&open.session).await {
                    return;
                }
                looked = Instant::now();
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()))
}

fn queue_shown(bridge: &Bridge, me: &Provider) -> Value {
    let (_, calls, now) = bridge.queue();
    let present = bridge.present().into_iter().map(|(provider, busy)| {
        json!({ "name": provider.name, "display": provider.display, "busy": busy })
    });
    let calls = calls.iter().filter(|call| call.place != Place::Finished);
    json!({
        "now": now.as_millisecond(),
        "present": present.collect::<Vec<_>>(),
        "calls": calls.map(|call| queued(call, me)).collect::<Vec<_>>(),
    })
}

fn queued(call: &QueuedCall, me: &Provider) -> Value {
    let (state, holder) = match &call.place {
        Place::Agent | Place::Finished => ("with_agent", None),
        Place::Waiting => ("waiting", None),
        Place::Claimed(holder) | Place::Provider(holder) => ("with_provider", Some(holder)),
    };
    let name = call.name.as_ref().map(|name| name.expose().as_str());
    json!({
        "call": call.call,
        "state": state,
        "began": call.began.as_millisecond(),
        "escalation": call.escalation.as_ref().map(escalation),
        "who": { "name": name, "verified": call.verified },
        "about": call.about.as_ref().map(|about| about.expose().as_str()),
        "provider": holder.map(|holder| holder.display.as_str()),
        "mine": holder.is_some_and(|holder| holder.name == me.name),
        "draft": call.draft,
    })
}

fn escalation(need: &Escalation) -> Value {
    let since = need.since.as_millisecond();
    let due = since + limits::service_level(need.urgency).as_millis() as i64;
    json!({
        "reason": need.reason.key(),
        "reason_text": need.text(),
        "urgency": need.urgency,
        "since": since,
        "due": due,
        "skills": need.skills,
        "language": need.language,
        "trigger": need.trigger.as_ref().map(|words| words.expose().as_str()),
    })
}

pub(super) async fn call(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Stream, Failed> {
    session.allow("queue")?;
    let after = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = after.and_then(|value| value.parse().ok()).unwrap_or(0);
    let over = || Failed::new(StatusCode::NOT_FOUND, "This call is over.");
    let mut follower = console.parts.bridge.follow(&id, after).ok_or_else(over)?;
    let who = session.provider.name.clone();
    console.parts.store.audit(&who, "follow_call", &id, console.now()).await?;
    let (sender, receiver) = mpsc::channel(limits::STREAM_AHEAD);
    tokio::spawn(async move {
        let mut looked = Instant::now();
        loop {
            let items = tokio::select! {
                items = follower.next() => items,
                () = sender.closed() => return,
                () = sleep(limits::LOOK_AGAIN) => Some(Vec::new()),
            };
            if looked.elapsed() >= limits::LOOK_AGAIN {
                if !console.goes_on(&session).await {
                    return;
                }
                looked = Instant::now();
            }
            let Some(items) = items else { return };
            for (number, item) in items {
                let (name, data) = followed(number, item);
                let event =
                    Event::default().id(number.to_string()).event(name).data(data.to_string());
                if sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()))
}

/// An item of a call's feed, as the page takes it.
pub(super) fn followed(number: u64, item: FeedItem) -> (&'static str, Value) {
    match item {
        FeedItem::Line { at_ms, who, text, source, cut } => {
            let who = match who {
                Speaker::Caller => "caller",
                Speaker::Agent => "agent",
                Speaker::Provider => "provider",
            };
            let text = text.into_exposed();
            let line = json!({
                "seq": number, "at_ms": at_ms, "who": who, "text": text, "source": source, "cut": cut,
            });
            ("line", line)
        }
        FeedItem::Happening { at_ms, what, text } => {
            ("happening", json!({ "seq": number, "at_ms": at_ms, "what": what, "text": text }))
        }
        FeedItem::Brief(known) => ("brief", brief(&known)),
        FeedItem::Draft(draft) => {
            let shown = json!({
                "draft": draft.reply.draft,
                "text": draft.reply.text.expose(),
                "sources": draft.reply.sources,
                "deadline": draft.deadline.as_millisecond(),
                "policy": draft.reply.unanswered.key(),
                "question": draft.said.as_ref().map(Phi::expose),
            });
            ("draft", shown)
        }
        FeedItem::DraftOver { draft, verdict } => {
            ("draft_over", json!({ "draft": draft, "verdict": verdict.key() }))
        }
        FeedItem::State(state) => {
            let state = match state {
                CallState::WithAgent => "with_agent",
                CallState::Waiting => "waiting",
                CallState::WithProvider => "with_provider",
                CallState::Ended => "ended",
            };
            ("call_state", json!({ "seq": number, "state": state }))
        }
    }
}

fn brief(brief: &Brief) -> Value {
    let story = &brief.story;
    let settled = story.settled.iter().map(|settled| {
        json!({
            "label": settled.label,
            "value": settled.value.expose(),
            "confirmed": settled.confirmed,
            "confidence": Value::Null,
        })
    });
    let safety = story.safety.iter().map(|answer| {
        json!({
            "question": answer.question,
            "answer": answer_key(answer.answer),
            "level": level_key(answer.level),
            "quote": answer.quote.expose(),
        })
    });
    let why = brief.escalation.as_ref().map(|need| {
        // The sentence that spoke of danger says more than the last one.
        let sentence = story.alarm.as_ref().or(need.trigger.as_ref());
        json!({
            "reason": need.reason.key(),
            "reason_text": need.text(),
            "urgency": need.urgency,
            "sentence": sentence.map(Phi::expose),
        })
    });
    let appointment = story
        .appointment
        .as_ref()
        .map(|(text, pending)| json!({ "text": text.expose(), "pending": pending }));
    json!({
        "who": {
            "name": story.name.as_ref().map(Phi::expose),
            "date_of_birth": story.date_of_birth.as_ref().map(Phi::expose),
            "verified": story.verified,
            "outbound": story.outbound,
        },
        "why": why,
        "settled": settled.collect::<Vec<_>>(),
        "open": story.open,
        "safety": safety.collect::<Vec<_>>(),
        "order": story.order.as_ref().map(|order| json!({ "text": order.expose(), "priority": null })),
        "appointment": appointment,
        "feelings": brief.feelings.iter().map(Phi::expose).collect::<Vec<_>>(),
        "next": brief.next.as_ref().map(|(text, source)| json!({ "text": text, "source": source })),
        "state": story.state,
    })
}

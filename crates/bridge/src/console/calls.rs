//! What a provider does with a call.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use radline_call::{Judgement, PersonLeft};
use radline_phi::Phi;
use serde::Deserialize;
use serde_json::json;

use super::Console;
use super::answer::{Answer, Failed, done};
use super::session::Session;
use super::talk::{self, Act};
use crate::desk::Refusal;
use crate::limits;
use crate::wrap_up::{self, Words};

pub(super) async fn claim(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.does(&console, "talk", "claim_call", &id).await?;
    console.parts.bridge.claim(&session.provider, &id)?;
    Ok(done())
}

pub(super) async fn decline(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.does(&console, "talk", "decline_call", &id).await?;
    console.parts.bridge.decline(&session.provider, &id)?;
    Ok(done())
}

#[derive(Deserialize)]
pub(super) struct Offer {
    sdp: String,
}

/// A browser brings its audio. After a page was loaded anew it claims the call again.
pub(super) async fn audio(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    Path(id): Path<String>,
    Json(offer): Json<Offer>,
) -> Answer {
    session.allow("talk")?;
    let who = session.provider;
    console.parts.bridge.claim(&who, &id)?;
    let opened = (console.parts.open_audio)(offer.sdp, peer).await;
    let (sdp, audio) = opened.map_err(|error| {
        tracing::warn!(%error, "a browser's audio could not be opened");
        Failed::new(StatusCode::BAD_REQUEST, "The sound of this browser could not be connected.")
    })?;
    console.parts.store.audit(&who.name, "talk", &id, console.now()).await?;
    let going_on = {
        let talks = console.talks();
        talks.get(&id).filter(|(holder, _)| *holder == who.name).map(|(_, sender)| sender.clone())
    };
    let refused = || Failed::new(StatusCode::CONFLICT, "The call is just ending.");
    match going_on {
        Some(sender) => {
            sender.try_send(Act::Reconnect(audio)).map_err(|_| refused())?;
        }
        None => drop(tokio::spawn(talk::talk(Arc::clone(&console), who, id, audio))),
    }
    Ok(Json(json!({ "sdp": sdp })))
}

#[derive(Deserialize)]
pub(super) struct WrapUp {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    note: String,
}

impl WrapUp {
    fn said(self, how: PersonLeft) -> Words {
        Words { how, outcome: self.outcome, note: Phi::new(self.note) }
    }
}

pub(super) async fn hand_back(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
    Json(words): Json<WrapUp>,
) -> Answer {
    session.does(&console, "talk", "hand_back", &id).await?;
    if say_goodbye(&console, &session, &id, PersonLeft::HandedBack, words)?.is_some() {
        // There was no sound yet: the caller has not noticed that anybody was there.
        console.parts.bridge.decline(&session.provider, &id)?;
    }
    Ok(done())
}

pub(super) async fn finish(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
    Json(words): Json<WrapUp>,
) -> Answer {
    session.does(&console, "talk", "finish_call", &id).await?;
    let who = &session.provider;
    let Some(words) = say_goodbye(&console, &session, &id, PersonLeft::Finished, words)? else {
        return Ok(done());
    };
    if console.parts.bridge.brief(&id).is_some() {
        let text = "Connect the sound first, or hand the caller back.";
        return Err(Failed::new(StatusCode::CONFLICT, text));
    }
    // The caller hung up first; the note is kept all the same.
    if !console.parts.store.has_wrap_up(&id, &who.name).await? {
        return Err(Refusal::NotYours.into());
    }
    let words = words.said(PersonLeft::Finished);
    wrap_up::keep(&console.parts.store, console.now(), who, &id, words).await;
    Ok(done())
}

#[derive(Deserialize)]
pub(super) struct Word {
    verdict: String,
    #[serde(default)]
    text: String,
}

/// A provider's word about a draft.
pub(super) async fn judge(
    State(console): State<Arc<Console>>,
    session: Session,
    Path((id, draft)): Path<(String, u64)>,
    Json(word): Json<Word>,
) -> Answer {
    session.allow("talk")?;
    let judgement = match word.verdict.as_str() {
        "approve" => Judgement::Approve,
        "reject" => Judgement::Reject,
        "edit" if !word.text.trim().is_empty() => {
            Judgement::Edit(Phi::new(word.text.trim().chars().take(limits::NOTE_MAX).collect()))
        }
        _ => {
            let text = "Approve it, reject it, or say what is to be spoken instead.";
            return Err(Failed::new(StatusCode::BAD_REQUEST, text));
        }
    };
    session.does(&console, "talk", "decide_draft", &id).await?;
    console.parts.bridge.judge(&session.provider, &id, draft, judgement)?;
    Ok(done())
}

/// Ends the session's conversation in this call. Gives the words back when there is none.
fn say_goodbye(
    console: &Console,
    session: &Session,
    call: &str,
    how: PersonLeft,
    words: WrapUp,
) -> Result<Option<WrapUp>, Failed> {
    let talks = console.talks();
    let Some((who, sender)) = talks.get(call) else { return Ok(Some(words)) };
    if *who != session.provider.name {
        return Err(Refusal::NotYours.into());
    }
    // A second goodbye changes nothing.
    drop(sender.try_send(Act::Goodbye(words.said(how))));
    Ok(None)
}

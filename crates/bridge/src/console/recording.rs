//! A call's recording: the sound, and what it looks like.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower_http::services::ServeFile;

use super::Console;
use super::answer::{Answer, Failed};
use super::session::Session;

/// Length of a step of the picture, ms.
const STEP_MS: u32 = 100;

impl Console {
    async fn recording_of(&self, call: &str) -> Result<PathBuf, Failed> {
        let entry = self.parts.store.call(call).await?.filter(|entry| entry.id == call);
        let relative = entry.and_then(|entry| entry.recording);
        let relative = relative.ok_or_else(|| Failed::missing("recording"))?;
        Ok(self.parts.store.folder().join(relative))
    }
}

/// The sound, whole or in part, as a player asks for it.
pub(super) async fn audio(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failed> {
    session.allow("calls")?;
    let path = console.recording_of(&id).await?;
    // A player asks for many parts; the first one of a session is listening.
    if session.listens_first(&id) {
        let who = &session.provider.name;
        console.parts.store.audit(who, "listen", &id, console.now()).await?;
    }
    let served = ServeFile::new(path).try_call(request).await;
    let failed = |_| Failed::new(StatusCode::NOT_FOUND, "The recording cannot be read.");
    let mut response = served.map_err(failed)?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    Ok(response)
}

/// The loudest sample of each step, caller and agent, 0 to 255.
pub(super) async fn waveform(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.allow("calls")?;
    let path = console.recording_of(&id).await?;
    let drawn = tokio::task::spawn_blocking(move || draw(&path));
    let unread = || Failed::new(StatusCode::NOT_FOUND, "The recording cannot be read.");
    let [caller, agent] = drawn.await.ok().and_then(Result::ok).ok_or_else(unread)?;
    Ok(Json(json!({ "step_ms": STEP_MS, "caller": caller, "agent": agent })))
}

fn draw(path: &std::path::Path) -> Result<[Vec<u8>; 2], hound::Error> {
    let mut reader = hound::WavReader::open(path)?;
    let step = (reader.spec().sample_rate * STEP_MS / 1000).max(1) as usize;
    let mut peaks = [Vec::new(), Vec::new()];
    let mut loudest = [0u16; 2];
    for (place, sample) in reader.samples::<i16>().enumerate() {
        let (channel, at) = (place % 2, place / 2);
        loudest[channel] = loudest[channel].max(sample?.unsigned_abs());
        if channel == 1 && at % step == step - 1 {
            for (peaks, loudest) in peaks.iter_mut().zip(&mut loudest) {
                peaks.push((*loudest >> 7).min(255) as u8);
                *loudest = 0;
            }
        }
    }
    Ok(peaks)
}

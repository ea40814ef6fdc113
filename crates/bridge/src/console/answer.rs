//! Answers: JSON, errors as sentences for people, and the headers that keep a browser on its guard.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use radline_store::StoreError;
use serde_json::{Value, json};

use crate::credentials::AccountError;
use crate::desk::Refusal;

/// Everything comes from this server, no other page may frame it, and nothing is cached.
const POLICY: &str = "default-src 'self'; media-src 'self' blob: mediastream:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// An answer, or a sentence that says why there is none.
pub(super) type Answer = Result<Json<Value>, Failed>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Failed(StatusCode, String);

impl Failed {
    pub(super) fn new(status: StatusCode, text: &str) -> Self {
        Self(status, text.to_owned())
    }

    pub(super) fn missing(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("There is no such {what}."))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the console could not reach the store");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. Try again.")
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Over => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        Self(status, refusal.to_string())
    }
}

impl From<AccountError> for Failed {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string());
        let sentence = format!("{}{}.", first.unwrap_or_default(), letters.as_str());
        Self(StatusCode::UNPROCESSABLE_ENTITY, sentence)
    }
}

/// Nothing to say but that it is done.
pub(super) fn done() -> Json<Value> {
    Json(json!({}))
}

/// Puts the headers on an answer that keep a browser on its guard.
pub(super) async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Health data must not stay in a browser's cache on a shared desk.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

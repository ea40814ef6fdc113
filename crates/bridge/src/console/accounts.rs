//! Accounts: the first one, and those that a supervisor makes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Console;
use super::answer::{Answer, Failed, done};
use super::session::Session;
use crate::credentials;

#[derive(Deserialize)]
pub(super) struct NewAccount {
    #[serde(default)]
    token: String,
    name: String,
    display: String,
    #[serde(default)]
    role: String,
    password: String,
}

/// The first account, which is a supervisor's. Whoever makes it has read the server's log.
pub(super) async fn set_up(
    State(console): State<Arc<Console>>,
    Json(asked): Json<NewAccount>,
) -> Answer {
    if !console.parts.store.accounts().await?.is_empty() {
        let text = "The console is set up already. Ask a supervisor for an account.";
        return Err(Failed::new(StatusCode::CONFLICT, text));
    }
    let token = console.parts.setup_token.as_bytes();
    let right: bool = subtle::ConstantTimeEq::ct_eq(token, asked.token.trim().as_bytes()).into();
    if !right {
        let text = "This is not the set-up token. It stands in the server's log.";
        return Err(Failed::new(StatusCode::FORBIDDEN, text));
    }
    let asked = NewAccount { role: "supervisor".to_owned(), ..asked };
    let answer = make(&console, asked, "set-up").await?;
    Ok(answer)
}

pub(super) async fn list(State(console): State<Arc<Console>>, session: Session) -> Answer {
    session.allow("accounts")?;
    let accounts = console.parts.store.accounts().await?;
    let shown: Vec<_> = accounts
        .iter()
        .map(|account| {
            json!({
                "name": account.name,
                "display": account.display,
                "role": account.role.key(),
                "created": account.created.as_millisecond(),
            })
        })
        .collect();
    Ok(Json(json!({ "accounts": shown })))
}

pub(super) async fn add(
    State(console): State<Arc<Console>>,
    session: Session,
    Json(asked): Json<NewAccount>,
) -> Answer {
    session.allow("accounts")?;
    make(&console, asked, &session.provider.name).await
}

async fn make(console: &Console, asked: NewAccount, by: &str) -> Answer {
    let now = console.now();
    let NewAccount { name, display, role, password, .. } = asked;
    let hashed = tokio::task::spawn_blocking(move || {
        credentials::new_account(name.trim(), &display, &role, &password, now)
    });
    let failed = |_| Failed::new(StatusCode::INTERNAL_SERVER_ERROR, "The account was not made.");
    let (account, enrolment) = hashed.await.map_err(failed)??;
    console.parts.store.audit(by, "add_account", &account.name, now).await?;
    if !console.parts.store.add_account(&account).await? {
        let text = "There is an account of this name already.";
        return Err(Failed::new(StatusCode::CONFLICT, text));
    }
    Ok(Json(json!({ "totp_secret": enrolment.secret.0, "totp_uri": enrolment.uri.0 })))
}

pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(name): Path<String>,
) -> Answer {
    session.allow("accounts")?;
    if name == session.provider.name {
        let text = "You cannot take your own account away.";
        return Err(Failed::new(StatusCode::CONFLICT, text));
    }
    let now = console.now();
    console.parts.store.audit(&session.provider.name, "remove_account", &name, now).await?;
    if !console.parts.store.remove_account(&name).await? {
        return Err(Failed::missing("account"));
    }
    console.sessions().end(&name);
    Ok(done())
}

//! Sessions: who is signed in, what they may do, and for how long.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use jiff::Timestamp;
use radline_store::{Account, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::answer::{Answer, Failed, done};
use super::live::Presence;
use crate::provider::Provider;
use crate::{credentials, limits};

/// The cookie.
const COOKIE: &str = "radline_session";

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) provider: Provider,
    pub(super) role: Role,
    pub(super) presence: Arc<Presence>,
    /// Calls whose recordings were listened to.
    heard: Arc<Mutex<HashSet<String>>>,
    /// The secret in its cookie.
    id: String,
    csrf: String,
    began: Timestamp,
    seen: Timestamp,
}

/// Every session, by the secret in its cookie.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: HashMap<String, Session>,
    /// Failed attempts by name.
    failed: HashMap<String, Vec<Timestamp>>,
}

impl Sessions {
    fn add(&mut self, mut session: Session, now: Timestamp) -> Option<String> {
        self.open.retain(|_, session| session.is_alive(now));
        if self.open.len() >= limits::SESSIONS_MAX {
            return None;
        }
        let id = credentials::new_token().0;
        session.id.clone_from(&id);
        self.open.insert(id.clone(), session);
        Some(id)
    }

    fn find(&mut self, id: &str, now: Timestamp) -> Option<Session> {
        let session = self.open.get_mut(id)?;
        if !session.is_alive(now) {
            self.open.remove(id);
            return None;
        }
        session.seen = now;
        Some(session.clone())
    }

    /// Whether the session is open still.
    pub(super) fn is_open(&self, session: &Session, now: Timestamp) -> bool {
        self.open.get(&session.id).is_some_and(|known| known.is_alive(now))
    }

    /// Ends every session of an account.
    pub(super) fn end(&mut self, account: &str) {
        self.open.retain(|_, session| session.provider.name != account);
    }

    /// Counts an attempt to sign in, before it is looked at. Whether the name has to wait.
    fn attempt(&mut self, name: &str, now: Timestamp) -> bool {
        let recent = |at: &Timestamp| now.duration_since(*at) < limits::TRIES_WAIT;
        self.failed.retain(|_, at| at.iter().any(recent));
        let tries = self.failed.get(name).map_or(0, |at| at.iter().filter(|at| recent(at)).count());
        if tries >= limits::TRIES_MAX {
            return true;
        }
        if self.failed.len() >= limits::NAMES_MAX
            && let Some(oldest) = self.failed.iter().min_by_key(|(_, at)| at.last().copied())
        {
            // Somebody tries names; that must not keep colleagues out.
            let oldest = oldest.0.clone();
            self.failed.remove(&oldest);
        }
        let tries = self.failed.entry(name.to_owned()).or_default();
        tries.push(now);
        let extra = tries.len().saturating_sub(limits::TRIES_MAX);
        tries.drain(..extra);
        false
    }
}

impl Session {
    fn is_alive(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) < limits::SESSION_IDLE
            && now.duration_since(self.began) < limits::SESSION_MAX
    }

    /// Whether the recording of this call is listened to for the first time.
    pub(super) fn listens_first(&self, call: &str) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(call.to_owned())
    }

    /// What the role allows.
    fn may(&self) -> &'static [&'static str] {
        match self.role {
            Role::Provider => &["queue", "talk", "calls", "tasks", "today"],
            Role::Supervisor => {
                &["queue", "talk", "calls", "tasks", "today", "replies", "accounts"]
            }
            Role::Operator | Role::Researcher => &["today"],
        }
    }

    /// Refuses what the role does not allow, and writes down what is done to which record.
    pub(super) async fn does(
        &self,
        console: &Console,
        allowed: &str,
        what: &str,
        record: &str,
    ) -> Result<(), Failed> {
        self.allow(allowed)?;
        Ok(console.parts.store.audit(&self.provider.name, what, record, console.now()).await?)
    }

    /// Refuses what the role does not allow.
    pub(super) fn allow(&self, what: &str) -> Result<(), Failed> {
        if self.may().contains(&what) {
            return Ok(());
        }
        Err(Failed::new(StatusCode::FORBIDDEN, "Your account may not do that."))
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Whoever asks, signed in. Whatever changes something has to carry the session's token, which no other
/// page can read.
impl FromRequestParts<Arc<Console>> for Session {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Failed> {
        let over =
            || Failed::new(StatusCode::UNAUTHORIZED, "Your session has ended. Sign in again.");
        let id = cookie(&parts.headers).ok_or_else(over)?;
        let now = console.now();
        let session = console.sessions().find(id, now).ok_or_else(over)?;
        let token = parts.headers.get("x-radline-csrf").and_then(|value| value.to_str().ok());
        if parts.method != Method::GET && token != Some(&session.csrf) {
            let text = "This request does not come from the console. Load the page again.";
            return Err(Failed::new(StatusCode::FORBIDDEN, text));
        }
        Ok(session)
    }
}

impl Console {
    fn site(&self) -> Value {
        let site = &self.parts.site;
        json!({
            "hospital": site.hospital,
            "department": site.department,
            "demonstration": site.demonstration,
        })
    }

    fn signed_in(&self, session: &Session) -> Value {
        json!({
            "state": "signed_in",
            "site": self.site(),
            "user": {
                "name": session.provider.name,
                "display": session.provider.display,
                "role": session.role.key(),
            },
            "csrf": session.csrf,
            "may": session.may(),
        })
    }
}

pub(super) async fn show(State(console): State<Arc<Console>>, headers: HeaderMap) -> Answer {
    let now = console.now();
    let session = cookie(&headers).and_then(|id| console.sessions().find(id, now));
    if let Some(session) = session {
        return Ok(Json(console.signed_in(&session)));
    }
    let none = console.parts.store.accounts().await?.is_empty();
    let state = if none { "setup" } else { "signed_out" };
    Ok(Json(json!({ "state": state, "site": console.site(), "may": [] })))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
    code: String,
}

pub(super) async fn sign_in(
    State(console): State<Arc<Console>>,
    Json(asked): Json<SignIn>,
) -> Result<Response, Failed> {
    let now = console.now();
    let name: String = asked.name.trim().chars().take(80).collect();
    if console.sessions().attempt(&name, now) {
        let text = "Too many attempts. Wait five minutes, then try again.";
        return Err(Failed::new(StatusCode::TOO_MANY_REQUESTS, text));
    }
    let Some(account) = proved(&console, &name, asked.password, &asked.code, now).await? else {
        // What was typed there may be a password.
        let known = console.parts.store.account(&name).await?.map(|account| account.name);
        let who = known.as_deref().unwrap_or("unknown");
        console.parts.store.audit(who, "sign_in_failed", "", now).await?;
        let text = "Name, password and code do not fit together.";
        return Err(Failed::new(StatusCode::UNAUTHORIZED, text));
    };
    console.sessions().failed.remove(&account.name);
    console.parts.store.audit(&account.name, "sign_in", "", now).await?;
    let session = Session {
        provider: Provider { name: account.name, display: account.display },
        role: account.role,
        presence: Arc::default(),
        heard: Arc::default(),
        id: String::new(),
        csrf: credentials::new_token().0,
        began: now,
        seen: now,
    };
    let body = Json(console.signed_in(&session));
    let full = || Failed::new(StatusCode::SERVICE_UNAVAILABLE, "Too many people are signed in.");
    let id = console.sessions().add(session, now).ok_or_else(full)?;
    let secure = if console.parts.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={id}; Path=/console; HttpOnly; SameSite=Strict{secure}");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), body).into_response())
}

/// The account, if password and code are right. The code is used up.
async fn proved(
    console: &Console,
    name: &str,
    password: String,
    code: &str,
    now: Timestamp,
) -> Result<Option<Account>, Failed> {
    let account = console.parts.store.account(name).await?;
    // Hashing takes its time on purpose; it must not hold up calls, nor take every core from them.
    let Ok(_place) = console.hashing.acquire().await else { return Ok(None) };
    let checked = tokio::task::spawn_blocking(move || {
        let right = credentials::is_password(account.as_ref(), &password);
        account.filter(|_| right)
    });
    let Some(account) = checked.await.ok().flatten() else { return Ok(None) };
    let Some(step) = credentials::step_of_code(&account, code, now) else { return Ok(None) };
    let unused = console.parts.store.use_code(&account.name, step).await?;
    Ok(unused.then_some(account))
}

pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    session: Session,
    headers: HeaderMap,
) -> Answer {
    console.parts.store.audit(&session.provider.name, "sign_out", "", console.now()).await?;
    if let Some(id) = cookie(&headers) {
        console.sessions().open.remove(id);
    }
    Ok(done())
}

//! `radline providers` and `radline audit`.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result, bail};
use jiff::tz::TimeZone;
use radline_bridge::credentials;
use radline_bridge::grpc::token_hash;
use radline_store::Store;
use serde_json::json;

use crate::clock::Clock;
use crate::terminal;

/// Adds an account. Its password comes from standard input, so that no shell keeps it.
pub async fn add(store: &Store, name: &str, display: &str, role: &str) -> Result<()> {
    if stdin().is_terminal() {
        terminal::line("Password (it is shown while you type; pipe it in to avoid that):")?;
    }
    let mut password = String::new();
    stdin().read_line(&mut password).context("no password came on standard input")?;
    let now = Clock::real(TimeZone::UTC).moment().now;
    let password = password.trim_end_matches(['\r', '\n']);
    let (account, enrolment) = credentials::new_account(name, display, role, password, now)?;
    if !store.add_account(&account).await? {
        bail!(
            "there is an account {name} already; `radline providers remove {name}` takes it away"
        );
    }
    terminal::line(&format!("added {name} ({role})"))?;
    terminal::line(&format!("one-time codes: {}", enrolment.secret.0))?;
    terminal::line(&format!("for an authenticator: {}", enrolment.uri.0))
}

/// Lists accounts.
pub async fn list(store: &Store, as_json: bool) -> Result<()> {
    for account in store.accounts().await? {
        let (name, display, role) = (&account.name, &account.display, account.role.key());
        terminal::line(&if as_json {
            let created = account.created.to_string();
            json!({ "name": name, "display": display, "role": role, "created": created })
                .to_string()
        } else {
            format!("{name:20} {role:12} {display}")
        })?;
    }
    Ok(())
}

/// Takes an account away.
pub async fn remove(store: &Store, name: &str) -> Result<()> {
    if !store.remove_account(name).await? {
        bail!("there is no account {name}; `radline providers list` shows them");
    }
    terminal::line(&format!("removed {name}"))
}

/// Prints the one-time code of now.
pub async fn code(store: &Store, name: &str) -> Result<()> {
    let Some(account) = store.account(name).await? else {
        bail!("there is no account {name}; `radline providers list` shows them");
    };
    let now = Clock::real(TimeZone::UTC).moment().now;
    let code = credentials::code_of(&account, now).context("this account has no one-time codes")?;
    terminal::line(&code)
}

/// Makes a bearer token.
pub async fn token(store: &Store, name: &str) -> Result<()> {
    if store.account(name).await?.is_none() {
        bail!("there is no account {name}; `radline providers list` shows them");
    }
    let token = credentials::new_token();
    store.add_token(&token_hash(&token.0), name, Clock::real(TimeZone::UTC).moment().now).await?;
    terminal::line(&token.0)
}

/// Prints the audit, and whether it is whole.
pub async fn audit(store: &Store, as_json: bool) -> Result<()> {
    let (entries, broken) = store.audit_trail().await?;
    for entry in &entries {
        terminal::line(&if as_json {
            serde_json::to_string(entry)?
        } else {
            format!(
                "{:6} {} {:16} {:16} {}",
                entry.seq, entry.at, entry.who, entry.what, entry.record
            )
        })?;
    }
    if let Some(seq) = broken {
        bail!("line {seq} of the audit does not fit the one before: it was changed or taken out");
    }
    Ok(())
}

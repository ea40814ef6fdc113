//! Autonomy from measured acceptance: how providers judged each kind of reply, and who has granted which of
//! them to be spoken without asking. The trial that this line follows had every reply approved; a site gives
//! that up reply by reply, by name, and can take it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use radline_call::EventKind;
use radline_store::{Acceptance, BlockedWording, Grant};
use serde_json::{Value, json};

use super::Console;
use super::answer::{Answer, Failed, done};
use super::session::Session;
use crate::limits;

pub(super) async fn list(State(console): State<Arc<Console>>, session: Session) -> Answer {
    session.allow("replies")?;
    let store = &console.parts.store;
    let (mut acceptance, grants) = (store.acceptance().await?, store.grants().await?);
    for grant in &grants {
        acceptance.entry(grant.state.clone()).or_default();
    }
    let shown: Vec<Value> = acceptance
        .iter()
        .map(|(state, judged)| {
            let grant = grants.iter().find(|grant| grant.state == *state);
            json!({
                "state": state,
                "approved": judged.approved,
                "edited": judged.edited,
                "rejected": judged.rejected,
                "expired": judged.expired,
                "decided": judged.decided(),
                "at_least": at_least(judged.approved, judged.decided()),
                "grantable": judged.decided() >= limits::GRANT_DRAFTS_MIN,
                "granted_by": grant.map(|grant| &grant.by),
                "granted_at": grant.map(|grant| grant.at.as_millisecond()),
            })
        })
        .collect();
    let blocked = store.blocked_wordings(limits::BLOCKED_SHOWN).await?;
    let calls: BTreeSet<&str> = blocked.iter().map(|wording| wording.call.as_str()).collect();
    for call in calls {
        store.audit(&session.provider.name, "view_blocked_wording", call, console.now()).await?;
    }
    let blocked: Vec<Value> = blocked.into_iter().filter_map(blocked_shown).collect();
    Ok(Json(json!({
        "replies": shown,
        "drafts_min": limits::GRANT_DRAFTS_MIN,
        "blocked": blocked,
    })))
}

/// Words that were not spoken, beside the approved ones that they disagree with.
fn blocked_shown(wording: BlockedWording) -> Option<Value> {
    let EventKind::WordingBlocked { by, because, words, approved, .. } = wording.event.kind else {
        return None;
    };
    Some(json!({
        "call": wording.call,
        "at": wording.started.as_millisecond() + wording.event.at_ms as i64,
        "by": by,
        "because": because,
        "words": words.into_exposed(),
        "approved": approved.into_exposed(),
    }))
}

pub(super) async fn grant(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(state): Path<String>,
) -> Answer {
    session.does(&console, "replies", "grant_reply", &state).await?;
    let store = &console.parts.store;
    let judged: Acceptance = store.acceptance().await?.get(&state).copied().unwrap_or_default();
    if judged.decided() < limits::GRANT_DRAFTS_MIN {
        let text = format!(
            "Only {} drafts of this reply were judged; {} are needed before it can be granted.",
            judged.decided(),
            limits::GRANT_DRAFTS_MIN
        );
        return Err(Failed::new(StatusCode::CONFLICT, &text));
    }
    let grant = Grant {
        state,
        by: session.provider.name.clone(),
        at: console.now(),
        decided: judged.decided(),
        approved: judged.approved,
    };
    if !store.grant(&grant).await? {
        return Err(Failed::new(StatusCode::CONFLICT, "This reply is granted already."));
    }
    Ok(done())
}

pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    session: Session,
    Path(state): Path<String>,
) -> Answer {
    session.does(&console, "replies", "revoke_reply", &state).await?;
    let by = &session.provider.name;
    if !console.parts.store.revoke(&state, by, console.now()).await? {
        return Err(Failed::missing("grant"));
    }
    Ok(done())
}

/// The share of approved drafts that the true one is above with a probability of 97.5 %: the lower end of
/// Wilson's 95 % interval (Wilson, J Am Stat Assoc 1927; 22: 209–212).
fn at_least(approved: u64, decided: u64) -> Option<f64> {
    const Z: f64 = 1.959_964;
    if decided == 0 {
        return None;
    }
    let (n, share) = (decided as f64, approved as f64 / decided as f64);
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((middle - spread) / (1.0 + Z * Z / n)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_drafts_say_little() {
        assert_eq!(at_least(0, 0), None);
        // Worked by hand: 10 of 10 and 30 of 30 have the lower ends n / (n + z²).
        for (count, expected) in [(10, 10.0 / 13.841_459), (30, 30.0 / 33.841_459)] {
            let bound = at_least(count, count).expect("some");
            assert!((bound - expected).abs() < 1e-4, "{bound} is not {expected}");
        }
        assert!(at_least(0, 10).expect("some") < 1e-9);
    }
}

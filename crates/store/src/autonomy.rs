//! Supervised mode's measure: how providers judged each kind of reply, and which kinds need no judgement any
//! more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use radline_call::{CallEvent, DraftVerdict};
use sqlx::Row;

use crate::database::{Store, StoreError, body};

/// How drafts of one kind of reply were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acceptance {
    /// Spoken as they were.
    pub approved: u64,
    /// Spoken in other words.
    pub edited: u64,
    /// Not spoken.
    pub rejected: u64,
    /// Nobody decided in time.
    pub expired: u64,
}

impl Acceptance {
    /// Drafts that a person decided about.
    pub const fn decided(&self) -> u64 {
        self.approved + self.edited + self.rejected
    }
}

/// Words of a person that were not spoken, because they say something else than the record.
#[derive(Debug, Clone)]
pub struct BlockedWording {
    /// The call.
    pub call: String,
    /// When the call began.
    pub started: Timestamp,
    /// The event.
    pub event: CallEvent,
}

/// A kind of reply that is spoken without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The dialogue's state that the reply leads to.
    pub state: String,
    /// The account that granted it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Drafts that persons had decided about by then.
    pub decided: u64,
    /// Of them, approved as they were.
    pub approved: u64,
}

impl Store {
    /// How drafts were judged, by the dialogue's state that they lead to.
    pub async fn acceptance(&self) -> Result<BTreeMap<String, Acceptance>, StoreError> {
        let rows = sqlx::query(
            "SELECT json_extract(draft.body, '$.state') AS state,
                    json_extract(decision.body, '$.verdict') AS verdict, count(*) AS drafts
             FROM call_event AS decision
             JOIN call_event AS draft ON draft.call_id = decision.call_id
               AND json_extract(draft.body, '$.event') = 'drafted'
               AND json_extract(draft.body, '$.draft') = json_extract(decision.body, '$.draft')
             WHERE json_extract(decision.body, '$.event') = 'draft_decided'
             GROUP BY 1, 2",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut acceptance = BTreeMap::<String, Acceptance>::new();
        for row in rows {
            let verdict: String = row.try_get("verdict")?;
            let drafts = row.try_get::<i64, _>("drafts")? as u64;
            let known = acceptance.entry(row.try_get("state")?).or_default();
            let verdict = serde_json::from_value(verdict.into())
                .map_err(|_| StoreError::Corrupt { what: "verdict" })?;
            match verdict {
                DraftVerdict::Approved => known.approved += drafts,
                DraftVerdict::Edited => known.edited += drafts,
                DraftVerdict::Rejected => known.rejected += drafts,
                DraftVerdict::Expired => known.expired += drafts,
                DraftVerdict::Withdrawn | DraftVerdict::TakenOver => {}
            }
        }
        Ok(acceptance)
    }

    /// The latest words that were not spoken, newest first.
    pub async fn blocked_wordings(&self, most: u32) -> Result<Vec<BlockedWording>, StoreError> {
        let rows = sqlx::query(
            "SELECT call.id, call.started, body FROM call_event JOIN call ON call.id = call_id
             WHERE json_extract(body, '$.event') = 'wording_blocked'
             ORDER BY call.started DESC, call.rowid DESC, seq DESC LIMIT ?",
        )
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(BlockedWording {
                    call: row.try_get("id")?,
                    started: Timestamp::from_second(row.try_get("started")?)
                        .map_err(|_| StoreError::Corrupt { what: "call" })?,
                    event: body(row, "event")?,
                })
            })
            .collect()
    }

    /// The kinds of reply that are spoken without asking.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM grant_of_reply WHERE revoked_at IS NULL ORDER BY state")
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(Grant {
                    state: row.try_get("state")?,
                    by: row.try_get("granted_by")?,
                    at: Timestamp::from_second(row.try_get("granted_at")?)
                        .map_err(|_| StoreError::Corrupt { what: "grant" })?,
                    decided: row.try_get::<i64, _>("decided")? as u64,
                    approved: row.try_get::<i64, _>("approved")? as u64,
                })
            })
            .collect()
    }

    /// Grants a kind of reply. False if it is granted already.
    pub async fn grant(&self, grant: &Grant) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO grant_of_reply (state, granted_by, granted_at, decided, approved)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&grant.state)
        .bind(&grant.by)
        .bind(grant.at.as_second())
        .bind(grant.decided as i64)
        .bind(grant.approved as i64)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a grant back. False if there is none.
    pub async fn revoke(&self, state: &str, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE grant_of_reply SET revoked_by = ?, revoked_at = ?
             WHERE state = ? AND revoked_at IS NULL",
        )
        .bind(by)
        .bind(now.as_second())
        .bind(state)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

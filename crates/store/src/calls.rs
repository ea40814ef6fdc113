//! The record of calls.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use radline_call::{CallEvent, DraftVerdict, EndReason, EventKind};
use radline_phi::{Phi, stored};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::database::{Store, StoreError, body};

/// A call that begins.
#[derive(Debug, Clone)]
pub struct CallStart {
    /// Its record.
    pub id: String,
    /// When.
    pub started: Timestamp,
    /// Address of the other side: a host and port, never a caller's number.
    pub peer: String,
    /// Scenario and version.
    pub scenario: String,
}

/// A call in the record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallEntry {
    /// Its record.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it lasts, or when the server died.
    pub ended: Option<Timestamp>,
    /// Address of the other side.
    pub peer: String,
    /// Scenario and version.
    pub scenario: String,
    /// Why it ended.
    pub reason: Option<String>,
    /// The recording, relative to the data folder.
    pub recording: Option<String>,
    /// The patient's name, once two identifiers matched.
    #[serde(with = "stored")]
    pub patient: Phi<Option<String>>,
    /// Whether a person was needed.
    pub escalated: bool,
}

/// What is looked for in the record of calls; nothing counts where it is empty.
#[derive(Debug, Clone)]
pub struct CallSearch {
    /// A part of the patient's name.
    pub patient: Phi<String>,
    /// Why the call ended, or a part of that.
    pub outcome: String,
    /// Words that were said.
    pub words: Phi<String>,
    /// How many calls at most.
    pub limit: u32,
}

/// The figures of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// Calls that began.
    pub calls: usize,
    /// Calls that came to their end.
    pub finished: usize,
    /// Calls for which a person was needed.
    pub escalated: usize,
    /// Calls that a person took over.
    pub answered_by_person: usize,
    /// How long callers waited on the line until a person was there, ms.
    pub waits_ms: Vec<u64>,
    /// From the end of the caller's speech to the agent's voice, ms.
    pub voice_to_voice_ms: Vec<u64>,
    /// What became of drafts.
    pub drafts: Vec<DraftVerdict>,
}

impl Store {
    /// Begins the record of a call.
    pub async fn begin_call(&self, call: &CallStart) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO call (id, started, peer, scenario) VALUES (?, ?, ?, ?)")
            .bind(&call.id)
            .bind(call.started.as_second())
            .bind(&call.peer)
            .bind(&call.scenario)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Appends events to the record, in order, from number `first` on.
    pub async fn append(
        &self,
        call: &str,
        first: u64,
        events: &[CallEvent],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (event, seq) in events.iter().zip(first..) {
            let body = serde_json::to_string(event);
            sqlx::query("INSERT INTO call_event (call_id, seq, body) VALUES (?, ?, ?)")
                .bind(call)
                .bind(seq as i64)
                .bind(body.map_err(|_| StoreError::Corrupt { what: "event" })?)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Ends the record of a call and frees whatever the call still held.
    pub async fn end_call(
        &self,
        call: &str,
        ended: Timestamp,
        reason: EndReason,
        recording: Option<&Path>,
    ) -> Result<(), StoreError> {
        self.release(call).await?;
        let recording = recording.and_then(|path| self.relative(path));
        sqlx::query("UPDATE call SET ended = ?, reason = ?, recording = ? WHERE id = ?")
            .bind(ended.as_second())
            .bind(reason.key())
            .bind(recording)
            .bind(call)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes who the patient of a call was, and whether a person was needed.
    pub async fn describe_call(
        &self,
        call: &str,
        patient: Option<&Phi<String>>,
        escalated: bool,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE call SET patient = ?, escalated = ? WHERE id = ?")
            .bind(patient.map(Phi::expose))
            .bind(escalated)
            .bind(call)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Calls that fit a search, newest first.
    pub async fn search_calls(&self, search: &CallSearch) -> Result<Vec<CallEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM call
             WHERE (?1 = '' OR instr(lower(coalesce(patient, '')), lower(?1)) > 0)
               AND (?2 = '' OR instr(coalesce(reason, ''), ?2) > 0)
               AND (?3 = '' OR EXISTS (
                     SELECT 1 FROM call_event
                     WHERE call_event.call_id = call.id
                       AND (coalesce(json_extract(body, '$.words'), '') LIKE ?4 ESCAPE '!'
                            OR coalesce(json_extract(body, '$.text'), '') LIKE ?4 ESCAPE '!')))
             ORDER BY started DESC, rowid DESC LIMIT ?5",
        )
        .bind(search.patient.expose())
        .bind(&search.outcome)
        .bind(search.words.expose())
        .bind(pattern(search.words.expose()))
        .bind(search.limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// The figures of the calls that began since then.
    pub async fn day(&self, since: Timestamp) -> Result<Day, StoreError> {
        let rows = sqlx::query("SELECT * FROM call WHERE started >= ?")
            .bind(since.as_second())
            .fetch_all(&self.pool)
            .await?;
        let calls = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let mut day = Day {
            calls: calls.len(),
            finished: calls
                .iter()
                .filter(|call| call.reason.as_deref() == Some("finished"))
                .count(),
            escalated: calls.iter().filter(|call| call.escalated).count(),
            ..Day::default()
        };
        let rows = sqlx::query(
            "SELECT body FROM call_event JOIN call ON call.id = call_event.call_id
             WHERE call.started >= ?
               AND json_extract(body, '$.event') IN ('person_joined', 'turn_timed', 'draft_decided')",
        )
        .bind(since.as_second())
        .fetch_all(&self.pool)
        .await?;
        for row in rows {
            let event: CallEvent = body(&row, "event")?;
            match event.kind {
                EventKind::PersonJoined { waited_ms } => day.waits_ms.push(waited_ms),
                EventKind::DraftDecided { verdict, .. } => day.drafts.push(verdict),
                EventKind::TurnTimed(timing) => {
                    day.voice_to_voice_ms.push(timing.voice_to_voice_ms);
                }
                _ => {}
            }
        }
        day.answered_by_person = day.waits_ms.len();
        Ok(day)
    }

    /// Every call, newest first.
    pub async fn calls(&self) -> Result<Vec<CallEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM call ORDER BY started DESC, rowid DESC")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(entry).collect()
    }

    /// The call whose record number begins with `prefix`, if there is exactly one.
    pub async fn call(&self, prefix: &str) -> Result<Option<CallEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM call WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2")
            .bind(prefix)
            .fetch_all(&self.pool)
            .await?;
        match &rows[..] {
            [row] => entry(row).map(Some),
            _ => Ok(None),
        }
    }

    /// A call's events, in order.
    pub async fn events(&self, call: &str) -> Result<Vec<CallEvent>, StoreError> {
        let rows = sqlx::query("SELECT body FROM call_event WHERE call_id = ? ORDER BY seq")
            .bind(call)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| body(row, "event")).collect()
    }

    /// A file's path as the database keeps it: relative to the folder, which may be moved.
    pub(crate) fn relative(&self, path: &Path) -> Option<String> {
        path.strip_prefix(self.folder()).ok().map(|path| path.display().to_string())
    }

    /// Where a call's recording belongs.
    pub fn recording_path(&self, call: &str) -> PathBuf {
        self.folder().join("recordings").join(format!("{call}.wav"))
    }
}

/// Words anywhere in a text, for LIKE.
fn pattern(words: &str) -> String {
    let plain = words.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

fn entry(row: &SqliteRow) -> Result<CallEntry, StoreError> {
    let time = |seconds: i64| {
        Timestamp::from_second(seconds).map_err(|_| StoreError::Corrupt { what: "call" })
    };
    let ended: Option<i64> = row.try_get("ended")?;
    Ok(CallEntry {
        id: row.try_get("id")?,
        started: time(row.try_get("started")?)?,
        ended: ended.map(time).transpose()?,
        peer: row.try_get("peer")?,
        scenario: row.try_get("scenario")?,
        reason: row.try_get("reason")?,
        recording: row.try_get("recording")?,
        patient: Phi::new(row.try_get("patient")?),
        escalated: row.try_get("escalated")?,
    })
}

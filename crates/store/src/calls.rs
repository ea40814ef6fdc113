//! The record of calls.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use radline_call::{CallEvent, EndReason};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::database::{Store, StoreError};

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

    /// Marks calls that a dead server left open.
    pub async fn close_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM call WHERE ended IS NULL").fetch_all(&self.pool).await?;
        for row in &rows {
            let id: String = row.try_get("id")?;
            // What was recorded until then is kept; its head is never older than a few seconds.
            let path = self.recording_path(&id);
            let recording = path.exists().then(|| self.relative(&path)).flatten();
            let sql =
                "UPDATE call SET ended = ?, reason = 'server_lost', recording = ? WHERE id = ?";
            sqlx::query(sql)
                .bind(now.as_second())
                .bind(recording)
                .bind(&id)
                .execute(&self.pool)
                .await?;
        }
        Ok(rows.len() as u64)
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
        let event = |row: &SqliteRow| {
            let body: String = row.try_get("body")?;
            serde_json::from_str(&body).map_err(|_| StoreError::Corrupt { what: "event" })
        };
        rows.iter().map(event).collect()
    }

    /// A file's path as the database keeps it: relative to the folder, which may be moved.
    fn relative(&self, path: &Path) -> Option<String> {
        path.strip_prefix(self.folder()).ok().map(|path| path.display().to_string())
    }

    /// Where a call's recording belongs.
    pub fn recording_path(&self, call: &str) -> PathBuf {
        self.folder().join("recordings").join(format!("{call}.wav"))
    }
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
    })
}

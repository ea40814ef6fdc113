//! Who looked at what, and who did what: append-only, each line's hash over the one before.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::Row;

use crate::database::{Store, StoreError};

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Counts from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The account.
    pub who: String,
    /// What they did, such as "view_call".
    pub what: String,
    /// The record that it was done to.
    pub record: String,
}

impl Store {
    /// Adds a line.
    pub async fn audit(
        &self,
        who: &str,
        what: &str,
        record: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let last = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *transaction)
            .await?;
        let (seq, before): (i64, String) = match last {
            Some(row) => (row.try_get::<i64, _>("seq")? + 1, row.try_get("hash")?),
            None => (1, String::new()),
        };
        let at = now.as_second();
        sqlx::query(
            "INSERT INTO audit (seq, at, who, what, record, hash) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(seq)
        .bind(at)
        .bind(who)
        .bind(what)
        .bind(record)
        .bind(hash(&before, seq, at, [who, what, record]))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Every line, oldest first, and the number of the first one that does not fit the one before.
    pub async fn audit_trail(&self) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
        let rows = sqlx::query("SELECT * FROM audit ORDER BY seq").fetch_all(&self.pool).await?;
        let (mut entries, mut broken, mut before) = (Vec::new(), None, String::new());
        for (place, row) in rows.iter().enumerate() {
            let (seq, at): (i64, i64) = (row.try_get("seq")?, row.try_get("at")?);
            let [who, what, record, kept]: [String; 4] = [
                row.try_get("who")?,
                row.try_get("what")?,
                row.try_get("record")?,
                row.try_get("hash")?,
            ];
            let expected = hash(&before, seq, at, [&who, &what, &record]);
            if broken.is_none() && (kept != expected || seq != place as i64 + 1) {
                broken = Some(seq);
            }
            before = kept;
            let corrupt = |_| StoreError::Corrupt { what: "audit" };
            let at = Timestamp::from_second(at).map_err(corrupt)?;
            entries.push(AuditEntry { seq, at, who, what, record });
        }
        Ok((entries, broken))
    }
}

fn hash(before: &str, seq: i64, at: i64, words: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    // Lengths keep "ab" + "c" and "a" + "bc" apart.
    for part in [before, &seq.to_string(), &at.to_string()].into_iter().chain(words) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

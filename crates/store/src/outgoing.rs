//! Calls that the clinic places: who waits to be called, and what came of it.

use jiff::{SignedDuration, Timestamp};
use radline_dialogue::Called;
use radline_phi::{Phi, stored};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::clinic;
use crate::database::{Store, StoreError};

/// A call that nobody could place for so long is not placed any more: what it was to say may be past.
const WAITS_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What came of a call that the clinic placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialOutcome {
    /// Somebody, or something, answered: the call's record says the rest.
    Answered,
    /// They were talking.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// They did not take it.
    Declined,
    /// No way leads there.
    Unreachable,
    /// The appointment does not stand any more, or the patient wants no calls.
    Withdrawn,
    /// It waited for too long.
    TooLate,
    /// The server ended before it was known.
    Interrupted,
}

impl DialOutcome {
    /// As it is stored and shown.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Declined => "declined",
            Self::Unreachable => "unreachable",
            Self::Withdrawn => "withdrawn",
            Self::TooLate => "too_late",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A call to place now.
#[derive(Debug, Clone)]
pub struct OutgoingCall {
    /// Its record.
    pub id: i64,
    /// Whom it is for; nobody when the appointment does not stand any more or the patient wants no calls.
    pub called: Option<Called>,
    /// The patient's number, digits.
    pub number: Phi<Option<String>>,
    /// A SIP address that was named instead of the number.
    pub target: Phi<Option<String>>,
}

/// A placed or waiting call, as it is listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutgoingEntry {
    /// Its record.
    pub id: i64,
    /// The appointment that it is about.
    pub appointment: String,
    /// The patient's name.
    #[serde(with = "stored")]
    pub patient_name: Phi<String>,
    /// When it was asked for.
    pub wanted: Timestamp,
    /// When it was dialled.
    pub dialled: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<String>,
    /// The call's record, when somebody answered.
    pub call: Option<String>,
}

impl Store {
    /// Has the patient of an appointment called, at `target` if one is named. False when such a call waits
    /// already.
    pub async fn want_call(
        &self,
        appointment: &str,
        target: Option<&Phi<String>>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO outgoing_call (appointment_id, target, wanted) VALUES (?, ?, ?)
            ON CONFLICT DO NOTHING";
        let result = sqlx::query(sql)
            .bind(appointment)
            .bind(target.map(Phi::expose))
            .bind(now.as_second())
            .execute(&self.pool)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// The call that has waited longest, from now on dialled. What waited for too long is given up.
    pub async fn next_outgoing_call(
        &self,
        now: Timestamp,
    ) -> Result<Option<OutgoingCall>, StoreError> {
        let too_late = "UPDATE outgoing_call SET outcome = ?
            WHERE dialled IS NULL AND outcome IS NULL AND wanted < ?";
        sqlx::query(too_late)
            .bind(DialOutcome::TooLate.key())
            .bind((now - WAITS_MAX).as_second())
            .execute(&self.pool)
            .await?;
        let sql = "UPDATE outgoing_call SET dialled = ? WHERE id =
                (SELECT id FROM outgoing_call WHERE dialled IS NULL AND outcome IS NULL
                 ORDER BY wanted, id LIMIT 1)
            RETURNING id, appointment_id, target";
        let row = sqlx::query(sql).bind(now.as_second()).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let appointment: String = row.try_get("appointment_id")?;
        let sql = "SELECT p.* FROM appointment AS a JOIN patient AS p ON p.id = a.patient_id
            WHERE a.id = ?";
        let patient = sqlx::query(sql).bind(&appointment).fetch_one(&self.pool).await?;
        Ok(Some(OutgoingCall {
            id: row.try_get("id")?,
            called: self.called_for(&appointment).await?,
            number: clinic::patient(&patient)?.phone,
            target: Phi::new(row.try_get("target")?),
        }))
    }

    /// Keeps what came of a call, and its record when somebody answered.
    pub async fn outgoing_call_ended(
        &self,
        id: i64,
        outcome: DialOutcome,
        call: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE outgoing_call SET outcome = ?, call_id = ? WHERE id = ?";
        sqlx::query(sql).bind(outcome.key()).bind(call).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Gives up the calls that a dead server was placing. They are not placed again by themselves: the
    /// patient may have answered.
    pub async fn close_outgoing_orphans(&self) -> Result<u64, StoreError> {
        let sql = "UPDATE outgoing_call SET outcome = ?
            WHERE dialled IS NOT NULL AND outcome IS NULL";
        let key = DialOutcome::Interrupted.key();
        Ok(sqlx::query(sql).bind(key).execute(&self.pool).await?.rows_affected())
    }

    /// Every call that the clinic has placed or is to place, newest first.
    pub async fn outgoing_calls(&self) -> Result<Vec<OutgoingEntry>, StoreError> {
        let sql = "SELECT o.*, p.given_name, p.family_name FROM outgoing_call AS o
            JOIN appointment AS a ON a.id = o.appointment_id
            JOIN patient AS p ON p.id = a.patient_id ORDER BY o.id DESC";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &SqliteRow) -> Result<OutgoingEntry, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "outgoing call" };
    let time = |second: i64| Timestamp::from_second(second).map_err(corrupt);
    let (given, family): (String, String) =
        (row.try_get("given_name")?, row.try_get("family_name")?);
    Ok(OutgoingEntry {
        id: row.try_get("id")?,
        appointment: row.try_get("appointment_id")?,
        patient_name: Phi::new(format!("{given} {family}")),
        wanted: time(row.try_get("wanted")?)?,
        dialled: row.try_get::<Option<i64>, _>("dialled")?.map(time).transpose()?,
        outcome: row.try_get("outcome")?,
        call: row.try_get("call_id")?,
    })
}

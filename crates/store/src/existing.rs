//! What becomes of appointments that exist: found, moved, given up, prepared for.

use radline_clinic::{AppointmentStatus, Office};
use radline_dialogue::{ActionOutcome, AppointmentFacts, Called};
use radline_phi::Phi;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::clinic::{Moment, end_hold, order, patient, slot, was_free};
use crate::database::{Store, StoreError};
use crate::tasks::NewTask;

/// Appointments named in one call, at most. More than a listener can tell apart.
const APPOINTMENTS_MAX: i64 = 8;

impl Store {
    /// The patient's appointments that have not begun, earliest first.
    pub(crate) async fn find_appointments(
        &self,
        moment: Moment,
        patient: &str,
    ) -> Result<ActionOutcome, StoreError> {
        let sql = "SELECT a.id AS appointment_id, a.status, s.*, r.body
            FROM appointment AS a JOIN slot AS s ON s.id = a.slot_id
            JOIN service_request AS r ON r.id = a.order_id
            WHERE a.patient_id = ? AND a.status IN ('booked', 'pending') AND s.start >= ?
            ORDER BY s.start LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(patient)
            .bind(moment.local.to_string())
            .bind(APPOINTMENTS_MAX)
            .fetch_all(&self.pool)
            .await?;
        let mut found = Vec::new();
        for row in &rows {
            let slot = slot(row)?;
            let status: String = row.try_get("status")?;
            found.push(AppointmentFacts {
                id: row.try_get("appointment_id")?,
                start: slot.start,
                place: slot.place,
                order: order(row)?.facts(moment.local.date()),
                pending: status == AppointmentStatus::Pending.key(),
            });
        }
        Ok(ActionOutcome::Appointments(found))
    }

    /// Gives the appointment the time that this call holds. What waits for review goes on waiting.
    pub(crate) async fn reschedule(
        &self,
        call: &str,
        moment: Moment,
        appointment: &str,
        slot: &str,
    ) -> Result<ActionOutcome, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let old = sqlx::query("SELECT * FROM appointment WHERE id = ?")
            .bind(appointment)
            .fetch_one(&mut *transaction)
            .await?;
        // Asked twice for the same, as after a lost answer: the order has the time already.
        let done = "SELECT id FROM appointment WHERE order_id = ? AND slot_id = ? AND call_id = ?
            AND status IN ('booked', 'pending')";
        let done = sqlx::query(done)
            .bind(old.try_get::<String, _>("order_id")?)
            .bind(slot)
            .bind(call)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(done) = done {
            return Ok(ActionOutcome::Moved { appointment: done.try_get("id")? });
        }
        let status: String = old.try_get("status")?;
        sqlx::query("UPDATE appointment SET status = 'cancelled' WHERE id = ?")
            .bind(appointment)
            .execute(&mut *transaction)
            .await?;
        let sql = "INSERT INTO appointment
            (id, slot_id, order_id, patient_id, status, call_id, created, notes)
            SELECT ?, s.id, a.order_id, a.patient_id, ?, ?, ?, a.notes
            FROM slot AS s, appointment AS a WHERE s.id = ? AND a.id = ?
            AND (s.hold_call = ? OR s.hold_call IS NULL OR s.hold_until <= ?)";
        let id = Uuid::new_v4().to_string();
        let inserted = sqlx::query(sql)
            .bind(&id)
            .bind(status)
            .bind(call)
            .bind(moment.now.as_second())
            .bind(slot)
            .bind(appointment)
            .bind(call)
            .bind(moment.now.as_second())
            .execute(&mut *transaction)
            .await;
        // Where it was not, the transaction is dropped, and the old appointment stays.
        if !was_free(inserted)? {
            return Ok(ActionOutcome::Taken);
        }
        end_hold(&mut transaction, slot).await?;
        transaction.commit().await?;
        Ok(ActionOutcome::Moved { appointment: id })
    }

    /// Gives the appointment up; done already is as good.
    pub(crate) async fn cancel(&self, appointment: &str) -> Result<ActionOutcome, StoreError> {
        sqlx::query(
            "UPDATE appointment SET status = 'cancelled'
             WHERE id = ? AND status IN ('booked', 'pending')",
        )
        .bind(appointment)
        .execute(&self.pool)
        .await?;
        Ok(ActionOutcome::Cancelled)
    }

    /// Takes back the appointment's confirmation, keeps why, and asks a provider to look at it.
    pub(crate) async fn hold_for_review(
        &self,
        call: &str,
        moment: Moment,
        office: &Office,
        appointment: &str,
        review: &[Phi<String>],
    ) -> Result<ActionOutcome, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT notes FROM appointment WHERE id = ?")
            .bind(appointment)
            .fetch_one(&mut *transaction)
            .await?;
        let (kept, new) = with_notes(&row, review)?;
        sqlx::query(
            "UPDATE appointment SET status = 'pending', notes = ?
             WHERE id = ? AND status IN ('booked', 'pending')",
        )
        .bind(kept)
        .bind(appointment)
        .execute(&mut *transaction)
        .await?;
        let due = office.callback_due(moment.local);
        // Asked twice for the same, as after a lost answer, makes one task.
        if new > 0 {
            NewTask::review(review.to_vec()).insert(&mut transaction, call, moment, due).await?;
        }
        transaction.commit().await?;
        Ok(ActionOutcome::HeldForReview { appointment: appointment.to_owned(), due })
    }

    /// Keeps that the patient knows how to get ready, and what a provider has to look at before.
    pub(crate) async fn record_preparation(
        &self,
        call: &str,
        moment: Moment,
        office: &Office,
        appointment: &str,
        review: &[Phi<String>],
        notes: &[Phi<String>],
    ) -> Result<ActionOutcome, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT notes, prepared FROM appointment WHERE id = ?")
            .bind(appointment)
            .fetch_one(&mut *transaction)
            .await?;
        let again = row.try_get::<Option<i64>, _>("prepared")?.is_some();
        let (kept, _) = with_notes(&row, notes.iter().chain(review))?;
        sqlx::query("UPDATE appointment SET prepared = ?, notes = ? WHERE id = ?")
            .bind(moment.now.as_second())
            .bind(kept)
            .bind(appointment)
            .execute(&mut *transaction)
            .await?;
        if !review.is_empty() && !again {
            let task = NewTask::review(review.to_vec());
            task.insert(&mut transaction, call, moment, office.callback_due(moment.local)).await?;
        }
        transaction.commit().await?;
        Ok(ActionOutcome::Done)
    }

    /// Whom a call about the appointment is for; nothing when it is not there, not to come, or the
    /// patient wants no calls.
    pub async fn called_for(&self, appointment: &str) -> Result<Option<Called>, StoreError> {
        let sql = "SELECT p.* FROM appointment AS a JOIN patient AS p ON p.id = a.patient_id
            WHERE a.id = ? AND a.status IN ('booked', 'pending') AND p.no_calls IS NULL";
        let row = sqlx::query(sql).bind(appointment).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let patient = patient(&row)?;
        let name = format!("{} {}", patient.given_name.expose(), patient.family_name.expose());
        let appointment = appointment.to_owned();
        Ok(Some(Called { patient: patient.id, name: Phi::new(name), appointment }))
    }
}

/// The appointment's notes with more behind them, as they are stored, and how many are new.
fn with_notes<'a>(
    row: &SqliteRow,
    more: impl IntoIterator<Item = &'a Phi<String>>,
) -> Result<(String, usize), StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "appointment" };
    let mut kept: Vec<String> =
        serde_json::from_str(&row.try_get::<String, _>("notes")?).map_err(corrupt)?;
    let before = kept.len();
    for text in more.into_iter().map(Phi::expose) {
        if !kept.contains(text) {
            kept.push(text.clone());
        }
    }
    let new = kept.len() - before;
    Ok((serde_json::to_string(&kept).map_err(corrupt)?, new))
}

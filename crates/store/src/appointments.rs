//! The schedule's slots and appointments, for people and scripts to read.

use jiff::civil::DateTime;
use radline_clinic::Slot;
use radline_phi::{Phi, stored};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::clinic::{Moment, order, patient, slot};
use crate::database::{Store, StoreError};

/// An appointment with what belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppointmentEntry {
    /// Its record.
    pub id: String,
    /// booked, pending, cancelled or fulfilled.
    pub status: String,
    /// Local start.
    pub start: DateTime,
    /// Length, minutes.
    pub minutes: u16,
    /// The exam in plain words.
    pub exam: String,
    /// Kind of exam.
    pub modality: String,
    /// The slot's record number.
    pub slot: String,
    /// Room or device.
    pub room: String,
    /// The order's record number.
    pub order: String,
    /// The patient's record number.
    pub patient: String,
    /// The patient's name.
    #[serde(with = "stored")]
    pub patient_name: Phi<String>,
    /// The call that made it; none when it was imported.
    pub call: Option<String>,
    /// Whether the patient was prepared for it in a call.
    #[serde(default)]
    pub prepared: bool,
    /// Findings kept with it.
    #[serde(with = "stored")]
    pub notes: Phi<Vec<String>>,
}

/// A time of the schedule and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotEntry {
    /// The time.
    #[serde(flatten)]
    pub slot: Slot,
    /// free, held, booked or pending.
    pub state: String,
}

impl Store {
    /// Every slot from `moment` on, earliest first.
    pub async fn slots(&self, moment: Moment) -> Result<Vec<SlotEntry>, StoreError> {
        let sql = "SELECT s.*, CASE WHEN a.status IS NOT NULL THEN a.status
                WHEN s.hold_call IS NOT NULL AND s.hold_until > ? THEN 'held'
                ELSE 'free' END AS state
            FROM slot AS s LEFT JOIN appointment AS a
                ON a.slot_id = s.id AND a.status IN ('booked', 'pending')
            WHERE s.start >= ? ORDER BY s.start, s.id";
        let rows = sqlx::query(sql)
            .bind(moment.now.as_second())
            .bind(moment.local.to_string())
            .fetch_all(&self.pool)
            .await?;
        let entry =
            |row: &SqliteRow| Ok(SlotEntry { slot: slot(row)?, state: row.try_get("state")? });
        rows.iter().map(entry).collect()
    }

    /// Every appointment, earliest first.
    pub async fn appointments(&self) -> Result<Vec<AppointmentEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM appointment").fetch_all(&self.pool).await?;
        let mut entries = Vec::new();
        for row in rows {
            let one = |table: &'static str, column: &'static str| {
                let key: Result<String, _> = row.try_get(column);
                let sql = format!("SELECT * FROM {table} WHERE id = ?");
                async move { sqlx::query(&sql).bind(key?).fetch_one(&self.pool).await }
            };
            let slot = slot(&one("slot", "slot_id").await?)?;
            let order = order(&one("service_request", "order_id").await?)?;
            let patient = patient(&one("patient", "patient_id").await?)?;
            let notes: String = row.try_get("notes")?;
            let name = format!("{} {}", patient.given_name.expose(), patient.family_name.expose());
            entries.push(AppointmentEntry {
                id: row.try_get("id")?,
                status: row.try_get("status")?,
                start: slot.start,
                minutes: slot.minutes,
                exam: order.exam,
                modality: slot.modality.key().to_owned(),
                slot: slot.id,
                room: slot.room,
                order: order.id,
                patient: patient.id,
                patient_name: Phi::new(name),
                call: row.try_get("call_id")?,
                prepared: row.try_get::<Option<i64>, _>("prepared")?.is_some(),
                notes: Phi::new(
                    serde_json::from_str(&notes)
                        .map_err(|_| StoreError::Corrupt { what: "appointment" })?,
                ),
            });
        }
        entries.sort_by_key(|entry| entry.start);
        Ok(entries)
    }
}

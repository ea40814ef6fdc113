//! Brings records into the embedded clinic, all or nothing.

use std::collections::BTreeSet;

use radline_clinic::{ImportLine, Record, RelatedPerson, Slot};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::clinic::Moment;
use crate::database::{Store, StoreError};

impl Store {
    /// Record numbers that an import may refer to, each as "Kind/id".
    pub async fn known_references(&self) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT 'Patient/' || id AS name FROM patient
            UNION ALL SELECT 'ServiceRequest/' || id FROM service_request
            UNION ALL SELECT 'Slot/' || id FROM slot";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }

    /// Whether the clinic has neither patients nor times yet.
    pub async fn clinic_is_empty(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM patient UNION ALL SELECT 1 FROM slot LIMIT 1";
        Ok(sqlx::query(sql).fetch_optional(&self.pool).await?.is_none())
    }

    /// Adds records, or updates those with the same record number, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the line that broke a promise of the schedule.
    pub async fn import(&self, moment: Moment, lines: &[ImportLine]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        // Referred records first, whatever the order of the lines.
        for rank in 0..3 {
            for line in lines.iter().filter(|line| self::rank(&line.record) == rank) {
                let stored = put(&mut transaction, moment, &line.record).await;
                stored.map_err(|error| conflict(line.number, error))?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Adds times that are not in the schedule yet.
    pub async fn add_slots(&self, slots: &[Slot]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for slot in slots {
            put_slot(&mut transaction, slot, "ON CONFLICT (id) DO NOTHING").await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A named setting that was kept with the data.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT value FROM setting WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("value")).transpose()?)
    }

    /// Keeps a named setting with the data.
    pub async fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Says which line broke a promise of the schedule.
fn conflict(line: usize, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            StoreError::Conflict { line }
        }
        other => other,
    }
}

fn rank(record: &Record) -> u8 {
    match record {
        Record::Patient(_) | Record::Slot(_) => 0,
        Record::ServiceRequest(_) | Record::RelatedPerson(_) => 1,
        Record::Appointment(_) => 2,
    }
}

async fn put_related_person(
    connection: &mut SqliteConnection,
    person: &RelatedPerson,
) -> Result<(), StoreError> {
    let body = serde_json::to_string(person);
    sqlx::query(
        "INSERT INTO related_person (id, patient_id, name, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET patient_id = excluded.patient_id,
         name = excluded.name, body = excluded.body",
    )
    .bind(&person.id)
    .bind(&person.patient)
    .bind(format!("{} {}", person.given_name.expose(), person.family_name.expose()))
    .bind(body.map_err(|_| StoreError::Corrupt { what: "related person" })?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put(
    connection: &mut SqliteConnection,
    moment: Moment,
    record: &Record,
) -> Result<(), StoreError> {
    match record {
        Record::Patient(patient) => {
            let sex = serde_json::to_value(patient.sex).unwrap_or_default();
            sqlx::query(
                "INSERT INTO patient (id, given_name, family_name, date_of_birth, sex, phone)
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
                 given_name = excluded.given_name, family_name = excluded.family_name,
                 date_of_birth = excluded.date_of_birth, sex = excluded.sex,
                 phone = excluded.phone",
            )
            .bind(&patient.id)
            .bind(patient.given_name.expose())
            .bind(patient.family_name.expose())
            .bind(patient.date_of_birth.expose().to_string())
            .bind(sex.as_str().unwrap_or("unknown"))
            .bind(patient.phone.expose())
            .execute(connection)
            .await?;
        }
        Record::RelatedPerson(person) => put_related_person(connection, person).await?,
        Record::ServiceRequest(order) => {
            let body = serde_json::to_string(order);
            sqlx::query(
                "INSERT INTO service_request (id, patient_id, body) VALUES (?, ?, ?)
                 ON CONFLICT (id) DO UPDATE SET
                 patient_id = excluded.patient_id, body = excluded.body",
            )
            .bind(&order.id)
            .bind(&order.patient)
            .bind(body.map_err(|_| StoreError::Corrupt { what: "order" })?)
            .execute(connection)
            .await?;
        }
        Record::Slot(slot) => {
            let update = "ON CONFLICT (id) DO UPDATE SET modality = excluded.modality,
                room = excluded.room, place = excluded.place, start = excluded.start,
                minutes = excluded.minutes";
            put_slot(connection, slot, update).await?;
        }
        Record::Appointment(appointment) => {
            sqlx::query(
                "INSERT INTO appointment (id, slot_id, order_id, patient_id, status, created)
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
                 slot_id = excluded.slot_id, order_id = excluded.order_id,
                 patient_id = excluded.patient_id, status = excluded.status",
            )
            .bind(&appointment.id)
            .bind(&appointment.slot)
            .bind(&appointment.order)
            .bind(&appointment.patient)
            .bind(appointment.status.key())
            .bind(moment.now.as_second())
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

async fn put_slot(
    connection: &mut SqliteConnection,
    slot: &Slot,
    conflict: &str,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO slot (id, modality, room, place, start, minutes)
         VALUES (?, ?, ?, ?, ?, ?) {conflict}"
    );
    sqlx::query(&sql)
        .bind(&slot.id)
        .bind(slot.modality.key())
        .bind(&slot.room)
        .bind(&slot.place)
        .bind(slot.start.to_string())
        .bind(i64::from(slot.minutes))
        .execute(connection)
        .await?;
    Ok(())
}

//! Answers the dialogue's actions from the embedded schedule.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use radline_clinic::{Office, Patient, RelatedPerson, ServiceRequest, Sex, Slot, identity, offers};
use radline_dialogue::{Action, ActionOutcome, Modality, PatientFacts};
use radline_phi::Phi;
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use crate::database::{Store, StoreError, body};
use crate::tasks::NewTask;

/// How long a held time is kept for a call that does not go on.
const HOLD_SECONDS: i64 = 5 * 60;
/// Nobody can be at the door sooner than this, minutes.
const LEAD_MINUTES: i64 = 60;
/// Free times looked at for an offer: weeks of them.
const FREE_SLOTS_MAX: i64 = 2000;

/// When something happens: as a point in time and on the site's clock.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The point in time.
    pub now: Timestamp,
    /// The same on the site's clock.
    pub local: DateTime,
}

impl Store {
    /// Answers one action of a call.
    pub async fn perform(
        &self,
        call: &str,
        moment: Moment,
        office: &Office,
        action: &Action,
    ) -> Result<ActionOutcome, StoreError> {
        match action {
            Action::MatchIdentity { name, date_of_birth, proxy } => {
                let matched =
                    self.match_identity(moment, name, date_of_birth, proxy.as_ref()).await?;
                Ok(matched.map_or(ActionOutcome::NotMatched, ActionOutcome::Matched))
            }
            Action::FindOrders { patient } => {
                let orders = self.open_orders(patient).await?;
                let today = moment.local.date();
                let facts = orders.iter().map(|order| order.facts(today)).collect();
                Ok(ActionOutcome::Orders(facts))
            }
            Action::FindAppointments { patient } => self.find_appointments(moment, patient).await,
            Action::Reschedule { appointment, slot } => {
                self.reschedule(call, moment, appointment, slot).await
            }
            Action::Cancel { appointment } => self.cancel(appointment).await,
            Action::HoldForReview { appointment, review } => {
                self.hold_for_review(call, moment, office, appointment, review).await
            }
            Action::RecordPreparation { appointment, review, notes } => {
                self.record_preparation(call, moment, office, appointment, review, notes).await
            }
            Action::OptOut { patient } => {
                sqlx::query("UPDATE patient SET no_calls = ? WHERE id = ?")
                    .bind(moment.now.as_second())
                    .bind(patient)
                    .execute(&self.pool)
                    .await?;
                Ok(ActionOutcome::Done)
            }
            Action::FindSlots { order, wish, declined, preparation } => {
                let lead = (*preparation).max(SignedDuration::from_mins(LEAD_MINUTES));
                let free = self.free_slots(call, moment, order, lead).await?;
                let (offers, as_wished) = offers::choose(&free, wish, declined);
                Ok(ActionOutcome::Offers { offers, as_wished })
            }
            Action::Hold { slot, .. } => self.hold(call, moment, slot).await,
            Action::Book { slot, order, review, notes } => {
                self.book(call, moment, office, slot, order, review, notes).await
            }
            Action::RequestCallback { reason, patient, story } => {
                self.release(call).await?;
                let task = NewTask::callback(*reason, patient.clone(), story.clone());
                self.request_callback(call, moment, office, task).await
            }
            Action::AmendCallback { number, location } => {
                self.amend_callback(call, number.as_ref(), location.as_ref()).await?;
                Ok(ActionOutcome::Done)
            }
            Action::Release => {
                self.release(call).await?;
                Ok(ActionOutcome::Done)
            }
        }
    }

    /// Frees whatever a call holds.
    pub async fn release(&self, call: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE slot SET hold_call = NULL, hold_until = NULL WHERE hold_call = ?")
            .bind(call)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Frees every held time. For the start of a server: no call is in progress then.
    pub async fn release_all(&self) -> Result<u64, StoreError> {
        let sql = "UPDATE slot SET hold_call = NULL, hold_until = NULL WHERE hold_call IS NOT NULL";
        Ok(sqlx::query(sql).execute(&self.pool).await?.rows_affected())
    }

    /// The patient, addressed by their own given name, or by that of whoever may speak for them.
    async fn match_identity(
        &self,
        moment: Moment,
        name: &Phi<String>,
        date_of_birth: &Phi<Date>,
        proxy: Option<&Phi<String>>,
    ) -> Result<Option<PatientFacts>, StoreError> {
        let today = moment.local.date();
        let found = self.find_patient(name, *date_of_birth.expose()).await?;
        let (Some(patient), Some(proxy)) = (&found, proxy) else {
            return Ok(found.map(|patient| patient.facts(today)));
        };
        let related = self.related_persons(&patient.id).await?;
        let allowed = identity::may_speak_for(patient, &related, proxy.expose(), today);
        let speaker =
            |name: &Phi<String>| PatientFacts { given_name: name.clone(), ..patient.facts(today) };
        Ok(allowed.map(speaker))
    }

    async fn find_patient(
        &self,
        name: &Phi<String>,
        date_of_birth: Date,
    ) -> Result<Option<Patient>, StoreError> {
        let rows = sqlx::query("SELECT * FROM patient WHERE date_of_birth = ?")
            .bind(date_of_birth.to_string())
            .fetch_all(&self.pool)
            .await?;
        let patients = rows.iter().map(patient).collect::<Result<Vec<_>, _>>()?;
        Ok(identity::find(&patients, name.expose(), date_of_birth).cloned())
    }

    /// Everybody who was ever allowed to speak for a patient.
    async fn related_persons(&self, patient: &str) -> Result<Vec<RelatedPerson>, StoreError> {
        let rows = sqlx::query("SELECT body FROM related_person WHERE patient_id = ?")
            .bind(patient)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| body(row, "related person")).collect()
    }

    /// Names of those who may call: patients with an order that has no appointment, or with an
    /// appointment to come, and whoever speaks for them. At most `limit`, each once.
    pub async fn worklist_names(
        &self,
        moment: Moment,
        limit: u32,
    ) -> Result<Vec<Phi<String>>, StoreError> {
        let sql = "WITH worklist AS (SELECT r.patient_id FROM service_request AS r
                LEFT JOIN appointment AS a ON a.order_id = r.id AND a.status != 'cancelled'
                LEFT JOIN slot AS s ON s.id = a.slot_id
                WHERE a.id IS NULL OR s.start >= ?1)
            SELECT given_name || ' ' || family_name AS name FROM patient
            WHERE id IN (SELECT patient_id FROM worklist)
            UNION SELECT name FROM related_person
            WHERE patient_id IN (SELECT patient_id FROM worklist)
            ORDER BY name LIMIT ?2";
        let rows = sqlx::query(sql)
            .bind(moment.local.to_string())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(Phi::new(row.try_get("name")?))).collect()
    }

    /// Orders without an appointment, newest first.
    async fn open_orders(&self, patient: &str) -> Result<Vec<ServiceRequest>, StoreError> {
        let sql = "SELECT body FROM service_request AS r WHERE patient_id = ? AND NOT EXISTS (
            SELECT 1 FROM appointment WHERE order_id = r.id AND status != 'cancelled')";
        let rows = sqlx::query(sql).bind(patient).fetch_all(&self.pool).await?;
        let mut orders = rows.iter().map(order).collect::<Result<Vec<_>, _>>()?;
        orders.sort_by_key(|order| std::cmp::Reverse(order.authored));
        Ok(orders)
    }

    /// The free times for an order that begin when `lead` has passed.
    async fn free_slots(
        &self,
        call: &str,
        moment: Moment,
        order_id: &str,
        lead: SignedDuration,
    ) -> Result<Vec<Slot>, StoreError> {
        let row = sqlx::query("SELECT body FROM service_request WHERE id = ?")
            .bind(order_id)
            .fetch_one(&self.pool)
            .await?;
        let order = order(&row)?;
        let earliest = moment.local.saturating_add(lead);
        let sql = "SELECT * FROM slot AS s WHERE modality = ? AND start >= ?
            AND (hold_call IS NULL OR hold_call = ? OR hold_until <= ?)
            AND NOT EXISTS (SELECT 1 FROM appointment
                WHERE slot_id = s.id AND status IN ('booked', 'pending'))
            ORDER BY start LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(order.modality.key())
            .bind(earliest.to_string())
            .bind(call)
            .bind(moment.now.as_second())
            .bind(FREE_SLOTS_MAX)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(slot).collect()
    }

    async fn hold(&self, call: &str, at: Moment, slot: &str) -> Result<ActionOutcome, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        // A caller who changes their mind keeps one time, not two.
        sqlx::query("UPDATE slot SET hold_call = NULL, hold_until = NULL WHERE hold_call = ?")
            .bind(call)
            .execute(&mut *transaction)
            .await?;
        let sql = "UPDATE slot SET hold_call = ?, hold_until = ? WHERE id = ?
            AND (hold_call IS NULL OR hold_until <= ?)
            AND NOT EXISTS (SELECT 1 FROM appointment
                WHERE slot_id = slot.id AND status IN ('booked', 'pending'))";
        let held = sqlx::query(sql)
            .bind(call)
            .bind(at.now.as_second() + HOLD_SECONDS)
            .bind(slot)
            .bind(at.now.as_second())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(if held == 1 { ActionOutcome::Held } else { ActionOutcome::Taken })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one request, named at the caller")]
    async fn book(
        &self,
        call: &str,
        moment: Moment,
        office: &Office,
        slot: &str,
        order: &str,
        review: &[Phi<String>],
        notes: &[Phi<String>],
    ) -> Result<ActionOutcome, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let status = if review.is_empty() { "booked" } else { "pending" };
        // Asked twice for the same, as after a lost answer, gives the same appointment.
        let earlier =
            "SELECT id FROM appointment WHERE slot_id = ? AND order_id = ? AND call_id = ?
            AND status = ?";
        let earlier = sqlx::query(earlier)
            .bind(slot)
            .bind(order)
            .bind(call)
            .bind(status)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = earlier {
            let due = office.callback_due(moment.local);
            return Ok(booked(row.try_get("id")?, review, due));
        }
        let id = Uuid::new_v4().to_string();
        let sql = "INSERT INTO appointment
            (id, slot_id, order_id, patient_id, status, call_id, created, notes)
            SELECT ?, s.id, r.id, r.patient_id, ?, ?, ?, ?
            FROM slot AS s, service_request AS r WHERE s.id = ? AND r.id = ?
            AND (s.hold_call IS NULL OR s.hold_call = ? OR s.hold_until <= ?)";
        let texts: Vec<&String> = notes.iter().chain(review).map(Phi::expose).collect();
        let inserted = sqlx::query(sql)
            .bind(&id)
            .bind(status)
            .bind(call)
            .bind(moment.now.as_second())
            .bind(serde_json::to_string(&texts).map_err(|_| StoreError::Corrupt { what: "note" })?)
            .bind(slot)
            .bind(order)
            .bind(call)
            .bind(moment.now.as_second())
            .execute(&mut *transaction)
            .await;
        if !was_free(inserted)? {
            return Ok(ActionOutcome::Taken);
        }
        end_hold(&mut transaction, slot).await?;
        if !review.is_empty() {
            let task = NewTask::review(review.to_vec());
            let due = office.callback_due(moment.local);
            task.insert(&mut transaction, call, moment, due).await?;
        }
        transaction.commit().await?;
        Ok(booked(id, review, office.callback_due(moment.local)))
    }
}

/// Whether the appointment got its time: the time may be held or taken by another call.
pub(crate) fn was_free(
    inserted: Result<SqliteQueryResult, sqlx::Error>,
) -> Result<bool, StoreError> {
    match inserted {
        Ok(result) => Ok(result.rows_affected() == 1),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// An appointment has the time now, and needs no hold on it.
pub(crate) async fn end_hold(
    transaction: &mut SqliteConnection,
    slot: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE slot SET hold_call = NULL, hold_until = NULL WHERE id = ?")
        .bind(slot)
        .execute(transaction)
        .await?;
    Ok(())
}

fn booked(appointment: String, review: &[Phi<String>], due: DateTime) -> ActionOutcome {
    if review.is_empty() {
        ActionOutcome::Booked { appointment }
    } else {
        ActionOutcome::HeldForReview { appointment, due }
    }
}

pub(crate) fn patient(row: &SqliteRow) -> Result<Patient, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "patient" };
    let born: Date = row.try_get::<String, _>("date_of_birth")?.parse().map_err(|_| corrupt())?;
    Ok(Patient {
        id: row.try_get("id")?,
        given_name: Phi::new(row.try_get("given_name")?),
        family_name: Phi::new(row.try_get("family_name")?),
        date_of_birth: Phi::new(born),
        sex: match row.try_get::<String, _>("sex")?.as_str() {
            "female" => Sex::Female,
            "male" => Sex::Male,
            _ => Sex::Unknown,
        },
        phone: Phi::new(row.try_get("phone")?),
    })
}

pub(crate) fn order(row: &SqliteRow) -> Result<ServiceRequest, StoreError> {
    body(row, "order")
}

pub(crate) fn slot(row: &SqliteRow) -> Result<Slot, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "slot" };
    Ok(Slot {
        id: row.try_get("id")?,
        modality: modality(row.try_get("modality")?).ok_or_else(corrupt)?,
        room: row.try_get("room")?,
        place: row.try_get("place")?,
        start: row.try_get::<String, _>("start")?.parse().map_err(|_| corrupt())?,
        minutes: u16::try_from(row.try_get::<i64, _>("minutes")?).map_err(|_| corrupt())?,
    })
}

fn modality(key: String) -> Option<Modality> {
    serde_json::from_value(serde_json::Value::String(key)).ok()
}

//! Work for people: call-backs and reviews.

use jiff::Timestamp;
use jiff::civil::DateTime;
use radline_clinic::Office;
use radline_dialogue::{ActionOutcome, CallbackReason};
use radline_phi::{Phi, stored};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use crate::clinic::Moment;
use crate::database::{Store, StoreError};

/// A task before it is stored.
pub(crate) struct NewTask {
    kind: &'static str,
    reason: String,
    urgent: bool,
    patient: Option<String>,
    story: Vec<Phi<String>>,
}

/// A stored task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskEntry {
    /// Its record.
    pub id: String,
    /// The call that it comes from.
    pub call: String,
    /// "callback" or "review".
    pub kind: String,
    /// Why.
    pub reason: String,
    /// The patient's record number, when known.
    pub patient: Option<String>,
    /// Where to call.
    #[serde(with = "stored")]
    pub number: Phi<Option<String>>,
    /// Where the caller was, in their words.
    #[serde(with = "stored")]
    pub location: Phi<Option<String>>,
    /// What the colleague should know.
    #[serde(with = "stored")]
    pub story: Phi<Vec<String>>,
    /// By when, local time.
    pub due: DateTime,
}

impl NewTask {
    pub(crate) fn callback(
        reason: CallbackReason,
        patient: Option<String>,
        story: Vec<Phi<String>>,
    ) -> Self {
        let urgent = matches!(reason, CallbackReason::RedFlag(_));
        Self { kind: "callback", reason: reason.key(), urgent, patient, story }
    }

    pub(crate) fn review(story: Vec<Phi<String>>) -> Self {
        let (kind, reason) = ("review", "screening".to_owned());
        Self { kind, reason, urgent: false, patient: None, story }
    }

    fn stored_story(&self) -> Result<String, StoreError> {
        let story: Vec<&String> = self.story.iter().map(Phi::expose).collect();
        serde_json::to_string(&story).map_err(|_| StoreError::Corrupt { what: "task" })
    }

    /// Brings the call's open task of this kind up to date. Whether there is one.
    async fn replace(
        &self,
        connection: &mut SqliteConnection,
        call: &str,
        due: DateTime,
    ) -> Result<bool, StoreError> {
        let replaced = sqlx::query(
            "UPDATE task SET
               reason = CASE
                 WHEN ?1 IN ('person_lost', 'failure') THEN reason
                 WHEN reason LIKE 'red_flag %' AND ?1 NOT LIKE 'red_flag %' THEN reason
                 ELSE ?1 END,
               patient_id = coalesce(?2, patient_id),
               number = coalesce(number, (SELECT phone FROM patient WHERE id = ?2)),
               story = ?3, due = min(due, ?4)
             WHERE call_id = ?5 AND kind = 'callback' AND done IS NULL",
        )
        .bind(&self.reason)
        .bind(&self.patient)
        .bind(self.stored_story()?)
        .bind(due.to_string())
        .bind(call)
        .execute(connection)
        .await?;
        Ok(replaced.rows_affected() > 0)
    }

    pub(crate) async fn insert(
        &self,
        connection: &mut SqliteConnection,
        call: &str,
        moment: Moment,
        due: DateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO task (id, call_id, kind, reason, patient_id, number, story, due, created)
             VALUES (?1, ?2, ?3, ?4, ?5, (SELECT phone FROM patient WHERE id = ?5), ?6, ?7, ?8)",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(call)
        .bind(self.kind)
        .bind(&self.reason)
        .bind(&self.patient)
        .bind(self.stored_story()?)
        .bind(due.to_string())
        .bind(moment.now.as_second())
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl Store {
    pub(crate) async fn request_callback(
        &self,
        call: &str,
        moment: Moment,
        office: &Office,
        task: NewTask,
    ) -> Result<ActionOutcome, StoreError> {
        let due = if task.urgent { moment.local } else { office.callback_due(moment.local) };
        let mut connection = self.pool.acquire().await?;
        // A call has one call-back. Another reason in the same call, such as a person who was lost, adds
        // to it what is known by now and makes it no later.
        if !task.replace(&mut connection, call, due).await? {
            task.insert(&mut connection, call, moment, due).await?;
        }
        let row = sqlx::query("SELECT phone FROM patient WHERE id = ?")
            .bind(&task.patient)
            .fetch_optional(&mut *connection)
            .await?;
        let phone: Option<String> = match row {
            Some(row) => row.try_get("phone")?,
            None => None,
        };
        // Whether somebody is there is not a matter of the record; the desk knows.
        Ok(ActionOutcome::CallbackNoted { due, has_number: phone.is_some(), person_present: false })
    }

    pub(crate) async fn amend_callback(
        &self,
        call: &str,
        number: Option<&Phi<String>>,
        location: Option<&Phi<String>>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE task SET number = coalesce(?, number), location = coalesce(?, location)
             WHERE rowid = (SELECT max(rowid) FROM task WHERE call_id = ? AND kind = 'callback')",
        )
        .bind(number.map(Phi::expose))
        .bind(location.map(Phi::expose))
        .bind(call)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A person has seen to a task. Whether it was open.
    pub async fn finish_task(
        &self,
        task: &str,
        note: &Phi<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE task SET done = ?, note = ? WHERE id = ? AND done IS NULL";
        let done = sqlx::query(sql).bind(now.as_second()).bind(note.expose()).bind(task);
        Ok(done.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// A person has taken over the call: nobody needs to call back for what it was about.
    pub async fn close_callbacks(
        &self,
        call: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE task SET done = ?, note = ?
             WHERE call_id = ? AND kind = 'callback' AND done IS NULL",
        )
        .bind(now.as_second())
        .bind(note)
        .bind(call)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Open tasks, the most urgent first.
    pub async fn tasks(&self) -> Result<Vec<TaskEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM task WHERE done IS NULL ORDER BY due, created")
            .fetch_all(&self.pool)
            .await?;
        let corrupt = || StoreError::Corrupt { what: "task" };
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            let story: String = row.try_get("story")?;
            let due: String = row.try_get("due")?;
            Ok(TaskEntry {
                id: row.try_get("id")?,
                call: row.try_get("call_id")?,
                kind: row.try_get("kind")?,
                reason: row.try_get("reason")?,
                patient: row.try_get("patient_id")?,
                number: Phi::new(row.try_get("number")?),
                location: Phi::new(row.try_get("location")?),
                story: Phi::new(serde_json::from_str(&story).map_err(|_| corrupt())?),
                due: due.parse().map_err(|_| corrupt())?,
            })
        };
        rows.iter().map(entry).collect()
    }
}

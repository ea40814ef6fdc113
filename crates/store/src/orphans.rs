//! Calls that a dead server left open: their records are ended, with what became of a need for a person.

use jiff::Timestamp;
use radline_call::{CallEvent, EndReason, EscalationOutcome, EventKind};
use sqlx::Row;

use crate::Store;
use crate::database::StoreError;

impl Store {
    /// Ends the records of calls that a dead server left open. How many there were.
    pub async fn close_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM call WHERE ended IS NULL").fetch_all(&self.pool).await?;
        for row in &rows {
            let id: String = row.try_get("id")?;
            self.close_orphan(&id, now).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn close_orphan(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let events = self.events(id).await?;
        // The last thing that is known of it is when it ended; nobody saw the end itself.
        let (at_ms, turn) = events.last().map_or((0, 0), |event| (event.at_ms, event.turn));
        let outcome = outcome_of(&events);
        let ending = outcome.map(|outcome| EventKind::EscalationEnded { outcome });
        let ending = ending.into_iter().chain([EventKind::Ended { reason: EndReason::ServerLost }]);
        let ending: Vec<CallEvent> = ending.map(|kind| CallEvent { at_ms, turn, kind }).collect();
        self.append(id, self.next_event(id).await?, &ending).await?;
        // What was recorded until then is kept; its head is never older than a few seconds.
        let path = self.recording_path(id);
        let recording = path.exists().then_some(path);
        self.end_call(id, now, EndReason::ServerLost, recording.as_deref()).await?;
        if was_escalated(&events) {
            sqlx::query("UPDATE call SET escalated = 1 WHERE id = ?")
                .bind(id)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    async fn next_event(&self, call: &str) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(max(seq) + 1, 0) AS next FROM call_event WHERE call_id = ?";
        let row = sqlx::query(sql).bind(call).fetch_one(&self.pool).await?;
        Ok(row.try_get::<i64, _>("next")? as u64)
    }
}

fn was_escalated(events: &[CallEvent]) -> bool {
    events.iter().any(|event| matches!(event.kind, EventKind::Escalated { .. }))
}

/// What became of a need for a person that was open when the server died. The task for it was written when
/// it arose, and stays.
fn outcome_of(events: &[CallEvent]) -> Option<EscalationOutcome> {
    let mut open = None;
    for event in events {
        match event.kind {
            EventKind::Escalated { .. } => open = Some(EscalationOutcome::CallbackPromised),
            EventKind::PersonJoined { .. } => open = Some(EscalationOutcome::ProviderDropped),
            EventKind::EscalationEnded { .. } => open = None,
            _ => {}
        }
    }
    open
}

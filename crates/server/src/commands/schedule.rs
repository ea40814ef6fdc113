//! `radline appointments list`, `radline slots list` and `radline tasks list`.

use anyhow::Result;
use radline_store::{Moment, Store};

use crate::terminal;

/// Every appointment, earliest first.
pub async fn appointments(store: &Store, json: bool) -> Result<()> {
    for entry in store.appointments().await? {
        if json {
            terminal::line(&serde_json::to_string(&entry)?)?;
            continue;
        }
        terminal::line(&format!(
            "{}  {}  {:<9}  {:<8}  {}, {}",
            entry.id,
            entry.start.strftime("%Y-%m-%d %H:%M"),
            entry.status,
            entry.room,
            entry.patient_name.expose(),
            entry.exam
        ))?;
    }
    Ok(())
}

/// Every slot from now on, earliest first.
pub async fn slots(store: &Store, moment: Moment, json: bool) -> Result<()> {
    for entry in store.slots(moment).await? {
        if json {
            terminal::line(&serde_json::to_string(&entry)?)?;
            continue;
        }
        terminal::line(&format!(
            "{}  {:>3} min  {:<8}  {:<12}  {}",
            entry.slot.start.strftime("%Y-%m-%d %H:%M"),
            entry.slot.minutes,
            entry.state,
            entry.slot.modality.key(),
            entry.slot.room
        ))?;
    }
    Ok(())
}

/// Every open task, the most urgent first.
pub async fn tasks(store: &Store, json: bool) -> Result<()> {
    for task in store.tasks().await? {
        if json {
            terminal::line(&serde_json::to_string(&task)?)?;
            continue;
        }
        let number = task.number.expose().as_deref().unwrap_or("no number");
        terminal::line(&format!(
            "due {}  {:<8}  {:<24}  {number}",
            task.due.strftime("%Y-%m-%d %H:%M"),
            task.kind,
            task.reason
        ))?;
    }
    Ok(())
}

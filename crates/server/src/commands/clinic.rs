//! `radline clinic import`.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use radline_clinic::{Record, parse_jsonl};
use radline_store::Store;

use crate::clock::Clock;
use crate::terminal;

/// Adds or updates the records of a file, all or nothing.
pub async fn import(store: &Store, file: &Path) -> Result<()> {
    let name = || file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(name)?;
    let known = store.known_references().await?;
    let records = parse_jsonl(&text, &known).with_context(name)?;
    let moment = Clock::real(TimeZone::UTC).moment();
    let imported = store.import(moment, &records).await;
    imported.with_context(|| format!("{}: nothing was imported", name()))?;
    let count =
        |kind: fn(&Record) -> bool| records.iter().filter(|line| kind(&line.record)).count();
    terminal::line(&format!(
        "imported {} patients, {} related persons, {} orders, {} slots, {} appointments",
        count(|record| matches!(record, Record::Patient(_))),
        count(|record| matches!(record, Record::RelatedPerson(_))),
        count(|record| matches!(record, Record::ServiceRequest(_))),
        count(|record| matches!(record, Record::Slot(_))),
        count(|record| matches!(record, Record::Appointment(_))),
    ))
}

//! Brings the embedded clinic up to date when a server or a text call starts.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use radline_clinic::{parse_jsonl, schedule};
use radline_store::{Moment, Store};

use crate::site::Site;

/// Setting that tells a clinic whose times come from the site's rules.
const MADE_BY_RULES: &str = "schedule_made_by_rules";

/// Seeds an empty clinic from the site pack, and extends a schedule that is made by its rules.
pub async fn bring_up_to_date(store: &Store, site: &Site, moment: Moment) -> Result<()> {
    if store.clinic_is_empty().await?
        && let Some(seed) = &site.seed
    {
        import(store, seed, moment).await?;
        store.set(MADE_BY_RULES, "yes").await?;
    }
    if store.setting(MADE_BY_RULES).await?.is_some() {
        let (today, days_off) = (moment.local.date(), &site.office.holidays);
        let slots = schedule::slots(&site.schedule, today, site.horizon_days, days_off);
        store.add_slots(&slots).await?;
    }
    Ok(())
}

/// Adds the site pack's demonstration appointments, so that there is one to prepare.
pub async fn demonstrate_appointments(store: &Store, site: &Path, moment: Moment) -> Result<()> {
    let file = site.join("appointments.jsonl");
    import(store, &file, moment).await.context("the site has no appointments to demonstrate with")
}

/// Imports a file of records.
async fn import(store: &Store, file: &Path, moment: Moment) -> Result<()> {
    let name = || file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(name)?;
    let records = parse_jsonl(&text, &BTreeSet::new()).with_context(name)?;
    Ok(store.import(moment, &records).await?)
}

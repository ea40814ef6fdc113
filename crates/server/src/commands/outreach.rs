//! `radline outreach call` and `radline outreach list`.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use radline_phi::Phi;
use radline_store::{AppointmentEntry, OutgoingEntry, Store};

use crate::terminal;

/// Has the patient of an appointment called by the server that runs on this data.
pub async fn call(store: &Store, prefix: &str, to: Option<String>, now: Timestamp) -> Result<()> {
    let appointment = appointment(store, prefix).await?;
    if store.called_for(&appointment.id).await?.is_none() {
        bail!(
            "appointment {prefix} is {}, or its patient wants no calls: nobody is called",
            appointment.status
        );
    }
    if to.as_ref().is_some_and(|to| !to.starts_with("sip:")) {
        bail!("--to takes a SIP address, such as sip:anna@10.0.0.5");
    }
    let to = to.map(Phi::new);
    if !store.want_call(&appointment.id, to.as_ref(), now).await? {
        bail!("a call for appointment {prefix} waits already; `radline outreach list` shows it");
    }
    terminal::line("the patient is called when the line is free, within the site's hours for calls")
}

/// The appointment whose record number begins like this.
async fn appointment(store: &Store, prefix: &str) -> Result<AppointmentEntry> {
    let appointments = store.appointments().await?;
    let mut found = appointments.into_iter().filter(|one| one.id.starts_with(prefix));
    let one = found.next().with_context(|| {
        format!("there is no appointment {prefix}; `radline appointments list` shows them")
    })?;
    if found.next().is_some() {
        bail!("more than one appointment begins with {prefix}; give more of it");
    }
    Ok(one)
}

/// Every call that was placed or waits, newest first.
pub async fn list(store: &Store, json: bool) -> Result<()> {
    for entry in store.outgoing_calls().await? {
        if json {
            terminal::line(&serde_json::to_string(&entry)?)?;
        } else {
            terminal::line(&line(&entry))?;
        }
    }
    Ok(())
}

fn line(entry: &OutgoingEntry) -> String {
    let state = match (&entry.outcome, entry.dialled) {
        (Some(outcome), _) => outcome,
        (None, Some(_)) => "being called",
        (None, None) => "waits",
    };
    let name = entry.patient_name.expose();
    let call = entry.call.as_deref().unwrap_or("no call");
    format!("{}  {state:<12}  {name}, appointment {}, {call}", entry.wanted, entry.appointment)
}

//! The temporary clinic of one play, and what became of it.

use anyhow::{Context, Result};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday, date, time};
use radline_clinic::{
    Appointment, AppointmentStatus, ImportLine, Patient, Record, RelatedPerson, ScheduleRule,
    ServiceRequest, Sex, Slot, schedule,
};
use radline_dialogue::{Called, Modality, Priority, wording};
use radline_phi::Phi;
use radline_store::{Moment, Store};
use serde_json::Value;

use super::persona::Persona;
use crate::site::Site;

/// The day of every play.
pub(super) const NOW: DateTime = date(2026, 11, 23).at(10, 0, 0, 0);
/// Free times are there for this many days.
const DAYS: u16 = 22;
const PATIENT: &str = "caller";
const ORDER: &str = "order";
const APPOINTMENT: &str = "appointment";

/// The clinic of one play.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) slots: Vec<Slot>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn of(persona: &Persona, site: &Site, moment: Moment) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let store = Store::open(folder.path()).await?;
        let slots = slots(persona, site);
        let mut records = people(persona);
        records.extend(slots.iter().cloned().map(Record::Slot));
        records.extend(order(persona).map(Record::ServiceRequest));
        records.extend(appointment(persona));
        let lines: Vec<ImportLine> = records
            .into_iter()
            .enumerate()
            .map(|(index, record)| ImportLine { number: index + 1, record })
            .collect();
        store.import(moment, &lines).await?;
        Ok(Self { store, slots, _folder: folder })
    }

    /// Whom the clinic calls in this play.
    pub(super) async fn called(&self, persona: &Persona) -> Result<Option<Called>> {
        if !persona.is_called() {
            return Ok(None);
        }
        Ok(self.store.called_for(APPOINTMENT).await?)
    }

    /// The free times that the words name, in the order of naming.
    pub(super) fn named_in(&self, words: &str) -> Vec<DateTime> {
        let mut found: Vec<(usize, DateTime)> = Vec::new();
        for slot in &self.slots {
            if let Some(at) = words.find(&wording::moment(slot.start)) {
                found.push((at, slot.start));
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(_, start)| start).collect()
    }
}

fn people(persona: &Persona) -> Vec<Record> {
    let facts = &persona.facts;
    let (given, family) = facts.name.rsplit_once(' ').unwrap_or((&facts.name, ""));
    let sex = match facts.flags.get("pregnant").and_then(Value::as_str) {
        Some(_) => Sex::Female,
        None => Sex::Unknown,
    };
    let patient = |id: &str, given: &str, born: Date, phone: Option<String>| {
        Record::Patient(Patient {
            id: id.to_owned(),
            given_name: Phi::new(given.to_owned()),
            family_name: Phi::new(family.to_owned()),
            date_of_birth: Phi::new(born),
            sex: if id == PATIENT { sex } else { Sex::Unknown },
            phone: Phi::new(phone),
        })
    };
    let other = facts.date_of_birth.saturating_add(400.days());
    let mut people = vec![
        patient(PATIENT, given, facts.date_of_birth, facts.phone.clone()),
        // One with nearly the same name, as every clinic has.
        patient("other", &format!("{given}a"), other, Some("5550199".to_owned())),
    ];
    people.extend(proxy(&facts.caller));
    people
}

/// Who is on the line instead of the patient, where their authority is recorded: "the daughter, Paulette
/// Fairweather-Roy, recorded as authorised".
fn proxy(caller: &str) -> Option<Record> {
    let recorded = caller.contains("authorised") && !caller.contains("not recorded");
    let name: Vec<&str> = caller
        .split_whitespace()
        .map(|word| word.trim_matches(|sign: char| !sign.is_alphabetic()))
        .skip_while(|word| !word.starts_with(char::is_uppercase))
        .take_while(|word| word.starts_with(char::is_uppercase))
        .collect();
    let (family, given) = name.split_last().filter(|(_, given)| recorded && !given.is_empty())?;
    Some(Record::RelatedPerson(RelatedPerson {
        id: "proxy".to_owned(),
        patient: PATIENT.to_owned(),
        given_name: Phi::new(given.join(" ")),
        family_name: Phi::new((*family).to_owned()),
        relationship: None,
        until: None,
    }))
}

/// Times for the exam in question: the site's own where it has a room for it.
fn slots(persona: &Persona, site: &Site) -> Vec<Slot> {
    let Some(modality) = modality(persona) else { return Vec::new() };
    let mut rules: Vec<ScheduleRule> = site.schedule.clone();
    rules.retain(|rule| rule.modality == modality);
    if rules.is_empty() {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        rules.push(ScheduleRule {
            modality,
            room: "room-1".to_owned(),
            place: "the main building, ground floor".to_owned(),
            weekdays: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
            from: time(8, 0, 0, 0),
            to: time(17, 0, 0, 0),
            minutes: 30,
        });
    }
    schedule::slots(&rules, NOW.date(), DAYS, &site.office.holidays)
}

fn modality(persona: &Persona) -> Option<Modality> {
    if let Some(order) = &persona.facts.order {
        return Some(order.modality);
    }
    let exam = persona.facts.appointment.as_ref()?.exam.to_lowercase();
    let named = [
        ("pet", Modality::PetCt),
        ("mri", Modality::Mri),
        ("ultrasound", Modality::Ultrasound),
        ("mammogra", Modality::Mammography),
        ("biopsy", Modality::Biopsy),
        ("x-ray", Modality::Xray),
        ("bone density", Modality::Dexa),
        ("dexa", Modality::Dexa),
        ("swallow", Modality::Fluoroscopy),
        ("ct", Modality::Ct),
    ];
    named.into_iter().find(|(word, _)| exam.contains(word)).map(|(_, modality)| modality)
}

fn order(persona: &Persona) -> Option<ServiceRequest> {
    let facts = &persona.facts;
    // An appointment without an order in the file had one all the same.
    if facts.order.is_none() && facts.appointment.is_none() {
        return None;
    }
    let given = facts.order.as_ref();
    let exam = given.map(|order| order.exam.clone()).or_else(|| {
        facts.appointment.as_ref().map(|appointment| {
            appointment.exam.split(',').next().unwrap_or_default().replace(" done", "")
        })
    })?;
    let covered = facts.flags.get("coverage").and_then(Value::as_str).is_none_or(|coverage| {
        let coverage = coverage.to_lowercase();
        !["missing", "none", "pending", "expired", "no ", "not "]
            .iter()
            .any(|word| coverage.contains(word))
    });
    Some(ServiceRequest {
        id: ORDER.to_owned(),
        patient: PATIENT.to_owned(),
        modality: modality(persona)?,
        exam,
        body_part: given.and_then(|order| order.body_part.clone()),
        side: given.and_then(|order| order.side),
        contrast: given.is_some_and(|order| order.contrast.as_deref() == Some("yes")),
        priority: given.and_then(|order| order.priority).unwrap_or(Priority::Routine),
        covered,
        reason: Phi::new(given.and_then(|order| order.reason.clone())),
        requester: given.and_then(|order| order.requester.clone()),
        authored: given.and_then(|order| order.authored),
        expires: given.and_then(|order| order.expires),
    })
}

/// The appointment with its own time, which is nobody else's.
fn appointment(persona: &Persona) -> Vec<Record> {
    let (Some(given), Some(modality)) = (&persona.facts.appointment, modality(persona)) else {
        return Vec::new();
    };
    let day = given.date.unwrap_or_else(|| NOW.date().saturating_sub(5.days()));
    let at: Time = given.time.unwrap_or_else(|| time(9, 0, 0, 0));
    let start = day.to_datetime(at);
    let done = given.exam.contains("done") || start < NOW;
    let slot = Slot {
        id: "own-slot".to_owned(),
        modality,
        room: "own-room".to_owned(),
        place: "the main building, lower level".to_owned(),
        start,
        minutes: 30,
    };
    let status = if done { AppointmentStatus::Fulfilled } else { AppointmentStatus::Booked };
    let appointment = Appointment {
        id: APPOINTMENT.to_owned(),
        slot: slot.id.clone(),
        order: ORDER.to_owned(),
        patient: PATIENT.to_owned(),
        status,
    };
    vec![Record::Slot(slot), Record::Appointment(appointment)]
}

/// How a call ended, by the clinic's state.
pub(super) async fn outcome(
    world: &World,
    persona: &Persona,
    emergency: bool,
    ended_well: bool,
) -> Result<String> {
    let appointments = world.store.appointments().await?;
    let tasks = world.store.tasks().await?;
    let with = |status: &str| appointments.iter().filter(|one| one.status == status).count();
    let had_one = persona.facts.appointment.as_ref().is_some_and(|one| {
        one.date.is_some_and(|day| day.to_datetime(one.time.unwrap_or(time(9, 0, 0, 0))) >= NOW)
    });
    let callback = tasks.iter().find(|task| task.kind == "callback");
    let moved = appointments.iter().any(|one| one.call.is_some() && one.status == "booked");
    let prepared = appointments.iter().any(|one| one.prepared);
    let outcome = if !ended_well {
        "failed"
    } else if emergency {
        "escalated_emergency"
    } else if callback.is_some_and(|task| task.reason == "not_reached") {
        "declined"
    } else if callback.is_some() {
        "stopped_to_person"
    } else if with("pending") > 0 {
        "held_for_review"
    } else if had_one && moved {
        "rescheduled"
    } else if had_one && with("cancelled") > 0 && with("booked") == 0 {
        "cancelled"
    } else if had_one && prepared {
        if tasks.iter().any(|task| task.kind == "review") { "held_for_review" } else { "prepared" }
    } else if !had_one && with("booked") > 0 {
        "booked"
    } else if persona.scenario == "PP" {
        "declined"
    } else {
        "answered"
    };
    Ok(outcome.to_owned())
}

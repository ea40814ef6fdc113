//! Reads an import file: one JSON object a line, checked as a whole before anything is stored.

use std::collections::BTreeSet;

use crate::record::Record;

/// What is wrong with an import file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{} problem(s):\n{}", problems.len(), problems.join("\n"))]
pub struct ImportError {
    /// One line each: "line 3: …".
    pub problems: Vec<String>,
}

/// A record of an import file.
#[derive(Debug, Clone)]
pub struct ImportLine {
    /// The line it stands on, from 1.
    pub number: usize,
    /// The record.
    pub record: Record,
}

/// As many problems as anyone wants to read at once.
const PROBLEMS_MAX: usize = 20;

/// Parses every line. References to records that are neither in the file nor among `known`
/// (record numbers of the kinds `Patient`, `ServiceRequest` and `Slot`, each as "Kind/id") are
/// problems, as are record numbers that appear twice. Messages name lines and fields, never
/// values: the file holds patients.
pub fn parse_jsonl(text: &str, known: &BTreeSet<String>) -> Result<Vec<ImportLine>, ImportError> {
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Record>(line) {
            Ok(record) => records.push(ImportLine { number: index + 1, record }),
            Err(error) => problems.push(format!("line {}: {}", index + 1, explained(&error))),
        }
    }
    let mut here = BTreeSet::new();
    for ImportLine { number: line, record } in &records {
        if !here.insert(key(record)) {
            problems.push(format!("line {line}: this record number appears twice"));
        }
    }
    for ImportLine { number: line, record } in &records {
        for reference in references(record) {
            if !here.contains(&reference) && !known.contains(&reference) {
                problems.push(format!("line {line}: refers to {reference}, which does not exist"));
            }
        }
    }
    if problems.is_empty() {
        return Ok(records);
    }
    problems.truncate(PROBLEMS_MAX);
    Err(ImportError { problems })
}

/// serde's message without the values it likes to quote.
fn explained(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = text.rfind(" at line ").unwrap_or(text.len());
    let text = &text[..position];
    // Field names stand in backticks and stay; values stand in quotes and go.
    let mut plain = String::new();
    for (index, part) in text.split('"').enumerate() {
        plain.push_str(if index % 2 == 0 { part } else { "…" });
    }
    format!("{plain} (column {})", error.column())
}

fn key(record: &Record) -> String {
    match record {
        Record::Patient(patient) => format!("Patient/{}", patient.id),
        Record::RelatedPerson(person) => format!("RelatedPerson/{}", person.id),
        Record::ServiceRequest(order) => format!("ServiceRequest/{}", order.id),
        Record::Slot(slot) => format!("Slot/{}", slot.id),
        Record::Appointment(appointment) => format!("Appointment/{}", appointment.id),
    }
}

fn references(record: &Record) -> Vec<String> {
    match record {
        Record::Patient(_) | Record::Slot(_) => Vec::new(),
        Record::RelatedPerson(person) => vec![format!("Patient/{}", person.patient)],
        Record::ServiceRequest(order) => vec![format!("Patient/{}", order.patient)],
        Record::Appointment(appointment) => vec![
            format!("Patient/{}", appointment.patient),
            format!("ServiceRequest/{}", appointment.order),
            format!("Slot/{}", appointment.slot),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: &str = r#"{"resource":"Patient","id":"p1","given_name":"Amara","family_name":"Okafor","date_of_birth":"1967-03-19"}"#;

    #[test]
    fn good_lines_are_read() {
        let order = r#"{"resource":"ServiceRequest","id":"o1","patient":"p1","modality":"mri","exam":"MRI of the left knee","side":"left"}"#;
        let records = parse_jsonl(&format!("{PATIENT}\n\n{order}\n"), &BTreeSet::new());
        assert_eq!(records.map(|records| records.len()), Ok(2));
    }

    #[test]
    fn problems_name_lines_and_no_values() {
        let text = format!(
            "{PATIENT}\n{{\"resource\":\"Patient\",\"id\":7}}\n{PATIENT}\n{{\"resource\":\"ServiceRequest\",\"id\":\"o\",\"patient\":\"p9\",\"modality\":\"mri\",\"exam\":\"MRI\"}}\n{{\"resource\":\"Patient\",\"id\":\"x\",\"given_name\":\"Zora\",\"family_name\":\"Q\",\"date_of_birth\":\"Zora\"}}"
        );
        let error = parse_jsonl(&text, &BTreeSet::new()).expect_err("has problems");
        let lines: Vec<&str> = error.problems.iter().map(|line| &line[..6]).collect();
        assert_eq!(lines, ["line 2", "line 5", "line 3", "line 4"], "{error}");
        assert!(!error.to_string().contains("Zora"), "{error}");
    }

    #[test]
    fn references_to_stored_records_are_good() {
        let order = r#"{"resource":"ServiceRequest","id":"o1","patient":"p1","modality":"mri","exam":"MRI"}"#;
        assert!(parse_jsonl(order, &BTreeSet::from(["Patient/p1".to_owned()])).is_ok());
    }
}

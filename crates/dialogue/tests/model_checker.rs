//! The model checker on the demonstration site, and on faults planted in it.

use std::path::Path;

use jiff::civil::date;
use radline_dialogue::model_checker::{self, Finding};
use radline_dialogue::{
    Instruction, KnowledgeRecord, Scenario, ScenarioError, SiteFacts, record_check,
};
use serde::Deserialize;

const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sites/demo-hospital");

fn files() -> Vec<(String, String)> {
    let folder = Path::new(SITE).join("scenarios");
    let mut names: Vec<_> = std::fs::read_dir(folder).expect("there").flatten().collect();
    names.sort_by_key(std::fs::DirEntry::path);
    let read = |path: &Path| std::fs::read_to_string(path).expect("reads");
    names
        .iter()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path())))
        .collect()
}

/// The site with one change. The text to change has to be there.
fn changed(file: &str, from: &str, to: &str) -> Result<Scenario, ScenarioError> {
    let mut files = files();
    let text = &mut files.iter_mut().find(|(name, _)| name == file).expect("the file").1;
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
    Scenario::read(&files)
}

fn findings(file: &str, from: &str, to: &str) -> Vec<Finding> {
    model_checker::check(&changed(file, from, to).expect("it reads"))
}

/// A planted fault is found, and shown as a call.
fn found(file: &str, from: &str, to: &str, what: &str) {
    let findings = findings(file, from, to);
    let hit = findings.iter().find(|finding| finding.what.contains(what));
    let hit = hit.unwrap_or_else(|| panic!("not found: {what}, only {findings:#?}"));
    assert!(hit.place.contains(".toml:"), "{hit:?}");
    assert!(!hit.dialogue.is_empty(), "no counter-example: {hit:?}");
}

#[test]
fn the_demonstration_site_is_sound() {
    let scenario = Scenario::read(&files()).expect("reads");
    assert_eq!(model_checker::check(&scenario), []);
}

#[test]
fn the_other_site_is_sound_too() {
    let folder = Path::new(SITE).join("../fenwick-infirmary/scenarios");
    let scenario = Scenario::load(&folder).expect("reads");
    assert_eq!(model_checker::check(&scenario), []);
}

#[test]
fn a_stop_that_books_is_found() {
    let text = "on = { clear = \"denials\", review = \"review_note\", stop = \"screening_stop\" }";
    let to = "on = { clear = \"denials\", review = \"review_note\", stop = \"denials\" }";
    // The state that a stop led to is reached from elsewhere, too.
    found("at.toml", text, to, "a booking after an answer that stops it");
}

#[test]
fn a_booking_without_the_safety_questions_is_found() {
    let text = "on = { yes = \"side_question\", no = \"screening\" }";
    let to = "on = { yes = \"side_question\", no = \"coverage\" }";
    found("at.toml", text, to, "a booking without the safety questions");
}

#[test]
fn an_unconfirmed_side_is_found() {
    let text = "on = { yes = \"screening\", no = \"side_mismatch\" }";
    let to = "on = { yes = \"screening\", no = \"side_mismatch\" }\nlimit = { entries = 1, then = \"screening\" }";
    found("at.toml", text, to, "a booking without the side being compared");
}

#[test]
fn a_booking_without_read_back_is_found() {
    let text = "on = { held = \"read_back\", taken = \"just_taken\" }";
    let to = "on = { held = \"book\", taken = \"read_back\" }";
    found("at.toml", text, to, "a booking that was not read back and confirmed");
}

#[test]
fn a_booking_without_identity_is_found() {
    let text = "[states.route]\ncheck = \"identified\"\non = { yes = \"purpose\", no = \"name\" }";
    let to = "[states.route]\ncheck = \"outbound\"\non = { yes = \"name\", no = \"purpose\" }";
    found("line.toml", text, to, "a booking without the patient's identity");
}

#[test]
fn a_red_flag_without_a_person_is_found() {
    let text = "act = \"request_callback\"\nreason = { red_flag = \"self_harm\" }\non = { callback_noted = \"self_harm_person\" }";
    let to = "on = { done = \"self_harm_person\" }";
    found("line.toml", text, to, "danger was spoken of, and no person was told");
}

#[test]
fn a_failure_that_reaches_nobody_is_found() {
    let text = "[states.failure]\nact = \"request_callback\"\nreason = \"failure\"\non = { callback_noted = \"callback_number_check\" }";
    let to = "[states.failure]\non = { done = \"goodbye\" }";
    found("line.toml", text, to, "the call ends, and no person was told");
}

#[test]
fn an_appointment_told_to_whoever_picks_up_is_found() {
    let text = "say = \"Hello, this is the automated assistant of {hospital}, calling for {called_name}.\"\non = { done = \"pp_who\" }";
    let to = "say = \"Hello, this is the automated assistant of {hospital}, calling for {called_name} about the {exam}.\"\non = { done = \"pp_who\" }";
    found("pp.toml", text, to, "before it is known who listens");
}

#[test]
fn a_cancellation_without_a_yes_is_found() {
    let text = "on = { yes = \"cancel\", no = \"kept\", unsure = \"kept\", reschedule = \"wish_reschedule\" }";
    let to = "on = { yes = \"cancel\", no = \"kept\", unsure = \"cancel\", reschedule = \"wish_reschedule\" }";
    found("appointments.toml", text, to, "cancelled without a read-back and a yes");
}

#[test]
fn a_circle_is_found() {
    let text =
        "[states.find_slots]\nact = \"find_slots\"\nlimit = { entries = 6, then = \"no_slot\" }";
    let to = "[states.find_slots]\nact = \"find_slots\"";
    found("at.toml", text, to, "go in this circle for ever");
}

#[test]
fn a_script_for_danger_that_can_be_cut_short_is_found() {
    let text = "or have someone call for you.\"\nfirm = true";
    let to = "or have someone call for you.\"";
    let findings = findings("line.toml", text, to);
    assert!(findings.iter().any(|finding| finding.what.contains("cut short")), "{findings:?}");
}

#[test]
fn a_denial_that_is_not_read_back_is_found() {
    let text = "denied = \"no kidney disease\"";
    let findings = findings("screening.toml", text, "denied = \"\"");
    assert!(findings.iter().any(|finding| finding.what.contains("not read back")), "{findings:?}");
}

#[test]
fn dead_ends_and_lost_states_are_refused_when_they_are_read() {
    let dead = changed("at.toml", "on = { done = \"anything_else\" }", "on = {}");
    let error = dead.expect_err("a dead end").to_string();
    assert!(error.contains("neither asks, checks, acts, ends nor goes on"), "{error}");
    let missing = changed("line.toml", "abuse = \"abuse\"\n", "");
    let error = missing.expect_err("no script for abuse").to_string();
    assert!(error.contains("no script for abuse"), "{error}");
}

#[derive(Deserialize)]
struct Records {
    #[serde(default)]
    record: Vec<KnowledgeRecord>,
    #[serde(default)]
    instruction: Vec<Instruction>,
}

fn records() -> SiteFacts {
    let read = |name: &str| {
        let text = std::fs::read_to_string(Path::new(SITE).join(name)).expect("there");
        toml::from_str::<Records>(&text).expect("reads")
    };
    let site = toml::from_str::<toml::Table>(
        &std::fs::read_to_string(Path::new(SITE).join("site.toml")).expect("there"),
    )
    .expect("reads");
    let values = site["site"]["values"].as_table().expect("values");
    let text = |value: &toml::Value| value.as_str().unwrap_or_default().to_owned();
    SiteFacts {
        values: values.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        knowledge: read("knowledge.toml").record,
        instructions: read("preparation.toml").instruction,
        demonstration: true,
        ..SiteFacts::default()
    }
}

fn wrong(site: &SiteFacts) -> Vec<String> {
    let scenario = Scenario::read(&files()).expect("reads");
    let findings = record_check::check(site, &scenario, date(2026, 11, 23));
    findings.into_iter().map(|finding| format!("{}: {}", finding.place, finding.what)).collect()
}

#[test]
fn faults_in_records_are_found() {
    assert_eq!(wrong(&records()), [""; 0]);
    let holds = |site: &SiteFacts, what: &str| {
        let wrong = wrong(site);
        assert!(wrong.iter().any(|finding| finding.contains(what)), "{what}: {wrong:?}");
    };
    let mut site = records();
    site.knowledge[0].approval.expires = date(2026, 11, 22);
    holds(&site, "expired on 2026-11-22");
    let mut site = records();
    site.demonstration = false;
    holds(&site, "nobody has signed it");
    let mut site = records();
    site.knowledge.retain(|record| record.topic != "results_meaning");
    holds(&site, "there is no record for \"results_meaning\"");
    let mut site = records();
    let mut other = site.instructions[0].clone();
    other.id = "another_fasting".to_owned();
    site.instructions.push(other);
    holds(&site, "both answer \"fasting\"");
    let mut site = records();
    site.instructions[0].general = "Nothing after {clock}.".to_owned();
    holds(&site, "said without an appointment");
    let mut site = records();
    site.knowledge[0].text = "Ask {somebody}.".to_owned();
    holds(&site, "nobody fills {somebody}");
}

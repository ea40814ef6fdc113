//! The embedded clinic on a real database.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{DateTime, Weekday, date, datetime, time};
use jiff::{SignedDuration, Timestamp};
use radline_clinic::{Office, parse_jsonl};
use radline_dialogue::{Action, ActionOutcome, CallbackReason, RedFlag, TimeWish};
use radline_phi::Phi;
use radline_store::{Moment, Store};

const CLINIC: &str = r#"
{"resource":"Patient","id":"p1","given_name":"Amara","family_name":"Okafor","date_of_birth":"1967-03-19","sex":"female","phone":"5550100"}
{"resource":"Patient","id":"p2","given_name":"Li","family_name":"Wei","date_of_birth":"1980-01-02"}
{"resource":"RelatedPerson","id":"r1","patient":"p1","given_name":"Ngozi","family_name":"Okafor","relationship":"daughter","until":"2026-11-23"}
{"resource":"ServiceRequest","id":"o1","patient":"p1","modality":"mri","exam":"MRI of the left knee","body_part":"knee","side":"left"}
{"resource":"ServiceRequest","id":"o2","patient":"p2","modality":"mri","exam":"MRI of the head"}
{"resource":"Slot","id":"s1","modality":"mri","room":"m1","place":"room one","start":"2026-12-01T09:00:00","minutes":30}
{"resource":"Slot","id":"s2","modality":"mri","room":"m1","place":"room one","start":"2026-12-01T14:00:00","minutes":30}
{"resource":"Slot","id":"s3","modality":"ct","room":"c1","place":"room two","start":"2026-12-01T09:00:00","minutes":30}
"#;

struct World {
    store: Store,
    office: Office,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("opens");
        let records = parse_jsonl(CLINIC, &BTreeSet::new()).expect("reads");
        store.import(moment(0), &records).await.expect("imports");
        let office = Office {
            opens: time(8, 0, 0, 0),
            closes: time(17, 0, 0, 0),
            weekdays: vec![Weekday::Monday, Weekday::Tuesday],
            holidays: Vec::new(),
            callback_within: Duration::from_hours(2),
        };
        Self { store, office, folder }
    }

    async fn act(&self, call: &str, seconds: i64, action: Action) -> ActionOutcome {
        let at = moment(seconds);
        self.store.perform(call, at, &self.office, &action).await.expect("answers")
    }

    async fn book(&self, call: &str, slot: &str, order: &str) -> ActionOutcome {
        let action = Action::Book {
            slot: slot.into(),
            order: order.into(),
            review: Vec::new(),
            notes: Vec::new(),
        };
        self.act(call, 10, action).await
    }

    /// Changes the database behind the store's back.
    async fn run(&self, sql: &'static str) {
        let file = self.folder.path().join("radline.db");
        let url = format!("sqlite://{}", file.display());
        let pool = sqlx::SqlitePool::connect(&url).await.expect("opens");
        sqlx::query(sql).execute(&pool).await.expect("runs");
        pool.close().await;
    }

    async fn active(&self) -> Vec<(String, String)> {
        let entries = self.store.appointments().await.expect("lists");
        entries.into_iter().map(|entry| (entry.slot, entry.status)).collect()
    }
}

const LOCAL: DateTime = datetime(2026, 11, 23, 10, 0, 0, 0);

fn moment(seconds: i64) -> Moment {
    Moment { now: Timestamp::from_second(1_800_000_000 + seconds).expect("valid"), local: LOCAL }
}

fn hold(slot: &str) -> Action {
    Action::Hold { slot: slot.into(), order: "o1".into() }
}

#[tokio::test]
async fn a_caller_is_matched_finds_the_order_holds_and_books() {
    let world = World::new().await;
    let identity = Action::MatchIdentity {
        name: "amara okofor".into(),
        date_of_birth: date(1967, 3, 19).into(),
        proxy: None,
    };
    let matched = world.act("c", 0, identity).await;
    assert!(matches!(matched, ActionOutcome::Matched(patient) if patient.id == "p1"));
    let orders = world.act("c", 0, Action::FindOrders { patient: "p1".into() }).await;
    assert!(matches!(&orders, ActionOutcome::Orders(orders) if orders.len() == 1));
    let find = Action::FindSlots {
        order: "o1".into(),
        wish: TimeWish::default(),
        declined: Vec::new(),
        preparation: SignedDuration::ZERO,
    };
    let found = world.act("c", 0, find).await;
    let ActionOutcome::Offers { offers, as_wished: true } = found else { panic!("{found:?}") };
    assert_eq!(offers.iter().map(|offer| offer.slot.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
    // Eight days lie before the first time: not enough for who has to get ready for longer.
    let late = Action::FindSlots {
        order: "o1".into(),
        wish: TimeWish::default(),
        declined: Vec::new(),
        preparation: SignedDuration::from_hours(8 * 24),
    };
    let found = world.act("c", 0, late).await;
    let ActionOutcome::Offers { offers, .. } = found else { panic!("{found:?}") };
    assert_eq!(offers.iter().map(|offer| offer.slot.as_str()).collect::<Vec<_>>(), ["s2"]);
    assert_eq!(world.act("c", 0, hold("s1")).await, ActionOutcome::Held);
    let booked = world.book("c", "s1", "o1").await;
    assert!(matches!(booked, ActionOutcome::Booked { .. }));
    assert_eq!(world.book("c", "s1", "o1").await, booked, "asked twice, booked once");
    assert_eq!(world.active().await, [("s1".to_owned(), "booked".to_owned())]);
    let orders = world.act("c", 0, Action::FindOrders { patient: "p1".into() }).await;
    assert_eq!(orders, ActionOutcome::Orders(Vec::new()), "the order is used");
}

#[tokio::test]
async fn only_who_is_on_record_speaks_for_a_patient() {
    let world = World::new().await;
    let found = async |proxy: &str, name: &str, born, local| {
        let action = Action::MatchIdentity {
            name: name.into(),
            date_of_birth: Phi::new(born),
            proxy: Some(proxy.into()),
        };
        let at = Moment { local, ..moment(0) };
        let answer = world.store.perform("c", at, &world.office, &action).await.expect("answers");
        let own = proxy.split(' ').next().unwrap_or_default();
        matches!(answer, ActionOutcome::Matched(patient)
            if patient.id == "p1" && patient.given_name.expose().eq_ignore_ascii_case(own))
    };
    let born = date(1967, 3, 19);
    assert!(found("ngozi okafor", "amara okafor", born, LOCAL).await);
    assert!(!found("amara okafor", "amara okafor", born, LOCAL).await, "the patient's own name");
    assert!(!found("chidi okafor", "amara okafor", born, LOCAL).await, "not on record");
    assert!(!found("ngozi okafor", "li wei", date(1980, 1, 2), LOCAL).await, "for another");
    let later = datetime(2026, 11, 24, 8, 0, 0, 0);
    assert!(!found("ngozi okafor", "amara okafor", born, later).await, "run out");
}

#[tokio::test]
async fn a_held_time_is_nobody_elses_until_it_runs_out() {
    let world = World::new().await;
    assert_eq!(world.act("a", 0, hold("s1")).await, ActionOutcome::Held);
    assert_eq!(world.act("b", 1, hold("s1")).await, ActionOutcome::Taken);
    assert_eq!(world.book("b", "s1", "o2").await, ActionOutcome::Taken);
    assert_eq!(world.act("b", 400, hold("s1")).await, ActionOutcome::Held, "the hold ran out");
    assert!(matches!(world.book("b", "s1", "o2").await, ActionOutcome::Booked { .. }));
    assert_eq!(world.book("a", "s1", "o1").await, ActionOutcome::Taken);
}

#[tokio::test]
async fn many_callers_at_once_get_a_time_once() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..20 {
        let (store, office) = (world.store.clone(), world.office.clone());
        let order = if index % 2 == 0 { "o1" } else { "o2" };
        tasks.spawn(async move {
            let action = Action::Book {
                slot: "s1".into(),
                order: order.into(),
                review: Vec::new(),
                notes: Vec::new(),
            };
            let call = format!("call-{index}");
            store.perform(&call, moment(0), &office, &action).await.expect("answers")
        });
    }
    let outcomes = tasks.join_all().await;
    let booked = outcomes.iter().filter(|o| matches!(o, ActionOutcome::Booked { .. })).count();
    assert_eq!(booked, 1);
    assert_eq!(world.active().await.len(), 1);
}

#[tokio::test]
async fn a_restart_frees_holds_and_keeps_appointments() {
    let world = World::new().await;
    world.act("a", 0, hold("s1")).await;
    world.book("b", "s2", "o2").await;
    let folder = world.store.folder().to_owned();
    drop(world.store.clone());
    let again = Store::open(&folder).await.expect("opens again");
    assert_eq!(again.release_all().await.expect("frees"), 1);
    assert_eq!(again.appointments().await.expect("lists").len(), 1);
}

#[tokio::test]
async fn a_review_keeps_the_time_pending_and_makes_a_task() {
    let world = World::new().await;
    let action = Action::Book {
        slot: "s1".into(),
        order: "o1".into(),
        review: vec!["Kidney disease".into()],
        notes: Vec::new(),
    };
    assert!(matches!(world.act("c", 0, action).await, ActionOutcome::HeldForReview { .. }));
    assert_eq!(world.active().await, [("s1".to_owned(), "pending".to_owned())]);
    let tasks = world.store.tasks().await.expect("lists");
    assert_eq!((tasks.len(), tasks[0].kind.as_str()), (1, "review"));
}

#[tokio::test]
async fn a_call_back_frees_the_hold_and_keeps_number_and_place() {
    let world = World::new().await;
    world.act("c", 0, hold("s1")).await;
    let request = Action::RequestCallback {
        reason: CallbackReason::Asked,
        patient: None,
        story: vec!["modality: mri".into()],
    };
    let noted = world.act("c", 0, request).await;
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    assert_eq!(
        noted,
        ActionOutcome::CallbackNoted { due, has_number: false, person_present: false }
    );
    assert_eq!(world.act("b", 0, hold("s1")).await, ActionOutcome::Held);
    let amend = Action::AmendCallback { number: Some("5550173".into()), location: None };
    world.act("c", 0, amend).await;
    let tasks = world.store.tasks().await.expect("lists");
    assert_eq!(tasks[0].number.expose().as_deref(), Some("5550173"));
}

#[tokio::test]
async fn a_call_has_one_call_back_and_its_gravest_reason() {
    let world = World::new().await;
    let request = |reason| Action::RequestCallback { reason, patient: None, story: Vec::new() };
    for reason in [
        CallbackReason::Asked,
        CallbackReason::RedFlag(RedFlag::ContrastReaction),
        CallbackReason::PersonLost,
        CallbackReason::Asked,
    ] {
        world.act("c", 0, request(reason)).await;
    }
    world.act("d", 0, request(CallbackReason::Asked)).await;
    let tasks = world.store.tasks().await.expect("lists");
    let reasons: Vec<&str> = tasks.iter().map(|task| task.reason.as_str()).collect();
    assert_eq!(reasons, ["red_flag contrast_reaction", "asked"]);
    let now = jiff::Timestamp::from_second(1_790_000_000).expect("in range");
    world.store.close_callbacks("c", "spoken with", now).await.expect("closes");
    assert_eq!(world.store.tasks().await.expect("lists").len(), 1);
}

#[tokio::test]
async fn the_audit_tells_when_it_was_changed() {
    let world = World::new().await;
    let now = jiff::Timestamp::from_second(1_790_000_000).expect("in range");
    for what in ["sign_in", "view_call", "listen"] {
        world.store.audit("jo", what, "call-1", now).await.expect("writes");
    }
    let (entries, broken) = world.store.audit_trail().await.expect("reads");
    assert_eq!((entries.len(), broken), (3, None));
    world.run("UPDATE audit SET who = 'sam' WHERE seq = 2").await;
    assert_eq!(world.store.audit_trail().await.expect("reads").1, Some(2));
    world.run("UPDATE audit SET who = 'jo' WHERE seq = 2").await;
    world.run("DELETE FROM audit WHERE seq = 1").await;
    assert_eq!(world.store.audit_trail().await.expect("reads").1, Some(2));
}

#[tokio::test]
async fn an_import_is_all_or_nothing() {
    let world = World::new().await;
    let text = r#"{"resource":"Slot","id":"s9","modality":"mri","room":"m1","place":"x","start":"2026-12-05T09:00:00","minutes":30}
{"resource":"Appointment","id":"a1","slot":"s9","order":"o1","patient":"p1","status":"booked"}
{"resource":"Appointment","id":"a2","slot":"s9","order":"o2","patient":"p2","status":"booked"}"#;
    let known = world.store.known_references().await.expect("lists");
    let records = parse_jsonl(text, &known).expect("reads");
    let error = world.store.import(moment(0), &records).await.expect_err("the slot is given twice");
    assert!(error.to_string().starts_with("line 3: "), "{error}");
    assert!(world.active().await.is_empty());
    let known = world.store.known_references().await.expect("lists");
    assert!(!known.contains("Slot/s9"), "nothing of the file stayed");
}

#[tokio::test]
async fn a_finding_after_the_booking_takes_its_confirmation_back_once() {
    let world = World::new().await;
    let ActionOutcome::Booked { appointment } = world.book("a", "s1", "o1").await else {
        panic!("not booked")
    };
    let finding = || Action::HoldForReview {
        appointment: appointment.clone(),
        review: vec!["Active or unidentified implant".to_owned().into()],
    };
    for _ in 0..2 {
        let held = world.act("a", 20, finding()).await;
        assert!(matches!(held, ActionOutcome::HeldForReview { .. }), "{held:?}");
    }
    assert_eq!(world.active().await, [("s1".to_owned(), "pending".to_owned())]);
    assert_eq!(world.store.tasks().await.expect("lists").len(), 1, "one review, asked twice");
}

#[tokio::test]
async fn whoever_may_call_is_expected_by_name() {
    let world = World::new().await;
    let names = |at: Moment| {
        let store = world.store.clone();
        async move {
            let names = store.worklist_names(at, 10).await.expect("lists");
            names.into_iter().map(radline_phi::Phi::into_exposed).collect::<Vec<_>>()
        }
    };
    // Ngozi speaks for Amara.
    let all = ["Amara Okafor", "Li Wei", "Ngozi Okafor"];
    assert_eq!(names(moment(0)).await, all, "open orders");
    world.book("a", "s1", "o1").await;
    assert_eq!(names(moment(0)).await, all, "an appointment to come");
    let later = Moment { local: datetime(2026, 12, 2, 8, 0, 0, 0), ..moment(0) };
    assert_eq!(names(later).await, ["Li Wei"], "an appointment that was");
}

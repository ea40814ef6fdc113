//! Calls that the clinic places: each is dialled once, none for an appointment that does not stand, and none
//! that has waited for a day.

use std::collections::BTreeSet;

use jiff::civil::datetime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use radline_clinic::parse_jsonl;
use radline_phi::Phi;
use radline_store::{DialOutcome, Moment, Store};

const CLINIC: &str = r#"{"resource":"Patient","id":"p1","given_name":"Ada","family_name":"Moss","date_of_birth":"1970-02-03","phone":"5550101"}
{"resource":"ServiceRequest","id":"o1","patient":"p1","modality":"ct","exam":"CT of the chest","body_part":"chest","priority":"routine","reason":"follow-up","requester":"Dr. Lee","authored":"2026-11-05"}
{"resource":"Slot","id":"s1","modality":"ct","room":"ct-1","place":"the main building","start":"2026-12-02T11:45","minutes":30}
{"resource":"Appointment","id":"a1","slot":"s1","order":"o1","patient":"p1","status":"booked"}"#;

async fn clinic() -> (Store, tempfile::TempDir, Timestamp) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("opens");
    let local = datetime(2026, 11, 23, 10, 0, 0, 0);
    let now = local.to_zoned(TimeZone::UTC).expect("a time").timestamp();
    let records = parse_jsonl(CLINIC, &BTreeSet::new()).expect("valid");
    store.import(Moment { now, local }, &records).await.expect("imports");
    (store, folder, now)
}

async fn outcome(store: &Store) -> Option<String> {
    store.outgoing_calls().await.expect("read").remove(0).outcome
}

#[tokio::test]
async fn a_call_is_dialled_once_and_keeps_what_came_of_it() {
    let (store, _folder, now) = clinic().await;
    let target = Phi::new("sip:ada@10.0.0.5".to_owned());
    assert!(store.want_call("a1", Some(&target), now).await.expect("kept"));
    assert!(!store.want_call("a1", None, now).await.expect("asked"), "one waits already");
    let call = store.next_outgoing_call(now).await.expect("read").expect("waits");
    assert_eq!(call.number.expose().as_deref(), Some("5550101"));
    assert_eq!(call.target.expose().as_deref(), Some("sip:ada@10.0.0.5"));
    assert_eq!(call.called.expect("stands").appointment, "a1");
    assert!(store.next_outgoing_call(now).await.expect("read").is_none(), "dialled twice");
    store.outgoing_call_ended(call.id, DialOutcome::NoAnswer, None).await.expect("kept");
    assert_eq!(outcome(&store).await.as_deref(), Some("no_answer"));
    assert!(store.want_call("a1", None, now).await.expect("kept"), "it may be tried again");
}

#[tokio::test]
async fn a_call_that_waits_for_a_day_or_was_cut_off_is_not_placed() {
    let (store, _folder, now) = clinic().await;
    store.want_call("a1", None, now).await.expect("kept");
    let late = now + SignedDuration::from_hours(25);
    assert!(store.next_outgoing_call(late).await.expect("read").is_none());
    assert_eq!(outcome(&store).await.as_deref(), Some("too_late"));

    store.want_call("a1", None, late).await.expect("kept");
    store.next_outgoing_call(late).await.expect("read").expect("waits");
    // The server dies while it rings.
    assert_eq!(store.close_outgoing_orphans().await.expect("closed"), 1);
    assert_eq!(outcome(&store).await.as_deref(), Some("interrupted"));
}

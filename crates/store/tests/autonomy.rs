//! How drafts were judged is counted over all calls; what was granted can be taken back, and both are kept.

use jiff::Timestamp;
use radline_call::{CallEvent, DraftVerdict, EventKind};
use radline_store::{Acceptance, CallStart, Grant, Store};

fn judged(draft: u64, state: &str, verdict: DraftVerdict) -> [CallEvent; 2] {
    let event = |kind| CallEvent { at_ms: 0, turn: 1, kind };
    [
        event(EventKind::Drafted { draft, state: state.to_owned() }),
        event(EventKind::DraftDecided {
            draft,
            verdict,
            by: "jo".to_owned(),
            waited_ms: 900,
            edits: 0,
        }),
    ]
}

#[tokio::test]
async fn acceptance_is_counted_by_reply_and_a_grant_can_be_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("opens");
    let now = Timestamp::from_second(1_790_000_000).expect("a time");
    // The same numbers of drafts in two calls are different drafts.
    for call in ["one", "two"] {
        let start = CallStart {
            id: call.to_owned(),
            started: now,
            peer: String::new(),
            scenario: "at".to_owned(),
        };
        store.begin_call(&start).await.expect("begins");
        let events: Vec<CallEvent> = [
            judged(1, "offer", DraftVerdict::Approved),
            judged(2, "offer", DraftVerdict::Edited),
            judged(3, "goodbye", DraftVerdict::Expired),
            judged(4, "goodbye", DraftVerdict::Withdrawn),
            judged(5, "goodbye", DraftVerdict::Rejected),
        ]
        .concat();
        store.append(call, 0, &events).await.expect("kept");
    }
    let acceptance = store.acceptance().await.expect("counted");
    assert_eq!(acceptance["offer"], Acceptance { approved: 2, edited: 2, rejected: 0, expired: 0 });
    assert_eq!(
        acceptance["goodbye"],
        Acceptance { approved: 0, edited: 0, rejected: 2, expired: 2 }
    );
    assert_eq!(acceptance["goodbye"].decided(), 2, "nobody decided about the others");

    let grant =
        Grant { state: "offer".to_owned(), by: "sam".to_owned(), at: now, decided: 4, approved: 2 };
    assert!(store.grant(&grant).await.expect("granted"));
    assert!(!store.grant(&grant).await.expect("asked"), "granted twice");
    assert_eq!(store.grants().await.expect("read"), std::slice::from_ref(&grant));
    assert!(store.revoke("offer", "sam", now).await.expect("revoked"));
    assert!(!store.revoke("offer", "sam", now).await.expect("asked"), "revoked twice");
    assert!(store.grants().await.expect("read").is_empty());
    assert!(store.grant(&grant).await.expect("granted"), "cannot be granted again");
}

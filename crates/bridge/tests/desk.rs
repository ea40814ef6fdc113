//! The desk: who gets whom, in which order, and what becomes of everybody else.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use radline_bridge::desk::DeskWord;
use radline_bridge::{Desk, Escalation, Filter, Place, Provider, Refusal, limits};
use radline_call::{EscalationOutcome, PersonLeft};
use radline_dialogue::{CallbackReason, RedFlag};

const EMERGENCY: CallbackReason = CallbackReason::RedFlag(RedFlag::LifeThreat);

fn at(seconds: u64) -> Timestamp {
    let began = Timestamp::from_second(1_790_000_000).expect("in range");
    began + SignedDuration::try_from(Duration::from_secs(seconds)).expect("short")
}

fn provider(name: &str) -> Provider {
    Provider { name: name.to_owned(), display: name.to_uppercase() }
}

fn need(reason: CallbackReason, seconds: u64) -> Escalation {
    Escalation::new(reason, "en", None, at(seconds))
}

/// A caller who waits since then.
fn waits(desk: &mut Desk, call: &str, reason: CallbackReason, seconds: u64) -> bool {
    desk.begin(at(seconds), call);
    let there = desk.escalate(call, need(reason, seconds));
    desk.queue(at(seconds), call);
    there
}

fn words(desk: &mut Desk) -> Vec<(String, DeskWord)> {
    std::iter::from_fn(|| desk.poll()).collect()
}

fn nobody(call: &str, outcome: EscalationOutcome) -> (String, DeskWord) {
    (call.to_owned(), DeskWord::Nobody(outcome))
}

#[test]
fn an_emergency_overtakes_fifty_waiting_calls() {
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    for call in 0..50 {
        waits(&mut desk, &format!("call-{call:02}"), CallbackReason::Asked, call);
    }
    waits(&mut desk, "urgent", CallbackReason::Distress, 60);
    waits(&mut desk, "emergency", EMERGENCY, 61);
    let order: Vec<String> = desk.calls().into_iter().map(|queued| queued.call).collect();
    assert_eq!(order[..3], ["emergency", "urgent", "call-00"]);
    assert_eq!(order.last().map(String::as_str), Some("call-49"));
    let told = words(&mut desk);
    assert!(told.contains(&("emergency".to_owned(), DeskWord::PlaceInLine(0))));
    assert!(told.contains(&("call-00".to_owned(), DeskWord::PlaceInLine(2))));
}

#[test]
fn exactly_one_gets_a_call_and_the_others_hear_who() {
    let mut desk = Desk::default();
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    assert_eq!(desk.claim(at(1), &provider("jo"), "call"), Ok(()));
    assert_eq!(desk.claim(at(1), &provider("jo"), "call"), Ok(()), "a second click is none");
    let refused = desk.claim(at(1), &provider("sam"), "call");
    assert_eq!(refused, Err(Refusal::Taken("JO".to_owned())));
    assert_eq!(desk.claim(at(1), &provider("sam"), "other"), Err(Refusal::Over));
    waits(&mut desk, "next", CallbackReason::Asked, 2);
    assert_eq!(desk.claim(at(3), &provider("jo"), "next"), Err(Refusal::Busy));
    assert_eq!(desk.join(&provider("sam"), "call"), Err(Refusal::NotYours));
    assert_eq!(desk.join(&provider("jo"), "call"), Ok(()));
}

#[test]
fn a_claim_without_audio_goes_back_to_the_queue() {
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    desk.claim(at(1), &provider("jo"), "call").expect("free");
    desk.tick(at(1 + limits::JOIN_MAX.as_secs()));
    assert!(matches!(desk.calls()[0].place, Place::Claimed(_)));
    desk.tick(at(2 + limits::JOIN_MAX.as_secs()));
    assert_eq!(desk.calls()[0].place, Place::Waiting);
}

#[test]
fn everybody_who_could_declines() {
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    desk.arrive(provider("sam"), Filter::default());
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    words(&mut desk);
    desk.decline(&provider("jo"), "call", EscalationOutcome::Declined).expect("there");
    desk.tick(at(1));
    assert_eq!(words(&mut desk), []);
    desk.decline(&provider("sam"), "call", EscalationOutcome::Declined).expect("there");
    desk.tick(at(2));
    assert_eq!(words(&mut desk), [nobody("call", EscalationOutcome::Declined)]);
    desk.tick(at(3));
    assert_eq!(words(&mut desk), [], "said once");
}

#[test]
fn telephones_that_are_busy_or_not_answered_are_told_apart() {
    let (busy, unanswered) = (EscalationOutcome::Busy, EscalationOutcome::NoAnswer);
    for (first, second, said) in [(busy, unanswered, busy), (unanswered, unanswered, unanswered)] {
        let mut desk = Desk::default();
        desk.arrive(provider("jo"), Filter::default());
        desk.arrive(provider("sam"), Filter::default());
        waits(&mut desk, "call", CallbackReason::Asked, 0);
        words(&mut desk);
        desk.decline(&provider("jo"), "call", first).expect("there");
        desk.decline(&provider("sam"), "call", second).expect("there");
        desk.tick(at(1));
        assert_eq!(words(&mut desk), [nobody("call", said)]);
    }
}

#[test]
fn nobody_answers_or_everybody_talks() {
    let late = limits::WAIT_MAX.as_secs() + 1;
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    words(&mut desk);
    desk.tick(at(late - 1));
    assert_eq!(words(&mut desk), []);
    desk.tick(at(late));
    assert_eq!(words(&mut desk), [nobody("call", EscalationOutcome::NoAnswer)]);

    waits(&mut desk, "first", CallbackReason::Asked, late);
    desk.claim(at(late), &provider("jo"), "first").expect("free");
    desk.join(&provider("jo"), "first").expect("claimed");
    assert!(waits(&mut desk, "second", CallbackReason::Asked, late), "who talks is there, too");
    words(&mut desk);
    desk.tick(at(2 * late));
    assert_eq!(words(&mut desk), [nobody("second", EscalationOutcome::Busy)]);
}

#[test]
fn a_caller_does_not_wait_for_people_who_have_gone() {
    let mut desk = Desk::default();
    let there = desk.arrive(provider("jo"), Filter::default()).expect("room");
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    words(&mut desk);
    desk.leave(there);
    desk.tick(at(10));
    desk.tick(at(10 + limits::ABSENCE_MAX.as_secs()));
    assert_eq!(words(&mut desk), [], "a browser that reloads is back in a moment");
    desk.tick(at(11 + limits::ABSENCE_MAX.as_secs()));
    assert_eq!(words(&mut desk), [nobody("call", EscalationOutcome::NoAnswer)]);
}

#[test]
fn skills_and_languages_decide_who_is_asked_unless_it_is_urgent() {
    let mut desk = Desk::default();
    let skills = vec!["scheduling".to_owned()];
    desk.arrive(provider("jo"), Filter { skills, languages: vec!["en".to_owned()] });
    assert!(waits(&mut desk, "order", CallbackReason::Order, 0));
    assert!(!waits(&mut desk, "implant", CallbackReason::Screening, 0));
    assert!(!waits(&mut desk, "language", CallbackReason::Interpreter, 0));
    assert!(waits(&mut desk, "emergency", EMERGENCY, 0), "somebody is better than nobody");
    desk.begin(at(0), "spanish");
    let spanish = Escalation::new(CallbackReason::Asked, "es", None, at(0));
    assert!(!desk.escalate("spanish", spanish));
}

#[test]
fn a_need_that_was_urgent_stays_urgent_and_keeps_its_place() {
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    waits(&mut desk, "call", EMERGENCY, 0);
    desk.claim(at(5), &provider("jo"), "call").expect("free");
    desk.join(&provider("jo"), "call").expect("claimed");
    assert!(desk.part(&provider("jo"), "call", PersonLeft::Lost));
    desk.escalate("call", need(CallbackReason::PersonLost, 9));
    desk.queue(at(9), "call");
    let queued = desk.calls().remove(0);
    let escalation = queued.escalation.expect("needed");
    assert_eq!((escalation.reason, escalation.since), (EMERGENCY, at(0)));
    assert_eq!(queued.place, Place::Waiting);
}

#[test]
fn a_call_that_is_settled_needs_nobody_and_one_that_ended_is_gone() {
    let mut desk = Desk::default();
    desk.arrive(provider("jo"), Filter::default());
    waits(&mut desk, "call", CallbackReason::Asked, 0);
    waits(&mut desk, "behind", CallbackReason::Asked, 1);
    desk.claim(at(2), &provider("jo"), "call").expect("free");
    desk.join(&provider("jo"), "call").expect("claimed");
    words(&mut desk);
    assert!(!desk.part(&provider("sam"), "call", PersonLeft::Lost), "not theirs");
    assert!(desk.part(&provider("jo"), "call", PersonLeft::HandedBack));
    assert!(desk.calls().iter().all(|queued| queued.call != "call" || queued.escalation.is_none()));
    desk.end("call");
    assert_eq!(desk.calls().len(), 1);
    assert_eq!(desk.claim(at(3), &provider("jo"), "call"), Err(Refusal::Over));
    desk.claim(at(3), &provider("jo"), "behind").expect("free again");
}

#[test]
fn the_desk_is_bounded() {
    let mut desk = Desk::default();
    for call in 0..limits::CALLS_MAX + 10 {
        desk.begin(at(0), &call.to_string());
    }
    assert_eq!(desk.calls().len(), limits::CALLS_MAX);
    let there = (0..=limits::PRESENCES_MAX)
        .filter_map(|_| desk.arrive(provider("jo"), Filter::default()))
        .count();
    assert_eq!(there, limits::PRESENCES_MAX);
}

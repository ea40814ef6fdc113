//! Supervised mode: nothing is spoken or done before a person has let it pass, or the site's policy has.

use std::collections::BTreeSet;
use std::time::Duration;

use radline_call::{
    Approval, CallInput, DraftVerdict, EventKind, Judgement, Medium, SecondReading, Unanswered,
};
use radline_dialogue::{Action, CallbackReason, Command, Intent, RedFlag};

use crate::world::{Voice, World};

fn policy(unanswered: Unanswered) -> Approval {
    let granted = BTreeSet::from(["greeting".to_owned()]);
    Approval { wait: Duration::from_secs(8), unanswered, granted }
}

/// A caller who has agreed to the recording; the next reply waits.
fn drafted(unanswered: Unanswered) -> World {
    let mut world = World::supervised(Medium::Voice, policy(unanswered));
    world.pass(6000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("yes", vec![Command::Affirm]);
    world.pass(900, false);
    assert_eq!(world.drafts.len(), 1, "the greeting is granted, the next reply is not");
    world
}

fn judged(world: &mut World, judgement: Judgement) {
    let draft = world.drafts.last().expect("a draft").0;
    world.input(CallInput::DraftJudged(draft, judgement, "jo".to_owned()));
}

fn verdicts(world: &World) -> Vec<DraftVerdict> {
    let verdict = |event: &EventKind| match event {
        EventKind::DraftDecided { verdict, .. } => Some(*verdict),
        _ => None,
    };
    world.events.iter().filter_map(verdict).collect()
}

fn said(world: &World, part: &str) -> bool {
    world.events.iter().any(
        |event| matches!(event, EventKind::AgentSaid { text, .. } if text.expose().contains(part)),
    )
}

#[test]
fn what_is_approved_is_spoken_and_not_before() {
    let mut world = drafted(Unanswered::Hold);
    let text = world.drafts[0].1.clone();
    assert!(!said(&world, &text));
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    assert!(said(&world, &text), "{text}");
    assert_eq!(verdicts(&world), [DraftVerdict::Approved]);
}

#[test]
fn what_is_edited_is_spoken_in_the_persons_words() {
    let mut world = drafted(Unanswered::Hold);
    judged(&mut world, Judgement::Edit("Thank you. How may we help?".into()));
    world.pass(3000, false);
    assert!(said(&world, "How may we help?"));
    assert!(!said(&world, &world.drafts[0].1.clone()));
    assert!(world.events.iter().any(|event| matches!(
        event,
        EventKind::DraftDecided { verdict: DraftVerdict::Edited, edits, by, .. } if *edits > 5 && by == "jo"
    )));
    assert_eq!(world.state(), "reason", "the question is the draft's");
}

#[test]
fn what_is_rejected_is_not_spoken_and_a_person_is_called() {
    let mut world = drafted(Unanswered::Speak);
    let text = world.drafts[0].1.clone();
    judged(&mut world, Judgement::Reject);
    world.pass(3000, false);
    assert!(!said(&world, &text));
    let reason = CallbackReason::Supervision;
    assert!(
        matches!(world.actions.last(), Some((_, Action::RequestCallback { reason: why, .. })) if *why == reason)
    );
}

#[test]
fn without_anybody_the_policy_holds() {
    let mut world = drafted(Unanswered::Speak);
    judged(&mut world, Judgement::Nobody);
    world.pass(2000, false);
    assert!(said(&world, &world.drafts[0].1.clone()));
    assert_eq!(verdicts(&world), [DraftVerdict::Expired]);

    let mut world = drafted(Unanswered::Person);
    world.pass(9000, false);
    assert_eq!(verdicts(&world), [DraftVerdict::Expired]);
    assert!(matches!(world.actions.last(), Some((_, Action::RequestCallback { .. }))));
}

#[test]
fn a_held_caller_is_asked_for_patience_and_then_gets_a_person() {
    let mut world = drafted(Unanswered::Hold);
    world.pass(4000, false);
    assert!(said(&world, "still looking"));
    assert_eq!(verdicts(&world), []);
    world.pass(30_000, false);
    assert_eq!(verdicts(&world), []);
    world.pass(20_000, false);
    assert_eq!(verdicts(&world), [DraftVerdict::Expired]);
    assert!(matches!(world.actions.last(), Some((_, Action::RequestCallback { .. }))));
}

#[test]
fn who_goes_on_speaking_takes_the_draft_back() {
    let mut world = drafted(Unanswered::Hold);
    let first = world.drafts[0].0;
    world.pass(600, true);
    assert_eq!(verdicts(&world), [DraftVerdict::Withdrawn]);
    world.input(CallInput::DraftJudged(first, Judgement::Approve, "jo".to_owned()));
    world.pass(120, false);
    assert!(!said(&world, &world.drafts[0].1.clone()), "a late word changes nothing");
    world.heard("yes and i need an mri", vec![Command::Affirm, Command::Want(Intent::Book)]);
    world.pass(900, false);
    assert_eq!(world.drafts.len(), 2);
}

#[test]
fn danger_waits_for_nobody() {
    let mut world = World::supervised(Medium::Voice, policy(Unanswered::Hold));
    world.pass(6000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("i have chest pain and cannot breathe", Vec::new());
    world.pass(2500, false);
    assert!(world.drafts.is_empty());
    assert!(said(&world, "emergency"));
}

#[test]
fn a_person_who_takes_over_takes_the_draft_with_them() {
    let mut world = drafted(Unanswered::Hold);
    world.input(CallInput::PersonJoined);
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    assert!(!said(&world, &world.drafts[0].1.clone()));
    assert_eq!(verdicts(&world), [DraftVerdict::TakenOver]);
}

#[test]
fn danger_spoken_of_over_a_draft_is_heard() {
    let mut world = drafted(Unanswered::Hold);
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("an mri of my knee", vec![Command::Want(Intent::Book)]);
    world.pass(4500, false);
    let drafts = world.drafts.len();
    world.pass(600, true);
    world.pass(120, false);
    world.heard("i have chest pain and cannot breathe", Vec::new());
    world.pass(2500, false);
    assert!(said(&world, "emergency"), "{:?}", world.events);
    assert_eq!(world.drafts.len(), drafts);
}

#[test]
fn audio_that_comes_while_a_draft_waits_is_not_asked_for_twice() {
    let mut world = World::supervised(Medium::Voice, policy(Unanswered::Hold));
    world.pass(6000, false);
    world.voice = Voice::Late;
    world.pass(600, true);
    world.pass(120, false);
    world.heard("yes", vec![Command::Affirm]);
    world.pass(900, false);
    world.speak_late();
    judged(&mut world, Judgement::Approve);
    world.pass(2500, false);
    assert!(said(&world, &world.drafts[0].1.clone()), "the audio was lost");
}

#[test]
fn danger_that_a_second_reading_finds_does_not_wait_for_a_draft() {
    let mut world = drafted(Unanswered::Hold);
    let turn = world.rereads.last().expect("reread").turn;
    let flag = Some(RedFlag::LifeThreat);
    let reading = SecondReading { flag, words: "chest pain".into(), differs: false };
    world.input(CallInput::Supervised(turn, reading));
    world.pass(2500, false);
    assert!(said(&world, "emergency"));
    assert_eq!(verdicts(&world), [DraftVerdict::Withdrawn]);
}

#[test]
fn a_call_for_a_person_is_no_draft() {
    let mut world = drafted(Unanswered::Hold);
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("a person please", vec![Command::RequestPerson]);
    world.pass(900, false);
    assert_eq!(world.drafts.len(), 1);
    assert!(matches!(world.actions.last(), Some((_, Action::RequestCallback { .. }))));
}

#[test]
fn consent_that_is_taken_back_counts_before_the_reply_to_it() {
    let mut world = drafted(Unanswered::Hold);
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    assert!(world.recording);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("please stop recording", vec![Command::StopRecording]);
    world.pass(900, false);
    assert_eq!(world.drafts.len(), 2, "the reply waits");
    assert!(!world.recording);
}

#[test]
fn a_shutdown_takes_no_late_word() {
    let mut world = drafted(Unanswered::Hold);
    world.input(CallInput::Shutdown);
    judged(&mut world, Judgement::Approve);
    world.pass(3000, false);
    assert!(!said(&world, &world.drafts[0].1.clone()));
    assert!(world.hung_up.is_some());
}

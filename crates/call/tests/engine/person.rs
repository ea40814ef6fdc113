//! A person takes over: the wait, the conversation, and every way in which it ends.

use jiff::civil::datetime;
use radline_audio::{AudioFrame, FRAME_SAMPLES, SpeechProbability};
use radline_call::{
    CallInput, EndReason, EscalationOutcome, EventKind, Medium, PersonLeft, Transcript,
};
use radline_dialogue::{Action, ActionOutcome, CallbackReason, Command, RedFlag};

use crate::world::{Voice, World};

/// A caller who has agreed to the recording, asked for a person, and waits.
fn waiting() -> World {
    let mut world = World::new(Medium::Voice);
    answered(&mut world, "yes", vec![Command::Affirm]);
    answered(&mut world, "a person please", vec![Command::RequestPerson]);
    noted(&mut world, true);
    world.pass(1500, false);
    world
}

fn answered(world: &mut World, words: &str, commands: Vec<Command>) {
    world.pass(6000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard(words, commands);
    world.pass(900, false);
}

fn noted(world: &mut World, person_present: bool) {
    let (request, action) = world.actions.last().cloned().expect("asked for a call-back");
    assert!(matches!(action, Action::RequestCallback { .. }), "{action:?}");
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    let noted = ActionOutcome::CallbackNoted { due, has_number: true, person_present };
    world.input(CallInput::ClinicAnswered(request, noted));
}

fn outcomes(world: &World) -> Vec<EscalationOutcome> {
    let outcome = |event: &EventKind| match event {
        EventKind::EscalationEnded { outcome } => Some(*outcome),
        _ => None,
    };
    world.events.iter().filter_map(outcome).collect()
}

fn said(world: &World, part: &str) -> bool {
    world.events.iter().any(
        |event| matches!(event, EventKind::AgentSaid { text, .. } if text.expose().contains(part)),
    )
}

#[test]
fn who_asks_for_a_person_waits_for_one_who_is_there() {
    let world = waiting();
    assert!(world.queued);
    assert_eq!(world.state(), "connecting");
    assert_eq!(world.hung_up, None);
    let asked = EventKind::Escalated { reason: CallbackReason::Asked };
    assert_eq!(world.count(|event| *event == asked), 1);
}

#[test]
fn without_anybody_there_a_call_back_is_promised_at_once() {
    let mut world = World::new(Medium::Voice);
    answered(&mut world, "yes", vec![Command::Affirm]);
    answered(&mut world, "a person please", vec![Command::RequestPerson]);
    noted(&mut world, false);
    world.pass(12_000, false);
    assert!(!world.queued);
    assert!(said(&world, "call you back"));
    assert_eq!(outcomes(&world), [EscalationOutcome::CallbackPromised]);
}

#[test]
fn the_wait_is_never_silent_for_long_and_tells_the_place() {
    let mut world = waiting();
    world.input(CallInput::PlaceInLine(2));
    world.pass(40_000, false);
    assert!(said(&world, "number 3 in line"));
    world.input(CallInput::PlaceInLine(0));
    world.pass(20_000, false);
    assert!(said(&world, "the next in line"));
    assert!(world.queued, "the wait goes on");
}

#[test]
fn a_person_who_joins_silences_radline_and_is_written_down() {
    let mut world = waiting();
    world.input(CallInput::PlaceInLine(1));
    world.pass(14_700, false);
    world.input(CallInput::PersonJoined);
    world.pass(100, false);
    let played = world.played;
    for step in 0..100 {
        let speech = SpeechProbability::new(if step < 40 { 0.9 } else { 0.0 });
        let frame = AudioFrame::from_samples([2000; FRAME_SAMPLES]);
        world.input(CallInput::PersonAudio(frame, speech));
        world.pass(20, step > 60);
    }
    world.pass(1000, false);
    assert_eq!(world.played, played, "Radline spoke in a conversation");
    assert_eq!(world.overheard.len(), 2);
    for turn in std::mem::take(&mut world.overheard) {
        let transcript = Transcript { text: "hello there".into(), confidence: 0.9 };
        world.input(CallInput::Transcribed(turn, Some(transcript)));
    }
    assert_eq!(world.count(|event| matches!(event, EventKind::PersonSaid { .. })), 1);
    assert!(world.understands.len() <= 2, "a conversation is not for the dialogue");
    world.input(CallInput::PersonLeft(PersonLeft::Finished));
    assert_eq!(world.hung_up, Some(EndReason::EndedByPerson));
    assert_eq!(outcomes(&world), [EscalationOutcome::Taken]);
}

#[test]
fn a_caller_who_is_handed_back_can_go_on_and_ask_for_a_person_again() {
    let mut world = waiting();
    world.input(CallInput::PersonJoined);
    world.pass(3000, false);
    world.input(CallInput::PersonLeft(PersonLeft::HandedBack));
    world.pass(3000, false);
    assert_eq!(world.state(), "anything_else");
    assert!(said(&world, "automated assistant again"));
    answered(&mut world, "a person please", vec![Command::RequestPerson]);
    noted(&mut world, true);
    world.pass(1500, false);
    assert!(world.queued);
    assert_eq!(outcomes(&world), [EscalationOutcome::HandedBack]);
}

#[test]
fn a_person_who_is_lost_is_replaced_with_a_word() {
    let mut world = waiting();
    world.input(CallInput::PersonJoined);
    world.pass(3000, false);
    world.input(CallInput::PersonLeft(PersonLeft::Lost));
    noted(&mut world, true);
    world.pass(4000, false);
    assert!(said(&world, "lost my colleague"));
    assert!(world.queued);
    assert_eq!(outcomes(&world), [EscalationOutcome::ProviderDropped]);
}

#[test]
fn nobody_free_ends_in_a_promise() {
    let mut world = waiting();
    world.input(CallInput::NobodyFree(EscalationOutcome::Declined));
    assert!(!world.queued);
    world.pass(12_000, false);
    assert!(said(&world, "nobody is free"));
    assert!(said(&world, "call you back"));
    assert_eq!(outcomes(&world), [EscalationOutcome::Declined]);
}

#[test]
fn who_would_rather_be_called_back_need_not_wait() {
    let mut world = waiting();
    answered(&mut world, "oh just call me back then", Vec::new());
    assert!(!world.queued);
    world.pass(12_000, false);
    assert_eq!(outcomes(&world), [EscalationOutcome::CallbackPromised]);
}

#[test]
fn who_hangs_up_in_the_queue_has_left_it() {
    let mut world = waiting();
    world.input(CallInput::HungUp);
    assert_eq!(outcomes(&world), [EscalationOutcome::CallerLeft]);
}

#[test]
fn danger_spoken_of_in_the_queue_is_heard() {
    let mut world = waiting();
    answered(&mut world, "i have chest pain and cannot breathe", Vec::new());
    let danger = EventKind::RedFlagRaised { class: RedFlag::LifeThreat };
    assert_eq!(world.count(|event| *event == danger), 1);
    assert!(!world.queued, "the script comes first");
    assert!(said(&world, "emergency"));
}

#[test]
fn an_instruction_that_must_be_heard_is_said_over_the_persons_first_words() {
    let mut world = World::with(Medium::Voice, 150, Voice::AtOnce);
    world.pass(16_000, false);
    answered(&mut world, "i have chest pain and cannot breathe", Vec::new());
    world.input(CallInput::PersonJoined);
    let played = world.played;
    world.pass(8000, false);
    assert!(world.played > played + 50, "the instruction was cut");
    let settled = world.played;
    world.pass(6000, false);
    assert_eq!(world.played, settled, "the script went on in the conversation");
}

#[test]
fn danger_that_a_lost_person_may_not_have_heard_is_taken_up() {
    let mut world = waiting();
    world.input(CallInput::PersonJoined);
    world.pass(2000, false);
    world.pass(1500, true);
    world.pass(300, false);
    world.input(CallInput::PersonLeft(PersonLeft::Lost));
    let turn = world.overheard.last().copied().expect("what was begun is written down");
    let transcript = Transcript { text: "i cannot breathe".into(), confidence: 0.9 };
    world.input(CallInput::Transcribed(turn, Some(transcript)));
    noted(&mut world, true);
    world.pass(6000, false);
    assert!(said(&world, "emergency"), "{:?}", world.events);
}

#[test]
fn a_line_that_the_desk_has_forgotten_gives_up_by_itself() {
    let mut world = waiting();
    world.pass(320_000, false);
    assert!(!world.queued);
    assert_eq!(outcomes(&world), [EscalationOutcome::NoAnswer]);
}

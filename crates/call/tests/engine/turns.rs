//! Turns: from audio to what the dialogue does.

use std::time::Duration;

use jiff::civil::datetime;
use radline_audio::DtmfDigit;
use radline_call::{CallInput, EndReason, EventKind, Medium, SecondReading, Transcript};
use radline_dialogue::{Action, ActionOutcome, Command, Intent, RedFlag, Suspicion, Understanding};

use crate::world::{Voice, World};

#[test]
fn a_spoken_answer_moves_the_dialogue_once_the_turn_is_over() {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.pass(600, true);
    assert!(world.transcribes.is_empty());
    world.pass(120, false);
    assert_eq!(world.transcribes.len(), 1, "transcribed early");
    world.heard("yes", vec![Command::Affirm]);
    assert_eq!(world.state(), "greeting", "speculation has no effect");
    world.pass(300, false);
    assert_eq!(world.state(), "reason");
    assert!(world.recording);
    world.pass(100, false);
    let timed = world.events.iter().find_map(|event| match event {
        EventKind::TurnTimed(timing) => Some(*timing),
        _ => None,
    });
    let timing = timed.expect("timed");
    assert!((240..=320).contains(&timing.voice_to_voice_ms), "{timing:?}");
}

#[test]
fn speech_that_goes_on_drops_the_attempt_and_its_late_result() {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.pass(400, true);
    world.pass(300, false);
    let stale = world.transcribes[0];
    world.pass(400, true);
    let transcript = Transcript { text: "yes".into(), confidence: 0.9 };
    world.input(CallInput::Transcribed(stale, Some(transcript)));
    assert!(world.understands.is_empty());
    world.input(CallInput::Understood(stale, Understanding::from_parsers(vec![Command::Affirm])));
    world.pass(240, false);
    assert_eq!(world.state(), "greeting");
    assert_eq!(world.transcribes.len(), 2, "the whole utterance is heard again");
}

#[test]
fn the_first_part_of_a_long_story_is_transcribed_once() {
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    world.pass(6000, true);
    world.pass(160, false);
    world.heard_words("I have been waiting for a scan since May, and");
    world.pass(240, false);
    world.pass(1000, true);
    world.pass(160, false);
    let seconds = world.transcribed_samples as f64 / 16_000.0;
    assert!((1.0..2.0).contains(&seconds), "only what is new, but {seconds} s");
    world.heard_words("my doctor says it is urgent.");
    let (_, words) = world.understands.last().expect("understood");
    assert_eq!(words, "I have been waiting for a scan since May, and my doctor says it is urgent.");
    // The next utterance begins with nothing.
    world.heard_meaning(vec![Command::Want(Intent::Book)]);
    world.pass(6000, false);
    world.pass(1000, true);
    world.pass(160, false);
    world.heard_words("Helen Carter");
    assert_eq!(world.understands.last().expect("understood").1, "Helen Carter");
}

/// The world after the caller agreed to be recorded, while "What can I do for you?" is heard.
fn asked_for_the_reason() -> World {
    let mut world = World::with(Medium::Voice, 100, Voice::AtOnce);
    world.pass(8000, false);
    world.pass(400, true);
    world.pass(120, false);
    world.heard("yes", vec![Command::Affirm]);
    world.pass(400, false);
    assert_eq!(world.state(), "reason");
    world
}

#[test]
fn a_sentence_takes_the_floor_at_once() {
    let mut world = asked_for_the_reason();
    world.pass(1000, false);
    let played = world.played;
    world.pass(500, true);
    assert!(world.played - played <= 11, "silent within 220 ms: {}", world.played - played);
    world.pass(120, false);
    world.heard("I need an MRI of my knee", vec![Command::Want(Intent::Book)]);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 1);
    let heard = world.events.iter().find_map(|event| match event {
        EventKind::AgentSaid { heard, heard_ms, length_ms, .. } if heard_ms < length_ms => {
            heard.expose().clone()
        }
        _ => None,
    });
    assert_eq!(heard.as_deref(), Some("What can I do for"), "the record tells what was heard");
    world.pass(600, false);
    assert_eq!(world.state(), "name");
}

#[test]
fn what_may_be_a_soft_beginning_silences_the_agent_before_it_is_known() {
    let mut world = asked_for_the_reason();
    world.pass(1000, false);
    let played = world.played;
    world.sound(200, 0.2);
    assert!(world.played - played <= 6, "silent within 120 ms: {}", world.played - played);
    world.pass(400, true);
    assert!(world.played - played <= 6, "silent still: {}", world.played - played);
    world.pass(120, false);
    world.heard("I need an MRI of my knee", vec![Command::Want(Intent::Book)]);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 1);
}

/// The caller has said what they want, and the reply's audio has not come yet.
fn answered_without_a_voice() -> World {
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    world.voice = Voice::Late;
    world.pass(1000, true);
    world.pass(160, false);
    world.heard("I need an MRI of my knee", vec![Command::Want(Intent::Book)]);
    world.pass(600, false);
    world
}

#[test]
fn a_reply_does_not_begin_on_top_of_what_may_be_a_soft_beginning() {
    let answered = || {
        let mut world = answered_without_a_voice();
        world.sound(80, 0.2);
        world.played = 0;
        world.speak_late();
        world
    };
    // It becomes speech.
    let mut world = answered();
    world.sound(100, 0.2);
    world.pass(400, true);
    assert_eq!(world.played, 0, "both spoke");
    // It comes to nothing.
    let mut world = answered();
    world.pass(100, false);
    assert!(world.played >= 4, "the reply began: {}", world.played);
    // It is there all the time.
    let mut world = answered();
    world.sound(500, 0.2);
    assert!(world.played >= 8, "the reply began: {}", world.played);
}

#[test]
fn a_reply_that_a_noise_held_back_begins_although_something_stirs_on() {
    let mut world = answered_without_a_voice();
    // A cough before the first word, after which calm is waited for, and a rustle.
    world.pass(300, true);
    world.speak_late();
    world.pass(160, false);
    world.heard_words("");
    world.played = 0;
    world.sound(500, 0.2);
    world.pass(1000, false);
    assert!(world.played > 0, "it waits for ever");
}

#[test]
fn a_sound_that_comes_to_nothing_costs_a_moment_and_does_not_make_the_agent_stutter() {
    let mut world = asked_for_the_reason();
    world.pass(600, false);
    // It ends: the agent goes on with it.
    world.sound(100, 0.2);
    world.pass(100, false);
    let played = world.played;
    world.pass(200, false);
    assert!(world.played - played >= 9, "goes on: {}", world.played - played);
    // It lasts: once, and not again and again.
    let mut world = asked_for_the_reason();
    world.pass(600, false);
    let played = world.played;
    world.sound(1400, 0.2);
    assert!(world.played - played >= 48, "hesitates once: {}", world.played - played);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 0);
}

#[test]
fn between_two_parts_of_a_sneeze_the_agent_says_nothing() {
    let mut world = asked_for_the_reason();
    world.pass(800, false);
    world.pass(300, true);
    world.pass(160, false);
    world.heard_words("");
    let played = world.played;
    world.pass(200, false);
    world.pass(300, true);
    assert!(world.played - played <= 1, "a scrap of a word: {}", world.played - played);
    world.pass(160, false);
    world.heard_words("");
    world.pass(500, false);
    assert!(world.played - played >= 5, "it goes on at last");
}

#[test]
fn a_backchannel_and_a_cough_pause_the_agent_for_a_moment() {
    let mut world = asked_for_the_reason();
    world.pass(800, false);
    // A cough often comes in two parts: after one the agent waits a little longer.
    for (voice_ms, words, soon) in [(300, "Mm-hmm.", 200), (200, "", 400)] {
        world.pass(voice_ms, true);
        world.pass(160, false);
        world.heard_words(words);
        if !words.is_empty() {
            world.heard_meaning(vec![]);
        }
        let played = world.played;
        world.pass(soon, false);
        assert!(world.played > played, "goes on after {words:?}");
    }
    assert_eq!(world.count(|event| matches!(event, EventKind::SpokeOn { .. })), 2);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 0);
    world.pass(3000, false);
    let whole = |event: &EventKind| {
        matches!(event, EventKind::AgentSaid { source, heard_ms, length_ms, .. }
            if source.ends_with("reason.ask") && heard_ms == length_ms)
    };
    assert_eq!(world.count(whole), 1, "the question was heard whole");
}

#[test]
fn what_must_be_heard_is_said_again_after_an_interruption() {
    let mut world = World::with(Medium::Voice, 100, Voice::AtOnce);
    world.pass(200, false);
    world.pass(1000, true);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 0, "firm");
    world.pass(120, false);
    world.heard("I want to book an MRI", vec![Command::Want(Intent::Book)]);
    assert_eq!(world.count(|event| matches!(event, EventKind::BargeIn { .. })), 1);
    world.events.clear();
    world.pass(12_000, false);
    let firm: Vec<&str> = world
        .events
        .iter()
        .filter_map(|event| match event {
            EventKind::AgentSaid { text, .. } => Some(text.expose().as_str()),
            _ => None,
        })
        .collect();
    assert!(firm.iter().any(|text| text.contains("automated assistant")), "{firm:?}");
    assert!(firm.iter().any(|text| text.contains("emergency")), "{firm:?}");
}

#[test]
fn a_caller_who_goes_on_undoes_the_turn_that_was_taken_for_whole() {
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("an MRI", vec![Command::Want(Intent::Book)]);
    world.pass(500, false);
    assert_eq!(world.state(), "name");
    world.pass(500, true);
    world.pass(120, false);
    world.heard("of my knee but I am not sure", vec![Command::Want(Intent::Question)]);
    assert_eq!(world.state(), "reason", "undone");
    assert_eq!(world.count(|event| *event == EventKind::TurnReopened), 1);
    world.pass(120, false);
    world.heard("an MRI of my knee", vec![Command::Want(Intent::Book)]);
    world.pass(600, false);
    assert_eq!(world.state(), "name");
}

#[test]
fn who_begins_at_the_same_moment_as_the_caller_waits_longer_the_next_time() {
    /// The caller speaks. How long after that the reply begins, ms.
    fn speaks(world: &mut World, words: &str, commands: &[Command]) -> u128 {
        world.pass(600, true);
        let (until, before) = (world.now, world.played);
        while world.played == before {
            let asked = world.transcribes.len();
            world.pass(20, false);
            if world.transcribes.len() > asked {
                world.heard(words, commands.to_vec());
            }
        }
        world.now.saturating_sub(until).as_millis()
    }
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    // Each time they begin with the reply.
    let book = [Command::Want(Intent::Book)];
    let waits = [(); 4].map(|()| speaks(&mut world, "an MRI of my knee", &book));
    assert_eq!(world.count(|event| *event == EventKind::TurnReopened), 3);
    assert_eq!(waits.map(|wait| wait - waits[0]), [0, 500, 1000, 1000]);
    // A reply that is heard ends it.
    world.pass(3000, false);
    assert!(speaks(&mut world, "Helen Carter", &[]) < waits[0] + 500);
}

#[test]
fn an_answer_to_a_question_that_nobody_heard_is_none() {
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    world.pass(600, true);
    world.pass(120, false);
    world.heard("an MRI", vec![Command::Want(Intent::Book)]);
    // "I can help you with that." is being said, the question is to come.
    world.pass(1800, false);
    assert_eq!(world.state(), "name");
    world.pass(400, true);
    world.pass(120, false);
    world.heard("no", vec![Command::Deny]);
    assert_eq!(world.count(|event| matches!(event, EventKind::SpokeOn { .. })), 1);
    assert_eq!(world.state(), "name");
}

#[test]
fn an_answer_over_a_reminder_of_what_was_heard_counts() {
    let mut world = World::with(Medium::Voice, 100, Voice::AtOnce);
    // The question was heard whole; a no to the words before it came too early, so it is said again.
    world.pass(3000, false);
    world.pass(300, true);
    world.pass(160, false);
    world.heard("no", vec![Command::Deny]);
    while world.count(|event| matches!(event, EventKind::NothingHeard)) == 0 {
        world.pass(100, false);
        assert!(world.now < Duration::from_secs(30), "the question is said again");
    }
    world.pass(400, false);
    world.pass(400, true);
    world.pass(120, false);
    world.heard("yes", vec![Command::Affirm]);
    world.pass(300, false);
    assert_eq!(world.state(), "reason", "{:?}", world.events.last());
}

#[test]
fn look_ups_are_made_before_the_turn_is_over_and_effects_are_not() {
    let mut world = World::new(Medium::Voice);
    for (words, commands) in [
        ("yes", vec![Command::Affirm]),
        ("an MRI", vec![Command::Want(Intent::Book)]),
        ("Jane Doe", vec![Command::Name("Jane Doe".into())]),
    ] {
        world.pass(6000, false);
        world.pass(500, true);
        world.pass(120, false);
        world.heard(words, commands);
        world.pass(1200, false);
    }
    assert_eq!(world.state(), "date_of_birth");
    world.pass(3000, false);
    world.pass(900, true);
    world.pass(120, false);
    world.heard("1 May 1960", vec![Command::DateOfBirth(jiff::civil::date(1960, 5, 1).into())]);
    assert!(matches!(world.look_ups[..], [(_, Action::MatchIdentity { .. })]));
    let request = world.look_ups[0].0;
    world.input(CallInput::ClinicAnswered(request, ActionOutcome::NotMatched));
    assert_eq!(world.state(), "date_of_birth", "nothing counts yet");
    assert_eq!(world.count(|event| matches!(event, EventKind::ActionRequested { .. })), 0);
    world.pass(400, false);
    assert_eq!(world.state(), "name_again");
    assert!(world.actions.is_empty(), "asked once");
    assert_eq!(world.count(|event| matches!(event, EventKind::ActionAnswered { .. })), 1);
}

#[test]
fn silence_is_asked_about_and_ends_the_call_at_last() {
    let mut world = World::new(Medium::Voice);
    while world.actions.is_empty() {
        world.pass(1000, false);
        assert!(world.now < Duration::from_mins(2), "waits for ever");
    }
    let asked = world.count(|event| *event == EventKind::NothingHeard);
    assert!((2..=4).contains(&asked), "asked {asked} times");
    let (request, action) = world.actions.pop().expect("frees what it held");
    assert_eq!(action, Action::Release);
    world.input(CallInput::ClinicAnswered(request, ActionOutcome::Done));
    world.pass(5000, false);
    assert_eq!(world.hung_up, Some(EndReason::Finished));
}

#[test]
fn on_hold_nothing_is_played_heard_or_counted() {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.input(CallInput::Held);
    let played = world.played;
    world.pass(60_000, true);
    assert_eq!(world.played, played);
    assert!(world.transcribes.is_empty());
    world.input(CallInput::Resumed);
    world.pass(1000, false);
    assert!(world.played > played, "the question is said again");
    assert_eq!(world.count(|event| *event == EventKind::NothingHeard), 0);
}

#[test]
fn keys_answer_and_interrupt() {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.input(CallInput::Key(DtmfDigit::from_char('1').expect("a key")));
    let (turn, keys) = world.understands.last().cloned().expect("keys are read");
    assert_eq!(keys, "1");
    world.input(CallInput::Understood(turn, Understanding::from_parsers(vec![Command::Affirm])));
    assert_eq!(world.state(), "reason");
}

#[test]
fn a_red_flag_comes_before_everything_else() {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.pass(600, true);
    world.pass(140, false);
    world.heard("yes but I can't breathe", vec![Command::Affirm]);
    world.pass(700, false);
    assert_eq!(world.state(), "emergency");
    assert!(matches!(world.actions[0].1, Action::RequestCallback { .. }));
    assert_eq!(world.count(|event| matches!(event, EventKind::RedFlagRaised { .. })), 1);
}

#[test]
fn what_the_classifier_takes_for_danger_is_one() {
    let mut world = asked_for_the_reason();
    world.pass(3000, false);
    world.pass(600, true);
    world.pass(140, false);
    world.heard_words("the boxes are all in the hall with a name on each of them");
    let (turn, _) = world.understands.last().cloned().expect("was asked to understand");
    let danger = Some(Suspicion { class: RedFlag::SelfHarm, permille: 900, seconded: false });
    let read = Understanding { danger, ..Understanding::from_parsers(Vec::new()) };
    world.input(CallInput::Understood(turn, read));
    world.pass(1500, false);
    let flag = EventKind::RedFlagRaised { class: RedFlag::SelfHarm };
    assert_eq!(world.count(|event| *event == flag), 1);
    assert!(world.actions.iter().any(|(_, act)| matches!(act, Action::RequestCallback { .. })));
}

/// A call in which the caller has agreed to the recording, and what a second reading found of that.
fn reread(flag: Option<RedFlag>) -> (World, CallInput) {
    let mut world = World::new(Medium::Voice);
    world.pass(6000, false);
    world.pass(600, true);
    world.pass(140, false);
    world.heard("yes", vec![Command::Affirm]);
    world.pass(400, false);
    assert_eq!(world.state(), "reason");
    let [turn] = &world.rereads[..] else { panic!("{:?}", world.rereads) };
    assert_eq!(turn.words.expose(), "yes");
    assert!(!turn.audio.expose().is_empty());
    let words = "yes my chest is tight".into();
    let found = CallInput::Supervised(turn.turn, SecondReading { flag, words, differs: true });
    (world, found)
}

#[test]
fn trouble_after_a_procedure_becomes_an_emergency_when_one_is_named() {
    let mut world = asked_for_the_reason();
    let danger = Some(Suspicion { class: RedFlag::LifeThreat, permille: 990, seconded: true });
    for (words, state) in [
        ("I have had a fever since the biopsy on Friday", "urgent_clinical"),
        ("it has been hot and red since last night, should I wait", "urgent_number"),
        ("now I can't breathe", "emergency"),
    ] {
        world.pass(3000, false);
        world.pass(600, true);
        world.pass(140, false);
        world.heard_words(words);
        let (turn, _) = world.understands.last().cloned().expect("was asked to understand");
        let read = Understanding { danger, ..Understanding::from_parsers(Vec::new()) };
        world.input(CallInput::Understood(turn, read));
        world.pass(1500, false);
        assert_eq!(world.state(), state, "{words}");
        if state == "urgent_clinical" {
            let due = datetime(2026, 11, 23, 12, 0, 0, 0);
            let noted =
                ActionOutcome::CallbackNoted { due, has_number: false, person_present: false };
            world.input(CallInput::ClinicAnswered(world.actions[0].0, noted));
        }
    }
}

#[test]
fn danger_that_a_second_reading_finds_is_taken_up_in_the_next_silence() {
    let (mut world, found) = reread(Some(RedFlag::LifeThreat));
    world.pass(200, false);
    world.input(found);
    assert_eq!(world.state(), "reason", "the agent speaks to the end");
    world.pass(3000, false);
    assert_eq!(world.state(), "emergency");
    assert!(matches!(world.actions[0].1, Action::RequestCallback { .. }));
    assert_eq!(world.count(|event| matches!(event, EventKind::SupervisorRaised { .. })), 1);
    assert_eq!(world.count(|event| matches!(event, EventKind::RedFlagRaised { .. })), 1);
    assert_eq!(world.count(|event| *event == EventKind::HeardOtherwise), 1);
}

#[test]
fn danger_that_a_second_reading_finds_comes_before_the_next_words() {
    let (mut world, found) = reread(Some(RedFlag::LifeThreat));
    world.pass(2000, false);
    world.pass(600, true);
    world.input(found);
    world.pass(140, false);
    world.heard("I need an MRI of my knee", vec![Command::Want(Intent::Book)]);
    world.pass(900, false);
    assert_eq!(world.state(), "emergency");
    assert_eq!(world.count(|event| matches!(event, EventKind::RedFlagRaised { .. })), 1);
}

#[test]
fn a_second_reading_that_finds_nothing_or_comes_late_changes_nothing() {
    let (mut world, found) = reread(None);
    world.input(found);
    let (mut late, found) = reread(Some(RedFlag::LifeThreat));
    for _ in 0..4 {
        late.pass(20_000, false);
    }
    late.input(found);
    for mut world in [world, late] {
        world.pass(3000, false);
        assert_ne!(world.state(), "emergency");
        assert_eq!(world.count(|event| matches!(event, EventKind::SupervisorRaised { .. })), 0);
    }
}

#[test]
fn a_clinic_that_is_silent_is_not_waited_for() {
    let mut world = World::new(Medium::Text);
    world.input(CallInput::Line("a person please".into()));
    let (turn, _) = world.understands.last().cloned().expect("asked");
    world.input(CallInput::Understood(
        turn,
        Understanding::from_parsers(vec![Command::RequestPerson]),
    ));
    let late = world.actions[0].0;
    for _ in 0..600 {
        world.now += Duration::from_millis(20);
        world.input(CallInput::Tick);
    }
    assert!(world.actions.len() >= 2, "the failure itself asks for a call-back");
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    let noted = ActionOutcome::CallbackNoted { due, has_number: true, person_present: false };
    world.input(CallInput::ClinicAnswered(late, noted));
    assert!(world.count(|event| matches!(event, EventKind::Problem { .. })) >= 2);
    assert_eq!(world.hung_up, Some(EndReason::Finished));
}

#[test]
fn a_voice_that_fails_ends_the_call_instead_of_leaving_silence() {
    let mut world = World::with(Medium::Voice, 25, Voice::Never);
    world.pass(100, false);
    assert!(world.hung_up.is_some());
}

#[test]
fn the_words_are_kept_only_with_consent() {
    let mut world = World::new(Medium::Text);
    world.input(CallInput::Line("no".into()));
    let (turn, _) = world.understands.last().cloned().expect("asked");
    world.input(CallInput::Understood(turn, Understanding::from_parsers(vec![Command::Deny])));
    world.input(CallInput::Line("my knee, an MRI".into()));
    let (turn, _) = world.understands.last().cloned().expect("asked");
    let book = vec![Command::Want(Intent::Book)];
    world.input(CallInput::Understood(turn, Understanding::from_parsers(book)));
    assert!(!world.recording);
    let words = |event: &EventKind| matches!(event, EventKind::CallerSaid { words, .. } if words.expose().is_some());
    assert_eq!(world.count(words), 0);
}

#[test]
fn a_shutdown_says_goodbye() {
    let mut world = World::new(Medium::Voice);
    world.pass(1000, false);
    world.input(CallInput::Shutdown);
    assert!(world.hung_up.is_none(), "the words have to be heard first");
    world.pass(2000, false);
    assert_eq!(world.hung_up, Some(EndReason::Shutdown));
    assert!(world.engine.is_over());
}

#[test]
fn hanging_up_ends_the_call_in_every_state() {
    for ms in (0..12_000).step_by(500) {
        let mut world = World::new(Medium::Voice);
        world.pass(ms, ms % 1000 == 0);
        world.input(CallInput::HungUp);
        assert!(world.engine.is_over());
        assert_eq!(world.count(|event| matches!(event, EventKind::Ended { .. })), 1);
        world.pass(100, true);
        assert_eq!(world.count(|event| matches!(event, EventKind::Ended { .. })), 1);
    }
}

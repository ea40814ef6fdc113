//! What only the language model could read.

use super::*;

fn by_model(commands: Vec<Command>) -> Understanding {
    Understanding { commands, by: UnderstoodBy::Model, danger: None, acknowledgement: None }
}

#[test]
fn what_the_model_read_counts_only_after_a_yes() {
    let mut play = Play::new();
    play.yes().state("reason");
    let mri = ExamMention { modality: Some(Modality::Mri), ..ExamMention::default() };
    let read = by_model(vec![Command::Want(Intent::Book), Command::Exam(mri)]);
    play.last = play.dialogue.hear(&"the strong magnet".into(), &read);
    play.state("reason_confirm");
    assert!(play.spoken().contains("MRI"), "{}", play.spoken());
    let mut denied = Play { dialogue: play.dialogue.clone(), last: play.last.clone() };
    denied.no().state("reason");
    assert!(denied.dialogue.slots().exam.is_empty(), "what was denied is forgotten");
    play.yes().state("name");
}

#[test]
fn a_wish_that_is_told_in_plain_words_needs_no_yes() {
    let mut play = Play::new();
    play.yes();
    let read = by_model(vec![Command::Want(Intent::Book)]);
    play.last = play.dialogue.hear(&"a snap of my insides".into(), &read);
    play.state("reason_confirm");
    for (said, intent) in
        [("I need to book", Intent::Book), ("no, I want to cancel", Intent::Cancel)]
    {
        let mut plain = Play { dialogue: play.dialogue.clone(), last: play.last.clone() };
        plain.say(said, vec![Command::Want(intent)]).state("name");
        assert_eq!(plain.dialogue.slots().purpose, Some(intent), "{said}");
    }
}

#[test]
fn where_nothing_is_confirmed_the_model_is_not_listened_to() {
    let mut play = Play::identified(order(Modality::Mri, None));
    play.state("symptoms_question");
    let read = by_model(vec![Command::Affirm]);
    play.last = play.dialogue.hear(&"whatever".into(), &read);
    play.state("symptoms_question");
}

fn read_by_model(play: &mut Play, words: &str, command: Command) {
    let by = UnderstoodBy::Model;
    let understanding =
        Understanding { commands: vec![command], by, danger: None, acknowledgement: None };
    play.last = play.dialogue.hear(&words.into(), &understanding);
}

fn at_the_implant_question() -> Play {
    let mut play = Play::identified(order(Modality::Mri, None));
    play.no().state("screening");
    assert!(play.spoken().contains("pacemaker"), "{}", play.spoken());
    play
}

#[test]
fn a_no_that_only_the_model_read_is_asked_back() {
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "my chest is as god made it", Command::Deny);
    assert!(play.spoken().contains("I take that as a no"), "{}", play.spoken());
    play.yes();
    assert!(play.spoken().contains("metal in your eye"), "{}", play.spoken());

    // "No" to that may mean either: the question again.
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "my chest is as god made it", Command::Deny);
    play.no();
    assert!(play.spoken().contains("electronic device"), "{}", play.spoken());

    // Agreement with what was read back is one, however long; what the table knows stands against it.
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "no medal in me anywhere", Command::Deny);
    let mut told = Play { dialogue: play.dialogue.clone(), last: play.last.clone() };
    play.say("yep that's all correct oh boy okay", vec![Command::Affirm]);
    assert!(play.spoken().contains("metal in your eye"), "{}", play.spoken());
    told.say("that's right, my pacemaker is made of plastic", vec![Command::Affirm]);
    assert!(matches!(told.action(), Action::RequestCallback { .. }), "{:?}", told.last);

    // A yes that may be meant for either question is one to the reading when both come a second time.
    let mut twice = at_the_implant_question();
    for question in ["electronic device", "metal in your eye"] {
        read_by_model(&mut twice, "my chest is as god made it", Command::Deny);
        assert!(twice.spoken().contains("I take that as a no"), "{}", twice.spoken());
        twice.say("yes, I have that on the flour sack", vec![Command::Affirm]);
        assert!(twice.spoken().contains(question), "{}", twice.spoken());
    }

    // More than a yes may answer either question: the first one again. What the table knows counts.
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "my chest is as god made it", Command::Deny);
    let mut boxed = Play { dialogue: play.dialogue.clone(), last: play.last.clone() };
    boxed.say("yes, there is something or other in there", vec![Command::Affirm]);
    assert!(boxed.spoken().contains("electronic device"), "{}", boxed.spoken());
    play.say("yes, well, apart from the pacemaker that is", vec![Command::Affirm]);
    assert!(matches!(play.action(), Action::RequestCallback { .. }), "{:?}", play.last);
}

#[test]
fn a_yes_that_only_the_model_read_is_asked_back() {
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "the surgeon left a souvenir", Command::Affirm);
    assert!(play.spoken().contains("I take that as a yes"), "{}", play.spoken());
    play.yes();
    assert!(matches!(play.action(), Action::RequestCallback { .. }), "{:?}", play.last);

    // Consent to recording.
    let mut play = Play::new();
    read_by_model(&mut play, "knock yourself out", Command::Affirm);
    assert!(play.spoken().contains("I take that as a yes"), "{}", play.spoken());
    assert_eq!(play.dialogue.slots().recording, None);
    play.yes();
    assert_eq!(play.dialogue.slots().recording, Some(true));
}

#[test]
fn what_sounded_like_a_yes_is_not_denied_by_a_remark() {
    // "The heart doctor put it in" – "I take that as a yes?" – "Naw, the nurse said it's fine" – the question
    // again – "This is ridiculous", which the model reads as a no.
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "the heart doctor put it in", Command::Affirm);
    play.say("naw, the nurse on the ward said mine is fine", vec![Command::Deny]);
    assert!(play.spoken().contains("electronic device"), "{}", play.spoken());
    let mut angry = Play { dialogue: play.dialogue.clone(), last: play.last.clone() };
    read_by_model(&mut angry, "this is ridiculous, I've waited weeks", Command::Deny);
    assert!(matches!(angry.action(), Action::RequestCallback { .. }), "{:?}", angry.last);
    // A plain no is one, and is read back later.
    play.no();
    assert!(play.spoken().contains("metal in your eye"), "{}", play.spoken());
}

#[test]
fn a_doubt_is_forgotten_with_its_question() {
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "my chest is as god made it", Command::Deny);
    play.last = play.dialogue.remind();
    // This yes answers the question itself.
    play.yes();
    assert!(matches!(play.action(), Action::RequestCallback { .. }), "{:?}", play.last);
}

#[test]
fn what_is_read_into_the_answer_to_a_question_back_does_not_go_on_for_ever() {
    let mut play = Play::new();
    // "Is it all right to record?" – "It is exact." – "I take that as a yes?" – "It is exact."
    read_by_model(&mut play, "it is exact", Command::Affirm);
    play.state("greeting");
    read_by_model(&mut play, "it is exact", Command::Affirm);
    play.state("reason");
}

#[test]
fn what_the_question_is_about_is_no_no_because_a_model_reads_one() {
    let mut play = Play::identified(OrderFacts { contrast: true, ..order(Modality::Ct, None) });
    while !play.spoken().contains("reaction to contrast") {
        play.no();
    }
    // A finding that is as serious as the next one is there already.
    play.yes();
    while !play.spoken().contains("kidney disease") {
        play.no();
    }
    read_by_model(
        &mut play,
        "miss, my kidneys don't work anymore, I go to the machine three times the week",
        Command::Deny,
    );
    assert!(!play.spoken().contains("I take that as a no"), "{}", play.spoken());
    assert!(play.dialogue.answers().is_yes("kidneys"));
}

#[test]
fn a_question_is_no_answer_whatever_a_model_reads_into_it() {
    for command in [Command::Unsure, Command::Affirm, Command::Deny] {
        let mut play = at_the_implant_question();
        read_by_model(&mut play, "is it true it knocks like somebody repairs the roof", command);
        assert!(!play.spoken().contains("I take that"), "{}", play.spoken());
        assert!(play.spoken().contains("pacemaker"), "{}", play.spoken());
    }
    // Nor where nothing is read into it.
    let mut play = at_the_implant_question();
    play.say("saturday you have maybe", Vec::new());
    play.say("is it true it knocks like somebody repairs the roof", Vec::new());
    assert!(play.spoken().contains("pacemaker"), "{}", play.spoken());
    // Half a no is one that is not sure, question or not.
    let mut play = at_the_implant_question();
    read_by_model(&mut play, "could you just put no, I'm probably not", Command::Unsure);
    assert!(matches!(play.action(), Action::RequestCallback { .. }), "{:?}", play.last);
}

//! The demonstration scenario, walked command by command.

mod doubt;
mod feelings;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::{date, datetime};
use radline_dialogue::{
    Action, ActionOutcome, AppointmentFacts, CallbackReason, Command, Dialogue, DialogueMove,
    ExamMention, Intent, Modality, Offer, OrderFacts, PatientFacts, Priority, RedFlag, Scenario,
    Side, SiteFacts, Then, TimeWish, Understanding, UnderstoodBy,
};

const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sites/demo-hospital/scenarios");

struct Play {
    dialogue: Dialogue,
    last: DialogueMove,
}

impl Play {
    fn new() -> Self {
        let scenario =
            Scenario::load(Path::new(FOLDER)).expect("the demonstration scenario is sound");
        let names = ["hospital", "department", "emergency_number", "crisis_line", "office_hours"];
        let values: BTreeMap<String, String> =
            names.iter().map(|name| ((*name).to_owned(), format!("the {name}"))).collect();
        let site = SiteFacts { values, ..SiteFacts::default() };
        let mut dialogue = Dialogue::new(Arc::new(scenario), Arc::new(site), date(2026, 11, 23));
        let last = dialogue.begin();
        Self { dialogue, last }
    }

    fn say(&mut self, words: &str, commands: Vec<Command>) -> &mut Self {
        self.last = self.dialogue.hear(&words.into(), &Understanding::from_parsers(commands));
        self
    }

    fn yes(&mut self) -> &mut Self {
        self.say("yes", vec![Command::Affirm])
    }

    fn no(&mut self) -> &mut Self {
        self.say("no", vec![Command::Deny])
    }

    fn clinic(&mut self, outcome: ActionOutcome) -> &mut Self {
        assert!(matches!(self.last.then, Then::Act(_)), "waits for the caller: {:?}", self.last);
        self.last = self.dialogue.answer(outcome);
        self
    }

    fn spoken(&self) -> String {
        let text: Vec<&str> =
            self.last.say.iter().map(|part| part.text.expose().as_str()).collect();
        text.join(" ")
    }

    fn state(&mut self, name: &str) -> &mut Self {
        assert_eq!(self.last.state, name, "said: {}", self.spoken());
        self
    }

    fn action(&self) -> &Action {
        match &self.last.then {
            Then::Act(action) => action,
            other => panic!("no action but {other:?}"),
        }
    }

    /// Up to the question about new symptoms.
    fn identified(order: OrderFacts) -> Self {
        let mut play = Self::new();
        play.yes();
        play.say("I need to book a scan", vec![Command::Want(Intent::Book)]);
        play.say(
            "could you repeat that? Amara Okafor",
            vec![Command::Repeat, Command::Name("Amara Okafor".into())],
        );
        play.say("March 19 1967", vec![Command::DateOfBirth(date(1967, 3, 19).into())]);
        play.clinic(ActionOutcome::Matched(patient()));
        play.clinic(ActionOutcome::Orders(vec![order]));
        play
    }

    /// Up to the question when the caller would like to come.
    fn screened(order: OrderFacts) -> Self {
        let mut play = Self::identified(order);
        for _ in 0..10 {
            if play.last.state == "denials_read_back" {
                play.yes();
            }
            if play.last.state == "when" {
                return play;
            }
            play.no();
        }
        panic!("screening does not end: {}", play.spoken());
    }
}

fn patient() -> PatientFacts {
    PatientFacts {
        id: "p1".into(),
        given_name: "Amara".into(),
        date_of_birth: date(1967, 3, 19).into(),
        may_be_pregnant: false,
    }
}

fn order(modality: Modality, side: Option<Side>) -> OrderFacts {
    OrderFacts {
        id: "o1".into(),
        modality,
        body_part: Some("knee".into()),
        side,
        contrast: false,
        priority: Priority::Routine,
        expired: false,
        covered: true,
        spoken: "MRI of the left knee".into(),
    }
}

fn offers() -> ActionOutcome {
    let offer = |slot: &str, day, hour| Offer {
        slot: slot.into(),
        start: datetime(2026, 12, day, hour, 0, 0, 0),
        place: "room two".into(),
    };
    ActionOutcome::Offers { offers: vec![offer("s1", 1, 9), offer("s2", 2, 14)], as_wished: true }
}

fn on(day: i8) -> Command {
    Command::When(TimeWish { date: Some(date(2026, 12, day)), ..TimeWish::default() })
}

#[test]
fn a_plain_call_ends_with_a_booking() {
    let mut play = Play::screened(order(Modality::Ultrasound, None));
    play.say("Tuesday", vec![on(1)]).clinic(offers()).state("offer");
    assert!(play.spoken().contains("December first, at nine in the morning"), "{}", play.spoken());
    play.say("the first", vec![Command::Choose(0)]);
    assert_eq!(play.action(), &Action::Hold { slot: "s1".into(), order: "o1".into() });
    play.clinic(ActionOutcome::Held).state("read_back");
    play.yes();
    assert!(matches!(play.action(), Action::Book { slot, .. } if slot == "s1"));
    assert!(!play.spoken().contains("booked"), "announced before the scheduler confirmed");
    play.clinic(ActionOutcome::Booked { appointment: "a1".into() }).state("anything_else");
    assert!(play.spoken().contains("You are booked"));
    play.no();
    assert_eq!(play.last.then, Then::HangUp);
}

#[test]
fn a_stop_answer_books_nothing_and_promises_a_call() {
    let mut play = Play::identified(order(Modality::Mri, None));
    play.no().state("screening");
    play.say("not sure", vec![Command::Unsure]);
    assert!(
        matches!(play.action(), Action::RequestCallback { reason: CallbackReason::Screening, story, .. }
            if story.iter().any(|line| line.expose().contains("caller unsure")))
    );
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    play.clinic(ActionOutcome::CallbackNoted { due, has_number: true, person_present: false });
    assert!(play.spoken().contains("at noon"), "{}", play.spoken());
    assert_eq!(play.last.then, Then::HangUp);
}

#[test]
fn a_stop_fact_in_other_words_than_yes_stops_at_once() {
    let mut play = Play::identified(order(Modality::Mri, None));
    play.no().state("screening").say("well, I've got a pacemaker, does that matter", vec![]);
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::Screening, .. }
    ));
}

#[test]
fn a_review_answer_holds_the_time_without_confirming_it() {
    let mut play = Play::identified(order(Modality::Mammography, None));
    play.no().yes();
    while play.last.state == "screening" {
        play.no();
    }
    play.state("denials_read_back");
    assert!(play.spoken().contains("clinical team"), "{}", play.spoken());
    play.yes();
    play.say("Tuesday", vec![on(1)]).clinic(offers()).say("first", vec![Command::Choose(0)]);
    play.clinic(ActionOutcome::Held).yes();
    assert!(matches!(play.action(), Action::Book { review, .. } if review.len() == 1));
    play.clinic(ActionOutcome::HeldForReview {
        appointment: "a1".into(),
        due: datetime(2026, 11, 23, 12, 0, 0, 0),
    });
    assert!(play.spoken().contains("not confirmed"));
}

#[test]
fn a_stop_fact_told_late_undoes_the_way_so_far() {
    let mut play = Play::screened(order(Modality::Mri, None));
    play.say("Tuesday, and by the way I have a pacemaker", vec![on(1)]);
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::Screening, .. }
    ));
}

#[test]
fn the_wrong_side_stops_the_booking() {
    let mut play = Play::identified(order(Modality::Xray, Some(Side::Left)));
    play.no().state("side_question");
    let right = ExamMention { side: Some(Side::Right), ..ExamMention::default() };
    play.say("the right one", vec![Command::Exam(right)]);
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::Laterality, .. }
    ));
}

#[test]
fn an_order_for_another_exam_goes_to_a_person() {
    let mut play = Play::new();
    play.yes();
    let ct = ExamMention { modality: Some(Modality::Ct), ..ExamMention::default() };
    play.say("I need a CT", vec![Command::Exam(ct)]).state("name");
    play.say("Amara Okafor", vec![Command::Name("Amara Okafor".into())]);
    play.say("1967", vec![Command::DateOfBirth(date(1967, 3, 19).into())]);
    play.clinic(ActionOutcome::Matched(patient()));
    play.clinic(ActionOutcome::Orders(vec![order(Modality::Mri, None)]));
    assert!(matches!(play.action(), Action::RequestCallback { reason: CallbackReason::Order, .. }));
}

#[test]
fn nothing_about_an_order_is_said_before_identity_and_two_failures_reach_a_person() {
    let mut play = Play::new();
    play.yes().say("book", vec![Command::Want(Intent::Book)]);
    for _ in 0..2 {
        play.say("Amara Okafor", vec![Command::Name("Amara Okafor".into())]);
        play.say("1967", vec![Command::DateOfBirth(date(1967, 3, 18).into())]);
        play.clinic(ActionOutcome::NotMatched);
        assert!(!play.spoken().contains("order"));
    }
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::Identity, patient: None, .. }
    ));
}

#[test]
fn an_earlier_answer_can_be_changed_at_the_read_back() {
    let mut play = Play::screened(order(Modality::Ultrasound, None));
    play.say("Wednesday", vec![on(2)]).clinic(offers()).say("two", vec![Command::Choose(1)]);
    play.clinic(ActionOutcome::Held).state("read_back");
    play.say("no, I meant Tuesday the first", vec![Command::Deny, on(1)]);
    assert!(
        matches!(play.action(), Action::FindSlots { wish, .. } if wish.date == Some(date(2026, 12, 1)))
    );
}

#[test]
fn the_order_of_an_appointment_is_not_booked_once_more() {
    let ordered = OrderFacts { priority: Priority::Stat, ..order(Modality::Mri, Some(Side::Left)) };
    let appointment = AppointmentFacts {
        id: "a1".into(),
        start: datetime(2026, 12, 1, 9, 0, 0, 0),
        place: "room two".into(),
        order: ordered,
        pending: false,
    };
    let mut play = Play::new();
    play.yes();
    let of = |side| Command::Exam(ExamMention { side: Some(side), ..ExamMention::default() });
    play.say(
        "when is the scan of my right knee?",
        vec![Command::Want(Intent::CheckAppointment), of(Side::Right)],
    );
    play.say("Amara Okafor", vec![Command::Name("Amara Okafor".into())]);
    play.say("March 19 1967", vec![Command::DateOfBirth(date(1967, 3, 19).into())]);
    play.clinic(ActionOutcome::Matched(patient()));
    play.clinic(ActionOutcome::Appointments(vec![appointment]));
    play.say("a person, please", vec![Command::RequestPerson]);
    play.clinic(ActionOutcome::CallbackNoted {
        due: datetime(2026, 11, 23, 15, 0, 0, 0),
        has_number: true,
        person_present: true,
    });
    play.last = play.dialogue.handed_back();
    play.state("anything_else");
    play.say("no, it is my left knee", vec![of(Side::Left)]);
    assert_ne!(play.last.state, "screening", "a booking has begun");
}

#[test]
fn a_changed_date_of_birth_is_matched_again() {
    let mut play = Play::identified(order(Modality::Ultrasound, None));
    play.say("my birthday is the 20th", vec![Command::DateOfBirth(date(1967, 3, 20).into())]);
    assert!(matches!(play.action(), Action::MatchIdentity { .. }));
    assert!(play.spoken().contains("changed"));
}

#[test]
fn a_person_is_promised_at_once_from_any_state() {
    let mut play = Play::new();
    play.say("a person please", vec![Command::RequestPerson]);
    assert!(matches!(play.action(), Action::RequestCallback { reason: CallbackReason::Asked, .. }));
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    play.clinic(ActionOutcome::CallbackNoted { due, has_number: false, person_present: false })
        .state("callback_number");
    play.say("a person!", vec![Command::RequestPerson]).state("callback_number");
    play.say("555 0173", vec![Command::Digits("5550173".into())]);
    assert!(matches!(play.action(), Action::AmendCallback { number: Some(_), .. }));
    play.clinic(ActionOutcome::Done);
    assert!(play.spoken().contains("five five five"));
}

#[test]
fn a_red_flag_is_spoken_to_the_end_and_takes_location_and_number() {
    let mut play = Play::identified(order(Modality::Mri, None));
    let words = "my chest hurts".into();
    play.last = play.dialogue.red_flag(RedFlag::LifeThreat, &words).expect("a script");
    assert!(play.last.say[0].firm && play.spoken().contains("the emergency_number"));
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::RedFlag(RedFlag::LifeThreat), .. }
    ));
    let due = datetime(2026, 11, 23, 12, 0, 0, 0);
    play.clinic(ActionOutcome::CallbackNoted { due, has_number: false, person_present: false });
    assert!(
        play.dialogue.clone().red_flag(RedFlag::LifeThreat, &words).is_none(),
        "would begin again"
    );
    play.yes().state("emergency_location");
    play.say("at home, 12 Elm Street", vec![]).state("emergency_place_noted");
    play.clinic(ActionOutcome::Done).state("emergency_number");
    play.say("5550173", vec![Command::Digits("5550173".into())]);
    assert!(matches!(play.action(), Action::AmendCallback { location: Some(_), .. }));
}

#[test]
fn a_record_is_said_once() {
    let records = ["results_time", "results_meaning"].map(|topic| {
        let approval =
            "source = \"t\"\nedition = \"1\"\nverified = \"2026-11-01\"\nexpires = \"2027-12-31\"";
        let text = format!(
            "topic = \"{topic}\"\ntext = \"About {topic}.\"\n{approval}\napproved_by = \"\""
        );
        toml::from_str(&text).expect("a record")
    });
    let scenario = Scenario::load(Path::new(FOLDER)).expect("the demonstration scenario is sound");
    let site =
        SiteFacts { knowledge: records.to_vec(), demonstration: true, ..SiteFacts::default() };
    let mut dialogue = Dialogue::new(Arc::new(scenario), Arc::new(site), date(2026, 11, 23));
    let last = dialogue.begin();
    let mut play = Play { dialogue, last };
    let asked = Command::Ask("results_time".to_owned());
    play.say(
        "I want to know if my result came. Yes, record it",
        vec![Command::Affirm, asked, Command::Want(Intent::Results)],
    );
    assert_eq!(play.spoken().matches("About results_time").count(), 1, "{}", play.spoken());
}

#[test]
fn silence_ends_the_call_and_frees_what_it_held() {
    let mut play = Play::new();
    let mut turns = 0;
    while !matches!(play.last.then, Then::Act(_)) {
        play.last = play.dialogue.silence();
        turns += 1;
        assert!(turns < 10, "asks for ever");
    }
    assert_eq!(play.action(), &Action::Release);
}

#[test]
fn what_is_never_understood_reaches_a_person() {
    let mut play = Play::new();
    play.yes();
    let mut turns = 0;
    while !matches!(play.last.then, Then::Act(_)) {
        play.say("blue monkeys", vec![]);
        turns += 1;
        assert!(turns < 10, "asks for ever");
    }
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::NotUnderstood, .. }
    ));
}

#[test]
fn a_caller_who_only_asks_to_repeat_reaches_a_person() {
    let mut play = Play::new();
    play.yes().say("again", vec![Command::Repeat]).state("reason");
    let mut turns = 0;
    while !matches!(play.last.then, Then::Act(_)) {
        play.say("again", vec![Command::Repeat]);
        turns += 1;
        assert!(turns < 12, "repeats for ever");
    }
}

#[test]
fn a_clinic_that_does_not_answer_reaches_a_person() {
    let mut play = Play::screened(order(Modality::Ultrasound, None));
    play.say("Tuesday", vec![on(1)]).clinic(ActionOutcome::Unavailable);
    assert!(matches!(
        play.action(),
        Action::RequestCallback { reason: CallbackReason::Failure, .. }
    ));
    play.clinic(ActionOutcome::Unavailable);
    assert_eq!(play.last.then, Then::HangUp);
}

#[test]
fn a_file_with_a_dead_end_is_refused() {
    let mut files: Vec<(String, String)> = ["line", "at", "appointments", "pp", "rcs", "screening"]
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(format!("{FOLDER}/{name}.toml")).expect("there");
            (format!("{name}.toml"), text)
        })
        .collect();
    files[1].1 = files[1].1.replace("on = { held = \"read_back\", taken", "on = { taken");
    let error = Scenario::read(&files).expect_err("a dead end").to_string();
    assert!(error.contains(": hold: nothing is said about the outcome"), "{error}");
    assert!(error.contains("at.toml:"), "{error}");
}

#[test]
fn a_kidney_function_is_kept_with_its_day() {
    let with_contrast = OrderFacts { contrast: true, ..order(Modality::Ct, None) };
    let at_kidneys = || {
        let mut play = Play::identified(with_contrast.clone());
        while !play.spoken().contains("kidney disease") {
            play.no();
        }
        play.yes();
        assert!(play.spoken().contains("eGFR"), "{}", play.spoken());
        play
    };
    let finding = |mut play: Play| {
        for _ in 0..20 {
            match &play.last.then {
                Then::Act(Action::Book { review, .. }) => return review[0].expose().clone(),
                Then::Act(Action::FindSlots { .. }) => _ = play.clinic(offers()),
                Then::Act(Action::Hold { .. }) => _ = play.clinic(ActionOutcome::Held),
                _ if play.last.state == "when" => _ = play.say("the first", vec![on(1)]),
                _ if play.last.state.starts_with("screening") => _ = play.no(),
                _ => _ = play.yes(),
            }
        }
        panic!("it does not come to a booking: {} {}", play.last.state, play.spoken());
    };
    let mut told = at_kidneys();
    told.say("thirty eight, six weeks ago", Vec::new());
    assert!(finding(told).contains("eGFR 38 mL/min/1.73 m², taken 2026-10"));

    // A yes is no value; whoever does not know it is reviewed without one.
    let mut unknown = at_kidneys();
    unknown.yes();
    assert!(unknown.spoken().contains("eGFR"), "{}", unknown.spoken());
    unknown.say("I don't know", vec![Command::Unsure]);
    assert!(!finding(unknown).contains("mL/min"));
}

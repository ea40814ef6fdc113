//! Random walks through the dialogues: callers who answer anything to everything, a clinic that
//! answers anything it may. Whatever comes, nothing unsafe is booked and every call ends.
//!
//! The rules are checked against the table and the record, not by the code under test.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Weekday, date, datetime};
use radline_dialogue::screening::{Answer, Answers, Disposition, ScreeningQuestion, Stage};
use radline_dialogue::{
    Action, ActionOutcome, AppointmentFacts, Called, Command, Dialogue, DialogueMove, Distress,
    ExamMention, Expectation, Feeling, Intent, Modality, Offer, OrderFacts, PartOfDay,
    PatientFacts, Priority, Question, RedFlag, Scenario, Side, SiteFacts, Then, TimeWish,
    Understanding, UnderstoodBy,
};
use radline_phi::Phi;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sites/demo-hospital/scenarios");
const TODAY: Date = date(2026, 11, 23);
/// By when colleagues call.
const DUE: DateTime = datetime(2026, 11, 23, 12, 0, 0, 0);
/// Walks of each kind in every test run. `WALKS=100000` makes as many as wanted.
const WALKS: u64 = 20_000;
/// Share of answers that fit the question.
const FITTING: f64 = 0.9;
/// More turns than this, and a call goes in circles.
const TURNS_MAX: usize = 300;

fn walks() -> u64 {
    std::env::var("WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(WALKS)
}

/// What is true in one walk.
struct World {
    patient: PatientFacts,
    order: OrderFacts,
    identified: bool,
    held: Option<String>,
    booked: usize,
}

fn world(random: &mut StdRng) -> World {
    let modality = *Modality::ALL.choose(random).expect("some");
    let parts = ["knee", "abdomen", "head", "pelvis", "breast", "chest", "carotid", "hip"];
    let order = OrderFacts {
        id: "order".to_owned(),
        modality,
        body_part: random
            .random_bool(0.9)
            .then(|| (*parts.choose(random).expect("some")).to_owned()),
        side: *[None, Some(Side::Left), Some(Side::Right)].choose(random).expect("some"),
        contrast: random.random_bool(0.5),
        priority: *[Priority::Routine, Priority::Routine, Priority::Urgent, Priority::Stat]
            .choose(random)
            .expect("some"),
        expired: random.random_bool(0.05),
        covered: random.random_bool(0.9),
        spoken: "exam".to_owned(),
    };
    let patient = PatientFacts {
        id: "patient".to_owned(),
        given_name: "Ada".into(),
        date_of_birth: date(1980, 1, 1).into(),
        may_be_pregnant: random.random_bool(0.5),
    };
    World { patient, order, identified: false, held: None, booked: 0 }
}

fn wish(random: &mut StdRng) -> TimeWish {
    TimeWish {
        weekday: random.random_bool(0.5).then_some(Weekday::Tuesday),
        part_of_day: random.random_bool(0.5).then_some(PartOfDay::Morning),
        ..TimeWish::default()
    }
}

/// Anything that a caller may be understood to have said; mostly an answer.
fn commands(random: &mut StdRng) -> Vec<Command> {
    let intents = [
        Intent::Book,
        Intent::Reschedule,
        Intent::Cancel,
        Intent::CheckAppointment,
        Intent::Prepare,
        Intent::Results,
        Intent::Question,
        Intent::ReportSymptom,
    ];
    let sides = [Side::Left, Side::Right, Side::Both];
    let count = if random.random_bool(0.85) { 1 } else { 2 };
    (0..count)
        .map(|_| match random.random_range(0..40) {
            0..10 => Command::Deny,
            10..17 => Command::Affirm,
            17 => Command::Unsure,
            18 => Command::Repeat,
            19 => Command::Wait,
            20 => Command::Want(*intents.choose(random).expect("some")),
            21..23 => Command::Want(Intent::Book),
            23 => Command::Ask(
                (*["parking", "metformin", "nothing"].choose(random).expect("some")).to_owned(),
            ),
            24 => Command::Feels(Distress::Some, Feeling::Exam),
            25 => Command::Feels(Distress::Strong, Feeling::General),
            26..28 => Command::Name("Ada Example".into()),
            28..30 => Command::DateOfBirth(date(1980, 1, random.random_range(1..3)).into()),
            30 => Command::Digits("5550100".into()),
            31..33 => Command::Choose(random.random_range(0..2)),
            33 => Command::ChooseLast,
            34..36 => Command::When(wish(random)),
            36..38 => Command::Exam(ExamMention {
                modality: random
                    .random_bool(0.3)
                    .then(|| *Modality::ALL.choose(random).expect("some")),
                body_part: None,
                side: Some(*sides.choose(random).expect("some")),
            }),
            38 => Command::AskIfMachine,
            _ => match random.random_range(0..9) {
                0 => Command::RequestPerson,
                1 => Command::Goodbye,
                2 => Command::OnBehalf,
                3 => Command::RequestInterpreter,
                4 => Command::Voicemail,
                5 => Command::OptOut,
                6 => Command::WrongNumber,
                _ => Command::Deny,
            },
        })
        .collect()
}

/// An answer of the kind that was asked for: usually what leads on.
fn fitting(question: &Question, random: &mut StdRng) -> Command {
    let likely = random.random_bool(0.93);
    match question.expectation {
        Expectation::YesNo if question.trouble == likely => Command::Deny,
        Expectation::YesNo => Command::Affirm,
        Expectation::Choice if question.options > 0 => Command::Choose(0),
        Expectation::Choice => Command::Exam(ExamMention {
            side: Some(*[Side::Left, Side::Right].choose(random).expect("some")),
            ..ExamMention::default()
        }),
        Expectation::DayTime => Command::When(wish(random)),
        Expectation::Name => Command::Name("Ada Example".into()),
        Expectation::DateOfBirth => Command::DateOfBirth(date(1980, 1, 1).into()),
        Expectation::Digits => Command::Digits("5550100199".into()),
        Expectation::Story | Expectation::Open => Command::Deny,
    }
}

fn offers(declined: &[DateTime]) -> Vec<Offer> {
    let all = (0..6).map(|hour| Offer {
        slot: format!("slot-{hour}"),
        start: datetime(2026, 12, 1, 8 + hour, 0, 0, 0),
        place: "room one".to_owned(),
    });
    all.filter(|offer| !declined.contains(&offer.start)).take(2).collect()
}

impl World {
    fn answer(
        &mut self,
        action: &Action,
        dialogue: &Dialogue,
        scenario: &Scenario,
        random: &mut StdRng,
    ) -> ActionOutcome {
        if random.random_bool(0.01) {
            return ActionOutcome::Unavailable;
        }
        match action {
            Action::MatchIdentity { .. } => {
                self.identified = random.random_bool(0.8);
                if self.identified {
                    ActionOutcome::Matched(self.patient.clone())
                } else {
                    ActionOutcome::NotMatched
                }
            }
            Action::FindOrders { .. } => {
                assert!(self.identified, "orders were looked up for a stranger");
                let count = if self.booked > 0 { 0 } else { random.random_range(0..8).min(2) };
                let second =
                    OrderFacts { id: "second".to_owned(), side: None, ..self.order.clone() };
                ActionOutcome::Orders(
                    [self.order.clone(), second].into_iter().take(count).collect(),
                )
            }
            Action::FindAppointments { .. } => {
                assert!(self.identified, "appointments were looked up for a stranger");
                ActionOutcome::Appointments(if random.random_bool(0.8) {
                    vec![self.appointment()]
                } else {
                    Vec::new()
                })
            }
            Action::FindSlots { declined, .. } => ActionOutcome::Offers {
                offers: offers(declined),
                as_wished: random.random_bool(0.5),
            },
            Action::Hold { slot, .. } => {
                if random.random_bool(0.1) {
                    return ActionOutcome::Taken;
                }
                self.held = Some(slot.clone());
                ActionOutcome::Held
            }
            Action::Book { slot, review, .. } => self.book(slot, review, dialogue, scenario),
            Action::Reschedule { slot, .. } => {
                assert!(self.identified, "an appointment was moved for a stranger");
                assert_eq!(self.held.take().as_ref(), Some(slot), "moved to what was not held");
                ActionOutcome::Moved { appointment: "moved".to_owned() }
            }
            Action::Cancel { .. } => {
                assert!(self.identified, "an appointment was cancelled for a stranger");
                ActionOutcome::Cancelled
            }
            Action::RequestCallback { .. } => {
                self.held = None;
                let [has_number, person_present] =
                    [random.random_bool(0.5), random.random_bool(0.5)];
                ActionOutcome::CallbackNoted { due: DUE, has_number, person_present }
            }
            Action::HoldForReview { appointment, .. } => {
                assert!(self.identified, "an appointment was held back for a stranger");
                ActionOutcome::HeldForReview { appointment: appointment.clone(), due: DUE }
            }
            Action::RecordPreparation { .. } => {
                assert!(self.identified, "a preparation was recorded for a stranger");
                ActionOutcome::Done
            }
            Action::AmendCallback { .. } | Action::OptOut { .. } | Action::Release => {
                ActionOutcome::Done
            }
        }
    }

    fn appointment(&self) -> AppointmentFacts {
        AppointmentFacts {
            id: "appointment".to_owned(),
            start: datetime(2026, 11, 25, 9, 0, 0, 0),
            place: "room one".to_owned(),
            order: self.order.clone(),
            pending: false,
        }
    }

    fn book(
        &mut self,
        slot: &str,
        review: &[Phi<String>],
        dialogue: &Dialogue,
        scenario: &Scenario,
    ) -> ActionOutcome {
        assert!(self.identified, "a booking for a stranger");
        assert_eq!(self.held.take().as_deref(), Some(slot), "a time was booked that was not held");
        let order = dialogue.slots().order.clone().expect("a booking has an order");
        assert!(
            !matches!(order.priority, Priority::Stat | Priority::Asap),
            "a stat order was booked"
        );
        assert!(!order.expired, "an expired order was booked");
        if let Some(side) = order.side {
            assert_eq!(dialogue.slots().side, Some(side), "a booking of the wrong side");
        }
        let needs_review =
            screened(scenario, &order, &self.patient, dialogue.answers()) || !order.covered;
        assert_eq!(!review.is_empty(), needs_review, "the review does not fit the answers");
        self.booked += 1;
        let appointment = "appointment".to_owned();
        if review.is_empty() {
            ActionOutcome::Booked { appointment }
        } else {
            ActionOutcome::HeldForReview { appointment, due: DUE }
        }
    }
}

/// Reads the table as a clinician would: every question for this exam answered, no STOP answered
/// with yes or doubt. Returns whether something has to be reviewed.
fn screened(
    scenario: &Scenario,
    order: &OrderFacts,
    patient: &PatientFacts,
    answers: &Answers,
) -> bool {
    let given =
        |id: &str| answers.entries().find(|(held, ..)| *held == id).map(|(_, answer, _)| answer);
    let asked = |question: &ScreeningQuestion| {
        let applies = &question.applies;
        question.stages.contains(&Stage::Booking)
            && (applies.modalities.is_empty() || applies.modalities.contains(&order.modality))
            && applies.contrast.is_none_or(|contrast| contrast == order.contrast)
            && (applies.body_parts.is_empty()
                || order.body_part.as_ref().is_none_or(|part| applies.body_parts.contains(part)))
            && (!applies.may_be_pregnant || patient.may_be_pregnant)
            && question
                .if_yes
                .as_ref()
                .is_none_or(|id| given(id).is_some_and(|answer| answer != Answer::No))
    };
    let mut review = false;
    for question in scenario.screening.iter().filter(|question| asked(question)) {
        let answer = given(&question.id);
        let answer = answer.unwrap_or_else(|| panic!("booked without asking {}", question.id));
        if answer == Answer::No {
            review |= question.no == Disposition::Review;
            continue;
        }
        match &question.detail {
            None => {
                assert!(
                    question.yes != Disposition::Stop,
                    "booked although {}: {answer:?}",
                    question.id
                );
                review |= question.yes == Disposition::Review;
            }
            Some(detail) => {
                let second = answers.detail(&question.id).expect("the second question was asked");
                let to = if second == Answer::No { detail.no } else { detail.yes };
                assert!(to != Disposition::Stop, "booked although {} is {second:?}", question.id);
                review |= to == Disposition::Review;
            }
        }
    }
    review
}

#[derive(Default)]
struct Tally {
    booked: usize,
    persons: usize,
    ended: usize,
}

/// What becomes of a caller who waits for a person; nothing when the person ends the call.
fn waits(dialogue: &mut Dialogue, random: &mut StdRng) -> Option<DialogueMove> {
    Some(match random.random_range(0..10) {
        0..3 => dialogue.nobody_free(),
        3..5 => dialogue.handed_back(),
        5 => dialogue.person_lost(),
        6 => dialogue.silence(),
        7 => dialogue.hear(&"call me back".into(), &Understanding::from_parsers(Vec::new())),
        8 => {
            let read = Understanding::from_parsers(commands(random));
            dialogue.hear(&"words".into(), &read)
        }
        _ => return None,
    })
}

fn walk(
    scenario: &Arc<Scenario>,
    site: &Arc<SiteFacts>,
    called: Option<Called>,
    start: &[Command],
    seed: u64,
    tally: &mut Tally,
) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = world(&mut random);
    let mut dialogue = match called {
        Some(called) => {
            Dialogue::preparation(Arc::clone(scenario), Arc::clone(site), TODAY, called)
        }
        None => Dialogue::new(Arc::clone(scenario), Arc::clone(site), TODAY),
    };
    let mut next: DialogueMove = dialogue.begin();
    let mut owed = false;
    for turn in 0..TURNS_MAX {
        next = match &next.then {
            Then::HangUp => {
                tally.ended += 1;
                tally.booked += usize::from(world.booked > 0);
                // A person who gave the caller back owes no call any more; what is held then, the end of
                // the call frees.
                let owed = owed && dialogue.has_called_a_person();
                assert!(
                    world.held.is_none() || world.booked > 0 || !owed,
                    "seed {seed}: held for nobody"
                );
                return;
            }
            Then::Act(action) => {
                let action = action.clone();
                let outcome = world.answer(&action, &dialogue, scenario, &mut random);
                // A clinic that does not answer frees nothing; the end of the call does.
                if matches!(outcome, ActionOutcome::CallbackNoted { .. }) {
                    owed = true;
                    tally.persons += 1;
                }
                dialogue.answer(outcome)
            }
            Then::Connect(_) => {
                let Some(next) = waits(&mut dialogue, &mut random) else {
                    // The person ends the call.
                    tally.ended += 1;
                    return;
                };
                next
            }
            Then::Listen(question) => {
                let question = question.clone();
                if random.random_bool(0.004) {
                    let flag = *RedFlag::ALL.choose(&mut random).expect("some");
                    if let Some(script) = dialogue.red_flag(flag, &"words".into()) {
                        next = script;
                        continue;
                    }
                }
                if random.random_bool(0.03) {
                    dialogue.silence()
                } else {
                    // The first answers lead into the kind of call that is walked.
                    let said = match start.get(turn) {
                        Some(command) if random.random_bool(0.9) => vec![command.clone()],
                        _ if random.random_bool(FITTING) => vec![fitting(&question, &mut random)],
                        _ => commands(&mut random),
                    };
                    let read = Understanding::from_parsers(said);
                    let by = if random.random_bool(0.05) { UnderstoodBy::Model } else { read.by };
                    dialogue.hear(&"words".into(), &Understanding { by, ..read })
                }
            }
        };
    }
    panic!("seed {seed}: the call does not end");
}

fn site() -> (Arc<Scenario>, Arc<SiteFacts>) {
    let scenario = Scenario::load(Path::new(FOLDER)).expect("sound");
    let names = ["hospital", "department", "emergency_number", "crisis_line", "office_hours"];
    let values = names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    (Arc::new(scenario), Arc::new(SiteFacts { values, ..SiteFacts::default() }))
}

#[test]
fn no_walk_through_appointment_triage_books_what_it_must_not() {
    let (scenario, site) = site();
    let mut tally = Tally::default();
    let start = [
        Command::Affirm,
        Command::Want(Intent::Book),
        Command::Name("Ada Example".into()),
        Command::DateOfBirth(date(1980, 1, 1).into()),
    ];
    for seed in 0..walks() {
        walk(&scenario, &site, None, &start, seed, &mut tally);
    }
    // The walks have to be worth something: some must come to a booking, some to a person.
    assert!(tally.booked as u64 > walks() / 200, "{} of {} booked", tally.booked, tally.ended);
    assert!(tally.persons as u64 > walks() / 5, "{} persons", tally.persons);
}

#[test]
fn every_preparation_call_ends_and_tells_strangers_nothing() {
    let (scenario, site) = site();
    let mut tally = Tally::default();
    for seed in 0..walks() {
        let called = Called {
            patient: "patient".to_owned(),
            name: "Ada Example".into(),
            appointment: "appointment".to_owned(),
        };
        let start =
            [Command::Affirm, Command::Affirm, Command::DateOfBirth(date(1980, 1, 1).into())];
        walk(&scenario, &site, Some(called), &start, seed, &mut tally);
    }
    assert_eq!(tally.ended as u64, walks());
}

#[test]
fn every_call_about_services_ends() {
    let (scenario, site) = site();
    let mut tally = Tally::default();
    for seed in 0..walks() {
        let start = [Command::Affirm, Command::Ask("parking".to_owned())];
        walk(&scenario, &site, None, &start, seed, &mut tally);
    }
    assert_eq!(tally.ended as u64, walks());
}

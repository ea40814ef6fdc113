//! The model's labels as commands, beside what the parsers found. Values go through the parsers, so
//! that the model cannot say one that they do not know.

use jiff::civil::Date;
use radline_dialogue::{
    Command, ExamMention, Expectation, Intent, Question, Understanding, UnderstoodBy, words,
};
use radline_phi::Phi;

use crate::danger;
use crate::model::classifier::Impression;
use crate::model::labels::{FINDINGS, Labels};
use crate::model::turn_reader::Reading;
use crate::parsers::{day_time, exam, to_book, topic};
use crate::understanding::{
    by_example, careful, day_at_opening, denies_by_other_words, is_unsettled,
};

/// An act that the model is less sure of is not taken up. More likely than not; no measurement chose it.
const SURE: f32 = 0.5;

/// What the parsers found is doubted only by a model that is surer than that.
const SURE_AGAINST: f32 = 0.8;
/// So many words are a plain answer or a plain wish, which the parsers read alone. In more there may be
/// a manner of speaking: "no, I'd be lying if I said I hadn't".
const PLAIN_WORDS_MAX: usize = 4;

/// Who has read an utterance beside the parsers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Readings<'a> {
    /// What it is at first sight.
    pub seen: Option<&'a Impression>,
    /// What the language model made of it.
    pub read: Option<&'a Reading>,
}

impl Readings<'_> {
    /// What the language model read, with the act that both take it for. A wish for a person that the
    /// model hears is not outvoted.
    fn together(&self) -> Option<Reading> {
        let mut reading = self.read?.clone();
        let wants_person = reading.labels.intent == "request_person" && reading.confidence >= SURE;
        if let Some(seen) = self.seen.filter(|_| !wants_person) {
            let (act, sure) = seen.with_model(&reading);
            // What an act is about belongs to it.
            if act != reading.labels.intent {
                reading.labels.topic.clear();
            }
            (reading.labels.intent, reading.confidence) = (act, sure);
        }
        Some(reading)
    }
}

/// What the parsers understood, with the danger that was seen.
pub fn as_seen(parsed: Understanding, seen: Option<&Impression>) -> Understanding {
    Understanding { danger: seen.map(Impression::suspicion), ..parsed }
}

/// What is understood of words that are for the model: what was read, beside what the parsers found,
/// which stays. Where the model did not read them, a smaller reader takes its place.
pub fn understand(
    words: &Phi<String>,
    parsed: Understanding,
    readings: Readings<'_>,
    question: &Question,
    today: Date,
) -> Understanding {
    let understood = match (readings.read, readings.together()) {
        // What the parsers settled is doubted by a model that is sure enough by itself.
        (Some(alone), _) if is_settled(&parsed, question) && alone.confidence >= SURE_AGAINST => {
            with_model(words, parsed, alone, question, today)
        }
        (_, Some(reading)) => with_model(words, parsed, &reading, question, today),
        (_, None) => by_example(words, parsed, question),
    };
    let danger = danger::weighed(readings.seen, readings.read, question);
    Understanding { danger, ..understood }
}

fn with_model(
    words: &Phi<String>,
    parsed: Understanding,
    reading: &Reading,
    question: &Question,
    today: Date,
) -> Understanding {
    if reading.confidence < SURE {
        return parsed;
    }
    // What the parsers only infer is asked back already.
    if parsed.by == UnderstoodBy::Model {
        return parsed;
    }
    let labels = &backed(words.expose(), &reading.labels);
    if is_settled(&parsed, question) {
        // "What do you have on a Wednesday?" asks for a free time, and not when an appointment is.
        let seeks = parsed.has(&Command::Want(Intent::Book))
            && labels.intent == "check_appointment"
            && to_book::asks_for_a_day(words.expose());
        let doubts = reading.confidence >= SURE_AGAINST && !seeks;
        return if doubts { second_opinion(parsed, labels, question) } else { parsed };
    }
    let mut commands = acts(labels, question);
    let free = question.opens || question.expectation == Expectation::Open;
    if free || commands.is_empty() {
        commands.extend(exam(&parsed, labels));
    }
    if question.expectation == Expectation::DayTime && parsed.wish().is_none() {
        commands.extend(wish(labels, today));
    }
    commands.extend(day_at_opening(words.expose(), &commands, question, today));
    commands.retain(|command| !parsed.has(command));
    if commands.is_empty() {
        return parsed;
    }
    // What the model adds to an exam replaces what the parsers had of it.
    let added = commands.iter().any(|command| matches!(command, Command::Exam(_)));
    let kept = parsed.commands.into_iter();
    commands.extend(kept.filter(|command| !(added && matches!(command, Command::Exam(_)))));
    // What the parsers read has gone through this already.
    careful(
        words.expose(),
        Understanding { commands, by: UnderstoodBy::Model, danger: None, acknowledgement: None },
        question,
        today,
    )
}

/// What the parsers read counts, unless the model takes it for the opposite of a yes or a no: then it is
/// neither, and the question is asked again. Or for another wish, where the parsers often take one for
/// another: then that is asked back.
fn second_opinion(
    mut parsed: Understanding,
    labels: &Labels,
    question: &Question,
) -> Understanding {
    let acts = acts(labels, question);
    if question.expectation == Expectation::YesNo {
        if !disputes_answer(&parsed, &acts) {
            return parsed;
        }
        parsed.commands.retain(|command| !command.is_answer());
        return Understanding::from_parsers(parsed.commands);
    }
    if !disputes_wish(&parsed, &acts) {
        return parsed;
    }
    parsed.commands.retain(|c| !matches!(c, Command::Want(_) | Command::Ask(_)));
    parsed.commands.extend(acts);
    Understanding {
        commands: parsed.commands,
        by: UnderstoodBy::Model,
        danger: None,
        acknowledgement: None,
    }
}

/// Whether the model reads a no where the parsers read a yes, a yes where they read a no, or anything but doubt where
/// they read that.
fn disputes_answer(parsed: &Understanding, acts: &[Command]) -> bool {
    let read = |yes: &Command, no: &Command| parsed.has(yes) && acts.contains(no);
    // "Saturday you have, maybe?" doubts nothing that was asked.
    let unsure = parsed.has(&Command::Unsure)
        && !acts.iter().any(|act| matches!(act, Command::Unsure | Command::Affirm));
    unsure || read(&Command::Affirm, &Command::Deny) || read(&Command::Deny, &Command::Affirm)
}

/// Whether the model reads another wish. "Cancel" and "move" the parsers read only where they are said;
/// what is a question and what is a booking they often confuse (BENCHMARKS.md).
fn disputes_wish(parsed: &Understanding, acts: &[Command]) -> bool {
    let wish = |commands: &[Command]| {
        commands.iter().find_map(|command| match command {
            Command::Want(intent) => Some(*intent),
            _ => None,
        })
    };
    let asks =
        |intent: Intent| matches!(intent, Intent::Question | Intent::Prepare | Intent::Results);
    match (wish(&parsed.commands), wish(acts)) {
        (Some(Intent::Book | Intent::ReportSymptom), Some(other)) => {
            Some(other) != wish(&parsed.commands)
        }
        (Some(read), Some(other)) => asks(read) && !asks(other),
        _ => false,
    }
}

/// The labels without what nobody said: a side or a weekday needs the word for it. A wrong side is
/// the mistake that must not happen, and models guess one.
pub fn backed(words: &str, labels: &Labels) -> Labels {
    let said = words::split(words);
    let has = |word: &str| said.iter().any(|said| said.strip_suffix('s').unwrap_or(said) == word);
    let mut backed = labels.clone();
    backed.slots.retain(|slot, value| match slot.as_str() {
        "side" => match value.as_str() {
            "both" => ["both", "bilateral", "either", "each", "two"].iter().any(|word| has(word)),
            side => has(side),
        },
        "weekday" => value.split(", ").all(|day| {
            said.iter().any(|word| {
                day_time::weekday(word).is_some_and(|read| Some(read) == day_time::weekday(day))
            })
        }),
        // What is injected for the pictures thins no blood.
        "blood_thinner" => !["gadolinium", "contrast", "dye", "iodine"]
            .iter()
            .any(|other| words::contains(&words::split(value), other)),
        _ => true,
    });
    backed
}

/// The acts that a call can take from a model.
fn acts(labels: &Labels, question: &Question) -> Vec<Command> {
    let asks = question.expectation == Expectation::YesNo;
    match labels.intent.as_str() {
        "book" => vec![Command::Want(Intent::Book)],
        "reschedule" => vec![Command::Want(Intent::Reschedule)],
        "cancel" => vec![Command::Want(Intent::Cancel)],
        "check_appointment" => vec![Command::Want(Intent::CheckAppointment)],
        "report_symptom" => vec![Command::Want(Intent::ReportSymptom)],
        "request_person" => vec![Command::RequestPerson],
        "repeat" => vec![Command::Repeat],
        "prepare" => asked(labels, Intent::Prepare),
        "clinic_question" => asked(labels, Intent::Question),
        "results_question" => asked(labels, Intent::Results),
        "affirm" if asks => vec![Command::Affirm],
        "deny" if asks => vec![Command::Deny],
        "unsure" if asks => vec![Command::Unsure],
        // To "any metal in your body?" a pacemaker is a yes.
        "provide" if asks && question.trouble => found(labels).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn asked(labels: &Labels, intent: Intent) -> Vec<Command> {
    let topic = Some(&labels.topic).filter(|topic| !topic.is_empty());
    let about = topic.map_or(intent, |topic| topic::intent(topic));
    topic
        .map(|topic| Command::Ask(topic.clone()))
        .into_iter()
        .chain([Command::Want(about)])
        .collect()
}

/// What a finding answers to a question that asks for something wrong.
fn found(labels: &Labels) -> Option<Command> {
    let mut found = FINDINGS.iter().filter_map(|slot| labels.slots.get(*slot));
    Some(match found.next()?.as_str() {
        "no" => Command::Deny,
        "unsure" => Command::Unsure,
        _ => Command::Affirm,
    })
}

/// What the labels add to the exam that the parsers found.
fn exam(parsed: &Understanding, labels: &Labels) -> Option<Command> {
    let mentioned = |command: &Command| match command {
        Command::Exam(exam) => Some(exam.clone()),
        _ => None,
    };
    let known = parsed.commands.iter().find_map(mentioned).unwrap_or_default();
    let modality = labels.slot("modality").split(", ").next().unwrap_or_default().replace('_', " ");
    let words = format!("{modality} of the {} {}", labels.slot("side"), labels.slot("body_part"));
    let read = exam::parse(&words, true).unwrap_or_default();
    let exam = ExamMention {
        modality: known.modality.or(read.modality),
        body_part: known.body_part.clone().or(read.body_part),
        side: known.side.or(read.side),
    };
    (exam != known).then_some(Command::Exam(exam))
}

fn wish(labels: &Labels, today: Date) -> Option<Command> {
    let words = format!("{} {}", labels.slot("weekday"), labels.slot("part_of_day"));
    day_time::parse(&words, today).filter(|wish| !wish.is_empty()).map(Command::When)
}

/// Whether the language model should read the words: where the parsers found nothing, where any wish
/// may be told and they found none, and for a second opinion on a yes, a no or a wish in many words.
/// And where the classifier does not rule danger out, in which it is not believed alone.
pub fn is_for_model(
    words: &Phi<String>,
    parsed: &Understanding,
    question: &Question,
    seen: Option<&Impression>,
) -> bool {
    let heard = words.expose().chars().any(char::is_alphabetic);
    if heard && seen.is_some_and(danger::is_for_model) {
        return true;
    }
    if !is_settled(parsed, question) {
        return heard;
    }
    let open = question.opens || question.expectation == Expectation::Open;
    let disputable = match question.expectation {
        Expectation::YesNo if !question.opens => parsed.commands.iter().any(Command::is_answer),
        _ => open && parsed.wants().next().is_some(),
    };
    let denied = denies_by_other_words(words.expose(), question);
    let certain = parsed.has(&Command::RequestPerson) || denied;
    disputable && !certain && words::split(words.expose()).len() > PLAIN_WORDS_MAX
}

/// Whether the parsers found what they were to find. "They put six screws in my collarbone" names a part
/// of the body, and is a yes.
fn is_settled(parsed: &Understanding, question: &Question) -> bool {
    // A day in answer to a safety question is when something happened.
    let beside = |command: &Command| match command {
        Command::Exam(_) | Command::Feels(..) => true,
        Command::When(_) => question.trouble,
        _ => false,
    };
    let asks = question.expectation == Expectation::YesNo;
    let answered = !asks || parsed.commands.iter().any(|command| !beside(command));
    !parsed.commands.is_empty() && answered && !is_unsettled(parsed, question)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use radline_dialogue::Modality;

    use super::*;
    use crate::understanding;

    const TODAY: Date = date(2026, 11, 23);

    fn read_as(said: &str, line: &str, confidence: f32, question: &Question) -> Understanding {
        let parsed = understanding::parse(&said.into(), question, TODAY);
        let reading =
            Reading { labels: Labels::read(line), confidence, acts: Vec::new(), danger: None };
        let readings = Readings { seen: None, read: Some(&reading) };
        understand(&said.into(), parsed, readings, question, TODAY)
    }

    #[test]
    fn a_time_before_the_time_asked_about_is_a_no_to_be_asked_back() {
        let asked = Question {
            trouble: true,
            asked: "Did you have chemotherapy in the last four weeks?".into(),
            ..Question::of(Expectation::YesNo)
        };
        let read = read_as("chemo, six rounds, the last was in may", "affirm", 0.95, &asked);
        assert_eq!((read.commands, read.by), (vec![Command::Deny], UnderstoodBy::Model));
        let read = read_as("chemo, six rounds, the last on friday", "affirm", 0.95, &asked);
        assert!(read.has(&Command::Affirm), "{read:?}");
    }

    #[test]
    fn a_maybe_about_something_else_leaves_the_question_open() {
        let asked = Question {
            trouble: true,
            asked: "Have you ever had metal in your eye?".into(),
            ..Question::of(Expectation::YesNo)
        };
        let said = "saturday you have maybe, because my boss, he counts every hour";
        for line in ["clinic_question", "unsure"] {
            let read = read_as(said, line, 0.9, &asked);
            assert!(!read.has(&Command::Unsure), "{read:?}");
        }
        let read = read_as("maybe, I worked with steel for years", "unsure", 0.9, &asked);
        assert!(read.has(&Command::Unsure), "{read:?}");
    }

    #[test]
    fn labels_become_commands_and_what_the_parsers_found_stays() {
        let open = Question::of(Expectation::Open);
        let said = "the doc wants a look at my knee with the magnet thing";
        let line = "book; modality mri; body part knee; side left";
        let understood = read_as(said, line, 0.9, &open);
        assert_eq!(understood.by, UnderstoodBy::Model);
        assert!(understood.has(&Command::Want(Intent::Book)), "{understood:?}");
        let exam = |command: &&Command| matches!(command, Command::Exam(exam) if exam.modality == Some(Modality::Mri));
        assert!(understood.commands.iter().any(|command| exam(&command)), "{understood:?}");
        let unsure = read_as("hm well the thing is", line, 0.3, &open);
        assert_eq!(unsure.by, UnderstoodBy::Nobody);
    }

    #[test]
    fn yes_and_no_are_read_only_where_they_are_asked_for() {
        let asked = Question { trouble: true, ..Question::of(Expectation::YesNo) };
        let said = "that would be one for the newspapers";
        assert_eq!(read_as(said, "deny", 0.9, &asked).commands, [Command::Deny]);
        assert_eq!(read_as(said, "deny", 0.9, &Question::of(Expectation::Open)).commands, []);
        let ticker =
            read_as("there's my little ticker box", "provide; implant pacemaker", 0.9, &asked);
        assert_eq!(ticker.commands, [Command::Affirm]);
    }

    #[test]
    fn a_yes_or_no_in_many_words_needs_two_readers() {
        let asked = Question { trouble: true, ..Question::of(Expectation::YesNo) };
        let said = "no well not unless you count the pacemaker they gave me";
        let parsed = Understanding::from_parsers(vec![Command::Deny]);
        let opinion = |line: &str, question: &Question| {
            second_opinion(parsed.clone(), &Labels::read(line), question)
        };
        assert!(is_for_model(&said.into(), &parsed, &asked, None));
        assert!(!is_for_model(&"no I don't".into(), &parsed, &asked, None));
        // Neither: the question is asked again.
        assert_eq!(opinion("affirm", &asked), Understanding::from_parsers(Vec::new()));
        assert_eq!(opinion("deny", &asked), parsed);
        assert_eq!(opinion("repeat", &asked), parsed);
    }

    #[test]
    fn a_hedged_no_to_a_safety_question_is_not_known() {
        let asked = Question { trouble: true, ..Question::of(Expectation::YesNo) };
        for said in [
            "could you just um put no i'm probably not",
            "that was thirty five years ago it'd have bothered me by now",
        ] {
            let understood = read_as(said, "deny", 0.9, &asked);
            assert!(understood.has(&Command::Unsure), "{said}: {understood:?}");
            assert!(!understood.has(&Command::Deny), "{said}: {understood:?}");
        }
        assert!(read_as("no, never in my life", "deny", 0.9, &asked).has(&Command::Deny));
    }

    #[test]
    fn a_part_of_the_body_is_no_answer_to_yes_or_no() {
        let asked = Question { trouble: true, ..Question::of(Expectation::YesNo) };
        let said = "they pinned the ankle with six screws after an x-ray of it";
        let parsed = understanding::parse(&said.into(), &asked, TODAY);
        assert!(is_for_model(&said.into(), &parsed, &asked, None), "{parsed:?}");
        let understood = read_as(said, "affirm; implant screws", 0.9, &asked);
        assert!(understood.has(&Command::Affirm), "{understood:?}");
    }

    #[test]
    fn a_booking_that_the_model_takes_for_something_else_is_asked_back() {
        let open = Question::of(Expectation::Open);
        let wants = |intent| Understanding::from_parsers(vec![Command::Want(intent)]);
        let opinion =
            |intent, line: &str| second_opinion(wants(intent), &Labels::read(line), &open);
        let moved = opinion(Intent::Book, "reschedule");
        assert_eq!(moved.commands, [Command::Want(Intent::Reschedule)]);
        assert!(moved.needs_a_word());
        let asked = opinion(Intent::Book, "prepare fasting");
        assert!(asked.has(&Command::Ask("fasting".to_owned())) && !asked.needs_a_word());
        assert!(opinion(Intent::Question, "book").needs_a_word());
        for (intent, line) in [
            (Intent::Book, "book; modality ct"),
            (Intent::Cancel, "book"),
            (Intent::Question, "prepare water"),
        ] {
            assert_eq!(opinion(intent, line), wants(intent), "{line}");
        }
    }

    #[test]
    fn a_value_that_no_parser_knows_is_not_taken() {
        let open = Question::of(Expectation::Open);
        let understood =
            read_as("the glorbon wants a picture", "book; body part glorbon", 0.9, &open);
        assert_eq!(understood.commands, [Command::Want(Intent::Book)]);
    }
}

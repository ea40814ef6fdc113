//! Transcript in, typed commands out: the deterministic parsers, arranged by what was asked.

use jiff::civil::Date;
use radline_dialogue::words;
use radline_dialogue::{
    Command, Distress, Expectation, Intent, Question, Understanding, UnderstoodBy,
};
use radline_phi::Phi;

use crate::intents;
use crate::parsers::birth_date::Calendar;
use crate::parsers::yes_no::YesNo;
use crate::parsers::{
    birth_date, course, day_time, exam, feeling, implants, medicines, misheard, name, numbers,
    request, to_book, topic, whose_name, window, yes_no,
};

/// Fewest digits that are a number to keep rather than a quantity.
const DIGITS_MIN: usize = 3;
/// More words than this are no plain answer.
const STORY_WORDS: usize = 8;
/// The youngest caller whose date of birth is taken up without being asked for.
const VOLUNTEERED_AGE_YEARS: i16 = 2;

/// Reads the caller's words in the light of the question, without the language model. `today` is the
/// local day of the call.
pub fn understand(text: &Phi<String>, question: &Question, today: Date) -> Understanding {
    by_example(text, parse(text, question, today), question)
}

/// What the parsers alone find.
pub fn parse(text: &Phi<String>, question: &Question, today: Date) -> Understanding {
    let whole = misheard::endings(text.expose());
    let words = whole.as_str();
    let expectation = question.expectation;
    // At the beginning of a call anything may be said beside the answer.
    let free = if question.opens { Expectation::Open } else { expectation };
    let mut commands = request::parse(words, expectation);
    commands.extend(questions(words, free, &commands));
    commands.extend(feeling::parse(words));
    commands.extend(asked_for(words, question, today));
    if free == Expectation::Open && to_book::is_over(words) {
        commands.retain(|command| !matches!(command, Command::Exam(_)));
    }
    if free == Expectation::Open && !tells_a_wish(&commands) && to_book::is_arranged(words) {
        commands.retain(|command| !matches!(command, Command::Exam(_)));
        commands.push(Command::Ask(topic::ANNOUNCED.to_owned()));
    }
    commands.extend(booking(words, question, &commands));
    let named = commands.iter().any(|command| matches!(command, Command::Name(_)));
    if !named {
        commands.extend(volunteered(words, question, today));
    }
    let wish_told = is_unsettled(&Understanding::from_parsers(commands.clone()), question)
        || question.expectation == Expectation::Open && !tells_a_wish(&commands);
    if wish_told && to_book::asks_for_a_day(words) {
        commands.push(Command::Want(Intent::Book));
    }
    commands.extend(day_at_opening(words, &commands, question, today));
    careful(words, Understanding::from_parsers(commands), question, today)
}

/// Words of somebody who is not sure of a "no", or tells of something that was: to a safety question
/// that is not known, and what is not known counts as yes. "Put no, I'm probably not" is no "no".
const HEDGES: &[&str] = &[
    "probably",
    "maybe",
    "might",
    "perhaps",
    "possibly",
    "i guess",
    "i suppose",
    "could be",
    "years ago",
    "year ago",
    "months ago",
    "long ago",
    "ages ago",
    "back in",
    "when i was",
    "as a kid",
    "as a child",
    "way back",
    "there was a",
    "there were",
    "used to",
];

/// Whether the words deny what a safety question asks for without a "no": "same as before", "only the tablet for
/// pressure".
pub(crate) fn denies_by_other_words(text: &str, question: &Question) -> bool {
    let asked = question.asked.expose();
    question.trouble
        && (course::is_steady(asked, text) || medicines::names_others_only(asked, text))
}

/// A hedged "no" to a safety question is none.
pub(crate) fn careful(
    text: &str,
    mut understanding: Understanding,
    question: &Question,
    today: Date,
) -> Understanding {
    let said = words::split(text);
    let earlier = question.trouble && window::is_before(question.asked.expose(), text, today);
    if earlier && !understanding.has(&Command::Deny) {
        // That it was before the time asked about is inferred, and asked back.
        understanding.commands.retain(|command| !command.is_answer());
        understanding.commands.push(Command::Deny);
        return Understanding { by: UnderstoodBy::Model, ..understanding };
    }
    let hedged = HEDGES.iter().any(|phrase| words::contains(&said, phrase));
    let hedged = hedged && !earlier && !yes_no::denies_firmly(text);
    if question.trouble && implants::names_others_only(question.asked.expose(), text) {
        understanding.commands.retain(|command| *command != Command::Affirm);
    }
    // "No, no pacemaker, only a small clip" is no "no".
    let named = implants::names_asked(question.asked.expose(), text);
    if question.trouble && named && !yes_no::denies_firmly(text) {
        understanding.commands.retain(|command| *command != Command::Deny);
    }
    // "Saturday you have, maybe?" is about the day, and doubts nothing that was asked.
    let names_day = understanding.wish().is_some_and(|wish| wish.weekday.is_some());
    if question.trouble && names_day && !understanding.has(&Command::Deny) {
        understanding.commands.retain(|command| *command != Command::Unsure);
        return understanding;
    }
    if question.trouble && hedged && understanding.has(&Command::Deny) {
        understanding.commands.retain(|command| *command != Command::Deny);
        understanding.commands.push(Command::Unsure);
    }
    understanding
}

/// The day and time that a caller names together with the wish to book.
pub(crate) fn day_at_opening(
    text: &str,
    heard: &[Command],
    question: &Question,
    today: Date,
) -> Option<Command> {
    let opening = question.expectation == Expectation::Open || question.opens;
    let books = heard.contains(&Command::Want(Intent::Book));
    let known = heard.iter().any(|command| matches!(command, Command::When(_)));
    if !opening || !books || known {
        return None;
    }
    day_time::of_an_appointment(text, today).filter(|wish| !wish.is_empty()).map(Command::When)
}

/// Whether any wish may be told here, and none was found.
pub fn is_unsettled(parsed: &Understanding, question: &Question) -> bool {
    // Strong feelings are answered as such; weaker ones may come with a wish.
    let settled = |command: &Command| match command {
        Command::Exam(_) | Command::Affirm | Command::Deny | Command::Unsure => false,
        Command::Ask(topic) if topic == topic::ANNOUNCED => false,
        Command::Feels(distress, _) => *distress == Distress::Strong,
        _ => true,
    };
    let denied = parsed.has(&Command::Deny);
    question.opens && !denied && !parsed.commands.iter().any(settled)
}

/// Where the parsers found no wish, and one may be told, and the language model is not there, a
/// smaller reader that learned from examples is asked; what it reads has to be confirmed.
pub fn by_example(
    text: &Phi<String>,
    mut parsed: Understanding,
    question: &Question,
) -> Understanding {
    if is_unsettled(&parsed, question)
        && let Some(wish) = intents::read(text.expose())
    {
        parsed.commands.push(wish);
        parsed.by = UnderstoodBy::Model;
    }
    parsed
}

/// Whether the caller wants or asks something.
fn tells_a_wish(heard: &[Command]) -> bool {
    heard.iter().any(|command| matches!(command, Command::Want(_) | Command::Ask(_)))
}

/// An exam that is named with an order or a need, where no other wish is heard, is to be booked.
fn booking(text: &str, question: &Question, heard: &[Command]) -> Option<Command> {
    let opening = question.expectation == Expectation::Open || question.opens;
    let named = heard
        .iter()
        .any(|command| matches!(command, Command::Exam(exam) if exam.modality.is_some()));
    (opening && named && !tells_a_wish(heard) && to_book::needs(text))
        .then_some(Command::Want(Intent::Book))
}

/// What the caller asks about, and the wish behind it where they name no other.
fn questions(text: &str, expectation: Expectation, heard: &[Command]) -> Vec<Command> {
    let mut commands = topic::parse(text, expectation);
    let wants = heard.iter().any(|command| matches!(command, Command::Want(_)));
    let first = commands.first().and_then(|command| match command {
        Command::Ask(topic) if topic == topic::ANNOUNCED => None,
        Command::Ask(topic) => Some(topic::intent(topic)),
        _ => None,
    });
    if let (Some(intent), false, Expectation::Open) = (first, wants, expectation) {
        commands.push(Command::Want(intent));
    }
    commands
}

/// The values that the question asked for.
fn asked_for(text: &str, question: &Question, today: Date) -> Vec<Command> {
    let mut commands = Vec::new();
    match question.expectation {
        Expectation::Choice => commands.extend(request::choice(text, question.options)),
        Expectation::Digits => {
            let digits = numbers::telephone(text);
            if digits.len() >= DIGITS_MIN {
                commands.push(Command::Digits(Phi::new(digits)));
            }
        }
        Expectation::DateOfBirth => {
            let order = question.date_order;
            let date = birth_date::parse(text, Calendar { today, order });
            commands.extend(date.map(|date| Command::DateOfBirth(Phi::new(date))));
        }
        Expectation::Name if commands.is_empty() => {
            let name = whose_name::parse(text, question.asked.expose());
            commands.extend(name.map(|name| Command::Name(Phi::new(name))));
        }
        Expectation::Name
        | Expectation::YesNo
        | Expectation::DayTime
        | Expectation::Story
        | Expectation::Open => {}
    }
    let wants_time = matches!(
        question.expectation,
        Expectation::DayTime | Expectation::Choice | Expectation::YesNo
    );
    if wants_time && !commands.iter().any(|command| matches!(command, Command::Choose(_))) {
        // What is told of the past counts only where nothing else is told.
        let wish =
            day_time::of_an_appointment(text, today).or_else(|| day_time::parse(text, today));
        // "Either is fine" answers a choice; in a yes or no it is just a way of speaking.
        let wish =
            wish.filter(|wish| question.expectation != Expectation::YesNo || !wish.is_empty());
        commands.extend(wish.map(Command::When));
    }
    let side_asked = question.expectation == Expectation::Choice && question.options == 0;
    // "P, E, T, T, A, W, A, Y" is a name.
    let spelled = matches!(
        question.expectation,
        Expectation::Name | Expectation::DateOfBirth | Expectation::Digits
    );
    if !spelled {
        commands.extend(exam::parse(text, side_asked).map(Command::Exam));
    }
    // A value answers by itself; the yes or no in it is a manner of speaking, except where it
    // turns an offer down.
    let read = match question {
        Question { trouble: true, .. } => yes_no::parse_trouble,
        Question { reads_back: true, .. } => yes_no::parse_confirmation,
        Question { opens: true, .. } => yes_no::parse_opening,
        _ => yes_no::parse,
    };
    let read = match question.trouble {
        true if course::is_new(question.asked.expose(), text) => Some(YesNo::Yes),
        true if denies_by_other_words(text, question) => Some(YesNo::No),
        _ => read(text),
    };
    let answer = read.map(|answer| match answer {
        YesNo::Yes => Command::Affirm,
        YesNo::No => Command::Deny,
        YesNo::Unsure => Command::Unsure,
    });
    // Where anything may be said, a "not" in a story answers nothing: "words that I am not following".
    let told = words::split(text);
    let story = question.expectation == Expectation::Open && told.len() > STORY_WORDS;
    let begins = told
        .first()
        .is_some_and(|word| ["no", "nope", "nah", "naw", "nothing"].contains(&word.as_str()));
    let answer = answer.filter(|answer| *answer != Command::Deny || !story || begins);
    let spoken = matches!(question.expectation, Expectation::Name | Expectation::Digits);
    if !spoken || commands.is_empty() {
        commands.extend(answer);
    }
    commands
}

/// Values that nobody asked for, taken up only when the words leave no doubt.
fn volunteered(text: &str, question: &Question, today: Date) -> Vec<Command> {
    let mut commands = Vec::new();
    commands.extend(name::volunteered(text).map(|name| Command::Name(Phi::new(name))));
    let about_birth = ["born", "birthday", "date of birth", "birth date"]
        .iter()
        .any(|phrase| words::contains(&words::split(text), phrase));
    if about_birth && question.expectation != Expectation::DateOfBirth {
        let order = question.date_order;
        let date = birth_date::parse(text, Calendar { today, order })
            .filter(|date| date.year() <= today.year() - VOLUNTEERED_AGE_YEARS);
        commands.extend(date.map(|date| Command::DateOfBirth(Phi::new(date))));
    }
    commands
}

/// Reads telephone keys. 0 asks for a person and star for a repetition, unless digits are asked
/// for; 1 and 2 are yes and no.
pub fn from_keys(keys: &Phi<String>, question: &Question, today: Date) -> Understanding {
    let digits = keys.expose().trim_end_matches('#');
    let command = match (question.expectation, digits) {
        (_, "*") => Some(Command::Repeat),
        (Expectation::Digits, digits) => Some(Command::Digits(Phi::new(digits.to_owned()))),
        (_, "0") => Some(Command::RequestPerson),
        (Expectation::YesNo, "1") => Some(Command::Affirm),
        (Expectation::YesNo, "2") => Some(Command::Deny),
        (Expectation::DateOfBirth, digits) => {
            birth_date::from_keys(digits, Calendar { today, order: question.date_order })
                .map(|date| Command::DateOfBirth(Phi::new(date)))
        }
        (Expectation::Choice, digits) => digits
            .parse::<usize>()
            .ok()
            .filter(|place| (1..=question.options).contains(place))
            .map(|place| Command::Choose(place - 1)),
        _ => None,
    };
    match command {
        Some(command) => Understanding {
            commands: vec![command],
            by: UnderstoodBy::Keypad,
            danger: None,
            acknowledgement: None,
        },
        None => Understanding {
            commands: Vec::new(),
            by: UnderstoodBy::Nobody,
            danger: None,
            acknowledgement: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn kinds(text: &str, expectation: Expectation, options: usize) -> Vec<&'static str> {
        let question = Question { options, ..Question::of(expectation) };
        let understanding = understand(&text.into(), &question, TODAY);
        understanding.commands.iter().map(Command::kind).collect()
    }

    #[test]
    fn what_is_announced_or_told_beside_is_no_answer() {
        let open = |text| kinds(text, Expectation::Open, 0);
        let report =
            "I am in receipt of my ultrasound report and there are words I am not following";
        assert_eq!(open(report), ["want"]);
        assert_eq!(open("I got this MRI coming up and had a question about it"), ["ask", "exam"]);
        let dye = "I need to get on the list for a cat scan, the one where they put the dye in you";
        assert_eq!(open(dye), ["exam", "want"]);
        // "Nothing else" ends the call only where that was asked.
        let pressure = "one tablet for pressure, nothing else";
        assert!(!kinds(pressure, Expectation::YesNo, 0).contains(&"goodbye"));
        assert!(open("nothing else").contains(&"goodbye"));
    }

    #[test]
    fn the_question_decides_what_words_mean() {
        assert_eq!(kinds("the first", Expectation::Choice, 2), ["choose"]);
        assert_eq!(
            kinds("the first of March 1960", Expectation::DateOfBirth, 0),
            ["date_of_birth"]
        );
        assert_eq!(kinds("Tuesday the first", Expectation::DayTime, 0), ["when"]);
        assert_eq!(kinds("Amara Okafor", Expectation::Name, 0), ["name"]);
        assert_eq!(
            kinds("Sorry, could you repeat that? My name is Helen Carter.", Expectation::Name, 0),
            ["repeat", "name"]
        );
        assert!(
            !kinds("I did not understand, please say it again", Expectation::Name, 0)
                .contains(&"name")
        );
        assert_eq!(kinds("555 0173", Expectation::Digits, 0), ["digits"]);
        assert_eq!(kinds("no, make it Tuesday", Expectation::YesNo, 0), ["when", "deny"]);
        assert_eq!(kinds("yes please", Expectation::YesNo, 0), ["affirm"]);
        assert_eq!(kinds("the left knee", Expectation::Choice, 0), ["exam"]);
        assert!(kinds("I'd like to book an MRI", Expectation::Open, 0).contains(&"want"));
        assert_eq!(
            kinds("can I talk to a person", Expectation::DateOfBirth, 0),
            ["request_person"]
        );
        assert_eq!(kinds("the weather is lovely", Expectation::DateOfBirth, 0), [""; 0]);
    }

    #[test]
    fn keys_are_read_by_the_question() {
        let question = |expectation| Question { options: 2, ..Question::of(expectation) };
        let read = |keys: &str, expectation| {
            from_keys(&keys.into(), &question(expectation), TODAY).commands
        };
        assert_eq!(read("1", Expectation::YesNo), [Command::Affirm]);
        assert_eq!(read("2", Expectation::Choice), [Command::Choose(1)]);
        assert_eq!(read("3", Expectation::Choice), []);
        assert_eq!(read("0", Expectation::Name), [Command::RequestPerson]);
        assert_eq!(read("0123", Expectation::Digits), [Command::Digits("0123".into())]);
        assert_eq!(
            read("03191967", Expectation::DateOfBirth),
            [Command::DateOfBirth(date(1967, 3, 19).into())]
        );
    }
}

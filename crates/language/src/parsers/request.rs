//! What a caller wants from this line: a person, a repetition, a moment, an appointment.

use radline_dialogue::words::{self, asserts, contains};
use radline_dialogue::{Command, Expectation, Intent};

use super::request_phrases::{
    DONE, GOODBYE, INTENTS, MACHINE, ON_BEHALF, OPT_OUT, PERSON, RELATIONS, RELATIVES, REPEAT,
    STOP_RECORDING, VOICEMAIL, WAIT,
};
use super::yes_no_phrases::KEEP;
use super::{languages, wrong_number};

/// The requests in the words. `expectation` is the shape of the answer that was asked for: while
/// a time is sought, "book" is not news.
pub fn parse(text: &str, expectation: Expectation) -> Vec<Command> {
    let words = words::split(text);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    let mut commands = Vec::new();
    if any(MACHINE) {
        return vec![Command::AskIfMachine];
    }
    // "I don't need a person" asks for none.
    if PERSON.iter().any(|phrase| asserts(&words, phrase)) {
        commands.push(Command::RequestPerson);
    }
    // "This is Mirlande, the wife" picks up for someone else.
    let introduces =
        ["this is", "im", "i am", "speaking"].iter().any(|phrase| contains(&words, phrase));
    let relation = words.windows(2).any(|pair| {
        // "Helen Carter's husband", "her nurse", "my wife's name".
        let owned =
            pair[0].ends_with('s') || ["her", "his", "their", "the"].contains(&pair[0].as_str());
        owned && RELATIONS.contains(&pair[1].as_str())
    });
    let name_of = words
        .windows(2)
        .any(|pair| pair[1] == "name" && RELATIONS.iter().any(|one| pair[0] == format!("{one}s")));
    if (introduces && (any(RELATIVES) || relation) || name_of) && !any(ON_BEHALF) {
        commands.push(Command::OnBehalf);
    }
    for (phrases, command) in [
        (ON_BEHALF, Command::OnBehalf),
        (VOICEMAIL, Command::Voicemail),
        (OPT_OUT, Command::OptOut),
        (STOP_RECORDING, Command::StopRecording),
    ] {
        if any(phrases) {
            commands.push(command);
        }
    }
    if wrong_number::is_told(&words) {
        commands.push(Command::WrongNumber);
    }
    if languages::is_wanted_now(&words) {
        commands.push(Command::RequestInterpreter);
    }
    let question = any(REPEAT)
        || matches!(&words[..], [word] if word == "what" || word == "sorry" || word == "huh");
    if question {
        commands.push(Command::Repeat);
    }
    if any(WAIT) && words.len() <= WAIT_WORDS_MAX {
        commands.push(Command::Wait);
    }
    if any(GOODBYE) || expectation == Expectation::Open && any(DONE) {
        commands.push(Command::Goodbye);
    }
    let answers_itself = matches!(
        expectation,
        Expectation::DayTime | Expectation::Digits | Expectation::DateOfBirth
    );
    // Asked for another day: "I don't change it, Wednesday at two is good" asks for none.
    let asks_when = matches!(expectation, Expectation::DayTime | Expectation::Choice);
    if asks_when && any(KEEP) {
        commands.push(Command::Want(Intent::Keep));
        return commands;
    }
    let wants = |(_, phrases): &&(Intent, &[&str])| any(phrases);
    // "No new time, just cancel" is said where a day was asked for.
    let day_asked = expectation == Expectation::DayTime;
    let heard = |(intent, _): &&(Intent, &[&str])| {
        !answers_itself || day_asked && *intent == Intent::Cancel
    };
    if let Some((intent, _)) = INTENTS.iter().find(wants).filter(heard) {
        commands.push(Command::Want(*intent));
    }
    commands
}

/// A longer sentence with "hold on" in it says something else, too.
const WAIT_WORDS_MAX: usize = 12;

/// Which of the options that were read out the words pick.
pub fn choice(text: &str, options: usize) -> Option<Command> {
    const PLACES: &[(&str, usize)] = &[
        ("first", 0),
        ("the former", 0),
        ("option one", 0),
        ("number one", 0),
        ("earlier", 0),
        ("earliest", 0),
        ("second", 1),
        ("option two", 1),
        ("number two", 1),
        ("the latter", 1),
        ("middle", 1),
        ("third", 2),
        ("option three", 2),
        ("number three", 2),
    ];
    let words = words::split(text);
    if options == 0 {
        return None;
    }
    if ["last", "later one", "latest"].iter().any(|phrase| contains(&words, phrase)) {
        return Some(Command::ChooseLast);
    }
    // "December first" names a day, not a place in the list.
    let of_a_month = |place: &str| {
        words.iter().position(|word| word == place).is_some_and(|at| {
            let before = at.checked_sub(1).and_then(|before| words.get(before));
            let month = |word: &String| super::birth_date::month(word).is_some();
            before.is_some_and(month)
                || words.get(at + 1).is_some_and(|word| word == "of")
                    && words.get(at + 2).is_some_and(month)
        })
    };
    PLACES
        .iter()
        .find(|(phrase, index)| *index < options && contains(&words, phrase) && !of_a_month(phrase))
        .map(|(_, index)| Command::Choose(*index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Vec<Command> {
        parse(text, Expectation::Open)
    }

    #[test]
    fn a_person_is_heard_in_many_words() {
        for said in [
            "can I speak to someone please",
            "agent. agent.",
            "I want a real person",
            "is anybody human there",
            "put me through to the front desk",
        ] {
            assert!(open(said).contains(&Command::RequestPerson), "{said}");
        }
        assert!(!open("I don't need an agent").contains(&Command::RequestPerson));
        assert_eq!(open("are you a real person?"), [Command::AskIfMachine]);
    }

    #[test]
    fn wishes_are_told_apart() {
        for (said, intent) in [
            ("I'd like to book an MRI", Intent::Book),
            ("I need to cancel the booking I have", Intent::Cancel),
            ("can I reschedule", Intent::Reschedule),
            ("are my results in, where are the results", Intent::Results),
            ("how much does it cost", Intent::Question),
            ("my pain is getting worse", Intent::ReportSymptom),
        ] {
            assert!(open(said).contains(&Command::Want(intent)), "{said}");
        }
    }

    #[test]
    fn who_keeps_an_appointment_asks_for_no_other_time() {
        for said in [
            "i don't change it, wednesday at two is good",
            "no thank you, i have my time already",
            "leave it as it is then",
        ] {
            let heard = parse(said, Expectation::DayTime);
            assert_eq!(heard, [Command::Want(Intent::Keep)], "{said}");
        }
        assert!(!open("I want to keep my appointment").contains(&Command::Want(Intent::Keep)));
    }

    #[test]
    fn options_are_chosen_by_place_but_dates_are_not_places() {
        assert_eq!(choice("the first one", 2), Some(Command::Choose(0)));
        assert_eq!(choice("I'll take the second", 2), Some(Command::Choose(1)));
        assert_eq!(choice("the last of those", 3), Some(Command::ChooseLast));
        assert_eq!(choice("December first", 2), None);
        assert_eq!(choice("the first of December", 2), None);
        assert_eq!(choice("the third one", 2), None);
    }
}

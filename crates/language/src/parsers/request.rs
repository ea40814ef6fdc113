//! What a caller wants from this line: a person, a repetition, a moment, an appointment.

use radline_dialogue::words::{self, asserts, contains};
use radline_dialogue::{Command, Expectation, Intent};

const PERSON: &[&str] = &[
    "a person",
    "real person",
    "actual person",
    "live person",
    "a human",
    "human being",
    "human please",
    "someone real",
    "somebody real",
    "talk to someone",
    "speak to someone",
    "talk to somebody",
    "speak to somebody",
    "speak with someone",
    "talk with someone",
    "speak with somebody",
    "an agent",
    "agent",
    "operator",
    "representative",
    "receptionist",
    "front desk",
    "customer service",
    "talk to a nurse",
    "speak to a nurse",
    "speak to the nurse",
    "speak to a doctor",
    "talk to a doctor",
    "your supervisor",
    "the manager",
    "put me through",
    "transfer me",
    "anybody human",
    "anyone human",
    "speak to staff",
    "a real human",
    "talk to people",
    "the secretary",
    "just get me",
    "connect me",
    "speak with a nurse",
    "a live agent",
    "human",
];
const MACHINE: &[&str] = &[
    "are you a robot",
    "are you a machine",
    "are you a real person",
    "are you real",
    "are you human",
    "is this a robot",
    "is this a machine",
    "is this a recording",
    "are you a computer",
    "are you an ai",
    "is this a real person",
    "am i talking to a machine",
    "am i talking to a robot",
    "is this ai",
    "am i speaking to a machine",
    "are you a person",
    "am i talking to a person",
    "are you a human",
];
const REPEAT: &[&str] = &[
    "say that again",
    "say it again",
    "repeat",
    "come again",
    "pardon",
    "what was that",
    "what did you say",
    "didnt hear",
    "didnt catch",
    "couldnt hear",
    "cant hear you",
    "one more time",
    "once more",
    "slow down",
    "slower",
    "what do you mean",
    "excuse me what",
    "hard of hearing",
    "say again",
    "sorry what",
    "im sorry what",
    "run that by me",
];
const WAIT: &[&str] = &[
    "hold on",
    "hang on",
    "one moment",
    "one second",
    "just a second",
    "just a moment",
    "just a minute",
    "give me a second",
    "give me a minute",
    "give me a moment",
    "wait a second",
    "wait a minute",
    "bear with me",
    "let me look",
    "let me check",
    "let me find",
    "let me get my",
    "a sec",
    "one minute",
    "need a minute",
];
const GOODBYE: &[&str] = &[
    "goodbye",
    "good bye",
    "bye",
    "bye bye",
    "cheerio",
    "see you",
    "have a good day",
    "have a nice day",
    "thats all",
    "that is all",
    "nothing else",
    "take care",
];
const ON_BEHALF: &[&str] = &[
    "for my mother",
    "for my mom",
    "for my mum",
    "for my father",
    "for my dad",
    "for my husband",
    "for my wife",
    "for my son",
    "for my daughter",
    "for my child",
    "for my partner",
    "for my grandmother",
    "for my grandfather",
    "for my friend",
    "for my neighbor",
    "for my neighbour",
    "for my sister",
    "for my brother",
    "for my boy",
    "for my girl",
    "for my baby",
    "for my aunt",
    "for my uncle",
    "on behalf of",
    "im calling for my",
    "calling about my mother",
    "calling about my husband",
    "calling about my wife",
    "calling about my son",
    "calling about my daughter",
    "calling about my father",
    "my mother needs",
    "my father needs",
    "my husband needs",
    "my wife needs",
    "my son needs",
    "my daughter needs",
    "my mom needs",
    "my mum needs",
    "my dad needs",
    "this is the daughter of",
    "this is the son of",
    "im his wife",
    "im her husband",
    "im her daughter",
    "im his daughter",
    "im her son",
    "im his son",
    "im the carer",
    "i am his wife",
    "i am her husband",
    "my boys got",
];

/// Phrase → intent, the stronger wish first: who wants to cancel speaks of booking, too.
const INTENTS: &[(Intent, &[&str])] = &[
    (
        Intent::Cancel,
        &[
            "cancel",
            "call off",
            "scrub me off",
            "wont be coming",
            "dont need the scan",
            "give up my appointment",
            "take me off",
        ],
    ),
    (
        Intent::Reschedule,
        &[
            "reschedule",
            "move my appointment",
            "change my appointment",
            "swap my",
            "another day for my",
            "postpone",
            "push back my",
            "different time for my",
            "change the date",
            "rearrange",
            "cant make my",
            "cant make it",
            "moving my scan",
        ],
    ),
    (
        Intent::CheckAppointment,
        &[
            "when is my appointment",
            "what time is my",
            "check my appointment",
            "check on my appointment",
            "confirm my appointment",
            "when am i due",
            "im due on",
            "is my appointment",
            "what day is my",
        ],
    ),
    (
        Intent::Results,
        &[
            "my results",
            "the results",
            "my result",
            "test results",
            "my report",
            "the report",
            "results yet",
            "got my pictures",
            "got the pictures",
            "my letter",
        ],
    ),
    (
        Intent::ReportSymptom,
        &[
            "getting worse",
            "got worse",
            "worse this week",
            "new pain",
            "new symptom",
            "new symptoms",
            "new lump",
            "its worse",
            "much worse",
            "become worse",
        ],
    ),
    (
        Intent::Book,
        &[
            "book",
            "schedule",
            "make an appointment",
            "make one appointment",
            "get an appointment",
            "need an appointment",
            "set up",
            "set that up",
            "arrange",
            "sign up for",
            "get in for",
            "appointment for",
            "referred me",
            "doctor ordered",
            "put in for",
            "sent me for",
            "i need a scan",
            "need to get a scan",
            "need a scan",
            "have a referral",
            "get a scan",
        ],
    ),
    (
        Intent::Question,
        &[
            "how much",
            "how long",
            "what does it cost",
            "where do i",
            "where are you",
            "is there parking",
            "do i need to",
            "can i eat",
            "can i drink",
            "should i stop",
            "what time do you",
            "are you open",
            "is it safe",
            "does it hurt",
            "will it hurt",
            "what happens",
            "do i pay",
            "do you bill",
            "insurance",
            "parking",
            "directions",
            "opening hours",
            "is there a bus",
            "how do i get",
            "can i bring",
            "do i have to",
            "what should i wear",
            "does that count",
            "is there somewhere",
        ],
    ),
];

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
    if any(ON_BEHALF) {
        commands.push(Command::OnBehalf);
    }
    let question = any(REPEAT)
        || matches!(&words[..], [word] if word == "what" || word == "sorry" || word == "huh");
    if question {
        commands.push(Command::Repeat);
    }
    if any(WAIT) && words.len() <= WAIT_WORDS_MAX {
        commands.push(Command::Wait);
    }
    if any(GOODBYE) {
        commands.push(Command::Goodbye);
    }
    let answers_itself = matches!(
        expectation,
        Expectation::DayTime | Expectation::Digits | Expectation::DateOfBirth
    );
    let wants = |(_, phrases): &&(Intent, &[&str])| any(phrases);
    if let Some((intent, _)) = INTENTS.iter().find(wants).filter(|_| !answers_itself) {
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
    fn options_are_chosen_by_place_but_dates_are_not_places() {
        assert_eq!(choice("the first one", 2), Some(Command::Choose(0)));
        assert_eq!(choice("I'll take the second", 2), Some(Command::Choose(1)));
        assert_eq!(choice("the last of those", 3), Some(Command::ChooseLast));
        assert_eq!(choice("December first", 2), None);
        assert_eq!(choice("the first of December", 2), None);
        assert_eq!(choice("the third one", 2), None);
    }
}

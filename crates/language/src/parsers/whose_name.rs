//! Two people's names in one breath: "my mother is Ana Reis, R E I S, and I'm Ines, the daughter".

use radline_dialogue::words;

use super::name;

/// Whose name is asked for, where somebody calls for the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Person {
    Caller,
    Patient,
}

/// What a caller says before their own name.
const CALLER: &[&str] =
    &["i'm", "i am", "im", "this is", "my name is", "my own name is", "myself,"];
/// Before the patient's, with or without "name is" behind it.
const PATIENT: &[&str] = &[
    "the patient is",
    "the patient's name is",
    "her name is",
    "his name is",
    "her name's",
    "his name's",
    "she's called",
    "he's called",
    "for my",
    "my mother is",
    "my mom is",
    "my mum is",
    "my father is",
    "my dad is",
    "my wife is",
    "my husband is",
    "my son is",
    "my daughter is",
    "my sister is",
    "my brother is",
    "my aunt is",
    "my uncle is",
    "my grandmother is",
    "my grandfather is",
];

/// What begins another sentence, of which a recogniser does not write the end.
const GOES_ON: &[&str] = &[
    " i should",
    " i have",
    " i got",
    " i want",
    " i need",
    " i can",
    " i just",
    " i do",
    " i was",
];

const OWNERS: &[&str] = &["her", "his", "their", "the"];
const RELATIONS: &[&str] = &[
    "daughter", "son", "wife", "husband", "partner", "sister", "brother", "niece", "nephew",
    "mother", "mom", "mum", "father", "dad", "carer", "guardian",
];

/// The name of the person who was asked about, as [`name::parse`] reads it. What is said of somebody
/// else is left out where the rest holds a whole name.
pub fn parse(text: &str, asked: &str) -> Option<String> {
    let whole = || name::parse(text);
    let Some(person) = asked_about(asked) else { return whole() };
    let parts = parts(text, person);
    let mut told = parts
        .iter()
        .filter(|(of, _)| *of == person)
        .filter_map(|(_, part)| name::parse(&sentence(part)));
    // The last of two tries is the better one, as everywhere.
    let of_them = told.rfind(|name| name.contains(' '));
    of_them.or_else(whole)
}

/// The text as far as the next sentence, without "her daughter".
fn sentence(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let end = GOES_ON.iter().filter_map(|phrase| lower.find(phrase)).min();
    let written: Vec<&str> = text[..end.unwrap_or(text.len())].split_whitespace().collect();
    let plain = |at: usize| words::split(written.get(at).copied().unwrap_or_default()).concat();
    let relates = |at: usize| {
        OWNERS.contains(&plain(at).as_str()) && RELATIONS.contains(&plain(at + 1).as_str())
    };
    let named = (0..written.len()).filter(|at| !relates(*at) && (*at == 0 || !relates(at - 1)));
    named.map(|at| written[at]).collect::<Vec<_>>().join(" ")
}

/// Whose name the question asks for, where it says so.
fn asked_about(asked: &str) -> Option<Person> {
    let asked = words::split(asked);
    let has = |phrase: &str| words::contains(&asked, phrase);
    match (has("your own"), has("patients")) {
        (true, false) => Some(Person::Caller),
        (false, true) => Some(Person::Patient),
        _ => None,
    }
}

/// The text in parts, each of which tells of one person. What comes first is about who was asked.
fn parts(text: &str, asked: Person) -> Vec<(Person, &str)> {
    // Positions are those of the text as it was said, so only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let begins = |at: usize| at == 0 || !lower.as_bytes()[at - 1].is_ascii_alphanumeric();
    let ends =
        |at: usize| lower.as_bytes().get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let marks = |phrases: &'static [&str], person: Person| {
        let lower = &lower;
        phrases
            .iter()
            .flat_map(move |phrase| {
                let found = lower.match_indices(phrase);
                found.map(|(at, _)| at).filter(move |at| begins(*at) && ends(at + phrase.len()))
            })
            .map(move |at| (at, person))
    };
    let mut starts: Vec<(usize, Person)> =
        marks(CALLER, Person::Caller).chain(marks(PATIENT, Person::Patient)).collect();
    starts.push((0, asked));
    starts.sort_unstable_by_key(|(at, _)| *at);
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let parts = starts.iter().zip(ends).map(|((at, person), end)| (*person, &text[*at..end]));
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "Who am I speaking with? Please say your own first and last name.";
    const PATIENTS: &str = "Thank you. And what is the patient's first and last name?";

    #[test]
    fn a_name_is_that_of_the_person_who_was_asked_about() {
        for (said, asked, name) in [
            (
                "celeste amaral, a m a r a l, and i'm rita amaral, the daughter",
                PATIENTS,
                "Celeste Amaral",
            ),
            (
                "my mother is celeste amaral c e l e s t e a m a r a l and i'm rita",
                PATIENTS,
                "Celeste Amaral",
            ),
            ("I'm Rita Amaral. The patient is Celeste Amaral.", PATIENTS, "Celeste Amaral"),
            (
                "i'm her daughter, rita moura, i'm on file to speak for her. my mother is celeste amaral",
                OWN,
                "Rita Moura",
            ),
            ("it's for my mother celeste amaral, this is rita moura", OWN, "Rita Moura"),
            (
                "i'm rita her daughter rita moura i should be on the paperwork. the patient is celeste amaral",
                OWN,
                "Rita Moura",
            ),
            // Nobody else is spoken of, or only half of a name is told.
            ("rita moura", OWN, "Rita Moura"),
            ("i am rita moura", PATIENTS, "Rita Moura"),
            ("her name is celeste amaral", PATIENTS, "Celeste Amaral"),
            ("I'm Rita Moura", "And your name?", "Rita Moura"),
        ] {
            assert_eq!(parse(said, asked).as_deref(), Some(name), "{said}");
        }
    }
}

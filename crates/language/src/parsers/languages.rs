//! Languages other than the line's own.

use radline_dialogue::words::contains;

/// Languages that callers ask for by name.
const LANGUAGES: &[&str] = &[
    "spanish",
    "vietnamese",
    "polish",
    "arabic",
    "mandarin",
    "cantonese",
    "chinese",
    "russian",
    "ukrainian",
    "somali",
    "tagalog",
    "korean",
    "portuguese",
    "urdu",
    "punjabi",
    "bengali",
    "hindi",
    "gujarati",
    "farsi",
    "turkish",
    "creole",
    "french",
    "german",
    "italian",
    "romanian",
    "nepali",
    "amharic",
    "hmong",
    "japanese",
];

/// "I need Vietnamese", "Spanish please", "only Polish": who asks for a language by its name alone.
fn asked_for(words: &[String]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let beside = |at: Option<usize>, list: &[&str]| {
            at.and_then(|at| words.get(at)).is_some_and(|word| list.contains(&word.as_str()))
        };
        LANGUAGES.contains(&word.as_str())
            && (beside(at.checked_sub(1), &["need", "only", "want"])
                || beside(Some(at + 1), &["please", "only"]))
    })
}

/// Another language.
const INTERPRETER: &[&str] = &[
    "need an interpreter",
    "need interpreter",
    "need a interpreter",
    "want interpreter",
    "with interpreter",
    "my english is not",
    "my english not",
    "not speak english",
    "dont speak english",
    "understand english",
    "want an interpreter",
    "interpreter please",
    "get an interpreter",
    "an interpreter for me",
    "no hablo ingles",
    "no hablo inglés",
    "hablo espanol",
    "hablo español",
    "en espanol",
    "en español",
    "no speak english",
    "not speak english",
    "dont speak english",
    "no english",
    "speak spanish",
    "my english is not",
    "my english not good",
];

/// What is said of somebody else who has another language, or of the visit rather than the call.
const FOR_THE_VISIT: &[&str] = &[
    "in the room",
    "on the day",
    "at the appointment",
    "at the scan",
    "at the exam",
    "for the scan",
    "for the exam",
    "for her",
    "for him",
    "for my mother",
    "for my mom",
    "for my mum",
    "for my father",
    "for my dad",
    "for my wife",
    "for my husband",
    "she needs",
    "he needs",
    "she speaks",
    "he speaks",
    "only speaks",
    "speaks only",
    "has no english",
    "doesnt have english",
    "doesnt speak",
];

/// "She has no English, can you get an interpreter for her": asked in English, it is no wish to go on
/// in another language now.
fn is_for_the_visit(words: &[String]) -> bool {
    FOR_THE_VISIT.iter().any(|phrase| contains(words, phrase))
}

/// Whether the caller wants to go on in another language, or with an interpreter.
pub(super) fn is_wanted_now(words: &[String]) -> bool {
    let asked = asked_for(words) || INTERPRETER.iter().any(|phrase| contains(words, phrase));
    asked && !is_for_the_visit(words)
}

#[cfg(test)]
mod tests {
    use radline_dialogue::words::split;

    use super::*;

    #[test]
    fn a_language_is_asked_for_by_its_name() {
        for said in ["I need Vietnamese", "Spanish please", "hello, only Polish, sorry"] {
            assert!(asked_for(&split(said)), "{said}");
        }
        assert!(!asked_for(&split("I had a French lesson")));
    }

    #[test]
    fn an_interpreter_for_somebody_else_is_one_for_the_visit() {
        for said in [
            "she doesn't have English, can you get an interpreter for her",
            "I need an interpreter in the room, my mother only speaks Creole",
        ] {
            assert!(is_for_the_visit(&split(said)), "{said}");
        }
        for said in ["I need an interpreter", "no English, Spanish please"] {
            assert!(!is_for_the_visit(&split(said)), "{said}");
        }
    }
}

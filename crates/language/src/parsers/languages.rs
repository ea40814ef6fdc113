//! Languages other than the line's own.

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
pub(super) fn asked_for(words: &[String]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let beside = |at: Option<usize>, list: &[&str]| {
            at.and_then(|at| words.get(at)).is_some_and(|word| list.contains(&word.as_str()))
        };
        LANGUAGES.contains(&word.as_str())
            && (beside(at.checked_sub(1), &["need", "only", "want"])
                || beside(Some(at + 1), &["please", "only"]))
    })
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
}

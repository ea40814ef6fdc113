//! Yes, no, or not sure. In screening, "not sure" counts as yes, so doubt outranks both.

use radline_dialogue::words::{contains, split};

/// What an answer to a yes/no question means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
    /// The caller cannot say.
    Unsure,
}

const UNSURE: &[&str] = &[
    "not sure",
    "unsure",
    "dont know",
    "do not know",
    "no idea",
    "maybe",
    "might",
    "perhaps",
    "possibly",
    "could be",
    "cant remember",
    "dont remember",
    "cannot remember",
    "not certain",
    "i wonder",
    "hard to say",
    "couldnt say",
    "couldnt tell you",
    "who knows",
    "dunno",
    "havent a clue",
    "no clue",
];
/// Agreement that contains a word of refusal, or sounds like doubt.
const YES_IDIOMS: &[&str] = &[
    "why not",
    "no problem",
    "no worries",
    "no trouble",
    "dont mind",
    "no objection",
    "not a problem",
    "of course",
    "go ahead",
    "thats right",
    "thats correct",
    "thats me",
    "sounds good",
    "thats fine",
    "that works",
    "works for me",
    "you bet",
    "i do",
    "i am",
    "i have",
    "i did",
    "it is",
    "please do",
    "id like that",
    "for sure",
    "all right",
];
const NO_IDIOMS: &[&str] = &[
    "not as far as i know",
    "not that i know",
    "not that im aware",
    "not as far as im aware",
    "not to my knowledge",
    "i dont",
    "i do not",
    "i havent",
    "i have not",
    "im not",
    "i am not",
    "i didnt",
    "it isnt",
    "its not",
    "thats not",
    "thats wrong",
    "not right",
    "not correct",
    "not really",
    "none",
    "never",
    "neither",
    "nothing",
    "not at all",
    "no way",
    "rather not",
    "id prefer not",
    "dont",
    "cant do",
    "not today",
    "wont",
];
const YES_WORDS: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "ya",
    "yah",
    "sure",
    "ok",
    "okay",
    "correct",
    "right",
    "fine",
    "absolutely",
    "definitely",
    "certainly",
    "indeed",
    "aye",
    "alright",
    "perfect",
    "exactly",
    "mhm",
    "uhhuh",
    "si",
    "please",
    "great",
    "shoots",
    "can",
    "affirmative",
    "true",
];
const NO_WORDS: &[&str] =
    &["no", "nope", "nah", "negative", "incorrect", "wrong", "not", "nay", "false"];

/// Reads an answer. `None` when it is neither: a question, a story, something else entirely.
pub fn parse(text: &str) -> Option<YesNo> {
    let words = split(text);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    // "No, not that I know of" is a no; the doubt in it is a manner of speaking.
    if NO_IDIOMS[..5].iter().any(|phrase| contains(&words, phrase)) {
        return Some(YesNo::No);
    }
    // "I don't mind" and "no problem" agree; they come before the words of refusal in them.
    if YES_IDIOMS[..7].iter().any(|phrase| contains(&words, phrase)) {
        return Some(YesNo::Yes);
    }
    if any(UNSURE) {
        return Some(YesNo::Unsure);
    }
    // The first clear word counts: "no, that's fine" declines, "yes, no worries" accepts.
    for (at, word) in words.iter().enumerate().take(4) {
        // "Can, can" agrees where English is spoken that way; "can I …" asks.
        if word == "can" && words.get(at + 1).is_some_and(|next| next != "can") {
            continue;
        }
        if NO_WORDS.contains(&word.as_str()) {
            return Some(YesNo::No);
        }
        if YES_WORDS.contains(&word.as_str()) {
            return Some(YesNo::Yes);
        }
    }
    if any(NO_IDIOMS) {
        return Some(YesNo::No);
    }
    if any(YES_IDIOMS) {
        return Some(YesNo::Yes);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_indirect_answers() {
        use YesNo::{No, Unsure, Yes};
        for (said, expected) in [
            ("Yes.", Some(Yes)),
            ("yeah go on then", Some(Yes)),
            ("no trouble, go and record", Some(Yes)),
            ("I don't mind", Some(Yes)),
            ("can, can", Some(Yes)),
            ("Nope.", Some(No)),
            ("no, that's fine, don't", Some(No)),
            ("not as far as I'm aware", Some(No)),
            ("I'd rather not", Some(No)),
            ("never had one", Some(No)),
            ("I'm not sure", Some(Unsure)),
            ("no idea to be honest", Some(Unsure)),
            ("it could be", Some(Unsure)),
            ("what do you mean by dye", None),
            ("can you say that again", None),
            ("", None),
        ] {
            assert_eq!(parse(said), expected, "{said}");
        }
    }
}

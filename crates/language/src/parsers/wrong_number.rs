//! Somebody picked up who has never heard of the patient.

use radline_dialogue::words::contains;

/// Whoever says so is a stranger.
const STRANGER: &[&str] = &[
    "wrong number",
    "wrong place",
    "wrong house",
    "wrong man",
    "wrong woman",
    "wrong person",
    "wrong fella",
    "wrong guy",
    "never heard of her",
    "never heard of him",
    "never heard of them",
    "never heard of anyone",
    "never heard of anybody",
    "never heard that name",
    "no one called",
    "no one by that name",
    "no one of that name",
    "nobody called",
    "nobody by that name",
    "nobody of that name",
    "nobody here called",
    "no such person",
];

/// And whoever does not know them.
const NOT_KNOWN: &[&str] = &[
    "know the woman",
    "know the man",
    "know the lady",
    "know the person",
    "know that woman",
    "know that man",
    "know that lady",
    "know that person",
    "know anyone called",
    "know anyone by that name",
    "know anybody by that name",
];

/// A name has so many words.
const NAME_WORDS: usize = 3;

/// Whether the words say that the number is another's.
pub(super) fn is_told(words: &[String]) -> bool {
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(words, phrase));
    // "You haven't got the wrong number, it's me".
    if any(&["havent got the wrong", "not the wrong", "isnt the wrong"]) {
        return false;
    }
    // "There's no Beatriz here". Only a call that the clinic makes takes this up, where nobody asks whether there is
    // "no parking here".
    let nobody_here = words.windows(3).enumerate().any(|(at, window)| {
        let begins = window[0] == "theres" || window[0] == "is";
        let name = !NO_NAMES.contains(&window[2].as_str());
        let mut after = words.iter().skip(at + 3).take(NAME_WORDS);
        begins && window[1] == "no" && name && after.any(|word| word == "here")
    });
    nobody_here || any(STRANGER) || any(&["dont", "not", "never", "havent"]) && any(NOT_KNOWN)
}

/// What else there may be none of.
const NO_NAMES: &[&str] =
    &["one", "problem", "need", "reason", "doubt", "way", "trouble", "parking", "point", "more"];

#[cfg(test)]
mod tests {
    use radline_dialogue::words::split;

    use super::*;

    #[test]
    fn strangers_and_whoever_only_is_not_there() {
        for said in [
            "aye, we're not open till twelve. never heard of her, i'm fergal",
            "no, this is fergal, there's no beatriz here",
            "you've the wrong place, love",
            "i couldn't tell you, i don't know the woman",
            "no one by that name lives here",
        ] {
            assert!(is_told(&split(said)), "{said}");
        }
        for said in [
            "she is not here",
            "this is her husband",
            "no, she's at work",
            "who is calling",
            "no, no, it's me here",
            "yes, this is tamsin, there's no one else here",
            "there's no problem, i'm here",
            "no, you haven't got the wrong number, it's me",
            "i've had this number for years, yes, speaking",
        ] {
            assert!(!is_told(&split(said)), "{said}");
        }
    }
}

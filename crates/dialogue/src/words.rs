//! Splits a transcript into plain lower-case words, and finds phrases and numbers among them.

use crate::wording::{NUMBER_NAMES, TEN_NAMES};

/// Lower-case words without punctuation. Hyphens, slashes, commas and dots between digits
/// separate words; apostrophes are dropped, so that "don't" and "dont" are one word.
pub fn split(text: &str) -> Vec<String> {
    let mut cleaned = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        match character {
            '\'' | '’' => {}
            // "10:30" is one word; in "the exam: X-ray" the mark belongs to none.
            ':' => {
                let digit = |at: Option<usize>| {
                    at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit)
                };
                let clock = digit(index.checked_sub(1)) && digit(Some(index + 1));
                cleaned.push(if clock { ':' } else { ' ' });
            }
            // "a.m." is one word, "3.19.1967" is three.
            '.' => {
                let between_letters = index > 0
                    && characters[index - 1].is_alphabetic()
                    && characters.get(index + 1).is_none_or(|next| !next.is_whitespace());
                if !between_letters {
                    cleaned.push(' ');
                }
            }
            _ if character.is_alphanumeric() => cleaned.extend(character.to_lowercase()),
            _ => cleaned.push(' '),
        }
    }
    cleaned.split_whitespace().map(str::to_owned).collect()
}

/// Whether the words contain the phrase, word for word.
pub fn contains(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window.iter().zip(&phrase).all(|(a, b)| a == b))
}

/// Whether the words tell of something that is there: "there are two pins", "I've a clip", "they put a plate in".
pub fn tells_of_something(words: &[String]) -> bool {
    const THERE: &[&[&str]] = &[
        &["theres"],
        &["there", "is"],
        &["there", "are"],
        &["i", "have"],
        &["ive"],
        &["ive", "got"],
        &["i", "got"],
        &["i", "do", "have"],
        &["they", "put"],
        &["they", "put", "in"],
        &["they", "left"],
        &["they", "gave", "me"],
    ];
    const WHAT: &[&str] = &[
        "a", "an", "one", "two", "three", "four", "five", "six", "some", "several", "pins",
        "screws", "plates", "metal", "titanium",
    ];
    THERE.iter().any(|phrase| {
        words.windows(phrase.len() + 1).any(|window| {
            let (said, next) = window.split_at(phrase.len());
            said.iter().eq(phrase.iter()) && next.iter().any(|next| WHAT.contains(&next.as_str()))
        })
    })
}

/// Words shortly before a phrase that deny it.
const DENIALS: &[&str] = &[
    "no", "not", "never", "without", "isnt", "arent", "dont", "doesnt", "didnt", "wasnt", "havent",
    "hasnt", "nothing", "nor", "neither", "denies",
];
/// How many words a denial reaches forward.
const DENIAL_REACH: usize = 4;

/// Whether a denial stands shortly before the word at this position.
pub fn denied(words: &[String], at: usize) -> bool {
    let before = &words[at.saturating_sub(DENIAL_REACH)..at];
    let Some(denial) = before.iter().rposition(|word| DENIALS.contains(&word.as_str())) else {
        return false;
    };
    // "No, just a defibrillator" denies everything but that.
    let excepts = |word: &String| EXCEPTIONS.contains(&word.as_str());
    !before[denial..].iter().any(excepts)
}

/// Words after which a denial denies no more.
pub const EXCEPTIONS: &[&str] =
    &["just", "only", "but", "except", "apart", "besides", "wait", "kidding"];

/// Whether the words contain the phrase at least once without a denial before it.
pub fn asserts(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words
        .windows(phrase.len())
        .enumerate()
        .any(|(at, window)| window.iter().zip(&phrase).all(|(a, b)| a == b) && !denied(words, at))
}

/// Numbers up to 999 in the words, in figures or as they are said: "one twenty six" is 126.
pub fn numbers(words: &[String]) -> Vec<f64> {
    let mut found = Vec::new();
    // Value so far, and whether only ones may follow.
    let mut open: Option<f64> = None;
    let value_of = |word: &String| word.parse::<f64>().ok().or_else(|| spoken_number(word));
    for (at, word) in words.iter().enumerate() {
        let value = value_of(word);
        // "One twenty, one thirty": the second one begins a number of its own.
        let begins = value.is_some_and(|value| value < 10.0)
            && words.get(at + 1).and_then(value_of).is_some_and(|next| next >= 10.0);
        if begins {
            found.extend(open.take());
        }
        match (value, open) {
            (Some(value), Some(before)) if before < 10.0 && (10.0..100.0).contains(&value) => {
                open = Some(before.mul_add(100.0, value));
            }
            (Some(value), Some(before))
                if before % 10.0 == 0.0 && before >= 20.0 && value < 10.0 =>
            {
                open = Some(before + value);
            }
            (Some(value), Some(before))
                if before % 100.0 == 0.0 && before > 0.0 && value < 100.0 =>
            {
                open = Some(before + value);
            }
            (Some(value), _) => {
                found.extend(open.replace(value));
            }
            (None, Some(before)) if word == "hundred" && before < 10.0 => {
                open = Some(before * 100.0);
            }
            (None, None) if word == "hundred" => open = Some(100.0),
            (None, Some(_)) if word == "and" => {}
            (None, _) => found.extend(open.take()),
        }
    }
    found.extend(open);
    found
}

/// 0 to 90 as one word.
pub fn spoken_number(word: &str) -> Option<f64> {
    let ones = NUMBER_NAMES.iter().position(|name| *name == word).map(|value| value as f64);
    ones.or_else(|| Some(TEN_NAMES.iter().position(|name| *name == word)? as f64 * 10.0 + 20.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_goes_and_abbreviations_stay() {
        assert_eq!(split("No, I don't. At 10:30 a.m."), ["no", "i", "dont", "at", "10:30", "am"]);
        assert_eq!(split("3/19/1967"), ["3", "19", "1967"]);
        assert_eq!(split("twenty-three"), ["twenty", "three"]);
    }

    #[test]
    fn numbers_are_read_as_they_are_said() {
        let read = |text: &str| numbers(&split(text));
        assert_eq!(read("this morning one twenty six"), [126.0]);
        assert_eq!(read("a hundred and fifty two"), [152.0]);
        assert_eq!(read("two hundred and ten, sometimes 180"), [210.0, 180.0]);
        assert_eq!(read("mornings one twenty, one thirty"), [120.0, 130.0]);
        assert_eq!(read("three fifty"), [350.0]);
        assert_eq!(read("seventy five kilo"), [75.0]);
    }
}

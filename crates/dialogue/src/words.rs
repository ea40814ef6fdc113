//! Splits a transcript into plain lower-case words.

/// Lower-case words without punctuation. Hyphens, slashes, commas and dots between digits
/// separate words; apostrophes are dropped, so that "don't" and "dont" are one word.
pub fn split(text: &str) -> Vec<String> {
    let mut cleaned = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        match character {
            '\'' | '’' => {}
            ':' => cleaned.push(':'),
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

/// Words shortly before a phrase that deny it.
const DENIALS: &[&str] = &[
    "no", "not", "never", "without", "isnt", "arent", "dont", "doesnt", "didnt", "wasnt", "havent",
    "hasnt", "nothing", "nor", "neither", "denies",
];
/// How many words a denial reaches forward.
const DENIAL_REACH: usize = 4;

/// Whether a denial stands shortly before the word at this position.
pub fn denied(words: &[String], at: usize) -> bool {
    words[at.saturating_sub(DENIAL_REACH)..at].iter().any(|word| DENIALS.contains(&word.as_str()))
}

/// Whether the words contain the phrase at least once without a denial before it.
pub fn asserts(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words
        .windows(phrase.len())
        .enumerate()
        .any(|(at, window)| window.iter().zip(&phrase).all(|(a, b)| a == b) && !denied(words, at))
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
}

//! Cuts a sentence into clauses, so that the caller hears the first one while the next is made, and
//! so that a voice that reads over commas pauses at them.

use std::time::Duration;

use radline_audio::SAMPLE_RATE_HZ;

use crate::MONTHS;

/// Shorter pieces, letters, are not worth a pause; the first one may be, because somebody waits.
const LETTERS_MIN: usize = 14;
const FIRST_LETTERS_MIN: usize = 5;
/// The pause that a comma makes.
const COMMA: Duration = Duration::from_millis(90);
/// The pause that a colon or semicolon makes.
const COLON: Duration = Duration::from_millis(170);
/// A comma before one of these, or before a month, stands inside a phrase and is not spoken.
const JOINED: [&str; 2] = ["please", "too"];

/// The clauses in order, each with its punctuation.
pub fn split(sentence: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut from = 0;
    for (at, mark) in sentence.char_indices() {
        let after = &sentence[at + mark.len_utf8()..];
        if !matches!(mark, ',' | ':' | ';') || !after.starts_with(' ') {
            continue;
        }
        let next = after.split_whitespace().next().unwrap_or_default();
        let next = next.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        let least = if clauses.is_empty() { FIRST_LETTERS_MIN } else { LETTERS_MIN };
        let piece = sentence[from..=at].trim();
        let rest_is_short = after.trim().chars().count() < FIRST_LETTERS_MIN;
        if piece.chars().count() < least
            || JOINED.contains(&next)
            || MONTHS.contains(&next)
            || rest_is_short
        {
            continue;
        }
        clauses.push(piece);
        from = at + 1;
    }
    let last = sentence[from..].trim();
    if !last.is_empty() {
        clauses.push(last);
    }
    clauses
}

/// The silence that follows a clause inside its sentence, 16 kHz samples.
pub fn pause_after(clause: &str) -> usize {
    let pause = if clause.ends_with(',') { COMMA } else { COLON };
    (pause.as_millis() as usize) * SAMPLE_RATE_HZ as usize / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clause_is_short_and_dates_stay_whole() {
        assert_eq!(
            split("So, Jane: MRI of the left knee, on Tuesday, November fourth, at nine."),
            ["So, Jane:", "MRI of the left knee,", "on Tuesday, November fourth,", "at nine."]
        );
        assert_eq!(split("Yes, please."), ["Yes, please."]);
        assert_eq!(split("No comma here."), ["No comma here."]);
        assert_eq!(split("At 10:30, or 1,000 times"), ["At 10:30,", "or 1,000 times"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn a_colon_pauses_longer_than_a_comma() {
        assert!(pause_after("So, Jane:") > pause_after("on Tuesday,"));
    }
}

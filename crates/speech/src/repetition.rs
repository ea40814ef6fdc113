//! Takes out what a small Whisper says twice. On short audio its decoder likes to begin again:
//! "March 19, 1967. March, 1967. March, 1967." A caller who really says a sentence twice means it
//! once, too. Numbers are left alone, because in a telephone number five five five is three digits,
//! unless nobody could have said so many in the time or so much of one over and over.

/// Longest phrase whose repetition is looked for, words.
const PHRASE_MAX: usize = 12;
/// Copies in a row, without punctuation between them, that are a loop.
const COPIES_MIN: usize = 3;
/// The same for a number of few digits: "zero zero zero zero" may end one, six of them do not.
const NUMBER_COPIES_MIN: usize = 6;
/// So many digits in a row are not said three times over.
const LONG_ROUND: usize = 4;

/// More digits in a second than this are not spoken. Of 93 digit strings read out over telephones
/// the fastest held 2.5, of 27 numbers read in an office 3.2.
const DIGITS_PER_SECOND_MAX: f32 = 4.0;

/// The text of `seconds` of audio without sentences that only repeat an earlier one, and without
/// loops.
pub(crate) fn collapse(text: &str, seconds: f32) -> String {
    let text = &one_round(text, seconds);
    let mut kept: Vec<(&str, Vec<String>)> = Vec::new();
    for sentence in text.split_inclusive(['.', '?', '!']) {
        let words = plain(sentence);
        let repeats = words.len() > 1
            && !is_number(&words)
            && kept.iter().any(|(_, earlier)| is_part(&words, earlier));
        // "The first one, please. The": the decoder began again and was stopped.
        let begins_again = !sentence.trim_end().ends_with(['.', '?', '!'])
            && !words.is_empty()
            && kept
                .iter()
                .any(|(_, earlier)| earlier.len() > words.len() && earlier.starts_with(&words));
        if !repeats && !begins_again {
            kept.push((sentence, words));
        }
    }
    let joined: String = kept.into_iter().map(|(sentence, _)| sentence).collect();
    without_loops(&joined)
}

/// The first round of a number that goes round and round faster than anybody speaks.
fn one_round(text: &str, seconds: f32) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits as f32 <= DIGITS_PER_SECOND_MAX * seconds {
        return text.to_owned();
    }
    let original: Vec<&str> = text.split_whitespace().collect();
    let words: Vec<String> = original.iter().map(|word| plain(word).concat()).collect();
    // The last round may be cut off, or go wrong.
    let goes_round = |round: &usize| {
        let same = words.iter().enumerate().filter(|(at, word)| **word == words[at % round]);
        same.count() + round >= words.len()
    };
    let round = (1..=words.len() / 2).find(goes_round).unwrap_or(words.len());
    original[..round].join(" ").trim_end_matches([',', '-']).to_owned()
}

fn plain(text: &str) -> Vec<String> {
    let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    text.split_whitespace()
        .map(|word| letters(word).to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

fn is_number(words: &[String]) -> bool {
    const DIGITS: [&str; 12] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh", "o"];
    words.iter().all(|word| {
        word.bytes().all(|byte| byte.is_ascii_digit()) || DIGITS.contains(&word.as_str())
    })
}

/// Whether the words occur in the longer sentence, in order, perhaps with others between.
fn is_part(words: &[String], longer: &[String]) -> bool {
    let mut rest = longer.iter();
    words.iter().all(|word| rest.any(|other| other == word))
}

fn without_loops(text: &str) -> String {
    let original: Vec<&str> = text.split_whitespace().collect();
    let words: Vec<String> = original.iter().map(|word| plain(word).concat()).collect();
    let (mut result, mut at): (Vec<&str>, usize) = (Vec::new(), 0);
    while at < words.len() {
        let longest = PHRASE_MAX.min((words.len() - at) / COPIES_MIN);
        let found = (1..=longest).find_map(|length| {
            let phrase = &words[at..at + length];
            let copies = words[at..].chunks(length).take_while(|chunk| *chunk == phrase).count();
            (copies >= copies_of_a_loop(phrase)).then_some((length, copies))
        });
        let (length, copies) = found.unwrap_or((1, 1));
        result.extend(&original[at..at + length]);
        at += length * copies;
        if found.is_some() {
            // The loop's last round was cut off by the token limit.
            let phrase = &words[at - length..at];
            let cut = words[at..].iter().zip(phrase).take_while(|(a, b)| a == b).count();
            if at + cut == words.len() {
                at = words.len();
            }
        }
    }
    result.join(" ")
}

/// How many copies of a phrase in a row nobody means.
fn copies_of_a_loop(phrase: &[String]) -> usize {
    let in_word =
        |word: &String| if word.starts_with(|c: char| c.is_ascii_digit()) { word.len() } else { 1 };
    let digits = phrase.iter().map(in_word).sum::<usize>();
    if is_number(phrase) && digits < LONG_ROUND { NUMBER_COPIES_MIN } else { COPIES_MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_sentences_and_loops_go_and_numbers_stay() {
        for (said, expected) in [
            ("March 19, 1967. March, 1967. March, 1967.", "March 19, 1967."),
            ("Yes, that is fine. Yes, that is fine.", "Yes, that is fine."),
            ("What can I do? What can I do? What can I", "What can I do?"),
            ("at the door at the door at the door at the", "at the door"),
            ("555. 555. 0173.", "555. 555. 0173."),
            ("8 0 0 0 0", "8 0 0 0 0"),
            ("9, 6, 1, 2, 1, 1, 1, 1, 1, 1, 1", "9, 6, 1, 2, 1,"),
            ("8, 2, 5, 9, 8, 2, 5, 9, 8, 2, 5, 9, 8, 2", "8, 2, 5, 9,"),
            ("five five five five", "five five five five"),
            ("No. No.", "No. No."),
            ("The first one, please. The", "The first one, please."),
            ("Yes, please. Yes", "Yes, please."),
            ("Yes. No, wait", "Yes. No, wait"),
            ("I have a stent. A stent in my heart.", "I have a stent. A stent in my heart."),
            ("", ""),
        ] {
            assert_eq!(collapse(said, 20.0), expected, "{said}");
        }
    }

    #[test]
    fn nobody_says_so_many_digits_in_a_second() {
        let looped = "527 66 527 66 527 66 527 66 5";
        assert_eq!(collapse(looped, 2.5), "527 66");
        assert_eq!(collapse("150, 150, 150, 150", 1.2), "150");
        assert_eq!(collapse("2 2 6, 2 2 6, 2 2 6, 2 2 2", 1.4), "2 2 6");
        assert_eq!(collapse("555 555 0173", 4.0), "555 555 0173");
    }
}

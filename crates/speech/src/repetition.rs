//! Takes out what a small Whisper says twice. On short audio its decoder likes to begin again:
//! "March 19, 1967. March, 1967. March, 1967." A caller who really says a sentence twice means it
//! once, too. Numbers are left alone: in a telephone number, five five five is three digits.

/// Longest phrase whose repetition is looked for, words.
const PHRASE_MAX: usize = 12;
/// Copies in a row, without punctuation between them, that are a loop.
const COPIES_MIN: usize = 3;

/// The text without sentences that only repeat an earlier one, and without loops.
pub(crate) fn collapse(text: &str) -> String {
    let mut kept: Vec<(&str, Vec<String>)> = Vec::new();
    for sentence in text.split_inclusive(['.', '?', '!']) {
        let words = plain(sentence);
        let repeats = words.len() > 1
            && !is_number(&words)
            && kept.iter().any(|(_, earlier)| is_part(&words, earlier));
        if !repeats {
            kept.push((sentence, words));
        }
    }
    let joined: String = kept.into_iter().map(|(sentence, _)| sentence).collect();
    without_loops(&joined)
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
            let loops = copies >= COPIES_MIN && !is_number(phrase);
            loops.then_some((length, copies))
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
            ("five five five five", "five five five five"),
            ("No. No.", "No. No."),
            ("I have a stent. A stent in my heart.", "I have a stent. A stent in my heart."),
            ("", ""),
        ] {
            assert_eq!(collapse(said), expected, "{said}");
        }
    }
}

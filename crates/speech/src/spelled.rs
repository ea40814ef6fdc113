//! Names and places as they are spelled: the prior that tells "P-A-T-T-E-R-S-O-N" from
//! "B-A-T-T-E-R-S-O-N" on a telephone line.

use std::collections::HashMap;

/// More common words first.
const COMMON: &str = include_str!("../data/spelled.txt");
/// Fewest letters of a word that is compared; shorter ones are near too many others.
const LETTERS_MIN: usize = 4;
/// Log probability of a word of the worklist, whatever it is.
const EXPECTED: f32 = -2.0;
/// Log probability of a word that is in no list.
const UNKNOWN: f32 = -12.0;
/// Most words that are considered in the place of one.
const NEAR_MAX: usize = 4;
/// Letters whose names sound alike on a telephone.
const ALIKE: [&str; 7] = ["BPDTEVGCZ", "FSX", "MN", "AKJH", "IY", "QU", "LO"];

/// Words with how likely they are.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    log_prior: HashMap<String, f32>,
}

impl Words {
    /// The common words.
    pub(crate) fn common() -> Self {
        let words = COMMON.lines().filter(|line| !line.starts_with('#'));
        let prior = |rank: usize| -((rank + 30) as f32).ln();
        let log_prior =
            words.enumerate().map(|(rank, word)| (word.to_uppercase(), prior(rank))).collect();
        Self { log_prior }
    }

    /// Adds words that this site expects, such as the names on its worklist.
    pub(crate) fn expect<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            let letters: String =
                word.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
            if letters.len() >= LETTERS_MIN {
                self.log_prior.insert(letters, EXPECTED);
            }
        }
    }

    /// How likely the word is, without having heard it.
    pub(crate) fn log_prior(&self, letters: &str) -> f32 {
        self.log_prior.get(letters).copied().unwrap_or(UNKNOWN)
    }

    /// Known words that may have been misheard as these letters, the likeliest first.
    pub(crate) fn near(&self, letters: &str) -> Vec<&str> {
        if letters.len() < LETTERS_MIN || self.log_prior.contains_key(letters) {
            return Vec::new();
        }
        let reach = if letters.len() >= 7 { 2.0 } else { 1.0 };
        let mut near: Vec<(f32, &str)> = self
            .log_prior
            .iter()
            .filter(|(word, _)| word.len().abs_diff(letters.len()) <= 1)
            .filter_map(|(word, prior)| {
                let distance = distance(word.as_bytes(), letters.as_bytes());
                (distance <= reach).then_some((prior - 3.0 * distance, word.as_str()))
            })
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        near.into_iter().take(NEAR_MAX).map(|(_, word)| word).collect()
    }
}

/// Letters to change, add or take out; one for a letter that sounds alike counts half.
fn distance(word: &[u8], letters: &[u8]) -> f32 {
    let mut row: Vec<f32> = (0..=letters.len()).map(|index| index as f32).collect();
    for (i, a) in word.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) as f32;
        for (j, b) in letters.iter().enumerate() {
            let change = diagonal + substitution(*a, *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1.0).min(row[j + 1] + 1.0);
        }
    }
    row[letters.len()]
}

fn substitution(a: u8, b: u8) -> f32 {
    let alike = |group: &&str| group.bytes().any(|c| c == a) && group.bytes().any(|c| c == b);
    match (a == b, ALIKE.iter().any(alike)) {
        (true, _) => 0.0,
        (_, true) => 0.5,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misheard_letter_finds_its_name() {
        let words = Words::common();
        assert_eq!(words.near("BATTERSON").first(), Some(&"PATTERSON"));
        assert_eq!(words.near("KAUSMAN").first(), Some(&"KAUFMAN"));
        assert!(words.near("SMITH").is_empty(), "a known word needs no other");
        assert!(words.near("QZX").is_empty());
    }

    #[test]
    fn a_name_on_the_worklist_is_as_likely_as_a_common_one() {
        let mut words = Words::common();
        assert!(words.near("OYELAREN").is_empty());
        words.expect(["Oyelaran"]);
        assert_eq!(words.near("OYELAREN"), ["OYELARAN"]);
        assert!(words.log_prior("OYELARAN") > words.log_prior("SMITH"));
    }
}

//! Whether something was said, by words. A statement of meaning can be judged by words only so
//! far: what is not decided here is for whoever reads the transcript.

use std::collections::BTreeSet;

use radline_dialogue::words;
use serde::Serialize;

/// A verdict by words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Enough of its words were said.
    Said,
    /// Words do not decide it.
    ToRead,
    /// Hardly any of its words were said.
    Missing,
}

/// Words without meaning of their own.
const COMMON: &[&str] = &[
    "that", "the", "and", "for", "with", "this", "from", "not", "was", "are", "has", "have", "had",
    "his", "her", "him", "she", "they", "them", "who", "what", "when", "where", "how", "out",
    "its", "any", "all", "can", "will", "would", "before", "after", "about", "says", "say", "said",
    "site", "record", "agent", "caller", "patient", "least", "example", "now", "one", "then",
    "than", "only",
];
/// Share of a statement's words that make it said, and below which it is missing.
/// A statement with fewer words than this is not missing because none of them was used.
const WORDS_MIN: usize = 4;
const SAID: f64 = 0.6;
const MISSING: f64 = 0.1;

/// Whether the agent said it: everything together counts, as facts may be spread over turns.
pub(super) fn must(item: &str, agent: &[&str]) -> Verdict {
    let few = stems(item).len() < WORDS_MIN;
    match share(item, &agent.join(" ")) {
        share if few && share < SAID => Verdict::ToRead,
        share if share >= SAID => Verdict::Said,
        share if share < MISSING => Verdict::Missing,
        _ => Verdict::ToRead,
    }
}

/// Whether the agent said what it must not. By words this is never certain: at most it is worth
/// reading, unless the item quotes what was said.
pub(super) fn must_not(item: &str, agent: &[&str]) -> Verdict {
    let plain = |text: &str| words::split(text).join(" ");
    let item = plain(item);
    let quoted =
        agent.iter().any(|turn| item.split(' ').count() > 2 && plain(turn).contains(&item));
    if quoted { Verdict::Said } else { Verdict::ToRead }
}

fn share(item: &str, said: &str) -> f64 {
    let wanted = stems(item);
    let found = stems(said);
    let hits = wanted.iter().filter(|word| found.contains(*word)).count();
    hits as f64 / wanted.len().max(1) as f64
}

/// Words that mean something, cut to their beginnings: "booking" and "booked" are one.
fn stems(text: &str) -> BTreeSet<String> {
    words::split(text)
        .into_iter()
        .filter(|word| word.len() > 2 && !COMMON.contains(&word.as_str()))
        .map(|word| word.chars().take(5).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told_from_what_was_not() {
        let agent = ["I am holding Tuesday for you. It is not confirmed yet."];
        assert_eq!(must("that the time is held and not confirmed", &agent), Verdict::ToRead);
        assert_eq!(must("holding Tuesday, not confirmed", &agent), Verdict::Said);
        assert_eq!(must("which desk hands out copies of pictures", &agent), Verdict::Missing);
        assert_eq!(must_not("no news is good news", &["No news is good news!"]), Verdict::Said);
    }
}

//! Days that a caller names because they cannot come: "Wednesdays I'm upstate".

use super::day_time::weekday;

/// Who is busy then.
const WHO: &[&str] = &["i", "im", "ive", "id", "we", "were", "weve", "hes", "shes"];
/// Words that make it a day to come on after all: "Wednesdays I'm off".
const FREE: &[&str] = &[
    "off",
    "free",
    "home",
    "can",
    "could",
    "good",
    "fine",
    "available",
    "open",
    "around",
    "prefer",
    "like",
    "want",
    "would",
    "best",
    "either",
    "ok",
    "okay",
    "easy",
];
/// What somebody has or does on a day, without "on" or "s".
const HELD: &[&[&str]] = &[
    &["i", "have"],
    &["ive", "got"],
    &["i", "got"],
    &["i", "work"],
    &["im", "at"],
    &["im", "in"],
    &["im", "working"],
    &["im", "away"],
    &["i", "teach"],
    &["i", "go"],
    &["i", "do"],
];
/// What comes before the reason for another day.
const BECAUSE: &[&str] = &["because", "cause", "cos", "since"];
/// Words behind the day that are looked at.
const LOOKED_AT: usize = 5;

/// Whether every such day is taken: "Wednesdays I'm upstate", or "Wednesday, because Tuesday and
/// Thursday I have the machine".
pub(super) fn is_busy(words: &[String], at: usize) -> bool {
    let behind = &words[at + 1..];
    // "Tuesday and Thursday I have": what is said of the second is said of both.
    let behind = match behind {
        [and, day, rest @ ..] if and == "and" && weekday(day).is_some() => rest,
        other => other,
    };
    let free = behind.iter().take(LOOKED_AT).any(|word| FREE.contains(&word.as_str()));
    let who = behind.first().is_some_and(|word| WHO.contains(&word.as_str()));
    let holds = HELD
        .iter()
        .any(|held| behind.len() > held.len() && behind.iter().zip(*held).all(|(a, b)| a == b));
    let reason = words[..at].iter().any(|word| BECAUSE.contains(&word.as_str()));
    !free && (words[at].ends_with('s') && who || reason && holds)
}

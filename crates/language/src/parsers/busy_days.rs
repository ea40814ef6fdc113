//! Days that a caller names because they cannot come: "Wednesdays I'm upstate".

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
/// Words behind the day that are looked at.
const LOOKED_AT: usize = 5;

/// Whether every such day is taken. `behind` are the words after it.
pub(super) fn is_busy(day: &str, behind: &[String]) -> bool {
    let who = behind.first().is_some_and(|word| WHO.contains(&word.as_str()));
    let free = behind.iter().take(LOOKED_AT).any(|word| FREE.contains(&word.as_str()));
    day.ends_with('s') && who && !free
}

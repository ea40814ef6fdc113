//! What a corpus holds, for its card: sizes, what is covered, how different the utterances are, and which of
//! them are too near to one that is kept for measuring.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use radline_dialogue::{RedFlag, Scenario, words};

use crate::record::{NO_FLAG, Record};
use crate::walks::WalkedTurn;

/// Share of an utterance's word triples that another one holds which is taken for the same.
const NEAR: f64 = 0.6;
/// Words of an utterance that is told apart by its triples; shorter ones are what everybody says.
const TELLING_WORDS: usize = 6;

/// Utterances that nothing may be trained on.
#[derive(Debug, Default)]
pub struct Kept {
    triples: Vec<HashSet<[String; 3]>>,
}

impl Kept {
    /// Those of some records.
    pub fn new<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        Self { triples: records.map(|record| triples(&record.said)).collect() }
    }

    /// Whether an utterance is one of them, or near to one.
    pub fn holds(&self, said: &str) -> bool {
        let said = triples(said);
        let least = (said.len() as f64 * NEAR).ceil() as usize;
        !said.is_empty()
            && self.triples.iter().any(|kept| kept.intersection(&said).count() >= least)
    }
}

/// The word triples of an utterance that is long enough to be somebody's own.
fn triples(said: &str) -> HashSet<[String; 3]> {
    let words = words::split(said);
    if words.len() < TELLING_WORDS {
        return HashSet::new();
    }
    words.windows(3).filter_map(|window| <[String; 3]>::try_from(window.to_vec()).ok()).collect()
}

/// Whether an utterance belongs to the part that is kept for measuring: one in ten, by its words, so that
/// it belongs there in every walk.
pub fn is_held(record: &Record) -> bool {
    /// FNV-1a, which is the same on every machine.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let text = words::split(&record.said).join(" ");
    let mixed = text.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    mixed.is_multiple_of(10)
}

/// The card of a corpus, in Markdown.
pub fn card(scenario: &Scenario, turns: &[WalkedTurn]) -> String {
    let mut card = String::new();
    let calls: BTreeSet<usize> = turns.iter().map(|turn| turn.call).collect();
    let said: BTreeSet<&str> = turns.iter().map(|turn| turn.record.said.as_str()).collect();
    let rows = [
        ("calls", calls.len()),
        ("turns", turns.len()),
        ("different utterances", said.len()),
        ("different words", distinct(turns, 1).0),
        ("different triples of words, in a hundred", percent(distinct(turns, 3))),
    ];
    table(&mut card, "What it holds", "number", rows.iter().map(|row| (row.0.to_owned(), row.1)));
    let by = |key: &dyn Fn(&WalkedTurn) -> &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for turn in turns {
            *counts.entry(key(turn).to_owned()).or_default() += 1;
        }
        counts
    };
    let mut states = by(&|turn| &turn.state);
    for (name, state) in &scenario.states {
        if state.expects.is_some() || state.screening.is_some() {
            states.entry(name.clone()).or_default();
        }
    }
    let mut classes = by(&|turn| &turn.record.red_flag);
    for class in RedFlag::ALL {
        classes.entry(class.key().to_owned()).or_default();
    }
    classes.remove(NO_FLAG);
    table(&mut card, "Acts", "turns", by(&|turn| &turn.record.intent));
    table(&mut card, "Dangers", "turns", classes);
    table(&mut card, "What was asked (state)", "turns", states);
    card
}

fn table(
    card: &mut String,
    title: &str,
    unit: &str,
    rows: impl IntoIterator<Item = (String, usize)>,
) {
    // Writing to a string does not fail.
    write!(card, "| {title} | {unit} |\n|---|---|\n").unwrap_or_default();
    for (what, count) in rows {
        writeln!(card, "| {what} | {count} |").unwrap_or_default();
    }
    card.push('\n');
}

/// Different runs of so many words, and how many there are in all.
fn distinct(turns: &[WalkedTurn], length: usize) -> (usize, usize) {
    let (mut different, mut all) = (HashSet::new(), 0);
    for turn in turns {
        for run in words::split(&turn.record.said).windows(length) {
            different.insert(run.join(" "));
            all += 1;
        }
    }
    (different.len(), all)
}

const fn percent((part, all): (usize, usize)) -> usize {
    match (100 * part).checked_div(all) {
        Some(share) => share,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(said: &str) -> Record {
        let text = serde_json::json!({"expects": "open", "said": said, "red_flag": "none"});
        serde_json::from_value(text).expect("a record")
    }

    #[test]
    fn what_is_kept_for_measuring_is_known_again() {
        let test = [record("i would like to move my knee scan to a friday if i may")];
        let kept = Kept::new(test.iter());
        assert!(kept.holds("um I would like to move my knee scan to a Friday, if I may"));
        assert!(!kept.holds("i would like to book a scan of my shoulder for my mother"));
        // What everybody says is nobody's own.
        assert!(!Kept::new([record("yes please")].iter()).holds("yes please"));
    }

    #[test]
    fn one_in_ten_is_held_back_whatever_its_marks() {
        let of = |number: usize| record(&format!("caller number {number} says something"));
        let held = (0..2000).filter(|number| is_held(&of(*number))).count();
        assert!((150..250).contains(&held), "{held}");
        assert_eq!(is_held(&record("Yes, that's me.")), is_held(&record("yes thats me")));
    }
}

//! Mutations of every approved text of the demonstration site: each is blocked, each text passes as
//! it is.

use std::path::Path;

use radline_language::verifier::verify;

/// Word → another one that a careless model could put there.
const SWAPS: &[(&str, &str)] = &[
    ("one", "two"),
    ("two", "three"),
    ("three", "four"),
    ("four", "six"),
    ("six", "four"),
    ("eight", "six"),
    ("ten", "twelve"),
    ("fifteen", "fifty"),
    ("thirty", "thirteen"),
    ("hundred", "thousand"),
    ("hours", "minutes"),
    ("hour", "day"),
    ("minutes", "hours"),
    ("days", "weeks"),
    ("metformin", "insulin"),
    ("insulin", "metformin"),
    ("water", "water, no"),
    ("not", "surely"),
    ("no", "some"),
    ("nothing", "something"),
    ("only", "also"),
    ("before", "after"),
    ("after", "before"),
    ("until", "from"),
    ("Monday", "Sunday"),
    ("Friday", "Saturday"),
    ("Maple", "Chestnut"),
    ("Thanksgiving", "Easter"),
    ("Christmas", "Easter"),
    ("cannot", "can"),
    ("without", "with"),
    ("morning", "evening"),
    ("dollars", "euros"),
    ("contrast", "sedative"),
    ("never", "always"),
    ("stop", "start"),
];
/// What a careless model could add.
const ADDITIONS: &[&str] = &[
    "It takes ninety minutes.",
    "Do not take your metformin.",
    "It is safe.",
    "Ask for Doctor Blackwood.",
    "Come on Sunday.",
    "You can stop your aspirin.",
];

fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sites/demo-hospital");
    let mut texts = Vec::new();
    for (file, table, keys) in [
        ("knowledge.toml", "record", &["text"][..]),
        ("preparation.toml", "instruction", &["general"][..]),
    ] {
        let text = std::fs::read_to_string(folder.join(file)).expect("there");
        let value: toml::Table = toml::from_str(&text).expect("reads");
        for record in value[table].as_array().expect("a list") {
            texts.extend(keys.iter().filter_map(|key| record[*key].as_str()).map(str::to_owned));
        }
    }
    texts
}

/// Every place where the word stands by itself, with the other word in it.
fn swapped(text: &str, from: &str, to: &str) -> Vec<String> {
    let bounded = |at: usize| {
        let letter = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        !letter(text[..at].chars().next_back()) && !letter(text[at + from.len()..].chars().next())
    };
    text.match_indices(from)
        .filter(|(at, _)| bounded(*at))
        .map(|(at, _)| format!("{}{to}{}", &text[..at], &text[at + from.len()..]))
        .collect()
}

#[test]
fn every_mutation_of_every_approved_text_is_blocked() {
    let mut mutations = 0;
    for text in texts() {
        assert_eq!(verify(&text, &[&text]), Ok(()), "{text}");
        for (from, to) in SWAPS {
            for draft in swapped(&text, from, to) {
                mutations += 1;
                assert!(verify(&draft, &[&text]).is_err(), "passed: {draft}");
            }
        }
        for addition in ADDITIONS {
            mutations += 1;
            let draft = format!("{text} {addition}");
            assert!(verify(&draft, &[&text]).is_err(), "passed: {draft}");
        }
    }
    assert!(mutations >= 600, "only {mutations} mutations");
}

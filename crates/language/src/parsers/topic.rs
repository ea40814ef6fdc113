//! What a question is about: phrases for each topic that a site may have a record on. The lexicon is
//! data (`data/topics.en.toml`).

use std::sync::OnceLock;

use radline_dialogue::words::{contains, split};
use radline_dialogue::{Command, Expectation, Intent};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lexicon {
    asking: Vec<String>,
    asking_beside: Vec<String>,
    preparation: Vec<String>,
    topic: Vec<Topic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    name: String,
    #[serde(default)]
    plain: bool,
    phrases: Vec<String>,
}

fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| {
        toml::from_str(include_str!("../../data/topics.en.toml"))
            .expect("the compiled-in lexicon is read by a test")
    })
}

/// "I have a question": which one is still to be told.
pub const ANNOUNCED: &str = "announced";

/// Most words of a sentence that is still one question. A story with the word "park" in it is none.
const WORDS_MAX: usize = 45;

/// The topics that the words ask about, in the order of the table, at most two.
pub fn parse(text: &str, expectation: Expectation) -> Vec<Command> {
    let words = split(text);
    let lexicon = lexicon();
    let any = |phrases: &[String]| phrases.iter().any(|phrase| contains(&words, phrase));
    let closed = matches!(
        expectation,
        Expectation::Name | Expectation::DateOfBirth | Expectation::Digits | Expectation::Choice
    );
    let open = expectation == Expectation::Open;
    let asking = if open { &lexicon.asking } else { &lexicon.asking_beside };
    let asks = text.contains('?') || asking.iter().any(|phrase| asks_with(&words, phrase));
    // Where anything may be said, a bare "parking" is a question, too.
    let bare = open && words.len() <= 4;
    if words.len() > WORDS_MAX || (closed && words.len() < 4) {
        return Vec::new();
    }
    let asked = lexicon
        .topic
        .iter()
        .filter(|topic| (asks || bare || open && topic.plain) && any(&topic.phrases));
    let mut topics: Vec<&str> = asked.map(|topic| topic.name.as_str()).collect();
    // What is asked about one drug is not a question about drugs.
    let drug = ["metformin", "insulin", "blood_thinner", "sedation"];
    if topics.iter().any(|topic| drug.contains(topic)) {
        topics.retain(|topic| !["medication", "fasting", "water"].contains(topic));
    }
    // Whoever asks what a result means, or whether an exam is needed, is told that first and nothing
    // beside it. "If I skip it, is that bad" is about no result.
    for alone in ["still_needed", "results_meaning"] {
        if topics.contains(&alone) {
            topics = vec![alone];
        }
    }
    // A question that is asked is more than one that is announced.
    if topics.len() > 1 || !open {
        topics.retain(|topic| *topic != ANNOUNCED);
    }
    topics.truncate(2);
    topics.into_iter().map(|topic| Command::Ask(topic.to_owned())).collect()
}

/// Whether the words ask with the phrase. "The one where they put the dye in your arm" tells which.
fn asks_with(words: &[String], phrase: &str) -> bool {
    const TELLING: [&str; 8] = ["one", "ones", "kind", "sort", "place", "time", "day", "thing"];
    const RELATIVE: [&str; 5] = ["where", "when", "which", "who", "what"];
    let phrase = split(phrase);
    words.windows(phrase.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).map(|before| words[before].as_str());
        let tells = RELATIVE.contains(&window[0].as_str())
            && before.is_some_and(|before| TELLING.contains(&before));
        window == phrase && !tells
    })
}

/// The wish behind a topic, where no other was heard.
pub fn intent(topic: &str) -> Intent {
    match topic {
        "results_time" => Intent::Results,
        topic if lexicon().preparation.iter().any(|held| held == topic) => Intent::Prepare,
        _ => Intent::Question,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(text: &str, expectation: Expectation) -> Vec<String> {
        let commands = parse(text, expectation).into_iter();
        commands
            .filter_map(|command| match command {
                Command::Ask(topic) => Some(topic),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn questions_have_topics() {
        for (said, topic) in [
            ("where do I park", "parking"),
            ("my metformin, on Wednesday morning I take it or I leave it", "metformin"),
            ("five days, that must mean they find something, not so", "results_meaning"),
            ("is there something to do before, my coworker says no deodorant", "clothing"),
            ("so when will they tell me, and who", "results_time"),
            ("can I have breakfast before the scan?", "fasting"),
        ] {
            assert_eq!(
                topics(said, Expectation::Open).first().map(String::as_str),
                Some(topic),
                "{said}"
            );
        }
    }

    #[test]
    fn answers_are_no_questions() {
        assert!(topics("Parker", Expectation::Name).is_empty());
        assert!(topics("I took my insulin and parked the car", Expectation::YesNo).is_empty());
        assert!(topics("no, I drink plenty of water", Expectation::YesNo).is_empty());
    }
}

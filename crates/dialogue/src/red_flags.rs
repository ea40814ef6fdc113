//! Red flags: words that may mean danger, looked for on every turn before anything else decides.
//!
//! The lexicon is data (`data/red_flags.en.toml`). It errs on the side of a false alarm, because
//! a missed emergency costs more than a needless "please call 911". What it must not do is take
//! history, a denial, or a question about risks for an emergency: a line that cries wolf at every
//! cancer story is switched off.

use serde::{Deserialize, Serialize};

use crate::words;

/// What kind of danger. The order is the order of urgency: where two fit, the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedFlag {
    /// Airway, breathing, circulation, stroke signs, overdose.
    LifeThreat,
    /// A wish, plan or hint to harm oneself.
    SelfHarm,
    /// A reaction after contrast.
    ContrastReaction,
    /// Trouble after a biopsy or another procedure.
    PostProcedure,
    /// Metal or an implant at or in the magnet.
    MrHazard,
    /// Someone is harmed by another person.
    Abuse,
}

impl RedFlag {
    /// Every class, most urgent first.
    pub const ALL: [Self; 6] = [
        Self::LifeThreat,
        Self::SelfHarm,
        Self::ContrastReaction,
        Self::PostProcedure,
        Self::MrHazard,
        Self::Abuse,
    ];

    /// Name in data files and records.
    pub const fn key(self) -> &'static str {
        match self {
            Self::LifeThreat => "life_threat",
            Self::SelfHarm => "self_harm",
            Self::ContrastReaction => "contrast_reaction",
            Self::PostProcedure => "post_procedure",
            Self::MrHazard => "mr_hazard",
            Self::Abuse => "abuse",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lexicon {
    class: Vec<Class>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: RedFlag,
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// One phrase of each list has to be there.
    together: Vec<Vec<Phrase>>,
    #[serde(default = "default_within")]
    within: usize,
    #[serde(default)]
    unless: Vec<Phrase>,
    #[serde(default)]
    firm: bool,
}

const fn default_within() -> usize {
    8
}

/// A phrase, prepared for matching: lower-case words, each with or without an open ending.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Phrase(Vec<(String, bool)>);

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        let word = |word: &str| match word.strip_suffix('*') {
            Some(stem) => words::split(stem).into_iter().map(|part| (part, true)).collect(),
            None => words::split(word).into_iter().map(|part| (part, false)).collect::<Vec<_>>(),
        };
        Self(text.split_whitespace().flat_map(word).collect())
    }
}

impl Phrase {
    /// Where the phrase stands in the words.
    fn positions<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = usize> + 'a {
        words.windows(self.0.len().max(1)).enumerate().filter_map(|(at, window)| {
            let fits = window.iter().zip(&self.0).all(|(word, (stem, open))| {
                if *open { word.starts_with(stem.as_str()) } else { word == stem }
            });
            fits.then_some(at)
        })
    }

    fn occurs(&self, words: &[String]) -> bool {
        self.positions(words).next().is_some()
    }
}

/// Phrases that make the utterance a story about the past.
const HISTORY: &[&str] = &[
    "years ago",
    "year ago",
    "years back",
    "years since",
    "months ago",
    "a while back",
    "as a teenager",
    "as a child",
    "when i was",
    "in the past",
    "long ago",
    "last year",
    "last winter",
    "last summer",
    "in summer",
    "same as always",
    "for years",
    "same for years",
    "ages ago",
    "history of",
    "used to have",
    "way back",
    "cleared me",
    "years now",
    "its not come back",
    "since nineteen",
    "since two thousand",
    "passed away",
    "passed on",
    "lost my",
    "in june",
    "in may",
    "in july",
];
/// Openings that ask about a risk instead of telling of an event.
const QUESTIONS: &[&str] = &[
    "what if",
    "if i get",
    "if i come",
    "will it",
    "will the",
    "will i",
    "would it",
    "could it",
    "can it",
    "does it",
    "does the",
    "is there a risk",
    "whats the risk",
    "whats the chance",
    "chance of",
    "risk of",
    "side effects",
    "has anyone ever",
    "in case",
    "should i get",
    "do people",
];

/// The lexicon, ready to be asked. Build once, share.
#[derive(Debug)]
pub struct RedFlags {
    lexicon: Lexicon,
}

impl RedFlags {
    /// The English lexicon that comes with Radline.
    ///
    /// # Panics
    /// Never: the file is compiled in and read by a test.
    pub fn english() -> Self {
        let lexicon = toml::from_str(include_str!("../data/red_flags.en.toml"))
            .expect("the compiled-in lexicon is read by a test");
        Self { lexicon }
    }

    /// The most urgent danger that the words speak of.
    pub fn find(&self, text: &str) -> Option<RedFlag> {
        let words = words::split(text);
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| words::contains(&words, phrase));
        let (history, question) = (has(HISTORY), has(QUESTIONS));
        self.lexicon
            .class
            .iter()
            .filter(|class| {
                class
                    .rule
                    .iter()
                    .any(|rule| (rule.firm || !(history || question)) && rule.fires(&words))
            })
            .map(|class| class.name)
            .min()
    }
}

impl Rule {
    fn fires(&self, words: &[String]) -> bool {
        if self.unless.iter().any(|phrase| phrase.occurs(words)) {
            return false;
        }
        let Some((first, others)) = self.together.split_first() else { return false };
        first.iter().any(|phrase| {
            phrase.positions(words).any(|at| {
                let (from, to) = (at.saturating_sub(self.within), at + self.within);
                // "can't" belongs to the phrase itself; what stands before it may deny it.
                (self.firm || !words::denied(words, at))
                    && others.iter().all(|list| {
                        list.iter().any(|other| {
                            other.positions(words).any(|there| {
                                (from..=to).contains(&there)
                                    && (self.firm || !words::denied(words, there))
                            })
                        })
                    })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Option<RedFlag> {
        RedFlags::english().find(text)
    }

    #[test]
    fn dangers_are_found_in_everyday_words() {
        assert_eq!(find("I have this pain in my chest right now"), Some(RedFlag::LifeThreat));
        assert_eq!(find("my husband can't breathe"), Some(RedFlag::LifeThreat));
        assert_eq!(find("I don't want to live any more"), Some(RedFlag::SelfHarm));
        assert_eq!(
            find("I had the contrast this morning and now there are hives all over"),
            Some(RedFlag::ContrastReaction)
        );
        assert_eq!(find("since the biopsy I have a fever"), Some(RedFlag::PostProcedure));
        assert_eq!(
            find("I'm in the changing room for the MRI and I forgot my pacemaker"),
            Some(RedFlag::MrHazard)
        );
        assert_eq!(find("he hits me when I go out"), Some(RedFlag::Abuse));
    }

    #[test]
    fn denial_history_and_questions_are_not_dangers() {
        for text in [
            "no chest pain, nothing like that",
            "I had chest pain years ago",
            "will the contrast make my throat swell",
            "I need a chest X-ray",
            "my dad had a stroke years ago",
            "the parking will kill me",
            "hives in 1992, years ago, after the dye",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn the_more_urgent_class_wins() {
        let text = "after the dye my throat is closing and there's a rash";
        assert_eq!(find(text), Some(RedFlag::LifeThreat));
    }
}

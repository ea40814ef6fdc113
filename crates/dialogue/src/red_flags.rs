//! Red flags: words that may mean danger, looked for on every turn before anything else decides.
//!
//! A lexicon, or a reader that learned from labelled utterances: either raises the flag.
//!
//! The lexicon is data (`data/red_flags.en.toml`). It errs on the side of a false alarm, because
//! a missed emergency costs more than a needless "please call 911". What it must not do is take
//! history, a denial, or a question about risks for an emergency: a line that cries wolf at every
//! cancer story is switched off.

use serde::{Deserialize, Serialize};

use crate::linear::{LinearModel, features};
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
    /// What people hint at and seldom say: whoever is asked about it for nothing is hurt by it.
    pub const fn is_delicate(self) -> bool {
        matches!(self, Self::SelfHarm | Self::Abuse)
    }

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
    "years now",
    "months ago",
    "a while back",
    "as a teenager",
    "as a child",
    "as a kid",
    "as a baby",
    "when i was",
    "when she was",
    "when he was",
    "in the past",
    "long ago",
    "ages ago",
    "last year",
    "last winter",
    "last spring",
    "last summer",
    "last autumn",
    "in summer",
    "same as always",
    "for years",
    "same for years",
    "history of",
    "used to",
    "way back",
    "back in",
    "last time",
    "the time before",
    "once when",
    "once before",
    "cleared me",
    "its not come back",
    "passed away",
    "passed on",
    "lost my",
    "we lost",
    "took her life",
    "took his life",
    "in march",
    "in april",
    "in may",
    "in june",
    "in july",
    "in two thousand",
    "since two thousand",
    "in nineteen",
    "since nineteen",
    "in twenty twelve",
];
/// Words that bring a story back to the present: "a stroke years ago, and this morning …".
const NOW: &[&str] = &[
    "right now",
    "again today",
    "today",
    "this morning",
    "tonight",
    "this minute",
    "minutes ago",
    "an hour ago",
    "hours ago",
    "just started",
    "happening",
];
/// Openings that ask about a risk instead of telling of an event.
const QUESTIONS: &[&str] = &[
    "what if",
    "what happens if",
    "if i get",
    "if i come",
    "will it",
    "will the",
    "will i",
    "would it",
    "would i",
    "could it",
    "could the",
    "could i get",
    "can it",
    "can the",
    "can a",
    "can you get",
    "can someone",
    "does it",
    "does the",
    "does anyone",
    "do they",
    "do you get",
    "do people",
    "is it normal",
    "is it true",
    "is there a risk",
    "whats the risk",
    "whats the chance",
    "what are the chances",
    "how likely",
    "chance of",
    "risk of",
    "side effects",
    "ever cause",
    "has anyone ever",
    "someone got",
    "in case",
    "should i get",
];

/// Danger that a classifier elsewhere takes words for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    /// The likeliest danger.
    pub class: RedFlag,
    /// How likely there is any, in thousandths.
    pub permille: u16,
    /// Whether two readers have weighed it, who both know the question. One alone is not believed in stories of the
    /// past, questions, denials and idioms.
    pub seconded: bool,
}

/// The lexicon, ready to be asked. Build once, share.
#[derive(Debug)]
pub struct RedFlags {
    lexicon: Lexicon,
    /// Whether there is danger, and then, in the order of [`RedFlag::ALL`], which.
    reader: Vec<LinearModel>,
}

/// The reader raises a flag from this probability on. Chosen on utterances that it was not trained on
/// (BENCHMARKS.md, red flags): a lower one adds as many false alarms as emergencies.
const RAISED: f32 = 0.4;
/// A classifier's suspicion raises a flag when danger is as likely as not. A lower bound found one indirect
/// emergency in fifty more and as many false alarms (BENCHMARKS.md, red flags).
pub const RAISED_PERMILLE: u16 = 500;
/// The same for what people hint at and seldom say: whoever is asked about it for nothing is hurt by it.
const RAISED_DELICATE_PERMILLE: u16 = 700;
/// A classifier that takes danger for less likely than this silences the small reader, thousandths. On the blind
/// utterances it takes away one false alarm in eight, and one find in a hundred.
const UNLIKELY_PERMILLE: u16 = 100;
/// From this probability on a second reader has a look. Taken without trying others.
const SUSPECTED: f32 = 0.15;
/// Ways of speaking of fear, waiting and impatience. They hold the words of danger and none of it;
/// where one stands, only the lexicon is believed.
const IDIOMS: &[&str] = &[
    "killing me",
    "kill me if",
    "kills me",
    "dying to",
    "to death",
    "heart jump",
    "heart jumps",
    "heart attack when",
    "nearly gave me",
    "not knowing",
    "the waiting",
    "waiting for",
    "worried sick",
    "scared stiff",
    "bite my head",
    "bite their head",
    "drop dead",
    "over my dead body",
    "shoot me",
    "nervous wreck",
    "wasted",
];
/// Who says that nothing has changed tells of no danger; only the lexicon is believed then.
const UNCHANGED: &[&str] = &[
    "unchanged",
    "no change",
    "not changed",
    "same as before",
    "same as ever",
    "move normally",
    "feel normally",
    "as it was",
];
/// Shorter utterances hold too little to be read without the lexicon.
const READ_WORDS_MIN: usize = 6;

impl RedFlags {
    /// The English lexicon that comes with Radline.
    ///
    /// # Panics
    /// Never: the file is compiled in and read by a test.
    pub fn english() -> Self {
        let lexicon = toml::from_str(include_str!("../data/red_flags.en.toml"))
            .expect("the compiled-in lexicon is read by a test");
        let reader = LinearModel::all_from_bytes(include_bytes!("../data/red_flags.en.model"))
            .expect("a test reads the compiled-in model");
        Self { lexicon, reader }
    }

    /// The most urgent danger that the words speak of.
    pub fn find(&self, text: &str) -> Option<RedFlag> {
        self.find_in_answer(text, false)
    }

    /// The same in the answer to a question. Where it asked about the past ("Have you ever had a
    /// reaction?"), the answer tells of the past unless it says otherwise.
    pub fn find_in_answer(&self, text: &str, about_the_past: bool) -> Option<RedFlag> {
        self.find_with(text, about_the_past, None)
    }

    /// The same, with what a classifier takes the words for.
    pub fn find_with(
        &self,
        text: &str,
        about_the_past: bool,
        suspicion: Option<Suspicion>,
    ) -> Option<RedFlag> {
        let Look { known, unread, past } = self.look(text, about_the_past);
        // Single words make the small reader sure; who has read the whole sentence may know that it is none.
        let unlikely = suspicion.is_some_and(|suspicion| suspicion.permille < UNLIKELY_PERMILLE);
        let unread_by_words = unread || unlikely;
        let read = || self.read(text).filter(|(_, likely)| !unread_by_words && *likely >= RAISED);
        let raised = |suspicion: &Suspicion| {
            let delicate = suspicion.class.is_delicate();
            let least = if delicate { RAISED_DELICATE_PERMILLE } else { RAISED_PERMILLE };
            let apart = if suspicion.seconded { past } else { unread };
            !apart && suspicion.permille >= least
        };
        let suspected = suspicion.filter(raised).map(|suspicion| suspicion.class);
        // Of two readers the one that knows the question tells which danger it is.
        known.or(suspected).or_else(|| read().map(|(flag, _)| flag))
    }

    /// What the lexicon alone finds: dangers that are named, and nothing between the words.
    pub fn named(&self, text: &str, about_the_past: bool) -> Option<RedFlag> {
        self.look(text, about_the_past).known
    }

    /// What is too unlikely to raise a flag by itself, and likely enough that a second reader should
    /// have a look.
    pub fn suspicion(&self, text: &str, about_the_past: bool) -> Option<RedFlag> {
        let Look { known, unread, .. } = self.look(text, about_the_past);
        let read = self.read(text).filter(|(_, likely)| !unread && *likely >= SUSPECTED);
        read.map(|(flag, _)| flag).filter(|_| known.is_none())
    }

    fn look(&self, text: &str, about_the_past: bool) -> Look {
        let words = words::split(text);
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| words::contains(&words, phrase));
        let now = has(NOW);
        let history = (about_the_past || has(HISTORY) || names_a_past_year(&words)) && !now;
        let question = has(QUESTIONS);
        let known = self
            .lexicon
            .class
            .iter()
            .filter(|class| {
                class
                    .rule
                    .iter()
                    .any(|rule| (rule.firm || !(history || question)) && rule.fires(&words))
            })
            .map(|class| class.name)
            .min();
        // What the lexicon does not know may still be heard between the words; stories of the past
        // and questions are left to the lexicon, because there everything sounds like danger.
        // "No, I'm going to try and rest" denies what was asked.
        let denies = matches!(words.first().map(String::as_str), Some("no" | "nope" | "nah"));
        let short = words.len() < READ_WORDS_MIN;
        let unread = history || question || denies || short || has(IDIOMS) || has(UNCHANGED);
        Look { known, unread, past: about_the_past && !now }
    }

    /// What the reader makes of the words, and how likely it is that they are about danger.
    fn read(&self, text: &str) -> Option<(RedFlag, f32)> {
        let slots = features(text);
        let (danger, classes) = self.reader.split_first()?;
        let likely = danger.of_features(&slots);
        let scores = classes.iter().map(|class| class.of_features(&slots));
        let best = RedFlag::ALL.into_iter().zip(scores).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((best.0, likely))
    }
}

/// What the lexicon makes of words.
struct Look {
    /// The most urgent danger that they name.
    known: Option<RedFlag>,
    /// They are none for a reader who is alone.
    unread: bool,
    /// They answer a question about the past, and tell of nothing that happens now.
    past: bool,
}

/// "In 1992", "since 2004".
fn names_a_past_year(words: &[String]) -> bool {
    let is_year = |word: &str| {
        word.len() == 4
            && (word.starts_with("19") || word.starts_with("20"))
            && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words.windows(2).any(|pair| matches!(pair[0].as_str(), "in" | "since") && is_year(&pair[1]))
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
    fn a_story_about_the_past_may_come_back_to_the_present() {
        let text = "I had a stroke in 2004 and this morning my face dropped on one side";
        assert_eq!(find(text), Some(RedFlag::LifeThreat));
        assert_eq!(find("I had a heart attack in 2009 and I've got a stent"), None);
    }

    #[test]
    fn what_a_classifier_takes_for_danger_is_under_the_same_restraint() {
        let flags = RedFlags::english();
        let sure = Some(Suspicion { class: RedFlag::SelfHarm, permille: 900, seconded: false });
        let words = "the boxes are all in the hall with a name on each of them";
        assert_eq!(flags.find_with(words, false, None), None);
        assert_eq!(flags.find_with(words, false, sure), Some(RedFlag::SelfHarm));
        assert_eq!(flags.find_with(words, true, sure), None, "a story of the past");
        assert_eq!(flags.find_with("would it hurt if i move the boxes", false, sure), None);
        let both = Some(Suspicion { class: RedFlag::SelfHarm, permille: 900, seconded: true });
        let asks = "would it hurt if i move the boxes";
        assert_eq!(flags.find_with(asks, false, both), Some(RedFlag::SelfHarm));
        assert_eq!(flags.find_with(words, true, both), None, "asked about the past");
        let present = "yes, and right now everything is going grey and heavy on me";
        assert_eq!(flags.find_with(present, true, both), Some(RedFlag::SelfHarm));
        let unsure = Some(Suspicion { class: RedFlag::SelfHarm, permille: 100, seconded: false });
        assert_eq!(flags.find_with(words, false, unsure), None);
        // What is named is found without it, and as what it is.
        let named = flags.find_with("my husband can't breathe", false, sure);
        assert_eq!(named, Some(RedFlag::LifeThreat));
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

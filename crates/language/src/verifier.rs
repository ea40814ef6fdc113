//! Whether a draft says what the approved text says, and nothing else that counts.
//!
//! A draft is another wording of approved text: a model's, or a colleague's who edits it. Every
//! number, time, date, unit, drug, name, side, direction and negation in it has to be in the
//! approved text, and every one of the approved text in it. Other words are free. In doubt the
//! draft is blocked and the approved text is spoken: a needless block costs some warmth, a needless
//! pass may cost a fast before the wrong hour.

use std::collections::{BTreeMap, BTreeSet};

use radline_dialogue::{wording, words};

/// Why a draft was blocked. Holds no words of it: a draft may hold health data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Block {
    /// A number or time differs.
    #[error("a number or a time is not that of the record")]
    Number,
    /// A weekday or month differs.
    #[error("a date is not that of the record")]
    Date,
    /// A unit differs.
    #[error("a unit is not that of the record")]
    Unit,
    /// A medicine differs.
    #[error("a medicine is not that of the record")]
    Medicine,
    /// A side of the body differs.
    #[error("a side is not that of the record")]
    Side,
    /// A "not" was lost or came in, or what may be done was turned round.
    #[error("something is denied, allowed or ordered otherwise than in the record")]
    Negation,
    /// A name differs.
    #[error("a name is not that of the record")]
    Name,
    /// Something is promised that the record does not hold.
    #[error("something is promised that the record does not hold")]
    Promise,
    /// It fits none of the sentences that the site has signed.
    #[error("it is none of the sentences that were signed")]
    Frame,
    /// It holds words that are neither plain nor the caller's own.
    #[error("it says what the caller did not say")]
    Unsaid,
    /// The model was not sure of it.
    #[error("the model was not sure of it")]
    Unsure,
}

/// Times of a day and kinds of number: what changes what a number means.
const UNITS: &[&str] = &[
    "hour",
    "hours",
    "minute",
    "minutes",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "pound",
    "pounds",
    "kilogram",
    "kilograms",
    "stone",
    "dollar",
    "dollars",
    "cent",
    "cents",
    "euro",
    "euros",
    "pence",
    "milligram",
    "milligrams",
    "gram",
    "grams",
    "milliliter",
    "milliliters",
    "millilitre",
    "millilitres",
    "liter",
    "liters",
    "litre",
    "litres",
    "ounce",
    "ounces",
    "quart",
    "quarts",
    "cup",
    "cups",
    "glass",
    "glasses",
    "tablet",
    "tablets",
    "percent",
    "morning",
    "afternoon",
    "evening",
    "night",
    "noon",
    "midnight",
    "am",
    "pm",
    "today",
    "tomorrow",
    "tonight",
    "yesterday",
    "weekend",
    "weekends",
];
const DATES: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "thanksgiving",
    "christmas",
    "easter",
];
const SIDES: &[&str] = &["left", "right", "both"];
/// Words that deny, order, allow or forbid, and the directions of time and place. A draft has them
/// as often as the approved text.
const TURNING: &[&str] = &[
    "no",
    "not",
    "never",
    "nothing",
    "none",
    "nobody",
    "nor",
    "neither",
    "without",
    "cannot",
    "dont",
    "doesnt",
    "wont",
    "isnt",
    "arent",
    "cant",
    "shouldnt",
    "mustnt",
    "stop",
    "stops",
    "stopped",
    "continue",
    "keep",
    "skip",
    "skips",
    "hold",
    "avoid",
    "only",
    "until",
    "before",
    "after",
    "above",
    "below",
    "over",
    "under",
    "more",
    "less",
    "unless",
    "except",
    "instead",
    "double",
    "half",
    "empty",
    "full",
    "free",
    "emergency",
];
/// Medicines and what belongs to them, beside whatever the approved text names.
const MEDICINES: &[&str] = &[
    "metformin",
    "glucophage",
    "insulin",
    "lantus",
    "warfarin",
    "coumadin",
    "eliquis",
    "apixaban",
    "xarelto",
    "rivaroxaban",
    "plavix",
    "clopidogrel",
    "aspirin",
    "heparin",
    "ibuprofen",
    "tylenol",
    "paracetamol",
    "acetaminophen",
    "benadryl",
    "antihistamine",
    "prednisone",
    "steroid",
    "steroids",
    "valium",
    "lorazepam",
    "xanax",
    "ozempic",
    "semaglutide",
    "lisinopril",
    "amlodipine",
    "metoprolol",
    "contrast",
    "dye",
    "gadolinium",
    "iodine",
    "iodinated",
    "sedative",
    "laxative",
    "antibiotic",
    "antibiotics",
    "calcium",
    "vitamin",
    "vitamins",
];
/// Assurances that no record of a clinic gives.
const PROMISES: &[&str] = &[
    "safe",
    "harmless",
    "guarantee",
    "guaranteed",
    "promise",
    "certainly fine",
    "dont worry",
    "nothing to worry",
    "you will be fine",
    "benign",
    "cancer",
    "tumor",
    "tumour",
    "normal result",
    "diagnosis",
    "i am a nurse",
    "i am a doctor",
    "i am human",
    "i am a person",
    "i feel",
    "i know how you feel",
    "confirmed",
    "booked",
];

/// Checks a draft against the approved texts that it words anew.
///
/// # Errors
/// The first thing that is not as approved.
pub fn verify(draft: &str, approved: &[&str]) -> Result<(), Block> {
    let approved_text = approved.join(" ");
    let (said, meant) = (words::split(draft), words::split(&approved_text));
    if numbers(&said) != numbers(&meant) {
        return Err(Block::Number);
    }
    for (lexicon, block) in [
        (DATES, Block::Date),
        (UNITS, Block::Unit),
        (MEDICINES, Block::Medicine),
        (SIDES, Block::Side),
        (TURNING, Block::Negation),
    ] {
        if counted(&said, lexicon) != counted(&meant, lexicon) {
            return Err(block);
        }
    }
    if !order_kept(&said, &meant) {
        return Err(Block::Negation);
    }
    if !names(draft).is_subset(&names_in(&approved_text)) || lost_name(draft, &approved_text) {
        return Err(Block::Name);
    }
    let promised = |phrase: &&&str| words::contains(&said, phrase);
    let held = |phrase: &&str| words::contains(&meant, phrase);
    if PROMISES.iter().filter(promised).any(|phrase| !held(phrase)) {
        return Err(Block::Promise);
    }
    Ok(())
}

/// Whether a word by itself is one that has to be as approved: a number, a date, a medicine, a "not".
pub(crate) fn weighs(word: &str) -> bool {
    let lexica = [DATES, UNITS, MEDICINES, SIDES, TURNING, PROMISES];
    lexica.iter().any(|lexicon| lexicon.contains(&word)) || !numbers(&[word.to_owned()]).is_empty()
}

/// How often each word of the lexicon is there.
fn counted<'a>(text: &[String], lexicon: &[&'a str]) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for word in text {
        if let Some(held) = lexicon.iter().find(|held| *held == word) {
            *counts.entry(*held).or_default() += 1;
        }
    }
    counts
}

/// The number words and figures, in order: a time is a sequence of them.
fn numbers(text: &[String]) -> Vec<String> {
    const SCALES: &[&str] = &["hundred", "thousand", "oh", "quarter", "once", "twice"];
    let value = |word: &String| {
        let cardinal = words::spoken_number(word).map(|value| value.to_string());
        let ordinal = || wording::ordinal_value(word).map(|place| format!("{place}th"));
        let counts = SCALES.contains(&word.as_str())
            || word.contains(|letter: char| letter.is_ascii_digit());
        cardinal.or_else(ordinal).or_else(|| counts.then(|| word.clone()))
    };
    text.iter().filter_map(value).collect()
}

/// Words that turn the meaning stand in the same order between the numbers, dates and medicines:
/// "nothing after five" and "after nothing five" are not the same.
fn order_kept(said: &[String], meant: &[String]) -> bool {
    let line = |text: &[String]| -> Vec<String> {
        let counts = |word: &&String| {
            let word = word.as_str();
            [TURNING, MEDICINES, DATES, SIDES].iter().any(|lexicon| lexicon.contains(&word))
        };
        text.iter().filter(counts).cloned().collect()
    };
    line(said) == line(meant)
}

/// Words with a capital letter inside a sentence, lower-case: names of people and places.
fn names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut begins = true;
    for word in text.split_whitespace() {
        let capital =
            word.chars().find(|letter| letter.is_alphanumeric()).is_some_and(char::is_uppercase);
        if capital && !begins && word != "I" {
            found.extend(words::split(word));
        }
        begins = word.ends_with(['.', '?', '!', ':']);
    }
    found
}

/// Every word of the approved text may be a name in the draft, also one that began a sentence.
fn names_in(text: &str) -> BTreeSet<String> {
    words::split(text).into_iter().collect()
}

/// A name of the approved text that the draft leaves out.
fn lost_name(draft: &str, approved: &str) -> bool {
    let said = names_in(draft);
    names(approved).iter().any(|name| !said.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FASTING: &str = "Please eat nothing after five forty five in the morning on Wednesday, November twenty fifth. Plain water is fine until the exam.";

    #[test]
    fn other_words_with_the_same_facts_pass() {
        for draft in [
            FASTING,
            "From now on, please have nothing to eat after five forty five in the morning on Wednesday, November twenty fifth. You may have plain water until the exam.",
        ] {
            assert_eq!(verify(draft, &[FASTING]), Ok(()), "{draft}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        for (draft, block) in [
            (FASTING.replace("five forty five", "six forty five"), Block::Number),
            (FASTING.replace("forty five", "forty"), Block::Number),
            (FASTING.replace("Wednesday", "Tuesday"), Block::Date),
            (FASTING.replace("in the morning", "in the evening"), Block::Unit),
            (FASTING.replace("nothing after", "nothing before"), Block::Negation),
            (FASTING.replace("eat nothing", "eat something"), Block::Negation),
            (format!("{FASTING} Do not take your metformin."), Block::Medicine),
            (format!("{FASTING} It is completely safe."), Block::Promise),
            (format!("{FASTING} Ask for Marlow."), Block::Name),
        ] {
            assert_eq!(verify(&draft, &[FASTING]), Err(block), "{draft}");
        }
    }
}

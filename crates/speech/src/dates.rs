//! Dates of birth: a reading that may write nothing but a whole date, and when to believe it.
//!
//! Whisper knows how numbers look in print, not what was asked. It runs "September nineteenth, fifty
//! two" together into "September 1952", and writes days that no month has.

use whisper_rs::{WhisperContext, WhisperState};

use crate::constrained::{Decoder, Free, Limits, Pieces, Place, Reading};
use crate::{MONTHS, SpeechError};

/// How much less likely than the free reading a date may be and still be believed, nats for each
/// second of audio. Half of what a spelling may be: with that, words over noise became dates.
const MARGIN_PER_SECOND: f32 = 1.2;
/// The least margin, nats.
const MARGIN_MIN: f32 = 4.0;
/// The margin where the free reading, too, holds nothing but numbers and months, nats: it was an
/// attempt at a date, and one that no calendar has says little.
const MARGIN_OF_NUMBERS: f32 = 12.0;
/// Choices that are tried, and how near the second must be for it, nats. A date has few tokens, and a
/// day that was run together with its year leads nowhere: more is tried than in a spelling.
const DEVIATIONS: usize = 12;
const CLOSE: f32 = 4.0;
/// What comes before a date.
const LEADS: [&str; 16] = [
    " My date of birth is",
    " my date of birth is",
    " Date of birth",
    " date of birth",
    " My birthday is",
    " my birthday is",
    " I was born",
    " Born",
    " on",
    " in",
    " It's",
    " it's",
    " It is",
    " That's",
    " That would be",
    " Yes,",
];
/// Years of birth that a caller may have.
const YEARS: std::ops::Range<u16> = 1900..2030;

/// Places of a date, by what has been written.
mod place {
    pub(super) const START: usize = 0;
    pub(super) const MONTH: usize = 1;
    pub(super) const NUMBER: usize = 2;
    pub(super) const ORDINAL: usize = 3;
    /// Month and day, or day and month.
    pub(super) const DAY: usize = 4;
    /// The same, and an ending or a comma.
    pub(super) const BEFORE_YEAR: usize = 5;
    /// "The nineteenth of".
    pub(super) const OF: usize = 6;
    pub(super) const SECOND_NUMBER: usize = 7;
    pub(super) const SECOND_CLOSE: usize = 8;
    pub(super) const YEAR_CLOSE: usize = 9;
    pub(super) const YEAR: usize = 10;
    pub(super) const COUNT: usize = 11;
}

/// Reads dates of birth.
pub(crate) struct Dates {
    pieces: Pieces,
}

impl Dates {
    pub(crate) fn new(context: &WhisperContext) -> Self {
        Self { pieces: Pieces::in_places(context, &places()) }
    }

    /// Reads what the state's encoder has heard last. Nothing when the free reading is to be believed.
    pub(crate) fn read(
        &self,
        state: &mut WhisperState,
        threads: usize,
        free: Free<'_>,
    ) -> Result<Option<Reading>, SpeechError> {
        let best = Decoder::new(state, &self.pieces, threads, limits(free)).best()?;
        let margin = if is_numbers(free.text) {
            MARGIN_OF_NUMBERS
        } else {
            (MARGIN_PER_SECOND * free.seconds).max(MARGIN_MIN)
        };
        Ok(best.is_believed(free, margin).then_some(best))
    }
}

/// What a reading must be like. It is whole by its form, however short.
const fn limits(free: Free<'_>) -> Limits {
    let Free { seconds, tokens_max, .. } = free;
    Limits { seconds, tokens_min: 0, tokens_max, close: CLOSE, deviations: DEVIATIONS }
}

/// Whether a reading holds nothing but numbers, months and what comes with them: an attempt at a date,
/// however it was written down.
fn is_numbers(text: &str) -> bool {
    let known = |word: &str| {
        let leads = LEADS.iter().flat_map(|lead| lead.split_whitespace());
        let known = leads.chain(MONTHS).chain(["the", "of", "and"]);
        let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let word = plain(word);
        word.starts_with(|first: char| first.is_ascii_digit())
            || known.map(plain).any(|other| other == word)
    };
    text.chars().any(|c| c.is_ascii_digit()) && text.split_whitespace().all(known)
}

/// How a date may be written: "It's May 14th, 1961", "the 14th of May, 61", "5-14-61", "05 14 1961".
fn places() -> Vec<Place> {
    let mut places = vec![Place::default(); place::COUNT];
    let mut add =
        |from: usize, text: &str, to: usize| places[from].pieces.push((text.to_owned(), to));
    for lead in LEADS {
        add(place::START, lead, place::START);
    }
    for the in [" the", " The"] {
        add(place::START, the, place::START);
        add(place::MONTH, the, place::MONTH);
        add(place::OF, the, place::SECOND_NUMBER);
    }
    for month in MONTHS {
        let month = format!(" {month}");
        add(place::START, &month, place::MONTH);
        for from in [place::NUMBER, place::ORDINAL, place::OF] {
            add(from, &month, place::BEFORE_YEAR);
        }
    }
    for number in (1..=31).flat_map(|n| [format!("{n}"), format!("{n:02}")]) {
        let spaced = format!(" {number}");
        add(place::START, &spaced, place::NUMBER);
        add(place::SECOND_CLOSE, &number, place::DAY);
        for from in [place::MONTH, place::NUMBER, place::ORDINAL, place::SECOND_NUMBER] {
            add(from, &spaced, place::DAY);
        }
    }
    for ending in ["st", "nd", "rd", "th"] {
        add(place::NUMBER, ending, place::ORDINAL);
        add(place::DAY, ending, place::BEFORE_YEAR);
    }
    for from in [place::NUMBER, place::ORDINAL] {
        add(from, " of", place::OF);
        add(from, ",", place::SECOND_NUMBER);
    }
    add(place::MONTH, ",", place::MONTH);
    add(place::DAY, ",", place::BEFORE_YEAR);
    add(place::BEFORE_YEAR, ",", place::BEFORE_YEAR);
    for close in ["-", "/"] {
        add(place::NUMBER, close, place::SECOND_CLOSE);
        add(place::DAY, close, place::YEAR_CLOSE);
    }
    // "Nineteen" is the beginning of a year, not one.
    let short = (0..100).filter(|n| !matches!(n, 19 | 20)).map(|n| format!("{n:02}"));
    for year in short.chain(YEARS.map(|year| year.to_string())) {
        add(place::YEAR_CLOSE, &year, place::YEAR);
        for from in [place::DAY, place::BEFORE_YEAR] {
            add(from, &format!(" {year}"), place::YEAR);
        }
    }
    places[place::YEAR].whole = true;
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a reading may write the text from this place to its end.
    fn writes(places: &[Place], at: usize, text: &str) -> bool {
        if text.is_empty() {
            return places[at].whole;
        }
        places[at].pieces.iter().any(|(piece, then)| {
            text.strip_prefix(piece.as_str()).is_some_and(|rest| writes(places, *then, rest))
        })
    }

    #[test]
    fn only_whole_dates_are_written() {
        let places = places();
        for date in [
            " May 14th, 1961",
            " It's September 19, 52",
            " My date of birth is October 28, 1947",
            " The 13th of November, 1990",
            " 5-14-61",
            " 05/14/1961",
            " 8, 1, 32",
            " 11 7 94",
            " I was born on the 3 of May, 2004",
        ] {
            assert!(writes(&places, place::START, date), "{date}");
        }
        for other in [
            " May 48, 1961",
            " September 1952",
            " September 19",
            " 19th of the 3rd",
            " 8132",
            " 10, 15, 19",
            " December 17, 1779",
            " May 14, 1961, 1962",
            " Can I talk to a person",
        ] {
            assert!(!writes(&places, place::START, other), "{other}");
        }
    }

    #[test]
    fn numbers_and_months_are_an_attempt_at_a_date_and_other_words_are_not() {
        for attempt in ["It's September 1952.", "8132", "December 17, 17, 17, 9.", "the 5th, 61"] {
            assert!(is_numbers(attempt), "{attempt}");
        }
        for other in ["My name is 4", "It's May", "", "Or 2685.", "I'm 30 stone."] {
            assert!(!is_numbers(other), "{other}");
        }
    }
}

//! A kidney function value with the day it was taken, as a caller tells it: "it was forty two, in March".

use std::fmt;

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::{wording, words};

/// Estimated glomerular filtration rates that people have, mL/min per 1.73 m². Laboratories report the
/// highest as "above 90"; other numbers in the sentence are something else.
const EGFR_RANGE: std::ops::RangeInclusive<f64> = 3.0..=150.0;
/// Years that a laboratory result can be of; earlier ones are a mishearing.
const YEARS_BACK: i16 = 30;

/// What the caller knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KidneyFunction {
    /// Estimated glomerular filtration rate, mL/min per 1.73 m².
    pub egfr: u8,
    /// When it was taken, where that was said.
    pub taken: Option<Taken>,
}

/// A day, as precisely as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// "Last Monday", "March the third".
    On(Date),
    /// "In March", "six weeks ago": the first of that month.
    In(Date),
    /// "In 2024".
    Year(i16),
}

impl fmt::Display for Taken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => write!(out, "{day}"),
            Self::In(month) => write!(out, "{:04}-{:02}", month.year(), month.month()),
            Self::Year(year) => write!(out, "{year}"),
        }
    }
}

impl fmt::Display for KidneyFunction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "eGFR {} mL/min/1.73 m²", self.egfr)?;
        match self.taken {
            Some(taken) => write!(out, ", taken {taken}"),
            None => write!(out, ", day not told"),
        }
    }
}

/// The value in the words. Unless it was asked for, it has to be called by its name.
pub(super) fn read(text: &str, today: Date, asked: bool) -> Option<KidneyFunction> {
    let mut words = words::split(text);
    if !asked && !is_named(&words) {
        return None;
    }
    let taken = take_day(&mut words, today);
    let numbers = words::numbers(&words);
    let egfr = numbers.into_iter().find(|number| EGFR_RANGE.contains(number))?;
    Some(KidneyFunction { egfr: egfr.round() as u8, taken })
}

/// "My eGFR", "the GFR", "e g f r", "kidney function".
fn is_named(words: &[String]) -> bool {
    words.iter().any(|word| word.ends_with("gfr"))
        || ["g f r", "kidney function", "kidney number", "kidney value"]
            .iter()
            .any(|name| words::contains(words, name))
}

/// What a day is read by.
#[derive(Clone, Copy)]
struct Reading {
    today: Date,
    /// Several numbers could be the value: a small one beside a month is a day.
    several: bool,
}

/// Takes the words that name a day out, so that their numbers are not taken for the value.
fn take_day(words: &mut Vec<String>, today: Date) -> Option<Taken> {
    let readers = [ago, month, last, year];
    let values = words::numbers(words).into_iter().filter(|number| EGFR_RANGE.contains(number));
    let reading = Reading { today, several: values.count() > 1 };
    for at in 0..words.len() {
        for read in readers {
            if let Some((taken, count)) = read(&words[at..], reading) {
                words.drain(at..at + count);
                return Some(taken);
            }
        }
    }
    None
}

/// What a reader finds at the beginning of the words, and how many of them it is.
type Found = Option<(Taken, usize)>;

/// "Three weeks ago", "a couple of months ago", "a year back".
fn ago(words: &[String], Reading { today, .. }: Reading) -> Found {
    let unit_at = words.iter().take(4).position(|word| unit(word).is_some())?;
    let ends = words.get(unit_at + 1).is_some_and(|word| word == "ago" || word == "back");
    if !ends {
        return None;
    }
    let count = match words[..unit_at].iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["a" | "one"] => 1,
        ["a", "couple"] | ["a", "couple", "of"] | ["couple"] | ["couple", "of"] => 2,
        ["a", "few"] | ["few"] => 3,
        [number] => number.parse().ok().or(words::spoken_number(number).map(|it| it as i64))?,
        _ => return None,
    };
    let (step, precise) = unit(&words[unit_at])?;
    let day = today.checked_sub(step.checked_mul(count).ok()?).ok()?;
    Some((if precise { Taken::On(day) } else { Taken::In(day.first_of_month()) }, unit_at + 2))
}

/// A unit of time, and whether so many of them name a day.
fn unit(word: &str) -> Option<(Span, bool)> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "day" => (1.day(), true),
        "week" => (1.week(), false),
        "month" => (1.month(), false),
        "year" => (1.year(), false),
        _ => return None,
    })
}

/// "March", "March third 2026", "the third of March".
fn month(words: &[String], reading: Reading) -> Found {
    let (before, mut at) = match day_of_month(words, reading) {
        Some((day, count)) => {
            let of = words.get(count).is_some_and(|word| word == "of");
            (Some(day), count + usize::from(of))
        }
        None => (None, 0),
    };
    let month = wording::month_named(words.get(at)?)?;
    at += 1;
    let after = before.is_none().then(|| day_of_month(&words[at..], reading)).flatten();
    at += after.map_or(0, |(_, count)| count);
    let year = words.get(at).and_then(|word| plausible_year(word, reading.today));
    at += usize::from(year.is_some());
    // Without a year the last such month is meant.
    let this = reading.today.year();
    let year = year.unwrap_or(if month > reading.today.month() { this - 1 } else { this });
    let taken = match before.or(after.map(|(day, _)| day)) {
        Some(day) => Taken::On(Date::new(year, month, day).ok()?),
        None => Taken::In(Date::new(year, month, 1).ok()?),
    };
    Some((taken, at))
}

/// "Third", "twenty first", "3rd", and how many words that is. A bare number may as well be the value.
fn day_of_month(words: &[String], reading: Reading) -> Option<(i8, usize)> {
    let first = words.first()?;
    let figures = first.trim_end_matches(char::is_alphabetic);
    if !figures.is_empty() {
        let bare = figures.len() == first.len();
        let day = figures.parse().ok().filter(|day| (1..=31).contains(day))?;
        return (!bare || reading.several).then_some((day, 1));
    }
    let named = |word: &String| wording::ordinal_value(word).map(|day| day as i8);
    if let Some(day) = named(first) {
        return Some((day, 1));
    }
    let tens = words::spoken_number(first).filter(|tens| [20.0, 30.0].contains(tens))?;
    let ones = words.get(1).and_then(named).filter(|ones| *ones < 10)?;
    Some((tens as i8 + ones, 2))
}

/// "Yesterday", "last week", "this year".
fn last(words: &[String], Reading { today, .. }: Reading) -> Found {
    let named = |at: usize| words.get(at).map(String::as_str);
    let back = |span: Span| today.checked_sub(span).ok();
    Some(match (named(0)?, named(1)) {
        ("today", _) => (Taken::On(today), 1),
        ("yesterday", _) => (Taken::On(back(1.day())?), 1),
        ("last", Some("week")) => (Taken::In(back(1.week())?.first_of_month()), 2),
        ("last", Some("month")) => (Taken::In(back(1.month())?.first_of_month()), 2),
        ("last", Some("year")) => (Taken::Year(today.year() - 1), 2),
        ("this", Some("week" | "month")) => (Taken::In(today.first_of_month()), 2),
        ("this", Some("year")) => (Taken::Year(today.year()), 2),
        _ => return None,
    })
}

/// "2024".
fn year(words: &[String], Reading { today, .. }: Reading) -> Found {
    Some((Taken::Year(plausible_year(words.first()?, today)?), 1))
}

fn plausible_year(word: &str, today: Date) -> Option<i16> {
    let year = word.parse().ok().filter(|_| word.len() == 4)?;
    (today.year() - YEARS_BACK..=today.year()).contains(&year).then_some(year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn told(text: &str) -> Option<String> {
        Some(read(text, date(2026, 11, 23), true)?.to_string())
    }

    #[test]
    fn the_value_and_its_day_are_told_apart() {
        for (text, day) in [
            ("it was forty two in March", "taken 2026-03"),
            ("42, on the third of March", "taken 2026-03-03"),
            ("forty-two, March 3rd 2025", "taken 2025-03-03"),
            ("March twenty-first, 42", "taken 2026-03-21"),
            ("March 21, 42", "taken 2026-03-21"),
            ("42 in December", "taken 2025-12"),
            ("six weeks ago it was 42", "taken 2026-10"),
            ("a couple of months ago, 42", "taken 2026-09"),
            ("42, they took it three days ago", "taken 2026-11-20"),
            ("in 2024 it was 42", "taken 2024"),
            ("42 last year", "taken 2025"),
            ("42 yesterday", "taken 2026-11-22"),
            ("I think 42", "day not told"),
        ] {
            let expected = format!("eGFR 42 mL/min/1.73 m², {day}");
            assert_eq!(told(text).as_deref(), Some(&expected[..]), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_none() {
        for text in ["I don't know", "in March", "six weeks ago", "in 2024", "yes", "two thousand"]
        {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn unasked_it_has_to_be_named() {
        let read = |text| read(text, date(2026, 11, 23), false);
        assert!(read("I am forty two").is_none());
        for text in ["my eGFR is 42", "the GFR was forty two", "e g f r 42", "kidney function 42"] {
            assert_eq!(read(text).map(|found| found.egfr), Some(42), "{text}");
        }
    }
}

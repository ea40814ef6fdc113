//! Dates and times as a person says them, and sentences out of templates with placeholders.
//! Every value that is spoken is put in here, by code.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time, Weekday};

/// "Tuesday".
pub const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
/// 0 to 19.
pub(crate) const NUMBER_NAMES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// 20, 30 … 90.
pub(crate) const TEN_NAMES: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// 0 to 99 in words.
fn cardinal(number: i32) -> String {
    let (tens, ones) = (number / 10, number % 10);
    if number < 20 {
        return NUMBER_NAMES[number as usize].to_owned();
    }
    let tens = TEN_NAMES[tens as usize - 2];
    if ones == 0 { tens.to_owned() } else { format!("{tens} {}", NUMBER_NAMES[ones as usize]) }
}

fn ordinal(day: i8) -> String {
    match day {
        1..=20 => ORDINALS[day as usize - 1].to_owned(),
        21..=29 => format!("twenty {}", ORDINALS[day as usize - 21]),
        30 => "thirtieth".to_owned(),
        _ => "thirty first".to_owned(),
    }
}

/// The place that one word names: 2 for "second", 30 for "thirtieth".
pub fn ordinal_value(word: &str) -> Option<usize> {
    let place = ORDINALS.iter().position(|name| *name == word).map(|index| index + 1);
    place.or_else(|| (word == "thirtieth").then_some(30))
}

/// The month that a word names, 1 to 12.
pub fn month_named(word: &str) -> Option<i8> {
    let place = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(word))?;
    Some(place as i8 + 1)
}

/// "Tuesday, December first".
pub fn day(date: Date) -> String {
    let month = MONTHS[date.month() as usize - 1];
    format!("{}, {month} {}", weekday(date.weekday()), ordinal(date.day()))
}

/// "March nineteenth, nineteen sixty seven".
pub fn birth_date(date: Date) -> String {
    let (year, month) = (i32::from(date.year()), MONTHS[date.month() as usize - 1]);
    let spoken_year = match year {
        2000..2010 if year == 2000 => "two thousand".to_owned(),
        2000..2010 => format!("two thousand {}", cardinal(year - 2000)),
        _ if year % 100 == 0 => format!("{} hundred", cardinal(year / 100)),
        _ if year % 100 < 10 => format!("{} oh {}", cardinal(year / 100), cardinal(year % 100)),
        _ => format!("{} {}", cardinal(year / 100), cardinal(year % 100)),
    };
    format!("{month} {}, {spoken_year}", ordinal(date.day()))
}

/// "ten thirty in the morning", "noon".
pub fn time(time: Time) -> String {
    let (hour, minute) = (i32::from(time.hour()), i32::from(time.minute()));
    if (hour, minute) == (12, 0) {
        return "noon".to_owned();
    }
    let part = match hour {
        0..12 => "in the morning",
        12..17 => "in the afternoon",
        _ => "in the evening",
    };
    let twelve = cardinal(match hour % 12 {
        0 => 12,
        hour => hour,
    });
    match minute {
        0 => format!("{twelve} {part}"),
        1..10 => format!("{twelve} oh {} {part}", cardinal(minute)),
        _ => format!("{twelve} {} {part}", cardinal(minute)),
    }
}

/// "Tuesday, December first, at ten thirty in the morning".
pub fn moment(start: DateTime) -> String {
    format!("{}, at {}", day(start.date()), time(start.time()))
}

/// Digits one by one, in groups as telephone numbers are read.
pub fn digits(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let mut groups = Vec::new();
    let mut rest = &digits[..];
    while !rest.is_empty() {
        let take = if rest.len() > 4 { 3 } else { rest.len() };
        let words: Vec<&str> = rest[..take]
            .iter()
            .map(|digit| NUMBER_NAMES[digit.to_digit(10).unwrap_or_default() as usize])
            .collect();
        groups.push(words.join(" "));
        rest = &rest[take..];
    }
    groups.join(", ")
}

/// "a", "a and b", "a, b and c".
pub fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} {conjunction} {last}", init.join(", ")),
    }
}

/// Puts values into `{placeholders}`.
///
/// # Errors
/// The name of the first placeholder that has no value.
pub fn fill(template: &str, values: &BTreeMap<&str, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        filled.push_str(before);
        filled.push_str(values.get(name).ok_or_else(|| name.to_owned())?);
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The placeholders that a template uses.
pub fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// Where a frame, a sentence that the site has signed, takes what weighs on the caller.
pub const WHAT: &str = "{what}";

/// The frame that a sentence was made from, and what stands in its place.
pub fn framed<'a, 'b>(sentence: &'a str, frames: &'b [String]) -> Option<(&'b str, &'a str)> {
    frames.iter().find_map(|frame| {
        let (before, behind) = frame.split_once(WHAT)?;
        let what = sentence.strip_prefix(before)?.strip_suffix(behind)?;
        Some((frame.as_str(), what)).filter(|_| !what.is_empty())
    })
}

/// Sentences of a text, each with its closing mark. They are synthesised one by one, so that the
/// first is heard while the next is being made.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let closes = matches!(byte, b'.' | b'?' | b'!')
            && bytes.get(index + 1).is_none_or(u8::is_ascii_whitespace);
        if closes {
            found.push(text[start..=index].trim());
            start = index + 1;
        }
    }
    found.push(text[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime, time as at};

    use super::*;

    #[test]
    fn dates_and_times_are_spoken_in_full() {
        assert_eq!(
            moment(datetime(2026, 12, 1, 10, 30, 0, 0)),
            "Tuesday, December first, at ten thirty in the morning"
        );
        assert_eq!(time(at(14, 5, 0, 0)), "two oh five in the afternoon");
        assert_eq!(time(at(12, 0, 0, 0)), "noon");
        assert_eq!(day(date(2026, 12, 23)), "Wednesday, December twenty third");
        assert_eq!(birth_date(date(1967, 3, 19)), "March nineteenth, nineteen sixty seven");
        assert_eq!(birth_date(date(2004, 5, 31)), "May thirty first, two thousand four");
        assert_eq!(birth_date(date(1905, 1, 2)), "January second, nineteen oh five");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(digits("8085550173"), "eight zero eight, five five five, zero one seven three");
    }

    #[test]
    fn templates_name_what_they_miss() {
        let values = BTreeMap::from([("exam", "MRI".to_owned())]);
        assert_eq!(fill("Your {exam}.", &values), Ok("Your MRI.".to_owned()));
        assert_eq!(fill("At {when}.", &values), Err("when".to_owned()));
    }

    #[test]
    fn sentences_keep_times_and_marks() {
        assert_eq!(sentences("Hello. Is 9.30 fine? Yes"), ["Hello.", "Is 9.30 fine?", "Yes"]);
    }
}

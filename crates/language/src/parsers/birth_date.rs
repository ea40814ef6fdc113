//! Dates of birth, in the forms in which they are spoken, written and keyed in.

use jiff::civil::Date;

use super::numbers::{self, Number};
use radline_dialogue::{DateOrder, words};

/// What a bare date is read by.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// The day of the call.
    pub today: Date,
    /// Which of two bare numbers is the month.
    pub order: DateOrder,
}

impl Calendar {
    /// A number above 12 is the day wherever it stands.
    const fn month_and_day(self, first: i8, second: i8) -> (i8, i8) {
        match (self.order, first > 12, second > 12) {
            (_, true, _) => (second, first),
            (_, _, true) | (DateOrder::MonthDay, ..) => (first, second),
            (DateOrder::DayMonth, ..) => (second, first),
        }
    }
}

/// Nobody older than this is on the line; earlier years are a mishearing.
const AGE_MAX_YEARS: i16 = 120;

const MONTHS: [(&str, &str); 12] = [
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may", "may"),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sept"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
];

/// The month that a word names, 1 to 12.
pub fn month(word: &str) -> Option<i8> {
    MONTHS
        .iter()
        .position(|(long, short)| {
            word == *long || word == *short || word == "sep" && *short == "sept"
        })
        .map(|index| index as i8 + 1)
}

/// The date of birth in a sentence, if there is exactly one reading that is a real day, not
/// after `today`. Bare numbers are month, day, year; a day above 12 in first place is taken for
/// day, month, year.
pub fn parse(text: &str, calendar: Calendar) -> Option<Date> {
    corrected(text, calendar).or_else(|| parse_plain(text, calendar))
}

/// "April second, fifty eight, strike that, fifty nine": what comes last counts, as a whole date
/// or as another year.
fn corrected(text: &str, calendar: Calendar) -> Option<Date> {
    const CORRECTIONS: &[&str] =
        &[" strike that", " correction", " i mean ", ". no, ", ", no, ", " no wait", " rather "];
    let lower = text.to_lowercase();
    let (at, mark) = CORRECTIONS
        .iter()
        .filter_map(|mark| lower.rfind(mark).map(|at| (at, *mark)))
        .max_by_key(|(at, _)| *at)?;
    let (first, last) = (lower.get(..at)?, lower.get(at + mark.len()..)?);
    if let Some(date) = parse_plain(last, calendar) {
        return Some(date);
    }
    let words = words::split(last);
    let (number, _) = numbers::read(&words)?;
    let earlier = parse_plain(first, calendar)?;
    let year = year(&[number], calendar)?;
    real(year, earlier.month(), earlier.day(), calendar)
}

/// Days that have names, as month and day. Where a day moves or differs by country it is not here.
const NAMED_DAYS: &[(&[&str], &str)] = &[
    (&["new", "years", "eve"], "december 31"),
    (&["new", "years", "day"], "january 1"),
    (&["new", "year", "day"], "january 1"),
    (&["groundhog", "day"], "february 2"),
    (&["valentines", "day"], "february 14"),
    (&["valentine", "day"], "february 14"),
    (&["leap", "day"], "february 29"),
    (&["saint", "patricks", "day"], "march 17"),
    (&["st", "patricks", "day"], "march 17"),
    (&["paddys", "day"], "march 17"),
    (&["april", "fools", "day"], "april 1"),
    (&["april", "fool", "day"], "april 1"),
    (&["april", "fools"], "april 1"),
    (&["may", "day"], "may 1"),
    (&["cinco", "de", "mayo"], "may 5"),
    (&["juneteenth"], "june 19"),
    (&["halloween"], "october 31"),
    (&["hallowe", "en"], "october 31"),
    (&["all", "saints", "day"], "november 1"),
    (&["guy", "fawkes"], "november 5"),
    (&["bonfire", "night"], "november 5"),
    (&["christmas", "eve"], "december 24"),
    (&["christmas", "day"], "december 25"),
    (&["christmas"], "december 25"),
    (&["xmas"], "december 25"),
    (&["boxing", "day"], "december 26"),
];

/// The words with named days said plainly.
fn with_days_named(words: Vec<String>) -> Vec<String> {
    let (mut plain, mut at) = (Vec::with_capacity(words.len()), 0);
    while at < words.len() {
        let named = NAMED_DAYS.iter().find(|(name, _)| {
            words[at..].len() >= name.len() && words[at..].iter().zip(*name).all(|(a, b)| a == b)
        });
        match named {
            Some((name, day)) => {
                plain.extend(day.split(' ').map(str::to_owned));
                at += name.len();
            }
            None => {
                plain.push(words[at].clone());
                at += 1;
            }
        }
    }
    plain
}

fn parse_plain(text: &str, calendar: Calendar) -> Option<Date> {
    let words = with_days_named(words::split(text));
    // "…, I just turned seventy eight": an age is no part of the date.
    let age = ["turned", "turning", "aged"];
    let end = words.iter().position(|word| age.contains(&word.as_str())).filter(|end| *end >= 3);
    let words = &words[..end.unwrap_or(words.len())];
    let (mut rest, mut named, mut found) = (words, None, Vec::new());
    // How many numbers stand before the month.
    let mut before = 0;
    while let Some(word) = rest.first() {
        if let Some((number, taken)) = numbers::read(rest) {
            found.push(number);
            rest = &rest[taken..];
            continue;
        }
        // "may" is also a verb; without a number in the sentence it is never reached.
        if let Some(month) = month(word) {
            (named, before) = (Some(month), found.len());
        }
        rest = &rest[1..];
    }
    if let Some(month) = named {
        // "Nineteen seventy, October twenty sixth": the year came first.
        if let ([_, ..], [day]) = found.split_at(before)
            && let Some(year) =
                year(&found[..before], calendar).filter(|_| before > 1 || found[0].digits == 4)
            && let Ok(day) = i8::try_from(day.value)
            && let Some(date) = real(year, month, day, calendar)
        {
            return Some(date);
        }
        return with_month(month, &found, calendar)
            .or_else(|| said_twice(month, before, &found, calendar));
    }
    from_numbers(&found, calendar).or_else(|| run_together(&found, calendar))
}

/// "Ten twelve ninety three, that's October": the numbers are a whole date, and the name of the month
/// behind them, alone or with the day, tells which of them is the month.
fn said_twice(month: i8, before: usize, found: &[Number], calendar: Calendar) -> Option<Date> {
    let (numbers, again) = found.split_at(before);
    let agrees = |date: &Date| {
        let day = again.first().map(|day| day.value);
        date.month() == month && day.is_none_or(|day| day == u32::from(date.day().unsigned_abs()))
    };
    let orders = [DateOrder::MonthDay, DateOrder::DayMonth];
    let mut dates = orders
        .into_iter()
        .filter_map(|order| from_numbers(numbers, Calendar { order, ..calendar }).filter(agrees));
    dates.next()
}

/// "527 66", "1229 59": what recognisers make of "five twenty-seven sixty-six". Month, day and year
/// may run together, but none of them lies in two pieces; nothing when there is a choice.
fn run_together(found: &[Number], calendar: Calendar) -> Option<Date> {
    let pieces: Vec<String> =
        found.iter().map(|n| format!("{:0width$}", n.value, width = n.digits)).collect();
    let all = pieces.concat();
    if !(5..=8).contains(&all.len()) {
        return None;
    }
    let mut ends = Vec::new();
    for piece in &pieces {
        ends.push(ends.last().copied().unwrap_or(0) + piece.len());
    }
    let whole = |from: usize, to: usize| !ends.iter().any(|end| from < *end && *end < to);
    let mut days = Vec::new();
    for month in 1..=2 {
        for day in month + 1..=month + 2 {
            let parts = [0..month, month..day, day..all.len()];
            let fits = matches!(all.len() - day, 2 | 4)
                && parts.iter().all(|part| whole(part.start, part.end));
            let values: Vec<i16> =
                parts.iter().filter_map(|part| all.get(part.clone())?.parse().ok()).collect();
            let (true, [month, day, short]) = (fits, &values[..]) else { continue };
            let written =
                Number { value: u32::from(short.unsigned_abs()), digits: 2, ordinal: false };
            let (first, second) = (i8::try_from(*month).ok()?, i8::try_from(*day).ok()?);
            let (month, day) = calendar.month_and_day(first, second);
            days.extend(
                year(&[written], calendar).and_then(|year| real(year, month, day, calendar)),
            );
        }
    }
    days.dedup();
    let [only] = days[..] else { return None };
    Some(only)
}

/// A date of birth keyed in as MMDDYYYY, or DDMMYYYY where days come first.
pub fn from_keys(keys: &str, calendar: Calendar) -> Option<Date> {
    if keys.len() != 8 || !keys.bytes().all(|key| key.is_ascii_digit()) {
        return None;
    }
    // What is keyed in is as it was asked for; a number above 12 in the month's place is a slip.
    let (first, second) = (keys[..2].parse().ok()?, keys[2..4].parse().ok()?);
    let (month, day) = match calendar.order {
        DateOrder::MonthDay => (first, second),
        DateOrder::DayMonth => (second, first),
    };
    real(keys[4..].parse().ok()?, month, day, calendar)
}

fn with_month(month: i8, found: &[Number], calendar: Calendar) -> Option<Date> {
    let (day_at, day) = found
        .iter()
        .enumerate()
        .find(|(_, number)| number.ordinal)
        .or_else(|| found.iter().enumerate().find(|(_, n)| (1..=31).contains(&n.value)))?;
    let rest: Vec<Number> = if day_at == 0 {
        found[1..].to_vec()
    } else {
        [&found[..day_at], &found[day_at + 1..]].concat()
    };
    real(year(&rest, calendar)?, month, i8::try_from(day.value).ok()?, calendar)
}

fn from_numbers(found: &[Number], calendar: Calendar) -> Option<Date> {
    // Written without separators, as recognisers like to: 03191967.
    if let [only] = found
        && only.digits == 8
    {
        return from_keys(&format!("{:08}", only.value), calendar);
    }
    // "oh three, nineteen, sixty seven": a leading zero belongs to the digit behind it.
    let mut joined: Vec<Number> = Vec::new();
    let mut zero = false;
    for (index, number) in found.iter().enumerate() {
        if number.value == 0 && joined.len() < 2 && index + 1 < found.len() {
            zero = true;
            continue;
        }
        joined.push(Number { digits: number.digits + usize::from(zero), ..*number });
        zero = false;
    }
    let [first, second, rest @ ..] = &joined[..] else { return None };
    // ISO order: the year first.
    if first.digits == 4 {
        let day = rest.first()?;
        return real(
            i16::try_from(first.value).ok()?,
            i8::try_from(second.value).ok()?,
            i8::try_from(day.value).ok()?,
            calendar,
        );
    }
    let (first, second) = (i8::try_from(first.value).ok()?, i8::try_from(second.value).ok()?);
    let (month, day) = calendar.month_and_day(first, second);
    real(year(rest, calendar)?, month, day, calendar)
}

/// A year from what is left: 1953, "nineteen fifty three", "twenty oh four", "nineteen oh four",
/// or two digits, which are of this century unless that lies ahead.
fn year(rest: &[Number], calendar: Calendar) -> Option<i16> {
    let values: Vec<i16> = rest.iter().filter_map(|n| i16::try_from(n.value).ok()).collect();
    let current = calendar.today.year();
    match values[..] {
        [year] if year >= 1000 => Some(year),
        [short] if short < 100 => {
            let this_century = current - current % 100 + short;
            Some(if this_century > current { this_century - 100 } else { this_century })
        }
        [century @ (19 | 20), short @ 10..=99] => Some(century * 100 + short),
        [century @ (19 | 20), 0, unit @ 0..=9] => Some(century * 100 + unit),
        // Digit by digit: one nine five three; six seven.
        [a, b, c, d] if [a, b, c, d].iter().all(|digit| *digit < 10) => {
            Some(a * 1000 + b * 100 + c * 10 + d)
        }
        [tens @ 0..=9, unit @ 0..=9] => {
            let short = [Number {
                value: (tens * 10 + unit).unsigned_abs().into(),
                digits: 2,
                ordinal: false,
            }];
            year(&short, calendar)
        }
        _ => None,
    }
}

fn real(year: i16, month: i8, day: i8, calendar: Calendar) -> Option<Date> {
    let date = Date::new(year, month, day).ok()?;
    (date <= calendar.today && date.year() >= calendar.today.year() - AGE_MAX_YEARS).then_some(date)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Calendar = Calendar { today: date(2026, 11, 23), order: DateOrder::MonthDay };

    #[test]
    fn spoken_forms() {
        for (said, expected) in [
            ("may two, nineteen fifty three", date(1953, 5, 2)),
            ("five, two, fifty three", date(1953, 5, 2)),
            ("It's the second of May, 1953.", date(1953, 5, 2)),
            ("March 19th, 1967", date(1967, 3, 19)),
            ("oh three nineteen sixty seven", date(1967, 3, 19)),
            ("3/19/67", date(1967, 3, 19)),
            ("19 March 1967", date(1967, 3, 19)),
            ("1967-03-19", date(1967, 3, 19)),
            ("03191967", date(1967, 3, 19)),
            ("december first two thousand and four", date(2004, 12, 1)),
            ("twelve one twenty oh four", date(2004, 12, 1)),
            ("june thirtieth nineteen oh nine", date(1909, 6, 30)),
            ("eleven twenty two one nine eight zero", date(1980, 11, 22)),
            ("sept 5 04", date(2004, 9, 5)),
            ("527 66", date(1966, 5, 27)),
            ("1229 59", date(1959, 12, 29)),
            ("122959", date(1959, 12, 29)),
            ("3191967", date(1967, 3, 19)),
            ("ten twelve ninety three, that's october", date(1993, 10, 12)),
            ("ten twelve ninety three, so december", date(1993, 12, 10)),
            ("zero three, zero six, one nine five two, march sixth", date(1952, 3, 6)),
            ("april fool's day, eighty five", date(1985, 4, 1)),
            ("Christmas Eve, 1961", date(1961, 12, 24)),
            ("new year's day nineteen fifty", date(1950, 1, 1)),
            ("I'm a Halloween baby, seventy two", date(1972, 10, 31)),
        ] {
            assert_eq!(parse(said, TODAY), Some(expected), "{said}");
        }
    }

    #[test]
    fn what_is_not_a_past_day_is_nothing() {
        for said in [
            "",
            "may i ask who is calling",
            "february thirtieth nineteen eighty",
            "march third twenty thirty",
            "seventeen seventeen nineteen eighty",
            "in may",
            // The first of November or the eleventh of January.
            "11166",
            "5 276 6",
            "january first seventeen hundred",
        ] {
            assert_eq!(parse(said, TODAY), None, "{said}");
        }
    }

    #[test]
    fn keyed_in() {
        assert_eq!(from_keys("05021953", TODAY), Some(date(1953, 5, 2)));
        assert_eq!(from_keys("0502195", TODAY), None);
        assert_eq!(from_keys("13021953", TODAY), None);
    }

    proptest::proptest! {
        #[test]
        fn every_written_day_is_read_back(year in 1910_i16..2026, month in 1_i8..=12, day in 1_i8..=28) {
            let day = date(year, month, day);
            let said = format!("{} {}, {}", MONTHS[usize::from(month.unsigned_abs()) - 1].0, day.day(), year);
            proptest::prop_assert_eq!(parse(&said, TODAY), Some(day));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let read = parse(&text, TODAY);
            proptest::prop_assert!(read.is_none_or(|date| date <= TODAY.today));
        }
    }

    #[test]
    fn days_come_first_where_the_site_says_so() {
        let british = Calendar { order: DateOrder::DayMonth, ..TODAY };
        assert_eq!(parse("five, two, fifty three", british), Some(date(1953, 2, 5)));
        assert_eq!(
            parse("the nineteenth of the third, sixty seven", british),
            Some(date(1967, 3, 19))
        );
        assert_eq!(parse("three, nineteen, sixty seven", british), Some(date(1967, 3, 19)));
        assert_eq!(from_keys("05021953", british), Some(date(1953, 2, 5)));
    }
}

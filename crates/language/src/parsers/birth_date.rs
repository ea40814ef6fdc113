//! Dates of birth, in the forms in which they are spoken, written and keyed in.

use jiff::civil::Date;

use super::misheard;
use super::named_days::with_days_named;
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
    let named = with_month_heard(text);
    let text = named.as_deref().unwrap_or(text);
    corrected(text, calendar).or_else(|| parse_plain(text, calendar))
}

/// "A 14, 1961": a recogniser writes the shortest month as the words that sound like it.
fn with_month_heard(text: &str) -> Option<String> {
    const SOUNDS: [&str; 4] = ["a", "hey", "mae", "eh"];
    let words = words::split(text);
    let [first, day, year] = &words[..] else { return None };
    let number = |word: &str, digits: std::ops::RangeInclusive<usize>| {
        let figures = word.trim_end_matches(char::is_alphabetic);
        digits.contains(&figures.len()) && figures.bytes().all(|byte| byte.is_ascii_digit())
    };
    let heard = SOUNDS.contains(&first.as_str()) && number(day, 1..=2) && number(year, 4..=4);
    heard.then(|| format!("may {day} {year}"))
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
    let earlier = parse_plain(first, calendar)?;
    let (year, _) = year_at(&tokens(last), calendar)?;
    real(year, earlier.month(), earlier.day(), calendar)
}

fn parse_plain(text: &str, calendar: Calendar) -> Option<Date> {
    let tokens = tokens(text);
    // "March seventeenth or eighteenth" is a guess, and nobody is identified by guessing.
    let in_date = |token: &Token| matches!(token, Token::Number(..) | Token::Month(_));
    let guesses = |three: &[Token]| matches!(three, [before, Token::Or, after] if in_date(before) && in_date(after));
    if tokens.windows(3).any(guesses) {
        return None;
    }
    let months: Vec<i8> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Month(month) => Some(*month),
            _ => None,
        })
        .collect();
    let found = (0..tokens.len()).flat_map(|at| Form::ALL.map(|form| (at, form)));
    // Behind the name of a month, numbers are its day and year.
    let first_month = tokens.iter().position(|token| matches!(token, Token::Month(_)));
    let found = found.filter_map(|(at, form)| {
        let read = form.read(&tokens[at..], calendar)?;
        (read.named || first_month.is_none_or(|month| at < month)).then_some(read)
    });
    // Who says it twice has mended it: the last one counts. A month that is named says more than one
    // that is counted, and words in between may belong to something else. Of numbers, the longest row.
    let best = found.enumerate().max_by_key(|(order, read)| {
        (read.named, !read.gap, if read.named { 0 } else { read.taken }, *order)
    });
    if let Some((_, read)) = best {
        return if read.named { Some(read.date) } else { agreeing(read.date, &months, calendar) };
    }
    let numbers: Vec<Number> = tokens.iter().filter_map(Token::number).copied().collect();
    // "14, 1961" has lost its month, and is not the first of April.
    let monthless = matches!(&numbers[..], [day, year] if day.digits <= 2 && year.digits == 4);
    if months.is_empty() && !monthless { run_together(&numbers, calendar) } else { None }
}

/// "Ten twelve ninety three, that's October": the name tells which of the numbers is the month.
fn agreeing(date: Date, months: &[i8], calendar: Calendar) -> Option<Date> {
    let Some(named) = months.last() else { return Some(date) };
    if date.month() == *named {
        return Some(date);
    }
    let swapped = real(date.year(), date.day(), date.month(), calendar)?;
    (swapped.month() == *named).then_some(swapped)
}

/// A word or number of what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A number; whether it is written in figures, and the clause that it stands in.
    Number(Number, bool, usize),
    /// The name of a month.
    Month(i8),
    /// "Or".
    Or,
    /// A word that belongs to no date.
    Gap,
}

impl Token {
    const fn number(&self) -> Option<&Number> {
        match self {
            Self::Number(number, ..) => Some(number),
            _ => None,
        }
    }
}

/// Words that may stand inside a date.
const FILLERS: &[&str] = &[
    "the", "of", "in", "on", "and", "a", "day", "year", "month", "uh", "um", "er", "erm", "hmm",
    "ah", "yeah", "yes", "its", "it", "is", "was", "so", "okay", "thats", "that", "then", "born",
];

/// What recognisers and accents make of numbers.
fn mended(word: &str) -> &str {
    match word {
        "won" => "one",
        "ate" => "eight",
        "forth" => "fourth",
        "fith" | "fif" => "fifth",
        "tree" => "three",
        _ => word,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (clause, part) in text.split([',', ';', '.', '?', '!']).enumerate() {
        let words: Vec<String> =
            words::split(part).iter().map(|word| mended(word).to_owned()).collect();
        let words = with_days_named(&misheard::months(&words));
        let mut rest = &words[..];
        while let Some(word) = rest.first() {
            if let Some((number, taken)) = numbers::read(rest) {
                let figures = word.starts_with(|first: char| first.is_ascii_digit());
                tokens.push(Token::Number(number, figures, clause));
                rest = &rest[taken..];
                continue;
            }
            match month(word) {
                Some(month) => tokens.push(Token::Month(month)),
                None if FILLERS.contains(&word.as_str()) => {}
                None if word == "or" => tokens.push(Token::Or),
                None => tokens.push(Token::Gap),
            }
            rest = &rest[1..];
        }
    }
    tokens
}

/// The order in which a date is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// "Oh three nineteen sixty seven", "three, nineteen, sixty seven".
    Numbers,
    /// "1967, three, nineteenth".
    YearNumbers,
    /// "Zero three one nine six seven", digit by digit.
    Digits,
    /// "The nineteenth of the third, sixty seven".
    Ordinals,
    /// "Sixty seven, the nineteenth of the third".
    YearOrdinals,
    /// "Nineteen sixty seven, March nineteenth".
    YearFirst,
    /// "The nineteenth of March sixty seven".
    DayMonth,
    /// "March nineteenth, sixty seven".
    MonthDay,
}

/// A date that was read.
struct Read {
    date: Date,
    /// The month was named.
    named: bool,
    /// Words stand before the year.
    gap: bool,
    /// Tokens that it takes, where no month is named.
    taken: usize,
}

/// Words that may stand before the year.
const GAP_MAX: usize = 3;

impl Form {
    const ALL: [Self; 8] = [
        Self::Numbers,
        Self::YearNumbers,
        Self::Digits,
        Self::Ordinals,
        Self::YearOrdinals,
        Self::YearFirst,
        Self::DayMonth,
        Self::MonthDay,
    ];

    /// Year, month and day, said in that order.
    fn behind_year(self, tokens: &[Token], calendar: Calendar) -> Option<(i16, i8, i8)> {
        let (year, taken) = year_at(tokens, calendar)?;
        // "Sixty seven, three, nineteen" is none that anybody says.
        let first = tokens[0].number().map_or(0, |number| number.value);
        let mut whole = taken > 1 || first >= 1000;
        let (month, day) = match (&tokens[taken..], self) {
            ([Token::Month(month), Token::Number(day, ..), ..], Self::YearFirst) => (*month, day),
            ([Token::Number(day, ..), Token::Month(month), ..], Self::YearFirst) if day.ordinal => {
                // "Fifty eight, the third of October": the first is no day.
                whole |= first > 31;
                (*month, day)
            }
            ([Token::Number(month, ..), Token::Number(day, ..), ..], Self::YearNumbers) => {
                (i8::try_from(month.value).ok()?, day)
            }
            _ => return None,
        };
        whole.then_some((year, month, i8::try_from(day.value).ok()?))
    }

    /// The date in this form that begins with these tokens.
    fn read(self, tokens: &[Token], calendar: Calendar) -> Option<Read> {
        let mut taken = 0;
        let (year, month, day, gap) = match self {
            Self::Numbers => {
                let (first, one) = small(tokens)?;
                let (second, two) = small(&tokens[one..])?;
                let (year, gap) = year_behind(&tokens[one + two..], calendar)?;
                let (_, of_year) = year_at(&tokens[one + two..], calendar).unwrap_or_default();
                taken = one + two + of_year;
                let (month, day) = calendar.month_and_day(first, second);
                (year, month, day, gap)
            }
            Self::Ordinals => {
                let [Token::Number(day, ..), Token::Number(month, ..), rest @ ..] = tokens else {
                    return None;
                };
                let (year, gap) = year_behind(rest, calendar)?;
                (day.ordinal && month.ordinal).then_some(())?;
                // It says more than the same numbers in the site's order.
                taken = tokens.len() + 1;
                (year, i8::try_from(month.value).ok()?, i8::try_from(day.value).ok()?, gap)
            }
            Self::YearOrdinals => {
                let (year, of_year) = year_at(tokens, calendar)?;
                let [Token::Number(day, ..), Token::Number(month, ..), ..] = &tokens[of_year..]
                else {
                    return None;
                };
                (day.ordinal && month.ordinal).then_some(())?;
                taken = tokens.len() + 1;
                (year, i8::try_from(month.value).ok()?, i8::try_from(day.value).ok()?, false)
            }
            Self::Digits => return digit_by_digit(tokens, calendar),
            Self::YearNumbers | Self::YearFirst => {
                let (year, month, day) = self.behind_year(tokens, calendar)?;
                (year, month, day, false)
            }
            Self::DayMonth => {
                let [Token::Number(day, ..), Token::Month(month), rest @ ..] = tokens else {
                    return None;
                };
                let (year, gap) = year_behind(rest, calendar)?;
                (year, *month, i8::try_from(day.value).ok()?, gap)
            }
            Self::MonthDay => {
                let [Token::Month(month), Token::Number(day, _, clause), rest @ ..] = tokens else {
                    return None;
                };
                // "April Fools, the first": the day may be said again.
                let again = matches!(rest, [Token::Number(again, ..), ..] if again.ordinal && again.value == day.value);
                let rest = &rest[usize::from(again)..];
                // "May nineteen seventy" may be a year without a day, unless a pause divides it.
                if let [Token::Number(next, false, same), ..] = rest
                    && matches!(day.value, 19 | 20)
                    && !day.ordinal
                    && same == clause
                    && (10..100).contains(&next.value)
                {
                    return None;
                }
                let (year, gap) = year_behind(rest, calendar)?;
                (year, *month, i8::try_from(day.value).ok()?, gap)
            }
        };
        let named = matches!(self, Self::YearFirst | Self::DayMonth | Self::MonthDay);
        Some(Read { date: real(year, month, day, calendar)?, named, gap, taken })
    }
}

/// A month or a day in figures: "oh three" or "three"; and how many tokens it takes.
fn small(tokens: &[Token]) -> Option<(i8, usize)> {
    let fits = |number: &Number| i8::try_from(number.value).ok().filter(|n| (1..=31).contains(n));
    match tokens {
        [Token::Number(zero, ..), Token::Number(unit, ..), ..] if zero.value == 0 => {
            fits(unit).filter(|unit| *unit < 10).map(|unit| (unit, 2))
        }
        [Token::Number(number, ..), ..] => fits(number).map(|value| (value, 1)),
        _ => None,
    }
}

/// Six or eight digits, one by one.
fn digit_by_digit(tokens: &[Token], calendar: Calendar) -> Option<Read> {
    let single = |token: &Token| token.number().filter(|n| n.value < 10 && !n.ordinal).copied();
    let digits: Vec<u32> = tokens.iter().map_while(single).map(|digit| digit.value).collect();
    let pair = |at: usize| Some(digits.get(at)? * 10 + digits.get(at + 1)?);
    let (first, second) = (i8::try_from(pair(0)?).ok()?, i8::try_from(pair(2)?).ok()?);
    let (month, day) = calendar.month_and_day(first, second);
    let year = match digits.len() {
        8 => i16::try_from(pair(4)? * 100 + pair(6)?).ok()?,
        6 => short_year(i16::try_from(pair(4)?).ok()?, calendar),
        _ => return None,
    };
    let date = real(year, month, day, calendar)?;
    Some(Read { date, named: false, gap: false, taken: digits.len() })
}

/// The year behind month and day, and whether other words stand before it.
fn year_behind(tokens: &[Token], calendar: Calendar) -> Option<(i16, bool)> {
    let gap = tokens.iter().take_while(|token| **token == Token::Gap).count();
    if gap > GAP_MAX {
        return None;
    }
    let (year, taken) = year_at(&tokens[gap..], calendar)?;
    // "October second, nineteen, uh": the century is not the year.
    let century = matches!(&tokens[gap..], [Token::Number(number, false, _)] if taken == 1 && matches!(number.value, 19 | 20) && !number.ordinal);
    (!century).then_some((year, gap > 0))
}

/// A year that begins here, and how many tokens it takes: 1953, "nineteen fifty three", "twenty oh four",
/// "one nine five three", or two digits.
fn year_at(tokens: &[Token], calendar: Calendar) -> Option<(i16, usize)> {
    let number = |at: usize| {
        let number = tokens.get(at).and_then(Token::number).filter(|number| !number.ordinal)?;
        i16::try_from(number.value).ok()
    };
    let first = number(0)?;
    match (first, number(1), number(2), number(3)) {
        (1000.., ..) => Some((first, 1)),
        (19 | 20, Some(0), Some(unit @ 0..=9), _) => Some((first * 100 + unit, 3)),
        (19 | 20, Some(short @ 10..=99), ..) => Some((first * 100 + short, 2)),
        (1..=2, Some(b @ 0..=9), Some(c @ 0..=9), Some(d @ 0..=9)) => {
            Some((first * 1000 + b * 100 + c * 10 + d, 4))
        }
        (tens @ 0..=9, Some(unit @ 0..=9), ..) => Some((short_year(tens * 10 + unit, calendar), 2)),
        (0..=99, ..) => Some((short_year(first, calendar), 1)),
        _ => None,
    }
}

/// Two digits are of this century unless that lies ahead.
fn short_year(short: i16, calendar: Calendar) -> i16 {
    let current = calendar.today.year();
    let this_century = current - current % 100 + short;
    if this_century > current { this_century - 100 } else { this_century }
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
            let year = if *short < 100 { short_year(*short, calendar) } else { *short };
            let (first, second) = (i8::try_from(*month).ok()?, i8::try_from(*day).ok()?);
            let (month, day) = calendar.month_and_day(first, second);
            days.extend(real(year, month, day, calendar));
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
    fn a_month_that_was_lost_is_not_made_up_and_one_that_sounds_like_it_is_heard() {
        let calendar = Calendar { today: date(2026, 11, 23), order: DateOrder::MonthDay };
        assert_eq!(parse("14, 1961", calendar), None);
        assert_eq!(parse("A 14 1961", calendar), Some(date(1961, 5, 14)));
    }

    #[test]
    fn spoken_forms() {
        for (said, expected) in [
            ("may two, nineteen fifty three", date(1953, 5, 2)),
            ("five, two, fifty three", date(1953, 5, 2)),
            ("eighty nine, the thirtieth of the ninth", date(1989, 9, 30)),
            ("born in fifty eight, the third of october", date(1958, 10, 3)),
            ("may the fourth be with you, ninety one", date(1991, 5, 4)),
            ("aw gust, uh, eighteen, nineteen, uh, forty nine", date(1949, 8, 18)),
            ("valentine's, two thousand and won", date(2001, 2, 14)),
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
            ("april fools the first nineteen sixty five", date(1965, 4, 1)),
            ("seventeenth of march, paddy's day, fifty six", date(1956, 3, 17)),
            ("leap day nineteen fifty two so I'm only eighteen really", date(1952, 2, 29)),
            ("nineteen sixty seven, eleven, thirtieth", date(1967, 11, 30)),
            ("nineteen seventy, october twenty sixth", date(1970, 10, 26)),
            ("zero seven one eight eight three", date(1983, 7, 18)),
            ("uh fourth. the fourth of uh, june. ninety three", date(1993, 6, 4)),
            ("twelve, december twelve, eighty ate", date(1988, 12, 12)),
            (
                "due on the first of march and came the fourteenth of february, 2021",
                date(2021, 2, 14),
            ),
            ("the third of the ninth sixty eight", date(1968, 9, 3)),
            ("march, uh, nine, no nineteen, march nineteen, seventy seven", date(1977, 3, 19)),
            ("April second, fifty eight, strike that, fifty nine", date(1959, 4, 2)),
            ("fifth of november, remember remember, fifty eight", date(1958, 11, 5)),
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
            "it is March 17, 1967 or March 18, 1967 or March 19, 1967",
            "March nineteenth or twentieth, nineteen sixty six",
            "october second, nineteen, uh",
            "may nineteen seventy something",
            "august something twenty fourteen",
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

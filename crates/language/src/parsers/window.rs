//! "In the last four weeks?" – "The last was in May": a time that lies before the one that is asked about.

use jiff::ToSpan;
use jiff::civil::Date;
use radline_dialogue::words::{contains, split};

use super::birth_date;
use super::numbers;

/// What goes on, has come back, or is to come: then a time in the past says nothing of the time asked about.
const GOES_ON: &[&str] = &[
    "now",
    "still",
    "today",
    "yesterday",
    "tonight",
    "recently",
    "lately",
    "currently",
    "ongoing",
    "again",
    "since",
    "until",
    "till",
    "this week",
    "this month",
    "last week",
    "last night",
    "this morning",
    "last few",
    "next",
    "will",
    "going to",
    "every",
    "and then",
    "other day",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// It has not come back.
const OVER: &[&str] =
    &["nothing since", "none since", "not since", "no more since", "nothing more since"];

/// Whether everything that the answer dates lies before the time that the question asks about. `today` is the
/// local day of the call.
pub fn is_before(asked: &str, said: &str, today: Date) -> bool {
    let Some(begin) = asked_about(&split(asked), today) else { return false };
    let words = split(said);
    // "Done in May, nothing since".
    let over = OVER.iter().any(|phrase| contains(&words, phrase));
    let since = |phrase: &str| phrase == "since" && over;
    if GOES_ON.iter().any(|phrase| contains(&words, phrase) && !since(phrase)) {
        return false;
    }
    let ends: Vec<Date> = (0..words.len()).filter_map(|at| end_of(&words, at, today)).collect();
    !ends.is_empty() && ends.iter().all(|end| *end < begin)
}

/// The first day of "in the last four weeks".
fn asked_about(asked: &[String], today: Date) -> Option<Date> {
    let at = asked.windows(2).position(|pair| pair[0] == "the" && pair[1] == "last")? + 2;
    let (number, taken) = numbers::read(asked.get(at..)?)?;
    back(today, i64::from(number.value), asked.get(at + taken)?)
}

/// The day so many units before another.
fn back(today: Date, count: i64, unit: &str) -> Option<Date> {
    let span = match unit.strip_suffix('s').unwrap_or(unit) {
        "day" => count.days(),
        "week" => count.weeks(),
        "month" => count.months(),
        "year" => count.years(),
        _ => return None,
    };
    today.checked_sub(span).ok()
}

/// The last day of the time that begins with a word: "May", "2019", "last year", "two months ago".
fn end_of(words: &[String], at: usize, today: Date) -> Option<Date> {
    let word = words[at].as_str();
    let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
    let after = words.get(at + 1).map_or("", String::as_str);
    // "May" is a month behind a word that makes it one.
    let dated = ["in", "last", "of", "early", "late", "was", "around", "about", "mid", "since"];
    if let Some(month) = birth_date::month(word)
        && (word != "may" || dated.contains(&before))
    {
        return past_month(month, today);
    }
    if word == "last" && after == "year" {
        return Date::new(today.year() - 1, 12, 31).ok();
    }
    if word.len() == 4
        && let Ok(year) = word.parse::<i16>()
        && (today.year() - 99..today.year()).contains(&year)
    {
        return Date::new(year, 12, 31).ok();
    }
    if after == "ago" && ["years", "ages", "decades"].contains(&word) && !counted(before) {
        return back(today, 2, "years");
    }
    ago(words, at, today)
}

/// Whether the word counts the years behind it, which are read from there.
fn counted(word: &str) -> bool {
    ["a", "an", "couple", "few"].contains(&word) || numbers::read(&[word.to_owned()]).is_some()
}

/// "Two months ago", "a year ago", "a couple of months back".
fn ago(words: &[String], at: usize, today: Date) -> Option<Date> {
    let (count, taken) = match words[at].as_str() {
        "a" | "an" if words.get(at + 1).is_some_and(|word| word == "couple") => (2, 2),
        "a" | "an" if words.get(at + 1).is_some_and(|word| word == "few") => (3, 2),
        "a" | "an" => (1, 1),
        _ => {
            let (number, taken) = numbers::read(&words[at..])?;
            (i64::from(number.value), taken)
        }
    };
    let mut rest = words[at + taken..].iter().skip_while(|word| *word == "of");
    let unit = rest.next()?;
    let past = rest.next().is_some_and(|word| word == "ago" || word == "back");
    // "Two years ago" may be a little less.
    past.then(|| back(today, count, unit)).flatten()
}

/// The last day of the month that was last.
fn past_month(month: i8, today: Date) -> Option<Date> {
    let year = if month <= today.month() { today.year() } else { today.year() - 1 };
    Date::new(year, month, 1).ok().map(Date::last_of_month)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const WEEKS: &str = "Did you have chemotherapy in the last four weeks?";

    #[test]
    fn times_before_the_time_asked_about() {
        let before = |said| is_before(WEEKS, said, date(2026, 11, 23));
        for said in [
            "chemo, six rounds, the last was in may",
            "finished in 2019",
            "that was two months ago",
            "a couple of years ago",
            "chemo years ago",
            "last year, the radiation",
            "the last in september",
            "five weeks back",
            "the chemo was done in may, no radiation, nothing since",
        ] {
            assert!(before(said), "{said}");
        }
        for said in [
            "two weeks ago",
            "in november",
            "chemo in may and again on friday",
            "since may",
            "chemo in may, radiation ten days ago",
            "it may be",
            "yes",
            "until october",
            "three weeks ago",
            "every month since 2024",
            "six rounds",
        ] {
            assert!(!before(said), "{said}");
        }
        assert!(!is_before("Are you pregnant?", "that was in may", date(2026, 11, 23)));
    }
}

//! Wishes for a day and a time: "next Wednesday, not before ten", "the week after, mornings".
//!
//! A wish holds only what the words fix. "Friday" is a weekday of no particular week, "this
//! Friday" and "the fourth of December" are dates. Hours without a.m. or p.m. are taken between
//! 7:00 and 18:59, when departments see patients.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use radline_dialogue::words::{self, contains};
use radline_dialogue::{PartOfDay, TimeWish};

use super::birth_date::month;
use super::busy_days::is_busy;
use super::misheard;
use super::named_days::{COUNTED, with_days_named};
use super::numbers::{self, Number};

/// Phrases that leave the choice to us.
const ANY: &[&str] = &[
    "any time",
    "anytime",
    "any day",
    "whenever",
    "as soon as possible",
    "asap",
    "earliest",
    "soonest",
    "first available",
    "first one you have",
    "first you have",
    "next available",
    "doesnt matter",
    "dont mind",
    "dont care",
    "im flexible",
    "you choose",
    "you pick",
    "either",
    "whatever",
    "any of them",
    "any of those",
];

/// Reads a wish. `today` is the day of the call. `None` when the words name no day and no time;
/// an empty wish when they leave the choice to us.
pub fn parse(text: &str, today: Date) -> Option<TimeWish> {
    let words = with_days_named(&misheard::days(&words::split(text)));
    let words = with_thanksgiving(words, today);
    let mut reader = Reader { words: &words, today, wish: TimeWish::default(), found: false };
    let mut at = 0;
    while at < words.len() {
        at += reader.step(at).max(1);
    }
    let found = reader.found;
    let wish = reader.wish;
    let open = ANY.iter().any(|phrase| contains(&words, phrase));
    (found || open).then_some(wish)
}

/// Thanksgiving is the fourth Thursday of November; the day after it has a name of its own.
fn with_thanksgiving(words: Vec<String>, today: Date) -> Vec<String> {
    let of = |year: i16| {
        let first = Date::new(year, 11, 1).ok()?;
        let ahead = first.weekday().until(Weekday::Thursday);
        first.checked_add((i64::from(ahead) + 21).days()).ok()
    };
    let coming = [today.year(), today.year() + 1].into_iter().filter_map(of);
    let Some(day) = coming.into_iter().find(|day| *day >= today) else { return words };
    let after = words.windows(2).any(|pair| pair == ["after", "thanksgiving"]);
    let before = words.windows(2).any(|pair| pair == ["before", "thanksgiving"]);
    let number = day.day() + i8::from(after) - i8::from(before);
    let plain = |word: String| match word.as_str() {
        "thanksgiving" => vec!["november".to_owned(), number.to_string()],
        _ => vec![word],
    };
    words.into_iter().flat_map(plain).collect()
}

/// Words that tell of something else than the appointment: of the past, or of another errand.
const ELSEWHEN: &[&str] = &[
    "last",
    "ago",
    "since",
    "yesterday",
    "was",
    "were",
    "had",
    "saw",
    "seen",
    "told",
    "said",
    "ordered",
    "referred",
    "fell",
    "started",
    "came",
    "went",
    "did",
    "got",
    "rang",
    "called",
    "born",
    "years",
];

/// A wish in words that tell a story beside it, at the beginning of a call: only clauses that are not
/// about the past count.
pub fn of_an_appointment(text: &str, today: Date) -> Option<TimeWish> {
    let clauses = text.split([',', '.', ';', '?', '!']);
    let told =
        |clause: &&str| words::split(clause).iter().any(|word| ELSEWHEN.contains(&word.as_str()));
    let rest: Vec<&str> = clauses.filter(|clause| !told(clause)).collect();
    parse(&rest.join(", "), today)
}

struct Reader<'a> {
    words: &'a [String],
    today: Date,
    wish: TimeWish,
    found: bool,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |at| self.word(at))
    }

    /// Takes what begins at this word; returns how many words that took, 0 for none.
    fn step(&mut self, at: usize) -> usize {
        self.relative_day(at)
            .or_else(|| self.weekday(at))
            .or_else(|| self.month_and_day(at))
            .or_else(|| self.part_of_day(at))
            .or_else(|| self.clock(at))
            .or_else(|| self.day_of_month(at))
            .unwrap_or(0)
    }

    fn set_date(&mut self, date: Option<Date>) {
        if let Some(date) = date {
            (self.wish.date, self.wish.weekday, self.found) = (Some(date), None, true);
        }
    }

    fn relative_day(&mut self, at: usize) -> Option<usize> {
        let rest = &self.words[at..];
        let (days, taken) = match self.word(at) {
            "today" if self.before(at, 1) == "week" => (7, 1),
            "today" | "tonight" => (0, 1),
            "tomorrow" if self.before(at, 1) == "after" => (2, 1),
            "tomorrow" if self.before(at, 1) == "week" => (8, 1),
            "tomorrow" => (1, 1),
            _ => {
                // "in ten days", "ten days from now", "two weeks from today".
                let (number, taken) = match self.word(at) {
                    "a" => (1, 1),
                    _ => numbers::read(rest).map(|(number, taken)| (number.value, taken))?,
                };
                let unit = match self.word(at + taken) {
                    "day" | "days" => 1,
                    "week" | "weeks" => 7,
                    "fortnight" | "fortnights" => 14,
                    _ => return None,
                };
                let days = i64::from(number) * unit;
                let behind = at + taken + 1;
                let from = match (self.word(behind), self.word(behind + 1)) {
                    ("from", "now" | "today") => Some(0),
                    ("from", "tomorrow") => Some(1),
                    // "A week on Friday", "a fortnight on Wednesday".
                    ("on", day) => weekday(day).map(|day| self.until(day)),
                    _ => None,
                };
                let hence = self.before(at, 1) == "in";
                if from.is_none() && !hence {
                    return None;
                }
                (days + from.unwrap_or(0), taken + 1 + if from.is_some() { 2 } else { 0 })
            }
        };
        self.set_date(self.today.checked_add(days.days()).ok());
        Some(taken)
    }

    /// Days until the next such weekday; a week if it is today.
    fn until(&self, day: Weekday) -> i64 {
        let until = i64::from(self.today.weekday().until(day));
        if until == 0 { 7 } else { until }
    }

    fn weekday(&mut self, at: usize) -> Option<usize> {
        let day = weekday(self.word(at))?;
        // "Any day but a Monday, Mondays I work": why it is none is no wish for it.
        if self.wish.not_weekday == Some(day) {
            return Some(1);
        }
        let excluded = ["not", "but", "except", "bar", "barring", "excepting", "no", "never"];
        let before = [self.before(at, 1), self.before(at, 2), self.before(at, 3)];
        let busy = is_busy(self.words, at);
        if busy || before.iter().take(2).any(|word| excluded.contains(word)) {
            self.wish.not_weekday = Some(day);
            self.found = true;
            return Some(1);
        }
        // "The roster is not out till Sunday".
        if ["till", "until", "til"].contains(&before[0]) {
            return Some(1);
        }
        let until = self.until(day);
        // "Next Wednesday" is the one of the following week, whatever today is.
        let monday = self.today.weekday().since(Weekday::Monday);
        let of_next_week = 7 - i64::from(monday) + i64::from(day.since(Weekday::Monday));
        // "Wednesday morning next week".
        let part = ["morning", "afternoon", "evening"].contains(&self.word(at + 1));
        let behind = at + 1 + usize::from(part);
        let week = self.word(behind + 1) == "week";
        let of_next = self.word(behind) == "of" && self.word(behind + 1) == "next";
        let days = match (before[0], self.word(behind)) {
            ("next", _) => Some(of_next_week),
            ("week", _) if before[1] == "next" => Some(of_next_week),
            (_, "next") if week => Some(of_next_week),
            (_, "of") if of_next && self.word(behind + 2) == "week" => Some(of_next_week),
            (_, "week") => Some(until + 7),
            (_, "fortnight") => Some(until + 14),
            ("this" | "coming", _) => Some(until),
            (_, "this") if week => Some(until),
            _ => None,
        };
        match days {
            Some(days) => self.set_date(self.today.checked_add(days.days()).ok()),
            // A date that was named already says more than its weekday.
            None if self.wish.date.is_some_and(|date| date.weekday() == day) => {}
            None => (self.wish.weekday, self.wish.date, self.found) = (Some(day), None, true),
        }
        Some(1)
    }

    /// "December fourth", "the fourth of December", "12/4" is left to the clock's neighbour.
    fn month_and_day(&mut self, at: usize) -> Option<usize> {
        if let Some(month) = month(self.word(at)) {
            let skip = usize::from(self.word(at + 1) == "the");
            let (day, taken) = numbers::read(self.words.get(at + 1 + skip..)?)?;
            if !(1..=31).contains(&day.value) || self.is_clock(at + 1 + skip, taken) {
                return None;
            }
            self.set_date(self.coming(month, day.value));
            return Some(1 + skip + taken);
        }
        let (day, taken) = numbers::read(&self.words[at..])?;
        let of = usize::from(self.word(at + taken) == "of");
        let the = usize::from(of == 1 && self.word(at + taken + of) == "the");
        let behind = at + taken + of + the;
        // "The fourth of the twelfth".
        let counted = || {
            let (month, more) = numbers::read(self.words.get(behind..)?)?;
            let fits = the == 1 && day.ordinal && month.ordinal && month.value <= 12;
            fits.then_some((i8::try_from(month.value).ok()?, more))
        };
        let (month, more) = month(self.word(behind)).map(|month| (month, 1)).or_else(counted)?;
        self.set_date(self.coming(month, day.value));
        Some(taken + of + the + more)
    }

    /// The next such day, this year or the following one.
    fn coming(&self, month: i8, day: u32) -> Option<Date> {
        let day = i8::try_from(day).ok()?;
        let this_year = Date::new(self.today.year(), month, day).ok()?;
        if this_year >= self.today {
            return Some(this_year);
        }
        Date::new(self.today.year() + 1, month, day).ok()
    }

    /// "The fourteenth": the next one, in this month or the following.
    fn day_of_month(&mut self, at: usize) -> Option<usize> {
        let (day, taken) = numbers::read(&self.words[at..])?;
        let led = ["the", "on", "say", "me"].contains(&self.before(at, 1));
        let hour = self.word(at + taken + 1) == "oclock";
        let counts = COUNTED.contains(&self.word(at + taken)) && !hour;
        let excluded = ["not", "but", "except", "until", "till"].contains(&self.before(at, 2));
        if !day.ordinal || !led || excluded || counts {
            return None;
        }
        let day = i8::try_from(day.value).ok()?;
        let first = self.today.first_of_month();
        let candidates = (0..3).filter_map(|months| {
            let month = first.checked_add(months.months()).ok()?;
            Date::new(month.year(), month.month(), day).ok()
        });
        let next = candidates.into_iter().find(|date| *date >= self.today);
        self.set_date(next);
        Some(taken)
    }

    fn part_of_day(&mut self, at: usize) -> Option<usize> {
        let (part, named) = match self.word(at) {
            "morning" | "mornings" if self.word(at + 2).starts_with("afternoon") => {
                // "Morning or afternoon" is any time of the day.
                self.found = true;
                return Some(3);
            }
            "morning" | "mornings" => (PartOfDay::Morning, true),
            "afternoon" | "afternoons" | "lunchtime" => (PartOfDay::Afternoon, true),
            "evening" | "evenings" | "tonight" => (PartOfDay::Evening, true),
            "early" => (PartOfDay::Morning, false),
            "late" => (PartOfDay::Afternoon, false),
            _ => return None,
        };
        let before = [self.before(at, 1), self.before(at, 2), self.before(at, 3)];
        let greeting = before[0] == "good";
        // "Ten in the morning" has its hour already; "not early" asks for the opposite, which the
        // caller then names.
        let of_a_time = before[0] == "the" && before[1] == "in" && self.wish_has_hour();
        let denied = before.iter().take(2).any(|word| ["not", "no", "cant", "but"].contains(word));
        if !greeting && !of_a_time && !denied && (named || self.wish.part_of_day.is_none()) {
            (self.wish.part_of_day, self.found) = (Some(part), true);
        }
        Some(1)
    }

    fn wish_has_hour(&self) -> bool {
        let wish = &self.wish;
        wish.time.is_some() || wish.not_before.is_some() || wish.not_after.is_some()
    }

    fn clock(&mut self, at: usize) -> Option<usize> {
        let (time, taken) = self.time_at(at)?;
        let bound = self.bound_before(at).or_else(|| self.bound_behind(at + taken));
        let marked = self.marked(at, taken);
        if bound.is_none() && !marked {
            return None;
        }
        match bound {
            Some(Bound::NotBefore) => self.wish.not_before = Some(time),
            Some(Bound::NotAfter) => self.wish.not_after = Some(time),
            None => self.wish.time = Some(time),
        }
        self.found = true;
        Some(taken)
    }

    /// Whether the number at this place is a time of day rather than a day of the month.
    fn is_clock(&self, at: usize, taken: usize) -> bool {
        ["am", "pm", "oclock"].contains(&self.word(at + taken)) || self.word(at).contains(':')
    }

    /// Whether words around the number say that it is a time.
    fn marked(&self, at: usize, taken: usize) -> bool {
        let (before, end) = (self.before(at, 1), self.word(at + taken - 1));
        // "Make one appointment" counts.
        let counts = self.word(at + taken) == "appointment";
        let lead = !counts && ["at", "around", "about", "say", "make"].contains(&before)
            || before == "the" && end == "oclock"
            || before == "it" && self.before(at, 2) == "make";
        let own = self.word(at).contains(':')
            || ["am", "pm", "oclock", "noon", "midday"].contains(&end)
            || end == "m" && taken > 1
            || ["half", "quarter", "noon", "midday"].contains(&self.word(at))
            || self.minutes_past(at).is_some_and(|(_, long)| long == taken);
        // "Four fifteen" is a time where "four" alone may be anything.
        let minutes = taken == 2 && !self.is_clock(at, 1);
        let tail = self.word(at + taken) == "in" && self.word(at + taken + 1) == "the"
            || ["tomorrow", "today"].contains(&self.word(at + taken));
        let whole = taken == self.words.len();
        lead || own || minutes || tail || whole
    }

    /// "Ten past eleven", "twenty to nine"; the minutes alone tell of no hour.
    fn minutes_past(&self, at: usize) -> Option<(Time, usize)> {
        let (minutes, taken) = numbers::read(&self.words[at..])?;
        let before_the_hour = match self.word(at + taken) {
            "past" => false,
            "to" | "till" => true,
            _ => return None,
        };
        if ![5, 10, 20, 25].contains(&minutes.value) {
            return None;
        }
        let behind = at + taken + 1;
        let (hour, more) = numbers::read(self.words.get(behind..)?)?;
        let half = self.half_of_day(behind + more);
        let hour = clock_time(hour.value, 0, half).filter(|_| hour.value <= 12)?;
        let minutes = i64::from(minutes.value);
        let offset = if before_the_hour { -minutes } else { minutes };
        let taken = taken + 1 + more + usize::from(half.is_some());
        Some((hour.checked_add(offset.minutes()).ok()?, taken))
    }

    /// A time of day that begins at this word, and how many words it takes.
    fn time_at(&self, at: usize) -> Option<(Time, usize)> {
        match self.word(at) {
            "noon" | "midday" => return Some((Time::constant(12, 0, 0, 0), 1)),
            "half" | "quarter" => return self.fraction(at),
            _ => {}
        }
        if let Some(read) = self.minutes_past(at) {
            return Some(read);
        }
        if let Some((hour, minute)) = self.word(at).split_once(':') {
            let half = self.half_of_day(at + 1);
            let time = clock_time(hour.parse().ok()?, minute.parse().ok()?, half)?;
            return Some((time, 1 + usize::from(half.is_some())));
        }
        if let Some(glued) = glued(self.word(at)) {
            return Some((glued, 1));
        }
        let (hour, mut taken) = numbers::read(&self.words[at..])?;
        if hour.ordinal {
            return None;
        }
        let (hour, mut minute) = split_written(hour)?;
        if minute == 0 {
            let next = self.words.get(at + taken..).and_then(numbers::read);
            match next {
                Some((Number { value: 0, .. }, 1)) => {
                    let unit = self.words.get(at + taken + 1..).and_then(numbers::read);
                    if let Some((unit, 1)) = unit.filter(|(unit, _)| unit.value < 10) {
                        (minute, taken) = (unit.value, taken + 2);
                    }
                }
                Some((next, more)) if (10..60).contains(&next.value) && !next.ordinal => {
                    (minute, taken) = (next.value, taken + more);
                }
                _ => {}
            }
        }
        taken += usize::from(self.word(at + taken) == "oclock");
        let half = self.half_of_day(at + taken);
        let long = match (half, self.word(at + taken)) {
            (Some(_), "in") => 3,
            (Some(_), "a" | "p") => 2,
            (Some(_), _) => 1,
            (None, _) => 0,
        };
        Some((clock_time(hour, minute, half)?, taken + long))
    }

    /// "Half past nine", "quarter to ten".
    fn fraction(&self, at: usize) -> Option<(Time, usize)> {
        let minutes = if self.word(at) == "half" { 30 } else { 15 };
        let before_the_hour = match self.word(at + 1) {
            "past" | "after" => false,
            "to" | "of" | "till" => true,
            // "Half two" is half past, where it is said at all.
            _ if minutes == 30 => return self.half_hour(at),
            _ => return None,
        };
        let (hour, taken) = numbers::read(self.words.get(at + 2..)?)?;
        let half = self.half_of_day(at + 2 + taken);
        let hour = clock_time(hour.value, 0, half)?;
        let offset = if before_the_hour { -minutes } else { minutes };
        Some((hour.checked_add(offset.minutes()).ok()?, 2 + taken + usize::from(half.is_some())))
    }

    /// "Half two", "half nine in the morning".
    fn half_hour(&self, at: usize) -> Option<(Time, usize)> {
        let (hour, taken) = numbers::read(self.words.get(at + 1..)?)?;
        let half = self.half_of_day(at + 1 + taken);
        let time =
            clock_time(hour.value, 30, half).filter(|_| hour.value <= 12 && !hour.ordinal)?;
        Some((time, 1 + taken + usize::from(half.is_some())))
    }

    /// Whether "a.m.", "in the afternoon" and the like follow: true for the second half.
    fn half_of_day(&self, at: usize) -> Option<bool> {
        match (self.word(at), self.word(at + 1), self.word(at + 2)) {
            ("am", _, _) | ("a", "m", _) | ("in", "the", "morning") => Some(false),
            ("pm", _, _) | ("p", "m", _) | ("in", "the", "afternoon" | "evening") => Some(true),
            _ => None,
        }
    }

    fn bound_before(&self, at: usize) -> Option<Bound> {
        // "I can't get there before six" is from six on.
        let denied = (2..=DENIED_BEFORE).any(|back| DENIALS.contains(&self.before(at, back)));
        match (self.before(at, 1), denied) {
            ("before", true) => return Some(Bound::NotBefore),
            ("after" | "past", true) => return Some(Bound::NotAfter),
            _ => {}
        }
        match (self.before(at, 2), self.before(at, 1)) {
            ("not" | "no" | "nothing", "after") | ("later", "than") => Some(Bound::NotAfter),
            ("not" | "no" | "nothing", "before")
            | ("earlier", "than")
            | (_, "after" | "from" | "between" | "past" | "since") => Some(Bound::NotBefore),
            (_, "before" | "by" | "until" | "till" | "til" | "to") => Some(Bound::NotAfter),
            (_, "and") if self.wish.not_before.is_some() => Some(Bound::NotAfter),
            _ => None,
        }
    }

    /// "Six or later", "six, so straight after", "two onwards", "nine at the latest".
    fn bound_behind(&self, at: usize) -> Option<Bound> {
        match (self.word(at), self.word(at + 1), self.word(at + 2)) {
            ("onwards" | "onward", _, _)
            | ("or" | "and", "later" | "after", _)
            | ("so", "after", _)
            | ("and" | "so", "straight" | "right" | "just" | "any" | "anytime", "after") => {
                Some(Bound::NotBefore)
            }
            ("or", "earlier" | "before" | "sooner", _) | ("at", "the", "latest") => {
                Some(Bound::NotAfter)
            }
            _ => None,
        }
    }
}

/// Words that deny the bound behind them, and how far before it they may stand.
const DENIALS: &[&str] = &["cant", "cannot", "dont", "wont", "couldnt", "unable", "never", "not"];
const DENIED_BEFORE: usize = 5;

#[derive(Clone, Copy)]
enum Bound {
    NotBefore,
    NotAfter,
}

/// "930", "1415" as recognisers write hours and minutes without a colon; a plain hour otherwise.
fn split_written(number: Number) -> Option<(u32, u32)> {
    match number.digits {
        1 | 2 => Some((number.value, 0)),
        3 | 4 => Some((number.value / 100, number.value % 100)),
        _ => None,
    }
}

/// "2pm", "10am", "930am".
fn glued(word: &str) -> Option<Time> {
    let (digits, half) = word
        .strip_suffix("am")
        .map(|digits| (digits, false))
        .or_else(|| word.strip_suffix("pm").map(|digits| (digits, true)))?;
    let value: u32 = digits.parse().ok()?;
    let (hour, minute) = split_written(Number { value, digits: digits.len(), ordinal: false })?;
    clock_time(hour, minute, Some(half))
}

/// A time from hour, minute and half of the day; between 7:00 and 18:59 when that is not said.
fn clock_time(hour: u32, minute: u32, second_half: Option<bool>) -> Option<Time> {
    let hour = match (hour, second_half) {
        (12, Some(false)) => 0,
        (1..=11, Some(true)) | (1..=6, None) => hour + 12,
        _ => hour,
    };
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

/// The weekday that a word names.
pub fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" | "wedneday" => Weekday::Wednesday,
        "thursday" | "thur" | "thu" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

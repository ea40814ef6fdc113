//! Days of the year that have names, and numbers that are no days.

/// Days that have names, as month and day. Where a day moves or differs by country it is not here.
const NAMED_DAYS: &[(&[&str], &str)] = &[
    (&["new", "years", "eve"], "december 31"),
    (&["new", "years", "day"], "january 1"),
    (&["new", "year", "day"], "january 1"),
    (&["groundhog", "day"], "february 2"),
    (&["valentines", "day"], "february 14"),
    (&["valentine", "day"], "february 14"),
    (&["valentines"], "february 14"),
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

/// What an ordinal counts when it is no day: "the second half", "the first one you have".
pub(super) const COUNTED: &[&str] = &[
    "one",
    "of",
    "week",
    "time",
    "thing",
    "slot",
    "option",
    "available",
    "you",
    "half",
    "exit",
    "floor",
    "picture",
    "pictures",
    "minute",
    "opinion",
    "scan",
    "left",
    "right",
    "door",
    "turn",
    "dose",
    "choice",
    "appointment",
    "child",
    "baby",
    "test",
    "place",
    "part",
    "opening",
    "day",
    "chance",
];

/// The words with named days said plainly.
pub(super) fn with_days_named(words: &[String]) -> Vec<String> {
    let (mut plain, mut at) = (Vec::with_capacity(words.len()), 0);
    while at < words.len() {
        let named = NAMED_DAYS.iter().find(|(name, _)| {
            words[at..].len() >= name.len() && words[at..].iter().zip(*name).all(|(a, b)| a == b)
        });
        if let Some((name, day)) = named {
            plain.extend(day.split(' ').map(str::to_owned));
            at += name.len();
        } else {
            plain.push(words[at].clone());
            at += 1;
        }
    }
    plain
}

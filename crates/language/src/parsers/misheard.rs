//! Words as recognisers write them down: split into others that they know better, or for others that sound alike.

use super::name;

/// Words in a row, and what they stand for.
type Mending = (&'static [&'static str], &'static str);

/// What is written for days and times.
const DAYS: &[Mending] = &[
    (&["mun", "day"], "monday"),
    (&["do", "stay"], "tuesday"),
    (&["choose", "day"], "tuesday"),
    (&["chews", "day"], "tuesday"),
    (&["twos", "day"], "tuesday"),
    (&["wins", "day"], "wednesday"),
    (&["whens", "day"], "wednesday"),
    (&["thirst", "day"], "thursday"),
    (&["thurs", "day"], "thursday"),
    (&["fry", "day"], "friday"),
    (&["fried", "day"], "friday"),
    (&["fort", "night"], "fortnight"),
    (&["o", "clock"], "oclock"),
    (&["a", "clock"], "oclock"),
    (&["necks", "week"], "next week"),
    (&["necks", "monday"], "next monday"),
    (&["necks", "tuesday"], "next tuesday"),
    (&["necks", "wednesday"], "next wednesday"),
    (&["necks", "thursday"], "next thursday"),
    (&["necks", "friday"], "next friday"),
    (&["mourning"], "morning"),
    (&["mournings"], "mornings"),
    (&["arvo"], "afternoon"),
    (&["after", "noon"], "afternoon"),
];

/// What is written for months.
const MONTHS: &[Mending] = &[(&["aw", "gust"], "august"), (&["a", "gust"], "august")];

/// What is written for exams, and for what is examined.
const EXAMS: &[Mending] = &[
    (&["see", "tea"], "ct"),
    (&["sea", "tea"], "ct"),
    (&["see", "tee"], "ct"),
    (&["cee", "tee"], "ct"),
    (&["em", "are", "eye"], "mri"),
    (&["m", "are", "i"], "mri"),
    (&["em", "are", "i"], "mri"),
    (&["eggs", "ray"], "xray"),
    (&["ex", "ray"], "xray"),
    (&["memo", "gram"], "mammogram"),
    (&["mama", "gram"], "mammogram"),
    (&["mammo", "gram"], "mammogram"),
    (&["ultra", "sound"], "ultrasound"),
    (&["my", "nee"], "my knee"),
    (&["left", "nee"], "left knee"),
    (&["right", "nee"], "right knee"),
    (&["lo", "back"], "low back"),
    (&["the", "write"], "the right"),
    (&["write", "one"], "right one"),
    // "Hello pet" is no scan.
    (&["hello", "pet"], "hello"),
    (&["hiya", "pet"], "hiya"),
    (&["thanks", "pet"], "thanks"),
    (&["morning", "pet"], "morning"),
];

/// The words of a day and a time, mended.
pub(super) fn days(words: &[String]) -> Vec<String> {
    mended(words, DAYS)
}

/// The words of a date, mended.
pub(super) fn months(words: &[String]) -> Vec<String> {
    mended(words, MONTHS)
}

/// The words about an exam, mended.
pub(super) fn exams(words: &[String]) -> Vec<String> {
    mended(words, EXAMS)
}

/// Words that are said without their last letter, written out: "tryin to find the parkin".
pub(crate) fn endings(text: &str) -> String {
    let whole = |word: &str| {
        let bare = word.trim_end_matches(['\'', '’', ',', '.', '?', '!']);
        let lower = bare.to_lowercase();
        let known = |word: &str| name::common().contains(word);
        let dropped = lower.ends_with("in") && known(&format!("{lower}g"));
        // "Begin" and "cabin" are words of their own, and "mornin" was written so often that it counts as one.
        let own = known(&lower) && lower != "mornin";
        if dropped && !own { format!("{bare}g{}", &word[bare.len()..]) } else { word.to_owned() }
    };
    text.split(' ').map(whole).collect::<Vec<_>>().join(" ")
}

fn mended(words: &[String], list: &[Mending]) -> Vec<String> {
    let (mut plain, mut at) = (Vec::with_capacity(words.len()), 0);
    while at < words.len() {
        let stands = |(heard, _): &&Mending| {
            words[at..].len() >= heard.len() && words[at..].iter().zip(*heard).all(|(a, b)| a == b)
        };
        if let Some((heard, meant)) = list.iter().find(stands) {
            plain.extend(meant.split(' ').map(str::to_owned));
            at += heard.len();
        } else {
            plain.push(words[at].clone());
            at += 1;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use radline_dialogue::words::split;

    use super::*;

    #[test]
    fn what_sounds_alike_is_mended_where_it_can_be_nothing_else() {
        let days = |text: &str| days(&split(text)).join(" ");
        assert_eq!(days("a fort night from chews day"), "a fortnight from tuesday");
        assert_eq!(days("friday mourning at ten a clock"), "friday morning at ten oclock");
        let exams = |text: &str| exams(&split(text)).join(" ");
        assert_eq!(exams("hello pet, a see tea of my nee"), "hello a ct of my knee");
        assert_eq!(exams("a pet scan"), "a pet scan");
    }

    #[test]
    fn dropped_letters_are_written_out() {
        let said = "good mornin, i'm tryin to find the parkin, Martin. begin";
        assert_eq!(endings(said), "good morning, i'm trying to find the parking, Martin. begin");
    }
}

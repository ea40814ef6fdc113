//! Spoken and written numbers.

use radline_dialogue::{wording, words};

/// A number found in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Its value.
    pub value: u32,
    /// Digits as written or implied: "05" and "oh five" differ from "5".
    pub digits: usize,
    /// Said as an ordinal ("third", "3rd").
    pub ordinal: bool,
}

/// What one word contributes.
enum Atom {
    Unit(u32),
    Teen(u32),
    Ten(u32),
    Hundred,
    Thousand,
}

fn atom(word: &str) -> Option<(Atom, bool)> {
    let named = |value: u32| match value {
        0..10 => Atom::Unit(value),
        10..20 => Atom::Teen(value),
        _ => Atom::Ten(value),
    };
    match word {
        "oh" | "o" | "nought" | "naught" => Some((Atom::Unit(0), false)),
        "fourty" => Some((Atom::Ten(40), false)),
        "hundred" => Some((Atom::Hundred, false)),
        "thousand" => Some((Atom::Thousand, false)),
        _ => {
            let cardinal = words::spoken_number(word).map(|value| (named(value as u32), false));
            cardinal.or_else(|| Some((named(wording::ordinal_value(word)? as u32), true)))
        }
    }
}

/// A written number, with or without an ordinal ending.
fn written(word: &str) -> Option<Number> {
    let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending));
    let digits = ordinal.unwrap_or(word);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    Some(Number { value, digits: digits.len(), ordinal: ordinal.is_some() })
}

/// Reads the number that begins at the first word; returns it and how many words it took.
///
/// "fifty three" is one number, "nineteen fifty three" are two, as years are said; "two thousand
/// four", "nineteen hundred" and "three hundred and ten" are one.
pub fn read(words: &[String]) -> Option<(Number, usize)> {
    let first = words.first()?;
    if let Some(number) = written(first) {
        return Some((number, 1));
    }
    let (start, ordinal) = atom(first)?;
    let mut taken = 1;
    let (mut value, mut ordinal) = match start {
        Atom::Unit(n) | Atom::Teen(n) => (n, ordinal),
        Atom::Ten(n) => match words.get(1).and_then(|word| atom(word)) {
            Some((Atom::Unit(unit), is_ordinal)) if !ordinal && unit > 0 => {
                taken = 2;
                (n + unit, is_ordinal)
            }
            _ => (n, ordinal),
        },
        Atom::Hundred | Atom::Thousand => return None,
    };
    let scale = words.get(taken).and_then(|word| atom(word)).and_then(|(atom, _)| match atom {
        Atom::Hundred => Some(100),
        Atom::Thousand => Some(1000),
        _ => None,
    });
    if let Some(scale) = scale.filter(|_| value > 0) {
        value *= scale;
        taken += 1;
        let and = usize::from(words.get(taken).is_some_and(|word| word == "and"));
        if let Some((rest, more)) =
            words.get(taken + and..).and_then(read).filter(|(rest, _)| rest.value < scale)
        {
            value += rest.value;
            ordinal = rest.ordinal;
            taken += and + more;
        }
    }
    let digits = value.to_string().len();
    Some((Number { value, digits, ordinal }, taken))
}

/// Every digit in a sentence, in order, for phone numbers and record numbers. "double five" and
/// "triple zero" are understood; "fifty three" gives 5 and 3.
pub fn digits(words: &[String]) -> String {
    const RUN_DIGITS: usize = 8;
    let mut found = String::new();
    let mut repeat = 1;
    let words: Vec<String> = words.iter().map(|word| with_zeros(word)).collect();
    let mut rest = &words[..];
    while let Some(word) = rest.first() {
        // A whole telephone number in one piece is more than a number can be.
        if word.len() > RUN_DIGITS && word.bytes().all(|digit| digit.is_ascii_digit()) {
            found.push_str(word);
            (repeat, rest) = (1, &rest[1..]);
            continue;
        }
        let Some((number, taken)) = read(rest) else {
            repeat = match word.as_str() {
                "double" => 2,
                "triple" => 3,
                _ => 1,
            };
            rest = &rest[1..];
            continue;
        };
        let text = if word.starts_with(|first: char| first.is_ascii_digit()) {
            word.clone()
        } else {
            number.value.to_string()
        };
        found.push_str(&text.repeat(repeat));
        repeat = 1;
        rest = &rest[taken..];
    }
    found
}

/// Words that may stand inside a telephone number.
const INSIDE: &[&str] = &[
    "uh", "um", "er", "mm", "and", "then", "area", "code", "dash", "hyphen", "its", "is", "thats",
];
/// Words after which the digits before them are said again.
const CORRECTIONS: &[&str] =
    &["no", "nope", "sorry", "correction", "rather", "wait", "scratch", "strike"];
/// Fewest digits of a telephone number that stands by itself.
const NUMBER_MIN: usize = 7;
/// Lengths of telephone numbers, the likeliest first: with area code, with the country's, without.
const NUMBER_LENGTHS: [usize; 3] = [10, 11, 7];

/// What recognisers and accents make of digits, between others.
fn digit_word(word: &str) -> &str {
    match word {
        "won" | "uno" => "one",
        "to" | "too" => "two",
        "tree" => "three",
        "for" | "fore" => "four",
        "fife" | "fie" => "five",
        "ate" => "eight",
        "niner" => "nine",
        "owe" => "oh",
        _ => word,
    }
}

/// A telephone number among other words: "you can call between nine and five at two oh two …". Digits
/// that are mended on the way are replaced ("zero one, sorry, zero two"), and a number that is said again
/// counts once. Where no row is as long as a number, all digits are taken.
pub fn telephone(text: &str) -> String {
    let rows = rows(text);
    let long = |row: &&Vec<String>| row.concat().len() >= NUMBER_MIN;
    match rows.iter().rposition(|row| long(&row)) {
        // "Two oh six – get down, Bruno! – five five five …".
        Some(at) if rows[at].concat().len() == NUMBER_MIN && at > 0 => {
            let before = rows[at - 1].concat();
            let area_code = if before.len() == AREA_CODE { before } else { String::new() };
            area_code + &last_number(&rows[at])
        }
        Some(at) => last_number(&rows[at]),
        None => rows.concat().concat(),
    }
}

/// The digits by rows without other words in between, and each row by its pieces.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = vec![Vec::new()];
    // Whether other words stand before what comes.
    let (mut replaces, mut divided) = (false, false);
    let pieces: Vec<Vec<String>> =
        text.split([',', ';', '.']).map(words::split).filter(|words| !words.is_empty()).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let words =
            near_digits(piece, pieces.get(at + 1).is_some_and(|next| begins_with_digit(next)));
        for (number, part) in words.split(|word| CORRECTIONS.contains(&word.as_str())).enumerate() {
            replaces |= number > 0;
            for (place, run) in runs(part).into_iter().enumerate() {
                divided |= place > 0;
                if run.is_empty() {
                    continue;
                }
                if std::mem::take(&mut divided) {
                    rows.push(Vec::new());
                }
                let row = rows.last_mut().expect("there is one from the beginning");
                if std::mem::take(&mut replaces) {
                    mend(row, &run);
                } else if row.last().is_some_and(|last| again(last, &run)) {
                    row.pop();
                }
                row.push(run);
            }
        }
    }
    rows
}

/// Takes back as many digits as are said anew.
fn mend(row: &mut Vec<String>, run: &str) {
    let mut all = row.concat();
    all.truncate(all.len().saturating_sub(run.len()));
    *row = vec![all];
}

/// "Three, three two three": the piece begins again.
fn again(last: &str, run: &str) -> bool {
    last.len() < 3 && run.len() > last.len() && run.starts_with(last)
}

/// Digits of an area code, which people say in one breath.
const AREA_CODE: usize = 3;

fn begins_with_digit(words: &[String]) -> bool {
    words.first().is_some_and(|word| read(std::slice::from_ref(word)).is_some())
}

/// Words with misheard digits mended, where a digit stands beside them; "to" and "for", which are words of
/// their own, only between two.
fn near_digits(words: &[String], goes_on: bool) -> Vec<String> {
    let is_digit = |word: &str| {
        let like = ["double", "triple", "tree", "fife", "fie", "niner", "owe"].contains(&word);
        like || read(&[word.to_owned()]).is_some_and(|(number, _)| !number.ordinal)
    };
    let mut mended: Vec<String> = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        let behind = mended.last().is_some_and(|before| is_digit(before));
        let before = is_digit(next);
        let beside = match word.as_str() {
            // "Five one to, five five five", and "for oh four".
            "to" | "too" | "for" | "fore" if at + 1 == words.len() && at > 0 => behind && goes_on,
            "for" | "fore" if at == 0 => before && goes_on && words.len() == AREA_CODE,
            "to" | "too" | "for" | "fore" => behind && (before || digit_word(next) != next),
            _ => behind || before,
        };
        mended.push(if beside { digit_word(word).to_owned() } else { word.clone() });
    }
    mended
}

/// The digits of a piece, divided where other words stand between them. The first is empty if other words
/// come first.
fn runs(words: &[String]) -> Vec<String> {
    let numeric = |at: usize| {
        ["double", "triple"].contains(&words[at].as_str())
            || read(&words[at..]).is_some()
            || with_zeros(&words[at]).bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut runs: Vec<Vec<String>> = vec![Vec::new()];
    for (at, word) in words.iter().enumerate() {
        let scale = ["hundred", "thousand"].contains(&word.as_str());
        if numeric(at) || scale {
            runs.last_mut().expect("there is one").push(word.clone());
        } else if !INSIDE.contains(&word.as_str()) {
            runs.push(Vec::new());
        }
    }
    runs.iter().map(|run| digits(run)).collect()
}

/// The number at the end of a row that is longer than one: it was said twice, or led by something else.
fn last_number(row: &[String]) -> String {
    let all = row.concat();
    if all.len() <= NUMBER_LENGTHS[1] {
        return all;
    }
    let ends = (1..row.len()).map(|from| row[from..].concat());
    let ends: Vec<String> = ends.collect();
    let fits = |length: &usize| ends.iter().find(|end| end.len() == *length).cloned();
    NUMBER_LENGTHS.iter().find_map(fits).unwrap_or(all)
}

/// A zero is said as the letter, and written as one in the middle of a number: "886O".
pub fn with_zeros(word: &str) -> String {
    let numeric = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'o');
    if numeric && word.bytes().any(|byte| byte.is_ascii_digit()) {
        word.replace('o', "0")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use radline_dialogue::words::split;

    #[test]
    fn a_letter_in_a_number_is_a_zero() {
        assert_eq!(digits(&split("421 886O.")), "4218860");
        assert_eq!(digits(&split("oh two 1 o 3")), "02103");
    }

    fn all(text: &str) -> Vec<u32> {
        let words = split(text);
        let (mut rest, mut found) = (&words[..], Vec::new());
        while !rest.is_empty() {
            match read(rest) {
                Some((number, taken)) => {
                    found.push(number.value);
                    rest = &rest[taken..];
                }
                None => rest = &rest[1..],
            }
        }
        found
    }

    #[test]
    fn years_and_scales() {
        assert_eq!(all("nineteen fifty three"), [19, 53]);
        assert_eq!(all("two thousand and four"), [2004]);
        assert_eq!(all("nineteen hundred"), [1900]);
        assert_eq!(all("three hundred and ten pounds"), [310]);
        assert_eq!(all("the twenty third of the 5th"), [23, 5]);
        assert_eq!(all("twenty oh four"), [20, 0, 4]);
        assert_eq!(all("hundred hundred thousand"), Vec::<u32>::new());
    }

    #[test]
    fn a_number_goes_on_behind_other_words_and_misheard_digits() {
        for (said, number) in [
            ("five one to, five five five, zero one four three", "5125550143"),
            ("for oh four, five five five, oh won five eight", "4045550158"),
            ("two oh six, get down bruno, five five five, oh one ninety three", "2065550193"),
            ("between nine and five at five five five, zero one two three", "5550123"),
        ] {
            assert_eq!(telephone(said), number, "{said}");
        }
    }

    #[test]
    fn phone_digits_in_the_ways_people_say_them() {
        assert_eq!(
            digits(&split("eight oh eight, five five five, zero one seven three")),
            "8085550173"
        );
        assert_eq!(digits(&split("808-555-0173, it's my cell")), "8085550173");
        assert_eq!(
            telephone("uh, two, no, three, three two three, five five five, zero one oh seven"),
            "3235550107"
        );
        assert_eq!(telephone("five five five, zero one, sorry, zero two"), "55502");
        assert_eq!(telephone("no landline, 555 0173"), "5550173");
        assert_eq!(telephone("808-555-0173"), "8085550173");
        for (said, number) in [
            ("my son lives two streets down, five five five oh one six seven", "5550167"),
            (
                "call my office between nine and five at two oh two five five five oh one three seven",
                "2025550137",
            ),
            ("tree tree oh, five five five, oh one tree one", "3305550131"),
            ("five five fife, oh won for ate", "5550148"),
            ("is it 407 or 704, it's 704, 704 555 0162", "7045550162"),
            ("oh to oh, seven nine for six, oh double one eight", "02079460118"),
            ("six one nine, san diego, six one nine five five five oh one seven oh", "6195550170"),
            ("ends in eighty three", "83"),
        ] {
            assert_eq!(telephone(said), number, "{said}");
        }
        assert_eq!(digits(&split("double five five, oh one, seventy three")), "5550173");
    }
}

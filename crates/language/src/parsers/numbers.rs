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

/// As [`digits`], for a number that is said in one go and mended on the way. "Zero one, sorry, zero
/// two": what follows the correction replaces as many digits before it as its first piece has. "Two,
/// no, three, three two three": a piece that takes up that one begins again.
pub fn digits_corrected(text: &str) -> String {
    const CORRECTIONS: &[&str] =
        &["no", "sorry", "correction", "rather", "wait", "scratch", "strike"];
    let corrects = |word: &String| CORRECTIONS.contains(&word.as_str());
    let (mut found, mut mended) = (String::new(), String::new());
    let mut replaces = false;
    for piece in text.split([',', ';', '.']) {
        let words = words::split(piece);
        for (number, part) in words.split(corrects).enumerate() {
            replaces |= number > 0;
            let digits = digits(part);
            if digits.is_empty() {
                continue;
            }
            let again =
                !mended.is_empty() && digits.len() > mended.len() && digits.starts_with(&mended);
            let dropped = if replaces { digits.len() } else { mended.len() * usize::from(again) };
            found.truncate(found.len().saturating_sub(dropped));
            mended = if replaces { digits.clone() } else { String::new() };
            replaces = false;
            found.push_str(&digits);
        }
    }
    found
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
    fn phone_digits_in_the_ways_people_say_them() {
        assert_eq!(
            digits(&split("eight oh eight, five five five, zero one seven three")),
            "8085550173"
        );
        assert_eq!(digits(&split("808-555-0173, it's my cell")), "8085550173");
        assert_eq!(
            digits_corrected(
                "uh, two, no, three, three two three, five five five, zero one oh seven"
            ),
            "3235550107"
        );
        assert_eq!(digits_corrected("five five five, zero one, sorry, zero two"), "55502");
        assert_eq!(digits_corrected("no landline, 555 0173"), "5550173");
        assert_eq!(digits_corrected("808-555-0173"), "8085550173");
        assert_eq!(digits(&split("double five five, oh one, seventy three")), "5550173");
    }
}

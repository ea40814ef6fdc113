//! Weights: "twelve stone four", "one ninety, no, one ninety five", "seventy kilos".

use radline_dialogue::screening::WeightUnit;
use radline_dialogue::words;

/// Lightest and heaviest weight that is one, pounds: a newborn, and the heaviest person on record.
const POUNDS: std::ops::RangeInclusive<f64> = 4.0..=1400.0;
/// Words that tell which unit a question asks for.
const KILOGRAMS: &[&str] = &["kilos", "kilo", "kilograms", "kilogram", "kg", "kgs"];

/// The weight that is told last, in pounds. A number without a unit is in the one that was asked for.
pub fn parse(text: &str, asked: &str) -> Option<f64> {
    let unit = if words::split(asked).iter().any(|word| KILOGRAMS.contains(&word.as_str())) {
        WeightUnit::Kilograms
    } else {
        WeightUnit::Pounds
    };
    // "Seventy kilos, not a hundred and fifty": what comes behind a "not" is denied.
    let clauses = text.split([',', ';', '.']).flat_map(|clause| clause.split(" no "));
    let told = clauses.filter_map(|clause| clause.split(" not ").next()).filter_map(|clause| {
        let words = mended(clause);
        let pounds = match (unit.of(&words)?, unit) {
            (weight, WeightUnit::Kilograms) => weight * WeightUnit::POUNDS_PER_KILOGRAM,
            (weight, WeightUnit::Pounds) => weight,
        };
        let named = words::split(&words).iter().any(|word| UNITS.contains(&word.as_str()));
        POUNDS.contains(&pounds).then_some((named, pounds))
    });
    // A number with its unit says more than one that may be anything.
    told.enumerate()
        .max_by_key(|(order, (named, _))| (*named, *order))
        .map(|(_, (_, pounds))| pounds)
}

/// Names of units.
const UNITS: &[&str] = &[
    "kilos",
    "kilo",
    "kilograms",
    "kilogram",
    "kg",
    "kgs",
    "pounds",
    "pound",
    "lbs",
    "lb",
    "stone",
    "stones",
];

/// "Kay gee", "twelve and a half stone", "two five zero" in words that are read as numbers.
fn mended(clause: &str) -> String {
    let digit = |word: &String| match word.as_str() {
        "oh" | "o" => Some(0),
        word => words::spoken_number(word).filter(|value| *value < 10.0).map(|value| value as u32),
    };
    let mut words = words::split(clause);
    // "Twelve stone for".
    if let [.., unit, last] = &mut words[..]
        && ["stone", "stones"].contains(&unit.as_str())
    {
        match last.as_str() {
            "for" => "four".clone_into(last),
            "to" | "too" => "two".clone_into(last),
            _ => {}
        }
    }
    let digits = |three: &[String]| three.iter().map(digit).collect::<Option<Vec<u32>>>();
    if let Some((at, three)) =
        words.windows(3).enumerate().find_map(|(at, three)| Some((at, digits(three)?)))
    {
        let number = three.iter().fold(0, |number, digit| number * 10 + digit);
        words.splice(at..at + 3, [number.to_string()]);
    }
    let words = words.join(" ");
    words.replace("kay gee", "kg").replace(" and a half stone", " stone seven").replace("k g", "kg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_in_their_units() {
        let weigh = "How much do you weigh?";
        for (said, asked, pounds) in [
            ("seventy kilo", weigh, 154.0),
            ("I'm a hundred and twelve pounds soaking wet", weigh, 112.0),
            ("twelve and a half stone", weigh, 175.0),
            ("seven stone twelve", weigh, 110.0),
            ("twelve stone for", weigh, 172.0),
            ("one fifty seven", weigh, 157.0),
            ("uh one ninety no one ninety five", weigh, 195.0),
            ("seventy kilos is what I told you not a hundred and fifty pounds", weigh, 154.0),
            ("before the baby fifty four, now sixty three kilos", weigh, 139.0),
            ("forty eight", "What's your body weight in kilos?", 106.0),
            ("two five zero", weigh, 250.0),
            ("I'm two oh six", weigh, 206.0),
        ] {
            assert_eq!(parse(said, asked).map(f64::round), Some(pounds), "{said}");
        }
        assert_eq!(parse("I'd rather not say", weigh), None);
        assert_eq!(parse("my two kids", weigh), None);
    }
}

//! A weight in the units in which callers tell it.

use serde::Deserialize;

use crate::words;

/// What a weight is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightUnit {
    /// Pounds.
    Pounds,
    /// Kilograms.
    Kilograms,
}

impl WeightUnit {
    /// Pounds in a kilogram.
    pub const POUNDS_PER_KILOGRAM: f64 = 2.204_622_6;
    const POUNDS_PER_STONE: f64 = 14.0;

    /// The weight that the words name, in this unit, whatever unit they name; without one it is meant
    /// in this.
    pub fn of(self, text: &str) -> Option<f64> {
        let words = words::split(text);
        self.read(&words, &words::numbers(&words))
    }

    pub(super) fn read(self, words: &[String], numbers: &[f64]) -> Option<f64> {
        let named = |stems: &[&str]| {
            words.iter().any(|word| {
                let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
                stems.iter().any(|stem| unit == *stem || unit.strip_suffix('s') == Some(stem))
            })
        };
        let glued = words.iter().filter_map(|word| {
            let digits = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            (digits.len() < word.len()).then(|| digits.parse().ok()).flatten()
        });
        let numbers: Vec<f64> = numbers.iter().copied().chain(glued).collect();
        let first = *numbers.first()?;
        let pounds = if named(&["stone", "st"]) {
            // "Twelve stone four".
            first * Self::POUNDS_PER_STONE
                + numbers.get(1).filter(|more| **more < 14.0).unwrap_or(&0.0)
        } else if named(&["kilo", "kilogram", "kg"]) {
            numbers.iter().copied().fold(first, f64::max) * Self::POUNDS_PER_KILOGRAM
        } else if named(&["pound", "lb"]) {
            numbers.iter().copied().fold(first, f64::max)
        } else {
            return numbers.iter().copied().reduce(f64::max);
        };
        Some(match self {
            Self::Pounds => pounds,
            Self::Kilograms => pounds / Self::POUNDS_PER_KILOGRAM,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_in_their_units() {
        let read = |unit: WeightUnit, text: &str| {
            let words = words::split(text);
            unit.read(&words, &words::numbers(&words)).map(f64::round)
        };
        assert_eq!(read(WeightUnit::Pounds, "one sixty five pounds"), Some(165.0));
        assert_eq!(read(WeightUnit::Pounds, "seventy five kilo"), Some(165.0));
        assert_eq!(read(WeightUnit::Kilograms, "28 stone"), Some(178.0));
        assert_eq!(read(WeightUnit::Kilograms, "I'm 170kg"), Some(170.0));
        assert_eq!(read(WeightUnit::Kilograms, "twelve stone four"), Some(78.0));
        assert_eq!(read(WeightUnit::Pounds, "about two hundred"), Some(200.0));
    }
}

//! Names of medicines, implants and allergens that callers say. The list is data
//! (`data/terms.en.toml`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use radline_dialogue::words;
use serde::Deserialize;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// A medicine that keeps blood from clotting.
    BloodThinner,
    /// Any other medicine.
    Medication,
    /// Something in the body that was not there at birth.
    Implant,
    /// What somebody may be allergic to.
    Allergy,
}

fn all() -> &'static BTreeMap<Term, Vec<String>> {
    static TERMS: OnceLock<BTreeMap<Term, Vec<String>>> = OnceLock::new();
    TERMS.get_or_init(|| {
        toml::from_str(include_str!("../../data/terms.en.toml"))
            .expect("the compiled-in list is read by a test")
    })
}

/// Every name of a kind.
pub fn of(kind: Term) -> Vec<&'static str> {
    all().get(&kind).into_iter().flatten().map(String::as_str).collect()
}

/// The names of a kind that are in the words, in the order in which they are said.
pub fn find(text: &str, kind: Term) -> Vec<&'static str> {
    let said = words::split(text);
    let place = |name: &'static str| {
        let name_words = words::split(name);
        let mut places = said.windows(name_words.len());
        let at = places.position(|window| window == name_words)?;
        Some((at, at + name_words.len(), name))
    };
    let all: Vec<_> = of(kind).into_iter().filter_map(place).collect();
    // The longest of the names in a place: "metal plate", not "plate".
    let inside = |at: usize, end: usize| {
        all.iter().any(|(from, to, _)| *from <= at && end <= *to && end - at < to - from)
    };
    let mut found = all.clone();
    found.retain(|(at, end, _)| !inside(*at, *end));
    found.sort_unstable();
    found.into_iter().map(|(_, _, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_order() {
        let medicines = |said: &str| find(said, Term::Medication);
        assert_eq!(
            medicines("Ramipril, atorvastatin and the gliclazide."),
            ["ramipril", "atorvastatin", "gliclazide"]
        );
        assert_eq!(medicines("I take co-codamol"), ["co-codamol"]);
        assert_eq!(medicines("nothing but statins"), ["statins"]);
        assert_eq!(find("heparin shots till Friday", Term::BloodThinner), ["heparin"]);
        assert_eq!(find("a metal plate in my wrist", Term::Implant), ["metal plate"]);
        assert_eq!(find("spinal taps", Term::Implant), [""; 0]);
    }
}

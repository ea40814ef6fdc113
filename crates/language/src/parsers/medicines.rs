//! Which medicine a caller means: "do you take metformin?" – "just the one for pressure, nothing else".

use radline_dialogue::words::{contains, split};

/// A medicine that is asked for, and the words that may mean it.
const ASKED: &[(&str, &[&str])] = &[(
    "metformin",
    &["metformin", "glucophage", "sugar", "diabetes", "diabetic", "diabetics", "glucose"],
)];
/// What other medicines are for.
const OTHERS: &[&str] = &[
    "pressure",
    "stomach",
    "cholesterol",
    "thyroid",
    "vitamin",
    "vitamins",
    "heartburn",
    "water tablet",
    "water pill",
    "allergy",
    "allergies",
    "asthma",
    "inhaler",
    "aspirin",
    "statin",
    "iron",
    "calcium",
];
/// That is all there is.
const NO_MORE: &[&str] = &[
    "nothing else",
    "thats all",
    "that is all",
    "thats it",
    "only",
    "just",
    "every bit of it",
    "nothing more",
    "and no more",
    "the lot",
    "and thats that",
];

/// Whether another medicine is named, and said to be the only one. "A tablet in the morning" may be any.
pub fn names_others_only(asked: &str, said: &str) -> bool {
    let (asked, said) = (split(asked), split(said));
    let any = |list: &[&str]| list.iter().any(|word| contains(&said, word));
    let meant = ASKED.iter().find(|(medicine, _)| contains(&asked, medicine));
    // "Two for pressure, metformin no." In "metformin, no problem" it is none.
    let denied = |name: &str| {
        let last = said.len().saturating_sub(2);
        matches!(&said[last..], [one, two]
            if one == name && two == "no" || two == name && (one == "no" || one == "not"))
    };
    if meant.is_some_and(|(medicine, _)| denied(medicine)) {
        return true;
    }
    meant.is_some_and(|(_, names)| !any(names)) && any(OTHERS) && any(NO_MORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_medicine_alone_is_a_no() {
        let asked = "Do you take metformin for diabetes?";
        assert!(names_others_only(asked, "one tablet for pressure, nothing else"));
        assert!(names_others_only(asked, "just the stomach tablet, my cabinet's mostly band aids"));
        assert!(!names_others_only(asked, "one for pressure and one for sugar, nothing else"));
        assert!(names_others_only(asked, "for pressure two, and one for phosphorus, metformin no"));
        assert!(!names_others_only(asked, "i take metformin no problem"));
        assert!(!names_others_only(asked, "one tablet for pressure"));
        assert!(!names_others_only(asked, "just a tablet in the morning"));
        assert!(!names_others_only("Do you take blood thinners?", "just the stomach tablet"));
    }
}

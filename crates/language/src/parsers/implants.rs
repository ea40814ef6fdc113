//! Which implant a caller means: "do you have a pacemaker?" – "there is a hip, they gave me a new one".

use radline_dialogue::words::{contains, split};

/// A question for implants that work by electricity, or that must not move.
const ASKED: &[&str] = &["pacemaker"];
/// What is asked for by another question.
const PASSIVE: &[&str] = &[
    "hip", "hips", "knee", "knees", "joint", "screw", "screws", "plate", "plates", "rod", "rods",
    "pin", "pins", "crown", "crowns", "filling", "fillings", "denture", "dentures", "braces",
    "titanium", "steel", "mesh",
];
/// What may be meant by the question, by any of its names.
const ACTIVE: &[&str] = &[
    "pacemaker",
    "pacer",
    "defibrillator",
    "icd",
    "aneurysm",
    "clip",
    "clips",
    "cochlear",
    "stimulator",
    "pump",
    "loop",
    "battery",
    "batteries",
    "wire",
    "wires",
    "lead",
    "leads",
    "device",
    "gadget",
    "box",
    "electronic",
    "electrical",
    "electric",
    "heart",
    "brain",
    "head",
    "ear",
    "spine",
    "back",
    "coil",
    "coils",
    "valve",
    "shunt",
    "stent",
    "implant",
    "implants",
];

/// Whether only implants of the other kind are named. A yes with them is no yes to the question, which is asked
/// again: a hip stops nothing, and whoever has one may have a pacemaker, too.
pub fn names_others_only(asked: &str, said: &str) -> bool {
    let (asked, said) = (split(asked), split(said));
    let any = |words: &[String], list: &[&str]| list.iter().any(|word| contains(words, word));
    any(&asked, ASKED) && any(&said, PASSIVE) && !any(&said, ACTIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hip_is_no_pacemaker() {
        let asked = "Do you have a pacemaker, a defibrillator, or a pump?";
        assert!(names_others_only(asked, "there is a hip, the right one, they gave me a new one"));
        assert!(names_others_only(asked, "that knee's just steel and plastic"));
        assert!(!names_others_only(asked, "yes, a pacemaker, and a new hip"));
        assert!(!names_others_only(asked, "yes"));
        assert!(!names_others_only(asked, "a titanium box under the collarbone"));
        assert!(!names_others_only("Any metal in your body?", "a hip"));
    }
}

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

/// What safety questions ask for by its name.
const NAMED: &[&str] = &[
    "pacemaker",
    "defibrillator",
    "clip",
    "cochlear",
    "stimulator",
    "pump",
    "stent",
    "valve",
    "screw",
    "plate",
    "shrapnel",
    "bullet",
    "implant",
    "shunt",
    "coil",
];
/// What denies what stands behind it.
const DENIALS: &[&str] = &[
    "no", "not", "never", "none", "nothing", "without", "nor", "neither", "any", "anything",
    "dont", "havent", "hasnt", "isnt", "wasnt", "didnt", "zero", "nobody",
];
/// What ends a denial: "no, just the clip".
const LIMITS: &[&str] =
    &["just", "only", "but", "except", "apart", "besides", "theres", "well", "though"];
/// What may stand between things that are denied together.
const LISTED: &[&str] =
    &["a", "an", "or", "and", "nor", "any", "the", "like", "of", "aneurysm", "heart", "nerve"];
/// So many words before a thing may deny it.
const DENIED_WITHIN: usize = 4;

/// Whether something that was asked for by its name is named, and not denied: "no, no pacemaker, only a small clip".
pub fn names_asked(asked: &str, said: &str) -> bool {
    let (asked, said) = (split(asked), split(said));
    let plain = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let named = |word: &str| NAMED.iter().find(|name| plain(word) == **name).copied();
    let asked: Vec<&str> = asked.iter().filter_map(|word| named(word)).collect();
    let limits = |word: &String| LIMITS.contains(&word.as_str());
    let denies = |word: &String| DENIALS.contains(&word.as_str());
    (0..said.len()).any(|at| {
        let Some(name) = named(&said[at]).filter(|name| asked.contains(name)) else { return false };
        // "No pacemaker, clips or pumps" denies each of them, and "clips no" does it behind.
        let listed = |word: &&String| {
            LISTED.contains(&word.as_str()) || named(word).is_some_and(|other| other != name)
        };
        let begin = at - said[..at].iter().rev().take_while(listed).count();
        let before = &said[begin.saturating_sub(DENIED_WITHIN)..at];
        // The "no" at the beginning answers; it denies only what stands right behind it.
        let led = begin.saturating_sub(DENIED_WITHIN) == 0 && begin > 1 && said[0] == "no";
        let before = &before[usize::from(led)..];
        let denied = before.iter().rev().take_while(|word| !limits(word)).any(denies);
        !denied && !said.get(at + 1).is_some_and(denies)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_and_is_named_stands_against_a_no() {
        let asked = "Do you have a pacemaker, a defibrillator, an aneurysm clip, or a pump?";
        for said in [
            "no, no pacemaker. only in ninety four they closed one vessel in my head, with small clip",
            "no, just the clip they put in after the bleed",
            "nope, well there's a pump for the pain",
            "no, I had a clip put in",
        ] {
            assert!(names_asked(asked, said), "{said}");
        }
        for said in [
            "no, no pacemaker, clips or pumps",
            "I don't have a pacemaker, a defibrillator, an aneurysm clip or a pump",
            "no",
            "clips no",
            "none of those, nothing like a clip",
            "no, only screws in my ankle",
            "never had a pacemaker",
            "no I never had a pacemaker",
            "no pacemaker here",
        ] {
            assert!(!names_asked(asked, said), "{said}");
        }
    }

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

//! What callers say of the course of their symptoms, asked whether they are worse.

use radline_dialogue::words::{contains, split};

/// Words of the question.
const ASKED: &[&str] = &["worse", "changed"];
/// Nothing has come or grown.
const STEADY: &[&str] = &[
    "unchanged",
    "no change",
    "no changes",
    "not changed",
    "hasnt changed",
    "havent changed",
    "nothing changed",
    "nothing has changed",
    "nothing new",
    "no different",
    "not different",
    "the same",
    "same as",
    "same old",
    "same thing",
    "just as",
    "as before",
    "as it was",
    "as ever",
    "as always",
    "as usual",
    "like before",
    "like always",
    "steady",
    "stable",
    "no worse",
    "not worse",
    "isnt worse",
    "not any worse",
    "nothing worse",
    "no weaker",
    "a bit better",
    "a lot better",
    "much better",
    "better every",
    "better each",
    "better by the",
    "on the mend",
    "improving",
    "easing",
    "little better",
    "getting better",
    "if anything better",
];
/// Something has, whatever else is said.
const GROWN: &[&str] = &[
    "but",
    "except",
    "until",
    "till",
    "though",
    "although",
    "however",
    "only",
    "since yesterday",
    "since this morning",
    "since last night",
    "last night",
    "today",
    "lately",
    "more and more",
    "swollen",
    "swelling",
    "spreading",
    "spread",
    "bigger",
    "stronger",
    "weaker",
    "lump",
    "bleeding",
    "fever",
    "numb",
    "fell",
    "another",
    "wish",
    "not the same",
    "isnt the same",
    "no longer the same",
    "not unchanged",
    "not stable",
    "not steady",
    "wasnt",
    "used to",
    "not sure",
    "dont know",
    "maybe",
    "think",
    "as bad",
];

/// What has come up for the first time.
const NEW: &[&str] = &[
    "never had it before",
    "never had this before",
    "never had that before",
    "never happened before",
    "never felt it before",
    "never felt this before",
    "never felt that before",
    "never felt like this",
    "never been like this",
    "not had it before",
    "not had this before",
];

/// Whether the answer tells of something that was never there before, asked whether there is.
pub fn is_new(asked: &str, said: &str) -> bool {
    let words = split(said);
    is_asked(asked) && NEW.iter().any(|phrase| contains(&words, phrase))
}

/// Whether the question is about the course of symptoms.
fn is_asked(asked: &str) -> bool {
    let asked = split(asked);
    ASKED.iter().any(|word| contains(&asked, word))
}

/// Whether the answer says plainly that nothing is worse or new. Anything beside it that may be is left to
/// those who read more: here a wrong "no" books an exam that a clinician should see first.
pub fn is_steady(asked: &str, said: &str) -> bool {
    if !is_asked(asked) {
        return false;
    }
    let words = split(said);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    // "No worse" is steady, "worse" is not, and neither is "worse" beside "no worse".
    let grows = |at: usize, word: &String| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let denied = before.is_some_and(|before| {
            ["no", "not", "isnt", "nothing", "any", "none"].contains(&before.as_str())
        });
        // "Now and then" is no time.
        let after = words.get(at + 1).map(String::as_str);
        let now = word == "now" && after != Some("and");
        now || ["worse", "new", "weaker", "fever", "more", "numb"].contains(&word.as_str())
            && !denied
    };
    let denied = ["no weaker", "not weaker", "no fever", "no swelling", "nothing now", "nor"];
    let grown = GROWN.iter().any(|phrase| {
        contains(&words, phrase)
            && !denied.iter().any(|denied| denied.ends_with(phrase) && contains(&words, denied))
    });
    any(STEADY) && !grown && !words.iter().enumerate().any(|(at, word)| grows(at, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_is_no_worse() {
        let asked = "Have your symptoms become worse, or are there new ones?";
        for said in [
            "unchanged",
            "same as at the visit, tired after the machine",
            "sore on stairs, the same as it was",
            "same as at the clinic, a little better",
            "dizzy now and then as for months, not worse",
            "tingling as before, no weaker, walking as before",
            "unchanged since the order, no fever, no breathlessness",
            "it's the same old ache",
        ] {
            assert!(is_steady(asked, said), "{said}");
        }
        for said in [
            "the same but worse at night",
            "same as before until last week",
            "about as before, and a new lump",
            "worse",
            "same pain, only more of it",
            "it was steady, now it's swollen",
            "i think it's the same",
            "not the same",
            "the same, and numb in the fingers",
        ] {
            assert!(!is_steady(asked, said), "{said}");
        }
        assert!(!is_steady("Do you have a pacemaker?", "same as before"));
        let hand = "my right hand will not hold a pencil, never had it before";
        assert!(is_new(asked, hand));
        assert!(!is_new("Have you ever had a reaction to contrast?", "no, never had that before"));
    }
}

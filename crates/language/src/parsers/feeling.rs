//! What weighs on a caller, by their words alone. Nothing is read from the voice: the EU AI Act
//! wants that announced, and words are what a colleague can check.

use radline_dialogue::words::{self, contains};
use radline_dialogue::{Command, Distress, Feeling};

const STRONG: &[&str] = &[
    "terrified",
    "petrified",
    "scared to death",
    "frightened to death",
    "afraid to death",
    "scared stiff",
    "out of my mind",
    "going out of my mind",
    "cant sleep",
    "havent slept",
    "cant stop crying",
    "been crying",
    "crying so",
    "in tears",
    "close to tears",
    "falling apart",
    "cant cope",
    "cant take it",
    "cant go through",
    "at my wits end",
    "killing me",
    "im begging",
    "i beg you",
    "desperate",
    "panicking",
    "worried sick",
    "sick with worry",
    "shaking",
    "nerves mash up",
    "am i dying",
    "going to die of worry",
    "breaking down",
    "lost the baby",
    "lost a baby",
    "she passed",
    "he passed",
    "passed away",
    "he died",
    "she died",
    "in the hospice",
    "my heart jump",
    "heart jumps",
    "stomach drops",
    "i jump",
    "cant go on like this",
    "too frightened",
    "so frightened",
    "so scared",
    "so afraid",
    "very scared",
    "very afraid",
    "really scared",
    "beside myself",
    "losing my mind",
    "waiting very hard",
    "is that cancer",
    "is it cancer",
];
const SOME: &[&str] = &[
    "scared",
    "afraid",
    "frightened",
    "frighten",
    "fright",
    "worried",
    "worry",
    "worrying",
    "nervous",
    "nerves",
    "anxious",
    "anxiety",
    "uneasy",
    "dread",
    "dreading",
    "upset",
    "stressed",
    "stressful",
    "overwhelmed",
    "not knowing",
    "hard for me",
    "hate needles",
    "hate hospitals",
    "freak out",
    "freaks me out",
    "freaking out",
    "closing in",
    "panic",
    "panicky",
    "concerned",
    "lonely",
    "all alone",
    "sad",
    "depressed",
    "hopeless feeling",
    "praying",
    "waiting is hard",
    "the waiting",
    "every time the phone",
    "still nothing",
    "heard nothing",
];
const ANGER: &[&str] = &[
    "furious",
    "fed up",
    "sick of",
    "sick and tired",
    "ridiculous",
    "useless",
    "disgrace",
    "disgusting",
    "unacceptable",
    "this is a joke",
    "angry",
    "pissed off",
    "outrageous",
    "fobbing me off",
    "nobody apologised",
    "nobody apologized",
    "third time ive",
    "fourth time",
    "for gods sake",
    "bloody",
    "damn",
    "stupid thing",
    "waste of time",
    "had enough",
    "give me the runaround",
    "the runaround",
    "how many times",
];
const WAITING: &[&str] = &[
    "waiting",
    "wait",
    "not knowing",
    "results",
    "result",
    "nobody call",
    "nobody called",
    "phone",
    "heard",
    "news",
    "days",
    "weeks",
    "biopsy came",
    "hear",
];
const EXAM: &[&str] = &[
    "scan",
    "mri",
    "tube",
    "tunnel",
    "machine",
    "needle",
    "needles",
    "dye",
    "claustrophobic",
    "elevator",
    "closing in",
    "small spaces",
    "biopsy",
    "the exam",
    "squash",
    "radiation",
    "test",
    "go in there",
    "inside",
];
/// Ways of speaking that hold a word of the lists and no feeling.
const NOT: &[&str] = &[
    "dont worry",
    "no worries",
    "not worried",
    "not scared",
    "not afraid",
    "not nervous",
    "im afraid not",
    "im afraid so",
    "im afraid i",
    "afraid i dont",
    "not to worry",
    "no need to worry",
];

/// The feeling in the words, if they hold one.
pub fn parse(text: &str) -> Option<Command> {
    let words = words::split(text);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    if any(NOT) && !any(STRONG) {
        return None;
    }
    if any(ANGER) {
        return Some(Command::Feels(Distress::Some, Feeling::Anger));
    }
    let level = if any(STRONG) {
        Distress::Strong
    } else if any(SOME) {
        Distress::Some
    } else {
        return None;
    };
    let feeling = if any(EXAM) && !any(&["result", "results"]) {
        Feeling::Exam
    } else if any(WAITING) {
        Feeling::Waiting
    } else {
        Feeling::General
    };
    Some(Command::Feels(level, feeling))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feelings_are_read_from_words() {
        let waiting = "it's killing me, this not knowing, every time the phone ring my heart jump";
        assert_eq!(parse(waiting), Some(Command::Feels(Distress::Strong, Feeling::Waiting)));
        let exam = "I'm a bit nervous about going in the tube";
        assert_eq!(parse(exam), Some(Command::Feels(Distress::Some, Feeling::Exam)));
        assert_eq!(parse("no worries, that's fine"), None);
        assert_eq!(parse("I'm not scared"), None);
        assert_eq!(parse("Tuesday morning please"), None);
    }
}

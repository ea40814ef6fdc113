//! Yes, no, or not sure. In screening, "not sure" counts as yes, so doubt outranks both.

use radline_dialogue::words::{contains, split, tells_of_something};

use super::yes_no_phrases::{
    CONDITIONS, EVASIONS, FIRM_NO, FIRM_YES, HEALTHY, LEAVES_AS_IS, LIMITS, NO_IDIOMS, NO_WORDS,
    PERMITS, UNSURE, YES_IDIOMS, YES_WORDS,
};

/// What an answer to a yes/no question means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
    /// The caller cannot say.
    Unsure,
}

/// Reads an answer. `None` when it is neither: a question, a story, something else entirely.
pub fn parse(text: &str) -> Option<YesNo> {
    // "Sorry, a customer. Yes, I want that": where the whole says nothing, its last sentence may.
    parse_sentence(text).or_else(|| {
        let sentences: Vec<&str> = text.split(['.', '!', '?', ';']).collect();
        sentences.iter().rev().filter(|_| sentences.len() > 1).find_map(|part| parse_sentence(part))
    })
}

/// Reads an answer to a question behind which anything may be said, or before it: "I need a scan and don't know the
/// day. Yes, of course." Where a short sentence at the end or at the beginning answers, it is the answer.
pub fn parse_opening(text: &str) -> Option<YesNo> {
    let sentences: Vec<&str> =
        text.split(['.', '!', '?']).filter(|part| !part.trim().is_empty()).collect();
    let ends = [sentences.last(), sentences.first()].into_iter().flatten();
    let short = ends.filter(|part| sentences.len() > 1 && split(part).len() <= ANSWER_WORDS);
    short.copied().find_map(parse_sentence).or_else(|| parse(text))
}

/// A sentence with more words than this is more than an answer.
const ANSWER_WORDS: usize = 6;

/// Reads an answer to "Is that right?" and "Shall I book that?". What counts must be a clear yes: one
/// with an exception or a condition is neither, and is asked again.
pub fn parse_confirmation(text: &str) -> Option<YesNo> {
    let words = short_forms(text);
    let conditional = CONDITIONS.iter().any(|phrase| contains(&words, phrase));
    parse(text).filter(|answer| *answer != YesNo::Yes || !conditional)
}

/// Whether the words are a yes and a no, and little else: "yes, no" decides nothing.
fn undecided(words: &[String]) -> bool {
    let among = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let filler = |word: &String| {
        YES_WORDS.contains(&word.as_str())
            || NO_WORDS.contains(&word.as_str())
            || ["i", "mean", "wait", "well", "um", "uh", "actually"].contains(&word.as_str())
    };
    among(PLAIN_YES) && among(PLAIN_NO) && words.iter().all(filler)
}

/// The words that say nothing but yes.
const PLAIN_YES: &[&str] = &["yes", "yeah", "yep", "yup"];
/// The words that say nothing but no.
const PLAIN_NO: &[&str] = &["no", "nope", "nah", "naw", "nae"];

/// Whether the sentence asks: "do I have to bring anything" says neither yes nor no.
fn asks(words: &[String]) -> bool {
    const VERBS: &[&str] = &[
        "do", "does", "did", "can", "could", "may", "should", "shall", "will", "would", "is",
        "are", "am", "have", "has", "must",
    ];
    const SUBJECTS: &[&str] = &[
        "i", "you", "it", "we", "they", "there", "that", "this", "the", "my", "your", "he", "she",
        "someone", "somebody", "anyone",
    ];
    const WORDS: &[&str] =
        &["what", "whats", "when", "where", "wheres", "how", "why", "who", "which"];
    let first =
        |at: usize, list: &[&str]| words.get(at).is_some_and(|word| list.contains(&word.as_str()));
    // "And", "so", "but" and "wait" may stand before a question.
    let at = usize::from(first(0, &["and", "so", "but", "wait", "well", "um", "uh", "oh"]));
    first(at, WORDS) || first(at, VERBS) && first(at + 1, SUBJECTS)
}

/// The words, with their denials in the short form: people say "don't", and recognisers write
/// "do not".
fn short_forms(text: &str) -> Vec<String> {
    const FORMS: &[(&str, &str)] = &[
        ("do", "dont"),
        ("does", "doesnt"),
        ("did", "didnt"),
        ("have", "havent"),
        ("has", "hasnt"),
        ("is", "isnt"),
        ("are", "arent"),
        ("can", "cant"),
        ("could", "couldnt"),
    ];
    let mut short: Vec<String> = Vec::new();
    for word in split(text) {
        let form = short.last().and_then(|last| FORMS.iter().find(|(long, _)| last == long));
        match form {
            Some((_, denied)) if word == "not" => {
                short.pop();
                short.push((*denied).to_owned());
            }
            _ if word == "cannot" => short.push("cant".to_owned()),
            // "Is it true that it knocks" is no "true".
            _ if word == "true" && asks_whether_true(&short) => {}
            _ => short.push(word),
        }
    }
    short
}

fn parse_sentence(text: &str) -> Option<YesNo> {
    let words = short_forms(text);
    if asks(&words) {
        return None;
    }
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    if any(LEAVES_AS_IS) {
        return Some(YesNo::No);
    }
    // "No, not that I know of" is a no; the doubt in it is a manner of speaking.
    if any(FIRM_NO) {
        return Some(YesNo::No);
    }
    // "You can record, I have nothing secret".
    let denied = ["no", "not", "dont", "never", "rather", "cant", "nothing to record"];
    if any(PERMITS) && !any(&denied) {
        return Some(YesNo::Yes);
    }
    // "I don't mind" and "no problem" agree; they come before the words of refusal in them.
    if any(FIRM_YES) {
        return Some(YesNo::Yes);
    }
    if any(UNSURE) || undecided(&words) {
        return Some(YesNo::Unsure);
    }
    // The first clear word counts: "no, that's fine" declines, "yes, no worries" accepts.
    for (at, word) in words.iter().enumerate().take(4) {
        // "Can, can" agrees where English is spoken that way; "can I …" asks.
        if word == "can" && words.get(at + 1).is_some_and(|next| next != "can") {
            continue;
        }
        if NO_WORDS.contains(&word.as_str()) {
            return Some(YesNo::No);
        }
        // "Please" by itself accepts; in "I want it, please keep it" it only asks.
        let only_polite =
            word == "please" && words.len() > 1 || word == "right" && words.len() > SHORT;
        if YES_WORDS.contains(&word.as_str()) && !only_polite {
            return Some(YesNo::Yes);
        }
    }
    // "You told me, I'm good" needs no more; "I'm good with that" agrees.
    let satisfied = words.ends_with(&["im".to_owned(), "good".to_owned()]);
    // "I haven't had one" is a no, "I haven't slept for days" is none.
    let havent = ["i havent had", "i havent got", "i havent any", "i havent been", "i havent ever"];
    let havent = any(&havent) || words.len() <= SHORT && any(&["i havent"]);
    if any(NO_IDIOMS) || satisfied || havent {
        return Some(YesNo::No);
    }
    let stated = |phrase: &&&str| {
        // "I have" answers a question; "I have to ask my wife first" and "it is too early" do not.
        let said = || phrase.split(' ').chain(AGREES.iter().copied());
        let alone = words.iter().all(|word| said().any(|known| word == known));
        contains(&words, phrase) && (alone || !STATED.contains(*phrase))
    };
    if YES_IDIOMS.iter().any(|phrase| stated(&phrase)) {
        return Some(YesNo::Yes);
    }
    None
}

/// Answers of this many words hold nothing beside them.
const SHORT: usize = 4;
/// What may stand beside them in an answer.
const AGREES: &[&str] = &[
    "yes", "oh", "well", "and", "indeed", "so", "thank", "thanks", "you", "please", "think",
    "that", "too", "now", "actually", "correct", "right",
];
/// Idioms that begin many sentences that are no answer.
const STATED: &[&str] = &["i do", "i am", "i have", "i did", "it is"];

/// "I don't have one": who denies in so many words does it at the beginning, and says little more. "You needn't
/// write that down, I didn't even tell my doctor" denies nothing.
fn denies_at_once(words: &[String]) -> bool {
    const DENIALS: &[&str] = &["i dont", "i havent", "im not", "i am not", "i didnt"];
    const MOST: usize = 9;
    let begins = &words[..words.len().min(4)];
    words.len() <= MOST && DENIALS.iter().any(|phrase| contains(begins, phrase))
}

/// Whether nothing of the kind is there, whatever is told beside it: "I broke it as a girl, nothing was put in".
pub fn denies_firmly(text: &str) -> bool {
    let words = short_forms(text);
    let nothing = |phrase: &&&str| NOTHING_THERE.contains(*phrase);
    FIRM_NO.iter().filter(nothing).any(|phrase| contains(&words, phrase))
}

/// Refusals that say what is not there.
const NOTHING_THERE: &[&str] =
    &["nothing put in", "nothing left in", "nothing inside me", "no metal in me", "no medal in me"];

/// "Is it", "is that so": what stands before "true" in a question.
fn asks_whether_true(before: &[String]) -> bool {
    matches!(before, [.., is, what] if is == "is" && ["it", "that", "this"].contains(&what.as_str()))
}

/// What may stand before or after a no without turning it: who means to deny says it early.
const EARLY_WORDS: usize = 4;

/// Reads an answer to a question whether something is wrong. A "not" late in the sentence denies
/// nothing ("itching after, not big thing"), and "fine" is no yes; where that leaves doubt, nothing
/// is read and the question is asked again.
pub fn parse_trouble(text: &str) -> Option<YesNo> {
    let words = short_forms(text);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| contains(&words, phrase));
    // "No. There's a whole metal knee" tells after the no what is there; "if I drink, then it is okay, no" asks.
    let tells = tells_of_something(&words);
    if any(FIRM_NO) && !tells {
        return Some(YesNo::No);
    }
    let conditional = words.first().is_some_and(|word| word == "if");
    let qualified = any(LIMITS) && !any(HEALTHY) || any(EVASIONS);
    // Only a sentence that has said something can take it back: "Though I do not" is what a
    // recogniser makes of "No, I do not".
    let takes_back =
        |word: &String| ["but", "except", "although", "though"].contains(&word.as_str());
    let but = qualified || words.iter().skip(1).any(takes_back) || conditional || tells;
    let early = &words[..words.len().min(EARLY_WORDS)];
    let denies = |word: &String| {
        ["no", "nope", "nah", "naw", "nae", "never", "none", "negative", "neither", "nothing"]
            .contains(&word.as_str())
    };
    let says_yes = early.iter().any(|word| {
        ["yes", "yeah", "yep", "yup", "yah", "aye", "si", "sure", "definitely", "mhm"]
            .contains(&word.as_str())
    });
    if undecided(&words) {
        return None;
    }
    if any(UNSURE) && !early.iter().any(denies) {
        return Some(YesNo::Unsure);
    }
    if says_yes && !early.iter().any(denies) {
        return Some(YesNo::Yes);
    }
    let late = words.iter().any(|word| word == "never");
    if (early.iter().any(denies) || late) && !but {
        return Some(YesNo::No);
    }
    if any(HEALTHY)
        && !but
        && !any(&["not normal", "not good", "not fine", "not okay", "not so good"])
    {
        return Some(YesNo::No);
    }
    let short = words.len() <= EARLY_WORDS;
    let states = |phrase: &&str| phrase.split(' ').eq(words.iter().take(phrase.split(' ').count()));
    let denied = ["i am not", "i have no", "there is no"];
    // A bare "right", "fine" or "okay" agrees with whoever asked, and says nothing of trouble.
    let stated = ["i do", "i am", "i have", "i did", "it is", "there is", "correct"];
    if stated.iter().any(states) && !denied.iter().any(states) {
        return Some(YesNo::Yes);
    }
    match parse(text) {
        Some(YesNo::No) if !but && (short || denies_at_once(&words)) => Some(YesNo::No),
        Some(YesNo::Unsure) => Some(YesNo::Unsure),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_indirect_answers() {
        use YesNo::{No, Unsure, Yes};
        for (said, expected) in [
            ("Yes.", Some(Yes)),
            ("you can record, i have nothing secret", Some(Yes)),
            ("if you must", Some(Yes)),
            ("no, I don't think you can record me", Some(No)),
            ("not sure you may record this", Some(Unsure)),
            ("yeah go on then", Some(Yes)),
            ("no trouble, go and record", Some(Yes)),
            ("I don't mind", Some(Yes)),
            ("can, can", Some(Yes)),
            ("this is good for me, yes", Some(Yes)),
            ("good, i take this", Some(Yes)),
            ("Nope.", Some(No)),
            ("no, that's fine, don't", Some(No)),
            ("not as far as I'm aware", Some(No)),
            ("I'd rather not", Some(No)),
            ("never had one", Some(No)),
            ("I'm not sure", Some(Unsure)),
            ("no idea to be honest", Some(Unsure)),
            ("it could be", Some(Unsure)),
            ("what do you mean by dye", None),
            ("is it true it knocks like somebody repairs the roof", None),
            ("can you say that again", None),
            ("do I have to bring anything?", None),
            ("I have to ask my wife first", Some(Unsure)),
            ("it is too early for me, you know", None),
            ("please don't", Some(No)),
            ("I do mind", Some(No)),
            ("so can I have my breakfast before it", None),
            ("I want it, please keep it", Some(No)),
            ("yes, don't cancel it", Some(No)),
            ("yes please do", Some(Yes)),
            ("it is", Some(Yes)),
            ("yes it is, thank you", Some(Yes)),
            ("it is too early", None),
            ("yes, no", Some(Unsure)),
            ("yes, I mean no", Some(Unsure)),
            ("yes, no worries", Some(Yes)),
            ("", None),
        ] {
            assert_eq!(parse(said), expected, "{said}");
        }
    }

    #[test]
    fn an_answer_may_come_behind_a_story() {
        for (said, answer) in [
            ("I have a scan there and don't remember the day. yes, of course", Some(YesNo::Yes)),
            ("I'm not managing very well. that's all right", Some(YesNo::Yes)),
            ("yes. I need a scan, I don't know which", Some(YesNo::Yes)),
            ("no. my doctor sent me", Some(YesNo::No)),
            ("a knee scan please. rather not", Some(YesNo::No)),
        ] {
            assert_eq!(parse_opening(said), answer, "{said}");
        }
    }

    #[test]
    fn a_yes_with_an_exception_confirms_nothing() {
        for said in
            ["yes, apart from the clip", "yes, for Christmas Day", "yes, if it is in the morning"]
        {
            assert_eq!(parse_confirmation(said), None, "{said}");
        }
        assert_eq!(parse_confirmation("yes, please"), Some(YesNo::Yes));
        assert_eq!(parse_confirmation("no, but Tuesday would do"), Some(YesNo::No));
    }

    #[test]
    fn trouble_is_denied_early_or_by_health() {
        use YesNo::{No, Unsure, Yes};
        for (said, expected) in [
            ("no", Some(No)),
            ("kidney is normal", Some(No)),
            ("my kidneys are fine, it's my knees that gave up", Some(No)),
            ("never, it's been spreadsheets since college", Some(No)),
            ("heavens no", Some(No)),
            ("yes, a stent", Some(Yes)),
            ("I do, for the clots", Some(Yes)),
            ("I'm not sure", Some(Unsure)),
            ("last time some itching after, not big thing", None),
            ("no, just an ICD", None),
            ("just put no", None),
            ("no, just vitamins", Some(No)),
            ("I don't have to answer that", None),
            ("no, but they took one out", None),
            ("Though I do not.", Some(No)),
            ("But I do not think so.", Some(No)),
            ("I do, though not today", Some(Yes)),
            ("I do not, though they took one out", None),
            ("I have not had anything like that", Some(No)),
            ("I don't.", Some(No)),
            ("I didn't", Some(No)),
            ("you ain't gotta write that down, I didn't even tell my doctor", None),
            ("It isn't", Some(No)),
            ("right", None),
            ("yes, I mean no", None),
            ("yes no", None),
            ("if i drink very much water, then it is okay, no", None),
            ("no pacemaker or clips. there's a whole metal knee on the left side", None),
            ("No. There are two pins in my ankle", None),
            ("no, I've a wee clip in my head", None),
            ("not that I know of, there's a pin in my ankle", None),
            ("no, I've never had that before", Some(No)),
        ] {
            assert_eq!(parse_trouble(said), expected, "{said}");
        }
    }
}

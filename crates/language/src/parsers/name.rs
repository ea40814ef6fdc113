//! Names, said and spelled.
//!
//! A spelling outranks what was heard: recognisers write "Shaw" for "Siobhan", but letters are
//! letters. The result is matched against the worklist later; here nothing is looked up.

use std::collections::HashSet;
use std::sync::OnceLock;

use radline_dialogue::words;

use super::{birth_date, numbers};

/// Words around a name that are not part of it.
const FILLERS: &[&str] = &[
    "my", "name", "names", "is", "its", "it", "this", "im", "i", "am", "the", "yes", "yeah", "hi",
    "hello", "hey", "sure", "ok", "okay", "uh", "um", "er", "so", "well", "please", "thats",
    "that", "be", "would", "and", "with", "spelled", "spelt", "spell", "as", "mr", "mrs", "ms",
    "miss", "doctor", "dr", "sir", "calling", "speaking", "here", "call", "me", "oh", "right",
    "of", "course", "like", "letter", "no", "thank", "you", "again", "said", "for", "you",
    "you're", "just", "full", "then", "word", "words", "two", "space", "hyphen", "dash", "capital",
    "letters", "spelling", "sounds", "sound", "there", "theres", "lot", "us", "separate", "one",
    "on", "end", "front", "but", "an", "em", "both", "them", "without", "new",
];
/// Words that show that the caller did something else than give a name.
const NOT_A_NAME: &[&str] = &[
    "not",
    "nothing",
    "what",
    "why",
    "who",
    "when",
    "where",
    "how",
    "can",
    "could",
    "want",
    "need",
    "know",
    "dont",
    "cant",
    "appointment",
    "scan",
    "book",
    "help",
    "person",
    "human",
    "agent",
    "question",
    "mri",
    "ct",
    "sorry",
    "pardon",
    "did",
    "didnt",
    "understand",
    "say",
    "repeat",
    "slower",
    "slowly",
    "hold",
    "wait",
    "stop",
    "have",
    "had",
    "before",
    "later",
    "problem",
];
/// More words than a name has.
const NAME_WORDS_MAX: usize = 5;
/// Fewest letters in a row that are a spelling rather than an initial.
const SPELLED_MIN: usize = 3;
/// How alike a heard word and a spelling must be to be the same word (Jaro-Winkler, 0 to 1).
const SAME_WORD: f64 = 0.55;
/// A spelling that is shorter than the word by so many letters, and less like it than this, is not a whole one.
const LOST_MIN: usize = 2;
const NEARLY: f64 = 0.8;

/// Reads a name, given name first. `None` when the words hold none.
pub fn parse(text: &str) -> Option<String> {
    said_again(text).or_else(|| parse_once(text))
}

/// "It's Llewellyn, double L at the front, Griff Llewellyn": what stands last is a whole name that
/// takes up what was said before, which is no more of it.
fn said_again(text: &str) -> Option<String> {
    let (before, last) = text.trim_end_matches(['.', '!', ' ']).rsplit_once(',')?;
    let last_words = words::split(last);
    let earlier = words::split(before);
    let (heard, spelled) = separate(&last_words);
    let whole = (2..=NAME_WORDS_MAX).contains(&heard.len()) && spelled.is_empty();
    let again = heard.iter().any(|word| earlier.contains(word));
    let role = |word: &String| ["first", "last", "surname", "family"].contains(&word.as_str());
    // "Fuentes like fountains" compares, and "last name Medeiros" says only one part.
    let plain = last_words.len() == heard.len() && !heard.iter().any(role);
    (whole && again && plain).then(|| parse_once(last)).flatten()
}

/// "Nguyen, g u i n": whoever heard the word whole has heard more than a spelling of which letters are lost.
fn lost_letters(spelling: &str, word: &str) -> bool {
    spelling.len() + LOST_MIN <= word.len() && strsim::jaro_winkler(word, spelling) < NEARLY
}

fn parse_once(text: &str) -> Option<String> {
    // A comma or a full stop ends a spelling: "k a w i k a, m e d e i r o s" are two words.
    let (mut heard, mut spelled) = (Vec::new(), Vec::new());
    for clause in in_one_breath(text).split([',', '.', ';']) {
        let words = words::split(&apart(clause));
        if words.iter().any(|word| NOT_A_NAME.contains(&word.as_str())) || is_date(&words) {
            continue;
        }
        let (words, letters) = separate(&words);
        let words = names_among(words, clause);
        // "Fast Horse. Two words, fast, horse": what is only said again is no more of the name.
        if heard.iter().all(|word| words.contains(word)) || says_again(&words, &heard) {
            heard = words;
        } else if !words.iter().all(|word| heard.contains(word)) {
            heard.extend(words);
        }
        spelled.extend(letters.into_iter().flat_map(|run| split_run(run, &heard)));
    }
    let spelled = whole_words(spelled, &heard);
    let (given, family) = by_role(&heard);
    let mut parts = if family.is_empty() { given } else { [given, family].concat() };
    for spelling in spelled {
        let alike = |part: &String| strsim::jaro_winkler(part, &spelling);
        let best = (0..parts.len()).max_by(|a, b| alike(&parts[*a]).total_cmp(&alike(&parts[*b])));
        match best.filter(|index| alike(&parts[*index]) >= SAME_WORD) {
            Some(index) if lost_letters(&spelling, &parts[index]) => {}
            Some(index) => parts[index] = spelling,
            None => parts.push(spelling),
        }
    }
    parts.dedup();
    if parts.is_empty() || parts.len() > NAME_WORDS_MAX {
        return None;
    }
    Some(parts.iter().map(|part| capitalised(part)).collect::<Vec<_>>().join(" "))
}

/// "Sam Okafor, well, Samuel on the card, so Samuel Okafor": a whole name that takes up a part of what was said.
fn says_again(words: &[String], heard: &[String]) -> bool {
    let role = |word: &String| ROLES.contains(&word.as_str());
    words.len() > 1
        && heard.len() > 1
        && words.iter().any(|word| heard.contains(word))
        && !words.iter().chain(heard).any(role)
}

/// A name that the caller gives without being asked: only after "my name is".
pub fn volunteered(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let at = lower.find("my name is ")?;
    let rest = text.get(at + "my name is ".len()..)?;
    let end = rest.find([',', '.', '?', '!']).unwrap_or(rest.len());
    let name = &rest[..end];
    let until = name.split(" and ").next().unwrap_or(name);
    parse(until).filter(|name| name.contains(' '))
}

/// "Fourth of May sixty three" is no name.
fn is_date(words: &[String]) -> bool {
    let month = words.iter().any(|word| birth_date::month(word).is_some());
    let numbers = (0..words.len()).filter(|at| numbers::read(&words[*at..]).is_some());
    month && numbers.count() > 1
}

/// Heard words (fillers dropped, roles kept) and spelled words.
fn separate(words: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut heard, mut spelled, mut run) = (Vec::new(), Vec::new(), String::new());
    let mut at = 0;
    while at <= words.len() {
        if let Some((letters, taken)) = letters_at(words, at) {
            run.push_str(&letters);
            at += taken;
            continue;
        }
        if run.len() >= SPELLED_MIN {
            spelled.push(std::mem::take(&mut run));
        }
        run.clear();
        if let Some(word) = words.get(at) {
            let plain = word.chars().all(char::is_alphabetic) && !FILLERS.contains(&word.as_str());
            // "Fuentes like fountains", "Kawika with a K": the comparison is not a name.
            let compared = words[..at].iter().any(|word| ["like", "as"].contains(&word.as_str()));
            // "I will spell the first", "Samuel on the card".
            let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
            let told = word == "will" && ["i", "that"].contains(&before)
                || word == "card" && before == "the";
            if plain && !compared && !told {
                heard.push(word.clone());
            }
        }
        at += 1;
    }
    (heard, spelled)
}

/// Words that are no names.
pub(crate) fn common() -> &'static HashSet<&'static str> {
    static COMMON: OnceLock<HashSet<&str>> = OnceLock::new();
    COMMON.get_or_init(|| {
        let lines = include_str!("../../data/common_words.en.txt").lines();
        lines.filter(|line| !line.starts_with('#')).collect()
    })
}

/// The words of a clause that may be names: what everybody says is none, unless it is written with a
/// capital letter in the middle of the clause.
fn names_among(words: Vec<String>, clause: &str) -> Vec<String> {
    let capital = |word: &str| {
        clause.split_whitespace().skip(1).any(|written| {
            written.starts_with(char::is_uppercase)
                && words::split(written).iter().any(|split| split == word)
        })
    };
    let role = |word: &str| ROLES.contains(&word);
    let mut names = words;
    let known = |word: &String| !role(word) && common().contains(word.as_str());
    // "Wendell Fast Horse", "last name Fast Horse": in a short clause that begins as a name does, or that
    // says which part of it comes, even common words belong to it.
    let parts: Vec<&String> = names.iter().filter(|word| !role(word)).collect();
    let led = names.iter().any(|word| role(word)) || parts.first().is_some_and(|word| !known(word));
    if led && (1..=SHORT_CLAUSE).contains(&parts.len()) {
        return names;
    }
    names.retain(|word| role(word) || capital(word) || !common().contains(word.as_str()));
    if names.iter().all(|word| role(word)) { Vec::new() } else { names }
}

/// Words of a clause that is nothing but a name.
const SHORT_CLAUSE: usize = 3;

/// Words that tell which part of a name stands beside them.
const ROLES: &[&str] =
    &["last", "family", "surname", "second", "first", "given", "christian", "middle"];

/// "S, T, O, L" is one spelling, while a comma between longer runs of letters ends a word: a comma goes
/// where a letter stands alone between two of them, or behind the last one.
fn in_one_breath(text: &str) -> String {
    let pieces: Vec<&str> = text.split(',').collect();
    // One letter, perhaps with the word for it: "S for sugar".
    let letter = |piece: &str| {
        let words = words::split(piece);
        let read = letters_at(&words, 0).filter(|(letters, _)| letters.len() == 1);
        read.is_some_and(|(_, taken)| taken >= words.len() && !words.is_empty())
    };
    let ends = |piece: &str| letter(piece) || piece.split_whitespace().last().is_some_and(letter);
    let mut joined = String::with_capacity(text.len());
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            let goes_on = letter(piece) && ends(pieces[at - 1]);
            joined.push(if goes_on { ' ' } else { ',' });
        }
        joined.push_str(piece);
    }
    joined
}

/// Two runs of letters that together are a word that was heard are one spelling.
fn whole_words(spelled: Vec<String>, heard: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::with_capacity(spelled.len());
    for run in spelled {
        // "Q u i n, t a n, i l l a" is told in pieces.
        let begins = |last: &&mut String| {
            let joined = format!("{last}{run}");
            heard.iter().any(|word| word.starts_with(&joined))
        };
        match whole.last_mut().filter(begins) {
            Some(last) => last.push_str(&run),
            None => whole.push(run),
        }
    }
    whole
}

/// Recognisers write "O, K" as "O'K": an apostrophe before a single letter joins a spelling, not
/// a name such as O'Brien.
fn apart(clause: &str) -> String {
    let letters: Vec<char> = clause.chars().collect();
    let joins = |at: usize| {
        let single = |at: usize| {
            letters.get(at).is_some_and(|letter| letter.is_alphabetic())
                && letters.get(at + 1).is_none_or(|next| !next.is_alphabetic())
        };
        // "That's s, i, o" is no spelling of "Ss".
        let alone = at < 2 || !letters[at - 2].is_alphabetic();
        matches!(letters[at], '\'' | '’') && single(at + 1) && alone
    };
    (0..letters.len()).map(|at| if joins(at) { ' ' } else { letters[at] }).collect()
}

/// Two spellings said in one breath, told apart by the first having been heard as a word.
fn split_run(run: String, heard: &[String]) -> Vec<String> {
    let first = heard
        .iter()
        .find(|word| run.strip_prefix(word.as_str()).is_some_and(|rest| rest.len() >= SPELLED_MIN));
    match first {
        Some(word) => vec![word.clone(), run[word.len()..].to_owned()],
        None => vec![run],
    }
}

/// Words that stand for letters on radio and telephone (ICAO, 1956).
const SPELLING_ALPHABET: [&str; 26] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet",
    "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango",
    "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
];

/// Letters that begin at this word: "k", "double l", "s for sam", "n as in nancy", "o oscar", or the
/// alphabet's words when another one or a letter stands beside them.
fn letters_at(words: &[String], at: usize) -> Option<(String, usize)> {
    let word = words.get(at)?;
    let single = |word: &String| {
        let mut characters = word.chars();
        characters.next().filter(|letter| letter.is_alphabetic() && characters.next().is_none())
    };
    if word == "double" {
        let letter = single(words.get(at + 1)?)?;
        return Some((format!("{letter}{letter}"), 2));
    }
    let next = |ahead: usize| words.get(at + ahead).map_or("", String::as_str);
    let stands = |word: &str| SPELLING_ALPHABET.contains(&word);
    let Some(letter) = single(word) else {
        // "Lima uniform november delta"; "Mike" alone is a name.
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        let beside = stands(next(1)) || stands(before);
        let letter = word.chars().next().filter(|_| stands(word) && beside)?;
        return Some((letter.to_string(), 1));
    };
    let taken = match (next(1), next(2)) {
        ("as", "in") => 4,
        ("for" | "like", _) => 3,
        (word, _) if stands(word) && word.starts_with(letter) => 2,
        _ => 1,
    };
    Some((letter.to_string(), taken))
}

/// Splits "last name Medeiros first name Kawika" into given and family names.
fn by_role(heard: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut given, mut family) = (Vec::new(), Vec::new());
    let mut to_family = false;
    for (index, word) in heard.iter().enumerate() {
        let role = word.as_str();
        match role {
            "last" | "family" | "surname" | "second" => to_family = true,
            "first" | "given" | "christian" => to_family = false,
            "middle" => {}
            _ => {
                // "Medeiros is my last name, Kawika …": the role may follow the name.
                let follows =
                    heard.get(index + 1).is_some_and(|next| next == "last" || next == "surname");
                let belongs_to_family = to_family || follows && index == 0;
                if belongs_to_family { &mut family } else { &mut given }.push(word.clone());
                to_family &= PARTICLES.contains(&role);
            }
        }
    }
    (given, family)
}

/// Words that begin a family name of several.
const PARTICLES: &[&str] = &[
    "de", "la", "del", "van", "der", "den", "von", "ni", "mac", "san", "dos", "da", "di", "el",
    "al", "bin", "st",
];

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_that_lost_letters_does_not_replace_the_word() {
        let read = |text| parse(text).expect("a name");
        assert_eq!(read("My name is Walter Nguyen, g-u-i-n"), "Walter Nguyen");
        assert_eq!(read("Katherine, K, A, T, H, R, Y, N, Jones"), "Kathryn Jones");
    }

    #[test]
    fn names_are_read_and_spellings_win() {
        for (said, expected) in [
            ("Amara Okafor", Some("Amara Okafor")),
            ("My name is Amara Okafor.", Some("Amara Okafor")),
            ("it's griff llewellyn", Some("Griff Llewellyn")),
            ("first name jesus, like hay soos, last name de la cruz", Some("Jesus De La Cruz")),
            ("sam okafor, well samuel on the card, so samuel okafor", Some("Samuel Okafor")),
            ("dwayne, d w a y n e, campbell like the soup", Some("Dwayne Campbell")),
            ("jon without the h, abernathy", Some("Jon Abernathy")),
            ("kawika medeiros. k a w i k a, m e d e i r o s", Some("Kawika Medeiros")),
            ("last name medeiros, m e d e i r o s, first name kawika", Some("Kawika Medeiros")),
            ("ngozi, n g o z i, surname okwuosa, o k w u o s a", Some("Ngozi Okwuosa")),
            ("Bhattacharya is my last name, first name is Anindita", Some("Anindita Bhattacharya")),
            ("Amara Okafor, O-K-A-F-O-R", Some("Amara Okafor")),
            (
                "dolores, d o l o r e s, quintanilla, q u i n, t a n, i l l a",
                Some("Dolores Quintanilla"),
            ),
            (
                "first name padraig with a g on the end of it, surname ruane, r u a n e",
                Some("Padraig Ruane"),
            ),
            ("Shaw Murphy, S I O B H A N", Some("Shaw Murphy Siobhan")),
            ("Demar Ochifer O'K-A-F-O-R.", Some("Demar Okafor")),
            ("Sean O'Brien", Some("Sean Obrien")),
            ("Lin Dee. D as in dog, double E", Some("Lin Dee")),
            ("maria del carmen fuentes, fuentes like fountains", Some("Maria Del Carmen Fuentes")),
            ("it's llewellyn, double l at the front, griff llewellyn", Some("Griff Llewellyn")),
            ("theodore, but put teddy, no, put theodore, theodore marsh", Some("Theodore Marsh")),
            ("ruth ann, then s, t, o, l, t, z, f, u, s", Some("Ruth Ann Stoltzfus")),
            ("Wendell Fast Horse. Two words, Fast, Horse.", Some("Wendell Fast Horse")),
            ("dariusz wojcik, do i need paper from my doctor", Some("Dariusz Wojcik")),
            ("it's in my husband's name anton bielski", Some("Anton Bielski")),
            ("i am speaking clear. hristo. h, r, i, s, t, o, georgiev", Some("Hristo Georgiev")),
            (
                "not me god no, it's my dad, vasilios, vasilios papadakis",
                Some("Vasilios Papadakis"),
            ),
            ("My name is Will May.", Some("Will May")),
            ("s for sugar, h for harry, o for orange, n for nellie, a for apple", Some("Shona")),
            ("n for november, g for golf, o oscar, z zulu, i india", Some("Ngozi")),
            ("again, lima uniform november delta, lund", Some("Lund")),
            ("operator", None),
            ("five five five oh one one nine", None),
            ("why do you need that", None),
            ("", None),
        ] {
            let read = parse(said);
            assert_eq!(read.as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn a_name_is_volunteered_only_when_it_is_called_one() {
        let said = "hi, my name is Amara Okafor and I need a scan";
        assert_eq!(volunteered(said).as_deref(), Some("Amara Okafor"));
        assert_eq!(volunteered("this is urgent"), None);
    }

    proptest::proptest! {
        #[test]
        fn anything_may_be_said(text in ".{0,80}") {
            parse(&text);
            volunteered(&text);
        }
    }
}

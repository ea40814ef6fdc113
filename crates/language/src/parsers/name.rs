//! Names, said and spelled.
//!
//! A spelling outranks what was heard: recognisers write "Shaw" for "Siobhan", but letters are
//! letters. The result is matched against the worklist later; here nothing is looked up.

use radline_dialogue::words;

/// Words around a name that are not part of it.
const FILLERS: &[&str] = &[
    "my", "name", "names", "is", "its", "it", "this", "im", "i", "am", "the", "yes", "yeah", "hi",
    "hello", "hey", "sure", "ok", "okay", "uh", "um", "er", "so", "well", "please", "thats",
    "that", "be", "would", "and", "with", "spelled", "spelt", "spell", "as", "mr", "mrs", "ms",
    "miss", "doctor", "dr", "sir", "calling", "speaking", "here", "call", "me", "oh", "right",
    "of", "course", "like", "letter", "no", "thank", "you", "again", "said", "for", "you",
    "you're", "just", "full",
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

fn parse_once(text: &str) -> Option<String> {
    let words = words::split(text);
    if words.iter().any(|word| NOT_A_NAME.contains(&word.as_str())) {
        return None;
    }
    // A comma or a full stop ends a spelling: "k a w i k a, m e d e i r o s" are two words.
    let (mut heard, mut spelled) = (Vec::new(), Vec::new());
    for clause in text.split([',', '.', ';']) {
        let (words, letters) = separate(&words::split(&apart(clause)));
        heard.extend(words);
        spelled.extend(letters.into_iter().flat_map(|run| split_run(run, &heard)));
    }
    let (given, family) = by_role(&heard);
    let mut parts = if family.is_empty() { given } else { [given, family].concat() };
    for spelling in spelled {
        let alike = |part: &String| strsim::jaro_winkler(part, &spelling);
        let best = (0..parts.len()).max_by(|a, b| alike(&parts[*a]).total_cmp(&alike(&parts[*b])));
        match best.filter(|index| alike(&parts[*index]) >= SAME_WORD) {
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
            let compared = at > 0 && ["like", "as"].contains(&words[at - 1].as_str());
            if plain && !compared {
                heard.push(word.clone());
            }
        }
        at += 1;
    }
    (heard, spelled)
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
        matches!(letters[at], '\'' | '’') && single(at + 1)
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

/// Letters that begin at this word: "k", "double l", "s for sam", "n as in nancy".
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
    let letter = single(word)?;
    let next = |ahead: usize| words.get(at + ahead).map_or("", String::as_str);
    let taken = match (next(1), next(2)) {
        ("as", "in") => 4,
        ("for" | "like", _) => 3,
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
                to_family = false;
            }
        }
    }
    (given, family)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_spellings_win() {
        for (said, expected) in [
            ("Amara Okafor", Some("Amara Okafor")),
            ("My name is Amara Okafor.", Some("Amara Okafor")),
            ("it's griff llewellyn", Some("Griff Llewellyn")),
            ("kawika medeiros. k a w i k a, m e d e i r o s", Some("Kawika Medeiros")),
            ("last name medeiros, m e d e i r o s, first name kawika", Some("Kawika Medeiros")),
            ("ngozi, n g o z i, surname okwuosa, o k w u o s a", Some("Ngozi Okwuosa")),
            ("Bhattacharya is my last name, first name is Anindita", Some("Anindita Bhattacharya")),
            ("Amara Okafor, O-K-A-F-O-R", Some("Amara Okafor")),
            ("Shaw Murphy, S I O B H A N", Some("Shaw Murphy Siobhan")),
            ("Demar Ochifer O'K-A-F-O-R.", Some("Demar Okafor")),
            ("Sean O'Brien", Some("Sean Obrien")),
            ("Lin Dee. D as in dog, double E", Some("Lin Dee")),
            ("maria del carmen fuentes, fuentes like fountains", Some("Maria Del Carmen Fuentes")),
            ("it's llewellyn, double l at the front, griff llewellyn", Some("Griff Llewellyn")),
            ("theodore, but put teddy, no, put theodore, theodore marsh", Some("Theodore Marsh")),
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

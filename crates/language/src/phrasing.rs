//! What is said to a feeling, in the caller's own words.
//!
//! A site signs sentences with a place in them ("Waiting for {what} is hard."); the language model picks
//! one and fills the place with what weighs on the caller. It has only small words and words that the
//! caller said, in other forms perhaps; what it wrote is looked at once more without it. So it can say
//! nothing that the site did not sign and the caller did not say: no fact, no number, no comfort that
//! nobody can give. Where nothing fits, the site's plain sentence is spoken.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use radline_dialogue::scenario::Empathy;
use radline_dialogue::{Command, Feeling, Understanding, wording, words};
use radline_phi::Phi;

use crate::parsers::{exam, name};
use crate::verifier::{self, Block};

/// Most words that fill the place.
pub const WORDS_MAX: usize = 9;
/// A small word of the caller's that shows that they were heard has so many letters, any other these.
const TELLING_LETTERS: (usize, usize) = (4, 3);
/// How likely every word that the model chooses has to be. BENCHMARKS.md says what more and less would cost.
pub const SURE: f32 = 0.6;
/// Longest utterance that is read, words; the feeling stands nearer to its end as a rule.
const SAID_MAX: usize = 60;

/// What the model writes where nothing that was said fills the place.
pub const NOTHING: &str = "none";

/// Words that hold a sentence together, free for every draft.
const SMALL: &str = include_str!("../data/small_words.en.txt");

/// Common words that the caller may say and that are not said back: the caller's "I" and "we", what
/// people say while they think, and what is too hard a word to hear from a machine.
const NOT_SAID_BACK: &[&str] = &[
    "i", "me", "my", "mine", "myself", "we", "us", "our", "ours", "im", "ive", "id", "ill", "were",
    "weve", "hes", "shes", "its", "theyre", "theyve", "youre", "youve", "thats", "whats", "theres",
    "lets", "gonna", "wanna", "gotta", "cos", "cause", "um", "uh", "er", "erm", "ah", "oh", "yeah",
    "yes", "yep", "okay", "ok", "hello", "hi", "please", "thanks", "thank", "sorry", "love",
    "dear", "god", "lord", "die", "dies", "died", "dying", "dead", "death", "kill", "kills",
    "killed", "killing", "suicide", "terminal", "fatal", "damn", "bloody", "hell", "stupid",
    "idiot",
];

/// People whose things callers speak of.
const PEOPLE: &[&str] = &[
    "mother",
    "mum",
    "mom",
    "father",
    "dad",
    "daughter",
    "son",
    "boy",
    "girl",
    "baby",
    "child",
    "kid",
    "husband",
    "wife",
    "partner",
    "brother",
    "sister",
    "friend",
    "gran",
    "grandmother",
    "grandfather",
    "grandson",
    "granddaughter",
    "aunt",
    "uncle",
    "neighbor",
    "neighbour",
];

/// Words that something has to follow.
const NOT_LAST: &[&str] = &[
    "the", "a", "an", "of", "your", "her", "his", "their", "and", "or", "if", "whether", "to",
    "for", "with", "about", "from", "by", "as", "is", "are", "was", "be", "being", "having", "on",
    "at", "so", "very", "next",
];

/// What people who call here wait for, one of which, or a part of the body, has to be in a sentence about waiting:
/// it is not the queue.
const AWAITED: &[&str] = &[
    "result",
    "results",
    "report",
    "news",
    "answer",
    "answers",
    "scan",
    "test",
    "biopsy",
    "call",
    "letter",
    "appointment",
    "doctor",
    "picture",
    "pictures",
    "mri",
    "ct",
    "pet",
    "mammogram",
    "mammography",
    "ultrasound",
    "xray",
    "lump",
    "spot",
    "nodule",
    "shadow",
    "cyst",
    "referral",
    "surgery",
    "operation",
    "pathology",
    "radiologist",
    "surgeon",
    "specialist",
    "found",
    "saw",
    "called",
];

/// What they are afraid of, the same for a sentence about an exam: it is not a mistake.
const FEARED: &[&str] = &[
    "exam",
    "scan",
    "scanner",
    "test",
    "mri",
    "ct",
    "pet",
    "mammogram",
    "mammography",
    "ultrasound",
    "xray",
    "biopsy",
    "procedure",
    "machine",
    "tunnel",
    "tube",
    "doughnut",
    "cage",
    "table",
    "needle",
    "needles",
    "injection",
    "jab",
    "vein",
    "wire",
    "blood",
    "radiation",
    "radioactive",
    "magnet",
    "metal",
    "noise",
    "noises",
    "banging",
    "loud",
    "dark",
    "inside",
    "closed",
    "small",
    "space",
    "spaces",
    "stuck",
    "trapped",
    "lying",
    "lie",
    "still",
    "flat",
    "awake",
    "asleep",
    "breath",
    "breathe",
    "breathing",
    "hurt",
    "hurts",
    "pain",
    "squash",
    "squashed",
    "squeeze",
    "squashing",
    "pressing",
    "undressing",
    "undress",
    "gown",
    "touched",
    "panic",
    "claustrophobic",
    "reaction",
    "allergic",
    "drink",
    "swallowing",
    "swallow",
    "hospital",
    "hospitals",
    "happens",
];

/// A caller's words with a feeling in them, and the sentences that a site has signed for it.
#[derive(Debug, Clone)]
pub struct Felt {
    /// What the feeling is about.
    pub feeling: Feeling,
    /// The words.
    pub said: Phi<String>,
    /// Sentences with `{what}` in them.
    pub frames: Vec<String>,
    /// How likely every word that the model chooses has to be, 0 to 1.
    pub sure: f32,
}

impl Felt {
    /// The feeling that an utterance tells of, where the site has sentences for it.
    pub fn of(said: &Phi<String>, heard: &Understanding, empathy: &Empathy) -> Option<Self> {
        let feeling = heard.commands.iter().find_map(|command| match command {
            Command::Feels(_, feeling) => Some(*feeling),
            _ => None,
        })?;
        let frames = empathy.worded(feeling).to_vec();
        (!frames.is_empty()).then(|| Self { feeling, said: said.clone(), frames, sure: SURE })
    }

    /// What the model reads before it writes.
    pub fn prompt(&self) -> String {
        prompt(self.feeling, self.said.expose())
    }

    /// The words that may fill the place.
    pub fn vocabulary(&self) -> BTreeSet<String> {
        let mut said = words::split(self.said.expose());
        said.retain(|word| may_be_said(word));
        let own = said.iter().filter_map(|word| common().get(stem(word).as_str())).flatten();
        // "My daughter is having a scan" is answered with "your daughter's scan".
        let owners = said.iter().filter(|word| PEOPLE.contains(&word.as_str()));
        let owners = owners.map(|word| format!("{word}s"));
        small().iter().chain(own).map(|word| (*word).to_owned()).chain(owners).collect()
    }

    /// Whether a sentence may be spoken.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, sentence: &str) -> Result<(), Block> {
        let (frame, what) = wording::framed(sentence, &self.frames).ok_or(Block::Frame)?;
        let plain = |letter: char| letter.is_ascii_lowercase() || letter == ' ';
        let filled: Vec<&str> = what.split(' ').collect();
        if !what.chars().all(plain) || filled.len() > WORDS_MAX {
            return Err(Block::Unsaid);
        }
        let vocabulary = self.vocabulary();
        if !filled.iter().all(|word| vocabulary.contains(*word)) {
            return Err(Block::Unsaid);
        }
        let said = words::split(self.said.expose());
        let said: BTreeSet<String> =
            said.iter().filter(|word| tells(word)).map(|word| stem(word)).collect();
        let tells = |word: &&str| tells(word) && said.contains(&stem(word));
        let broken_off = filled.last().is_none_or(|word| NOT_LAST.contains(word));
        if !filled.iter().any(tells) || broken_off {
            return Err(Block::Unsaid);
        }
        verifier::verify(sentence, &[frame])
    }

    /// Whether it is about what people who call here wait for or fear: of two things that a caller speaks of,
    /// the model at times takes the wrong one.
    pub fn is_usual(&self, sentence: &str) -> bool {
        let usual = match self.feeling {
            Feeling::Waiting => AWAITED,
            Feeling::Exam => FEARED,
            Feeling::Anger | Feeling::General => return true,
        };
        let parts = exam::body_parts();
        let known = |word: &str| usual.contains(&word) || parts.contains(&word);
        let filled = wording::framed(sentence, &self.frames);
        filled.is_some_and(|(_, what)| what.split(' ').any(known))
    }
}

/// What the model reads before it writes.
pub fn prompt(feeling: Feeling, said: &str) -> String {
    let about = match feeling {
        Feeling::Waiting => "waiting",
        Feeling::Exam => "exam",
        Feeling::Anger => "anger",
        Feeling::General => "general",
    };
    let said = words::split(said);
    let from = said.len().saturating_sub(SAID_MAX);
    format!("feels {about}: {}\n", said[from..].join(" "))
}

/// Every word that any draft may hold.
pub fn all_words() -> impl Iterator<Item = &'static str> {
    small().iter().chain(common().values().flatten()).copied()
}

/// The small words that may be said.
fn small() -> &'static BTreeSet<&'static str> {
    static SMALL_WORDS: OnceLock<BTreeSet<&str>> = OnceLock::new();
    SMALL_WORDS.get_or_init(|| {
        let lines = SMALL.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(str::split_whitespace).filter(|word| may_be_said(word)).collect()
    })
}

/// Words that are no names, by their stem: "waiting" is what somebody said who said "wait".
fn common() -> &'static HashMap<String, Vec<&'static str>> {
    static BY_STEM: OnceLock<HashMap<String, Vec<&str>>> = OnceLock::new();
    BY_STEM.get_or_init(|| {
        let mut by_stem: HashMap<String, Vec<&str>> = HashMap::new();
        for word in name::common().iter().filter(|word| may_be_said(word)) {
            by_stem.entry(stem(word)).or_default().push(word);
        }
        by_stem
    })
}

/// Whether a word shows that the caller was heard, if they said it.
fn tells(word: &str) -> bool {
    let (small_one, other) = TELLING_LETTERS;
    word.len() >= if small().contains(word) { small_one } else { other }
}

fn may_be_said(word: &str) -> bool {
    !verifier::weighs(word) && !NOT_SAID_BACK.contains(&word)
}

/// What the forms of a word have in common, roughly.
fn stem(word: &str) -> String {
    const ENDINGS: [&str; 7] = ["ing", "ies", "ied", "ed", "es", "s", "er"];
    const LEAST: usize = 3;
    let shorter = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending));
    let stem = shorter.filter(|rest| rest.len() >= LEAST).unwrap_or(word);
    let stem = stem.strip_suffix(['e', 'y']).filter(|rest| rest.len() >= LEAST).unwrap_or(stem);
    let mut last = stem.chars().rev();
    let doubled = stem.len() > LEAST && last.next() == last.next();
    stem[..stem.len() - usize::from(doubled)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn felt(said: &str) -> Felt {
        let frames = ["Waiting for {what} is hard.", "It makes sense that {what} weighs on you."];
        Felt {
            feeling: Feeling::Waiting,
            said: Phi::new(said.to_owned()),
            frames: frames.map(str::to_owned).into(),
            sure: 0.0,
        }
    }

    #[test]
    fn what_the_caller_said_may_be_said_back() {
        let felt =
            felt("Me nerves are gone, I've been waiting on my mother's biopsy since Tuesday");
        for sentence in [
            "Waiting for the biopsy is hard.",
            "Waiting for your mothers biopsy is hard.",
            "It makes sense that waiting for news about the biopsy weighs on you.",
        ] {
            assert_eq!(felt.verify(sentence), Ok(()), "{sentence}");
        }
    }

    #[test]
    fn nothing_else_may() {
        let felt =
            felt("I can't stop thinking of the cancer, Doctor Rivera said two weeks for my biopsy");
        for (sentence, block) in [
            ("Waiting for the biopsy is fine.", Block::Frame),
            ("Waiting for the biopsy is hard. It will be fine.", Block::Frame),
            ("Waiting for the surgery is hard.", Block::Unsaid),
            ("Waiting for what they found is hard.", Block::Unsaid),
            ("Waiting for the cancer is hard.", Block::Unsaid),
            ("Waiting for two weeks is hard.", Block::Unsaid),
            ("Waiting for doctor rivera is hard.", Block::Unsaid),
            ("Waiting for my biopsy is hard.", Block::Unsaid),
            ("Waiting for the Biopsy is hard.", Block::Unsaid),
            ("Waiting for the biopsy. That is hard.", Block::Unsaid),
        ] {
            assert_eq!(felt.verify(sentence), Err(block), "{sentence}");
        }
    }

    #[test]
    fn what_people_wait_for_is_known() {
        let felt = felt("I am waiting for my biopsy, and the queue goes round the block");
        assert!(felt.is_usual("Waiting for your biopsy is hard."));
        assert!(!felt.is_usual("Waiting for the queue is hard."));
        for broken in ["Waiting for the is hard.", "Waiting for the biopsy and is hard."] {
            assert_eq!(felt.verify(broken), Err(Block::Unsaid), "{broken}");
        }
    }

    #[test]
    fn forms_of_a_word_have_a_stem() {
        for (one, other) in [
            ("wait", "waiting"),
            ("lose", "losing"),
            ("worry", "worried"),
            ("needle", "needles"),
            ("sit", "sitting"),
        ] {
            assert_eq!(stem(one), stem(other));
        }
        assert_ne!(stem("scan"), stem("scar"));
    }
}

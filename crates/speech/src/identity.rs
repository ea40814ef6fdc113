//! Names, numbers, codes and dates: a reading that may write nothing else, and when to believe it.

use whisper_rs::{WhisperContext, WhisperState};

use crate::constrained::{Decoder, Free, Limits, Pieces, Reading};
use crate::spelled::Words;
use crate::transcriber::Vocabulary;
use crate::{MONTHS, SpeechError};

/// How much less likely than the free reading a constrained one may be and still be believed, nats
/// for each second of audio. What is no spelling and no number scores far lower.
const MARGIN_PER_SECOND: f32 = 2.4;
/// The least margin, nats.
const MARGIN_MIN: f32 = 4.0;
/// Choices that are tried, and how near the second must be for it, nats.
const DEVIATIONS: usize = 8;
const CLOSE: f32 = 1.6;
/// What comes before a name or a number.
const LEADS: [&str; 12] = [
    " My name is",
    " my name is",
    " The name is",
    " It's",
    " it's",
    " It is",
    " That's",
    " This is",
    " I'm",
    " First name",
    " Last name",
    " spelled",
];
/// Endings of ordinals, and what stands between letters and digits.
const SMALL: [&str; 6] = ["-", ",", "st", "nd", "rd", "th"];

/// Reads names, numbers, codes and dates.
pub(crate) struct Identity {
    pieces: Pieces,
    words: Words,
    /// Tokens of each letter, with and without a space before it.
    letters: Vec<(i32, u8)>,
    hyphen: Option<i32>,
    comma: Option<i32>,
}

impl Identity {
    pub(crate) fn new(context: &WhisperContext, vocabulary: &Vocabulary) -> Self {
        let names: Vec<String> = vocabulary
            .names
            .iter()
            .flat_map(|name| name.expose().split_whitespace())
            .map(ToOwned::to_owned)
            .collect();
        let mut texts = pieces();
        for word in vocabulary.words.iter().chain(&names) {
            texts.push(format!(" {word}"));
        }
        let mut words = Words::common();
        words.expect(names.iter().map(String::as_str));
        let one = |text: &str| match context.tokenize(text, 2).as_deref() {
            Ok([token]) => Some(*token),
            _ => None,
        };
        let letters = (b'A'..=b'Z')
            .flat_map(|letter| manners(letter.into()).map(|text| (one(&text), letter)));
        let letters = letters.filter_map(|(token, letter)| Some((token?, letter))).collect();
        let pieces = Pieces::new(context, texts.iter().map(String::as_str));
        Self { pieces, words, letters, hyphen: one("-"), comma: one(",") }
    }

    /// Reads what the state's encoder has heard last. Nothing when the free reading is to be believed.
    pub(crate) fn read(
        &self,
        state: &mut WhisperState,
        threads: usize,
        free: Free<'_>,
    ) -> Result<Option<Reading>, SpeechError> {
        let mut decoder = Decoder::new(state, &self.pieces, threads, limits(free));
        let best = decoder.best()?;
        let margin = (MARGIN_PER_SECOND * free.seconds).max(MARGIN_MIN);
        if !best.is_believed(free, margin) {
            return Ok(None);
        }
        self.likelier_name(&mut decoder, best).map(Some)
    }

    /// A spelling that is no word we know may be a known one misheard: each that is near is scored
    /// as if it had been read, and how common it is counts too.
    fn likelier_name(
        &self,
        decoder: &mut Decoder<'_>,
        mut best: Reading,
    ) -> Result<Reading, SpeechError> {
        let Some(spelled) = self.spelled(&best.tokens) else { return Ok(best) };
        let prior = |word: &str| self.words.log_prior(word);
        let (mut likeliest, mut highest) = (None, best.score + prior(&spelled));
        for word in self.words.near(&spelled) {
            let tokens = self.respelled(&best.tokens, &spelled, word);
            let score = decoder.score(&tokens)?;
            if score + prior(word) > highest {
                (likeliest, highest) = (Some((tokens, score)), score + prior(word));
            }
        }
        if let Some((tokens, score)) = likeliest {
            (best.tokens, best.score) = (tokens, score);
        }
        Ok(best)
    }

    fn letter(&self, token: i32) -> Option<u8> {
        self.letters.iter().find(|(other, _)| *other == token).map(|(_, letter)| *letter)
    }

    /// The letters, if the reading holds nothing else.
    fn spelled(&self, tokens: &[i32]) -> Option<String> {
        let between = |token: &i32| [self.hyphen, self.comma].contains(&Some(*token));
        let parts = tokens.iter().filter(|token| !between(token));
        parts.map(|token| self.letter(*token).map(char::from)).collect()
    }

    /// The tokens with the letters of another word, in the manner of the reading.
    fn respelled(&self, tokens: &[i32], spelled: &str, word: &str) -> Vec<i32> {
        if spelled.len() == word.len() {
            let mut letters = word.bytes();
            return tokens
                .iter()
                .map(|token| match self.letter(*token) {
                    Some(_) => self.like(*token, letters.next().unwrap_or_default()),
                    None => *token,
                })
                .collect();
        }
        // One letter more or less: the first as it was, the others like the second.
        let first = tokens.first().copied();
        let mut others = tokens.iter().skip(1).copied();
        let second = others.find(|token| self.letter(*token).is_some());
        let hyphen = self.hyphen.filter(|hyphen| tokens.contains(hyphen));
        let mut respelled = Vec::new();
        for (index, letter) in word.bytes().enumerate() {
            let model = if index == 0 { first } else { second.or(first) };
            if index > 0 {
                respelled.extend(hyphen);
            }
            respelled.extend(model.map(|model| self.like(model, letter)));
        }
        respelled
    }

    /// The token of a letter in the manner of another one: with a space or not, capital or small.
    fn like(&self, model: i32, letter: u8) -> i32 {
        let manner = self.letters.iter().position(|(token, _)| *token == model);
        let first = |wanted: u8| self.letters.iter().position(|(_, other)| *other == wanted);
        let of_model = manner.and_then(|at| Some(at - first(self.letters[at].1)?));
        let wanted = of_model.and_then(|offset| Some(first(letter)? + offset));
        wanted
            .and_then(|at| self.letters.get(at))
            .filter(|(_, other)| *other == letter)
            .map_or(model, |(token, _)| *token)
    }
}

/// What a reading must be like, beside the free one: one far shorter has left something out.
fn limits(free: Free<'_>) -> Limits {
    let Free { text, seconds, tokens_max, .. } = free;
    let tokens_min = text.chars().filter(|c| c.is_alphanumeric()).count() / 3 + 1;
    Limits { seconds, tokens_min, tokens_max, close: CLOSE, deviations: DEVIATIONS }
}

/// How a letter may be written: capital or small, with a space before it or not.
fn manners(letter: char) -> [String; 4] {
    let small = letter.to_ascii_lowercase();
    [format!("{letter}"), format!(" {letter}"), format!("{small}"), format!(" {small}")]
}

/// What may be written: letters, numbers up to three digits and years, months.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> =
        SMALL.iter().chain(&LEADS).map(|text| (*text).to_owned()).collect();
    pieces.extend(('A'..='Z').flat_map(manners));
    let numbers = (0..10).map(|n| format!("{n}"));
    let numbers = numbers.chain((0..100).map(|n| format!("{n:02}")));
    let numbers = numbers.chain((0..1000).map(|n| format!("{n:03}")));
    for number in numbers.chain((1900..2030).map(|n| format!("{n}"))) {
        pieces.push(format!(" {number}"));
        pieces.push(number);
    }
    pieces.extend(MONTHS.iter().map(|month| format!(" {month}")));
    pieces.push(" double".to_owned());
    pieces
}

//! What an utterance is at first sight: what the caller does with it, whether somebody is in danger, and
//! how they feel. A small encoder that was taught this on labelled utterances reads what callers answer,
//! before the language model and also where that is not asked.

use std::path::Path;

use candle_core::{D, Result as Computed, Tensor, bail};
use candle_nn::{Linear, Module};
use radline_dialogue::{Expectation, RedFlag, Suspicion};
use tokenizers::{EncodeInput, Tokenizer, TruncationParams};

use super::encoder::{self, Encoder, Tensors, Tokens};
use super::turn_reader::Reading;
use super::{ModelError, labels};

/// What was learned: the encoder's last layers, and what is read off its state. Its card is beside it.
const LEARNED: &[u8] = include_bytes!("../../data/classifier.en/learned.safetensors");

/// What callers do, in the order of the classifier's outputs.
pub const ACTS: [&str; 17] = [
    "book",
    "reschedule",
    "cancel",
    "check_appointment",
    "prepare",
    "clinic_question",
    "results_question",
    "report_symptom",
    "request_person",
    "affirm",
    "deny",
    "provide",
    "unsure",
    "correct",
    "repeat",
    "goodbye",
    "none",
];
/// Feelings that are told apart: none, some, strong.
pub const DISTRESS: usize = 3;
/// The classifier's outputs, by their names in the file, and how many each has. The first output of
/// danger is that there is none; the others are in the order of [`RedFlag::ALL`].
pub const HEADS: [(&str, usize); 3] =
    [("act", ACTS.len()), ("danger", 1 + RedFlag::ALL.len()), ("distress", DISTRESS)];

/// Longest question and utterance that are read together, tokens.
const TOKENS_MAX: usize = 192;
/// Longest part of an utterance that is read at a time, words. Nearly all that it learned from is shorter.
const SAID_MAX: usize = 50;
/// Words that a part has in common with the one before.
const OVERLAP: usize = 15;

/// What an utterance is at first sight. Probabilities, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Impression {
    /// In the order of [`ACTS`].
    pub acts: Vec<f32>,
    /// That somebody is in danger, and the likeliest one.
    pub danger: (f32, RedFlag),
    /// In the order none, some, strong.
    pub distress: Vec<f32>,
}

/// The act of somebody who wants to talk with one.
const PERSON: &str = "request_person";
/// A wish for a person counts when it is so likely to one of those who read.
const PERSON_HEARD: f32 = 0.35;
/// The language model's part in what both say; between 0.5 and 0.8 it makes little difference (BENCHMARKS.md).
const MODEL_COUNTS: f32 = 0.65;
/// Who takes an act or a danger for impossible can still be outvoted.
pub(crate) const NEVER_QUITE_RULED_OUT: f32 = 0.001;

impl Impression {
    /// The act that an utterance is taken for, and how surely, when the language model has read it too: both
    /// have a say, as surely as each is. An act that is unknown here is the model's.
    pub fn with_model(&self, reading: &Reading) -> (String, f32) {
        let (act, sure) = (&reading.labels.intent, reading.confidence);
        let read = |at: usize| reading.acts.get(at).copied().unwrap_or_default();
        let seen = |at: usize| self.acts.get(at).copied().unwrap_or_default();
        // Asking back whether somebody wants a person costs a sentence, and not hearing it the call: one who hears
        // it is not outvoted by the other.
        let person = ACTS.iter().position(|act| *act == PERSON).map_or(0.0, seen);
        let heard = person.max(if act == PERSON { sure } else { 0.0 });
        if heard >= PERSON_HEARD {
            return (PERSON.to_owned(), heard.max(0.5));
        }
        let Some(at) = ACTS.iter().position(|known| known == act) else {
            return (act.clone(), sure);
        };
        // A model that tells only what it chose leaves the rest to the others alike.
        let rest = (1.0 - sure) / (ACTS.len() - 1) as f32;
        let told = |other: usize| match reading.acts.is_empty() {
            true if other == at => sure,
            true => rest,
            false => read(other),
        };
        let both = |other: usize| {
            let model = (told(other) + NEVER_QUITE_RULED_OUT).ln() * MODEL_COUNTS;
            let here = (seen(other) + NEVER_QUITE_RULED_OUT).ln() * (1.0 - MODEL_COUNTS);
            (model + here).exp()
        };
        let shares: Vec<f32> = (0..ACTS.len()).map(both).collect();
        let best = shares
            .iter()
            .enumerate()
            .fold(at, |best, (other, share)| if *share > shares[best] { other } else { best });
        (ACTS[best].to_owned(), shares[best] / shares.iter().sum::<f32>())
    }

    /// The danger that the utterance is taken for.
    pub fn suspicion(&self) -> Suspicion {
        let (likely, class) = self.danger;
        Suspicion { class, permille: (likely * 1000.0) as u16, seconded: false }
    }

    /// How the caller feels: 0 not badly, 1 badly, 2 very badly.
    pub fn feeling(&self) -> u8 {
        let likeliest = self.distress.iter().enumerate();
        likeliest.max_by(|one, other| one.1.total_cmp(other.1)).map_or(0, |(at, _)| at as u8)
    }

    /// The likeliest act.
    pub fn act(&self) -> &'static str {
        let best = ACTS.into_iter().zip(&self.acts);
        best.max_by(|one, other| one.1.total_cmp(other.1))
            .map_or(ACTS[ACTS.len() - 1], |best| best.0)
    }
}

/// The classifier.
pub struct Classifier {
    tokenizer: EncoderTokenizer,
    network: Network,
}

/// Turns questions and utterances into the encoder's tokens.
pub struct EncoderTokenizer(Tokenizer);

/// The encoder and what is read off its state.
pub struct Network {
    encoder: Encoder,
    heads: Vec<Linear>,
}

impl EncoderTokenizer {
    /// Reads the encoder's `tokenizer.json`.
    ///
    /// # Errors
    /// The file is missing or damaged.
    pub fn load(file: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(file).map_err(|error| ModelError::file(file, error))?;
        Self::from_json(&bytes).map_err(|error| ModelError::file(file, error))
    }

    /// The same from the file's bytes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: TOKENS_MAX, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
        Ok(Self(tokenizer))
    }

    /// A question and what was said in answer to it.
    ///
    /// # Errors
    /// The text cannot be told apart into tokens.
    pub fn tokens(
        &self,
        expects: Expectation,
        asked: &str,
        said: &str,
    ) -> Result<Tokens, ModelError> {
        let question =
            format!("{}: {}", labels::shape(expects), last_words(&plain(asked), labels::ASKED_MAX));
        let pair = (question, plain(said));
        let encoding = self.0.encode(EncodeInput::from(pair), true);
        let encoding = encoding.map_err(|error| ModelError::Inference(error.to_string()))?;
        Ok(Tokens { words: encoding.get_ids().to_vec(), parts: encoding.get_type_ids().to_vec() })
    }
}

fn last_words(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    words[words.len().saturating_sub(most)..].join(" ")
}

/// Without punctuation, in which recognisers differ. Apostrophes stay: the encoder knows "can't", and
/// "cant" is another word.
fn plain(text: &str) -> String {
    let one = |character: char| match character {
        '’' | '\'' => '\'',
        _ if character.is_alphanumeric() => character,
        _ => ' ',
    };
    let text: String = text.chars().map(one).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Network {
    /// The network of these tensors: the encoder's, some of them as they were learned.
    ///
    /// # Errors
    /// One is missing.
    pub fn new(tensors: &Tensors) -> Computed<Self> {
        let head = |(name, outputs): &(&str, usize)| {
            let head = encoder::linear(tensors, name)?;
            if head.weight().dim(0)? == *outputs {
                Ok(head)
            } else {
                bail!("{name} has other outputs")
            }
        };
        let heads = HEADS.iter().map(head).collect::<Computed<_>>()?;
        Ok(Self { encoder: Encoder::new(tensors)?, heads })
    }

    /// The outputs for some utterances, as logits: of each head (utterances, outputs).
    ///
    /// # Errors
    /// The computation failed.
    pub fn forward(&self, utterances: &[&Tokens]) -> Computed<Vec<Tensor>> {
        let state = self.encoder.forward(utterances)?;
        self.heads.iter().map(|head| head.forward(&state)).collect()
    }
}

impl Classifier {
    /// Loads the encoder, with what the program has learned.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn built_in(weights: &Path, tokenizer: &Path) -> Result<Self, ModelError> {
        Self::load(weights, tokenizer, LEARNED)
    }

    /// Loads the encoder, with what was learned elsewhere.
    ///
    /// # Errors
    /// As for [`Self::built_in`], or what was learned does not fit.
    pub fn load(weights: &Path, tokenizer: &Path, learned: &[u8]) -> Result<Self, ModelError> {
        let bytes = std::fs::read(weights).map_err(|error| ModelError::file(weights, error))?;
        let network = || {
            let mut tensors = encoder::tensors(&bytes)?;
            tensors.extend(encoder::tensors(learned)?);
            Network::new(&tensors)
        };
        let network = network().map_err(|error| ModelError::file(weights, error))?;
        Ok(Self { tokenizer: EncoderTokenizer::load(tokenizer)?, network })
    }

    /// Reads what was said in answer to a question. Of a long utterance, which is read in parts, the
    /// likeliest danger counts, and what is done and felt at its end.
    ///
    /// # Errors
    /// The computation failed, or its numbers are none.
    pub fn read(
        &self,
        expects: Expectation,
        asked: &str,
        said: &str,
    ) -> Result<Impression, ModelError> {
        let words: Vec<&str> = said.split_whitespace().collect();
        let (mut worst, mut from) = (None, 0);
        loop {
            let to = words.len().min(from + SAID_MAX);
            let part = self.read_part(expects, asked, &words[from..to].join(" "))?;
            let before = worst.filter(|(likely, _): &(f32, RedFlag)| *likely > part.danger.0);
            let danger = before.unwrap_or(part.danger);
            if to == words.len() {
                return Ok(Impression { danger, ..part });
            }
            (worst, from) = (Some(danger), to - OVERLAP);
        }
    }

    fn read_part(
        &self,
        expects: Expectation,
        asked: &str,
        said: &str,
    ) -> Result<Impression, ModelError> {
        let tokens = self.tokenizer.tokens(expects, asked, said)?;
        let shares = || {
            let logits = self.network.forward(&[&tokens])?;
            let shares = logits.iter().map(|logits| {
                candle_nn::ops::softmax(logits, D::Minus1)?.flatten_all()?.to_vec1::<f32>()
            });
            shares.collect::<Computed<Vec<_>>>()
        };
        let shares = shares().map_err(|error| ModelError::Inference(error.to_string()))?;
        // A damaged network is not to be believed.
        if shares.iter().flatten().any(|share| !share.is_finite()) {
            return Err(ModelError::Inference("the classifier's numbers are none".to_owned()));
        }
        let [acts, dangers, distress] = <[Vec<f32>; 3]>::try_from(shares)
            .map_err(|_| ModelError::Inference("the classifier has other outputs".to_owned()))?;
        let [safe, classes @ ..] = dangers.as_slice() else {
            return Err(ModelError::Inference("the classifier has no danger".to_owned()));
        };
        let likeliest = RedFlag::ALL.into_iter().zip(classes);
        let likeliest = likeliest.max_by(|one, other| one.1.total_cmp(other.1));
        let class = likeliest.map_or(RedFlag::ALL[0], |(class, _)| class);
        Ok(Impression { acts, danger: (1.0 - safe, class), distress })
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::Labels;
    use super::*;

    fn seen(act: &str, likely: f32) -> Impression {
        let rest = (1.0 - likely) / (ACTS.len() - 1) as f32;
        let acts = ACTS.map(|name| if name == act { likely } else { rest });
        Impression {
            acts: acts.to_vec(),
            danger: (0.0, RedFlag::LifeThreat),
            distress: vec![0.2, 0.7, 0.1],
        }
    }

    fn read(act: &str, confidence: f32) -> Reading {
        Reading { labels: Labels::read(act), confidence, acts: Vec::new(), danger: None }
    }

    #[test]
    fn of_two_who_read_an_utterance_the_surer_one_counts() {
        let (act, sure) = seen("deny", 0.9).with_model(&read("deny", 0.8));
        assert_eq!(act, "deny");
        assert!(sure > 0.8, "{sure}");
        assert_eq!(seen("deny", 0.95).with_model(&read("affirm", 0.5)).0, "deny");
        assert_eq!(seen("deny", 0.6).with_model(&read("affirm", 0.95)).0, "affirm");
        // An act that the classifier does not know is the model's.
        assert_eq!(seen("deny", 0.3).with_model(&read("whistle", 0.9)).0, "whistle");
        assert_eq!(
            seen("request_person", 0.4).with_model(&read("clinic_question", 0.9)).0,
            "request_person"
        );
        assert_eq!(seen("deny", 0.9).with_model(&read("request_person", 0.4)).0, "request_person");
        assert_eq!(seen("deny", 0.9).act(), "deny");
        assert_eq!(seen("deny", 0.9).feeling(), 1);
    }

    #[test]
    fn what_the_model_nearly_wrote_counts() {
        let mut torn = read("provide", 0.5);
        torn.acts = seen("provide", 0.5).acts;
        torn.acts[ACTS.iter().position(|act| *act == "unsure").unwrap()] = 0.45;
        assert_eq!(seen("unsure", 0.6).with_model(&torn).0, "unsure");
        torn.acts = seen("provide", 0.5).acts;
        assert_eq!(seen("unsure", 0.6).with_model(&torn).0, "provide");
    }

    #[test]
    fn punctuation_is_no_matter_and_apostrophes_stay() {
        assert_eq!(plain("Well, I can’t — really!"), "Well I can't really");
    }
}

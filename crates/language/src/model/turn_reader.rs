//! A question and the caller's words in, labels out.

use std::path::Path;
use std::time::Duration;

use radline_dialogue::Expectation;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::ModelError;
use super::adapter::Adapter;
use super::batch::{Batch, Purpose, Written};
pub use super::body::Place;
use super::body::{Body, Fitted};
use super::classifier::ACTS;
use super::decoder::{Decoder, KeyValues, Turn};
use super::device::DeviceDecoder;
use super::gguf::Shape;
use super::grammar::{Grammar, Sentence};
use super::labels::{self, DANGER, Labels, TELLS_OF_DANGER};
use super::peft;
use super::prompted::{EXAMPLES, INSTRUCTIONS};
use super::tokenizer::ModelTokenizer;
use crate::phrasing::Felt;

/// The adapter that is part of the program; its card is beside it.
const CONFIGURATION: &[u8] = include_bytes!("../../data/understanding.en/adapter_config.json");
const WEIGHTS: &[u8] = include_bytes!("../../data/understanding.en/adapter_model.safetensors");

/// The same for the adapter that words what is said to feelings.
const WORDING_CONFIGURATION: &[u8] = include_bytes!("../../data/wording.en/adapter_config.json");
const WORDING_WEIGHTS: &[u8] = include_bytes!("../../data/wording.en/adapter_model.safetensors");

/// The program's own adapter.
///
/// # Errors
/// It was trained for a model of another shape.
pub fn own_adapter(shape: &Shape) -> candle_core::Result<Adapter> {
    peft::from_bytes(CONFIGURATION, WEIGHTS, shape)
}

/// What a model without an adapter goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompted {
    /// Instructions.
    Instructions,
    /// Instructions and worked examples.
    Examples,
}

/// A base model that labels what callers say.
pub struct TurnReader {
    decoder: Body,
    tokenizer: ModelTokenizer,
    grammar: Grammar,
    /// The token that each act begins with, and behind them what danger begins with.
    begins: Vec<u32>,
    adapter: Option<Fitted>,
    /// What words sentences to feelings; without it nothing does.
    wording: Option<Fitted>,
    /// What comes before every question; nothing where there is an adapter.
    prefix: KeyValues,
    /// The threads that compute. Work is handed to them whole: a product is too short to be handed
    /// over by itself.
    threads: ThreadPool,
}

/// A question, which the model has read or will read with the answer.
#[derive(Debug, Clone)]
pub struct Asked {
    pub(super) keys: KeyValues,
    /// What of it is still to be read.
    pub(super) unread: String,
}

/// What the model wrote, and how sure it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The labels.
    pub labels: Labels,
    /// Probability of the act and of what it is about, among those that the grammar allows, 0 to 1.
    pub confidence: f32,
    /// Probability of each act, in the order of [`ACTS`](super::classifier::ACTS); empty where the model does
    /// not tell.
    pub acts: Vec<f32>,
    /// Probability of danger, 0 to 1; nothing where the model does not tell. Whoever tells of one tells of a symptom,
    /// so it is part of that act's probability.
    pub danger: Option<f32>,
}

impl Reading {
    /// What a model read that wrote no line of labels.
    pub fn nothing() -> Self {
        Self { labels: Labels::default(), confidence: 0.0, acts: Vec::new(), danger: None }
    }

    /// How likely an act is; nothing where the model does not tell.
    pub fn act(&self, act: &str) -> Option<f32> {
        let place = ACTS.iter().position(|known| *known == act)?;
        self.acts.get(place).copied()
    }
}

impl TurnReader {
    /// Loads a base of the llama or qwen2 architecture; `adapter` makes the adapter for it, which was
    /// trained to label.
    ///
    /// # Errors
    /// The file is missing, damaged or of another architecture; the adapter does not fit.
    pub fn load(
        file: &Path,
        adapter: impl FnOnce(&Shape) -> Result<Adapter, ModelError>,
    ) -> Result<Self, ModelError> {
        Self::load_at(file, &Place::Processor, adapter)
    }

    /// The same, to compute somewhere else.
    ///
    /// # Errors
    /// As for [`Self::load`], or the device has no room.
    pub fn load_at(
        file: &Path,
        place: &Place,
        adapter: impl FnOnce(&Shape) -> Result<Adapter, ModelError>,
    ) -> Result<Self, ModelError> {
        let mut reader = Self::plain(file, place)?;
        let adapter = adapter(reader.decoder.shape())?;
        let fitted = reader.decoder.fit(&adapter).map_err(|error| ModelError::file(file, error))?;
        reader.adapter = Some(fitted);
        Ok(reader)
    }

    /// Loads the base that the program's own adapter was trained for, with that adapter.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn built_in(file: &Path) -> Result<Self, ModelError> {
        Self::built_in_at(file, &Place::Processor)
    }

    /// The same, to compute somewhere else.
    ///
    /// # Errors
    /// As for [`Self::load_at`].
    pub fn built_in_at(file: &Path, place: &Place) -> Result<Self, ModelError> {
        let own = |shape: &Shape| own_adapter(shape).map_err(|error| ModelError::file(file, error));
        Self::load_at(file, place, own)?.with_wording(|shape| {
            let own = peft::from_bytes(WORDING_CONFIGURATION, WORDING_WEIGHTS, shape);
            own.map_err(|error| ModelError::file(file, error))
        })
    }

    /// The same base with an adapter beside the first that was trained to word sentences to feelings.
    ///
    /// # Errors
    /// The adapter does not fit.
    pub fn with_wording(
        self,
        adapter: impl FnOnce(&Shape) -> Result<Adapter, ModelError>,
    ) -> Result<Self, ModelError> {
        let wording = self.decoder.fit(&adapter(self.decoder.shape())?);
        let wording = wording.map_err(|error| ModelError::Inference(error.to_string()))?;
        Ok(Self { wording: Some(wording), ..self })
    }

    /// Loads a base that is only told what to do: what an adapter is measured against.
    ///
    /// # Errors
    /// The file is missing, damaged or of another architecture.
    pub fn prompted(file: &Path, by: Prompted) -> Result<Self, ModelError> {
        let mut reader = Self::plain(file, &Place::Processor)?;
        let mut prefix = KeyValues::default();
        reader.follow(INSTRUCTIONS, &mut prefix)?;
        if by == Prompted::Examples {
            for (expects, asked, said, line) in EXAMPLES {
                let asked = labels::question(expects, asked);
                let text = format!("{asked}{}{line}\n\n", labels::answer(said));
                reader.follow(&text, &mut prefix)?;
            }
        }
        reader.prefix = prefix;
        Ok(reader)
    }

    fn plain(file: &Path, place: &Place) -> Result<Self, ModelError> {
        let (decoder, tokenizer) = super::open(file, |weights| match place {
            Place::Processor => Decoder::load(weights).map(Body::Packed),
            Place::Device(device) => {
                DeviceDecoder::load(weights, device).map(|decoder| Body::Device(Box::new(decoder)))
            }
        })?;
        let grammar = Grammar::new(&tokenizer, decoder.shape().vocabulary)
            .map_err(|reason| ModelError::file(file, reason))?;
        let begin = |act: &str| tokenizer.encode(act).map(|tokens| tokens.first().copied());
        let heads = ACTS.into_iter().chain([DANGER]);
        let begins = heads.filter_map(|head| begin(head).transpose());
        let begins = begins.collect::<Result<_, _>>().map_err(ModelError::Inference)?;
        let threads = ThreadPoolBuilder::new()
            .thread_name(|number| format!("language-{number}"))
            .build()
            .map_err(|error| ModelError::Inference(error.to_string()))?;
        let prefix = KeyValues::default();
        let (adapter, wording) = (None, None);
        Ok(Self { decoder, tokenizer, grammar, begins, adapter, wording, prefix, threads })
    }

    /// Reads a question, while it is being asked: the answer is then read behind it.
    ///
    /// # Errors
    /// The model failed.
    pub fn ask(&self, expects: Expectation, asked: &str) -> Result<Asked, ModelError> {
        let mut keys = self.prefix.clone();
        self.follow(&labels::question(expects, asked), &mut keys)?;
        Ok(Asked { keys, unread: String::new() })
    }

    /// A question that was not read while it was asked: it is read with the answer, in one go.
    pub fn unread(&self, expects: Expectation, asked: &str) -> Asked {
        Asked { keys: self.prefix.clone(), unread: labels::question(expects, asked) }
    }

    /// Reads what was said in answer to a question. Gives up after `limit`.
    ///
    /// # Errors
    /// The model failed, or no time was left.
    pub fn read(&self, asked: &Asked, said: &str, limit: Duration) -> Result<Reading, ModelError> {
        let mut batch = Batch::new(self);
        batch.begin(0, asked.clone(), said, limit)?;
        match only(batch)? {
            Written::Labels(reading) => Ok(reading),
            Written::Acknowledgement(_) => Ok(Reading::nothing()),
        }
    }

    /// Words a sentence to a feeling; nothing where none fits. Gives up after `limit`.
    ///
    /// # Errors
    /// The model failed, no time was left, or what it wrote may not be spoken.
    pub fn acknowledge(&self, felt: Felt, limit: Duration) -> Result<Option<String>, ModelError> {
        let mut batch = Batch::new(self);
        batch.acknowledge(0, felt, limit)?;
        match only(batch)? {
            Written::Acknowledgement(sentence) => Ok(sentence),
            Written::Labels(_) => Ok(None),
        }
    }

    /// How likely each act is, by the token that it begins with, and how likely danger is.
    pub(super) fn acts(&self, choice: &[(u32, f32)]) -> (Vec<f32>, Option<f32>) {
        let likely = |begin: &u32| {
            let chosen = choice.iter().find(|(token, _)| token == begin);
            let same = self.begins.iter().filter(|other| *other == begin).count();
            chosen.map_or(0.0, |(_, likely)| likely / same as f32)
        };
        let mut acts: Vec<f32> = self.begins.iter().map(likely).collect();
        let danger = acts.pop();
        let told = ACTS.iter().position(|act| *act == TELLS_OF_DANGER);
        if let (Some(danger), Some(told)) = (danger, told.and_then(|at| acts.get_mut(at))) {
            *told += danger;
        }
        (acts, danger)
    }

    pub(super) fn text(&self, tokens: &[u32]) -> Result<String, ModelError> {
        self.tokenizer.text(tokens).map_err(ModelError::Inference)
    }

    pub(super) fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.encode(text).map_err(ModelError::Inference)
    }

    pub(super) fn sentence(&self, said: &str) -> Result<Sentence, ModelError> {
        self.grammar.begin(said).map_err(ModelError::Inference)
    }

    pub(super) fn acknowledgement(&self, felt: &Felt) -> Result<Sentence, ModelError> {
        if self.wording.is_none() {
            return Err(ModelError::Inference("it was not trained to word sentences".to_owned()));
        }
        self.grammar.acknowledge(felt).map_err(ModelError::Inference)
    }

    /// Reads text behind what `keys` know.
    fn follow(&self, text: &str, keys: &mut KeyValues) -> Result<(), ModelError> {
        let tokens = self.tokens(text)?;
        self.forward(&mut [Turn { tokens: &tokens, keys }], &Purpose::Labels).map(drop)
    }

    /// Reads what is new in some calls; returns the state after each.
    pub(super) fn forward(
        &self,
        turns: &mut [Turn<'_>],
        purpose: &Purpose,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let adapter = match purpose {
            Purpose::Labels => self.adapter.as_ref(),
            Purpose::Acknowledgement(_) => self.wording.as_ref(),
        };
        let read = || self.decoder.forward(turns, adapter);
        self.threads.install(read).map_err(|error| ModelError::Inference(error.to_string()))
    }

    /// How likely tokens are after a state, as logits.
    ///
    /// # Errors
    /// The computation failed.
    pub(super) fn logits(&self, state: &[f32], tokens: &[u32]) -> Result<Vec<f32>, String> {
        let logits = self.threads.install(|| self.decoder.logits(state, tokens));
        logits.map_err(|error| error.to_string())
    }
}

/// What becomes of the only line of a batch.
fn only(mut batch: Batch<'_>) -> Result<Written, ModelError> {
    loop {
        if let Some((_, written)) = batch.step().pop() {
            return written;
        }
    }
}

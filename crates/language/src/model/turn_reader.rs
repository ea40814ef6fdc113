//! The fine-tuned model: a question and the caller's words in, labels out.

use std::path::Path;
use std::time::Duration;

use super::adapter::Adapter;
use super::grammar::{Grammar, LABELS};
use super::labels::{self, Labels};
use super::tokenizer::ModelTokenizer;
use super::transformer::{KeyValues, Transformer};
use super::{Deadline, ModelError};

/// Most tokens of a line.
const LINE_MAX: usize = 64;

/// A base model with an adapter that was trained to label what callers say.
pub struct TurnReader {
    transformer: Transformer,
    tokenizer: ModelTokenizer,
    grammar: Grammar,
    adapter: Adapter,
}

/// What the model wrote, and how sure it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The labels.
    pub labels: Labels,
    /// Probability of the main act among those that the grammar allows, 0 to 1.
    pub confidence: f32,
}

impl TurnReader {
    /// Loads the base; `adapter` makes the adapter for it.
    ///
    /// # Errors
    /// The file is missing, damaged or of another architecture; the adapter does not fit.
    pub fn load(
        file: &Path,
        adapter: impl FnOnce(&Transformer) -> Result<Adapter, String>,
    ) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File { file: file.display().to_string(), reason };
        let mut reader = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
        let content = candle_core::quantized::gguf_file::Content::read(&mut reader)
            .map_err(|error| wrong(error.to_string()))?;
        let tokenizer = ModelTokenizer::from_gguf(&content).map_err(wrong)?;
        let transformer =
            Transformer::load(&content, &mut reader).map_err(|error| wrong(error.to_string()))?;
        let vocabulary = transformer.shape().vocabulary;
        let grammar = Grammar::new(LABELS, &tokenizer, vocabulary).map_err(wrong)?;
        let adapter = adapter(&transformer).map_err(wrong)?;
        Ok(Self { transformer, tokenizer, grammar, adapter })
    }

    /// Reads what was said in answer to a question. Gives up after `limit`.
    ///
    /// # Errors
    /// The model failed, or no time was left.
    pub fn read(
        &self,
        expects: &str,
        asked: &str,
        said: &str,
        limit: Duration,
    ) -> Result<Reading, ModelError> {
        let deadline = Deadline::after(limit);
        let failed = |error: candle_core::Error| ModelError::Inference(error.to_string());
        let prompt = labels::prompt(expects, asked, said);
        let tokens = self.tokenizer.encode(&prompt).map_err(ModelError::Inference)?;
        let mut keys = KeyValues::default();
        let adapter = Some(&self.adapter);
        let mut logits = self.transformer.forward(&tokens, &mut keys, adapter).map_err(failed)?;
        let mut sentence = self.grammar.begin();
        let (mut written, mut confidence) = (Vec::new(), 1.0);
        while written.len() < LINE_MAX {
            if deadline.has_passed() {
                return Err(ModelError::Deadline);
            }
            let Some((step, likely)) = sentence.next(&logits).map_err(ModelError::Inference)?
            else {
                break;
            };
            if written.is_empty() {
                confidence = likely;
            }
            written.extend(&step);
            logits = self.transformer.forward(&step, &mut keys, adapter).map_err(failed)?;
        }
        let line = self.tokenizer.text(&written).map_err(ModelError::Inference)?;
        Ok(Reading { labels: Labels::read(&line), confidence })
    }
}

//! The language model: words to typed commands under a grammar, and nothing else.
//!
//! It is asked only for open utterances that the parsers cannot read. The grammar lets it say
//! what the caller wants and which exam they speak of; it has no words for yes, no, a name, a
//! date or a number, so that it cannot decide, confirm or invent one.

pub mod adapter;
mod frozen;
mod grammar;
pub mod labels;
mod tokenizer;
pub mod transformer;
pub mod turn_reader;

use std::path::Path;
use std::time::{Duration, Instant};

use radline_dialogue::{EarlierReading, Understanding, UnderstoodBy};
use radline_phi::Phi;

use grammar::{COMMANDS, Grammar};
pub use tokenizer::ModelTokenizer;
use transformer::{KeyValues, Transformer};

/// What can go wrong with the language model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is missing, damaged, or of an architecture that is not supported.
    #[error("{file}: {reason}")]
    File {
        /// Path as given.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The model failed on an input.
    #[error("the language model failed: {0}")]
    Inference(String),
    /// No time was left.
    #[error("the language model was stopped at its deadline")]
    Deadline,
}

/// Longest utterance read, characters; what is longer is cut at the end.
const WORDS_MAX: usize = 400;
/// Most tokens written; the grammar's longest sentence is shorter.
const TOKENS_MAX: usize = 48;

/// Instructions before every utterance. They come first and never change, so that their keys and
/// values are computed once.
const INSTRUCTIONS: &str = "You read what callers say to a radiology department's phone line and \
write the commands that follow from it. Commands: want book, want reschedule, want cancel, want \
check_appointment, want results, want question, want report_symptom, exam ct, exam mri, exam \
ultrasound, exam mammography, exam xray, exam pet_ct, exam fluoroscopy, exam biopsy, exam dexa, \
request_person, none.";
/// Worked examples: caller's words and commands. The last one weighs most with a small model, so
/// it is the one that commits to nothing.
const EXAMPLES: [(&str, &str); 6] = [
    ("my doctor says I need pictures of my lungs, the tube thing", "want book"),
    ("they told me to get that test with the strong magnet", "want book; exam mri"),
    ("I won't be able to be there on Thursday after all", "want reschedule"),
    ("let me talk to whoever is in charge", "request_person"),
    ("do I have to skip breakfast", "want question"),
    ("and the weather has been awful", "none"),
];

/// The language model, with its instructions already read.
pub struct LanguageModel {
    transformer: Transformer,
    tokenizer: ModelTokenizer,
    grammar: Grammar,
    /// Keys and values of the instructions, shared by every call.
    prefix: KeyValues,
}

/// What the model has read of one call: tokens after the instructions, and their keys and values.
/// Kept from one utterance of the call to the next, so that only what is new is computed.
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    keys: KeyValues,
    tokens: Vec<u32>,
}

impl CallContext {
    /// Tokens kept, those of the instructions included.
    pub const fn tokens(&self) -> usize {
        self.keys.length()
    }
}

impl LanguageModel {
    /// Loads a GGUF file of the llama or qwen2 architecture and reads the instructions.
    pub fn load(file: &Path) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File { file: file.display().to_string(), reason };
        let mut reader = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
        let content = candle_core::quantized::gguf_file::Content::read(&mut reader)
            .map_err(|error| wrong(error.to_string()))?;
        let tokenizer = ModelTokenizer::from_gguf(&content).map_err(wrong)?;
        let transformer =
            Transformer::load(&content, &mut reader).map_err(|error| wrong(error.to_string()))?;
        let grammar =
            Grammar::new(COMMANDS, &tokenizer, transformer.shape().vocabulary).map_err(wrong)?;
        let mut prefix = KeyValues::default();
        let mut tokens = tokenizer.turn("system", INSTRUCTIONS).map_err(wrong)?;
        for (said, commands) in EXAMPLES {
            tokens.extend(tokenizer.turn("user", said).map_err(wrong)?);
            tokens.extend(tokenizer.turn("assistant", commands).map_err(wrong)?);
        }
        transformer
            .forward(&tokens, &mut prefix, None)
            .map_err(|error| ModelError::Inference(error.to_string()))?;
        Ok(Self { transformer, tokenizer, grammar, prefix })
    }

    /// The commands in an open utterance, read in the light of `earlier` ones of the same call.
    /// Gives up after `limit`. What `context` knows already is not computed again.
    pub fn understand(
        &self,
        context: &mut CallContext,
        earlier: &[EarlierReading],
        words: &Phi<String>,
        limit: Duration,
    ) -> Result<Understanding, ModelError> {
        let deadline = Deadline::after(limit);
        let tokens = self.prompt(earlier, words).map_err(ModelError::Inference)?;
        let read = self.read(context, &tokens).and_then(|logits| {
            let written = self.write(logits, &mut context.keys, &deadline)?;
            context.tokens.extend(&written);
            self.tokenizer.text(&written).map_err(ModelError::Inference)
        });
        if read.is_err() {
            // Half a reading: what the keys stand for is not known any more.
            *context = CallContext::default();
        }
        let commands = grammar::commands(&read?);
        let by = if commands.is_empty() { UnderstoodBy::Nobody } else { UnderstoodBy::Model };
        Ok(Understanding { commands, by })
    }

    /// Everything after the instructions: what was read before, and the words to read now.
    fn prompt(&self, earlier: &[EarlierReading], words: &Phi<String>) -> Result<Vec<u32>, String> {
        let cut = |words: &Phi<String>| words.expose().chars().take(WORDS_MAX).collect::<String>();
        let mut tokens = Vec::new();
        for reading in earlier {
            tokens.extend(self.tokenizer.turn("user", &cut(&reading.words))?);
            let sentence = grammar::sentence(&reading.commands);
            tokens.extend(self.tokenizer.turn("assistant", &sentence)?);
        }
        tokens.extend(self.tokenizer.turn("user", &cut(words))?);
        tokens.extend(self.tokenizer.opening("assistant")?);
        Ok(tokens)
    }

    /// Brings the context to the end of the prompt; returns the logits of the next token.
    fn read(&self, context: &mut CallContext, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let failed = |error: candle_core::Error| ModelError::Inference(error.to_string());
        if context.keys.length() == 0 {
            *context = CallContext { keys: self.prefix.clone(), tokens: Vec::new() };
        }
        let same = context.tokens.iter().zip(tokens).take_while(|(old, new)| old == new).count();
        // The last token has to be read, even again: its logits are what is asked for.
        let kept = same.min(tokens.len().saturating_sub(1));
        context.keys.truncate(self.prefix.length() + kept).map_err(failed)?;
        let logits =
            self.transformer.forward(&tokens[kept..], &mut context.keys, None).map_err(failed)?;
        tokens.clone_into(&mut context.tokens);
        Ok(logits)
    }

    /// Writes the most likely sentence that the grammar allows.
    fn write(
        &self,
        mut logits: Vec<f32>,
        keys: &mut KeyValues,
        deadline: &Deadline,
    ) -> Result<Vec<u32>, ModelError> {
        let failed = |error: candle_core::Error| ModelError::Inference(error.to_string());
        let mut matcher = self.grammar.begin();
        let mut written = Vec::new();
        while written.len() < TOKENS_MAX {
            if deadline.has_passed() {
                return Err(ModelError::Deadline);
            }
            let Some((step, _)) = matcher.next(&logits).map_err(ModelError::Inference)? else {
                break;
            };
            written.extend(&step);
            logits = self.transformer.forward(&step, keys, None).map_err(failed)?;
        }
        Ok(written)
    }
}

/// A moment in the future. Inference is a loop that has to look at the clock to be able to stop.
struct Deadline(Instant, Duration);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a deadline is a matter of this computation")]
    fn after(limit: Duration) -> Self {
        Self(Instant::now(), limit)
    }

    fn has_passed(&self) -> bool {
        self.0.elapsed() > self.1
    }
}

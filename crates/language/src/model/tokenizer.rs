//! Words to tokens and back, as the GGUF file says.

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

/// The mark behind a turn in ChatML, which SmolLM2 and Qwen were trained with.
const TURN_ENDS: &str = "<|im_end|>";

/// The model's tokenizer.
pub struct ModelTokenizer {
    tokenizer: Tokenizer,
    ends: u32,
}

impl ModelTokenizer {
    /// Reads it from the model's file.
    ///
    /// # Errors
    /// What the file lacks.
    pub fn from_gguf(content: &Content) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_gguf(content).map_err(|error| error.to_string())?;
        if let Some(Value::String(pre)) = content.metadata.get("tokenizer.ggml.pre") {
            let steps = steps_before(pre)?;
            if !steps.is_empty() {
                tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
            }
        }
        // What a caller says is text, even if it looks like a mark.
        tokenizer.set_encode_special_tokens(true);
        // Models that were distilled from others have other marks for turns, and name the one that ends a text.
        let named = content.metadata.get("tokenizer.ggml.eos_token_id");
        let named = || named.and_then(|id| id.to_u32().ok());
        let ends = tokenizer.token_to_id(TURN_ENDS).or_else(named);
        let ends = ends.ok_or_else(|| format!("the vocabulary has no {TURN_ENDS}, and no end"))?;
        Ok(Self { tokenizer, ends })
    }

    /// Tokens of plain text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        let encoding = self.tokenizer.encode(text, false).map_err(|error| error.to_string())?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of tokens, without marks.
    pub fn text(&self, tokens: &[u32]) -> Result<String, String> {
        self.tokenizer.decode(tokens, true).map_err(|error| error.to_string())
    }

    /// The mark that ends a turn.
    pub const fn end(&self) -> u32 {
        self.ends
    }

    /// The bytes of every token, as the grammar needs them: byte-level text undone, marks led by
    /// a byte that no text contains.
    pub(super) fn bytes(&self, vocabulary: usize) -> Vec<Vec<u8>> {
        let special = self.tokenizer.get_added_tokens_decoder();
        (0..vocabulary as u32)
            .map(|id| match self.tokenizer.id_to_token(id) {
                Some(token) if special.contains_key(&id) => [&[0xff], token.as_bytes()].concat(),
                Some(token) => token.chars().flat_map(plain_byte).collect(),
                None => Vec::new(),
            })
            .collect()
    }
}

/// How text is divided before pairs of letters are joined, where the file names a way that its reader does not
/// know.
fn steps_before(pre: &str) -> Result<Vec<PreTokenizerWrapper>, String> {
    /// As Qwen divides text: endings of short forms, words with what is before them, single digits, marks,
    /// breaks of lines, spaces.
    const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    Ok(match pre {
        // SmolLM divides numbers into digits.
        "smollm" => vec![
            PreTokenizerWrapper::Digits(Digits::new(true)),
            PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, true)),
        ],
        // A model of Qwen's that learned from another one; its text is divided as Qwen's.
        "deepseek-r1-qwen" => {
            let pattern = SplitPattern::Regex(QWEN.to_owned());
            let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
            vec![
                PreTokenizerWrapper::Split(split.map_err(|error| error.to_string())?),
                PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, false)),
            ]
        }
        _ => Vec::new(),
    })
}

/// The byte behind a letter of GPT-2's byte alphabet; other letters stand for themselves.
fn plain_byte(letter: char) -> Vec<u8> {
    let code = letter as u32;
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(code) {
        return vec![code as u8];
    }
    // The bytes without a glyph of their own follow from U+0100 on, in order.
    let hidden = (0..=255_u32).filter(|byte| !printable(*byte));
    match code.checked_sub(0x100).and_then(|index| hidden.clone().nth(index as usize)) {
        Some(byte) => vec![byte as u8],
        None => letter.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use candle_core::quantized::gguf_file;

    use super::*;

    /// A vocabulary of bytes and a mark, in a file that names how text is divided.
    fn file(pre: &str, end: &str) -> Content {
        let letters = (0x21..=0x7e_u32).chain([0x120, 0x10a]).filter_map(char::from_u32);
        let tokens: Vec<Value> = letters
            .map(|one| one.to_string())
            .chain(["12".to_owned(), end.to_owned()])
            .map(Value::String)
            .collect();
        let kinds = tokens.iter().map(|token| match token {
            Value::String(text) if text == end => Value::I32(3),
            _ => Value::I32(1),
        });
        let end = Value::U32(tokens.len() as u32 - 1);
        let kinds = Value::Array(kinds.collect());
        let merges = Value::Array(vec![Value::String("1 2".to_owned())]);
        let (kind, pre) = (Value::String("gpt2".to_owned()), Value::String(pre.to_owned()));
        let tokens = Value::Array(tokens);
        let metadata = [
            ("tokenizer.ggml.model", &kind),
            ("tokenizer.ggml.pre", &pre),
            ("tokenizer.ggml.tokens", &tokens),
            ("tokenizer.ggml.token_type", &kinds),
            ("tokenizer.ggml.merges", &merges),
            ("tokenizer.ggml.eos_token_id", &end),
        ];
        let mut written = Cursor::new(Vec::new());
        gguf_file::write(&mut written, &metadata, &[]).expect("written");
        written.set_position(0);
        Content::read(&mut written).expect("a file")
    }

    #[test]
    fn a_distilled_model_has_its_own_end_and_divides_as_qwen_does() {
        let content = file("deepseek-r1-qwen", "<end>");
        let tokenizer = ModelTokenizer::from_gguf(&content).expect("a tokenizer");
        let digits = tokenizer.encode("12").expect("tokens");
        assert_eq!(digits.len(), 2, "a number is read digit by digit");
        let other = ModelTokenizer::from_gguf(&file("gpt2", "<end>")).expect("a tokenizer");
        let joined = other.encode("12").expect("tokens");
        assert!(joined.iter().all(|token| !digits.contains(token)), "{joined:?}");
        assert_eq!(
            tokenizer.text(&tokenizer.encode("so, no").expect("tokens")).as_deref(),
            Ok("so, no")
        );
        assert_eq!(tokenizer.end() as usize, 0x7e - 0x21 + 4);
    }

    #[test]
    fn the_byte_alphabet_is_undone() {
        let bytes: Vec<u8> = "Ġbook".chars().flat_map(plain_byte).collect();
        assert_eq!(bytes, b" book");
        assert_eq!(plain_byte('Ċ'), b"\n");
    }
}

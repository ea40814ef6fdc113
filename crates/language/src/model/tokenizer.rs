//! Words to tokens and back, as the GGUF file says.

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

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
        if matches!(content.metadata.get("tokenizer.ggml.pre"), Some(Value::String(pre)) if pre == "smollm")
        {
            // SmolLM splits numbers into digits before the byte-level step, which the file's
            // metadata names and the reader does not know.
            let steps = vec![
                PreTokenizerWrapper::Digits(Digits::new(true)),
                PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, true)),
            ];
            tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
        }
        // What a caller says is text, even if it looks like a mark.
        tokenizer.set_encode_special_tokens(true);
        let ends = tokenizer.token_to_id(TURN_ENDS);
        let ends = ends.ok_or_else(|| format!("the vocabulary has no {TURN_ENDS}"))?;
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
    use super::*;

    #[test]
    fn the_byte_alphabet_is_undone() {
        let bytes: Vec<u8> = "Ġbook".chars().flat_map(plain_byte).collect();
        assert_eq!(bytes, b" book");
        assert_eq!(plain_byte('Ċ'), b"\n");
    }
}

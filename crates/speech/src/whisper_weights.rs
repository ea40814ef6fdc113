//! Converts Whisper weights from CTranslate2's `model.bin` to the ggml file that whisper.cpp
//! reads. The numbers stay the same; names, order and a few shapes change.
//!
//! CTranslate2 (binary version 3 to 6): `u32` version, spec name, `u32` revision, `u32` count,
//! then per variable name, rank, dimensions, type, byte count, bytes; then aliases. ggml: magic,
//! eleven hyper-parameters, mel filters, vocabulary, then per tensor rank, name length, type,
//! dimensions fastest first, name, data.

mod ctranslate2;
mod mel_filters;

use std::io::Write;

use half::f16;

use self::ctranslate2::{Variable, Variables};
use crate::SpeechError;

const GGML_MAGIC: u32 = 0x6767_6d6c;
const FTYPE_F16: usize = 1;
/// Models with at least this many tokens know more languages than English.
const MULTILINGUAL_SIZE: usize = 51_865;
/// Width of one attention head in every Whisper model.
const HEAD_WIDTH: usize = 64;

/// Converts `model` (the bytes of `model.bin`) with its vocabulary, one token in GPT-2's byte
/// alphabet per entry, and writes a ggml file with f16 matrices.
pub fn convert(
    model: &[u8],
    vocabulary: &[String],
    out: &mut impl Write,
) -> Result<(), SpeechError> {
    let variables = Variables::parse(model)?;
    let shape = Shape::read(&variables)?;
    let mut writer = GgmlWriter { out };
    writer.header(&shape)?;
    writer.mel_filters(shape.mels)?;
    writer.vocabulary(vocabulary, shape.vocabulary)?;
    for (name, tensor) in Mapping::all(&variables, &shape)? {
        writer.tensor(&name, &tensor)?;
    }
    Ok(())
}

/// The sizes that make up a Whisper model.
struct Shape {
    vocabulary: usize,
    audio_positions: usize,
    text_positions: usize,
    width: usize,
    audio_layers: usize,
    text_layers: usize,
    mels: usize,
}

impl Shape {
    fn read(variables: &Variables) -> Result<Self, SpeechError> {
        let embeddings = variables.get("decoder/embeddings/weight")?;
        let convolution = variables.get("encoder/conv1/weight")?;
        let [vocabulary, width] = embeddings.dimensions[..] else {
            return Err(SpeechError::Weights("the embedding is not a matrix".into()));
        };
        let [_, mels, 3] = convolution.dimensions[..] else {
            return Err(SpeechError::Weights("the first convolution has another shape".into()));
        };
        let rows =
            |name: &str| variables.get(name).map(|v| v.dimensions.first().copied().unwrap_or(0));
        Ok(Self {
            vocabulary,
            width,
            mels,
            audio_positions: rows("encoder/position_encodings/encodings")?,
            text_positions: rows("decoder/position_encodings/encodings")?,
            audio_layers: variables.layers("encoder"),
            text_layers: variables.layers("decoder"),
        })
    }
}

/// A tensor as ggml wants it.
struct Tensor {
    /// Dimensions, slowest first as in the source; reversed when written.
    dimensions: Vec<usize>,
    values: Vec<f32>,
    /// Matrices and convolutions are stored as f16; vectors and positions as f32.
    half: bool,
}

impl Tensor {
    fn full(variable: &Variable) -> Self {
        Self {
            dimensions: variable.dimensions.clone(),
            values: variable.values.clone(),
            half: false,
        }
    }

    fn half(variable: &Variable) -> Self {
        Self { half: true, ..Self::full(variable) }
    }

    /// Part `index` of `parts` equal groups of rows: CTranslate2 fuses projections.
    fn part(variable: &Variable, index: usize, parts: usize) -> Self {
        let mut dimensions = variable.dimensions.clone();
        dimensions[0] /= parts;
        let length = variable.values.len() / parts;
        let values = variable.values[index * length..(index + 1) * length].to_vec();
        Self { half: dimensions.len() > 1, dimensions, values }
    }
}

/// Collects the tensors under their ggml names.
struct Mapping<'a> {
    variables: &'a Variables,
    found: Vec<(String, Tensor)>,
}

impl<'a> Mapping<'a> {
    fn all(variables: &'a Variables, shape: &Shape) -> Result<Vec<(String, Tensor)>, SpeechError> {
        let mut mapping = Self { variables, found: Vec::new() };
        for part in ["encoder", "decoder"] {
            let positions = format!("{part}/position_encodings/encodings");
            mapping.full(&positions, &format!("{part}.positional_embedding"))?;
        }
        mapping.half("decoder/embeddings/weight", "decoder.token_embedding.weight")?;
        mapping.norm("encoder/layer_norm", "encoder.ln_post")?;
        mapping.norm("decoder/layer_norm", "decoder.ln")?;
        for convolution in ["conv1", "conv2"] {
            mapping.convolution(convolution)?;
        }
        for (part, layers) in [("encoder", shape.audio_layers), ("decoder", shape.text_layers)] {
            for layer in 0..layers {
                mapping.layer(part, layer)?;
            }
        }
        Ok(mapping.found)
    }

    fn full(&mut self, from: &str, to: &str) -> Result<(), SpeechError> {
        self.found.push((to.to_owned(), Tensor::full(self.variables.get(from)?)));
        Ok(())
    }

    fn half(&mut self, from: &str, to: &str) -> Result<(), SpeechError> {
        self.found.push((to.to_owned(), Tensor::half(self.variables.get(from)?)));
        Ok(())
    }

    fn norm(&mut self, from: &str, to: &str) -> Result<(), SpeechError> {
        self.full(&format!("{from}/gamma"), &format!("{to}.weight"))?;
        self.full(&format!("{from}/beta"), &format!("{to}.bias"))
    }

    fn linear(&mut self, from: &str, to: &str) -> Result<(), SpeechError> {
        self.half(&format!("{from}/weight"), &format!("{to}.weight"))?;
        self.full(&format!("{from}/bias"), &format!("{to}.bias"))
    }

    fn convolution(&mut self, name: &str) -> Result<(), SpeechError> {
        self.half(&format!("encoder/{name}/weight"), &format!("encoder.{name}.weight"))?;
        let mut bias = Tensor::full(self.variables.get(&format!("encoder/{name}/bias"))?);
        // whisper.cpp adds it along time and wants it as a column.
        bias.dimensions.push(1);
        self.found.push((format!("encoder.{name}.bias"), bias));
        Ok(())
    }

    fn layer(&mut self, part: &str, layer: usize) -> Result<(), SpeechError> {
        let from = format!("{part}/layer_{layer}");
        let to = format!("{part}.blocks.{layer}");
        self.norm(&format!("{from}/self_attention/layer_norm"), &format!("{to}.attn_ln"))?;
        self.fused(
            &format!("{from}/self_attention/linear_0"),
            &to,
            &[("attn.query", true), ("attn.key", false), ("attn.value", true)],
        )?;
        self.linear(&format!("{from}/self_attention/linear_1"), &format!("{to}.attn.out"))?;
        if part == "decoder" {
            let cross = format!("{from}/attention");
            self.norm(&format!("{cross}/layer_norm"), &format!("{to}.cross_attn_ln"))?;
            self.linear(&format!("{cross}/linear_0"), &format!("{to}.cross_attn.query"))?;
            self.fused(
                &format!("{cross}/linear_1"),
                &to,
                &[("cross_attn.key", false), ("cross_attn.value", true)],
            )?;
            self.linear(&format!("{cross}/linear_2"), &format!("{to}.cross_attn.out"))?;
        }
        self.norm(&format!("{from}/ffn/layer_norm"), &format!("{to}.mlp_ln"))?;
        self.linear(&format!("{from}/ffn/linear_0"), &format!("{to}.mlp.0"))?;
        self.linear(&format!("{from}/ffn/linear_1"), &format!("{to}.mlp.2"))
    }

    /// Splits a fused projection; Whisper's key has no bias, so its zeros are left out.
    fn fused(&mut self, from: &str, to: &str, parts: &[(&str, bool)]) -> Result<(), SpeechError> {
        let weight = self.variables.get(&format!("{from}/weight"))?;
        let bias = self.variables.get(&format!("{from}/bias"))?;
        for (index, (name, has_bias)) in parts.iter().enumerate() {
            let part = Tensor::part(weight, index, parts.len());
            self.found.push((format!("{to}.{name}.weight"), part));
            if *has_bias {
                let part = Tensor::part(bias, index, parts.len());
                self.found.push((format!("{to}.{name}.bias"), part));
            }
        }
        Ok(())
    }
}

struct GgmlWriter<'a, W> {
    out: &'a mut W,
}

impl<W: Write> GgmlWriter<'_, W> {
    fn integers(&mut self, values: &[usize]) -> Result<(), SpeechError> {
        for value in values {
            let value = i32::try_from(*value)
                .map_err(|_| SpeechError::Weights("a size is beyond 31 bits".into()))?;
            self.bytes(&value.to_le_bytes())?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), SpeechError> {
        self.out.write_all(bytes).map_err(|error| SpeechError::Weights(error.to_string()))
    }

    fn header(&mut self, shape: &Shape) -> Result<(), SpeechError> {
        let heads = shape.width / HEAD_WIDTH;
        self.bytes(&GGML_MAGIC.to_le_bytes())?;
        self.integers(&[
            shape.vocabulary,
            shape.audio_positions,
            shape.width,
            heads,
            shape.audio_layers,
            shape.text_positions,
            shape.width,
            heads,
            shape.text_layers,
            shape.mels,
            FTYPE_F16,
        ])
    }

    fn mel_filters(&mut self, mels: usize) -> Result<(), SpeechError> {
        self.integers(&[mels, mel_filters::BINS])?;
        for weight in mel_filters::slaney(mels) {
            self.bytes(&weight.to_le_bytes())?;
        }
        Ok(())
    }

    fn vocabulary(&mut self, tokens: &[String], size: usize) -> Result<(), SpeechError> {
        // The tokens after the text ones (languages, timestamps) are made by whisper.cpp.
        let text = if size >= MULTILINGUAL_SIZE { 50_257 } else { 50_256 };
        if tokens.len() < text {
            return Err(SpeechError::Weights(format!(
                "the vocabulary has {} entries, {text} are needed",
                tokens.len()
            )));
        }
        self.integers(&[text])?;
        for token in &tokens[..text] {
            let bytes = raw_bytes(token);
            self.integers(&[bytes.len()])?;
            self.bytes(&bytes)?;
        }
        Ok(())
    }

    fn tensor(&mut self, name: &str, tensor: &Tensor) -> Result<(), SpeechError> {
        self.integers(&[tensor.dimensions.len(), name.len(), usize::from(tensor.half)])?;
        let reversed: Vec<usize> = tensor.dimensions.iter().rev().copied().collect();
        self.integers(&reversed)?;
        self.bytes(name.as_bytes())?;
        let mut data = Vec::with_capacity(tensor.values.len() * 4);
        for value in &tensor.values {
            if tensor.half {
                data.extend_from_slice(&f16::from_f32(*value).to_le_bytes());
            } else {
                data.extend_from_slice(&value.to_le_bytes());
            }
        }
        self.bytes(&data)
    }
}

/// Undoes GPT-2's printable byte alphabet; `<|endoftext|>` and its like become empty.
fn raw_bytes(token: &str) -> Vec<u8> {
    if token.starts_with("<|") && token.ends_with("|>") {
        return Vec::new();
    }
    let printable = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let hidden: Vec<u8> = (0..=255_u32).filter(|byte| !printable(*byte)).map(|b| b as u8).collect();
    token
        .chars()
        .map(|character| match u32::from(character) {
            code if printable(code) => code as u8,
            code => hidden.get((code.wrapping_sub(256)) as usize).copied().unwrap_or(b'?'),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_alphabet_is_undone() {
        assert_eq!(raw_bytes("Ġthe"), b" the");
        assert_eq!(raw_bytes("Ċ"), b"\n");
        assert_eq!(raw_bytes("Ã©"), "é".as_bytes());
        assert_eq!(raw_bytes("<|endoftext|>"), b"");
    }

    #[test]
    fn half_a_file_is_refused() {
        for length in [0, 3, 9, 40] {
            assert!(convert(&vec![6; length], &[], &mut Vec::new()).is_err());
        }
    }
}

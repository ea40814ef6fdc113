//! A decoder of the llama family on quantised weights.

use std::io::{Read, Seek};

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{D, Device, Module, Result, Tensor, bail};
use candle_nn::ops::{rms_norm, silu, softmax_last_dim};
use candle_nn::rotary_emb::{rope, rope_i};

/// Longest prompt and answer together, tokens.
const CONTEXT_MAX: usize = 2048;

/// Keys and values of the tokens read so far. Cloning is cheap, and a clone goes its own way.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyValues {
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
}

impl KeyValues {
    /// Tokens that are known.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Forgets all but the first `length` tokens.
    pub(super) fn truncate(&mut self, length: usize) -> Result<()> {
        if length >= self.length {
            return Ok(());
        }
        for (key, value) in &mut self.layers {
            (*key, *value) = (key.narrow(2, 0, length)?, value.narrow(2, 0, length)?);
        }
        self.length = length;
        Ok(())
    }
}

pub(super) struct Transformer {
    embedding: std::sync::Arc<QTensor>,
    layers: Vec<Layer>,
    norm: Tensor,
    output: QMatMul,
    shape: Shape,
    cos: Tensor,
    sin: Tensor,
}

struct Shape {
    heads: usize,
    key_heads: usize,
    head_width: usize,
    epsilon: f32,
    /// llama turns neighbours, qwen2 turns halves.
    interleaved: bool,
    vocabulary: usize,
}

struct Layer {
    attention_norm: Tensor,
    query: Projection,
    key: Projection,
    value: Projection,
    output: QMatMul,
    feed_norm: Tensor,
    gate: QMatMul,
    up: QMatMul,
    down: QMatMul,
}

struct Projection {
    weight: QMatMul,
    bias: Option<Tensor>,
}

impl Projection {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let output = self.weight.forward(input)?;
        match &self.bias {
            Some(bias) => output.broadcast_add(bias),
            None => Ok(output),
        }
    }
}

/// Reads tensors of the file and re-quantises those formats that have no fast kernel.
struct Weights<'a, R> {
    content: &'a Content,
    reader: &'a mut R,
}

impl<R: Read + Seek> Weights<'_, R> {
    fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    fn tensor(&mut self, name: &str) -> Result<std::sync::Arc<QTensor>> {
        let tensor = self.content.tensor(self.reader, name, &Device::Cpu)?;
        let slow = matches!(tensor.dtype(), GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1);
        let tensor = if slow {
            QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?
        } else {
            tensor
        };
        Ok(std::sync::Arc::new(tensor))
    }

    fn matrix(&mut self, name: &str) -> Result<QMatMul> {
        QMatMul::from_arc(self.tensor(name)?)
    }

    fn vector(&mut self, name: &str) -> Result<Tensor> {
        self.content.tensor(self.reader, name, &Device::Cpu)?.dequantize(&Device::Cpu)
    }

    fn projection(&mut self, name: &str) -> Result<Projection> {
        let bias = format!("{name}.bias");
        let bias = if self.has(&bias) { Some(self.vector(&bias)?) } else { None };
        Ok(Projection { weight: self.matrix(&format!("{name}.weight"))?, bias })
    }

    fn layer(&mut self, number: usize) -> Result<Layer> {
        let name = |part: &str| format!("blk.{number}.{part}");
        Ok(Layer {
            attention_norm: self.vector(&name("attn_norm.weight"))?,
            query: self.projection(&name("attn_q"))?,
            key: self.projection(&name("attn_k"))?,
            value: self.projection(&name("attn_v"))?,
            output: self.matrix(&name("attn_output.weight"))?,
            feed_norm: self.vector(&name("ffn_norm.weight"))?,
            gate: self.matrix(&name("ffn_gate.weight"))?,
            up: self.matrix(&name("ffn_up.weight"))?,
            down: self.matrix(&name("ffn_down.weight"))?,
        })
    }
}

impl Transformer {
    pub(super) fn load(content: &Content, reader: &mut (impl Read + Seek)) -> Result<Self> {
        let architecture = match content.metadata.get("general.architecture") {
            Some(Value::String(name)) => name.clone(),
            _ => bail!("the file names no architecture"),
        };
        let interleaved = match architecture.as_str() {
            "llama" => true,
            "qwen2" => false,
            other => bail!("the architecture {other} is not supported; llama and qwen2 are"),
        };
        let number = |name: &str| match content.metadata.get(&format!("{architecture}.{name}")) {
            Some(value) => value.to_u32().map(|value| value as usize),
            None => bail!("the file has no {name}"),
        };
        let float = |name: &str, usual: f32| {
            let value = content.metadata.get(&format!("{architecture}.{name}"));
            value.map_or(Ok(usual), Value::to_f32)
        };
        let heads = number("attention.head_count")?;
        let width = number("embedding_length")? / heads;
        let layers = number("block_count")?;
        let base = float("rope.freq_base", 10_000.0)?;
        let shape = Shape {
            heads,
            key_heads: number("attention.head_count_kv")?,
            head_width: width,
            epsilon: float("attention.layer_norm_rms_epsilon", 1e-5)?,
            interleaved,
            vocabulary: 0,
        };
        let mut weights = Weights { content, reader };
        let embedding = weights.tensor("token_embd.weight")?;
        let output = if weights.has("output.weight") {
            weights.tensor("output.weight")?
        } else {
            std::sync::Arc::clone(&embedding)
        };
        let vocabulary = output.shape().dims2()?.0;
        let layers = (0..layers).map(|layer| weights.layer(layer)).collect::<Result<_>>()?;
        let (cos, sin) = rotations(width, base)?;
        Ok(Self {
            norm: weights.vector("output_norm.weight")?,
            output: QMatMul::from_arc(output)?,
            embedding,
            layers,
            shape: Shape { vocabulary, ..shape },
            cos,
            sin,
        })
    }

    /// Size of the vocabulary.
    pub(super) const fn vocabulary(&self) -> usize {
        self.shape.vocabulary
    }

    /// Reads tokens after those that `keys` knows; returns the logits of the next one.
    pub(super) fn forward(&self, tokens: &[u32], keys: &mut KeyValues) -> Result<Vec<f32>> {
        if tokens.is_empty() || keys.length + tokens.len() > CONTEXT_MAX {
            bail!("a prompt of {} tokens after {} does not fit", tokens.len(), keys.length);
        }
        let ids = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let mut state = self.embedding.embedding(&ids)?;
        let mask = causal_mask(tokens.len(), keys.length)?;
        for (number, layer) in self.layers.iter().enumerate() {
            let input = rms_norm(&state, &layer.attention_norm, self.shape.epsilon)?;
            let attended = self.attend(layer, &input, keys, number, mask.as_ref())?;
            state = (state + attended)?;
            let input = rms_norm(&state, &layer.feed_norm, self.shape.epsilon)?;
            let gated = (silu(&layer.gate.forward(&input)?)? * layer.up.forward(&input)?)?;
            state = (state + layer.down.forward(&gated)?)?;
        }
        keys.length += tokens.len();
        let last = state.narrow(1, tokens.len() - 1, 1)?.contiguous()?;
        let last = rms_norm(&last, &self.norm, self.shape.epsilon)?;
        self.output.forward(&last)?.flatten_all()?.to_vec1()
    }

    fn attend(
        &self,
        layer: &Layer,
        input: &Tensor,
        keys: &mut KeyValues,
        number: usize,
        mask: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, _) = input.dims3()?;
        let Shape { heads, key_heads, head_width, .. } = self.shape;
        let split = |tensor: Tensor, heads: usize| {
            tensor.reshape((batch, length, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let query = self.turn(&split(layer.query.forward(input)?, heads)?, keys.length)?;
        let key = self.turn(&split(layer.key.forward(input)?, key_heads)?, keys.length)?;
        let value = split(layer.value.forward(input)?, key_heads)?;
        let (key, value) = match keys.layers.get(number) {
            Some((old_key, old_value)) => {
                (Tensor::cat(&[old_key, &key], 2)?, Tensor::cat(&[old_value, &value], 2)?)
            }
            None => (key, value),
        };
        match keys.layers.get_mut(number) {
            Some(kept) => *kept = (key.clone(), value.clone()),
            None => keys.layers.push((key.clone(), value.clone())),
        }
        // Several query heads share a key head: they are rows of one product.
        let group = heads / key_heads;
        let query = query.reshape((batch, key_heads, group * length, head_width))?;
        let scale = 1.0 / (head_width as f64).sqrt();
        let scores = (query.matmul(&key.transpose(2, 3)?)? * scale)?;
        let scores = match mask {
            Some(mask) => {
                let total = key.dim(2)?;
                let scores = scores.reshape((batch, heads, length, total))?;
                let scores = scores.broadcast_add(mask)?;
                scores.reshape((batch, key_heads, group * length, total))?
            }
            None => scores,
        };
        let attended = softmax_last_dim(&scores)?.matmul(&value)?;
        let attended = attended.reshape((batch, heads, length, head_width))?.transpose(1, 2)?;
        let attended = attended.contiguous()?.reshape((batch, length, heads * head_width))?;
        layer.output.forward(&attended)
    }

    /// Turns queries and keys by their positions.
    fn turn(&self, heads: &Tensor, from: usize) -> Result<Tensor> {
        let length = heads.dim(D::Minus2)?;
        let cos = self.cos.narrow(0, from, length)?;
        let sin = self.sin.narrow(0, from, length)?;
        if self.shape.interleaved { rope_i(heads, &cos, &sin) } else { rope(heads, &cos, &sin) }
    }
}

fn rotations(width: usize, base: f32) -> Result<(Tensor, Tensor)> {
    let frequencies: Vec<f32> =
        (0..width).step_by(2).map(|i| base.powf(-(i as f32) / width as f32)).collect();
    let frequencies = Tensor::new(frequencies.as_slice(), &Device::Cpu)?.unsqueeze(0)?;
    let positions: Vec<f32> = (0..CONTEXT_MAX).map(|position| position as f32).collect();
    let positions = Tensor::new(positions.as_slice(), &Device::Cpu)?.unsqueeze(1)?;
    let angles = positions.matmul(&frequencies)?;
    Ok((angles.cos()?, angles.sin()?))
}

/// Keeps a token from those after it; a single token has none after it.
fn causal_mask(length: usize, before: usize) -> Result<Option<Tensor>> {
    if length == 1 {
        return Ok(None);
    }
    let total = before + length;
    let entry = |row: usize, column: usize| {
        if column > before + row { f32::NEG_INFINITY } else { 0.0 }
    };
    let values: Vec<f32> =
        (0..length).flat_map(|row| (0..total).map(move |column| entry(row, column))).collect();
    Tensor::from_vec(values, (1, 1, length, total), &Device::Cpu).map(Some)
}

//! A decoder of the llama family: on quantised weights to read callers, on dense ones to be trained.

use std::io::{Read, Seek};

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{D, Device, Module as _, Result, Tensor, bail};
use candle_nn::ops::{rms_norm, rms_norm_slow, silu, softmax, softmax_last_dim};
use candle_nn::rotary_emb::{rope, rope_i, rope_i_slow, rope_slow};

use super::adapter::{Adapter, Part};
use super::frozen::Frozen;

/// Longest prompt and answer together, tokens.
const CONTEXT_MAX: usize = 2048;

/// Keys and values of the tokens read so far. Cloning is cheap, and a clone goes its own way.
#[derive(Debug, Clone, Default)]
pub struct KeyValues {
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
}

impl KeyValues {
    /// Tokens that are known.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// A layer's keys and values with those of further tokens behind them.
    fn with(&mut self, layer: usize, key: Tensor, value: Tensor) -> Result<(Tensor, Tensor)> {
        let (key, value) = match self.layers.get(layer) {
            Some((old_key, old_value)) => {
                (Tensor::cat(&[old_key, &key], 2)?, Tensor::cat(&[old_value, &value], 2)?)
            }
            None => (key, value),
        };
        match self.layers.get_mut(layer) {
            Some(kept) => *kept = (key.clone(), value.clone()),
            None => self.layers.push((key.clone(), value.clone())),
        }
        Ok((key, value))
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

/// The decoder.
pub struct Transformer {
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Matrix,
    shape: Shape,
    cos: Tensor,
    sin: Tensor,
    device: Device,
}

/// Fixed weights.
enum Matrix {
    /// Quantised, for reading.
    Quantised(QMatMul),
    /// Dense, for training what stands beside them: a gradient passes through.
    Frozen(Frozen),
}

impl Matrix {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match self {
            Self::Quantised(matrix) => matrix.forward(input),
            Self::Frozen(matrix) => matrix.forward(input),
        }
    }
}

enum Embedding {
    Quantised(std::sync::Arc<QTensor>),
    Dense(Tensor),
}

/// A part of the last matrix, made by [`Transformer::output_among`].
pub struct Output(Frozen);

/// Measures of a model.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Query heads.
    pub heads: usize,
    /// Key heads; several query heads share one.
    pub key_heads: usize,
    /// Width of a head.
    pub head_width: usize,
    epsilon: f32,
    /// llama turns neighbours, qwen2 turns halves.
    pub interleaved: bool,
    /// Tokens that there are.
    pub vocabulary: usize,
    /// Layers.
    pub layers: usize,
}

struct Layer {
    attention_norm: Tensor,
    query: Projection,
    key: Projection,
    value: Projection,
    output: Projection,
    feed_norm: Tensor,
    gate: Projection,
    up: Projection,
    down: Projection,
}

/// One matrix of a layer, with what an adapter adds to it.
struct Projection {
    weight: Matrix,
    bias: Option<Tensor>,
    layer: usize,
    part: Part,
}

impl Projection {
    fn forward(&self, input: &Tensor, adapter: Option<&Adapter>) -> Result<Tensor> {
        let mut output = self.weight.forward(input)?;
        if let Some(bias) = &self.bias {
            output = output.broadcast_add(bias)?;
        }
        match adapter.and_then(|adapter| adapter.get(self.layer, self.part)) {
            Some(lora) => output + lora.forward(input)?,
            None => Ok(output),
        }
    }
}

/// Reads tensors of the file: dense, or re-quantised where the format has no fast kernel.
struct Weights<'a, R> {
    content: &'a Content,
    reader: &'a mut R,
    dense: bool,
    device: &'a Device,
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

    /// The first and the last matrix, which may be one, and the size of the vocabulary.
    fn ends(&mut self) -> Result<(Embedding, Matrix, usize)> {
        let last = if self.has("output.weight") { "output.weight" } else { "token_embd.weight" };
        if self.dense {
            let (embedding, output) = (self.vector("token_embd.weight")?, self.vector(last)?);
            let vocabulary = output.dims2()?.0;
            return Ok((
                Embedding::Dense(embedding),
                Matrix::Frozen(Frozen::new(output)),
                vocabulary,
            ));
        }
        let (embedding, output) = (self.tensor("token_embd.weight")?, self.tensor(last)?);
        let vocabulary = output.shape().dims2()?.0;
        let output = Matrix::Quantised(QMatMul::from_arc(output)?);
        Ok((Embedding::Quantised(embedding), output, vocabulary))
    }

    fn matrix(&mut self, name: &str) -> Result<Matrix> {
        if self.dense {
            return Ok(Matrix::Frozen(Frozen::new(self.vector(name)?)));
        }
        Ok(Matrix::Quantised(QMatMul::from_arc(self.tensor(name)?)?))
    }

    fn vector(&mut self, name: &str) -> Result<Tensor> {
        self.content.tensor(self.reader, name, &Device::Cpu)?.dequantize(self.device)
    }

    fn projection(&mut self, layer: usize, part: Part) -> Result<Projection> {
        let name = format!("blk.{layer}.{}", part.name_in_gguf());
        let bias = format!("{name}.bias");
        let bias = if self.has(&bias) { Some(self.vector(&bias)?) } else { None };
        Ok(Projection { weight: self.matrix(&format!("{name}.weight"))?, bias, layer, part })
    }

    fn layer(&mut self, number: usize) -> Result<Layer> {
        Ok(Layer {
            attention_norm: self.vector(&format!("blk.{number}.attn_norm.weight"))?,
            query: self.projection(number, Part::Query)?,
            key: self.projection(number, Part::Key)?,
            value: self.projection(number, Part::Value)?,
            output: self.projection(number, Part::Output)?,
            feed_norm: self.vector(&format!("blk.{number}.ffn_norm.weight"))?,
            gate: self.projection(number, Part::Gate)?,
            up: self.projection(number, Part::Up)?,
            down: self.projection(number, Part::Down)?,
        })
    }
}

impl Transformer {
    /// Loads quantised weights, for reading.
    pub(super) fn load(content: &Content, reader: &mut (impl Read + Seek)) -> Result<Self> {
        Self::load_as(content, reader, false, &Device::Cpu)
    }

    /// Loads dense weights, for training adapters beside them.
    pub fn load_dense(
        content: &Content,
        reader: &mut (impl Read + Seek),
        device: &Device,
    ) -> Result<Self> {
        Self::load_as(content, reader, true, device)
    }

    fn load_as(
        content: &Content,
        reader: &mut (impl Read + Seek),
        dense: bool,
        device: &Device,
    ) -> Result<Self> {
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
            layers,
        };
        let mut weights = Weights { content, reader, dense, device };
        let (embedding, output, vocabulary) = weights.ends()?;
        let layers = (0..layers).map(|layer| weights.layer(layer)).collect::<Result<_>>()?;
        let (cos, sin) = rotations(width, base, device)?;
        Ok(Self {
            norm: weights.vector("output_norm.weight")?,
            output,
            embedding,
            layers,
            shape: Shape { vocabulary, ..shape },
            cos,
            sin,
            device: device.clone(),
        })
    }

    /// The model's measures.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Outputs and inputs of a part of a dense model.
    ///
    /// # Errors
    /// There is no such layer, or the model is quantised.
    pub fn measures(&self, layer: usize, part: Part) -> Result<(usize, usize)> {
        let Some(layer) = self.layers.get(layer) else { bail!("there is no layer {layer}") };
        let projection = match part {
            Part::Query => &layer.query,
            Part::Key => &layer.key,
            Part::Value => &layer.value,
            Part::Output => &layer.output,
            Part::Gate => &layer.gate,
            Part::Up => &layer.up,
            Part::Down => &layer.down,
        };
        match &projection.weight {
            Matrix::Frozen(weight) => weight.dims(),
            Matrix::Quantised(_) => bail!("only dense models are trained"),
        }
    }

    /// Where it is computed.
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// Whether gradients have to pass: candle's fast operations have none.
    const fn is_trained(&self, adapter: Option<&Adapter>) -> bool {
        matches!(self.embedding, Embedding::Dense(_)) && adapter.is_some()
    }

    /// Reads tokens after those that `keys` knows; returns the logits of the next one.
    pub(super) fn forward(
        &self,
        tokens: &[u32],
        keys: &mut KeyValues,
        adapter: Option<&Adapter>,
    ) -> Result<Vec<f32>> {
        if tokens.is_empty() || keys.length + tokens.len() > CONTEXT_MAX {
            bail!("a prompt of {} tokens after {} does not fit", tokens.len(), keys.length);
        }
        let ids = Tensor::new(tokens, &self.device)?.unsqueeze(0)?;
        let state = self.layers(0..self.layers.len(), self.embed(&ids)?, adapter, Some(keys))?;
        keys.length += tokens.len();
        let last = state.narrow(1, tokens.len() - 1, 1)?.contiguous()?;
        self.logits(&last)?.flatten_all()?.to_vec1()
    }

    /// The state before the first layer: (sequences, tokens, width).
    pub fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        match &self.embedding {
            Embedding::Quantised(table) => table.embedding(ids),
            Embedding::Dense(table) => {
                let (sequences, length) = ids.dims2()?;
                table.index_select(&ids.flatten_all()?, 0)?.reshape((sequences, length, ()))
            }
        }
    }

    /// The state after some of the layers. Without `keys` the sequences begin here.
    pub fn layers(
        &self,
        layers: std::ops::Range<usize>,
        mut state: Tensor,
        adapter: Option<&Adapter>,
        mut keys: Option<&mut KeyValues>,
    ) -> Result<Tensor> {
        let before = keys.as_ref().map_or(0, |keys| keys.length);
        let mask = causal_mask(state.dim(1)?, before, &self.device)?;
        let trained = self.is_trained(adapter);
        for number in layers {
            let layer = &self.layers[number];
            let input = self.normed(&state, &layer.attention_norm, trained)?;
            let keys = keys.as_deref_mut();
            let attended = self.attend(layer, number, &input, keys, mask.as_ref(), adapter)?;
            state = (state + attended)?;
            let input = self.normed(&state, &layer.feed_norm, trained)?;
            let gated = silu(&layer.gate.forward(&input, adapter)?)?;
            let gated = (gated * layer.up.forward(&input, adapter)?)?;
            state = (state + layer.down.forward(&gated, adapter)?)?;
        }
        Ok(state)
    }

    /// The logits of the tokens that follow, from states after the last layer.
    pub fn logits(&self, state: &Tensor) -> Result<Tensor> {
        let trained = matches!(self.output, Matrix::Frozen(_));
        self.output.forward(&self.normed(state, &self.norm, trained)?)
    }

    /// The part of the last matrix that tells these tokens apart.
    ///
    /// # Errors
    /// The model is quantised.
    pub fn output_among(&self, tokens: &[u32]) -> Result<Output> {
        let Matrix::Frozen(output) = &self.output else { bail!("only dense models are trained") };
        Ok(Output(output.rows(&Tensor::new(tokens, &self.device)?)?))
    }

    /// The same as [`Self::logits`] for some tokens, in their order.
    ///
    /// # Errors
    /// The computation failed.
    pub fn logits_among(&self, state: &Tensor, output: &Output) -> Result<Tensor> {
        output.0.forward(&self.normed(state, &self.norm, true)?)
    }

    fn normed(&self, state: &Tensor, weight: &Tensor, trained: bool) -> Result<Tensor> {
        let norm = if trained { rms_norm_slow } else { rms_norm };
        norm(state, weight, self.shape.epsilon)
    }

    fn attend(
        &self,
        layer: &Layer,
        number: usize,
        input: &Tensor,
        keys: Option<&mut KeyValues>,
        mask: Option<&Tensor>,
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        let (batch, length, _) = input.dims3()?;
        let Shape { heads, key_heads, head_width, .. } = self.shape;
        let split = |tensor: Tensor, heads: usize| {
            tensor.reshape((batch, length, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let from = keys.as_ref().map_or(0, |keys| keys.length);
        let trained = self.is_trained(adapter);
        let query =
            self.turn(&split(layer.query.forward(input, adapter)?, heads)?, from, trained)?;
        let key =
            self.turn(&split(layer.key.forward(input, adapter)?, key_heads)?, from, trained)?;
        let value = split(layer.value.forward(input, adapter)?, key_heads)?;
        let (key, value) = match keys {
            Some(keys) => keys.with(number, key, value)?,
            None => (key, value),
        };
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
        let weights = if self.is_trained(adapter) {
            softmax(&scores, D::Minus1)?
        } else {
            softmax_last_dim(&scores)?
        };
        let attended = weights.matmul(&value)?;
        let attended = attended.reshape((batch, heads, length, head_width))?.transpose(1, 2)?;
        let attended = attended.contiguous()?.reshape((batch, length, heads * head_width))?;
        layer.output.forward(&attended, adapter)
    }

    /// Turns queries and keys by their positions.
    fn turn(&self, heads: &Tensor, from: usize, trained: bool) -> Result<Tensor> {
        let length = heads.dim(D::Minus2)?;
        let cos = self.cos.narrow(0, from, length)?;
        let sin = self.sin.narrow(0, from, length)?;
        let turn = match (self.shape.interleaved, trained) {
            (true, false) => rope_i,
            (true, true) => rope_i_slow,
            (false, false) => rope,
            (false, true) => rope_slow,
        };
        turn(heads, &cos, &sin)
    }
}

fn rotations(width: usize, base: f32, device: &Device) -> Result<(Tensor, Tensor)> {
    let frequencies: Vec<f32> =
        (0..width).step_by(2).map(|i| base.powf(-(i as f32) / width as f32)).collect();
    let frequencies = Tensor::new(frequencies.as_slice(), device)?.unsqueeze(0)?;
    let positions: Vec<f32> = (0..CONTEXT_MAX).map(|position| position as f32).collect();
    let positions = Tensor::new(positions.as_slice(), device)?.unsqueeze(1)?;
    let angles = positions.matmul(&frequencies)?;
    Ok((angles.cos()?, angles.sin()?))
}

/// Keeps a token from those after it; a single token has none after it.
fn causal_mask(length: usize, before: usize, device: &Device) -> Result<Option<Tensor>> {
    if length == 1 {
        return Ok(None);
    }
    let total = before + length;
    let entry = |row: usize, column: usize| {
        if column > before + row { f32::NEG_INFINITY } else { 0.0 }
    };
    let values: Vec<f32> =
        (0..length).flat_map(|row| (0..total).map(move |column| entry(row, column))).collect();
    Tensor::from_vec(values, (1, 1, length, total), device).map(Some)
}

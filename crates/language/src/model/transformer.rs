//! A decoder of the llama family on dense weights, composed of operations that gradients pass through:
//! what adapters are trained beside. Callers are read by [`super::decoder`].

use std::io::{Read, Seek};

use candle_core::{D, Device, Result, Tensor, bail};
use candle_nn::ops::{rms_norm, rms_norm_slow, silu, softmax, softmax_last_dim};
use candle_nn::rotary_emb::{rope, rope_i, rope_i_slow, rope_slow};

use super::adapter::{Adapter, Part};
use super::frozen::Frozen;
pub use super::frozen::Products;
use super::gguf::{CONTEXT_MAX, Shape, Weights};

/// The decoder.
pub struct Transformer {
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Tensor,
    shape: Shape,
    cos: Tensor,
    sin: Tensor,
    device: Device,
    products: Products,
}

/// A part of the last matrix, made by [`Transformer::output_among`].
pub struct Output(Frozen);

pub(super) struct Layer {
    pub(super) attention_norm: Tensor,
    pub(super) query: Projection,
    pub(super) key: Projection,
    pub(super) value: Projection,
    pub(super) output: Projection,
    pub(super) feed_norm: Tensor,
    pub(super) gate: Projection,
    pub(super) up: Projection,
    pub(super) down: Projection,
}

/// One matrix of a layer, with what an adapter adds to it.
pub(super) struct Projection {
    weight: Frozen,
    bias: Option<Tensor>,
    layer: usize,
    part: Part,
}

impl Projection {
    pub(super) fn forward(&self, input: &Tensor, adapter: Option<&Adapter>) -> Result<Tensor> {
        let mut output = self.weight.forward(input)?;
        if let Some(bias) = &self.bias {
            output = output.broadcast_add(bias)?;
        }
        match adapter.and_then(|adapter| adapter.get(self.layer, self.part)) {
            Some(lora) => output + lora.forward(input)?,
            None => Ok(output),
        }
    }

    fn load(
        weights: &mut Weights<impl Read + Seek>,
        layer: usize,
        part: Part,
        (device, products): (&Device, Products),
    ) -> Result<Self> {
        let (weight, bias) = match products {
            Products::Quantised => {
                let (weight, bias) = weights.quantised_part(layer, part, device)?;
                (Frozen::quantised(weight)?, bias)
            }
            Products::Packed | Products::Exact => {
                let (weight, bias) = weights.part(layer, part, device)?;
                (Frozen::new(weight, products)?, bias)
            }
        };
        Ok(Self { weight, bias, layer, part })
    }
}

impl Layer {
    pub(super) fn load(
        weights: &mut Weights<impl Read + Seek>,
        number: usize,
        (device, products): (&Device, Products),
    ) -> Result<Self> {
        let mut part = |part| Projection::load(weights, number, part, (device, products));
        let [query, key, value] = [part(Part::Query)?, part(Part::Key)?, part(Part::Value)?];
        let (output, gate) = (part(Part::Output)?, part(Part::Gate)?);
        let (up, down) = (part(Part::Up)?, part(Part::Down)?);
        let attention_norm = weights.tensor(&format!("blk.{number}.attn_norm.weight"), device)?;
        let feed_norm = weights.tensor(&format!("blk.{number}.ffn_norm.weight"), device)?;
        Ok(Self { attention_norm, query, key, value, output, feed_norm, gate, up, down })
    }
}

impl Transformer {
    /// Loads a model.
    ///
    /// # Errors
    /// The file is of another architecture, or a tensor is missing.
    pub fn load(
        weights: &mut Weights<impl Read + Seek>,
        device: &Device,
        products: Products,
    ) -> Result<Self> {
        let shape = weights.shape()?;
        let embedding = weights.tensor("token_embd.weight", device)?;
        let output = weights.perhaps("output.weight", device)?.unwrap_or_else(|| embedding.clone());
        let layers =
            (0..shape.layers).map(|number| Layer::load(weights, number, (device, products)));
        let layers = layers.collect::<Result<_>>()?;
        let (cos, sin) = rotations(shape.head_width, shape.turn_base, device)?;
        let norm = weights.tensor("output_norm.weight", device)?;
        let device = device.clone();
        Ok(Self { embedding, layers, norm, output, shape, cos, sin, device, products })
    }

    /// The model's measures.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Outputs and inputs of a part.
    ///
    /// # Errors
    /// There is no such layer.
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
        projection.weight.dims()
    }

    /// Where it is computed.
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// The state before the first layer: (sequences, tokens, width).
    ///
    /// # Errors
    /// A token is none of the vocabulary.
    pub fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        let (sequences, length) = ids.dims2()?;
        self.embedding.index_select(&ids.flatten_all()?, 0)?.reshape((sequences, length, ()))
    }

    /// The state after some of the layers.
    ///
    /// # Errors
    /// The computation failed.
    pub fn layers(
        &self,
        layers: std::ops::Range<usize>,
        mut state: Tensor,
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        let mask = causal_mask(state.dim(1)?, &self.device)?;
        // candle's fast operations have no gradients.
        let trained = adapter.is_some();
        for number in layers {
            let layer = &self.layers[number];
            let input = self.normed(&state, &layer.attention_norm, trained)?;
            let attended = self.attend(layer, &input, mask.as_ref(), adapter)?;
            state = (state + attended)?;
            let input = self.normed(&state, &layer.feed_norm, trained)?;
            let gated = silu(&layer.gate.forward(&input, adapter)?)?;
            let gated = (gated * layer.up.forward(&input, adapter)?)?;
            state = (state + layer.down.forward(&gated, adapter)?)?;
        }
        Ok(state)
    }

    /// The part of the last matrix that tells these tokens apart.
    ///
    /// # Errors
    /// A token is none of the vocabulary.
    pub fn output_among(&self, tokens: &[u32]) -> Result<Output> {
        let rows = self.output.index_select(&Tensor::new(tokens, &self.device)?, 0)?;
        Ok(Output(Frozen::new(rows, self.products)?))
    }

    /// The logits of some tokens, in their order, from states after the last layer.
    ///
    /// # Errors
    /// The computation failed.
    pub fn logits_among(&self, state: &Tensor, output: &Output) -> Result<Tensor> {
        output.0.forward(&self.normed(state, &self.norm, true)?)
    }

    /// How likely every token of the vocabulary is to follow these, as logits.
    ///
    /// # Errors
    /// A token is none of the vocabulary.
    pub fn logits_after(&self, tokens: &[u32], adapter: Option<&Adapter>) -> Result<Vec<f32>> {
        let ids = Tensor::new(tokens, &self.device)?.unsqueeze(0)?;
        let state = self.layers(0..self.layers.len(), self.embed(&ids)?, adapter)?;
        let last = state.get(0)?.narrow(0, tokens.len().saturating_sub(1), 1)?;
        let all: Vec<u32> = (0..self.shape.vocabulary as u32).collect();
        self.logits_among(&last, &self.output_among(&all)?)?.flatten_all()?.to_vec1()
    }

    fn normed(&self, state: &Tensor, weight: &Tensor, trained: bool) -> Result<Tensor> {
        let norm = if trained { rms_norm_slow } else { rms_norm };
        norm(state, weight, self.shape.epsilon)
    }

    fn attend(
        &self,
        layer: &Layer,
        input: &Tensor,
        mask: Option<&Tensor>,
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        let (batch, length, _) = input.dims3()?;
        let Shape { heads, key_heads, head_width, .. } = self.shape;
        let split = |tensor: Tensor, heads: usize| {
            tensor.reshape((batch, length, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let trained = adapter.is_some();
        let query = self.turn(&split(layer.query.forward(input, adapter)?, heads)?, trained)?;
        let key = self.turn(&split(layer.key.forward(input, adapter)?, key_heads)?, trained)?;
        let value = split(layer.value.forward(input, adapter)?, key_heads)?;
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
        let weights =
            if trained { softmax(&scores, D::Minus1)? } else { softmax_last_dim(&scores)? };
        let attended = weights.matmul(&value)?;
        let attended = attended.reshape((batch, heads, length, head_width))?.transpose(1, 2)?;
        let attended = attended.contiguous()?.reshape((batch, length, heads * head_width))?;
        layer.output.forward(&attended, adapter)
    }

    /// Turns queries and keys by their positions.
    fn turn(&self, heads: &Tensor, trained: bool) -> Result<Tensor> {
        let length = heads.dim(D::Minus2)?;
        let cos = self.cos.narrow(0, 0, length)?;
        let sin = self.sin.narrow(0, 0, length)?;
        let turn = match (self.shape.interleaved, trained) {
            (true, false) => rope_i,
            (true, true) => rope_i_slow,
            (false, false) => rope,
            (false, true) => rope_slow,
        };
        turn(heads, &cos, &sin)
    }
}

pub(super) fn rotations(width: usize, base: f32, device: &Device) -> Result<(Tensor, Tensor)> {
    let frequencies: Vec<f32> =
        (0..width).step_by(2).map(|i| base.powf(-(i as f32) / width as f32)).collect();
    let frequencies = Tensor::new(frequencies.as_slice(), device)?.unsqueeze(0)?;
    let positions: Vec<f32> = (0..CONTEXT_MAX).map(|position| position as f32).collect();
    let positions = Tensor::new(positions.as_slice(), device)?.unsqueeze(1)?;
    let angles = positions.matmul(&frequencies)?;
    Ok((angles.cos()?, angles.sin()?))
}

/// Keeps a token from those after it; a single token has none after it.
fn causal_mask(length: usize, device: &Device) -> Result<Option<Tensor>> {
    if length == 1 {
        return Ok(None);
    }
    let entry = |row: usize, column: usize| if column > row { f32::NEG_INFINITY } else { 0.0 };
    let values: Vec<f32> =
        (0..length).flat_map(|row| (0..length).map(move |column| entry(row, column))).collect();
    Tensor::from_vec(values, (1, 1, length, length), device).map(Some)
}

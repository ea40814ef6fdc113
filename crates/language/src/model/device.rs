//! A decoder of the llama family as callers are read with it on a device, which is a GPU as a rule: weights
//! stay there as the file has them, and so do the keys and values of each call.
//!
//! Several calls are read together, as in [`super::decoder`]: their rows go through every matrix in one
//! product, and only attention keeps them apart.

use std::io::{Read, Seek};

use candle_core::{Device, Result, Tensor, bail};
use candle_nn::ops::{rms_norm, silu, softmax_last_dim};
use candle_nn::rotary_emb::{rope, rope_i};

use super::adapter::{Adapter, Lora};
use super::decoder::Turn;
use super::frozen::{Frozen, Products};
use super::gguf::{Shape, Weights};
use super::transformer::{Layer, rotations};

/// The decoder.
pub struct DeviceDecoder {
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Frozen,
    shape: Shape,
    cos: Tensor,
    sin: Tensor,
    device: Device,
}

impl DeviceDecoder {
    /// Loads a model.
    ///
    /// # Errors
    /// The file is of another architecture, a tensor is missing, or the device has no room for it.
    pub fn load(weights: &mut Weights<impl Read + Seek>, device: &Device) -> Result<Self> {
        let shape = weights.shape()?;
        let table =
            if weights.has("output.weight") { "output.weight" } else { "token_embd.weight" };
        let output = Frozen::quantised(weights.quantised(table, device)?)?;
        let layer = |number| Layer::load(weights, number, (device, Products::Quantised));
        let layers = (0..shape.layers).map(layer).collect::<Result<_>>()?;
        let (cos, sin) = rotations(shape.head_width, shape.turn_base, device)?;
        let embedding = weights.tensor("token_embd.weight", device)?;
        let norm = weights.tensor("output_norm.weight", device)?;
        Ok(Self { embedding, layers, norm, output, shape, cos, sin, device: device.clone() })
    }

    /// The model's measures.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// An adapter, brought to the device.
    ///
    /// # Errors
    /// It has no room there.
    pub fn bring(&self, adapter: &Adapter) -> Result<Adapter> {
        let mut brought = Adapter::default();
        for (layer, part, lora) in adapter.all() {
            let [a, b] = [&lora.a, &lora.b].map(|thin| thin.to_device(&self.device));
            brought.set(layer, part, Lora { a: a?, b: b?, scale: lora.scale });
        }
        Ok(brought)
    }

    /// Reads what is new in some calls; returns the state after the last token of each.
    ///
    /// # Errors
    /// There is nothing to read, it does not fit, or the computation failed.
    pub fn forward(
        &self,
        turns: &mut [Turn<'_>],
        adapter: Option<&Adapter>,
    ) -> Result<Vec<Vec<f32>>> {
        for turn in turns.iter() {
            turn.admit(self.shape.vocabulary)?;
        }
        let tokens: Vec<u32> = turns.iter().flat_map(|turn| turn.tokens).copied().collect();
        let ids = Tensor::new(tokens, &self.device)?;
        let mut state = self.embedding.index_select(&ids, 0)?.unsqueeze(0)?;
        for (number, layer) in self.layers.iter().enumerate() {
            let input = rms_norm(&state, &layer.attention_norm, self.shape.epsilon)?;
            let attended = self.attend(number, &input, turns, adapter)?;
            state = (state + attended)?;
            let input = rms_norm(&state, &layer.feed_norm, self.shape.epsilon)?;
            let gated = silu(&layer.gate.forward(&input, adapter)?)?;
            let gated = (gated * layer.up.forward(&input, adapter)?)?;
            state = (state + layer.down.forward(&gated, adapter)?)?;
        }
        let mut end = 0;
        let mut last = Vec::with_capacity(turns.len());
        for turn in turns.iter_mut() {
            turn.keys.length += turn.tokens.len();
            end += turn.tokens.len();
            last.push(end as u32 - 1);
        }
        let last = state.get(0)?.index_select(&Tensor::new(last, &self.device)?, 0)?;
        let states = rms_norm(&last, &self.norm, self.shape.epsilon)?.to_vec2::<f32>()?;
        if !states.iter().flatten().all(|value| value.is_finite()) {
            bail!("the model's numbers are none");
        }
        Ok(states)
    }

    /// How likely each of these tokens is to follow a state of [`Self::forward`], as logits.
    ///
    /// # Errors
    /// The computation failed, or a token is none of the vocabulary.
    pub fn logits(&self, state: &[f32], tokens: &[u32]) -> Result<Vec<f32>> {
        let state = Tensor::new(state, &self.device)?.unsqueeze(0)?;
        let all = self.output.forward(&state)?.flatten_all()?.to_vec1::<f32>()?;
        let of = |token: &u32| all.get(*token as usize).copied();
        let Some(some) = tokens.iter().map(of).collect() else {
            bail!("a token is none of the vocabulary")
        };
        Ok(some)
    }

    /// Lets every row look at those of its call up to itself.
    fn attend(
        &self,
        number: usize,
        input: &Tensor,
        turns: &mut [Turn<'_>],
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        let layer = &self.layers[number];
        let query = layer.query.forward(input, adapter)?;
        let key = layer.key.forward(input, adapter)?;
        let value = layer.value.forward(input, adapter)?;
        let (mut from, mut attended) = (0, Vec::with_capacity(turns.len()));
        for turn in turns.iter_mut() {
            let rows = |all: &Tensor| all.narrow(1, from, turn.tokens.len());
            let [query, key, value] = [&query, &key, &value].map(rows);
            attended.push(self.look(number, [query?, key?, value?], turn)?);
            from += turn.tokens.len();
        }
        layer.output.forward(&Tensor::cat(&attended, 1)?, adapter)
    }

    /// One call's attention.
    fn look(&self, number: usize, rows: [Tensor; 3], turn: &mut Turn<'_>) -> Result<Tensor> {
        let Shape { heads, key_heads, head_width, .. } = self.shape;
        let (before, new) = (turn.keys.length, turn.tokens.len());
        let [query, key, value] = rows;
        let split = |rows: &Tensor, heads: usize| {
            rows.reshape((1, new, heads, head_width))?.transpose(1, 2)?.contiguous()
        };
        let query = self.turned(&split(&query, heads)?, before)?;
        let key = self.turned(&split(&key, key_heads)?, before)?;
        let value = split(&value, key_heads)?;
        let (key, value) = match turn.keys.on_device.get(number) {
            Some((keys, values)) => {
                (Tensor::cat(&[keys, &key], 2)?, Tensor::cat(&[values, &value], 2)?)
            }
            None => (key, value),
        };
        // Several query heads share a key head: they are rows of one product.
        let group = heads / key_heads;
        let total = before + new;
        let query = query.reshape((1, key_heads, group * new, head_width))?;
        let scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)?
            * (1.0 / (head_width as f64).sqrt()))?;
        let scores = scores.reshape((1, heads, new, total))?;
        let scores = scores.broadcast_add(&self.mask(before, new)?)?;
        let weights = softmax_last_dim(&scores.reshape((1, key_heads, group * new, total))?)?;
        let attended = weights.matmul(&value)?.reshape((1, heads, new, head_width))?;
        let attended = attended.transpose(1, 2)?.contiguous()?;
        match turn.keys.on_device.get_mut(number) {
            Some(kept) => *kept = (key, value),
            None => turn.keys.on_device.push((key, value)),
        }
        attended.reshape((1, new, heads * head_width))
    }

    /// Turns heads by their tokens' places.
    fn turned(&self, heads: &Tensor, from: usize) -> Result<Tensor> {
        let length = heads.dim(2)?;
        let (cos, sin) = (self.cos.narrow(0, from, length)?, self.sin.narrow(0, from, length)?);
        let turn = if self.shape.interleaved { rope_i } else { rope };
        turn(heads, &cos, &sin)
    }

    /// Keeps a token from those after it.
    fn mask(&self, before: usize, new: usize) -> Result<Tensor> {
        let entry = |row: usize, column: usize| {
            if column > before + row { f32::NEG_INFINITY } else { 0.0 }
        };
        let rows = (0..new).flat_map(|row| (0..before + new).map(move |column| entry(row, column)));
        Tensor::from_vec(rows.collect::<Vec<f32>>(), (1, 1, new, before + new), &self.device)
    }
}

//! A small encoder of the BERT family: words in, one state for all of them out. Composed of operations
//! that gradients pass through, because its last layers are trained in this form.
//!
//! It writes nothing, so one pass over its layers, a twentieth of the language model's weights, tells what
//! an utterance is about.

use std::collections::HashMap;

use candle_core::{D, Device, Result, Tensor, bail};
use candle_nn::ops::{layer_norm_slow, softmax};
use candle_nn::{Linear, Module};

/// Tensors by their names in the file.
pub type Tensors = HashMap<String, Tensor>;

/// Heads of a layer; the file does not say.
const HEADS: usize = 12;
/// Layers that are looked for; the largest of the family has 24.
const LAYERS_MAX: usize = 64;
/// Added to a variance, as in the network's configuration.
const EPSILON: f32 = 1e-12;
/// What keeps a place that is only filled up from being looked at.
const NOWHERE: f32 = -1e9;

/// An utterance in the network's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Words and parts of words.
    pub words: Vec<u32>,
    /// 0 for the question, 1 for what was said.
    pub parts: Vec<u32>,
}

/// The network.
pub struct Encoder {
    words: Tensor,
    places: Tensor,
    parts: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

struct Norm {
    weight: Tensor,
    bias: Tensor,
}

/// The name of one of a layer's tensors.
fn of_layer(layer: usize, name: &str) -> String {
    format!("encoder.layer.{layer}.{name}")
}

/// The names of the tensors of the last layers, in an order that is always the same.
pub fn last_layers(tensors: &Tensors, layers: usize) -> Vec<String> {
    let all = (0..LAYERS_MAX).take_while(|number| has_layer(tensors, *number)).count();
    let mut names: Vec<String> = tensors.keys().cloned().collect();
    let first = all.saturating_sub(layers);
    names.retain(|name| (first..all).any(|layer| name.starts_with(&of_layer(layer, ""))));
    names.sort();
    names
}

fn has_layer(tensors: &Tensors, number: usize) -> bool {
    tensors.contains_key(&of_layer(number, "output.dense.weight"))
}

/// The matrix of this name, (outputs, inputs), and what is added to its product.
///
/// # Errors
/// It is not among the tensors.
pub fn linear(tensors: &Tensors, name: &str) -> Result<Linear> {
    let (weight, bias) = pair(tensors, name)?;
    Ok(Linear::new(weight, Some(bias)))
}

impl Norm {
    fn of(tensors: &Tensors, name: &str) -> Result<Self> {
        let (weight, bias) = pair(tensors, name)?;
        Ok(Self { weight, bias })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        layer_norm_slow(input, &self.weight, &self.bias, EPSILON)
    }
}

fn pair(tensors: &Tensors, name: &str) -> Result<(Tensor, Tensor)> {
    let of = |kind: &str| named(tensors, &format!("{name}.{kind}"));
    Ok((of("weight")?, of("bias")?))
}

fn named(tensors: &Tensors, name: &str) -> Result<Tensor> {
    match tensors.get(name) {
        Some(tensor) => Ok(tensor.clone()),
        None => bail!("there is no {name}"),
    }
}

impl Layer {
    fn of(tensors: &Tensors, number: usize) -> Result<Self> {
        let linear = |name: &str| linear(tensors, &of_layer(number, name));
        let norm = |name: &str| Norm::of(tensors, &of_layer(number, name));
        Ok(Self {
            query: linear("attention.self.query")?,
            key: linear("attention.self.key")?,
            value: linear("attention.self.value")?,
            output: linear("attention.output.dense")?,
            attention_norm: norm("attention.output.LayerNorm")?,
            widen: linear("intermediate.dense")?,
            narrow: linear("output.dense")?,
            norm: norm("output.LayerNorm")?,
        })
    }

    fn forward(&self, state: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = state.dims3()?;
        let heads = |tensor: Tensor| {
            tensor.reshape((batch, length, HEADS, ()))?.transpose(1, 2)?.contiguous()
        };
        let query = heads(self.query.forward(state)?)?;
        let key = heads(self.key.forward(state)?)?;
        let value = heads(self.value.forward(state)?)?;
        let scale = ((width / HEADS) as f64).sqrt().recip();
        let scores = (query.matmul(&key.transpose(2, 3)?)? * scale)?.broadcast_add(mask)?;
        let attended = softmax(&scores, D::Minus1)?.matmul(&value)?;
        let attended = attended.transpose(1, 2)?.contiguous()?.reshape((batch, length, width))?;
        let state = self.attention_norm.forward(&(state + self.output.forward(&attended)?)?)?;
        let wide = self.widen.forward(&state)?.gelu_erf()?;
        self.norm.forward(&(&state + self.narrow.forward(&wide)?)?)
    }
}

impl Encoder {
    /// The network of these tensors.
    ///
    /// # Errors
    /// One is missing.
    pub fn new(tensors: &Tensors) -> Result<Self> {
        let of = |name: &str| named(tensors, &format!("embeddings.{name}.weight"));
        let layers = (0..LAYERS_MAX).take_while(|number| has_layer(tensors, *number));
        let layers = layers.map(|number| Layer::of(tensors, number));
        Ok(Self {
            words: of("word_embeddings")?,
            places: of("position_embeddings")?,
            parts: of("token_type_embeddings")?,
            norm: Norm::of(tensors, "embeddings.LayerNorm")?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// The mean state of each utterance's tokens: (utterances, width).
    ///
    /// # Errors
    /// There is nothing to read, it is too long, or a token is none of the vocabulary.
    pub fn forward(&self, utterances: &[&Tokens]) -> Result<Tensor> {
        let length = utterances.iter().map(|tokens| tokens.words.len()).max().unwrap_or_default();
        if length == 0 || length > self.places.dim(0)? {
            bail!("{length} tokens cannot be read");
        }
        let device = self.words.device();
        let filled = |row: &[u32]| {
            row.iter().copied().chain(std::iter::repeat(0)).take(length).collect::<Vec<_>>()
        };
        let words: Vec<u32> = utterances.iter().flat_map(|tokens| filled(&tokens.words)).collect();
        let parts: Vec<u32> = utterances.iter().flat_map(|tokens| filled(&tokens.parts)).collect();
        let there = utterances.iter().flat_map(|tokens| {
            let read = tokens.words.len();
            (0..length).map(move |place| if place < read { 1.0_f32 } else { 0.0 })
        });
        let there: Vec<f32> = there.collect();
        let shape = (utterances.len(), length);
        let embedded = |table: &Tensor, ids: Vec<u32>| {
            table.index_select(&Tensor::new(ids, device)?, 0)?.reshape((shape.0, length, ()))
        };
        let places = self.places.narrow(0, 0, length)?.unsqueeze(0)?;
        let state = (embedded(&self.words, words)? + embedded(&self.parts, parts)?)?;
        let mut state = self.norm.forward(&state.broadcast_add(&places)?)?;
        let there = Tensor::from_vec(there, shape, device)?;
        let mask = ((1.0 - &there)? * f64::from(NOWHERE))?.unsqueeze(1)?.unsqueeze(1)?;
        for layer in &self.layers {
            state = layer.forward(&state, &mask)?;
        }
        let counts = there.sum_keepdim(1)?;
        state.broadcast_mul(&there.unsqueeze(2)?)?.sum(1)?.broadcast_div(&counts)
    }
}

/// Reads tensors of a file's bytes, in 32 bits.
///
/// # Errors
/// The bytes are no such file.
pub fn tensors(bytes: &[u8]) -> Result<Tensors> {
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
    let wide = tensors.into_iter().map(|(name, tensor)| {
        let numbers = tensor.dtype().is_float();
        Ok((name, if numbers { tensor.to_dtype(candle_core::DType::F32)? } else { tensor }))
    });
    wide.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of one layer with numbers that look random and are the same every time.
    fn tiny() -> Tensors {
        const WIDTH: usize = 24;
        let shapes: Vec<(&str, Vec<usize>)> = vec![
            ("embeddings.word_embeddings.weight", vec![20, WIDTH]),
            ("embeddings.position_embeddings.weight", vec![16, WIDTH]),
            ("embeddings.token_type_embeddings.weight", vec![2, WIDTH]),
            ("embeddings.LayerNorm.weight", vec![WIDTH]),
            ("embeddings.LayerNorm.bias", vec![WIDTH]),
            ("encoder.layer.0.attention.self.query.weight", vec![WIDTH, WIDTH]),
            ("encoder.layer.0.attention.self.query.bias", vec![WIDTH]),
            ("encoder.layer.0.attention.self.key.weight", vec![WIDTH, WIDTH]),
            ("encoder.layer.0.attention.self.key.bias", vec![WIDTH]),
            ("encoder.layer.0.attention.self.value.weight", vec![WIDTH, WIDTH]),
            ("encoder.layer.0.attention.self.value.bias", vec![WIDTH]),
            ("encoder.layer.0.attention.output.dense.weight", vec![WIDTH, WIDTH]),
            ("encoder.layer.0.attention.output.dense.bias", vec![WIDTH]),
            ("encoder.layer.0.attention.output.LayerNorm.weight", vec![WIDTH]),
            ("encoder.layer.0.attention.output.LayerNorm.bias", vec![WIDTH]),
            ("encoder.layer.0.intermediate.dense.weight", vec![2 * WIDTH, WIDTH]),
            ("encoder.layer.0.intermediate.dense.bias", vec![2 * WIDTH]),
            ("encoder.layer.0.output.dense.weight", vec![WIDTH, 2 * WIDTH]),
            ("encoder.layer.0.output.dense.bias", vec![WIDTH]),
            ("encoder.layer.0.output.LayerNorm.weight", vec![WIDTH]),
            ("encoder.layer.0.output.LayerNorm.bias", vec![WIDTH]),
        ];
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let tensors = shapes.into_iter().map(|(name, shape)| {
            let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
            (name.to_owned(), Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor"))
        });
        tensors.collect()
    }

    fn tokens(words: &[u32]) -> Tokens {
        Tokens { words: words.to_vec(), parts: vec![0; words.len()] }
    }

    #[test]
    fn an_utterance_is_the_same_alone_and_beside_a_longer_one() {
        let encoder = Encoder::new(&tiny()).expect("a network");
        let (short, long) = (tokens(&[1, 7, 3]), tokens(&[2, 5, 9, 9, 4, 1, 8]));
        let state = |utterances: &[&Tokens], row: usize| -> Vec<f32> {
            let states = encoder.forward(utterances).expect("read");
            states.get(row).and_then(|row| row.to_vec1()).expect("numbers")
        };
        let (alone, beside) = (state(&[&short], 0), state(&[&long, &short], 1));
        let apart = alone.iter().zip(&beside).map(|(one, other)| (one - other).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-5, "{alone:?} {beside:?}");
        assert_ne!(state(&[&tokens(&[7, 1, 3])], 0), alone, "order counts");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let encoder = Encoder::new(&tiny()).expect("a network");
        assert!(encoder.forward(&[]).is_err());
        assert!(encoder.forward(&[&tokens(&[1; 17])]).is_err(), "longer than there are places");
        assert!(encoder.forward(&[&tokens(&[99])]).is_err(), "no such word");
        let mut damaged = tiny();
        damaged.remove("encoder.layer.0.output.LayerNorm.bias");
        assert!(Encoder::new(&damaged).is_err());
        assert!(tensors(b"no such file").is_err());
    }

    #[test]
    fn the_last_layers_are_found_by_their_names() {
        assert_eq!(last_layers(&tiny(), 1).len(), 16);
        assert!(last_layers(&tiny(), 0).is_empty());
    }
}

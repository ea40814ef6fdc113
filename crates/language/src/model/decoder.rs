//! A decoder of the llama family as callers are read with it: packed weights, a few rows at a time, on
//! the processor.
//!
//! It is written out instead of composed of a library's operations, because with so few rows these take
//! longer to be begun than to be computed. Several calls are read together: their rows go through every
//! matrix in one product, and only attention keeps them apart.

use std::io::{Read, Seek};
use std::sync::Arc;

use candle_core::{Device, Result, Tensor, bail};
use rayon::prelude::*;

use super::adapter::{Adapter, Part};
use super::gguf::{CONTEXT_MAX, Shape, Weights};
use super::packed::{Packed, Rows};

/// Numbers that are added up side by side.
const LANES: usize = 16;

/// Keys and values of the tokens read so far.
#[derive(Debug, Clone, Default)]
pub struct KeyValues {
    /// By layer; each token's behind those of the token before it.
    layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// The same where a device computes ([`super::device`]).
    pub(super) on_device: Vec<(Tensor, Tensor)>,
    pub(super) length: usize,
}

/// What is read in one call.
pub struct Turn<'a> {
    /// The tokens behind those that the keys stand for.
    pub tokens: &'a [u32],
    /// What was read before; what is read now is added.
    pub keys: &'a mut KeyValues,
}

impl Turn<'_> {
    /// Whether it can be read.
    pub(super) fn admit(&self, vocabulary: usize) -> Result<()> {
        let (new, before) = (self.tokens.len(), self.keys.length);
        if new == 0 || before + new > CONTEXT_MAX {
            bail!("{new} tokens after {before} do not fit");
        }
        if self.tokens.iter().any(|token| *token as usize >= vocabulary) {
            bail!("a token is none of the vocabulary");
        }
        Ok(())
    }
}

/// The decoder.
pub struct Decoder {
    embedding: Arc<Packed>,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    output: Arc<Packed>,
    shape: Shape,
}

struct Layer {
    attention_norm: Vec<f32>,
    feed_norm: Vec<f32>,
    /// In the order of [`Part::ALL`].
    parts: [Matrix; 7],
}

struct Matrix {
    weight: Packed,
    bias: Option<Vec<f32>>,
}

/// An adapter in the form that the decoder adds.
#[derive(Debug, Clone, Default)]
pub struct Added {
    layers: Vec<[Option<Thin>; 7]>,
}

#[derive(Debug, Clone)]
struct Thin {
    rank: usize,
    scale: f32,
    /// (rank, inputs)
    a: Vec<f32>,
    /// (outputs, rank)
    b: Vec<f32>,
}

impl Added {
    /// Prepares an adapter.
    ///
    /// # Errors
    /// Its numbers cannot be read.
    pub fn new(adapter: &Adapter, layers: usize) -> Result<Self> {
        let mut added = Self { layers: vec![const { [const { None }; 7] }; layers] };
        for (layer, part, lora) in adapter.all() {
            let Some(parts) = added.layers.get_mut(layer) else {
                bail!("there is no layer {layer}")
            };
            parts[part as usize] = Some(Thin {
                rank: lora.a.dim(0)?,
                scale: lora.scale as f32,
                a: numbers(&lora.a)?,
                b: numbers(&lora.b)?,
            });
        }
        Ok(added)
    }

    fn of(&self, layer: usize, part: Part) -> Option<&Thin> {
        self.layers.get(layer)?[part as usize].as_ref()
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

impl Thin {
    fn add(&self, input: &[f32], output: &mut [f32]) {
        let inputs = self.a.len() / self.rank;
        let outputs = self.b.len() / self.rank;
        let rows = output.par_chunks_mut(outputs).zip(input.par_chunks(inputs));
        rows.for_each(|(output, input)| {
            let thin: Vec<f32> =
                self.a.chunks(inputs).map(|row| self.scale * dot(row, input)).collect();
            for (output, row) in output.iter_mut().zip(self.b.chunks(self.rank)) {
                *output += dot(row, &thin);
            }
        });
    }
}

impl Matrix {
    fn load(weights: &mut Weights<impl Read + Seek>, layer: usize, part: Part) -> Result<Self> {
        let (weight, bias) = weights.packed_part(layer, part)?;
        let bias = bias.map(|bias| numbers(&bias)).transpose()?;
        Ok(Self { weight, bias })
    }

    fn forward(&self, rows: &Rows) -> Vec<f32> {
        let mut output = self.weight.product(rows);
        if let Some(bias) = &self.bias {
            for row in output.chunks_mut(bias.len()) {
                add(row, bias);
            }
        }
        output
    }
}

impl Layer {
    fn load(weights: &mut Weights<impl Read + Seek>, number: usize) -> Result<Self> {
        let mut norm = |name: &str| {
            numbers(&weights.tensor(&format!("blk.{number}.{name}.weight"), &Device::Cpu)?)
        };
        let (attention_norm, feed_norm) = (norm("attn_norm")?, norm("ffn_norm")?);
        let mut part = |part| Matrix::load(weights, number, part);
        let [query, key, value] = [part(Part::Query)?, part(Part::Key)?, part(Part::Value)?];
        let [output, gate] = [part(Part::Output)?, part(Part::Gate)?];
        let [up, down] = [part(Part::Up)?, part(Part::Down)?];
        let parts = [query, key, value, output, gate, up, down];
        Ok(Self { attention_norm, feed_norm, parts })
    }
}

impl Decoder {
    /// Loads a model and packs it.
    ///
    /// # Errors
    /// The file is of another architecture, or a tensor is missing.
    pub fn load(weights: &mut Weights<impl Read + Seek>) -> Result<Self> {
        let shape = weights.shape()?;
        let embedding = Arc::new(weights.packed("token_embd.weight")?);
        let output = "output.weight";
        let output = if weights.has(output) {
            Arc::new(weights.packed(output)?)
        } else {
            Arc::clone(&embedding)
        };
        let layers = (0..shape.layers).map(|number| Layer::load(weights, number));
        let layers = layers.collect::<Result<_>>()?;
        let norm = numbers(&weights.tensor("output_norm.weight", &Device::Cpu)?)?;
        Ok(Self { embedding, layers, norm, output, shape })
    }

    /// The model's measures.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Reads what is new in some calls; returns the state after the last token of each.
    ///
    /// # Errors
    /// There is nothing to read, it does not fit, or a token is none of the vocabulary.
    pub fn forward(&self, turns: &mut [Turn<'_>], added: Option<&Added>) -> Result<Vec<Vec<f32>>> {
        for turn in turns.iter_mut() {
            turn.admit(self.shape.vocabulary)?;
            turn.keys.layers.resize_with(self.layers.len(), Default::default);
        }
        let tokens = turns.iter().flat_map(|turn| turn.tokens);
        let mut state: Vec<f32> =
            tokens.flat_map(|token| self.embedding.unpacked(*token as usize)).collect();
        let angles = self.angles(turns);
        for number in 0..self.layers.len() {
            self.layer(number, &mut state, turns, &angles, added);
        }
        // A product in eight bits would take what is no number for nothing, and go on.
        if !state.iter().all(|value| value.is_finite()) {
            bail!("the model's numbers are none");
        }
        let width = self.norm.len();
        let mut end = 0;
        let states = turns.iter_mut().map(|turn| {
            turn.keys.length += turn.tokens.len();
            end += turn.tokens.len();
            self.normed(&state[(end - 1) * width..end * width], &self.norm)
        });
        Ok(states.collect())
    }

    /// How likely each of these tokens is to follow a state of [`Self::forward`], as logits.
    pub fn logits(&self, state: &[f32], tokens: &[u32]) -> Vec<f32> {
        self.output.some(&Rows::new(state, self.norm.len()), tokens)
    }

    fn layer(
        &self,
        number: usize,
        state: &mut [f32],
        turns: &mut [Turn<'_>],
        angles: &[(f32, f32)],
        added: Option<&Added>,
    ) {
        let layer = &self.layers[number];
        let of = |input: &[f32], rows: &Rows, part: Part| {
            let mut output = layer.parts[part as usize].forward(rows);
            if let Some(thin) = added.and_then(|added| added.of(number, part)) {
                thin.add(input, &mut output);
            }
            output
        };
        let width = self.norm.len();
        let input = self.normed(state, &layer.attention_norm);
        // An input is brought to eight bits once for several matrices.
        let rows = Rows::new(&input, width);
        let mut query = of(&input, &rows, Part::Query);
        let mut key = of(&input, &rows, Part::Key);
        let value = of(&input, &rows, Part::Value);
        self.rotate(&mut query, self.shape.heads, angles);
        self.rotate(&mut key, self.shape.key_heads, angles);
        let attended = self.attend(number, &query, &key, &value, turns);
        let inner = self.shape.heads * self.shape.head_width;
        add(state, &of(&attended, &Rows::new(&attended, inner), Part::Output));
        let input = self.normed(state, &layer.feed_norm);
        let rows = Rows::new(&input, width);
        let (mut gate, up) = (of(&input, &rows, Part::Gate), of(&input, &rows, Part::Up));
        let feed = layer.parts[Part::Gate as usize].weight.dims().0;
        gate.par_chunks_mut(feed).zip(up.par_chunks(feed)).for_each(|(gate, up)| {
            for (gate, up) in gate.iter_mut().zip(up) {
                *gate = *gate / (1.0 + exponential(-*gate)) * up;
            }
        });
        add(state, &of(&gate, &Rows::new(&gate, feed), Part::Down));
    }

    fn normed(&self, state: &[f32], weight: &[f32]) -> Vec<f32> {
        let mut normed = Vec::with_capacity(state.len());
        for row in state.chunks(weight.len()) {
            let mean = dot(row, row) / row.len() as f32;
            let scale = 1.0 / (mean + self.shape.epsilon).sqrt();
            normed.extend(row.iter().zip(weight).map(|(value, weight)| value * scale * weight));
        }
        normed
    }

    /// By how much each token's pairs of numbers are turned: sine and cosine.
    fn angles(&self, turns: &[Turn<'_>]) -> Vec<(f32, f32)> {
        let width = self.shape.head_width;
        let frequencies: Vec<f32> = (0..width / 2)
            .map(|pair| self.shape.turn_base.powf(-2.0 * pair as f32 / width as f32))
            .collect();
        let places =
            turns.iter().flat_map(|turn| turn.keys.length..turn.keys.length + turn.tokens.len());
        let of = |place: usize| {
            frequencies.iter().map(move |frequency| (place as f32 * frequency).sin_cos())
        };
        places.flat_map(of).collect()
    }

    /// Turns heads by their tokens' places.
    fn rotate(&self, rows: &mut [f32], heads: usize, angles: &[(f32, f32)]) {
        let width = self.shape.head_width;
        let half = width / 2;
        for (row, angles) in rows.chunks_mut(heads * width).zip(angles.chunks(half)) {
            for head in row.chunks_mut(width) {
                for (pair, (sin, cos)) in angles.iter().enumerate() {
                    let (first, second) = if self.shape.interleaved {
                        (2 * pair, 2 * pair + 1)
                    } else {
                        (pair, pair + half)
                    };
                    let (x, y) = (head[first], head[second]);
                    head[first] = x * cos - y * sin;
                    head[second] = y * cos + x * sin;
                }
            }
        }
    }

    /// Adds the keys and values, and lets every row look at those of its call up to itself.
    fn attend(
        &self,
        number: usize,
        query: &[f32],
        key: &[f32],
        value: &[f32],
        turns: &mut [Turn<'_>],
    ) -> Vec<f32> {
        let kept = self.shape.key_heads * self.shape.head_width;
        let mut from = 0;
        // For each row its call and how many tokens it sees.
        let mut seen = Vec::new();
        for (call, Turn { tokens, keys }) in turns.iter_mut().enumerate() {
            let to = from + tokens.len() * kept;
            let (keys_before, values_before) = &mut keys.layers[number];
            keys_before.extend_from_slice(&key[from..to]);
            values_before.extend_from_slice(&value[from..to]);
            seen.extend((1..=tokens.len()).map(|token| (call, keys.length + token)));
            from = to;
        }
        let turns = &*turns;
        let width = self.shape.heads * self.shape.head_width;
        let mut attended = vec![0.0; query.len()];
        let rows = attended.par_chunks_mut(width).zip(query.par_chunks(width)).zip(&seen);
        rows.for_each(|((attended, query), (call, seen))| {
            let (keys, values) = &turns[*call].keys.layers[number];
            self.look(query, &keys[..seen * kept], &values[..seen * kept], attended);
        });
        attended
    }

    /// One row's attention.
    fn look(&self, query: &[f32], keys: &[f32], values: &[f32], attended: &mut [f32]) {
        let Shape { heads, key_heads, head_width, .. } = self.shape;
        let kept = key_heads * head_width;
        let scale = 1.0 / (head_width as f32).sqrt();
        let pairs = query.chunks(head_width).zip(attended.chunks_mut(head_width));
        for (head, (query, attended)) in pairs.enumerate() {
            let at = head / (heads / key_heads) * head_width;
            let mut weights: Vec<f32> = keys
                .chunks(kept)
                .map(|key| scale * dot(query, &key[at..at + head_width]))
                .collect();
            let most = weights.iter().fold(f32::NEG_INFINITY, |most, weight| most.max(*weight));
            for weight in &mut weights {
                *weight = exponential(*weight - most);
            }
            let sum: f32 = weights.iter().sum();
            for (weight, value) in weights.iter().zip(values.chunks(kept)) {
                let share = weight / sum;
                for (attended, value) in attended.iter_mut().zip(&value[at..at + head_width]) {
                    *attended += share * value;
                }
            }
        }
    }
}

fn add(to: &mut [f32], what: &[f32]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what;
    }
}

/// The sum of the products, in lanes, as the processor adds.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] = one[lane].mul_add(other[lane], sums[lane]);
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

/// e to this power, to seven digits: a polynomial, of which the processor computes eight at a time,
/// between -87 and 87, where the result is a number.
fn exponential(power: f32) -> f32 {
    const TERMS: [f32; 6] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let power = power.clamp(-87.0, 87.0);
    let twos = (power * std::f32::consts::LOG2_E).round();
    // The natural logarithm of two in two parts, so that nothing is lost.
    let rest = twos.mul_add(-0.693_359_4, power);
    let rest = twos.mul_add(2.121_944_4e-4, rest);
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum.mul_add(rest, *term);
    }
    sum.mul_add(rest, 1.0) * f32::from_bits(((twos as i32 + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_one() {
        for step in -400..400 {
            let power = step as f32 * 0.2;
            let exact = power.exp();
            assert!((exponential(power) - exact).abs() / exact < 1e-6, "{power}");
        }
        assert!(exponential(-1000.0) < 1e-37);
    }

    #[test]
    fn products_are_added_up_whatever_their_number() {
        for length in [0, 1, 15, 16, 17, 64, 100] {
            let one: Vec<f32> = (0..length).map(|n| n as f32).collect();
            let exact = (0..length).map(|n| (n * n) as f32).sum::<f32>();
            assert!((dot(&one, &one) - exact).abs() < 1e-3 * exact.max(1.0));
        }
    }
}

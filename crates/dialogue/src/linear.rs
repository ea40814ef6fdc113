//! A reader that learned from examples: a linear model over words, word pairs and letter groups.
//!
//! It stands beside the lexicons, which know what we thought of; it also hears what is only hinted
//! at. Small enough to be part of the program, fast enough for every turn, and the same on every
//! machine: its weights are whole numbers, made by one command from labelled utterances.

use crate::words;

/// Feature slots; a power of two. More keep features apart that would share one.
pub const SLOTS: usize = 1 << 16;
/// Bytes of bias and scale before them.
const HEAD: usize = 8;
/// Letters in a group.
const LETTERS: usize = 4;
/// Passes over the examples.
const PASSES: usize = 14;
/// First step of the descent; it shrinks per slot (Adagrad).
const STEP: f32 = 0.5;

/// A trained reader.
#[derive(Debug, Clone)]
pub struct LinearModel {
    bias: f32,
    scale: f32,
    weights: Vec<i8>,
}

/// A file that is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the model's file has the wrong length")]
pub struct NotAModel;

/// The slots of an utterance's features, each once.
pub fn features(text: &str) -> Vec<u32> {
    let words = words::split(text);
    let mut slots: Vec<u32> = Vec::new();
    let mut add = |kind: &str, parts: &[&str]| slots.push(slot(kind, parts));
    for word in &words {
        add("w", &[word]);
    }
    for pair in words.windows(2) {
        add("p", &[&pair[0], &pair[1]]);
    }
    let joined = format!(" {} ", words.join(" "));
    let letters: Vec<char> = joined.chars().collect();
    for group in letters.windows(LETTERS) {
        let group: String = group.iter().collect();
        add("l", &[&group]);
    }
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// FNV-1a: short, and the same everywhere.
fn slot(kind: &str, parts: &[&str]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut eat = |byte: u8| hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    for part in std::iter::once(&kind).chain(parts) {
        part.bytes().for_each(&mut eat);
        eat(0);
    }
    (hash ^ (hash >> 16)) % SLOTS as u32
}

/// Long utterances have more features; their sum is brought to the same measure.
fn measure(slots: &[u32]) -> f32 {
    1.0 / (slots.len() as f32 + 1.0).sqrt()
}

fn logistic(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

impl LinearModel {
    /// Reads a model's bytes: bias and scale as little-endian floats, then one byte for each slot.
    ///
    /// # Errors
    /// The length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAModel> {
        let (head, weights) = bytes.split_at_checked(HEAD).ok_or(NotAModel)?;
        let float = |bytes: &[u8]| bytes.try_into().map(f32::from_le_bytes).map_err(|_| NotAModel);
        if weights.len() != SLOTS {
            return Err(NotAModel);
        }
        Ok(Self {
            bias: float(&head[..4])?,
            scale: float(&head[4..])?,
            weights: weights.iter().map(|byte| byte.cast_signed()).collect(),
        })
    }

    /// Reads models that lie one behind the other.
    ///
    /// # Errors
    /// One of them has the wrong length.
    pub fn all_from_bytes(bytes: &[u8]) -> Result<Vec<Self>, NotAModel> {
        bytes.chunks(SLOTS + HEAD).map(Self::from_bytes).collect()
    }

    /// The model's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = self.bias.to_le_bytes().into_iter().chain(self.scale.to_le_bytes());
        head.chain(self.weights.iter().map(|weight| weight.cast_unsigned())).collect()
    }

    /// How likely the utterance is what the model was trained to find, 0 to 1.
    pub fn probability(&self, text: &str) -> f32 {
        self.of_features(&features(text))
    }

    /// The same for features that were taken before.
    pub fn of_features(&self, slots: &[u32]) -> f32 {
        let sum: f32 = slots.iter().map(|slot| f32::from(self.weights[*slot as usize])).sum();
        logistic(sum * self.scale * measure(slots) + self.bias)
    }

    /// Learns to tell the examples that are meant from the others. The same examples in the same
    /// order give the same model.
    pub fn train(examples: &[(Vec<u32>, bool)], seed: u64) -> Self {
        let mut weights = vec![0.0_f32; SLOTS];
        let mut grown = vec![1e-8_f32; SLOTS];
        let (mut bias, mut bias_grown) = (0.0_f32, 1e-8_f32);
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut state = seed | 1;
        for _ in 0..PASSES {
            shuffle(&mut order, &mut state);
            for (slots, meant) in order.iter().map(|at| &examples[*at]) {
                let measure = measure(slots);
                let sum: f32 = slots.iter().map(|slot| weights[*slot as usize]).sum();
                let error = logistic(sum * measure + bias) - f32::from(u8::from(*meant));
                let gradient = error * measure;
                for slot in slots {
                    let at = *slot as usize;
                    grown[at] += gradient * gradient;
                    weights[at] -= STEP * gradient / grown[at].sqrt();
                }
                bias_grown += error * error;
                bias -= STEP * error / bias_grown.sqrt();
            }
        }
        let most = weights.iter().fold(f32::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
        let scale = most / f32::from(i8::MAX);
        let weights = weights.iter().map(|weight| (weight / scale).round() as i8).collect();
        Self { bias, scale, weights }
    }
}

/// A linear congruential shuffle: good enough to mix, and it needs nothing.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = (*state >> 33) as usize % (last + 1);
        order.swap(last, pick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_and_survives_its_file() {
        let examples = [
            ("my chest hurts and I sweat", true),
            ("there is a weight on my chest", true),
            ("chest pressure since this morning", true),
            ("book a chest x ray for me", false),
            ("where do I park", false),
            ("Tuesday morning please", false),
        ];
        let examples: Vec<(Vec<u32>, bool)> =
            examples.iter().map(|(text, meant)| (features(text), *meant)).collect();
        let model = LinearModel::train(&examples, 7);
        assert!(model.probability("a heavy weight on the chest") > 0.5);
        assert!(model.probability("Wednesday morning please") < 0.3);
        let again = LinearModel::from_bytes(&model.to_bytes()).expect("a model");
        assert_eq!(again.to_bytes(), model.to_bytes());
        assert_eq!(LinearModel::train(&examples, 7).to_bytes(), model.to_bytes());
        assert_eq!(LinearModel::from_bytes(&[0; 9]).map(|_| ()), Err(NotAModel));
    }
}

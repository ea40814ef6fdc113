//! An adapter for the language model is learned from lines of labels.

use std::collections::BTreeSet;

use candle_core::{DType, Device, Result, Tensor};
use radline_language::model::adapter::{Adapter, Lora, Part};
use radline_language::model::transformer::{Output, Transformer};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::example::Example;
use crate::loss::mean_loss;
use crate::optimizer::Trained;
use crate::plan::Plan;
use crate::run::{Lesson, Run};

/// An example, and where what the untrained layers make of it begins.
struct Prepared {
    example: Example,
    state_at: usize,
}

/// Lines of labels, and the model that is to write them.
pub struct Lines<'a> {
    base: &'a Transformer,
    examples: Vec<Prepared>,
    /// What the untrained layers make of all tokens, one example behind the other: one piece of
    /// memory, because thousands of pieces among those that a step needs for a moment leave it full
    /// of holes, which took ten times as much.
    states: Vec<f32>,
    /// The tokens that lines are made of, in order: only these are told apart, which is all that a
    /// grammar leaves, and a fraction of the work.
    vocabulary: Vec<u32>,
    output: Output,
    /// Which weights belong where, two to a part.
    places: Vec<(usize, Part)>,
}

/// A run that learns an adapter.
pub type Trainer<'a> = Run<Lines<'a>>;

impl<'a> Trainer<'a> {
    /// A run that has not begun. What the untrained layers make of the examples is computed here;
    /// `told` is called with the number of examples that are done. `others` are tokens that no line holds
    /// and that are told apart from theirs all the same, because they may be written.
    ///
    /// # Errors
    /// The computation failed.
    pub fn new(
        base: &'a Transformer,
        plan: Plan,
        examples: Vec<Example>,
        others: &[u32],
        mut told: impl FnMut(usize),
    ) -> Result<Self> {
        let mut prepared = Vec::with_capacity(examples.len());
        let tokens: usize = examples.iter().map(|example| example.tokens.len()).sum();
        let mut states = Vec::with_capacity(tokens * base.shape().width());
        let first = base.shape().layers.saturating_sub(plan.layers);
        let mut order: Vec<Example> = examples;
        order.sort_by_key(|example| example.tokens.len());
        for batch in order.chunks(plan.batch) {
            let ids = padded(batch.iter().map(|example| &example.tokens), base.device())?;
            let state = base.layers(0..first, base.embed(&ids)?, None)?.detach();
            for (row, example) in batch.iter().enumerate() {
                prepared.push(Prepared { example: example.clone(), state_at: states.len() });
                let state = state.get(row)?.narrow(0, 0, example.tokens.len())?;
                states.extend(state.flatten_all()?.to_vec1::<f32>()?);
            }
            told(prepared.len());
        }
        let places = places(base, &plan);
        let weights = first_weights(base, &plan, &places)?;
        let written = prepared.iter().flat_map(|one| &one.example.tokens[one.example.line_at..]);
        let vocabulary: BTreeSet<u32> = written.chain(others).copied().collect();
        let vocabulary: Vec<u32> = vocabulary.into_iter().collect();
        let output = base.output_among(&vocabulary)?;
        let lines = Lines { base, examples: prepared, states, vocabulary, output, places };
        Ok(Self::begin(lines, plan, weights))
    }

    /// The adapter as far as it is trained.
    pub fn adapter(&self) -> Adapter {
        self.lesson.adapter(&self.weights, &self.plan)
    }
}

impl Lines<'_> {
    fn adapter(&self, weights: &[Trained], plan: &Plan) -> Adapter {
        let mut adapter = Adapter::default();
        for ((layer, part), pair) in self.places.iter().zip(weights.chunks(2)) {
            let scale = plan.alpha / plan.rank as f64;
            let (a, b) = (pair[0].weight.as_tensor().clone(), pair[1].weight.as_tensor().clone());
            adapter.set(*layer, *part, Lora { a, b, scale });
        }
        adapter
    }
}

impl Lesson for Lines<'_> {
    fn examples(&self) -> usize {
        self.examples.len()
    }

    fn length(&self, example: usize) -> usize {
        self.examples[example].example.tokens.len()
    }

    /// Mean loss over the tokens of the lines.
    fn loss(&self, batch: &[usize], weights: &[Trained], plan: &Plan) -> Result<Tensor> {
        let adapter = self.adapter(weights, plan);
        let device = self.base.device();
        let chosen: Vec<&Prepared> = batch.iter().map(|at| &self.examples[*at]).collect();
        let longest = chosen.iter().map(|one| one.example.tokens.len()).max().unwrap_or_default();
        let width = self.base.shape().width();
        let mut states = Vec::with_capacity(chosen.len() * longest * width);
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        for (sequence, one) in chosen.iter().enumerate() {
            let tokens = &one.example.tokens;
            states.extend_from_slice(&self.states[one.state_at..][..tokens.len() * width]);
            states.resize((sequence + 1) * longest * width, 0.0);
            for (at, token) in tokens.iter().enumerate().skip(one.example.line_at) {
                // The state at a token foretells the next one.
                rows.push((sequence * longest + at - 1) as u32);
                // Each of them was put there from these very examples.
                let place = self.vocabulary.binary_search(token).unwrap_or_default();
                targets.push(place as u32);
            }
        }
        let layers = self.base.shape().layers;
        let first = layers.saturating_sub(plan.layers);
        let state = Tensor::from_vec(states, (chosen.len(), longest, width), device)?;
        let state = self.base.layers(first..layers, state, Some(&adapter))?;
        let rows = Tensor::new(rows, device)?;
        let state = state.reshape(((), width))?.index_select(&rows, 0)?;
        mean_loss(&self.base.logits_among(&state, &self.output)?, &targets)
    }
}

/// Tokens of several sequences, the shorter ones filled up behind their end, where nothing looks.
fn padded<'a>(sequences: impl Iterator<Item = &'a Vec<u32>>, device: &Device) -> Result<Tensor> {
    let sequences: Vec<&Vec<u32>> = sequences.collect();
    let longest = sequences.iter().map(|tokens| tokens.len()).max().unwrap_or_default();
    let filled = sequences.iter().flat_map(|tokens| {
        tokens.iter().copied().chain(std::iter::repeat_n(0, longest - tokens.len()))
    });
    let filled: Vec<u32> = filled.collect();
    Tensor::from_vec(filled, (sequences.len(), longest), device)
}

/// What is trained: the plan's parts of the last layers.
fn places(base: &Transformer, plan: &Plan) -> Vec<(usize, Part)> {
    let layers = base.shape().layers;
    let trained = layers.saturating_sub(plan.layers)..layers;
    trained.flat_map(|layer| plan.parts.list().iter().map(move |part| (layer, *part))).collect()
}

/// Two for each place. The first is random and the second nothing, so that the adapter begins by
/// adding nothing.
fn first_weights(
    base: &Transformer,
    plan: &Plan,
    places: &[(usize, Part)],
) -> Result<Vec<Trained>> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut weights = Vec::with_capacity(2 * places.len());
    for (layer, part) in places {
        let (outputs, inputs) = base.measures(*layer, *part)?;
        // As PEFT does: Kaiming's uniform range for √5.
        let range = 1.0 / (inputs as f32).sqrt();
        let values: Vec<f32> =
            (0..plan.rank * inputs).map(|_| random.random_range(-range..range)).collect();
        let a = Tensor::from_vec(values, (plan.rank, inputs), base.device())?;
        let b = Tensor::zeros((outputs, plan.rank), DType::F32, base.device())?;
        weights.extend([Trained::new(&a)?, Trained::new(&b)?]);
    }
    Ok(weights)
}

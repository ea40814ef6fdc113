//! The run: batches in a seeded order, a step after each, until the plan is done.

use std::collections::BTreeSet;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use radline_language::model::adapter::{Adapter, Lora, Part};
use radline_language::model::transformer::{Output, Transformer};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::example::Example;
use crate::loss::mean_loss;
use crate::optimizer::{self, Gradients, Trained};
use crate::plan::Plan;
use crate::{TrainingError, checkpoint};

/// Examples of like length stand together in a batch; so many batches are sorted at a time, so that
/// the order stays random.
const SORTED_BATCHES: usize = 16;

/// What a step did.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean loss of the step's batches, nats for a token.
    pub loss: f64,
    /// The rate of learning.
    pub rate: f64,
    /// Length of the gradient before it was shortened.
    pub gradient: f64,
}

/// An example, and where what the untrained layers make of it begins.
struct Prepared {
    example: Example,
    state_at: usize,
}

/// A run.
pub struct Trainer<'a> {
    base: &'a Transformer,
    plan: Plan,
    examples: Vec<Prepared>,
    /// What the untrained layers make of all tokens, one example behind the other: one piece of
    /// memory, because thousands of pieces among those that a step needs for a moment leave it full
    /// of holes, which took ten times as much.
    states: Vec<f32>,
    /// The tokens that lines are made of, in order: only these are told apart, which is all that a
    /// grammar leaves, and a fraction of the work.
    vocabulary: Vec<u32>,
    output: Output,
    weights: Vec<Trained>,
    /// Which weights belong where, two to a part.
    places: Vec<(usize, Part)>,
    steps_done: usize,
}

impl<'a> Trainer<'a> {
    /// A run that has not begun. What the untrained layers make of the examples is computed here;
    /// `told` is called with the number of examples that are done.
    ///
    /// # Errors
    /// The computation failed.
    pub fn new(
        base: &'a Transformer,
        plan: Plan,
        examples: Vec<Example>,
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
        let vocabulary: Vec<u32> = written.copied().collect::<BTreeSet<_>>().into_iter().collect();
        let output = base.output_among(&vocabulary)?;
        Ok(Self {
            base,
            plan,
            examples: prepared,
            states,
            vocabulary,
            output,
            weights,
            places,
            steps_done: 0,
        })
    }

    /// Writes where the run is.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep(&self, folder: &Path) -> std::result::Result<(), TrainingError> {
        checkpoint::save(&self.weights, &self.plan, self.steps_done, self.examples.len(), folder)
    }

    /// Takes the run up where it was left, if it was. Returns the steps that are done.
    ///
    /// # Errors
    /// The folder holds another run, or is damaged.
    pub fn take_up(&mut self, folder: &Path) -> std::result::Result<usize, TrainingError> {
        let examples = self.examples.len();
        self.steps_done = checkpoint::restore(&mut self.weights, &self.plan, examples, folder)?;
        Ok(self.steps_done)
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        let batches = self.examples.len().div_ceil(self.plan.batch);
        self.plan.passes * batches.div_ceil(self.plan.accumulated)
    }

    /// The adapter as far as it is trained.
    ///
    /// # Errors
    /// The computation failed.
    pub fn adapter(&self) -> Adapter {
        let mut adapter = Adapter::default();
        for ((layer, part), pair) in self.places.iter().zip(self.weights.chunks(2)) {
            let scale = self.plan.alpha / self.plan.rank as f64;
            let (a, b) = (pair[0].weight.as_tensor().clone(), pair[1].weight.as_tensor().clone());
            adapter.set(*layer, *part, Lora { a, b, scale });
        }
        adapter
    }

    /// Runs to the end, or until `goes_on` says no. It is told of every step.
    ///
    /// # Errors
    /// The computation failed.
    pub fn run(&mut self, mut goes_on: impl FnMut(&Self, Progress) -> bool) -> Result<()> {
        let steps = self.steps();
        let in_a_pass = steps / self.plan.passes.max(1);
        while self.steps_done < steps {
            let pass = self.steps_done / in_a_pass;
            let batches = self.batches(pass as u64);
            let begun = self.steps_done % in_a_pass;
            for group in batches.chunks(self.plan.accumulated).skip(begun) {
                let progress = self.step(group, steps)?;
                if !goes_on(self, progress) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One step over a group of batches.
    fn step(&mut self, group: &[Vec<usize>], steps: usize) -> Result<Progress> {
        let mut gradients = Gradients::default();
        let mut loss_sum = 0.0;
        let share = 1.0 / group.len() as f64;
        let adapter = self.adapter();
        for batch in group {
            let loss = self.loss(batch, &adapter)?;
            loss_sum += f64::from(loss.to_scalar::<f32>()?) * share;
            gradients.add(&self.weights, &loss.backward()?, share)?;
        }
        let rate = self.plan.rate_at(self.steps_done, steps);
        self.steps_done += 1;
        let Plan { decay, gradient_max, .. } = self.plan;
        let gradient = optimizer::step(
            &mut self.weights,
            &gradients,
            self.steps_done,
            rate,
            decay,
            gradient_max,
        )?;
        Ok(Progress { step: self.steps_done, steps, loss: loss_sum, rate, gradient })
    }

    /// Mean loss over the tokens of the lines.
    fn loss(&self, batch: &[usize], adapter: &Adapter) -> Result<Tensor> {
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
        let first = layers.saturating_sub(self.plan.layers);
        let state = Tensor::from_vec(states, (chosen.len(), longest, width), device)?;
        let state = self.base.layers(first..layers, state, Some(adapter))?;
        let rows = Tensor::new(rows, device)?;
        let state = state.reshape(((), width))?.index_select(&rows, 0)?;
        mean_loss(&self.base.logits_among(&state, &self.output)?, &targets)
    }

    /// The batches of a pass, in its order.
    fn batches(&self, pass: u64) -> Vec<Vec<usize>> {
        let mut random = StdRng::seed_from_u64(self.plan.seed.wrapping_add(pass << 32));
        let mut order: Vec<usize> = (0..self.examples.len()).collect();
        order.shuffle(&mut random);
        for stretch in order.chunks_mut(SORTED_BATCHES * self.plan.batch) {
            stretch.sort_by_key(|at| self.examples[*at].example.tokens.len());
        }
        let mut batches: Vec<Vec<usize>> =
            order.chunks(self.plan.batch).map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut random);
        batches
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

/// What is trained: every part of the last layers.
fn places(base: &Transformer, plan: &Plan) -> Vec<(usize, Part)> {
    let layers = base.shape().layers;
    let trained = layers.saturating_sub(plan.layers)..layers;
    trained.flat_map(|layer| Part::ALL.map(|part| (layer, part))).collect()
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

//! The run: batches in a seeded order, a step after each, until the plan is done.

use std::path::Path;

use candle_core::{Result, Tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::optimizer::{self, Gradients, Trained};
use crate::plan::Plan;
use crate::{TrainingError, checkpoint};

/// Examples of like length stand together in a batch; so many batches are sorted at a time, so that
/// the order stays random.
const SORTED_BATCHES: usize = 16;

/// What is learned from, and how far off some weights are.
pub trait Lesson {
    /// How many examples there are.
    fn examples(&self) -> usize;

    /// How long one is, tokens.
    fn length(&self, example: usize) -> usize;

    /// Mean loss of a batch with these weights, through which gradients pass.
    ///
    /// # Errors
    /// The computation failed.
    fn loss(&self, batch: &[usize], weights: &[Trained], plan: &Plan) -> Result<Tensor>;
}

/// What a step did.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean loss of the step's batches, nats.
    pub loss: f64,
    /// The rate of learning.
    pub rate: f64,
    /// Length of the gradient before it was shortened.
    pub gradient: f64,
}

/// A run.
pub struct Run<L> {
    pub(crate) lesson: L,
    pub(crate) plan: Plan,
    pub(crate) weights: Vec<Trained>,
    steps_done: usize,
}

impl<L: Lesson> Run<L> {
    /// A run that has not begun, with its first weights.
    pub(crate) const fn begin(lesson: L, plan: Plan, weights: Vec<Trained>) -> Self {
        Self { lesson, plan, weights, steps_done: 0 }
    }

    /// Writes where the run is.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep(&self, folder: &Path) -> std::result::Result<(), TrainingError> {
        let examples = self.lesson.examples();
        checkpoint::save(&self.weights, &self.plan, self.steps_done, examples, folder)
    }

    /// Takes the run up where it was left, if it was. Returns the steps that are done.
    ///
    /// # Errors
    /// The folder holds another run, or is damaged.
    pub fn take_up(&mut self, folder: &Path) -> std::result::Result<usize, TrainingError> {
        let examples = self.lesson.examples();
        self.steps_done = checkpoint::restore(&mut self.weights, &self.plan, examples, folder)?;
        Ok(self.steps_done)
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        let batches = self.lesson.examples().div_ceil(self.plan.batch);
        self.plan.passes * batches.div_ceil(self.plan.accumulated)
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
        for batch in group {
            let loss = self.lesson.loss(batch, &self.weights, &self.plan)?;
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

    /// The batches of a pass, in its order.
    fn batches(&self, pass: u64) -> Vec<Vec<usize>> {
        let mut random = StdRng::seed_from_u64(self.plan.seed.wrapping_add(pass << 32));
        let mut order: Vec<usize> = (0..self.lesson.examples()).collect();
        order.shuffle(&mut random);
        for stretch in order.chunks_mut(SORTED_BATCHES * self.plan.batch) {
            stretch.sort_by_key(|at| self.lesson.length(*at));
        }
        let mut batches: Vec<Vec<usize>> =
            order.chunks(self.plan.batch).map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut random);
        batches
    }
}

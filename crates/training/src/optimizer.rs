//! AdamW (Loshchilov and Hutter, 2019), with moments that can be kept and taken up again.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// Decay of the first and the second moment.
const MOMENTS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// A weight with its moments.
#[derive(Debug)]
pub struct Trained {
    /// The weight.
    pub weight: Var,
    /// Mean of the gradients.
    pub first: Tensor,
    /// Mean of their squares.
    pub second: Tensor,
}

impl Trained {
    /// A weight that has seen no gradient yet.
    ///
    /// # Errors
    /// The computation failed.
    pub fn new(weight: &Tensor) -> Result<Self> {
        let (first, second) = (weight.zeros_like()?, weight.zeros_like()?);
        Ok(Self { weight: Var::from_tensor(weight)?, first, second })
    }
}

/// Adds up gradients, by the order of the weights.
#[derive(Debug, Default)]
pub struct Gradients(Vec<Option<Tensor>>);

impl Gradients {
    /// Adds those of one batch, each multiplied with `share`.
    ///
    /// # Errors
    /// The computation failed.
    pub fn add(&mut self, weights: &[Trained], batch: &GradStore, share: f64) -> Result<()> {
        self.0.resize(weights.len(), None);
        for (sum, trained) in self.0.iter_mut().zip(weights) {
            let Some(gradient) = batch.get(&trained.weight) else { continue };
            let gradient = (gradient.detach() * share)?;
            *sum = Some(match sum.take() {
                Some(before) => (before + gradient)?,
                None => gradient,
            });
        }
        Ok(())
    }

    /// Their length, all together.
    ///
    /// # Errors
    /// The computation failed.
    pub fn length(&self) -> Result<f64> {
        let mut squares = 0.0;
        for gradient in self.0.iter().flatten() {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        Ok(squares.sqrt())
    }
}

/// One step. `number` counts from 1.
///
/// # Errors
/// The computation failed.
pub fn step(
    weights: &mut [Trained],
    gradients: &Gradients,
    number: usize,
    rate: f64,
    decay: f64,
    longest: f64,
) -> Result<f64> {
    let length = gradients.length()?;
    let shortened = if length > longest { longest / length } else { 1.0 };
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    let (first_bias, second_bias) = (1.0 - MOMENTS.0.powi(number), 1.0 - MOMENTS.1.powi(number));
    for (trained, gradient) in weights.iter_mut().zip(&gradients.0) {
        let Some(gradient) = gradient else { continue };
        let gradient = (gradient * shortened)?;
        trained.first = ((&trained.first * MOMENTS.0)? + (&gradient * (1.0 - MOMENTS.0))?)?;
        trained.second = ((&trained.second * MOMENTS.1)? + (gradient.sqr()? * (1.0 - MOMENTS.1))?)?;
        let first = (&trained.first / first_bias)?;
        let second = (&trained.second / second_bias)?;
        let change = (first / (second.sqrt()? + EPSILON)?)?;
        let kept = (trained.weight.as_tensor() * rate.mul_add(-decay, 1.0))?;
        trained.weight.set(&(kept - (change * rate)?)?)?;
    }
    Ok(length)
}

//! How to train.

use radline_language::model::adapter::Part;

/// Which matrices of a layer are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// All seven.
    #[default]
    All,
    /// Queries and values, as the first adapters of this kind had.
    QueryValue,
    /// Those of attention: queries, keys, values, and what is behind it.
    Attention,
}

impl Parts {
    /// The matrices.
    pub const fn list(self) -> &'static [Part] {
        match self {
            Self::All => &Part::ALL,
            Self::QueryValue => &[Part::Query, Part::Value],
            Self::Attention => &[Part::Query, Part::Key, Part::Value, Part::Output],
        }
    }
}

/// Everything that a run depends on besides its data: the same plan on the same data gives the same
/// adapter.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// Layers that are trained, counted from the end.
    pub layers: usize,
    /// Which of their matrices.
    #[serde(default)]
    pub parts: Parts,
    /// Width of the thin matrices.
    pub rank: usize,
    /// What their product is multiplied with, times the rank.
    pub alpha: f64,
    /// Passes over the data.
    pub passes: usize,
    /// Utterances that are computed together.
    pub batch: usize,
    /// Batches whose gradients are added up for one step.
    pub accumulated: usize,
    /// The highest rate of learning; it falls to nothing in a line.
    pub rate: f64,
    /// Share of the steps in which the rate rises.
    pub warm_up: f64,
    /// Longest gradient; longer ones are shortened to it.
    pub gradient_max: f64,
    /// Decay of the weights.
    pub decay: f64,
    /// Seed of the first weights and of the order.
    pub seed: u64,
}

impl Default for Plan {
    /// The plan of the adapter that is part of the program.
    fn default() -> Self {
        Self {
            layers: 12,
            parts: Parts::All,
            rank: 16,
            alpha: 32.0,
            passes: 2,
            batch: 16,
            accumulated: 1,
            rate: 5e-4,
            warm_up: 0.05,
            gradient_max: 1.0,
            decay: 0.01,
            seed: 1,
        }
    }
}

impl Plan {
    /// The rate of a step, out of so many.
    pub fn rate_at(&self, step: usize, steps: usize) -> f64 {
        let rising = (steps as f64 * self.warm_up).max(1.0);
        let risen = (step as f64 + 1.0) / rising;
        let left = (steps - step) as f64 / steps as f64;
        self.rate * risen.min(1.0) * left
    }
}

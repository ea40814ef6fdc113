//! Weights: what is needed, where it comes from, whether it is there.

pub mod cache;
pub mod fetch;
pub mod manifest;

pub use cache::{Cache, FileState};
pub use fetch::{fetch, index};
pub use manifest::{Manifest, Model, Profile};

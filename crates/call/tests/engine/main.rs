//! The engine in virtual time: 20 ms a step, audio by its probability of speech alone.

mod draft;
mod person;
mod turns;
mod world;

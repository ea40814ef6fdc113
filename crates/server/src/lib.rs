//! The radline binary: configuration, wiring, the call driver and the model workers.

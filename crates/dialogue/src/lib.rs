//! Scenarios as data, slots, red flags, screening rules, and the dialogue state machine.

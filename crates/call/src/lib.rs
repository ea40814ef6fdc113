//! The sans-IO call engine: endpointing, turns, barge-in, playout, timers, the call record.

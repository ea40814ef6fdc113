//! What was worked out before it counts. The type keeps it from counting too early: its value
//! comes out only against a [`TurnOver`], and only the end of a turn makes one.

use std::time::Duration;

/// The end of the caller's turn. Whoever holds it may let words count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnOver {
    at: Duration,
}

impl TurnOver {
    /// The turn ended at `at`, since the call began.
    pub(crate) const fn at(at: Duration) -> Self {
        Self { at }
    }

    /// When.
    pub const fn when(self) -> Duration {
        self.at
    }
}

/// A value that has no effect yet. It can be worked on, and dropped at any time.
#[derive(Debug)]
pub struct Speculative<T>(T);

impl<T> Speculative<T> {
    /// Nothing has happened yet.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Looks at it.
    pub const fn peek(&self) -> &T {
        &self.0
    }

    /// Goes on working on it. `T` itself must offer nothing here that has an effect.
    pub const fn work(&mut self) -> &mut T {
        &mut self.0
    }

    /// From here on it counts.
    pub fn commit(self, _: TurnOver) -> T {
        self.0
    }
}

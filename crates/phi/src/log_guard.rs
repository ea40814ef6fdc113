//! A log layer that remembers when a watched word was about to be logged.
//!
//! Tests install it, play a call whose words they know, and ask for [`LogGuard::leaks`]. It
//! looks into messages, fields and span names at every level, because a leak in a trace that
//! only appears in production is still a leak.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

/// Watches everything that is logged through it for words that must not be there.
#[derive(Clone, Default)]
pub struct LogGuard {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Lower-cased words, names and numbers that no log line may contain.
    watched: Vec<String>,
    /// Lines that contained one, for the failure message of the test.
    leaks: Vec<String>,
    lines: usize,
}

impl LogGuard {
    /// A guard with nothing to watch yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds something a caller said or is. Pieces shorter than four characters are ignored:
    /// they occur in ordinary log text.
    pub fn watch(&self, text: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() >= 4 {
            state.watched.push(text.to_lowercase());
        }
    }

    /// The log lines that contained a watched text.
    pub fn leaks(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).leaks.clone()
    }

    /// How many lines and spans were inspected; a guard that saw nothing proves nothing.
    pub fn lines(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lines
    }

    fn inspect(&self, line: &str) {
        let lower = line.to_lowercase();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines += 1;
        if state.watched.iter().any(|watched| holds(&lower, watched)) {
            state.leaks.push(line.to_owned());
        }
    }
}

/// Whether the line holds the text. A number has to stand by itself: the addresses and random names
/// in a log hold every short number sooner or later.
fn holds(line: &str, text: &str) -> bool {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let apart = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
    line.match_indices(text).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + text.len()..]);
        !number || apart(before.chars().next_back()) && apart(after.chars().next())
    })
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String cannot fail.
        write!(self.0, " {}={value:?}", field.name()).unwrap_or_default();
    }
}

impl Subscriber for LogGuard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The SIP stack logs whole messages; the program keeps its log off whatever is asked for.
        !metadata.target().starts_with("rsipstack")
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        self.inspect(&line.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.inspect(&line.0);
    }

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.inspect(&line.0);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaked_name_is_caught() {
        let guard = LogGuard::new();
        guard.watch("Okafor");
        tracing::subscriber::with_default(guard.clone(), || {
            tracing::info!(target: "radline_test", "call answered");
            assert!(guard.leaks().is_empty());
            tracing::debug!(target: "radline_test", caller = "amara okafor", "identity");
        });
        assert_eq!(guard.leaks().len(), 1);
    }

    #[test]
    fn a_number_inside_an_address_is_no_year_of_birth() {
        let guard = LogGuard::new();
        guard.watch("1967");
        tracing::subscriber::with_default(guard.clone(), || {
            tracing::info!(target: "radline_test", "a value at 0x7f984c1967f0");
            assert!(guard.leaks().is_empty());
            tracing::info!(target: "radline_test", born = "3/19/1967");
        });
        assert_eq!(guard.leaks().len(), 1);
    }
}

//! Health data as a type that no log can print.
//!
//! [`Phi`] wraps a caller's words, name, date of birth, number or anything derived from them.
//! `Debug` prints a mark instead of the value, there is no `Display`, and serialisation has to
//! be asked for field by field with `#[serde(with = "radline_phi::stored")]`, which is meant
//! for the store and the wire to the hospital, never for a log.

use std::fmt;

pub mod log_guard;
pub mod stored;

/// A value that identifies a person or says something about their health.
///
/// Reading it takes the word `expose`, so that a reviewer can find every place that does.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for speaking, storing or comparing. Never for logging.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// Derives another value that is health data too.
    pub fn map<U>(&self, derive: impl FnOnce(&T) -> U) -> Phi<U> {
        Phi(derive(&self.0))
    }
}

impl<T> From<T> for Phi<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Phi<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[phi]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_a_mark_even_inside_other_types() {
        let name = Some(Phi::<String>::from("Amara Okafor"));
        assert_eq!(format!("{name:?}"), "Some([phi])");
    }

    #[test]
    fn stored_round_trips() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Row {
            #[serde(with = "stored")]
            name: Phi<String>,
        }
        let json = serde_json::to_string(&Row { name: "Li Wei".into() }).expect("serialises");
        let row: Row = serde_json::from_str(&json).expect("deserialises");
        assert_eq!(row.name.expose(), "Li Wei");
    }
}

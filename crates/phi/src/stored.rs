//! Opt-in serialisation of health data: for the store and for output that was asked for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Phi;

/// Writes the exposed value.
pub fn serialize<T: Serialize, S: Serializer>(
    value: &Phi<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.expose().serialize(serializer)
}

/// Reads a value and wraps it.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Phi<T>, D::Error> {
    T::deserialize(deserializer).map(Phi::new)
}

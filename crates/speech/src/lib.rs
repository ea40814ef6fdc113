//! Voice activity, transcription and synthesis behind small synchronous traits.

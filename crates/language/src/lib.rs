//! Words to typed understanding, dialogue moves to wording.

//! The event log and the embedded clinic in SQLite; recordings on disk.

//! Lines on standard output. A reader that went away is not an error of ours.

use std::io::{self, ErrorKind, Write};

/// Writes a line.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let result = writeln!(output, "{text}").and_then(|()| output.flush());
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

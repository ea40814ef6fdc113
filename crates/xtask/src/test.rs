//! `cargo xtask test`: set up, check, test.

use anyhow::Result;

use crate::{packages, python, server, shell, tidy};

/// Installs what is missing, then formatting, structure, lints, models and tests.
pub(crate) fn run() -> Result<()> {
    packages::ensure(packages::BUILD)?;
    packages::ensure(packages::TESTS)?;
    python::ensure()?;
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    shell::run(&mut shell::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    // The end-to-end tests run the built programs on real models.
    server::set_up()?;
    // A failed test says what went wrong; the way there through the test harness only hides it.
    shell::run(shell::cargo(&["test", "--workspace"]).env("RUST_LIB_BACKTRACE", "0"))
}

//! `cargo xtask test`: set up, check, test.

use anyhow::Result;

use crate::{packages, shell, tidy};

/// Installs what is missing, then formatting, structure, lints and tests.
pub(crate) fn run() -> Result<()> {
    packages::ensure(packages::BUILD)?;
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
    shell::run(&mut shell::cargo(&["test", "--workspace"]))
}

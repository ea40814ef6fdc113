//! The interpreter for the clients in Python that the end-to-end tests run: packages of fixed versions,
//! kept beside the models.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{server, shell};

/// What the clients import.
const PACKAGES: &[&str] =
    &["grpcio==1.85.1", "grpcio-tools==1.85.1", "playwright==1.65.2", "axe-core-python==0.1.0"];

/// Installs what is missing.
pub(crate) fn ensure() -> Result<()> {
    if std::env::var_os("RADLINE_PYTHON").is_some() {
        return Ok(());
    }
    let folder = folder()?;
    let marker = folder.join("radline-packages.txt");
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing the packages of the tests' clients in Python");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = folder.join("bin/pip");
    shell::run(Command::new(pip).args(["install", "--quiet"]).args(PACKAGES))?;
    std::fs::write(&marker, wanted).with_context(|| marker.display().to_string())
}

fn folder() -> Result<PathBuf> {
    Ok(server::models_folder()?.with_file_name("python"))
}

//! Native packages: installed where we may, named where we may not.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

/// What the build needs: whisper.cpp wants cmake and libclang, espeak-ng libsonic.
pub(crate) const BUILD: &[&str] = &["cmake", "g++", "libclang-dev", "libsonic-dev", "pkg-config"];

/// What the end-to-end tests' clients need besides: a browser, and Python with virtual environments.
pub(crate) const TESTS: &[&str] = &["chromium", "python3-venv"];

/// Makes sure that all of `packages` are there, by apt as root, by sudo without a question,
/// or not at all.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root = shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let sudo =
        !root && Command::new("sudo").args(["-n", "true"]).status().is_ok_and(|s| s.success());
    let line = format!("apt-get update && apt-get install -y {}", missing.join(" "));
    if !root && !sudo {
        bail!(
            "these packages are missing: {}\nrun this as an administrator, then try again:\n\n  {line}\n",
            missing.join(" ")
        );
    }
    println!("installing {}", missing.join(" "));
    let mut command = if sudo { Command::new("sudo") } else { Command::new("sh") };
    if sudo {
        command.args(["-n", "sh"]);
    }
    command.args(["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive");
    shell::run(&mut command)
}

fn is_installed(package: &str) -> bool {
    shell::output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]))
        .is_ok_and(|status| status.contains("ok installed"))
}

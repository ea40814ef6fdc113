//! `cargo xtask tidy`: the shape of the project as a test. The dependency table below is the one
//! in ARCHITECTURE.md; every file opens by saying what it is, and none grows beyond reading; every
//! dependency is under a licence that `deny.toml` allows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{licences, shell};

/// Crate → the crates of ours it may depend on. Arrows point down only.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("phi", &[]),
    ("audio", &[]),
    ("dialogue", &["phi"]),
    ("call", &["dialogue", "audio", "phi"]),
    ("telephony", &["audio", "phi"]),
    ("speech", &["audio", "phi"]),
    ("language", &["dialogue", "phi"]),
    ("training", &["audio", "dialogue", "language"]),
    // An action and its outcome are one vocabulary; a copy of it would have to be kept equal by hand.
    ("clinic", &["dialogue", "phi"]),
    // The schedule is a database as much as the call record is, and one crate owns SQL.
    ("store", &["call", "dialogue", "clinic", "phi"]),
    // A frame of audio is what a provider and a caller exchange.
    ("bridge", &["call", "dialogue", "store", "audio", "phi"]),
    (
        "server",
        &[
            "phi",
            "audio",
            "dialogue",
            "call",
            "telephony",
            "speech",
            "language",
            "training",
            "clinic",
            "store",
            "bridge",
        ],
    ),
    ("xtask", &[]),
    ("simulator", &["phi", "audio", "dialogue", "call", "language"]),
    (
        "tests",
        &[
            "phi",
            "audio",
            "dialogue",
            "call",
            "telephony",
            "speech",
            "language",
            "clinic",
            "store",
            "bridge",
            "server",
        ],
    ),
];

/// Crates from outside that only these of ours may use directly.
const SOLE_USERS: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("rsipstack", &["telephony"]),
    ("whisper-rs", &["speech"]),
    ("piper-rs", &["speech"]),
    ("ort", &["speech"]),
    // The end-to-end tests have a client of their own.
    ("tonic", &["bridge", "tests"]),
    ("prost", &["bridge"]),
    ("webrtc", &["telephony"]),
    ("rtc", &["telephony"]),
    ("candle-core", &["language", "training"]),
    ("candle-nn", &["language", "training"]),
];

/// Longest source file, lines. Longer ones are split by concern.
const FILE_LINES_MAX: usize = 600;

/// Runs every check and reports all findings at once.
pub(crate) fn run() -> Result<()> {
    let mut findings = dependency_findings()?;
    findings.extend(licences::findings()?);
    for folder in ["crates", "tests"] {
        for file in rust_files(&shell::root().join(folder))? {
            findings.extend(file_findings(&file)?);
        }
    }
    if !findings.is_empty() {
        bail!("tidy found:\n  {}", findings.join("\n  "));
    }
    println!("tidy: nothing to mend");
    Ok(())
}

fn dependency_findings() -> Result<Vec<String>> {
    let metadata =
        shell::output(&mut shell::cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = short(package["name"].as_str().unwrap_or_default());
        let Some(allowed) = allowed.get(name) else {
            findings.push(format!("crate {name} is not in the dependency table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if target.starts_with("radline-") && !allowed.contains(&short(target)) {
                findings.push(format!("{name} must not depend on {}", short(target)));
            }
            let owner = SOLE_USERS.iter().find(|(library, _)| *library == target);
            if let Some((library, owners)) = owner.filter(|(_, owners)| !owners.contains(&name)) {
                let owner = owners.join(" and ");
                findings.push(format!("{name} uses {library}, which belongs to {owner} alone"));
            }
        }
    }
    Ok(findings)
}

fn short(name: &str) -> &str {
    name.strip_prefix("radline-").unwrap_or(name)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn file_findings(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let name = path.strip_prefix(shell::root()).unwrap_or(path).display().to_string();
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        findings.push(format!("{name} does not open by saying what it is (`//! …`)"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(format!("{name} has {lines} lines; split it ({FILE_LINES_MAX} at most)"));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_only_points_down() {
        for (position, (name, targets)) in MAY_DEPEND_ON.iter().enumerate() {
            for target in *targets {
                let place = MAY_DEPEND_ON.iter().position(|(other, _)| other == target);
                assert!(place.is_some_and(|place| place < position), "{name} → {target}");
            }
        }
    }

    #[test]
    fn the_project_is_tidy() {
        run().expect("tidy");
    }
}

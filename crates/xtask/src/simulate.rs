//! `cargo xtask simulate`: calls in virtual time, and the check that the simulator notices bugs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// A bug to be planted: a place in the source, and what it becomes.
struct Bug {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const BUGS: [Bug; 7] = [
    Bug {
        name: "a stale result is applied",
        file: "crates/call/src/engine/hearing.rs",
        from: "self.hearing.as_mut().filter(|hearing| hearing.turn == turn)",
        to: "self.hearing.as_mut().filter(|hearing| hearing.turn <= turn)",
    },
    Bug {
        name: "the rollback of a reopened turn is skipped",
        file: "crates/call/src/engine/overlap.rs",
        from: "self.dialogue = checkpoint.dialogue;",
        to: "drop(checkpoint.dialogue);",
    },
    Bug {
        name: "a queue has no bound",
        file: "crates/call/src/engine/hearing.rs",
        from: "self.keys.len() >= limits::KEYS_MAX",
        to: "self.keys.len() == usize::MAX",
    },
    Bug {
        name: "an answer counts that came before the question was heard",
        file: "crates/call/src/engine/overlap.rs",
        from: "Asking::Afresh => self.playout.heard_enough(),",
        to: "Asking::Afresh => true,",
    },
    Bug {
        name: "words count while the caller is speaking on",
        file: "crates/call/src/engine/hearing.rs",
        from: "silence >= self.patience()",
        to: "silence >= limits::EARLY_TRANSCRIPTION",
    },
    Bug {
        name: "a pause for a sound is never ended",
        file: "crates/call/src/engine/overlap.rs",
        from: "} else {\n            self.playout.go_on();\n        }\n        let paused",
        to: "}\n        let paused",
    },
    Bug {
        name: "a hesitation is never ended",
        file: "crates/call/src/engine/overlap.rs",
        from: "self.has_hesitated();\n            self.playout.go_on();",
        to: "self.has_hesitated();",
    },
];

/// Calls that must be enough to notice a planted bug.
const BUG_CALLS: &str = "600";

/// Simulates calls.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mut command = shell::cargo(&["run", "--quiet", "--package", "radline-simulator", "--"]);
    shell::run(command.args(arguments))
}

/// Plants one bug after the other in a copy of the source; the simulator must notice each.
pub(crate) fn planted() -> Result<()> {
    let copy = shell::root().join("target/planted");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_source(&shell::root(), &copy)?;
    // Without a bug the copy must pass, or the check proves nothing.
    if !simulate(&copy)? {
        bail!("the simulator finds fault with the source as it is");
    }
    for bug in &BUGS {
        let file = copy.join(bug.file);
        let sound = fs::read_to_string(&file)?;
        if !sound.contains(bug.from) {
            bail!("{}: there is no place for the bug \"{}\" any more", bug.file, bug.name);
        }
        fs::write(&file, sound.replace(bug.from, bug.to))?;
        let unnoticed = simulate(&copy)?;
        fs::write(&file, sound)?;
        if unnoticed {
            bail!("the simulator did not notice that {}", bug.name);
        }
        println!("noticed: {}", bug.name);
    }
    Ok(())
}

/// Whether the calls pass. What does not compile is an error, not a bug that was noticed.
fn simulate(copy: &Path) -> Result<bool> {
    let manifest = copy.join("Cargo.toml");
    let manifest = manifest.to_str().context("the folder's name is not text")?;
    // A folder of its own: cargo would take what it built from the copy for what it built from the
    // source. The first build in it takes some minutes.
    let target = shell::root().join("target/planted-build");
    let build = |command: &str| {
        let mut cargo = shell::cargo(&[command, "--quiet", "--manifest-path", manifest]);
        cargo.args(["--package", "radline-simulator"]).env("CARGO_TARGET_DIR", &target);
        cargo
    };
    // Unused code is what a planted bug leaves behind; the warnings tell nobody anything.
    shell::output(&mut build("build"))?;
    let mut run: Command = build("run");
    let output = run.args(["--", "--calls", BUG_CALLS, "--seed", "1"]).output()?;
    Ok(output.status.success())
}

/// What cargo needs of the source.
fn copy_source(from: &Path, to: &Path) -> Result<()> {
    for name in ["Cargo.toml", "Cargo.lock", ".cargo", "crates", "tests", "deploy", "models"] {
        let place = from.join(name);
        if place.is_dir() {
            copy_folder(&place, &to.join(name))?;
        } else {
            fs::create_dir_all(to)?;
            fs::copy(&place, to.join(name)).with_context(|| place.display().to_string())?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_still_has_its_place() {
        for bug in &BUGS {
            let source = fs::read_to_string(shell::root().join(bug.file)).expect("reads");
            assert!(source.contains(bug.from), "{}: {}", bug.file, bug.name);
            assert_ne!(bug.from, bug.to);
        }
    }
}

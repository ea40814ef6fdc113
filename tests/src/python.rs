//! Clients in Python: run with the packages that `cargo xtask test` has installed for them.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::server::{models, root};

/// A client that runs.
pub struct Client {
    child: Child,
    log: BufReader<tokio::process::ChildStderr>,
}

/// The interpreter with the clients' packages.
fn python() -> Result<PathBuf> {
    if let Some(python) = std::env::var_os("RADLINE_PYTHON") {
        return Ok(python.into());
    }
    let models = models()?;
    let python = models.with_file_name("python").join("bin/python");
    ensure!(
        python.exists(),
        "{} is missing: `cargo xtask test` installs it, or set RADLINE_PYTHON",
        python.display()
    );
    Ok(python)
}

impl Client {
    /// Starts a script of this folder.
    pub fn start(script: &str, arguments: &[&str], secrets: &[(&str, &str)]) -> Result<Self> {
        Self::run(Command::new(python()?), script, arguments, secrets)
    }

    /// The same in a network namespace.
    pub fn start_in(
        namespace: &str,
        script: &str,
        arguments: &[&str],
        secrets: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(python()?);
        Self::run(command, script, arguments, secrets)
    }

    fn run(
        mut command: Command,
        script: &str,
        arguments: &[&str],
        secrets: &[(&str, &str)],
    ) -> Result<Self> {
        let mut child = command
            .arg(root().join("tests").join(script))
            .args(arguments)
            .envs(secrets.iter().copied())
            .current_dir(root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let log = BufReader::new(child.stderr.take().context("a pipe")?);
        Ok(Self { child, log })
    }

    /// Waits until it says that it is there.
    pub async fn present(&mut self) -> Result<()> {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            ensure!(self.log.read_line(&mut line).await? > 0, "the client ended:\n{seen}");
            if line.trim() == "present" {
                return Ok(());
            }
            seen.push_str(&line);
        }
    }

    /// Stops it where it stands, as a machine that was cut off from the network: its connections stay
    /// open, and nothing comes from them any more.
    pub async fn freeze(&self) -> Result<()> {
        let id = self.child.id().context("it runs")?.to_string();
        let stopped = Command::new("kill").args(["-STOP", &id]).status().await?;
        ensure!(stopped.success(), "kill failed");
        Ok(())
    }

    /// What it saw, once it is done.
    pub async fn seen(mut self) -> Result<Value> {
        let mut log = String::new();
        let reading = async {
            let mut line = String::new();
            while self.log.read_line(&mut line).await.is_ok_and(|length| length > 0) {
                log.push_str(&line);
                line.clear();
            }
        };
        let (output, ()) = tokio::join!(self.child.wait_with_output(), reading);
        let output = output?;
        ensure!(output.status.success(), "the client failed:\n{log}");
        let text = String::from_utf8(output.stdout)?;
        let last = text.lines().last().context("the client said nothing")?;
        Ok(serde_json::from_str(last)?)
    }
}

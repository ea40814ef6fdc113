//! A built Radline, its models, and a running server, for the demo and the benchmarks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{packages, shell};

/// How long a server may take to load its models and, the first time, to make its fixed sentences.
const READY_SECONDS: u32 = 300;

/// A caller who books a scan.
pub(crate) const BOOKS: &str = "tests/personas/carter.toml";

/// Programs and models.
pub(crate) struct Setup {
    binaries: PathBuf,
    models: PathBuf,
}

/// Installs, builds and fetches what is missing.
pub(crate) fn set_up() -> Result<Setup> {
    packages::ensure(packages::BUILD)?;
    println!("building (the first time takes a while)");
    let build = ["build", "--quiet", "-p", "radline-server", "-p", "radline-tests", "--bins"];
    shell::run(&mut shell::cargo(&build))?;
    let program = std::env::current_exe().context("where is this program?")?;
    let binaries = program.parent().context("a program lies in a folder")?.to_owned();
    let setup = Setup { models: models_folder()?, binaries };
    shell::run(setup.radline(&["models", "fetch", "--profile", "cpu"]))?;
    Ok(setup)
}

/// Where Radline keeps models unless told otherwise.
pub(crate) fn models_folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("RADLINE_MODELS") {
        return Ok(folder.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = cache.or(home).context("HOME is not set; set RADLINE_MODELS to a folder")?;
    Ok(base.join("radline").join("models"))
}

impl Setup {
    /// A `radline` command.
    pub(crate) fn radline(&self, arguments: &[&str]) -> &'static mut Command {
        let mut command = Command::new(self.binaries.join("radline"));
        command.args(arguments).current_dir(shell::root());
        // One per call of a short-lived tool: leaking it keeps the callers to one line.
        Box::leak(Box::new(command))
    }

    /// Runs a `radline` command and returns its lines as JSON.
    pub(crate) fn json_lines(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let text = shell::output(self.radline(arguments))?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Places a call; the conversation is shown or not.
    pub(crate) fn call(&self, sip: SocketAddr, report: &Path, show: bool) -> Result<Value> {
        self.call_with(sip, report, show, BOOKS, &[])
    }

    /// The same with another persona, and more arguments for the caller.
    pub(crate) fn call_with(
        &self,
        sip: SocketAddr,
        report: &Path,
        show: bool,
        persona: &str,
        more: &[&str],
    ) -> Result<Value> {
        let mut command = Command::new(self.binaries.join("caller"));
        command
            .arg(sip.to_string())
            .arg("--models")
            .arg(&self.models)
            .args(["--persona", persona, "--report"])
            .arg(report)
            .args(more)
            .current_dir(shell::root());
        if !show {
            command.stdout(Stdio::null());
        }
        shell::run(&mut command)?;
        let text = std::fs::read_to_string(report).context("the caller's report")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Starts a server with the demo hospital and an empty data folder.
    pub(crate) fn serve(&self, data: &Path) -> Result<Server> {
        let (sip, http) = (free_sip()?, free_http()?);
        let log = std::fs::File::create(data.join("server.log")).context("the server's log")?;
        let mut command = Command::new(self.binaries.join("radline"));
        command
            .args(["serve", "--site", "deploy/sites/demo-hospital", "--data"])
            .arg(data)
            .args(["--sip", &sip.to_string(), "--http", &http.to_string()])
            .current_dir(shell::root())
            .stderr(log);
        let child = command.spawn().context("radline serve")?;
        let mut server = Server { child, sip, http };
        server.wait_until_ready(data)?;
        Ok(server)
    }
}

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    pub(crate) sip: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl Server {
    fn wait_until_ready(&mut self, data: &Path) -> Result<()> {
        for _ in 0..READY_SECONDS * 5 {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
                bail!("radline serve ended ({status}):\n{log}");
            }
            if is_ready(self.http) {
                return Ok(());
            }
            shell::pause(Duration::from_millis(200));
        }
        bail!("radline serve is not ready after {READY_SECONDS} s")
    }

    /// The server's process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the server to end by itself, as on Ctrl-C.
    pub(crate) fn wait(mut self) -> Result<()> {
        self.child.wait()?;
        Ok(())
    }

    /// Asks the server to end and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        shell::run(Command::new("kill").arg(self.child.id().to_string()))?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Too late to report: the command that started it has failed already, or it has ended.
        drop(self.child.kill());
    }
}

fn is_ready(http: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&http, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: radline\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The usual SIP port, or any free one when it is taken.
fn free_sip() -> Result<SocketAddr> {
    let usual = UdpSocket::bind("127.0.0.1:5060");
    let socket = usual.or_else(|_| UdpSocket::bind("127.0.0.1:0"))?;
    Ok(socket.local_addr()?)
}

fn free_http() -> Result<SocketAddr> {
    let usual = TcpListener::bind("127.0.0.1:8080");
    let listener = usual.or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    Ok(listener.local_addr()?)
}

/// A fresh folder beside the build.
pub(crate) fn fresh_folder(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("a program lies in a target folder")?;
    let base = target.join(name);
    for number in 1..10_000 {
        let folder = base.join(format!("run-{number}"));
        if !folder.exists() {
            std::fs::create_dir_all(&folder)?;
            return Ok(folder);
        }
    }
    bail!("{} is full of old runs; delete it", base.display())
}

//! A real `radline` process for end-to-end tests.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Servers with their models that run at once. Calls are mostly waiting, so two do not hinder each other on two
/// cores; more would.
const AT_ONCE: u32 = 2;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE as usize);

/// A place for a test that starts a server, until the value is dropped.
pub async fn place() -> SemaphorePermit<'static> {
    PLACES.acquire().await.expect("nobody closes it")
}

/// All places: for a test whose caller needs models, too.
pub async fn all_places() -> SemaphorePermit<'static> {
    PLACES.acquire_many(AT_ONCE).await.expect("nobody closes it")
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The built program: beside the test programs' folder.
pub fn program() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test lies two folders below the programs")?;
    let program = folder.join("radline");
    if !program.is_file() {
        bail!("{} is not built; run `cargo build --workspace --bins`", program.display());
    }
    Ok(program)
}

/// Says the lines in a call in text, on 2026-11-23 at 10:00, and returns one object per turn. The models
/// are those of `models`, or of the usual folder.
pub async fn talk(data: &Path, models: Option<&Path>, lines: &[&str]) -> Result<Vec<Value>> {
    let mut command = Command::new(program()?);
    command
        .args(["talk", "--text", "--json", "--site", "deploy/sites/demo-hospital"])
        .args(["--at", "2026-11-23T10:00", "--data"])
        .arg(data);
    if let Some(models) = models {
        command.arg("--models").arg(models);
    }
    let mut child = command
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("piped")?;
    input.write_all(lines.join("\n").as_bytes()).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The folder of the models.
pub fn models() -> Result<PathBuf> {
    let cache =
        radline_server::models::Cache::at(std::env::var_os("RADLINE_MODELS").map(PathBuf::from))?;
    Ok(cache.folder().to_owned())
}

/// How often a server is asked whether it is ready …
pub const READY_POLL: Duration = Duration::from_millis(200);
/// … and how many times: the first start makes the fixed sentences.
pub const READY_POLLS: usize = 1500;

/// Free addresses for SIP and HTTP.
pub fn free_addresses() -> Result<(SocketAddr, SocketAddr)> {
    loop {
        // SIP takes the same port on UDP and TCP, and somebody else may have one of them.
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let sip = udp.local_addr()?;
        if TcpListener::bind(sip).is_ok() {
            return Ok((sip, TcpListener::bind("127.0.0.1:0")?.local_addr()?));
        }
    }
}

/// Whether the server takes calls.
pub async fn is_ready(http: SocketAddr) -> bool {
    get(http, "/readyz").await.is_ok_and(|answer| answer.contains(" 200 "))
}

/// A running server with the demo hospital.
pub struct Server {
    child: Child,
    /// Its telephone line.
    pub sip: SocketAddr,
    /// Its health.
    pub http: SocketAddr,
    data: PathBuf,
}

impl Server {
    /// Starts one on free ports and waits until it is ready.
    pub async fn start(data: &Path, extra: &[&str]) -> Result<Self> {
        Self::start_for(Path::new("deploy/sites/demo-hospital"), data, extra).await
    }

    /// The same for another site pack.
    pub async fn start_for(site: &Path, data: &Path, extra: &[&str]) -> Result<Self> {
        let (sip, http) = free_addresses()?;
        let child = Command::new(program()?)
            .args(["serve", "--site"])
            .arg(site)
            .arg("--data")
            .arg(data)
            .args(["--sip", &sip.to_string(), "--http", &http.to_string()])
            .args(extra)
            .current_dir(root())
            .stderr(Stdio::from(
                File::options().create(true).append(true).open(data.join("server.log"))?,
            ))
            .kill_on_drop(true)
            .spawn()?;
        let mut server = Self { child, sip, http, data: data.to_owned() };
        for _ in 0..READY_POLLS {
            if is_ready(http).await {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended ({status}): {}", server.log());
            }
            tokio::time::sleep(READY_POLL).await;
        }
        bail!("the server is not ready: {}", server.log())
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("server.log")).unwrap_or_default()
    }

    /// An HTTP answer, head and body.
    pub async fn get(&self, path: &str) -> Result<String> {
        get(self.http, path).await
    }

    /// Lines of a `radline … --json --data DIR` command.
    pub async fn json(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        json(&self.data, arguments).await
    }

    /// Sends a signal by name and waits for the end.
    pub async fn end(self, signal: &str) -> Result<std::process::ExitStatus> {
        self.signal(signal).await?;
        self.ended().await
    }

    /// Sends a signal by name.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().context("it runs")?.to_string();
        let kill = Command::new("kill").args([&format!("-{signal}"), &id]).status().await?;
        anyhow::ensure!(kill.success(), "kill failed");
        Ok(())
    }

    /// Waits for the end.
    pub async fn ended(mut self) -> Result<std::process::ExitStatus> {
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        Ok(ended.context("it does not end")??)
    }
}

/// Runs a `radline …` command with this on its standard input, and returns what it printed.
pub async fn run(arguments: &[&str], data: &Path, input: &str) -> Result<String> {
    let mut child = Command::new(program()?)
        .args(arguments)
        .arg("--data")
        .arg(data)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("a pipe")?.write_all(input.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Lines of a `radline … --json --data DIR` command.
pub async fn json(data: &Path, arguments: &[&str]) -> Result<Vec<Value>> {
    let output = Command::new(program()?)
        .args(arguments)
        .args(["--json", "--data"])
        .arg(data)
        .current_dir(root())
        .output()
        .await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// An HTTP answer, head and body.
pub async fn get(http: SocketAddr, path: &str) -> Result<String> {
    let mut stream = tokio::net::TcpStream::connect(http).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: radline\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

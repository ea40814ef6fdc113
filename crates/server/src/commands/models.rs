//! `radline models list|fetch|verify`.

use anyhow::{Result, bail};

use crate::cli::ModelSelection;
use crate::models::{Cache, FileState, Manifest, Model, Profile, fetch, index};
use crate::terminal;

/// Shows every model and whether it is there.
pub fn list(selection: ModelSelection) -> Result<()> {
    let cache = Cache::at(selection.models)?;
    terminal::line(&format!("models in {}", cache.folder().display()))?;
    for model in
        Manifest::built_in().of(selection.profile).filter(|m| named(m, selection.only.as_deref()))
    {
        let state = describe(&cache.glance(model));
        let profile = match model.profile {
            Profile::Cpu => "cpu",
            Profile::Gpu => "gpu",
        };
        let megabytes = model.size as f64 / 1e6;
        terminal::line(&format!(
            "{:<28} {profile} {megabytes:>8.1} MB  {:<11} {state:<22} {}",
            model.id, model.licence, model.purpose
        ))?;
    }
    Ok(())
}

/// Downloads what is missing.
pub fn run_fetch(selection: ModelSelection) -> Result<()> {
    let cache = Cache::at(selection.models)?;
    let profile = selection.profile.unwrap_or(Profile::Cpu);
    fetch(&cache, &Manifest::built_in(), index()?, profile, selection.only.as_deref())
}

/// Compares every file with its hash. Fails when one of the CPU profile is not good.
pub fn verify(selection: ModelSelection) -> Result<()> {
    let cache = Cache::at(selection.models)?;
    let profile = selection.profile.unwrap_or(Profile::Cpu);
    let mut bad = 0;
    let manifest = Manifest::built_in();
    for model in manifest.of(Some(profile)).filter(|model| named(model, selection.only.as_deref()))
    {
        let state = cache.verify(model, |_| {})?;
        let absent = model.optional && state == FileState::Missing;
        bad += usize::from(state != FileState::Good && !absent);
        terminal::line(&format!("{:<36} {}", model.file, describe(&state)))?;
    }
    if bad > 0 {
        bail!("{bad} file(s) are not right; `radline models fetch` puts that in order");
    }
    Ok(())
}

fn named(model: &Model, only: Option<&str>) -> bool {
    only.is_none_or(|only| only == model.id)
}

fn describe(state: &FileState) -> String {
    match state {
        FileState::Good => "good".to_owned(),
        FileState::Missing => "missing".to_owned(),
        FileState::WrongSize(size) => format!("wrong size: {size}"),
        FileState::WrongHash(hash) => format!("wrong hash: {hash}"),
    }
}

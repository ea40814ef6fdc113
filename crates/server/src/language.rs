//! The language model as the configuration has it: in this process, on the processor or a GPU, or elsewhere.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use radline_dialogue::{Expectation, Question};
use radline_language::model::ModelError;
use radline_language::model::peft;
use radline_language::model::turn_reader::{Place, TurnReader};

use crate::config::{LanguageConfig, ModelConfig};
use crate::models::Manifest;
use crate::models::cache::LANGUAGE;
use crate::workers::Reader;
use crate::workers::endpoint::{Endpoint, EndpointConfig};

/// Longest wait for the first answer of a language model elsewhere, which may have to load it.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Starts what reads callers, with the models of a folder.
///
/// # Errors
/// There is no GPU where one was asked for, or the threads do not start.
pub fn start(config: &LanguageConfig, folder: &Path) -> Result<Reader> {
    match config {
        LanguageConfig::Here(model) => here(model, folder),
        LanguageConfig::Elsewhere(endpoint) => elsewhere(endpoint.clone()),
    }
}

/// The language model of this machine. Without it callers are understood by the parsers alone and asked
/// more often, which is better than no telephone.
fn here(config: &ModelConfig, folder: &Path) -> Result<Reader> {
    let place = if config.gpu {
        Place::gpu()
            .context("[language] gpu wants one, and a program built with `--features cuda`")?
    } else {
        Place::Processor
    };
    match load(config, folder, &place) {
        Ok(model) => Ok(Reader::start(model)?),
        Err(error) => {
            tracing::error!(%error, "no language model, callers will be asked more often; `radline models fetch` brings it");
            Ok(Reader::absent())
        }
    }
}

/// The base with its adapters.
fn load(config: &ModelConfig, folder: &Path, place: &Place) -> Result<TurnReader, ModelError> {
    let base = config.base.as_deref().unwrap_or(LANGUAGE);
    let file = folder.join(Manifest::built_in().file(base));
    let reader = match &config.adapter {
        None => TurnReader::built_in_at(&file, place)?,
        Some(adapter) => TurnReader::load_at(&file, place, |shape| peft::load(adapter, shape))?,
    };
    match &config.wording {
        Some(wording) => reader.with_wording(|shape| peft::load(wording, shape)),
        None => Ok(reader),
    }
}

/// A language model elsewhere. It may come up later than this server.
fn elsewhere(config: EndpointConfig) -> Result<Reader> {
    let place = config.url.clone();
    let endpoint = Endpoint::new(config)?;
    if let Err(error) = endpoint.read(&Question::of(Expectation::Open), "hello", FIRST_ANSWER) {
        tracing::error!(%place, %error, "the language model's endpoint did not answer as it should");
    }
    Ok(Reader::remote(endpoint)?)
}

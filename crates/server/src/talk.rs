//! `radline talk --text`: a call without audio, with whoever types.

use std::sync::Arc;

use anyhow::{Context, Result};
use radline_dialogue::Called;
use radline_phi::Phi;
use radline_store::Store;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::clock::Clock;
use crate::models::cache::Cache;
use crate::site::Site;
use crate::terminal;
use crate::text_call::{LazyReader, TextCall};

/// Talks with whoever types. Returns when the dialogue or the input ends.
pub async fn text(
    site: Site,
    clock: Clock,
    store: Store,
    models: Cache,
    called: Option<Called>,
    as_json: bool,
) -> Result<()> {
    let model = Arc::new(LazyReader::at(models));
    let mut call = TextCall::begin(Arc::new(site), clock, store, model, called).await?;
    show(&call, None, as_json)?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while call.ended().is_none() {
        let line = lines.next_line().await.context("the input is not text")?;
        let Some(line) = line else {
            call.hang_up().await?;
            show(&call, None, as_json)?;
            break;
        };
        let words = Phi::new(line);
        call.say(words.clone()).await?;
        show(&call, Some(words), as_json)?;
    }
    call.close().await
}

fn show(call: &TextCall, said: Option<Phi<String>>, as_json: bool) -> Result<()> {
    if as_json {
        return terminal::line(&call.described(said).to_string());
    }
    let words: Vec<&str> = call.replies().into_iter().map(|(words, _)| words).collect();
    if !words.is_empty() {
        terminal::line(&format!("Radline: {}", words.join(" ")))?;
    }
    Ok(())
}

//! Prints the logits that a model has after some tokens, with an adapter in PEFT's files, as exactly as it
//! can: what `tests/peft/round_trip.py` compares with PEFT itself. With a last argument the adapter is
//! written again, as training writes it.

use std::path::Path;

use anyhow::{Context, Result};
use radline_language::model::peft;

#[expect(clippy::print_stdout, reason = "this is its output")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, adapter, tokens, rest @ ..] = &arguments[..] else {
        anyhow::bail!("usage: logits MODEL.gguf ADAPTER_DIR TOKEN,TOKEN,… [WRITE_DIR]");
    };
    let tokens: Vec<u32> =
        tokens.split(',').map(str::parse).collect::<Result<_, _>>().context("tokens")?;
    let model = radline_language::model::exact(Path::new(file))?;
    let adapter = peft::load(Path::new(adapter), model.shape())?;
    if let [folder] = rest {
        peft::save(&adapter, model.shape(), "random", Path::new(folder))?;
    }
    println!("{}", serde_json::to_string(&model.logits_after(&tokens, Some(&adapter))?)?);
    Ok(())
}

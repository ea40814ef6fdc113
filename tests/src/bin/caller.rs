//! Places one call and talks like its persona: `caller ADDR --models DIR --persona FILE`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use radline_tests::caller::{Persona, converse};

/// Place one call and talk like a persona.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to call
    server: SocketAddr,
    /// Folder of the models
    #[arg(long)]
    models: PathBuf,
    /// Who calls
    #[arg(long)]
    persona: PathBuf,
    /// Write the report here as JSON
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("caller: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let persona = Persona::load(&arguments.persona)?;
    let show = |who: &str, words: &str| {
        let name = if who == "agent" { "Radline" } else { persona.name.as_str() };
        say(&format!("  {name:>14}: {words}"));
    };
    let report = converse(arguments.server, &arguments.models, &persona, show).await?;
    if let Some(path) = &arguments.report {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Whoever reads along may have gone away; the call goes on.
    drop(writeln!(output, "{line}"));
}

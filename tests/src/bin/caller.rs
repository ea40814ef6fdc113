//! Places one call, or answers one, and talks like its persona: `caller ADDR --models DIR --persona FILE`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use radline_tests::caller::{Options, Persona, Way, converse, overlap};
use tokio::net::UdpSocket;

/// Place one call, or answer one, and talk like a persona.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to call, or with --answers our own address
    address: SocketAddr,
    /// Waits for a call instead of placing one
    #[arg(long)]
    answers: bool,
    /// Folder of the models
    #[arg(long)]
    models: PathBuf,
    /// Who calls
    #[arg(long)]
    persona: PathBuf,
    /// Folder of sounds that come over the agent's turns, one to a turn: 16-bit mono WAV files, and
    /// text files with a line that the caller says
    #[arg(long)]
    sounds: Option<PathBuf>,
    /// Which of the sounds comes first
    #[arg(long, default_value_t = 0)]
    first_sound: usize,
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
    let all = arguments.sounds.as_deref().map_or_else(|| Ok(Vec::new()), overlap::sounds)?;
    let options = Options { sounds: all, first_sound: arguments.first_sound };
    let way = if arguments.answers {
        Way::Answers(UdpSocket::bind(arguments.address).await?)
    } else {
        Way::Calls(arguments.address)
    };
    let report = converse(way, &arguments.models, &persona, &options, show).await?;
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

//! The commands of a developer: `cargo xtask demo`, `test`, `tidy`, `bench`.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its terminal")]

mod bench;
mod demo;
mod licences;
mod packages;
mod person_demo;
mod python;
mod server;
mod shell;
mod simulate;
mod test;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  demo [--once]              install, build and fetch what is missing, then place a real call
                             that books a scan; --once ends after the call
  test                       install what is missing, then run every check and test
  tidy                       check the dependency table, licences, file headers and sizes
  simulate [--calls N] [--seed N] [--call SEED]
                             calls in virtual time, with invariants after every step; a
                             violation names its seed, and --call brings that call back
  simulate --planted         plant bugs in a copy of the source; the simulator must notice each
  bench latency [--calls N]  real calls over loopback, timed from the packets
  bench overlap --sounds FOLDER [--calls N]
                             the same with a sound over each of the agent's turns (WAV files, and
                             text files with a line to say): how soon it falls silent, and
                             whether it goes on
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo"] => demo::run(false),
        ["demo", "--once"] => demo::run(true),
        ["bench", "latency", rest @ ..] => bench::latency(bench::calls(rest)?),
        ["bench", "overlap", "--sounds", folder, rest @ ..] => {
            bench::overlap(folder, bench::calls(rest)?)
        }
        ["simulate", "--planted"] => simulate::planted(),
        ["simulate", rest @ ..] => simulate::run(rest),
        ["test", ..] => test::run(),
        ["tidy"] => tidy::run(),
        ["--help" | "-h" | "help"] | [] => {
            println!("{USAGE}");
            Ok(())
        }
        [unknown, ..] => bail!("there is no command '{unknown}'\n\n{USAGE}"),
    }
}

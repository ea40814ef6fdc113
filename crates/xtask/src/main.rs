//! The commands of a developer: `cargo xtask demo`, `test`, `tidy`, `bench`.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its terminal")]

mod packages;
mod shell;
mod test;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test    install what is missing, then run every check and test
  tidy    check the dependency table, file headers and file sizes
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", ..] => test::run(),
        ["tidy"] => tidy::run(),
        ["--help" | "-h" | "help"] | [] => {
            println!("{USAGE}");
            Ok(())
        }
        [unknown, ..] => bail!("there is no command '{unknown}'\n\n{USAGE}"),
    }
}

//! The demo's second call: somebody says what has to reach a person, and the person is at the console.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::server::{Server, Setup};

/// A caller who has to reach a person.
const NEEDS_A_PERSON: &str = "tests/personas/okafor.toml";
/// The account that the demo makes.
const NAME: &str = "demo";

/// Makes an account, says how to sign in, and places the call when told to.
pub(crate) fn run(setup: &Setup, server: &Server, data: &Path) -> Result<()> {
    let folder = data.to_str().context("the folder's name is not text")?;
    let password = password()?;
    let account =
        ["providers", "add", NAME, "--display", "Demo", "--role", "supervisor", "--data", folder];
    let mut child = setup.radline(&account).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut input = child.stdin.take().context("the command's standard input")?;
    input.write_all(format!("{password}\n").as_bytes())?;
    drop(input);
    if !child.wait()?.success() {
        bail!("the console's account could not be made");
    }
    println!(
        "\nNow a person takes over. Open the console in a browser on this machine and sign in:\n  \
         http://{}/console/\n  name {NAME}, password {password}\n\
         Switch \"I am available\" on. A caller who needs a person comes when you press Enter here; \
         take the call there.",
        server.http
    );
    loop {
        let code =
            crate::shell::output(setup.radline(&["providers", "code", NAME, "--data", folder]))?;
        println!(
            "\nThe one-time code of now: {}   (Enter: the next caller, c: another code, q: no caller)",
            code.trim()
        );
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim() {
            "" => {
                let report = data.join("second-caller.json");
                println!("calling sip:radline@{}\n", server.sip);
                setup.call_with(server.sip, &report, true, NEEDS_A_PERSON, &[])?;
            }
            "q" => return Ok(()),
            _ => {}
        }
    }
}

/// A password for this run only.
fn password() -> Result<String> {
    let mut bytes = [0u8; 9];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = |byte: &u8| char::from(letters[usize::from(*byte) % letters.len()]);
    Ok(format!("demo-{}", bytes.iter().map(letter).collect::<String>()))
}

//! A provider's machine that the network cuts off: two network namespaces with a cable between them, and the
//! cable is pulled. What crosses it is encrypted, and both ends show a certificate.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use radline_tests::python::Client;
use radline_tests::server::run;
use radline_tests::stage::{PROVIDER, SOON, Stage, copied_site};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Set in the process that runs in namespaces of its own.
const INSIDE: &str = "RADLINE_TEST_INSIDE";
/// The server's end of the cable.
const NEAR: &str = "10.213.7.1";
/// Both ends, in a network that knows nothing else. `/run` is where names of namespaces are kept.
const CABLE: &str = "mount -t tmpfs tmpfs /run && ip link set lo up && ip netns add far \
    && ip link add near type veth peer name far0 netns far \
    && ip addr add 10.213.7.1/30 dev near && ip link set near up \
    && ip -n far addr add 10.213.7.2/30 dev far0 && ip -n far link set far0 up";

/// This test's name, under which it starts itself again in the namespaces.
const NAME: &str = "a_provider_behind_a_broken_network_leaves_the_caller_with_a_word";

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_behind_a_broken_network_leaves_the_caller_with_a_word() -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return inside().await;
    }
    let probe = Command::new("unshare").args(["-rnm", "ip", "link", "set", "lo", "up"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        // Some machines forbid it to who is not root; nothing is tested there.
        println!("not run: namespaces are not to be had here");
        return Ok(());
    }
    let inside = Command::new("unshare")
        .arg("-rnm")
        .arg(std::env::current_exe()?)
        .args(["--exact", NAME, "--nocapture"])
        .env(INSIDE, "1")
        .status()?;
    ensure!(inside.success(), "see above");
    Ok(())
}

async fn inside() -> Result<()> {
    shell(CABLE)?;
    let folder = tempfile::tempdir()?;
    certificates(folder.path())?;
    let grpc: SocketAddr = format!("{NEAR}:50051").parse()?;
    let config = folder.path().join("radline.toml");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(
        &config,
        format!(
            "[grpc]\nlisten = \"{grpc}\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\nclients_file = \"{}\"\n",
            at("server.pem"),
            at("server.key"),
            at("ca.pem")
        ),
    )?;
    let (config, ca, own, key) =
        (config.display().to_string(), at("ca.pem"), at("client.pem"), at("client.key"));
    let site = copied_site(folder.path(), "")?;
    let stage = Stage::set_at(&site, folder, grpc, &["--config", &config]).await?;
    let data = stage.folder.path();
    run(&["providers", "add", "py", "--display", "Py"], data, "correct horse battery\n").await?;
    let token = run(&["providers", "token", "py"], data, "").await?;
    let secrets = [("RADLINE_TOKEN", token.trim())];
    let address = grpc.to_string();
    let arguments = ["--proto", "proto", "--address", &address, "--linger", "--ca", &ca];

    // A token alone does not open the door.
    let mut stranger = Client::start_in("far", "provider/client.py", &arguments, &secrets)?;
    let refused =
        stranger.present().await.err().context("a client without a certificate is let in")?;
    ensure!(refused.to_string().contains("CERTIFICATE_REQUIRED"), "{refused}");

    let mut known = arguments.to_vec();
    known.extend(["--certificate", &own, "--key", &key]);
    let mut client = Client::start_in("far", "provider/client.py", &known, &secrets)?;
    client.present().await?;
    let mut caller = stage.caller().await?;
    ensure!(caller.hears_tone(PROVIDER, 3 * SOON).await, "the caller does not hear the client");
    shell("ip link set near down")?;
    stage.said("lost my colleague").await?;
    stage.said("call you back").await?;
    caller.hang_up().await?;
    ensure!(stage.server.json(&["tasks", "list"]).await?.len() == 1, "the task is gone");
    ensure!(stage.outcomes().await?[0] == "provider_dropped", "{:?}", stage.outcomes().await?);
    Ok(())
}

fn shell(command: &str) -> Result<()> {
    let done = Command::new("sh").args(["-ec", command]).output()?;
    if !done.status.success() {
        bail!("{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

/// An authority, and what it has signed for the server and for a provider's system.
fn certificates(folder: &Path) -> Result<()> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "An authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    fs::write(folder.join("ca.pem"), authority.pem())?;
    for (name, subject) in [("server", NEAR), ("client", "provider")] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![subject.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &authority).context("signed")?;
        fs::write(folder.join(format!("{name}.pem")), certificate.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

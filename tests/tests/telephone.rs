//! Real calls to a real server process, from clients that share no code with it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use md5::{Digest, Md5};
use radline_tests::caller::{Options, Persona, Way, converse};
use radline_tests::phone::{Phone, starts, to_tag};
use radline_tests::server::{Server, all_places, json, models};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_books_a_scan_by_telephone() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    let mut conversation = Vec::new();
    let show = |who: &str, words: &str| conversation.push(format!("{who}: {words}"));
    let report = converse(
        Way::Calls(server.sip),
        &models()?,
        &Persona::carter()?,
        &Options::default(),
        show,
    )
    .await?;
    let talk = conversation.join("\n");
    ensure!(report.agent_hung_up, "the agent did not say goodbye:\n{talk}");
    let booked = server.json(&["appointments", "list"]).await?;
    ensure!(booked.len() == 1 && booked[0]["status"] == "booked", "{booked:?}\n{talk}");
    let calls = server.json(&["calls", "list"]).await?;
    let recording = calls[0]["recording"].as_str().context("not recorded")?;
    let wav = hound::WavReader::open(folder.path().join(recording))?;
    ensure!(wav.spec().channels == 2 && wav.duration() > 20 * 16_000, "a short recording");
    let log = server.log();
    for private in ["Carter", "Helen", "1967", "knee"] {
        ensure!(!log.contains(private), "the log holds {private}:\n{log}");
    }
    let metrics = server.get("/metrics").await?;
    ensure!(metrics.contains("radline_calls_total{reason=\"finished\"} 1"), "{metrics}");
    ensure!(server.end("TERM").await?.success(), "SIGTERM is a clean end");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_answers_as_the_rfcs_say() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &["--calls-max", "2"]).await?;
    let phone = Phone::new(server.sip).await?;
    starts(&phone.ask(&phone.message("OPTIONS", "o", "", 1, "")).await?, "200")?;

    // Nothing that we speak.
    let refused = phone.message("INVITE", "video", "", 1, &phone.sdp("9 18", "sendrecv"));
    let answer = phone.ask(&refused).await?;
    starts(&answer, "488")?;
    phone.ack_refusal("video", &answer).await?;

    // Hold and resume.
    let (tag, _) = phone.call("one").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let hold = phone.message("INVITE", "one", &tag, 2, &phone.sdp("0", "sendonly"));
    let answer = phone.ask(&hold).await?;
    starts(&answer, "200")?;
    ensure!(answer.contains("a=recvonly"), "hold is answered by recvonly:\n{answer}");
    phone.send(&phone.message("ACK", "one", &tag, 2, "")).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let resume = phone.message("INVITE", "one", &tag, 3, &phone.sdp("0", "sendrecv"));
    let answer = phone.ask(&resume).await?;
    ensure!(answer.contains("a=sendrecv"), "{answer}");
    phone.send(&phone.message("ACK", "one", &tag, 3, "")).await?;

    // Delayed offer: ours in the 200, the answer in the ACK.
    let other = Phone::new(server.sip).await?;
    let answer = other.ask(&other.message("INVITE", "two", "", 1, "")).await?;
    starts(&answer, "200")?;
    ensure!(answer.contains("m=audio") && answer.contains("PCMU/8000"), "{answer}");
    let second = to_tag(&answer);
    other.send(&other.message("ACK", "two", &second, 1, &other.sdp("0", "sendrecv"))).await?;

    // Full.
    let third = Phone::new(server.sip).await?;
    let answer =
        third.ask(&third.message("INVITE", "three", "", 1, &third.sdp("0", "sendrecv"))).await?;
    starts(&answer, "486")?;
    ensure!(answer.contains("Retry-After"), "{answer}");
    third.ack_refusal("three", &answer).await?;

    // Garbage harms nobody.
    for garbage in ["", "\r\n\r\n", "INVITE", "INVITE sip:x SIP/2.0\r\n\r\n", "\0\u{1}\u{2}"] {
        third.send(garbage).await?;
    }
    starts(&phone.ask(&phone.message("BYE", "one", &tag, 4, "")).await?, "200")?;
    starts(&other.ask(&other.message("BYE", "two", &second, 2, "")).await?, "200")?;
    starts(&phone.ask(&phone.message("BYE", "nobody", ";tag=x", 1, "")).await?, "481")?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let calls = server.json(&["calls", "list"]).await?;
    ensure!(calls.len() == 2, "{calls:?}");
    ensure!(calls.iter().all(|call| call["reason"] == "caller_hung_up"), "{calls:?}");
    let id = calls.last().and_then(|call| call["id"].as_str()).context("an id")?;
    let events = server.json(&["calls", "show", id]).await?;
    let has = |name: &str| events.iter().any(|event| event["event"] == name);
    ensure!(has("held") && has("resumed"), "{events:?}");
    ensure!(server.end("TERM").await?.success(), "a clean end");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_turned_away() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &["--peer", "192.0.2.0/24"]).await?;
    let phone = Phone::new(server.sip).await?;
    let invite = phone.message("INVITE", "x", "", 1, &phone.sdp("0", "sendrecv"));
    starts(&phone.ask(&invite).await?, "403")?;
    starts(&phone.ask(&phone.message("OPTIONS", "y", "", 1, "")).await?, "403")?;
    ensure!(server.json(&["calls", "list"]).await?.is_empty(), "no call began");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_proves_its_password_and_speaks_over_tcp() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let (password, config) = (folder.path().join("password"), folder.path().join("radline.toml"));
    std::fs::write(&password, "open sesame\n")?;
    let text = format!(
        "[sip]\npeers = [\"192.0.2.0/24\"]\n[[sip.trunk]]\nrealm = \"radline\"\nuser = \"trunk\"\n\
         password_file = {password:?}\n"
    );
    std::fs::write(&config, text)?;
    let config = config.to_str().context("text")?;
    let server = Server::start(folder.path(), &["--config", config]).await?;
    let phone = TcpPhone::new(server.sip).await?;
    let answer = phone.ask(&phone.message("INVITE", "", 1, "")).await?;
    starts(&answer, "401")?;
    let nonce = answer.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
    let nonce = nonce.context("a challenge without a nonce")?;
    phone.send(&phone.message("ACK", &to_tag(&answer), 1, "")).await?;

    let wrong = authorization(server.sip, nonce, "open barley");
    let answer = phone.ask(&phone.message("INVITE", "", 2, &wrong)).await?;
    starts(&answer, "401")?;
    phone.send(&phone.message("ACK", &to_tag(&answer), 2, "")).await?;

    let right = authorization(server.sip, nonce, "open sesame");
    let answer = phone.ask(&phone.message("INVITE", "", 3, &right)).await?;
    starts(&answer, "200")?;
    let tag = to_tag(&answer);
    phone.send(&phone.message("ACK", &tag, 3, "")).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    starts(&phone.ask(&phone.message("BYE", &tag, 4, "")).await?, "200")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let calls = server.json(&["calls", "list"]).await?;
    ensure!(calls.len() == 1 && calls[0]["reason"] == "caller_hung_up", "{calls:?}");
    Ok(())
}

/// One call over TCP.
struct TcpPhone {
    stream: Mutex<TcpStream>,
    server: SocketAddr,
    local: SocketAddr,
}

impl TcpPhone {
    async fn new(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        let local = stream.local_addr()?;
        Ok(Self { stream: Mutex::new(stream), server, local })
    }

    fn message(&self, method: &str, to_tag: &str, cseq: u32, extra: &str) -> String {
        let Self { server, local, .. } = self;
        let branch = if method == "ACK" { "INVITE" } else { method };
        let body = match method {
            "INVITE" => {
                "v=0\r\no=t 1 1 IN IP4 127.0.0.1\r\ns=t\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                         m=audio 40000 RTP/AVP 8\r\na=sendrecv\r\n"
            }
            _ => "",
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:radline@{server} SIP/2.0\r\n\
             Via: SIP/2.0/TCP {local};branch=z9hG4bK{branch}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:t@{local}>;tag=t\r\n\
             To: <sip:radline@{server}>{to_tag}\r\nCall-ID: tcp\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:t@{local};transport=tcp>\r\n{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Sends in two pieces, as TCP may deliver any message.
    async fn send(&self, message: &str) -> Result<()> {
        let mut stream = self.stream.lock().await;
        let (first, second) = message.as_bytes().split_at(message.len() / 2);
        stream.write_all(first).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(stream.write_all(second).await?)
    }

    /// Sends and waits for the final answer.
    async fn ask(&self, message: &str) -> Result<String> {
        self.send(message).await?;
        let cseq = message.lines().find(|line| line.starts_with("CSeq:")).context("a number")?;
        let mut text = String::new();
        let wait = async {
            let mut stream = self.stream.lock().await;
            let mut buffer = vec![0; 4096];
            loop {
                let length = stream.read(&mut buffer).await?;
                ensure!(length > 0, "the connection was closed");
                text.push_str(&String::from_utf8_lossy(&buffer[..length]));
                let is_final = |part: &&str| !part.starts_with('1') && part.contains(cseq);
                if let Some(part) = text.split("SIP/2.0 ").skip(1).find(is_final) {
                    return Ok(format!("SIP/2.0 {part}"));
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.context("no answer")?
    }
}

/// The Authorization header of an INVITE (RFC 2617).
fn authorization(server: SocketAddr, nonce: &str, password: &str) -> String {
    let hash = |text: String| format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
    let uri = format!("sip:radline@{server}");
    let (a1, a2) = (hash(format!("trunk:radline:{password}")), hash(format!("INVITE:{uri}")));
    let response = hash(format!("{a1}:{nonce}:00000001:c:auth:{a2}"));
    format!(
        "Authorization: Digest username=\"trunk\", realm=\"radline\", nonce=\"{nonce}\", \
         uri=\"{uri}\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, \
         cnonce=\"c\"\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_says_goodbye() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("radline.toml");
    std::fs::write(&config, "[limits]\ndrain_seconds = 2\n")?;
    let config = config.to_str().context("text")?;
    let server = Server::start(folder.path(), &["--config", config]).await?;
    let phone = Phone::new(server.sip).await?;
    phone.call("down").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.signal("TERM").await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // No further calls; the one in progress goes on for the set time.
    let other = Phone::new(server.sip).await?;
    let invite = other.message("INVITE", "late", "", 1, &other.sdp("0", "sendrecv"));
    let answer = other.ask(&invite).await?;
    starts(&answer, "503")?;
    ensure!(answer.contains("Retry-After"), "{answer}");
    phone.hung_up(Duration::from_secs(20)).await?;
    ensure!(server.ended().await?.success(), "SIGTERM is a clean end");
    let calls = json(folder.path(), &["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "shutdown", "{calls:?}");
    let id = calls[0]["id"].as_str().context("an id")?;
    let events = json(folder.path(), &["calls", "show", id]).await?;
    let goodbye = |event: &Value| event["source"] == "engine shutdown" && event["heard_ms"] != 0;
    ensure!(events.iter().any(goodbye), "the goodbye was not heard: {events:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_nothing_behind_that_matters() -> Result<()> {
    let _turn = all_places().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    // A second server on the same data would free what the first one's calls hold.
    let second =
        Server::start(folder.path(), &[]).await.err().context("two servers on one folder")?;
    ensure!(second.to_string().contains("another Radline serves"), "{second}");
    // A call is up when the server dies; its record is closed at the next start.
    let phone = Phone::new(server.sip).await?;
    phone.call("k").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(!server.end("KILL").await?.success(), "killed");
    let again = Server::start(folder.path(), &[]).await?;
    let calls = again.json(&["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "server_lost", "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn models_that_are_missing_are_named_before_a_port_is_bound() -> Result<()> {
    let _turn = all_places().await;
    let (data, empty) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let models = empty.path().to_str().context("text")?;
    let error = Server::start(data.path(), &["--models", models]).await.err().context("starts")?;
    let text = error.to_string();
    ensure!(text.contains("ggml-tiny.en.bin is missing"), "{text}");
    ensure!(text.contains("radline models fetch"), "{text}");
    ensure!(!Path::new(models).join("prompts").exists(), "nothing was written");
    Ok(())
}

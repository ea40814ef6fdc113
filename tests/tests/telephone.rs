//! Real calls to a real server process, from clients that share no code with it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_tests::caller::{Persona, converse};
use radline_tests::server::{Server, models, root};
use tokio::net::UdpSocket;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Two cores are not enough for several servers with their models at once.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

fn persona() -> Result<Persona> {
    Persona::load(&root().join("tests/personas/carter.toml"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_books_a_scan_by_telephone() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    let mut conversation = Vec::new();
    let show = |who: &str, words: &str| conversation.push(format!("{who}: {words}"));
    let report = converse(server.sip, &models()?, &persona()?, show).await?;
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

/// A telephone in text: sends what it is told and shows what comes back.
struct Phone {
    socket: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
}

impl Phone {
    async fn new(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let local = socket.local_addr()?;
        Ok(Self { socket, server, local })
    }

    fn message(&self, method: &str, id: &str, to_tag: &str, cseq: u32, body: &str) -> String {
        let Self { server, local, .. } = self;
        let (cseq_method, branch) = match method {
            "ACK" if cseq == 1 => ("ACK", format!("z9hG4bK{id}ack")),
            "CANCEL" => ("CANCEL", format!("z9hG4bK{id}INVITE{cseq}")),
            _ => (method, format!("z9hG4bK{id}{method}{cseq}")),
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:radline@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch={branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:t@{local}>;tag=t\r\nTo: <sip:radline@{server}>{to_tag}\r\n\
             Call-ID: {id}\r\nCSeq: {cseq} {cseq_method}\r\nContact: <sip:t@{local}>\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    async fn send(&self, message: &str) -> Result<()> {
        self.socket.send_to(message.as_bytes(), self.server).await?;
        Ok(())
    }

    /// The next final answer.
    async fn answer(&self) -> Result<String> {
        let wait = async {
            loop {
                let mut buffer = vec![0; 4096];
                let (length, _) = self.socket.recv_from(&mut buffer).await?;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("SIP/2.0 ") && !text.starts_with("SIP/2.0 1") {
                    return Ok(text);
                }
            }
        };
        timeout(Duration::from_secs(10), wait).await.context("no answer")?
    }

    /// Asks and waits for the answer to this very request; retransmissions of others pass by.
    async fn ask(&self, message: &str) -> Result<String> {
        self.send(message).await?;
        let line = |text: &str, name: &str| {
            let found = text.lines().find(|line| line.to_lowercase().starts_with(name));
            found.map(|line| line.split_once(':').map(|(_, value)| value.trim().to_owned()))
        };
        loop {
            let answer = self.answer().await?;
            let same = |name| line(&answer, name) == line(message, name);
            if same("call-id:") && same("cseq:") {
                return Ok(answer);
            }
        }
    }

    /// The ACK of a refusal belongs to the INVITE's own transaction.
    async fn ack_refusal(&self, id: &str, answer: &str) -> Result<()> {
        let ack = self.message("ACK", id, &to_tag(answer), 1, "");
        self.send(&ack.replace(&format!("{id}ack;"), &format!("{id}INVITE1;"))).await
    }

    fn sdp(&self, formats: &str, direction: &str) -> String {
        format!(
            "v=0\r\no=t 1 1 IN IP4 127.0.0.1\r\ns=t\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {formats}\r\na={direction}\r\n",
            self.local.port()
        )
    }
}

fn to_tag(answer: &str) -> String {
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("to:"));
    let tag = line.and_then(|line| line.split(";tag=").nth(1)).unwrap_or_default();
    format!(";tag={}", tag.trim())
}

fn starts(answer: &str, status: &str) -> Result<()> {
    ensure!(answer.starts_with(&format!("SIP/2.0 {status}")), "not {status} but:\n{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_answers_as_the_rfcs_say() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
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
    let invite = phone.message("INVITE", "one", "", 1, &phone.sdp("0", "sendrecv"));
    let answer = phone.ask(&invite).await?;
    starts(&answer, "200")?;
    let tag = to_tag(&answer);
    phone.send(&phone.message("ACK", "one", &tag, 1, "")).await?;
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
    let _turn = ONE_AT_A_TIME.lock().await;
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
async fn a_killed_server_leaves_nothing_behind_that_matters() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    // A call is up when the server dies; its record is closed at the next start.
    let phone = Phone::new(server.sip).await?;
    let answer =
        phone.ask(&phone.message("INVITE", "k", "", 1, &phone.sdp("0", "sendrecv"))).await?;
    phone.send(&phone.message("ACK", "k", &to_tag(&answer), 1, "")).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(!server.end("KILL").await?.success(), "killed");
    let again = Server::start(folder.path(), &[]).await?;
    let calls = again.json(&["calls", "list"]).await?;
    ensure!(calls[0]["reason"] == "server_lost", "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn models_that_are_missing_are_named_before_a_port_is_bound() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (data, empty) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let models = empty.path().to_str().context("text")?;
    let error = Server::start(data.path(), &["--models", models]).await.err().context("starts")?;
    let text = error.to_string();
    ensure!(text.contains("ggml-tiny.en.bin is missing"), "{text}");
    ensure!(text.contains("radline models fetch"), "{text}");
    ensure!(!Path::new(models).join("prompts").exists(), "nothing was written");
    Ok(())
}

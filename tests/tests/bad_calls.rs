//! Callers who hang up at every moment, say nothing, make noise or send garbage: no panic, no
//! leaked call, and the record says what happened.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_tests::phone::{Phone, starts};
use radline_tests::server::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Longest life of the quiet callers: a minute, and the goodbye.
const QUIET_LIMIT: Duration = Duration::from_secs(100);

/// Sends 20 ms packets of µ-law that `payload` makes until it is dropped.
async fn stream(phone: &Phone, to: SocketAddr, mut payload: impl FnMut() -> Vec<u8>) -> Result<()> {
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0_u32.. {
        ticks.tick().await;
        let mut packet = vec![0x80, 0];
        packet.extend((number as u16).to_be_bytes());
        packet.extend((number * 160).to_be_bytes());
        packet.extend([7; 4]);
        packet.extend(payload());
        phone.rtp.send_to(&packet, to).await?;
    }
    Ok(())
}

/// Streams until the other side hangs up.
async fn until_hung_up(
    server: SocketAddr,
    id: &str,
    payload: impl FnMut() -> Vec<u8>,
) -> Result<()> {
    let phone = Phone::new(server).await?;
    let (_, media) = phone.call(id).await?;
    tokio::select! {
        result = phone.hung_up(QUIET_LIMIT) => result,
        result = stream(&phone, media, payload) => result,
    }
}

async fn noise(server: SocketAddr) -> Result<()> {
    let mut random = StdRng::seed_from_u64(5);
    // Every µ-law byte is as likely as any other: loud hiss, now and then cut by silence.
    let mut loud = true;
    until_hung_up(server, "noise", move || {
        loud ^= random.random_bool(0.01);
        (0..160).map(|_| if loud { random.random() } else { 0xff }).collect()
    })
    .await
}

/// Packets that are not RTP, or only nearly.
async fn garbage(server: SocketAddr) -> Result<()> {
    let phone = Phone::new(server).await?;
    let (tag, media) = phone.call("garbage").await?;
    let mut random = StdRng::seed_from_u64(6);
    for number in 0..2000_u32 {
        let length = random.random_range(0..1600);
        let mut packet: Vec<u8> = (0..length).map(|_| random.random()).collect();
        if number.is_multiple_of(2) && length > 12 {
            // A plausible head before the garbage.
            packet[0] = 0x80 | random.random_range(0..0x40);
            packet[1] = 0;
        }
        phone.rtp.send_to(&packet, media).await?;
        if number.is_multiple_of(100) {
            sleep(Duration::from_millis(20)).await;
        }
    }
    starts(&phone.ask(&phone.message("BYE", "garbage", &tag, 2, "")).await?, "200")
}

async fn hang_up_after(server: SocketAddr, id: &str, wait: u64) -> Result<()> {
    let phone = Phone::new(server).await?;
    let (tag, _) = phone.call(id).await?;
    sleep(Duration::from_millis(wait)).await;
    starts(&phone.ask(&phone.message("BYE", id, &tag, 2, "")).await?, "200")
}

/// Gives up at once: the CANCEL follows the INVITE on its heels, and crosses with the answer.
async fn cancel(server: SocketAddr) -> Result<()> {
    let phone = Phone::new(server).await?;
    let sdp = phone.sdp("0", "sendrecv");
    phone.send(&phone.message("INVITE", "cancel", "", 1, &sdp)).await?;
    phone.send(&phone.message("CANCEL", "cancel", "", 1, "")).await?;
    let answer = phone.answer().await?;
    // Whichever was first; a call that was answered all the same is never acknowledged.
    ensure!(answer.starts_with("SIP/2.0 2") || answer.starts_with("SIP/2.0 48"), "{answer}");
    Ok(())
}

/// Sends an INVITE and is never heard of again.
async fn vanish(server: SocketAddr) -> Result<()> {
    let phone = Phone::new(server).await?;
    let invite = phone.message("INVITE", "vanish", "", 1, &phone.sdp("0", "sendrecv"));
    starts(&phone.ask(&invite).await?, "200")?;
    phone.hung_up(QUIET_LIMIT).await
}

/// SIP that is cut off, at every length, and its line ends and numbers spoiled.
async fn broken_sip(server: SocketAddr) -> Result<()> {
    let phone = Phone::new(server).await?;
    let whole = phone.message("INVITE", "broken", "", 1, &phone.sdp("0", "sendrecv"));
    for length in (0..whole.len()).step_by(7) {
        // Without its end the head never closes, so that none of these is an INVITE.
        phone.send(&whole[..length.min(whole.find("\r\n\r\n").unwrap_or_default())]).await?;
    }
    for (from, to) in [
        ("\r\n", "\n"),
        ("CSeq: 1", "CSeq: 99999999999999999999"),
        ("Max-Forwards: 70", "Max-Forwards: -1"),
        ("Content-Length: ", "Content-Length: 9999"),
        ("SIP/2.0/UDP", "SIP/9.9/XYZ"),
        ("v=0", "v="),
        ("m=audio", "m=audio 99999999 RTP/AVP 0\r\nm=audio"),
    ] {
        let id = format!("broken-{from}").replace(['\r', '\n', ' ', ':'], "-");
        let sdp = phone.sdp("0", "sendrecv");
        let message = phone.message("INVITE", &id, "", 1, &sdp).replace(from, to);
        phone.send(&message).await?;
    }
    starts(&phone.ask(&phone.message("OPTIONS", "alive", "", 1, "")).await?, "200")
}

async fn reasons(server: &Server) -> Result<Vec<String>> {
    let calls = server.json(&["calls", "list"]).await?;
    calls.iter().map(|call| Ok(call["reason"].as_str().context("a call leaked")?.into())).collect()
}

async fn events_of(server: &Server, reason: &str) -> Result<Vec<Value>> {
    let calls = server.json(&["calls", "list"]).await?;
    let call = calls.iter().find(|call| call["reason"] == reason);
    let id = call.and_then(|call| call["id"].as_str());
    server.json(&["calls", "show", id.with_context(|| format!("no call {reason}"))?]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_callers_harm_nobody() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &["--calls-max", "60"]).await?;
    let sip = server.sip;
    let moments = [0, 5, 20, 100, 250, 700, 1500, 3000, 6000, 10_000];
    let names: Vec<String> = moments.iter().map(|wait| format!("after-{wait}")).collect();
    let mut hang_ups = tokio::task::JoinSet::new();
    for (name, wait) in names.into_iter().zip(moments) {
        hang_ups.spawn(async move { hang_up_after(sip, &name, wait).await });
    }
    let hang_ups = async { hang_ups.join_all().await.into_iter().collect::<Result<Vec<()>>>() };
    let silence = until_hung_up(sip, "silence", || vec![0xff; 160]);
    // Nothing at all comes: the line is dead.
    let dead = async {
        let phone = Phone::new(sip).await?;
        phone.call("dead").await?;
        phone.hung_up(QUIET_LIMIT).await
    };
    tokio::try_join!(
        hang_ups,
        cancel(sip),
        vanish(sip),
        broken_sip(sip),
        garbage(sip),
        noise(sip),
        silence,
        dead
    )?;
    sleep(Duration::from_secs(1)).await;

    let log = server.log();
    ensure!(!log.contains("panicked"), "{log}");
    let metrics = server.get("/metrics").await?;
    ensure!(metrics.contains("radline_calls_active 0"), "a call leaked:\n{metrics}");
    let reasons = reasons(&server).await?;
    let count = |wanted: &str| reasons.iter().filter(|reason| *reason == wanted).count();
    // Whoever hangs up at once may be gone before the ACK was taken up: that is no call yet.
    ensure!(count("caller_hung_up") >= moments.len() - 1, "{reasons:?}");
    ensure!(count("media_lost") == 1, "{reasons:?}");
    ensure!(count("not_connected") >= 2, "{reasons:?}");
    ensure!(count("finished") == 2, "silence and noise are said goodbye to: {reasons:?}");

    let events = events_of(&server, "media_lost").await?;
    ensure!(events.iter().any(|event| event["event"] == "ended"), "{events:?}");
    let events = events_of(&server, "not_connected").await?;
    ensure!(events.iter().any(|event| event["event"] == "problem"), "{events:?}");
    let events = events_of(&server, "finished").await?;
    let unheard = events.iter().filter(|event| event["event"] == "nothing_heard").count();
    ensure!(unheard >= 3, "asked again, twice, before the goodbye: {events:?}");
    ensure!(server.end("TERM").await?.success(), "a clean end");
    Ok(())
}

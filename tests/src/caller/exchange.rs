//! A caller's own exchange, asked to connect the caller with somebody else (REFER): it does, it tries in vain,
//! or it does not do such things.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::net::UdpSocket;

use super::sip::{SipCall, header, ok, status};

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// It calls in the place of the call that it is told of.
    Connects,
    /// It accepts, and reports that nothing came of it.
    Fails,
    /// It does not transfer calls.
    Refuses,
}

impl SipCall {
    /// Waits until the exchange is asked, and does as it does.
    pub(super) async fn transfer(&mut self, exchange: Exchange) -> Result<()> {
        let refer = loop {
            let message = self.receive().await?;
            if message.starts_with("REFER ") {
                break message;
            }
        };
        let answer = |status: &str| ok(&refer).replacen("200 OK", status, 1);
        if exchange == Exchange::Refuses {
            return self.send(&answer("405 Method Not Allowed")).await;
        }
        self.send(&answer("202 Accepted")).await?;
        self.report("100 Trying", "active;expires=60").await?;
        let mut last = "503 Service Unavailable";
        if exchange == Exchange::Connects {
            call_in_place(header(&refer, "refer-to").context("no Refer-To")?).await?;
            last = "200 OK";
        }
        self.report(last, "terminated;reason=noresource").await
    }

    async fn report(&mut self, status: &str, subscription: &str) -> Result<()> {
        let body = format!("SIP/2.0 {status}\r\n");
        let notify = self.next_request("NOTIFY", &body).replace(
            "Content-Type: application/sdp",
            &format!(
                "Event: refer\r\nSubscription-State: {subscription}\r\nContent-Type: message/sipfrag"
            ),
        );
        let answer = self.transact(&notify).await?;
        ensure!(answer.starts_with("SIP/2.0 200"), "a report was answered with {answer}");
        Ok(())
    }
}

/// Calls somebody in the place of a call that they have.
async fn call_in_place(refer_to: &str) -> Result<()> {
    let uri = refer_to.trim_matches(['<', '>']);
    let (target, replaces) = uri.split_once("?Replaces=").context("nothing to replace")?;
    let replaces = replaces.replace("%3B", ";").replace("%3D", "=").replace("%40", "@");
    let address: SocketAddr =
        target.split(['@', ';']).nth(1).context("an address to call")?.parse()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let local = socket.local_addr()?;
    let invite = format!(
        "INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKreplace\r\nMax-Forwards: 70\r\n\
         From: <sip:exchange@{local}>;tag=exchange\r\nTo: <{target}>\r\nCall-ID: replace@{local}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:exchange@{local}>\r\nReplaces: {replaces}\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(invite.as_bytes(), address).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).await?;
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if let Some(status) = status(&answer).filter(|status| *status >= 200) {
            ensure!(status == 200, "the call was not taken in its place: {answer}");
            return Ok(());
        }
    }
}

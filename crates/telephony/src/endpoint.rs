//! The SIP endpoint: who calls, whether they may, and which call a request belongs to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use radline_phi::Phi;
use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog::Dialog;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::headers::auth::{Algorithm, Qop, Scheme};
use rsipstack::sip::headers::typed::tokenizers::AuthTokenizer;
use rsipstack::sip::prelude::{HasHeaders, HeadersExt};
use rsipstack::sip::{Header, Method, StatusCode, Transport, typed};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::admission::Verdict;
use crate::config::{
    INCOMING_MAX, RETRY_AFTER, SipConfig, TCP_CONNECTIONS_MAX, TRANSACTION_DEADLINE, USER_AGENT,
};
use crate::digest::{Authorization, DigestAuthentication};
use crate::invite;
use crate::leg::Leg;
use crate::outgoing::Dialer;
use crate::udp::SipSocket;

/// The telephone line cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum TelephonyError {
    /// The address is taken or not ours.
    #[error("SIP cannot listen on {address} ({transport}): {reason}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// UDP or TCP.
        transport: &'static str,
        /// From the system.
        reason: String,
    },
    /// The SIP stack failed to start.
    #[error("the SIP stack failed to start: {0}")]
    Stack(String),
}

/// A call that was answered and whose media flows.
#[derive(Debug)]
pub struct IncomingCall {
    /// Where signalling comes from.
    pub peer: SocketAddr,
    /// The number or name that the caller shows. Not an identifier of anybody.
    pub from: Phi<String>,
    /// Audio and events.
    pub leg: Leg,
}

/// A caller who was answered and was gone before the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedCall {
    /// Where signalling came from.
    pub peer: SocketAddr,
    /// Why it came to nothing.
    pub reason: MissedReason,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissedReason {
    /// The caller gave up: CANCEL, or BYE instead of ACK.
    GaveUp,
    /// The ACK never came.
    NeverAcknowledged,
    /// The answer to our offer was missing or held nothing that we speak.
    NoCommonMedia,
}

/// What comes in on the line.
#[derive(Debug)]
pub enum LineEvent {
    /// A call to take.
    Call(Box<IncomingCall>),
    /// A call that came to nothing; for the record.
    Missed(MissedCall),
}

/// The open telephone line.
pub struct SipEndpoint {
    context: Arc<Context>,
    root: CancellationToken,
    address: SocketAddr,
}

/// What every call of the endpoint shares.
pub(crate) struct Context {
    pub(crate) config: SipConfig,
    pub(crate) dialogs: DialogLayer,
    pub(crate) contact: SocketAddr,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) incoming: mpsc::Sender<LineEvent>,
    pub(crate) draining: CancellationToken,
    digest: DigestAuthentication,
    began: Instant,
}

impl SipEndpoint {
    /// Opens the line. Calls come out of the receiver.
    pub async fn open(
        config: SipConfig,
    ) -> Result<(Self, mpsc::Receiver<LineEvent>), TelephonyError> {
        let root = CancellationToken::new();
        let (udp, tcp) = listen(config.listen).await?;
        let address = udp.local_addr().map_err(|error| failed(config.listen, "UDP", &error))?;
        let contact = SocketAddr::new(config.external.unwrap_or(address.ip()), address.port());
        let stack = |error: rsipstack::Error| TelephonyError::Stack(error.to_string());
        let transport = TransportLayer::new(root.clone());
        let socket = Arc::new(SipSocket(udp));
        let connection = UdpConnection::from_socket(socket, Some(contact), Some(root.clone()));
        transport.add_transport(connection.await.map_err(stack)?.into());
        let endpoint = EndpointBuilder::new()
            .with_user_agent(USER_AGENT)
            .with_transport_layer(transport)
            .with_cancel_token(root.clone())
            .build();
        let requests = endpoint.incoming_transactions().map_err(stack)?;
        let (incoming, calls) = mpsc::channel(INCOMING_MAX);
        let context = Arc::new(Context {
            dialogs: DialogLayer::new(endpoint.inner.clone()),
            contact,
            places: Arc::new(Semaphore::new(config.calls_max)),
            incoming,
            draining: CancellationToken::new(),
            digest: DigestAuthentication::new(),
            began: now(),
            config,
        });
        let layer = endpoint.inner.clone();
        tokio::spawn(accept_tcp(tcp, contact, root.clone(), move |connection| {
            layer.transport_layer.add_connection(connection);
        }));
        tokio::spawn(async move { endpoint.serve().await });
        tokio::spawn(dispatch(Arc::clone(&context), requests, root.clone()));
        Ok((Self { context, root, address }, calls))
    }

    /// The address that SIP listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls in progress.
    pub fn calls(&self) -> usize {
        self.context.config.calls_max - self.context.places.available_permits()
    }

    /// Places calls from this line.
    pub fn dialer(&self) -> Dialer {
        Dialer { context: Arc::clone(&self.context) }
    }

    /// Takes no further calls; those in progress go on.
    pub fn drain(&self) {
        self.context.draining.cancel();
    }

    /// Closes the line. End the calls before.
    pub fn close(&self) {
        self.root.cancel();
    }
}

impl Drop for SipEndpoint {
    fn drop(&mut self) {
        self.root.cancel();
    }
}

#[expect(clippy::disallowed_methods, reason = "the age of a nonce is a matter of this process")]
fn now() -> Instant {
    Instant::now()
}

fn failed(address: SocketAddr, transport: &'static str, error: &std::io::Error) -> TelephonyError {
    TelephonyError::Listen { address, transport, reason: error.to_string() }
}

/// The same port for both transports, also when any free one is asked for.
async fn listen(address: SocketAddr) -> Result<(UdpSocket, TcpListener), TelephonyError> {
    /// A free UDP port may be taken on TCP; another one is tried then.
    const ATTEMPTS: usize = 8;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let udp = UdpSocket::bind(address).await.map_err(|error| failed(address, "UDP", &error))?;
        let bound = udp.local_addr().map_err(|error| failed(address, "UDP", &error))?;
        match TcpListener::bind(bound).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if address.port() != 0 => return Err(failed(address, "TCP", &error)),
            Err(error) => last = Some(failed(address, "TCP", &error)),
        }
    }
    Err(last.unwrap_or(TelephonyError::Stack("no free port".to_owned())))
}

async fn accept_tcp(
    listener: TcpListener,
    contact: SocketAddr,
    root: CancellationToken,
    add: impl Fn(SipConnection),
) {
    let places = Arc::new(Semaphore::new(TCP_CONNECTIONS_MAX));
    loop {
        let stream = tokio::select! {
            () = root.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Beyond the bound the connection is closed at once.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let token = root.child_token();
        let local = SipAddr::new(Transport::Tcp, contact.into());
        if let Ok(connection) = TcpConnection::from_stream(stream, local, Some(token.clone())) {
            let connection = SipConnection::Tcp(connection);
            add(connection);
            tokio::spawn(async move {
                token.cancelled().await;
                drop(place);
            });
        }
    }
}

async fn dispatch(
    context: Arc<Context>,
    mut requests: TransactionReceiver,
    root: CancellationToken,
) {
    loop {
        let request = tokio::select! {
            () = root.cancelled() => return,
            request = requests.recv() => request,
        };
        let Some(request) = request else { return };
        let context = Arc::clone(&context);
        tokio::spawn(async move {
            let handled = tokio::time::timeout(TRANSACTION_DEADLINE, handle(context, request));
            if handled.await.is_err() {
                tracing::debug!("a SIP transaction was given up");
            }
        });
    }
}

async fn handle(context: Arc<Context>, mut request: Transaction) {
    let Some(peer) = peer(&request) else { return };
    let in_dialog = has_tag(&request);
    if in_dialog {
        within_dialog(&context, request).await;
        return;
    }
    if request.original.method == Method::Ack {
        return;
    }
    match context.verdict(&request, peer.ip()) {
        Verdict::Welcome => {}
        Verdict::Challenge => {
            let challenge = context.challenge();
            reply(&mut request, StatusCode::Unauthorized, vec![challenge]).await;
            return;
        }
        Verdict::Forbidden => {
            tracing::info!(%peer, "a stranger was turned away");
            reply(&mut request, StatusCode::Forbidden, Vec::new()).await;
            return;
        }
    }
    match request.original.method {
        Method::Invite => invite::answer(context, request, peer).await,
        Method::Options => reply(&mut request, StatusCode::OK, vec![allow()]).await,
        _ => reply(&mut request, StatusCode::MethodNotAllowed, vec![allow()]).await,
    }
}

/// A request of a call in progress.
async fn within_dialog(context: &Context, mut request: Transaction) {
    let Some(Dialog::Invite(mut dialog)) = context.dialogs.match_dialog(&request) else {
        if request.original.method != Method::Ack {
            reply(&mut request, StatusCode::CallTransactionDoesNotExist, Vec::new()).await;
        }
        return;
    };
    // A re-INVITE that overtakes the ACK of the first one has to be sent again (RFC 3261, 14.2).
    let early = !dialog.state().is_confirmed();
    if early && !matches!(request.original.method, Method::Bye | Method::PRack | Method::Ack) {
        reply(&mut request, StatusCode::ServerInternalError, vec![retry_after()]).await;
        return;
    }
    if let Err(error) = dialog.handle(&mut request).await {
        tracing::debug!(%error, "a request within a call failed");
    }
    finish(&mut request).await;
}

/// Lets a transaction live until its last retransmission is answered.
pub(crate) async fn finish(request: &mut Transaction) {
    while !request.is_terminated() {
        if request.receive().await.is_none() {
            return;
        }
    }
}

/// Answers a request and stays until the answer has arrived.
pub(crate) async fn reply(request: &mut Transaction, code: StatusCode, headers: Vec<Header>) {
    if let Err(error) = request.reply_with(code, headers, None).await {
        tracing::debug!(%error, "a SIP answer could not be sent");
        return;
    }
    finish(request).await;
}

/// When to try again.
pub(crate) fn retry_after() -> Header {
    Header::Other("Retry-After".into(), RETRY_AFTER.as_secs().to_string())
}

/// What we understand.
pub(crate) fn allow() -> Header {
    Header::Allow("INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO".into())
}

fn has_tag(request: &Transaction) -> bool {
    let to = request.original.to_header().ok();
    to.is_some_and(|to| to.value().to_ascii_lowercase().contains(";tag="))
}

fn peer(request: &Transaction) -> Option<SocketAddr> {
    request.connection.as_ref()?.get_remote_addr()?.get_socketaddr().ok()
}

impl Context {
    fn verdict(&self, request: &Transaction, peer: IpAddr) -> Verdict {
        match self.config.admission.judge(peer) {
            Verdict::Challenge if self.is_proved(request) => Verdict::Welcome,
            verdict => verdict,
        }
    }

    fn is_proved(&self, request: &Transaction) -> bool {
        let header = request.original.headers().iter().find_map(|header| match header {
            Header::Authorization(authorization) => Some(authorization.value().to_owned()),
            _ => None,
        });
        let Some(header) = header else { return false };
        let Ok(parsed) = AuthTokenizer::parse(&header) else { return false };
        if !parsed.scheme.eq_ignore_ascii_case("digest") {
            return false;
        }
        let value = |name: &str| {
            let mut found = parsed.params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map_or("", |(_, value)| value.trim_matches('"'))
        };
        let authorization = Authorization {
            user: value("username"),
            realm: value("realm"),
            nonce: value("nonce"),
            uri: value("uri"),
            response: value("response"),
            qop: value("qop"),
            nc: value("nc"),
            cnonce: value("cnonce"),
        };
        let method = request.original.method.to_string();
        let (now, trunks) = (self.began.elapsed(), &self.config.admission.trunks);
        self.digest.proves(now, &method, &authorization, trunks)
    }

    fn challenge(&self) -> Header {
        let trunk = self.config.admission.trunks.first();
        let challenge = typed::WwwAuthenticate {
            scheme: Scheme::Digest,
            realm: trunk.map_or_else(|| "radline".to_owned(), |trunk| trunk.realm.clone()),
            domain: None,
            nonce: self.digest.nonce(self.began.elapsed()),
            opaque: None,
            stale: None,
            algorithm: Some(Algorithm::Md5),
            qop: Some(Qop::Auth),
            charset: None,
        };
        challenge.into()
    }
}

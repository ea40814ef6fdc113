//! One incoming call from INVITE to BYE.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use radline_phi::Phi;
use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TransactionHandle};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Method, Request, StatusCode, Uri};
use rsipstack::transaction::transaction::Transaction;
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::{ACK_DEADLINE, LEG_EVENTS_MAX, TRANSFER_DEADLINE};
use crate::endpoint::{
    Context, IncomingCall, LineEvent, MissedCall, MissedReason, allow, finish, reply, retry_after,
};
use crate::leg::{Leg, LegEvent, SharedAgreement, Signalling};
use crate::sdp::{self, Description};
use crate::transfer::{self, TransferError, TransferRequest, TransferResult, TransferTarget};
use crate::udp::route_to;

/// Answers a new INVITE: checks it, takes a place and a port, and starts the call's own task.
pub(crate) async fn answer(context: Arc<Context>, mut request: Transaction, peer: SocketAddr) {
    if context.draining.is_cancelled() {
        reply(&mut request, StatusCode::ServiceUnavailable, vec![retry_after()]).await;
        return;
    }
    let body = &request.original.body;
    let offer = match (body.is_empty(), Description::parse(body)) {
        (true, _) => None,
        (false, Ok(offer)) => Some(offer),
        (false, Err(error)) => {
            tracing::info!(%peer, %error, "an offer was refused");
            reply(&mut request, StatusCode::NotAcceptableHere, Vec::new()).await;
            return;
        }
    };
    let Ok(place) = Arc::clone(&context.places).try_acquire_owned() else {
        reply(&mut request, StatusCode::BusyHere, vec![retry_after()]).await;
        return;
    };
    let Some(socket) = bind_rtp(&context, peer).await else {
        tracing::warn!("no port is free for audio");
        reply(&mut request, StatusCode::ServiceUnavailable, vec![retry_after()]).await;
        return;
    };
    match Call::begin(context, &request, peer, socket, offer) {
        Ok((call, states)) => {
            // The call outlives this transaction, so it gets a task without a deadline.
            tokio::spawn(call.run(request, states, place));
        }
        Err(error) => {
            tracing::info!(%peer, %error, "an INVITE could not be taken");
            reply(&mut request, StatusCode::BadRequest, Vec::new()).await;
        }
    }
}

/// Binds a port for audio on the address that reaches the peer.
pub(crate) async fn bind_rtp(context: &Context, peer: SocketAddr) -> Option<UdpSocket> {
    let ip = match context.config.listen.ip() {
        ip if ip.is_unspecified() => route_to(peer).await.unwrap_or(ip),
        ip => ip,
    };
    let Some(ports) = &context.config.rtp_ports else {
        return UdpSocket::bind((ip, 0)).await.ok();
    };
    // RTP takes even ports (RFC 3550, 11); a random start spreads calls over the range.
    let even: Vec<u16> = ports.clone().filter(|port| port % 2 == 0).collect();
    let start = if even.is_empty() { 0 } else { rand::random_range(0..even.len()) };
    for port in even.iter().cycle().skip(start).take(even.len()) {
        if let Ok(socket) = UdpSocket::bind((ip, *port)).await {
            return Some(socket);
        }
    }
    None
}

/// Looks after a call that we placed and that was answered. Its leg.
pub(crate) fn follow_outgoing(
    context: Arc<Context>,
    dialog: InviteDialog,
    mut states: DialogStateReceiver,
    peer: SocketAddr,
    local: SocketAddr,
    socket: UdpSocket,
    answer: &Description,
) -> Leg {
    let mut call = Call::new(context, dialog, peer, local);
    let leg = call.open(socket, answer);
    tokio::spawn(async move {
        let id = call.dialog.id();
        call.live(&mut states).await;
        if let Some(events) = &call.events {
            tell(events, LegEvent::HungUp);
        }
        call.context.dialogs.remove_dialog(&id);
    });
    leg
}

/// One call's signalling.
struct Call {
    context: Arc<Context>,
    dialog: InviteDialog,
    peer: SocketAddr,
    from: Phi<String>,
    socket: Option<UdpSocket>,
    /// The address that SDP names for our audio.
    local: SocketAddr,
    offer: Option<Description>,
    agreement: Option<SharedAgreement>,
    version: u64,
    events: Option<mpsc::Sender<LegEvent>>,
    hang_up: CancellationToken,
    invite_seq: Option<u32>,
    /// Wishes to transfer the caller.
    transfers: (mpsc::Sender<TransferRequest>, mpsc::Receiver<TransferRequest>),
    /// The transfer that the other side is trying, and its deadline.
    transfer: Option<(oneshot::Sender<TransferResult>, Instant)>,
    /// Why the call came to nothing, if it does.
    missed: MissedReason,
}

impl Call {
    fn begin(
        context: Arc<Context>,
        request: &Transaction,
        peer: SocketAddr,
        socket: UdpSocket,
        offer: Option<Description>,
    ) -> Result<(Self, DialogStateReceiver), String> {
        let text = |error: rsipstack::Error| error.to_string();
        let (sender, states) = context.dialogs.new_dialog_state_channel();
        let bound = socket.local_addr().map_err(|error| error.to_string())?;
        let local = SocketAddr::new(context.config.external.unwrap_or(bound.ip()), bound.port());
        let contact = SocketAddr::new(local.ip(), context.contact.port());
        let contact = Uri::try_from(format!("sip:radline@{contact}").as_str())
            .map_err(|error| error.to_string())?;
        let dialog = context
            .dialogs
            .get_or_create_server_invite(request, sender, None, Some(contact))
            .map_err(text)?;
        let from = request.original.from_header().map(|from| from.value().to_owned());
        let call = Self {
            from: Phi::new(from.unwrap_or_default()),
            socket: Some(socket),
            offer,
            invite_seq: sequence(&request.original),
            ..Self::new(context, dialog, peer, local)
        };
        Ok((call, states))
    }

    fn new(
        context: Arc<Context>,
        dialog: InviteDialog,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Self {
        Self {
            context,
            dialog,
            peer,
            from: Phi::default(),
            socket: None,
            local,
            offer: None,
            agreement: None,
            version: 1,
            events: None,
            hang_up: CancellationToken::new(),
            invite_seq: None,
            transfers: mpsc::channel(1),
            transfer: None,
            missed: MissedReason::GaveUp,
        }
    }

    /// Media can flow: the call's leg.
    fn open(&mut self, socket: UdpSocket, description: &Description) -> Leg {
        let agreement = Arc::new(Mutex::new(*description.agreement()));
        let (events, receiver) = mpsc::channel(LEG_EVENTS_MAX);
        if description.agreement().held {
            tell(&events, LegEvent::Held);
        }
        let other = self.dialog.snapshot().remote_uri.to_string();
        let signalling = Signalling {
            events: receiver,
            hang_up: self.hang_up.clone(),
            transfers: self.transfers.0.clone(),
            target: TransferTarget::replacing(&other, &self.dialog.id()),
        };
        (self.agreement, self.events) = (Some(Arc::clone(&agreement)), Some(events));
        Leg::new(socket, agreement, self.peer, signalling)
    }

    /// The call's life. The place is given back when it ends.
    async fn run(
        mut self,
        mut request: Transaction,
        mut states: DialogStateReceiver,
        place: OwnedSemaphorePermit,
    ) {
        let id = self.dialog.id();
        let mut handler = self.dialog.clone();
        // The stack wants its INVITE transaction polled as long as it lives.
        let transaction = tokio::spawn(async move {
            if let Err(error) = handler.handle(&mut request).await {
                tracing::debug!(%error, "an INVITE ended early");
            }
            finish(&mut request).await;
        });
        let body = match &self.offer {
            Some(offer) => offer.answer(self.local, self.version),
            None => sdp::offer(self.local, self.version),
        };
        let headers = Some(vec![sdp_type(), allow()]);
        if let Err(error) = self.dialog.ringing(None, None) {
            tracing::debug!(%error, "ringing could not be announced");
        }
        match self.dialog.accept(headers, Some(body)) {
            Ok(()) => self.live(&mut states).await,
            Err(error) => tracing::info!(%error, "a call could not be answered"),
        }
        match &self.events {
            Some(events) => tell(events, LegEvent::HungUp),
            None => self.report_missed(),
        }
        drop(self.events.take());
        self.context.dialogs.remove_dialog(&id);
        drop(place);
        // A transaction that does not end by itself is ended with the call's last deadline.
        let abort = transaction.abort_handle();
        if tokio::time::timeout(ACK_DEADLINE, transaction).await.is_err() {
            abort.abort();
        }
    }

    /// From the answer to the end.
    async fn live(&mut self, states: &mut DialogStateReceiver) {
        let unanswered = tokio::time::sleep(ACK_DEADLINE);
        tokio::pin!(unanswered);
        let hang_up = self.hang_up.clone();
        let (answered, mut answers) = mpsc::channel(1);
        loop {
            let late = self.transfer.as_ref().map(|(_, deadline)| *deadline);
            tokio::select! {
                state = states.recv() => match state {
                    Some(DialogState::Terminated(..)) | None => return,
                    Some(state) => {
                        if !self.state(state).await {
                            self.bye().await;
                            return;
                        }
                    }
                },
                () = hang_up.cancelled() => {
                    self.bye().await;
                    return;
                }
                Some(wish) = self.transfers.1.recv() => self.refer(wish, &answered),
                Some(accepted) = answers.recv() => if !accepted {
                    self.transferred(Err(TransferError::Refused));
                },
                () = sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => {
                    self.transferred(Err(TransferError::Late));
                }
                () = &mut unanswered, if self.events.is_none() => {
                    self.missed = MissedReason::NeverAcknowledged;
                    self.bye().await;
                    return;
                }
            }
        }
    }

    /// Asks the other side to leave us for somebody else. One wish at a time; its own task waits for the
    /// answer, so that the call goes on meanwhile.
    fn refer(&mut self, wish: TransferRequest, answered: &mpsc::Sender<bool>) {
        if self.transfer.is_some() {
            tell_result(wish.reply, Err(TransferError::Refused));
            return;
        }
        self.transfer = Some((wish.reply, Instant::now() + TRANSFER_DEADLINE));
        let (dialog, answered) = (self.dialog.clone(), answered.clone());
        tokio::spawn(async move {
            let response = dialog.refer(wish.target.0.as_str(), None, None).await;
            let code = response.ok().flatten().map(|response| response.status_code.code());
            if answered.try_send(code.is_some_and(|code| code < 300)).is_err() {
                tracing::debug!("a call was over before its transfer was answered");
            }
        });
    }

    fn transferred(&mut self, result: TransferResult) {
        let Some((reply, _)) = self.transfer.take() else { return };
        tracing::info!(?result, "a transfer is over");
        tell_result(reply, result);
    }

    async fn bye(&self) {
        if let Err(error) = self.dialog.bye().await {
            tracing::debug!(%error, "a BYE was not answered");
        }
    }

    /// Takes up a change of the dialog. False ends the call.
    async fn state(&mut self, state: DialogState) -> bool {
        match state {
            DialogState::Confirmed(..) if self.events.is_none() => self.confirmed(),
            DialogState::Updated(_, request, handle) => {
                self.updated(&request, &handle).await;
                true
            }
            DialogState::Info(_, _, handle) | DialogState::Options(_, _, handle) => {
                respond(&handle, StatusCode::OK, None, None).await;
                true
            }
            DialogState::Notify(_, report, handle) if self.transfer.is_some() => {
                respond(&handle, StatusCode::OK, None, None).await;
                if let Some(result) = transfer::reported(&report).and_then(transfer::verdict) {
                    self.transferred(result);
                }
                true
            }
            DialogState::Notify(_, _, handle)
            | DialogState::Refer(_, _, handle)
            | DialogState::Message(_, _, handle)
            | DialogState::Publish(_, _, handle) => {
                respond(&handle, StatusCode::NotImplemented, None, None).await;
                true
            }
            _ => true,
        }
    }

    /// The ACK is there: media can flow, and the server gets the call.
    fn confirmed(&mut self) -> bool {
        // Delayed offer: the answer to ours comes with the ACK.
        let Some(description) = self.offer.take().or_else(|| self.answer_in_ack()) else {
            self.missed = MissedReason::NoCommonMedia;
            return false;
        };
        let Some(socket) = self.socket.take() else { return false };
        let leg = self.open(socket, &description);
        let call = IncomingCall { peer: self.peer, from: self.from.clone(), leg };
        self.context.incoming.try_send(LineEvent::Call(Box::new(call))).is_ok()
    }

    fn report_missed(&self) {
        let missed = MissedCall { peer: self.peer, reason: self.missed };
        tracing::info!(peer = %missed.peer, reason = ?missed.reason, "a call came to nothing");
        if self.context.incoming.try_send(LineEvent::Missed(missed)).is_err() {
            tracing::warn!("the server is too busy to record a call that came to nothing");
        }
    }

    fn answer_in_ack(&self) -> Option<Description> {
        let ack = self.dialog.last_remote_ack()?;
        if sequence(&ack) != self.invite_seq {
            return None;
        }
        Description::parse(&ack.body).ok()
    }

    /// A re-INVITE or UPDATE: hold, resume, a new place for the media.
    async fn updated(&mut self, request: &Request, handle: &TransactionHandle) {
        self.version += 1;
        if request.body.is_empty() {
            let body =
                (request.method == Method::Invite).then(|| sdp::offer(self.local, self.version));
            let headers = body.as_ref().map(|_| vec![sdp_type(), allow()]);
            respond(handle, StatusCode::OK, headers, body).await;
            return;
        }
        let Ok(offer) = Description::parse(&request.body) else {
            respond(handle, StatusCode::NotAcceptableHere, None, None).await;
            return;
        };
        let body = offer.answer(self.local, self.version);
        self.change(&offer);
        let headers = Some(vec![sdp_type(), allow()]);
        respond(handle, StatusCode::OK, headers, Some(body)).await;
    }

    fn change(&self, offer: &Description) {
        let Some(agreement) = &self.agreement else { return };
        let new = *offer.agreement();
        let was_held = {
            let mut agreement = agreement.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *agreement, new).held
        };
        let event = match (was_held, new.held) {
            (false, true) => LegEvent::Held,
            (true, false) => LegEvent::Resumed,
            _ => return,
        };
        if let Some(events) = &self.events {
            tell(events, event);
        }
    }
}

/// A queue that is full or closed belongs to a driver that is about to end the call, and the
/// end of the queue tells it the same.
fn tell(events: &mpsc::Sender<LegEvent>, event: LegEvent) {
    if events.try_send(event).is_err() {
        tracing::debug!(?event, "nobody took an event of a leg");
    }
}

fn tell_result(reply: oneshot::Sender<TransferResult>, result: TransferResult) {
    if reply.send(result).is_err() {
        tracing::debug!("nobody waits for what became of a transfer");
    }
}

async fn respond(
    handle: &TransactionHandle,
    code: StatusCode,
    headers: Option<Vec<Header>>,
    body: Option<Vec<u8>>,
) {
    if handle.respond(code, headers, body).await.is_err() {
        tracing::debug!("a request within a call was gone before its answer");
    }
}

fn sdp_type() -> Header {
    Header::ContentType("application/sdp".into())
}

fn sequence(request: &Request) -> Option<u32> {
    request.cseq_header().ok()?.seq().ok()
}

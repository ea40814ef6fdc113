//! The service's methods, one function each.

use std::sync::Arc;

use radline_call::Judgement;
use radline_phi::Phi;
use radline_store::{Account, Role};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::v1::provider_service_server::ProviderService;
use super::{Grpc, convert, talk, v1};
use crate::bridge;
use crate::desk::{QueuedCall, Refusal};
use crate::limits;
use crate::provider::{Filter, Provider};

/// The service.
#[derive(Clone)]
pub struct ProviderGrpc {
    pub(super) grpc: Grpc,
}

impl std::fmt::Debug for ProviderGrpc {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ProviderGrpc").finish_non_exhaustive()
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = ReceiverStream<Result<T, Status>>;

impl ProviderGrpc {
    pub(super) const fn new(grpc: Grpc) -> Self {
        Self { grpc }
    }

    /// Whoever asks, by their token.
    async fn who<T>(&self, request: &Request<T>) -> Result<Provider, Status> {
        let token = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| Status::unauthenticated("send `authorization: Bearer <token>`"))?;
        let account = self.grpc.store.account_of_token(&token_hash(token)).await;
        let account: Option<Account> = account.map_err(|error| {
            tracing::error!(%error, "a token could not be looked up");
            Status::unavailable("the accounts cannot be read at the moment")
        })?;
        let account = account.ok_or_else(|| Status::unauthenticated("this token is not known"))?;
        if !matches!(account.role, Role::Provider | Role::Supervisor) {
            return Err(Status::permission_denied("this account does not take calls"));
        }
        Ok(Provider { name: account.name, display: account.display })
    }

    /// Whether the account is there still: whoever was sent away hears no more.
    async fn goes_on(&self, who: &Provider) -> bool {
        matches!(self.grpc.store.account(&who.name).await, Ok(Some(_)))
    }

    /// Writes down who did what. Nothing is shown or done that is not.
    async fn audit(&self, who: &Provider, what: &str, record: &str) -> Result<(), Status> {
        let now = (self.grpc.clock)();
        self.grpc.store.audit(&who.name, what, record, now).await.map_err(|error| {
            tracing::error!(%error, "the audit could not be written");
            Status::unavailable("the audit cannot be written at the moment")
        })
    }
}

/// A token as it is kept.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

pub(super) fn refused(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Over => Status::not_found(refusal.to_string()),
        Refusal::Taken(_)
        | Refusal::Busy
        | Refusal::NotYours
        | Refusal::Decided
        | Refusal::Differs(_) => Status::failed_precondition(refusal.to_string()),
    }
}

/// Which calls a client wants to see. A site is one server: the filter's site is for gateways.
fn shown(call: &QueuedCall, filter: &Filter, all: bool) -> bool {
    match &call.escalation {
        Some(escalation) => filter.takes(escalation),
        None => all,
    }
}

fn filter(message: Option<v1::Filter>) -> Filter {
    let v1::Filter { skills, languages, .. } = message.unwrap_or_default();
    Filter { skills, languages }
}

#[tonic::async_trait]
impl ProviderService for ProviderGrpc {
    type WatchQueueStream = Answers<v1::WatchQueueResponse>;
    type StayPresentStream = Answers<v1::StayPresentResponse>;
    type TalkStream = Answers<v1::TalkResponse>;
    type FollowCallStream = Answers<v1::FollowCallResponse>;

    async fn watch_queue(
        &self,
        request: Request<v1::WatchQueueRequest>,
    ) -> Answer<Self::WatchQueueStream> {
        let who = self.who(&request).await?;
        self.audit(&who, "watch_queue", "").await?;
        let v1::WatchQueueRequest { filter: asked, all_calls } = request.into_inner();
        let (filter, desk) = (filter(asked), Arc::clone(&self.grpc.bridge));
        let (sender, receiver) = mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            let mut changes = desk.watch();
            loop {
                changes.borrow_and_update();
                let (version, calls, now) = desk.queue();
                let calls = calls.into_iter().filter(|call| shown(call, &filter, all_calls));
                let calls = calls.map(convert::queued).collect();
                let now_unix_ms = now.as_millisecond();
                let message = v1::WatchQueueResponse { version, calls, now_unix_ms };
                // A slow reader holds this up, and gets what is true then.
                if sender.send(Ok(message)).await.is_err() {
                    return;
                }
                if !bridge::until_changed(&mut changes, &sender, limits::PRESENCE_EVERY).await
                    || !service.goes_on(&who).await
                {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn stay_present(
        &self,
        request: Request<v1::StayPresentRequest>,
    ) -> Answer<Self::StayPresentStream> {
        let who = self.who(&request).await?;
        let filter = filter(request.into_inner().filter);
        let bridge = Arc::clone(&self.grpc.bridge);
        self.audit(&who, "present", "").await?;
        let service = self.clone();
        let presence = bridge.arrive(who.clone(), filter.clone());
        let presence = presence.ok_or_else(|| Status::resource_exhausted("the desk is full"))?;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let waiting = bridge.waiting_for(&filter) as u32;
                if sender.send(Ok(v1::StayPresentResponse { waiting })).await.is_err() {
                    break;
                }
                tokio::select! {
                    () = sleep(limits::PRESENCE_EVERY) => {}
                    () = sender.closed() => break,
                }
                if !service.goes_on(&who).await {
                    break;
                }
            }
            drop(presence);
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn claim_call(
        &self,
        request: Request<v1::ClaimCallRequest>,
    ) -> Answer<v1::ClaimCallResponse> {
        let who = self.who(&request).await?;
        let call = request.into_inner().call_id;
        self.audit(&who, "claim_call", &call).await?;
        let brief = self.grpc.bridge.claim(&who, &call).map_err(|error| refused(&error))?;
        let brief = Some(convert::brief(brief));
        Ok(Response::new(v1::ClaimCallResponse { brief }))
    }

    async fn decline_call(
        &self,
        request: Request<v1::DeclineCallRequest>,
    ) -> Answer<v1::DeclineCallResponse> {
        let who = self.who(&request).await?;
        let v1::DeclineCallRequest { call_id, .. } = request.into_inner();
        self.audit(&who, "decline_call", &call_id).await?;
        self.grpc.bridge.decline(&who, &call_id).map_err(|error| refused(&error))?;
        Ok(Response::new(v1::DeclineCallResponse {}))
    }

    async fn talk(&self, request: Request<Streaming<v1::TalkRequest>>) -> Answer<Self::TalkStream> {
        let who = self.who(&request).await?;
        self.audit(&who, "talk", "").await?;
        talk::talk(self.grpc.clone(), who, request.into_inner()).await
    }

    async fn decide_draft(
        &self,
        request: Request<v1::DecideDraftRequest>,
    ) -> Answer<v1::DecideDraftResponse> {
        let who = self.who(&request).await?;
        let message = request.into_inner();
        let judgement = match message.verdict() {
            v1::Verdict::Approve => Judgement::Approve,
            v1::Verdict::Reject => Judgement::Reject,
            v1::Verdict::Edit if !message.text.trim().is_empty() => {
                Judgement::Edit(Phi::new(message.text.chars().take(limits::NOTE_MAX).collect()))
            }
            _ => return Err(Status::invalid_argument("say approve, reject, or edit with a text")),
        };
        self.audit(&who, "decide_draft", &message.call_id).await?;
        let bridge = &self.grpc.bridge;
        let judged = bridge.judge(&who, &message.call_id, message.draft_id, judgement);
        judged.map_err(|error| refused(&error))?;
        Ok(Response::new(v1::DecideDraftResponse {}))
    }

    async fn follow_call(
        &self,
        request: Request<v1::FollowCallRequest>,
    ) -> Answer<Self::FollowCallStream> {
        let who = self.who(&request).await?;
        let v1::FollowCallRequest { call_id, after } = request.into_inner();
        self.audit(&who, "follow_call", &call_id).await?;
        let follower = self.grpc.bridge.follow(&call_id, after);
        let mut follower = follower.ok_or_else(|| refused(&Refusal::Over))?;
        let (sender, receiver) = mpsc::channel(limits::STREAM_AHEAD);
        tokio::spawn(async move {
            loop {
                let items = tokio::select! {
                    items = follower.next() => items,
                    () = sender.closed() => return,
                };
                let Some(items) = items else { return };
                for (sequence, item) in items {
                    let over = item == crate::feed::FeedItem::State(crate::feed::CallState::Ended);
                    let sent = sender.send(Ok(convert::followed(sequence, item))).await;
                    if sent.is_err() || over {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

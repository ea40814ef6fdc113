//! Calls and providers, brought together: what a call's driver tells the desk, and what providers do
//! with a call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use radline_call::{
    CallEvent, DraftReply, EscalationOutcome, EventKind, Judgement, PersonLeft, TransferOutcome,
};
use radline_dialogue::{CallbackReason, Dialogue};
use radline_phi::Phi;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::brief::Brief;
use crate::desk::{Desk, DeskWord, QueuedCall, Refusal};
use crate::escalation::Escalation;
use crate::feed::{CallState, Draft, Feed, FeedItem};
use crate::limits;
use crate::line::{CallerLine, PersonLine, line};
use crate::provider::{Filter, Provider};

/// What a call's driver has to take up.
#[derive(Debug)]
pub enum DriverWord {
    /// How many wait before this caller.
    PlaceInLine(usize),
    /// Nobody can take over.
    Nobody(EscalationOutcome),
    /// A person has taken over, and this is their line.
    Joined(Provider, CallerLine),
    /// That person is gone.
    Left {
        /// How.
        how: PersonLeft,
        /// Whether nobody has to call the caller back.
        settled: bool,
    },
    /// The caller's exchange is to connect the caller with this address, without us; what became of it is
    /// for the provider's side.
    Transfer(String, oneshot::Sender<TransferOutcome>),
    /// Somebody has decided about a draft.
    Judged(u64, Judgement, String),
}

/// Whether a person's words for a draft (first) say what the approved text (second) says; what differs if not.
pub type CheckWording = fn(&str, &str) -> Result<(), String>;

/// Reads the time.
pub type ReadClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Waits until the queue has changed, or it is time to look `again`, but never so short that a busy desk
/// floods the reader. False once the desk or the reader is gone.
pub(crate) async fn until_changed<T>(
    changes: &mut watch::Receiver<u64>,
    reader: &mpsc::Sender<T>,
    again: Duration,
) -> bool {
    sleep(limits::QUEUE_EVERY).await;
    tokio::select! {
        changed = changes.changed() => changed.is_ok(),
        () = reader.closed() => false,
        () = sleep(again) => true,
    }
}

/// A call that can be followed and taken.
struct LiveCall {
    feed: Mutex<Feed>,
    /// The number of the feed's last item.
    fed: watch::Sender<u64>,
    words: mpsc::Sender<DriverWord>,
    /// How many wait before this caller: it changes often, and only the last one counts, so that it
    /// never stands in the way of a word that must arrive.
    before: watch::Sender<Option<usize>>,
    /// The draft that waits for a provider's word.
    draft: Mutex<Option<(u64, Phi<String>)>>,
}

/// Calls and providers, brought together.
pub struct Bridge {
    desk: Mutex<Desk>,
    calls: Mutex<HashMap<String, Arc<LiveCall>>>,
    changed: watch::Sender<u64>,
    clock: ReadClock,
    check: CheckWording,
    language: String,
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Bridge").finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bridge {
    /// A bridge without calls. `language` is what the line speaks, BCP 47.
    pub fn new(clock: ReadClock, check: CheckWording, language: &str) -> Arc<Self> {
        Arc::new(Self {
            desk: Mutex::new(Desk::default()),
            calls: Mutex::default(),
            changed: watch::Sender::new(0),
            clock,
            check,
            language: language.to_owned(),
        })
    }

    /// Looks after the desk's deadlines, for as long as the program runs.
    pub async fn keep_time(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(limits::TICK);
        loop {
            ticks.tick().await;
            let now = (self.clock)();
            self.at_desk(|desk| desk.tick(now));
        }
    }

    /// A call begins; its driver gets the handle.
    pub fn begin_call(self: &Arc<Self>, call: &str) -> CallHandle {
        let (words, receiver) = mpsc::channel(limits::WORDS_MAX);
        let live = Arc::new(LiveCall {
            feed: Mutex::default(),
            fed: watch::Sender::new(0),
            words,
            before: watch::Sender::new(None),
            draft: Mutex::default(),
        });
        locked(&self.calls).insert(call.to_owned(), Arc::clone(&live));
        let now = (self.clock)();
        self.at_desk(|desk| desk.begin(now, call));
        let before = live.before.subscribe();
        let (bridge, call) = (Arc::clone(self), call.to_owned());
        CallHandle { bridge, call, live, words: receiver, before }
    }

    /// The queue's version, as it changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The queue, and the time on the server's clock.
    pub fn queue(&self) -> (u64, Vec<QueuedCall>, Timestamp) {
        let desk = locked(&self.desk);
        (desk.version(), desk.calls(), (self.clock)())
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Who is there, and whether they talk with somebody.
    pub fn present(&self) -> Vec<(Provider, bool)> {
        locked(&self.desk).present()
    }

    /// Callers on the line whom a provider with this filter could take.
    pub fn waiting_for(&self, filter: &Filter) -> usize {
        locked(&self.desk).waiting_for(filter)
    }

    /// A provider is there, until the value is dropped. Nothing when too many are.
    pub fn arrive(self: &Arc<Self>, provider: Provider, filter: Filter) -> Option<PresenceHandle> {
        let presence = self.at_desk(|desk| desk.arrive(provider, filter))?;
        Some(PresenceHandle { bridge: Arc::clone(self), presence })
    }

    /// A provider takes a call. What to know before the first word.
    pub fn claim(&self, provider: &Provider, call: &str) -> Result<Brief, Refusal> {
        let now = (self.clock)();
        self.at_desk(|desk| desk.claim(now, provider, call))?;
        let live = self.live(call).ok_or(Refusal::Over)?;
        Ok(locked(&live.feed).brief().clone())
    }

    /// A provider leaves a call to others.
    pub fn decline(&self, provider: &Provider, call: &str) -> Result<(), Refusal> {
        self.refuse(provider, call, EscalationOutcome::Declined)
    }

    /// A provider does not take a call, for this reason.
    pub fn refuse(
        &self,
        provider: &Provider,
        call: &str,
        why: EscalationOutcome,
    ) -> Result<(), Refusal> {
        self.at_desk(|desk| desk.decline(provider, call, why))
    }

    /// The provider who has claimed a call hears the caller from here on.
    pub fn join(
        self: &Arc<Self>,
        provider: &Provider,
        call: &str,
    ) -> Result<Conversation, Refusal> {
        let live = self.live(call).ok_or(Refusal::Over)?;
        self.at_desk(|desk| desk.join(provider, call))?;
        let (caller, person) = line();
        let word = DriverWord::Joined(provider.clone(), caller);
        if live.words.try_send(word).is_err() {
            self.at_desk(|desk| desk.part(provider, call, PersonLeft::Lost));
            return Err(Refusal::Over);
        }
        live.push(FeedItem::State(CallState::WithProvider));
        let (bridge, call) = (Arc::clone(self), call.to_owned());
        let parting = Parting { bridge, provider: provider.clone(), call, over: false };
        Ok(Conversation { line: person, parting })
    }

    /// A provider decides about a draft. The first word counts; words that say something else than the record
    /// are none, and are kept for review.
    pub fn judge(
        &self,
        provider: &Provider,
        call: &str,
        draft: u64,
        judgement: Judgement,
    ) -> Result<(), Refusal> {
        let live = self.live(call).ok_or(Refusal::Over)?;
        let approved = locked(&live.draft).take_if(|(waits, _)| *waits == draft);
        let approved = approved.ok_or(Refusal::Decided)?;
        let differs = match &judgement {
            Judgement::Edit(words) => (self.check)(words.expose(), approved.1.expose()).err(),
            _ => None,
        };
        let judgement = match (judgement, &differs) {
            (Judgement::Edit(words), Some(why)) => Judgement::Blocked(words, why.clone()),
            (judgement, _) => judgement,
        };
        let word = DriverWord::Judged(draft, judgement, provider.name.clone());
        live.words.try_send(word).map_err(|_| Refusal::Over)?;
        let Some(why) = differs else { return Ok(()) };
        // The draft waits on, unless another one has come meanwhile.
        locked(&live.draft).get_or_insert(approved);
        Err(Refusal::Differs(why))
    }

    /// What is said and happens in a call after a number, as long as it lasts.
    pub fn follow(&self, call: &str, after: u64) -> Option<Follower> {
        let live = self.live(call)?;
        let fed = live.fed.subscribe();
        Some(Follower { live, fed, after })
    }

    /// A call's brief.
    pub fn brief(&self, call: &str) -> Option<Brief> {
        Some(locked(&self.live(call)?.feed).brief().clone())
    }

    fn live(&self, call: &str) -> Option<Arc<LiveCall>> {
        locked(&self.calls).get(call).cloned()
    }

    /// Does something at the desk, and passes on what comes of it.
    fn at_desk<T>(&self, act: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = locked(&self.desk);
        let before = desk.version();
        let result = act(&mut desk);
        let mut words = Vec::new();
        while let Some(word) = desk.poll() {
            words.push(word);
        }
        let after = desk.version();
        drop(desk);
        for (call, word) in words {
            let Some(live) = self.live(&call) else { continue };
            match word {
                DeskWord::PlaceInLine(before) => drop(live.before.send_replace(Some(before))),
                DeskWord::Nobody(outcome) => {
                    if live.words.try_send(DriverWord::Nobody(outcome)).is_err() {
                        tracing::warn!("a call does not take up what the desk tells it");
                    }
                }
            }
        }
        if after != before {
            self.changed.send_replace(after);
        }
        result
    }
}

impl LiveCall {
    fn push(&self, item: FeedItem) {
        self.with_feed(|feed| feed.push(item));
    }

    fn with_feed<T>(&self, act: impl FnOnce(&mut Feed) -> T) -> T {
        let mut feed = locked(&self.feed);
        let result = act(&mut feed);
        let last = feed.last();
        drop(feed);
        self.fed.send_replace(last);
        result
    }
}

/// A call, for its driver. Dropping it ends the call at the desk.
#[derive(Debug)]
pub struct CallHandle {
    bridge: Arc<Bridge>,
    call: String,
    live: Arc<LiveCall>,
    words: mpsc::Receiver<DriverWord>,
    before: watch::Receiver<Option<usize>>,
}

impl std::fmt::Debug for LiveCall {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LiveCall").finish_non_exhaustive()
    }
}

impl CallHandle {
    /// What the call has to take up next. Safe to cancel.
    pub async fn word(&mut self) -> DriverWord {
        loop {
            tokio::select! {
                biased;
                word = self.words.recv() => match word {
                    Some(word) => return word,
                    // The sender lives in this very value.
                    None => return std::future::pending().await,
                },
                changed = self.before.changed() => {
                    let before = *self.before.borrow_and_update();
                    if let (Ok(()), Some(before)) = (changed, before) {
                        return DriverWord::PlaceInLine(before);
                    }
                }
            }
        }
    }

    /// Shows an event to whoever follows the call.
    pub fn show(&self, event: &CallEvent) {
        if let EventKind::DraftDecided { .. } = event.kind {
            *locked(&self.live.draft) = None;
            self.bridge.at_desk(|desk| desk.draft(&self.call, false));
        }
        self.live.with_feed(|feed| feed.follow(event));
    }

    /// A reply waits for a provider's word. Whether anybody is there to give it.
    pub fn draft(&self, reply: DraftReply) -> bool {
        *locked(&self.live.draft) = Some((reply.draft, reply.text.clone()));
        let said = locked(&self.live.feed).said();
        let deadline = (self.bridge.clock)() + reply.wait;
        self.live.push(FeedItem::Draft(Box::new(Draft { reply, deadline, said })));
        self.bridge.at_desk(|desk| desk.draft(&self.call, true))
    }

    /// A person is needed. Whether somebody is there who could come.
    pub fn escalate(&self, reason: CallbackReason) -> bool {
        let trigger = locked(&self.live.feed).said();
        let now = (self.bridge.clock)();
        let need = Escalation::new(reason, &self.bridge.language, trigger, now);
        self.bridge.at_desk(|desk| desk.escalate(&self.call, need))
    }

    /// The caller waits on the line from here on.
    pub fn queue(&self) {
        let now = (self.bridge.clock)();
        self.bridge.at_desk(|desk| desk.queue(now, &self.call));
        self.live.push(FeedItem::State(CallState::Waiting));
    }

    /// The caller waits no longer.
    pub fn leave_queue(&self) {
        self.bridge.at_desk(|desk| desk.leave_queue(&self.call));
        self.live.push(FeedItem::State(CallState::WithAgent));
    }

    /// Brings brief and queue up to date with the dialogue.
    pub fn describe(&self, dialogue: &Dialogue) {
        let escalation = locked(&self.bridge.desk).escalation(&self.call);
        let feelings = locked(&self.live.feed).feelings();
        let brief = Brief::of(dialogue, escalation, feelings);
        let (name, verified) = (brief.story.name.clone(), brief.story.verified);
        let about = brief.about();
        self.live.with_feed(|feed| feed.brief_is(brief));
        self.bridge.at_desk(|desk| desk.describe(&self.call, name, verified, about));
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        self.live.push(FeedItem::State(CallState::Ended));
        locked(&self.bridge.calls).remove(&self.call);
        self.bridge.at_desk(|desk| desk.end(&self.call));
    }
}

/// Follows a call.
#[derive(Debug)]
pub struct Follower {
    live: Arc<LiveCall>,
    fed: watch::Receiver<u64>,
    after: u64,
}

impl Follower {
    /// What is new, in order; nothing once the call is over and everything was read. Safe to cancel.
    pub async fn next(&mut self) -> Option<Vec<(u64, FeedItem)>> {
        loop {
            self.fed.borrow_and_update();
            let items = locked(&self.live.feed).after(self.after);
            if let Some((last, _)) = items.last() {
                self.after = *last;
                return Some(items);
            }
            if locked(&self.live.feed).is_over() {
                return None;
            }
            // The sender lives in `live`, so this ends with news or not at all.
            self.fed.changed().await.ok()?;
        }
    }
}

/// A provider's presence. Dropping it ends it.
#[derive(Debug)]
pub struct PresenceHandle {
    bridge: Arc<Bridge>,
    presence: u64,
}

impl Drop for PresenceHandle {
    fn drop(&mut self) {
        self.bridge.at_desk(|desk| desk.leave(self.presence));
    }
}

/// A conversation between a provider and a caller. Dropping it without a word is a connection that
/// broke.
#[derive(Debug)]
pub struct Conversation {
    /// The audio.
    pub line: PersonLine,
    /// How it ends.
    pub parting: Parting,
}

/// How a conversation ends, for the provider's side.
#[derive(Debug)]
pub struct Parting {
    bridge: Arc<Bridge>,
    provider: Provider,
    call: String,
    over: bool,
}

impl Parting {
    /// Asks the caller's exchange to connect the caller with this address, without us. Until it has, the
    /// conversation goes on here.
    pub fn transfer(&self, to: String) -> impl Future<Output = TransferOutcome> + use<> {
        let (reply, outcome) = oneshot::channel();
        if let Some(live) = self.bridge.live(&self.call) {
            // A word that is not taken drops the sender, which is its answer.
            drop(live.words.try_send(DriverWord::Transfer(to, reply)));
        }
        async move { outcome.await.unwrap_or(TransferOutcome::Refused) }
    }

    /// Ends the conversation in this way. `settled` says whether nobody has to call the caller back.
    pub fn part(mut self, how: PersonLeft, settled: bool) {
        self.end(how, settled);
    }

    fn end(&mut self, how: PersonLeft, settled: bool) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        // The words are in order with those of whoever takes the call next.
        let live = self.bridge.live(&self.call);
        let word = DriverWord::Left { how, settled };
        let told = self.bridge.at_desk(|desk| {
            let was_theirs = desk.part(&self.provider, &self.call, how);
            let live = live.as_ref().filter(|_| was_theirs)?;
            Some(live.words.try_send(word).is_ok())
        });
        let Some(live) = live.filter(|_| told.is_some()) else { return };
        if !matches!(how, PersonLeft::Finished | PersonLeft::Transferred) {
            live.push(FeedItem::State(CallState::WithAgent));
        }
        if told == Some(false) {
            tracing::warn!("a call does not take up that its provider is gone");
        }
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.end(PersonLeft::Lost, false);
    }
}

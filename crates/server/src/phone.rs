//! A telephone on which a person may take over: it rings for a caller who waits, whoever answers hears in a
//! sentence what it is about, and takes the call by a key.

use std::sync::Arc;
use std::time::Duration;

use radline_audio::{AudioFrame, DtmfDigit, FRAME_MS};
use radline_bridge::bridge::Conversation;
use radline_bridge::wrap_up::{self, Words};
use radline_bridge::{Filter, PersonLine, Place, Provider, QueuedCall, Urgency};
use radline_call::{EscalationOutcome, PersonLeft, TransferOutcome};
use radline_phi::Phi;
use radline_telephony::{CallOutError, Dialer, Leg, LegEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::app::Services;
use crate::site::Phone;

/// How often the queue is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long whoever answers may take to press a key. A mailbox presses none.
const DECIDE: Duration = Duration::from_secs(20);
/// Longest wait for the sentence that says what it is about.
const BRIEF: Duration = Duration::from_secs(8);
/// No packets for this long: the telephone is gone.
const SILENT: Duration = Duration::from_secs(10);
/// Pause before the sentence is said again.
const AGAIN: usize = 100;

/// Looks after a telephone for as long as the program runs.
pub async fn look_after(services: Arc<Services>, phone: Phone, dialer: Dialer) {
    let name: String = phone.name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
    let provider = Provider { name: format!("phone-{name}"), display: phone.name.clone() };
    let filter = Filter { skills: phone.skills.clone(), languages: Vec::new() };
    let desk = Desk { services, phone, provider, filter, dialer };
    let mut there = None;
    loop {
        sleep(LOOK).await;
        if !desk.is_staffed() {
            there = None;
        } else if there.is_none() {
            there = desk.services.bridge.arrive(desk.provider.clone(), desk.filter.clone());
        }
        if let Some(call) = desk.next().filter(|_| there.is_some()) {
            desk.ring(&call).await;
        }
    }
}

struct Desk {
    services: Arc<Services>,
    phone: Phone,
    provider: Provider,
    filter: Filter,
    dialer: Dialer,
}

/// What whoever answered wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Take,
    Leave,
    /// Nothing: nobody was there, or nobody listened.
    Nothing,
}

impl Desk {
    /// Whether somebody may be expected to answer.
    fn is_staffed(&self) -> bool {
        let local = self.services.clock.moment().local;
        self.phone.always || self.services.site.office.is_open(local)
    }

    /// The first caller for whom the telephone should ring.
    fn next(&self) -> Option<QueuedCall> {
        let (_, calls, now) = self.services.bridge.queue();
        calls.into_iter().find(|call| {
            let Some(need) = call.escalation.as_ref().filter(|need| self.filter.takes(need)) else {
                return false;
            };
            let patience =
                if need.urgency >= Urgency::Urgent { 0 } else { self.phone.after_seconds };
            let waited = now.duration_since(need.since).as_secs();
            call.place == Place::Waiting
                && !call.declined.contains(&self.provider.name)
                && waited >= patience as i64
        })
    }

    /// Whether the caller waits still, and for nobody else.
    fn waits(&self, call: &str) -> bool {
        let (_, calls, _) = self.services.bridge.queue();
        calls.iter().any(|queued| queued.call == call && queued.place == Place::Waiting)
    }

    /// Rings for a caller, until somebody answers, nobody does, or the caller is seen to otherwise: no
    /// telephone rings on for somebody who has gone.
    async fn ring(&self, call: &QueuedCall) {
        let ring = Duration::from_secs(self.phone.ring_seconds);
        tracing::info!(call = %call.call, phone = %self.provider.name, "a telephone rings");
        let answered = tokio::select! {
            answered = self.dialer.call(&self.phone.uri, ring) => answered,
            () = self.until_gone(&call.call) => {
                tracing::info!(call = %call.call, "it rings no longer: the caller is seen to");
                return;
            }
        };
        match answered {
            Ok(leg) => self.answered(call, leg).await,
            Err(error) => {
                tracing::info!(call = %call.call, phone = %self.provider.name, %error, "nobody came");
                self.refuse(
                    &call.call,
                    match error {
                        CallOutError::Busy => EscalationOutcome::Busy,
                        CallOutError::Declined => EscalationOutcome::Declined,
                        CallOutError::NoAnswer | CallOutError::Unreachable(_) => {
                            EscalationOutcome::NoAnswer
                        }
                    },
                );
            }
        }
    }

    async fn until_gone(&self, call: &str) {
        while self.waits(call) {
            sleep(LOOK).await;
        }
    }

    fn refuse(&self, call: &str, why: EscalationOutcome) {
        if let Err(error) = self.services.bridge.refuse(&self.provider, call, why) {
            tracing::debug!(%error, "a call was over before its telephone");
        }
    }

    /// Somebody picked up: says what it is about, and does what they choose.
    async fn answered(&self, call: &QueuedCall, mut leg: Leg) {
        let audio = self.brief(call).await;
        let choice = tokio::select! {
            choice = choose(&mut leg, &audio) => choice,
            () = self.until_gone(&call.call) => {
                leg.hang_up();
                return;
            }
        };
        let bridge = &self.services.bridge;
        let joined = match choice {
            Choice::Take => bridge
                .claim(&self.provider, &call.call)
                .and_then(|_| bridge.join(&self.provider, &call.call)),
            Choice::Leave => {
                self.refuse(&call.call, EscalationOutcome::Declined);
                leg.hang_up();
                return;
            }
            Choice::Nothing => {
                self.refuse(&call.call, EscalationOutcome::NoAnswer);
                leg.hang_up();
                return;
            }
        };
        match joined {
            Ok(conversation) => self.talk(&call.call, conversation, leg).await,
            Err(error) => tracing::info!(call = %call.call, %error, "a telephone came too late"),
        }
    }

    /// What it is about, as audio. No name is spoken: whoever picks up may not be alone.
    async fn brief(&self, call: &QueuedCall) -> Vec<AudioFrame> {
        let reason = call.escalation.as_ref().map_or("A caller waits", |need| need.text());
        let text = format!(
            "Radline, with a caller. {reason}. Press one to take the call, or two to leave it. Later, press \
             pound to give the caller back."
        );
        let (sender, mut parts) = mpsc::channel(16);
        let number = self.services.next_number();
        self.services.voice.speak(number, Phi::new(text), true, move |part| {
            drop(sender.try_send(part));
        });
        let mut audio = Vec::new();
        let spoken = timeout(BRIEF, async {
            while let Some(Some(part)) = parts.recv().await {
                audio.extend(part.audio.expose());
                if part.last {
                    break;
                }
            }
        });
        if spoken.await.is_err() {
            tracing::warn!("a telephone hears no brief: the voice is behind");
        }
        AudioFrame::split(&audio)
    }

    /// Passes audio both ways until somebody ends it.
    async fn talk(&self, call: &str, conversation: Conversation, mut leg: Leg) {
        let Conversation { line, parting } = conversation;
        let PersonLine { mut from_caller, to_caller } = line;
        let mut transfer =
            self.phone.transfer.then(|| Box::pin(parting.transfer(leg.target().0.clone())));
        let mut ticks = steady();
        let began = Instant::now();
        let words = loop {
            tokio::select! {
                event = leg.event() => if event == LegEvent::HungUp {
                    // Putting the receiver down is how a call on a telephone ends.
                    break finished(PersonLeft::Finished);
                },
                outcome = async {
                    match &mut transfer {
                        Some(tried) => tried.await,
                        None => std::future::pending().await,
                    }
                } => {
                    transfer = None;
                    if outcome == TransferOutcome::Connected {
                        break finished(PersonLeft::Transferred);
                    }
                    tracing::warn!(call, outcome = outcome.key(), "the exchange does not connect both; we do");
                }
                _ = ticks.tick() => {
                    let received = leg.receive(began.elapsed());
                    if received.keys.iter().any(|key| key.key() == '#') {
                        break finished(PersonLeft::HandedBack);
                    }
                    for frame in received.frames {
                        drop(to_caller.try_send(frame));
                    }
                    if leg.silent_for(began.elapsed()) > SILENT {
                        break Words::lost();
                    }
                    match from_caller.try_recv() {
                        Ok(frame) => leg.send(Some(&frame)),
                        Err(mpsc::error::TryRecvError::Empty) => leg.send(None),
                        Err(mpsc::error::TryRecvError::Disconnected) => break Words::caller_left(),
                    }
                }
            }
        };
        parting.part(words.how, words.settles());
        leg.hang_up();
        let now = self.services.bridge.now();
        wrap_up::keep(&self.services.store, now, &self.provider, call, words).await;
    }
}

fn finished(how: PersonLeft) -> Words {
    Words { how, outcome: String::new(), note: Phi::default() }
}

fn steady() -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

/// Says the sentence, again and again, until a key is pressed.
async fn choose(leg: &mut Leg, audio: &[AudioFrame]) -> Choice {
    let (mut ticks, began) = (steady(), Instant::now());
    for place in (0..audio.len() + AGAIN).cycle() {
        if began.elapsed() > DECIDE {
            return Choice::Nothing;
        }
        tokio::select! {
            event = leg.event() => if event == LegEvent::HungUp {
                return Choice::Leave;
            },
            _ = ticks.tick() => {
                let keys = leg.receive(began.elapsed()).keys;
                match keys.first().map(|key| DtmfDigit::key(*key)) {
                    Some('1') => return Choice::Take,
                    Some('2') => return Choice::Leave,
                    _ => leg.send(audio.get(place)),
                }
            }
        }
    }
    Choice::Nothing
}

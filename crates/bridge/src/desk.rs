//! The desk: who needs a person, who is there, and who has whom. A state machine: time comes in as an
//! argument, and what calls have to be told goes out of [`Desk::poll`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use radline_call::{EscalationOutcome, PersonLeft};
use radline_dialogue::CallbackReason;
use radline_phi::Phi;

use crate::escalation::{Escalation, Urgency};
use crate::limits;
use crate::provider::{Filter, Provider};

/// Who the caller is with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Radline.
    Agent,
    /// Nobody: they wait on the line for a person.
    Waiting,
    /// A provider who has claimed the call and does not hear the caller yet.
    Claimed(Provider),
    /// A provider.
    Provider(Provider),
    /// Nobody any more: a provider has finished the call.
    Finished,
}

/// A call as the desk has it.
#[derive(Debug, Clone)]
struct Call {
    began: Timestamp,
    name: Option<Phi<String>>,
    verified: bool,
    about: Option<Phi<String>>,
    escalation: Option<Escalation>,
    place: Place,
    /// Since when the caller waits on the line.
    waits: Option<Timestamp>,
    /// When the call was claimed.
    claimed: Option<Timestamp>,
    /// Providers who do not take the call, and why: they left it to others, or their telephone was busy or
    /// not answered.
    declined: BTreeMap<String, EscalationOutcome>,
    /// How many the caller was last told to be before them.
    before: Option<usize>,
    /// Since when nobody who could take it is there.
    alone: Option<Timestamp>,
    /// A reply waits for a provider's word.
    draft: bool,
}

/// A provider's connection: as long as it lasts, they are there.
#[derive(Debug, Clone)]
struct Presence {
    provider: Provider,
    filter: Filter,
}

/// A call in the queue, for showing it.
#[derive(Debug, Clone)]
pub struct QueuedCall {
    /// Its record.
    pub call: String,
    /// When it began.
    pub began: Timestamp,
    /// The caller's name, once they have given it.
    pub name: Option<Phi<String>>,
    /// Whether two identifiers matched.
    pub verified: bool,
    /// The exam that it is about.
    pub about: Option<Phi<String>>,
    /// Why a person is needed; nothing while none is.
    pub escalation: Option<Escalation>,
    /// Who the caller is with.
    pub place: Place,
    /// Whether a reply waits for a provider's word.
    pub draft: bool,
    /// Accounts that do not take it.
    pub declined: Vec<String>,
}

/// Why a provider does not get a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over, or never was.
    #[error("This call is over.")]
    Over,
    /// Somebody else has it.
    #[error("{0} has taken this call.")]
    Taken(String),
    /// The provider talks with another caller.
    #[error("You are in another call. Finish it first.")]
    Busy,
    /// The provider has not claimed it.
    #[error("This call is not yours. Claim it first.")]
    NotYours,
    /// The draft was decided about, or is not there any more.
    #[error("This draft is decided already.")]
    Decided,
    /// The words for a draft say something else than the record.
    #[error("Not spoken: {0}. Word it otherwise, or take the call to say it yourself.")]
    Differs(String),
}

/// What a call has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskWord {
    /// How many wait before this caller.
    PlaceInLine(usize),
    /// Nobody can take over.
    Nobody(EscalationOutcome),
}

/// The desk.
#[derive(Debug, Default)]
pub struct Desk {
    calls: BTreeMap<String, Call>,
    presences: BTreeMap<u64, Presence>,
    next_presence: u64,
    words: VecDeque<(String, DeskWord)>,
    /// Grows with every change that somebody could see.
    version: u64,
}

impl Desk {
    /// A call begins.
    pub fn begin(&mut self, now: Timestamp, call: &str) {
        if self.calls.len() >= limits::CALLS_MAX {
            return;
        }
        let new = Call {
            began: now,
            name: None,
            verified: false,
            about: None,
            escalation: None,
            place: Place::Agent,
            waits: None,
            claimed: None,
            declined: BTreeMap::new(),
            before: None,
            alone: None,
            draft: false,
        };
        self.calls.insert(call.to_owned(), new);
        self.changed();
    }

    /// What is known of the caller.
    pub fn describe(
        &mut self,
        call: &str,
        name: Option<Phi<String>>,
        verified: bool,
        about: Option<Phi<String>>,
    ) {
        let Some(known) = self.calls.get_mut(call) else { return };
        if (&known.name, known.verified, &known.about) != (&name, verified, &about) {
            (known.name, known.verified, known.about) = (name, verified, about);
            self.changed();
        }
    }

    /// A person is needed. Whether somebody is there who could come.
    pub fn escalate(&mut self, call: &str, new: Escalation) -> bool {
        let Some(known) = self.calls.get_mut(call) else { return false };
        known.escalation = Some(match known.escalation.take() {
            // A need that was more urgent stays so, whatever comes after it, and who has waited is not
            // sent to the end. What a lost connection was about is what the next one is about.
            Some(old) => {
                let (urgency, since) = (old.urgency.max(new.urgency), old.since);
                let again = new.reason == CallbackReason::PersonLost;
                let about = if again { old } else { new };
                Escalation { urgency, since, ..about }
            }
            None => new,
        });
        known.declined.clear();
        self.changed();
        self.somebody_for(call)
    }

    /// A reply waits for a provider's word, or does not any more. Whether anybody is there.
    pub fn draft(&mut self, call: &str, waits: bool) -> bool {
        if let Some(known) = self.calls.get_mut(call).filter(|known| known.draft != waits) {
            known.draft = waits;
            self.changed();
        }
        !self.presences.is_empty()
    }

    /// The caller waits on the line from here on.
    pub fn queue(&mut self, now: Timestamp, call: &str) {
        let Some(known) = self.calls.get_mut(call) else { return };
        known.waits = Some(now);
        (known.before, known.alone) = (None, None);
        if known.place == Place::Agent {
            known.place = Place::Waiting;
        }
        self.changed();
        self.tell_places();
    }

    /// The caller waits no longer.
    pub fn leave_queue(&mut self, call: &str) {
        let Some(known) = self.calls.get_mut(call) else { return };
        known.waits = None;
        if known.place == Place::Waiting {
            known.place = Place::Agent;
        }
        self.changed();
        self.tell_places();
    }

    /// The call is over.
    pub fn end(&mut self, call: &str) {
        if self.calls.remove(call).is_some() {
            self.changed();
            self.tell_places();
        }
    }

    /// A provider is there, until [`Self::leave`]. Nothing when too many are.
    pub fn arrive(&mut self, provider: Provider, filter: Filter) -> Option<u64> {
        if self.presences.len() >= limits::PRESENCES_MAX {
            return None;
        }
        self.next_presence += 1;
        self.presences.insert(self.next_presence, Presence { provider, filter });
        self.changed();
        Some(self.next_presence)
    }

    /// A provider's connection ended.
    pub fn leave(&mut self, presence: u64) {
        if self.presences.remove(&presence).is_some() {
            self.changed();
        }
    }

    /// A provider takes a call. Exactly one gets it.
    pub fn claim(
        &mut self,
        now: Timestamp,
        provider: &Provider,
        call: &str,
    ) -> Result<(), Refusal> {
        let other = |(id, held): (&String, &Call)| {
            id != call && held.holder().is_some_and(|holder| holder.name == provider.name)
        };
        if self.calls.iter().any(other) {
            return Err(Refusal::Busy);
        }
        let known = self.calls.get_mut(call).ok_or(Refusal::Over)?;
        match known.holder() {
            _ if known.place == Place::Finished => return Err(Refusal::Over),
            Some(holder) if holder.name != provider.name => {
                return Err(Refusal::Taken(holder.display.clone()));
            }
            Some(_) => {
                known.claimed = Some(now);
                return Ok(());
            }
            None => {}
        }
        known.place = Place::Claimed(provider.clone());
        known.claimed = Some(now);
        self.changed();
        self.tell_places();
        Ok(())
    }

    /// The provider who has claimed a call hears the caller.
    pub fn join(&mut self, provider: &Provider, call: &str) -> Result<(), Refusal> {
        let known = self.calls.get_mut(call).ok_or(Refusal::Over)?;
        match &known.place {
            Place::Claimed(holder) if holder.name == provider.name => {
                known.place = Place::Provider(provider.clone());
                known.waits = None;
                self.changed();
                Ok(())
            }
            _ => Err(Refusal::NotYours),
        }
    }

    /// The provider is not with the caller any more; false when they were not. Whether somebody is needed still is said by the
    /// call itself, with [`Self::escalate`].
    pub fn part(&mut self, provider: &Provider, call: &str, how: PersonLeft) -> bool {
        let Some(known) = self.calls.get_mut(call) else { return false };
        if known.holder() != Some(provider) {
            return false;
        }
        let finished = matches!(how, PersonLeft::Finished | PersonLeft::Transferred);
        known.place = if finished { Place::Finished } else { Place::Agent };
        known.claimed = None;
        if how != PersonLeft::Lost {
            known.escalation = None;
        }
        self.changed();
        true
    }

    /// A provider does not take a call.
    pub fn decline(
        &mut self,
        provider: &Provider,
        call: &str,
        why: EscalationOutcome,
    ) -> Result<(), Refusal> {
        let known = self.calls.get_mut(call).ok_or(Refusal::Over)?;
        if let Some(holder) = known.holder().filter(|holder| holder.name == provider.name) {
            // Claimed and given away again before a word was spoken.
            let heard = matches!(known.place, Place::Provider(_));
            if heard {
                return Err(Refusal::Taken(holder.display.clone()));
            }
            known.put_back();
        }
        known.declined.insert(provider.name.clone(), why);
        self.changed();
        self.tell_places();
        Ok(())
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp) {
        let mut put_back = false;
        for call in self.calls.values_mut() {
            let late = |since: Timestamp| passed(since, now) > limits::JOIN_MAX;
            if matches!(call.place, Place::Claimed(_)) && call.claimed.is_some_and(late) {
                call.put_back();
                put_back = true;
            }
        }
        if put_back {
            self.changed();
            self.tell_places();
        }
        let waiting: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, call)| call.place == Place::Waiting)
            .map(|(id, _)| id.clone())
            .collect();
        for call in waiting {
            self.look_after(now, &call);
        }
    }

    /// Whether a waiting caller has to be told that nobody comes.
    fn look_after(&mut self, now: Timestamp, id: &str) {
        let fits = self.anybody_fits(id);
        let (declined, busy) = (!self.somebody_for(id), !self.somebody_free(id));
        let Some(call) = self.calls.get_mut(id) else { return };
        let outcome = if fits {
            call.alone = None;
            let late = call.waits.is_some_and(|since| passed(since, now) > limits::WAIT_MAX);
            match (declined, late, busy) {
                (true, ..) => Some(call.refused()),
                (_, true, true) => Some(EscalationOutcome::Busy),
                (_, true, false) => Some(EscalationOutcome::NoAnswer),
                _ => None,
            }
        } else {
            let since = *call.alone.get_or_insert(now);
            let gone = passed(since, now) > limits::ABSENCE_MAX;
            gone.then_some(EscalationOutcome::NoAnswer)
        };
        if let Some(outcome) = outcome {
            // Said once: what follows is the call's own business.
            (call.waits, call.place) = (None, Place::Agent);
            self.changed();
            self.tell(id, DeskWord::Nobody(outcome));
            self.tell_places();
        }
    }

    /// What a call has to be told next.
    pub fn poll(&mut self) -> Option<(String, DeskWord)> {
        self.words.pop_front()
    }

    /// Grows with every change that somebody could see.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Every call, what to take first before everything else.
    pub fn calls(&self) -> Vec<QueuedCall> {
        let mut calls: Vec<(&String, &Call)> = self.calls.iter().collect();
        calls.sort_by_key(|(_, call)| call.rank());
        calls
            .into_iter()
            .map(|(id, call)| QueuedCall {
                call: id.clone(),
                began: call.began,
                name: call.name.clone(),
                verified: call.verified,
                about: call.about.clone(),
                escalation: call.escalation.clone(),
                place: call.place.clone(),
                draft: call.draft,
                declined: call.declined.keys().cloned().collect(),
            })
            .collect()
    }

    /// Who is there, and whether they talk with somebody.
    pub fn present(&self) -> Vec<(Provider, bool)> {
        let there: BTreeSet<&Provider> =
            self.presences.values().map(|presence| &presence.provider).collect();
        there.into_iter().map(|provider| (provider.clone(), self.is_busy(provider))).collect()
    }

    /// Why a call needs a person, if it does.
    pub fn escalation(&self, call: &str) -> Option<Escalation> {
        self.calls.get(call)?.escalation.clone()
    }

    /// The provider who has a call.
    pub fn holder(&self, call: &str) -> Option<&Provider> {
        self.calls.get(call)?.holder()
    }

    /// Callers on the line whom a provider with this filter could take.
    pub fn waiting_for(&self, filter: &Filter) -> usize {
        let takes = |call: &&Call| {
            call.place == Place::Waiting
                && call.escalation.as_ref().is_some_and(|escalation| filter.takes(escalation))
        };
        self.calls.values().filter(takes).count()
    }

    /// Somebody is there who fits and has not declined, busy or not.
    fn somebody_for(&self, call: &str) -> bool {
        let Some(known) = self.calls.get(call) else { return false };
        self.fitting(call).any(|presence| !known.declined.contains_key(&presence.provider.name))
    }

    fn somebody_free(&self, call: &str) -> bool {
        let Some(known) = self.calls.get(call) else { return false };
        self.fitting(call).any(|presence| {
            !known.declined.contains_key(&presence.provider.name)
                && !self.is_busy(&presence.provider)
        })
    }

    fn anybody_fits(&self, call: &str) -> bool {
        self.fitting(call).next().is_some()
    }

    fn fitting(&self, call: &str) -> impl Iterator<Item = &Presence> {
        let escalation = self.calls.get(call).and_then(|call| call.escalation.as_ref());
        let fits = move |presence: &&Presence| {
            escalation.is_none_or(|escalation| presence.filter.takes(escalation))
        };
        self.presences.values().filter(fits)
    }

    fn is_busy(&self, provider: &Provider) -> bool {
        let holds = |call: &Call| call.holder().is_some_and(|holder| holder.name == provider.name);
        self.calls.values().any(holds)
    }

    fn tell(&mut self, call: &str, word: DeskWord) {
        self.words.push_back((call.to_owned(), word));
    }

    /// Tells the callers on the line how many are before them, where that has changed.
    fn tell_places(&mut self) {
        let mut waiting: Vec<(&String, &mut Call)> =
            self.calls.iter_mut().filter(|(_, call)| call.place == Place::Waiting).collect();
        waiting.sort_by_key(|(_, call)| call.rank());
        for (before, (id, call)) in waiting.into_iter().enumerate() {
            if call.before != Some(before) {
                call.before = Some(before);
                self.words.push_back((id.clone(), DeskWord::PlaceInLine(before)));
            }
        }
    }

    const fn changed(&mut self) {
        self.version += 1;
    }
}

impl Call {
    const fn holder(&self) -> Option<&Provider> {
        match &self.place {
            Place::Claimed(provider) | Place::Provider(provider) => Some(provider),
            Place::Agent | Place::Waiting | Place::Finished => None,
        }
    }

    /// Why nobody of those who were asked comes.
    fn refused(&self) -> EscalationOutcome {
        let mut reasons = self.declined.values();
        let gravest = [EscalationOutcome::Declined, EscalationOutcome::Busy];
        let said = gravest.into_iter().find(|reason| reasons.clone().any(|said| said == reason));
        said.or_else(|| reasons.next().copied()).unwrap_or(EscalationOutcome::Declined)
    }

    /// Back to where it was before it was claimed.
    fn put_back(&mut self) {
        self.claimed = None;
        self.place = if self.waits.is_some() { Place::Waiting } else { Place::Agent };
    }

    /// What to take first comes first: the urgent before the others, those who wait on the line before
    /// those who do not, the longest wait before the shorter.
    fn rank(&self) -> (u8, std::cmp::Reverse<Option<Urgency>>, bool, Timestamp) {
        let group = match (&self.place, &self.escalation) {
            (Place::Agent | Place::Waiting, Some(_)) => 0,
            (Place::Waiting, None) => 1,
            (Place::Agent, None) if self.draft => 1,
            (Place::Claimed(_) | Place::Provider(_), _) => 2,
            (Place::Agent, None) => 3,
            (Place::Finished, _) => 4,
        };
        let urgency = self.escalation.as_ref().map(|escalation| escalation.urgency);
        let since = self.escalation.as_ref().map_or(self.began, |escalation| escalation.since);
        (group, std::cmp::Reverse(urgency), self.place != Place::Waiting, since)
    }
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since).max(SignedDuration::ZERO)).unwrap_or_default()
}

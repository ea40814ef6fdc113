//! A call as it can be followed: what is said and what happens, numbered, so that a connection that
//! broke goes on where it stopped.

use std::collections::VecDeque;

use jiff::Timestamp;
use radline_call::{CallEvent, DraftReply, DraftVerdict, EventKind};
use radline_phi::Phi;

use crate::brief::Brief;
use crate::limits;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The caller.
    Caller,
    /// Radline.
    Agent,
    /// A provider.
    Provider,
}

/// Who the caller is with, for whoever follows the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallState {
    /// Radline.
    WithAgent,
    /// They wait for a person.
    Waiting,
    /// A provider.
    WithProvider,
    /// The call is over.
    Ended,
}

/// Something that was said or happened.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedItem {
    /// Words.
    Line {
        /// When, ms since the call began.
        at_ms: u64,
        /// Who spoke.
        who: Speaker,
        /// The words; absent when the caller did not agree to a record.
        text: Phi<Option<String>>,
        /// Where Radline's words come from.
        source: String,
        /// Only a part of them was heard.
        cut: bool,
    },
    /// An event.
    Happening {
        /// When, ms since the call began.
        at_ms: u64,
        /// Its kind.
        what: &'static str,
        /// For people.
        text: String,
    },
    /// The brief, as it is now.
    Brief(Box<Brief>),
    /// A reply waits for a provider's word.
    Draft(Box<Draft>),
    /// What became of it.
    DraftOver {
        /// Its number.
        draft: u64,
        /// What.
        verdict: DraftVerdict,
    },
    /// Who the caller is with now.
    State(CallState),
}

/// A reply that waits for a provider's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The reply.
    pub reply: DraftReply,
    /// When the site's policy decides.
    pub deadline: Timestamp,
    /// What the caller said, where they agreed to a record.
    pub said: Option<Phi<String>>,
}

/// The feed of one call.
#[derive(Debug, Default)]
pub struct Feed {
    items: VecDeque<(u64, FeedItem)>,
    last: u64,
    brief: Brief,
    feelings: Vec<Phi<String>>,
    /// The caller's last words.
    said: Option<Phi<String>>,
    over: bool,
}

impl Feed {
    /// Takes up an event of the call.
    pub fn follow(&mut self, event: &CallEvent) {
        self.note(&event.kind);
        if let Some(item) = item(event) {
            self.push(item);
        }
    }

    fn note(&mut self, kind: &EventKind) {
        match kind {
            EventKind::CallerSaid { words, .. } => {
                self.said = words.expose().clone().map(Phi::new);
            }
            EventKind::Understood { commands, .. } => {
                let feels = commands.expose().iter().any(|command| command.starts_with("feels"));
                if let Some(words) = self.said.clone().filter(|_| feels) {
                    self.feelings.push(words);
                    let extra = self.feelings.len().saturating_sub(limits::FEELINGS_MAX);
                    self.feelings.drain(..extra);
                }
            }
            _ => {}
        }
    }

    /// Adds an item.
    pub fn push(&mut self, item: FeedItem) {
        // Nothing comes after the end, so that whoever follows finds it.
        if self.over {
            return;
        }
        self.over = item == FeedItem::State(CallState::Ended);
        self.last += 1;
        self.items.push_back((self.last, item));
        if self.items.len() > limits::FEED_MAX {
            self.items.pop_front();
        }
    }

    /// Takes up a brief, if it says something new.
    pub fn brief_is(&mut self, brief: Brief) {
        if brief != self.brief {
            self.brief = brief.clone();
            self.push(FeedItem::Brief(Box::new(brief)));
        }
    }

    /// The brief.
    pub const fn brief(&self) -> &Brief {
        &self.brief
    }

    /// The caller's words that told how they feel.
    pub fn feelings(&self) -> Vec<Phi<String>> {
        self.feelings.clone()
    }

    /// The caller's last words, where they agreed to a record.
    pub fn said(&self) -> Option<Phi<String>> {
        self.said.clone()
    }

    /// What came after a number. Of briefs and states only the last one matters.
    pub fn after(&self, number: u64) -> Vec<(u64, FeedItem)> {
        let new = self.items.iter().filter(|(at, _)| *at > number);
        let last = |wanted: fn(&FeedItem) -> bool| {
            self.items.iter().rev().find(|(_, item)| wanted(item)).map(|(at, _)| *at)
        };
        let brief = last(|item| matches!(item, FeedItem::Brief(_)));
        let state = last(|item| matches!(item, FeedItem::State(_)));
        new.filter(|(at, item)| match item {
            FeedItem::Brief(_) => Some(*at) == brief,
            FeedItem::State(_) => Some(*at) == state,
            _ => true,
        })
        .cloned()
        .collect()
    }

    /// Whether the call is over.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// The number of the last item.
    pub const fn last(&self) -> u64 {
        self.last
    }
}

/// What an event looks like to whoever follows the call.
pub(crate) fn item(event: &CallEvent) -> Option<FeedItem> {
    let happening = |what: &'static str, text: String| {
        Some(FeedItem::Happening { at_ms: event.at_ms, what, text })
    };
    match &event.kind {
        EventKind::AgentSaid { text, source, from_ms, heard, .. } => Some(FeedItem::Line {
            at_ms: *from_ms,
            who: Speaker::Agent,
            text: heard
                .expose()
                .clone()
                .map_or_else(|| text.map(|text| Some(text.clone())), |part| Phi::new(Some(part))),
            source: source.clone(),
            cut: heard.expose().is_some(),
        }),
        EventKind::CallerSaid { words, from_ms, .. } => Some(FeedItem::Line {
            at_ms: *from_ms,
            who: Speaker::Caller,
            text: words.clone(),
            source: String::new(),
            cut: false,
        }),
        EventKind::PersonSaid { words, from_ms, .. } => Some(FeedItem::Line {
            at_ms: *from_ms,
            who: Speaker::Provider,
            text: words.clone(),
            source: String::new(),
            cut: false,
        }),
        EventKind::RedFlagRaised { class } | EventKind::SupervisorRaised { class } => {
            happening("red_flag", format!("Danger: {}", class.key().replace('_', " ")))
        }
        EventKind::BargeIn { .. } => happening("barge_in", "The caller interrupted".to_owned()),
        EventKind::ActionAnswered { action, outcome } => {
            let text = format!("{}: {}", action.replace('_', " "), outcome.replace('_', " "));
            happening("action", text)
        }
        EventKind::Problem { what } => happening("problem", what.clone()),
        EventKind::NothingHeard => happening("silence", "The caller said nothing".to_owned()),
        EventKind::Held => happening("held", "The caller put the line on hold".to_owned()),
        EventKind::Resumed => happening("resumed", "The caller is back".to_owned()),
        EventKind::PersonJoined { .. } => happening("taken", "A person has taken over".to_owned()),
        EventKind::WordingBlocked { by, because, .. } => {
            happening("problem", format!("Words of {by} were not spoken: {because}"))
        }
        EventKind::TransferTried { outcome } => {
            happening("transfer", format!("Transfer by the exchange: {}", outcome.key()))
        }
        EventKind::EscalationEnded { outcome } => {
            happening("escalation", outcome.key().replace('_', " "))
        }
        EventKind::DraftDecided { draft, verdict, .. } => {
            Some(FeedItem::DraftOver { draft: *draft, verdict: *verdict })
        }
        EventKind::Ended { reason } => happening("ended", reason.key().replace('_', " ")),
        _ => None,
    }
}

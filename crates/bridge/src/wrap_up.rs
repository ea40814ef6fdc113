//! What a provider did with a call, kept beside its record.

use jiff::Timestamp;
use radline_call::PersonLeft;
use radline_phi::Phi;
use radline_store::{Store, WrapUp};

use crate::limits;
use crate::provider::Provider;

/// How a provider's part ended, in their words.
#[derive(Debug)]
pub struct Words {
    /// How.
    pub how: PersonLeft,
    /// What came of it, in a word.
    pub outcome: String,
    /// For the record.
    pub note: Phi<String>,
}

impl Words {
    /// Their connection broke.
    pub fn lost() -> Self {
        Self { how: PersonLeft::Lost, outcome: String::new(), note: Phi::default() }
    }

    /// The caller hung up first.
    pub fn caller_left() -> Self {
        let outcome = "caller_left".to_owned();
        Self { how: PersonLeft::Finished, outcome, note: Phi::default() }
    }
}

impl Words {
    /// Whether nobody has to call the caller back: they were spoken with to an end.
    pub fn settles(&self) -> bool {
        self.how != PersonLeft::Lost
            && !["call_back", "caller_left"].contains(&self.outcome.as_str())
    }
}

/// Keeps it.
pub async fn keep(store: &Store, now: Timestamp, who: &Provider, call: &str, words: Words) {
    let how = match words.how {
        PersonLeft::HandedBack => "handed_back",
        PersonLeft::Finished => "finished",
        PersonLeft::Lost => "lost",
        PersonLeft::Transferred => "transferred",
    };
    let wrap_up = WrapUp {
        call: call.to_owned(),
        provider: who.name.clone(),
        how,
        outcome: words.outcome.chars().take(limits::WORD_MAX).collect(),
        note: words.note.map(|note| note.chars().take(limits::NOTE_MAX).collect()),
    };
    if let Err(error) = store.keep_wrap_up(&wrap_up, now).await {
        tracing::error!(%error, "what a provider did with a call could not be kept");
    }
}

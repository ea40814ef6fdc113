//! A conversation from a browser: the audio of its peer connection and the call's, joined.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{BrowserAudio, Console};
use crate::bridge::Conversation;
use crate::limits;
use crate::line::PersonLine;
use crate::provider::Provider;
use crate::wrap_up::{self, Words};

/// What a provider does in a conversation.
#[derive(Debug)]
pub(super) enum Act {
    /// Ends it.
    Goodbye(Words),
    /// Goes on with the sound of another connection: the page was loaded anew.
    Reconnect(BrowserAudio),
}

/// The conversations, by call: whose each is, and the way to it.
pub(super) type Talks = HashMap<String, (String, mpsc::Sender<Act>)>;

/// Joins a browser's audio with a call that its provider has claimed.
pub(super) async fn talk(
    console: Arc<Console>,
    who: Provider,
    call: String,
    mut audio: BrowserAudio,
) {
    // Only once the browser is heard does the caller hear that somebody is there.
    if !matches!(timeout(limits::FIRST_SOUND, audio.voice.recv()).await, Ok(Some(_))) {
        tracing::info!(call, "a provider's browser did not connect");
        return;
    }
    let conversation = match console.parts.bridge.join(&who, &call) {
        Ok(conversation) => conversation,
        Err(error) => {
            tracing::info!(call, %error, "a provider's browser came too late");
            return;
        }
    };
    let (sender, acts) = mpsc::channel(2);
    console.talks().insert(call.clone(), (who.name.clone(), sender));
    let goodbye = converse(audio, conversation, acts).await;
    console.talks().remove(&call);
    let parts = &console.parts;
    wrap_up::keep(&parts.store, (parts.clock)(), &who, &call, goodbye).await;
}

/// Passes audio both ways until somebody ends it.
async fn converse(
    mut audio: BrowserAudio,
    conversation: Conversation,
    mut acts: mpsc::Receiver<Act>,
) -> Words {
    let Conversation { line, parting } = conversation;
    let PersonLine { mut from_caller, to_caller } = line;
    let words = loop {
        tokio::select! {
            // Frames that do not fit belong to a line that has stalled.
            frame = audio.voice.recv() => match frame {
                Some(frame) => drop(to_caller.try_send(frame)),
                None => break Words::lost(),
            },
            frame = from_caller.recv() => match frame {
                Some(frame) => drop(audio.ear.try_send(frame)),
                None => break Words::caller_left(),
            },
            act = acts.recv() => match act {
                Some(Act::Goodbye(words)) => break words,
                Some(Act::Reconnect(again)) => audio = again,
                None => break Words::lost(),
            },
        }
    };
    parting.part(words.how, words.settles());
    words
}

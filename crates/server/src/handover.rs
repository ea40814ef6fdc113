//! A call's side of a person taking over: the desk's words, the person's line, and their voice.

use std::sync::Arc;

use radline_audio::{AudioFrame, SpeechProbability};
use radline_bridge::{CallHandle, CallerLine, DriverWord};
use radline_call::{CallEvent, CallInput, DraftReply, TransferOutcome};
use radline_dialogue::{Action, ActionOutcome, Dialogue};
use radline_speech::{SileroVoiceActivity, VoiceActivity};
use radline_telephony::{Leg, TransferError, TransferTarget};
use tokio::sync::{mpsc, oneshot};

use crate::app::Services;
use crate::call_driver::give;

/// A call's side of a person taking over.
pub struct Handover {
    services: Arc<Services>,
    desk: CallHandle,
    /// The call's own inputs.
    inputs: mpsc::Sender<CallInput>,
    call: String,
    line: Option<CallerLine>,
    /// The account of whoever took over last.
    provider: Option<String>,
    /// Hears whether the person speaks; there while one is.
    ears: Option<SileroVoiceActivity>,
    /// Something happened that a brief may tell.
    news: bool,
    /// A person was needed.
    escalated: bool,
    /// Frames since the person's line has ended.
    closed: u32,
}

/// Frames that a line may have ended before the word about it: a second.
const WORDLESS: u32 = 50;

impl Handover {
    /// For a call that begins.
    pub fn begin(services: Arc<Services>, call: &str, inputs: mpsc::Sender<CallInput>) -> Self {
        let desk = services.bridge.begin_call(call);
        Self {
            services,
            desk,
            inputs,
            call: call.to_owned(),
            line: None,
            provider: None,
            ears: None,
            news: false,
            escalated: false,
            closed: 0,
        }
    }

    /// What the desk says next. Safe to cancel.
    pub async fn word(&mut self) -> DriverWord {
        self.desk.word().await
    }

    /// What a word of the desk means for the engine.
    pub fn take(&mut self, word: DriverWord, leg: &Leg) -> Option<CallInput> {
        Some(match word {
            DriverWord::PlaceInLine(before) => CallInput::PlaceInLine(before),
            DriverWord::Nobody(outcome) => CallInput::NobodyFree(outcome),
            DriverWord::Joined(provider, line) => {
                tracing::info!(call = %self.call, provider = %provider.name, "a provider took over");
                self.line = Some(line);
                self.ears = self.services.take_voice_activity();
                self.provider = Some(provider.name);
                CallInput::PersonJoined
            }
            DriverWord::Judged(draft, judgement, by) => {
                CallInput::DraftJudged(draft, judgement, by)
            }
            DriverWord::Left { how, settled } => {
                tracing::info!(call = %self.call, ?how, "a provider left");
                if settled {
                    self.close_tasks();
                }
                self.hang_up();
                CallInput::PersonLeft(how)
            }
            DriverWord::Transfer(to, reply) => {
                self.transfer(leg, to, reply);
                return None;
            }
        })
    }

    /// Asks the caller's exchange to connect the caller with somebody, without us.
    fn transfer(&self, leg: &Leg, to: String, reply: oneshot::Sender<TransferOutcome>) {
        let (tried, inputs) = (leg.transfer(TransferTarget(to)), self.inputs.clone());
        tokio::spawn(async move {
            let outcome = match tried.await {
                Ok(()) => TransferOutcome::Connected,
                Err(TransferError::Refused) => TransferOutcome::Refused,
                Err(TransferError::Failed(_)) => TransferOutcome::Failed,
                Err(TransferError::Late) => TransferOutcome::Late,
            };
            give(&inputs, CallInput::TransferTried(outcome));
            if reply.send(outcome).is_err() {
                tracing::debug!("a provider was gone before their transfer");
            }
        });
    }

    /// Who has spoken with the caller has seen to what they are called back for. Not before that: a
    /// connection that breaks, or a server that dies, must leave the task.
    fn close_tasks(&self) {
        let Some(provider) = self.provider.clone() else { return };
        let (services, call) = (Arc::clone(&self.services), self.call.clone());
        tokio::spawn(async move {
            let now = services.clock.moment().now;
            let note = format!("taken over in the call by {provider}");
            if let Err(error) = services.store.close_callbacks(&call, &note, now).await {
                tracing::error!(%error, "a task that a provider took over could not be closed");
            }
        });
    }

    /// Gives the person a frame of what is heard on the line.
    pub fn hear(&self, frame: Option<AudioFrame>) {
        if let (Some(line), Some(frame)) = (&self.line, frame) {
            line.send(frame);
        }
    }

    /// Whether the person's line has ended and no word about it has come. Asked once every 20 ms; the
    /// word is a moment behind the line.
    pub fn is_cut_off(&mut self) -> bool {
        let closed = self.line.as_ref().is_some_and(CallerLine::is_closed);
        self.closed = if closed { self.closed + 1 } else { 0 };
        self.closed > WORDLESS
    }

    /// The person's next frame, and how likely it is that they speak.
    pub fn speak(&mut self) -> Option<(AudioFrame, SpeechProbability)> {
        let frame = self.line.as_mut()?.receive()?;
        let heard = self.ears.as_mut().map(|ears| ears.probability(&frame));
        let speech = match heard {
            Some(Ok(speech)) => speech,
            Some(Err(error)) => {
                tracing::warn!(%error, "voice activity failed on a provider's frame");
                SpeechProbability::NONE
            }
            None => SpeechProbability::NONE,
        };
        Some((frame, speech))
    }

    /// Whether a person is there.
    pub const fn is_joined(&self) -> bool {
        self.line.is_some()
    }

    /// Somebody is needed. Whether there is somebody who could come; the outcome of the action says it
    /// to the dialogue.
    pub fn escalate(&mut self, action: &Action) -> bool {
        let Action::RequestCallback { reason, .. } = action else { return false };
        if !reason.has_caller() {
            return false;
        }
        (self.news, self.escalated) = (true, true);
        self.desk.escalate(*reason)
    }

    /// A reply waits for a person's word. Whether anybody is there to give it.
    pub fn draft(&self, reply: DraftReply) -> bool {
        self.desk.draft(reply)
    }

    /// The caller waits on the line, or does not any more.
    pub fn queue(&self, waits: bool) {
        if waits {
            self.desk.queue();
        } else {
            self.desk.leave_queue();
        }
    }

    /// Shows an event to whoever follows the call.
    pub fn show(&mut self, event: &CallEvent) {
        self.desk.show(event);
        self.news = true;
    }

    /// Brings the brief up to date, if anything has happened.
    pub fn brief(&mut self, dialogue: &Dialogue) {
        if std::mem::take(&mut self.news) {
            self.desk.describe(dialogue);
        }
    }

    /// Notes for later who the patient was, and whether a person was needed.
    pub async fn describe(&self, dialogue: &Dialogue) {
        let story = dialogue.story();
        let patient = story.name.filter(|_| story.verified);
        let store = &self.services.store;
        if let Err(error) = store.describe_call(&self.call, patient.as_ref(), self.escalated).await
        {
            tracing::error!(%error, "a call could not be described");
        }
    }

    /// The person's line is cut.
    pub fn hang_up(&mut self) {
        self.line = None;
        if let Some(ears) = self.ears.take() {
            self.services.give_back_voice_activity(ears);
        }
    }
}

/// Adds to the clinic's answer what only the desk knows.
pub fn with_presence(outcome: ActionOutcome, present: bool) -> ActionOutcome {
    match outcome {
        ActionOutcome::CallbackNoted { due, has_number, .. } => {
            ActionOutcome::CallbackNoted { due, has_number, person_present: present }
        }
        other => other,
    }
}

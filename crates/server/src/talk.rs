//! `radline talk --text`: the same engine without audio. Lines in, replies out.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use radline_call::{
    CallEngine, CallEvent, CallInput, CallOutput, EndReason, EventKind, Medium, limits,
};
use radline_dialogue::{
    Action, ActionOutcome, Dialogue, EarlierReading, RedFlags, Then, Understanding,
};
use radline_language::model::{CallContext, LanguageModel};
use radline_language::understanding;
use radline_phi::Phi;
use radline_store::{CallStart, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use uuid::Uuid;

use crate::clock::Clock;
use crate::site::Site;
use crate::terminal;
use crate::workers::reading::READING_LIMIT;

/// Talks with whoever types. Returns when the dialogue or the input ends.
pub async fn text(
    site: Site,
    clock: Clock,
    store: Store,
    model_file: PathBuf,
    as_json: bool,
) -> Result<()> {
    let scenario = site.triage.name();
    let id = Uuid::new_v4().to_string();
    let started = clock.moment().now;
    let peer = "text".to_owned();
    store.begin_call(&CallStart { id: id.clone(), started, peer, scenario }).await?;
    let dialogue = Dialogue::new(Arc::clone(&site.triage), Arc::clone(&site.facts));
    let engine = CallEngine::new(Medium::Text, dialogue, Arc::new(RedFlags::english()));
    let mut talk = Talk {
        site,
        clock,
        store,
        id,
        engine,
        events: Vec::new(),
        written: 0,
        ended: None,
        model_file,
        model: OnceCell::new(),
        context: CallContext::default(),
    };
    talk.turn(None, CallInput::Connected, as_json).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while talk.ended.is_none() {
        let line = lines.next_line().await.context("the input is not text")?;
        let Some(line) = line else {
            talk.turn(None, CallInput::HungUp, as_json).await?;
            break;
        };
        let words = Phi::new(line);
        talk.turn(Some(words.clone()), CallInput::Line(words), as_json).await?;
    }
    let reason = talk.ended.unwrap_or(EndReason::CallerHungUp);
    talk.store.end_call(&talk.id, talk.clock.moment().now, reason, None).await?;
    Ok(())
}

struct Talk {
    site: Site,
    clock: Clock,
    store: Store,
    id: String,
    engine: CallEngine,
    events: Vec<CallEvent>,
    written: u64,
    ended: Option<EndReason>,
    model_file: PathBuf,
    /// The language model, once it was needed; nothing in it when it could not be loaded.
    model: OnceCell<Option<LanguageModel>>,
    /// What the model has read of this talk.
    context: CallContext,
}

impl Talk {
    /// One turn, to its end: whatever the engine asks for is done before the next line is read.
    async fn turn(
        &mut self,
        said: Option<Phi<String>>,
        input: CallInput,
        json: bool,
    ) -> Result<()> {
        self.events.clear();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engine.handle(self.clock.elapsed(), input);
            while let Some(output) = self.engine.poll_output() {
                inputs.extend(self.perform(output).await);
            }
        }
        self.store.append(&self.id, self.written, &self.events).await?;
        self.written += self.events.len() as u64;
        if json { terminal::line(&self.described(said).to_string()) } else { self.show() }
    }

    async fn perform(&mut self, output: CallOutput) -> Option<CallInput> {
        let today = self.clock.moment().local.date();
        match output {
            CallOutput::Understand { turn, words, question, earlier } => {
                let parsed = understanding::understand(&words, &question, today);
                let read = if understanding::is_for_model(&parsed, &question) {
                    self.read(&words, &earlier)
                } else {
                    None
                };
                Some(CallInput::Understood(turn, read.unwrap_or(parsed)))
            }
            CallOutput::UnderstandKeys { turn, keys, question } => {
                let understood = understanding::from_keys(&keys, &question, today);
                Some(CallInput::Understood(turn, understood))
            }
            CallOutput::Act { request, action } => Some(self.ask_clinic(request, &action).await),
            CallOutput::LookUp { request, look_up } => {
                Some(self.ask_clinic(request, look_up.action()).await)
            }
            CallOutput::Record(event) => {
                self.events.push(event);
                None
            }
            CallOutput::HangUp(reason) => {
                self.ended = Some(reason);
                None
            }
            CallOutput::Transcribe { .. }
            | CallOutput::Synthesize { .. }
            | CallOutput::Play(_)
            | CallOutput::StartRecording => None,
        }
    }

    async fn ask_clinic(&self, request: u32, action: &Action) -> CallInput {
        let work = self.store.perform(&self.id, self.clock.moment(), &self.site.office, action);
        let outcome = match tokio::time::timeout(limits::CLINIC_DEADLINE, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                tracing::error!(%error, "the clinic failed");
                ActionOutcome::Unavailable
            }
            Err(_) => ActionOutcome::Unavailable,
        };
        CallInput::ClinicAnswered(request, outcome)
    }

    /// What the language model makes of the words. It is loaded when it is needed first; without
    /// its file the parsers are alone.
    fn read(&mut self, words: &Phi<String>, earlier: &[EarlierReading]) -> Option<Understanding> {
        let load = || {
            let loaded = LanguageModel::load(&self.model_file);
            if let Err(error) = &loaded {
                tracing::warn!(%error, "no language model; `radline models fetch` brings it");
            }
            loaded.ok()
        };
        let model = self.model.get_or_init(load).as_ref()?;
        model.understand(&mut self.context, earlier, words, READING_LIMIT).ok()
    }

    fn replies(&self) -> Vec<(&str, &str)> {
        let said = |event: &'_ CallEvent| matches!(event.kind, EventKind::AgentSaid { .. });
        self.events
            .iter()
            .filter(|event| said(event))
            .filter_map(|event| match &event.kind {
                EventKind::AgentSaid { text, source, .. } => {
                    Some((text.expose().as_str(), source.as_str()))
                }
                _ => None,
            })
            .collect()
    }

    fn show(&self) -> Result<()> {
        let words: Vec<&str> = self.replies().into_iter().map(|(words, _)| words).collect();
        if !words.is_empty() {
            terminal::line(&format!("Radline: {}", words.join(" ")))?;
        }
        Ok(())
    }

    /// The turn as one JSON object.
    fn described(&self, said: Option<Phi<String>>) -> Value {
        let mut understood = Value::Null;
        let (mut red_flag, mut actions) = (Value::Null, Vec::new());
        for event in &self.events {
            match &event.kind {
                EventKind::Understood { by, commands } => {
                    understood = json!({ "by": by, "commands": commands.expose() });
                }
                EventKind::RedFlagRaised { class } => red_flag = json!(class),
                EventKind::ActionAnswered { action, outcome } => {
                    actions.push(json!({ "action": action, "outcome": outcome }));
                }
                _ => {}
            }
        }
        let dialogue = self.engine.dialogue();
        let slots = dialogue.slots().described().into_iter();
        let slots: serde_json::Map<String, Value> =
            slots.map(|(name, value)| (name.to_owned(), json!(value.expose()))).collect();
        let screening: serde_json::Map<String, Value> = dialogue
            .answers()
            .entries()
            .map(|(id, answer, _)| (id.to_owned(), json!(answer)))
            .collect();
        let next = match self.engine.last_move().map(|last| &last.then) {
            Some(Then::Listen(question)) => json!({ "listen": question.expectation }),
            Some(Then::Act(action)) => json!({ "act": action.kind() }),
            Some(Then::HangUp) | None => json!("hang_up"),
        };
        let replies = self.replies();
        let words: Vec<&str> = replies.iter().map(|(words, _)| *words).collect();
        let mut provenance: Vec<&str> = replies.iter().map(|(_, source)| *source).collect();
        provenance.dedup();
        json!({
            "said": said.map(Phi::into_exposed),
            "state": dialogue.state(),
            "understood": understood,
            "slots": slots,
            "screening": screening,
            "red_flag": red_flag,
            "actions": actions,
            "move": next,
            "reply": words.join(" "),
            "provenance": provenance,
            "call": self.id,
            "ended": self.ended,
        })
    }
}

//! A call without audio: the same engine, lines in, replies out.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use radline_call::{
    CallEngine, CallEvent, CallInput, CallOutput, EndReason, EventKind, Medium, limits,
};
use radline_dialogue::{
    Action, ActionOutcome, Called, Dialogue, Question, RedFlags, Then, Understanding,
};
use radline_language::danger;
use radline_language::labelled::{self, Readings};
use radline_language::model::ModelError;
use radline_language::model::classifier::Classifier;
use radline_language::model::turn_reader::{Reading, TurnReader};
use radline_language::phrasing::Felt;
use radline_language::understanding;
use radline_phi::Phi;
use radline_store::{CallStart, Store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Clock;
use crate::models::cache::{CLASSIFIER, Cache, LANGUAGE};
use crate::site::Site;
use crate::workers::Reader;
use crate::workers::reading::{READING_LIMIT, WORDING_LIMIT};
use crate::workers::supervision::Means;

/// A call in text, with its record in the store.
pub struct TextCall {
    site: Arc<Site>,
    clock: Clock,
    store: Store,
    id: String,
    engine: Box<CallEngine>,
    /// What happened in the last turn.
    events: Vec<CallEvent>,
    /// The second reader, who has only the words here.
    supervisor: Means,
    written: u64,
    ended: Option<EndReason>,
    model: Arc<LazyReader>,
}

/// The classifier and the language model, loaded when a call needs them first. Several calls may share
/// them.
#[derive(Default)]
pub struct LazyReader {
    /// Where they are; nowhere means that the parsers are alone.
    cache: Option<Cache>,
    /// Nothing in it when it could not be loaded.
    classifier: OnceLock<Option<Classifier>>,
    /// The same.
    reader: OnceLock<Option<TurnReader>>,
}

impl LazyReader {
    /// Those in a folder of models.
    pub fn at(cache: Cache) -> Self {
        Self { cache: Some(cache), ..Self::default() }
    }

    /// Models that are there already.
    pub fn of(classifier: Option<Classifier>, reader: TurnReader) -> Self {
        Self {
            cache: None,
            classifier: OnceLock::from(classifier),
            reader: OnceLock::from(Some(reader)),
        }
    }

    fn file(&self, id: &str) -> Option<PathBuf> {
        Some(self.cache.as_ref()?.built_in(id))
    }

    /// The classifier, unless it could not be loaded.
    fn classifier(&self) -> Option<&Classifier> {
        let load = || {
            let [weights, tokenizer] = CLASSIFIER.map(|id| self.file(id));
            loaded(Classifier::built_in(&weights?, &tokenizer?))
        };
        self.classifier.get_or_init(load).as_ref()
    }

    /// The language model, unless it could not be loaded.
    fn get(&self) -> Option<&TurnReader> {
        let load = || loaded(TurnReader::built_in(&self.file(LANGUAGE)?));
        self.reader.get_or_init(load).as_ref()
    }
}

fn loaded<M>(model: Result<M, ModelError>) -> Option<M> {
    if let Err(error) = &model {
        tracing::warn!(%error, "a model is missing; `radline models fetch` brings it");
    }
    model.ok()
}

impl TextCall {
    /// A call that someone makes, or, with `called`, one that the clinic makes to a patient. It has
    /// begun, and the greeting is said.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn begin(
        site: Arc<Site>,
        clock: Clock,
        store: Store,
        model: Arc<LazyReader>,
        called: Option<Called>,
    ) -> Result<Self> {
        let scenario = site.scenario.name();
        let id = Uuid::new_v4().to_string();
        let moment = clock.moment();
        let (started, peer) = (moment.now, "text".to_owned());
        store.begin_call(&CallStart { id: id.clone(), started, peer, scenario }).await?;
        let (scenario, facts) = (Arc::clone(&site.scenario), Arc::clone(&site.facts));
        let today = moment.local.date();
        let dialogue = match called {
            Some(called) => Dialogue::preparation(scenario, facts, today, called),
            None => Dialogue::new(scenario, facts, today),
        };
        let flags = Arc::new(RedFlags::english());
        let engine = Box::new(CallEngine::new(Medium::Text, dialogue, Arc::clone(&flags)));
        let supervisor = Means { transcriber: None, reader: Reader::absent(), red_flags: flags };
        let mut call = Self {
            site,
            clock,
            store,
            id,
            engine,
            events: Vec::new(),
            supervisor,
            written: 0,
            ended: None,
            model,
        };
        call.turn(CallInput::Connected).await?;
        Ok(call)
    }

    /// The caller says something.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn say(&mut self, words: Phi<String>) -> Result<()> {
        self.turn(CallInput::Line(words)).await
    }

    /// The caller hangs up.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.turn(CallInput::HungUp).await
    }

    /// Closes the call's record.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn close(self) -> Result<()> {
        let reason = self.ended.unwrap_or(EndReason::CallerHungUp);
        Ok(self.store.end_call(&self.id, self.clock.moment().now, reason, None).await?)
    }

    /// Why the call is over, once it is.
    pub const fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    /// The call's record number.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happened in the last turn.
    pub fn events(&self) -> &[CallEvent] {
        &self.events
    }

    /// What was said in the last turn, with the source of each sentence.
    pub fn replies(&self) -> Vec<(&str, &str)> {
        self.events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::AgentSaid { text, source, .. } => {
                    Some((text.expose().as_str(), source.as_str()))
                }
                _ => None,
            })
            .collect()
    }

    /// One turn, to its end: whatever the engine asks for is done before the next line is read.
    async fn turn(&mut self, input: CallInput) -> Result<()> {
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
        Ok(())
    }

    async fn perform(&mut self, output: CallOutput) -> Option<CallInput> {
        let today = self.clock.moment().local.date();
        match output {
            CallOutput::Understand { turn, words, question } => {
                Some(CallInput::Understood(turn, self.understand(&words, &question)))
            }
            CallOutput::UnderstandKeys { turn, keys, question } => {
                let understood = understanding::from_keys(&keys, &question, today);
                Some(CallInput::Understood(turn, understood))
            }
            CallOutput::Act { request, action } => Some(self.ask_clinic(request, &action).await),
            CallOutput::LookUp { request, look_up } => {
                Some(self.ask_clinic(request, look_up.action()).await)
            }
            CallOutput::Supervise(turn) => {
                let reading = self.supervisor.reread(&turn, today);
                Some(CallInput::Supervised(turn.turn, reading))
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
            | CallOutput::Ask(_)
            | CallOutput::Overhear { .. }
            | CallOutput::Draft(_)
            | CallOutput::QueueForPerson
            | CallOutput::LeaveQueue
            | CallOutput::Synthesize { .. }
            | CallOutput::Play(_)
            | CallOutput::StartRecording
            | CallOutput::StopRecording => None,
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

    /// As in a call with audio: the parsers and the classifier first, the language model for what they
    /// cannot read.
    fn understand(&self, words: &Phi<String>, question: &Question) -> Understanding {
        let today = self.clock.moment().local.date();
        let parsed = understanding::parse(words, question, today);
        let asked = question.asked.expose();
        let seen = self.model.classifier().and_then(|classifier| {
            classifier.read(question.expectation, asked, words.expose()).ok()
        });
        let alarming = danger::alarms(&self.supervisor.red_flags, words, question, seen.as_ref());
        if alarming {
            return labelled::as_seen(parsed, seen.as_ref());
        }
        let understood = if labelled::is_for_model(words, &parsed, question, seen.as_ref()) {
            let read = self.read(words, question);
            let readings = Readings { seen: seen.as_ref(), read: read.as_ref() };
            labelled::understand(words, parsed, readings, question, today)
        } else {
            labelled::as_seen(parsed, seen.as_ref())
        };
        let acknowledgement = self.acknowledge(words, &understood);
        Understanding { acknowledgement, ..understood }
    }

    /// A sentence to what the caller feels, where the site has some to word and the model finds one.
    fn acknowledge(&self, words: &Phi<String>, heard: &Understanding) -> Option<Phi<String>> {
        let felt = Felt::of(words, heard, &self.site.scenario.line.empathy)?;
        let worded = self.model.get()?.acknowledge(felt, WORDING_LIMIT);
        if let Err(error) = &worded {
            tracing::info!(%error, "the site's own sentence is said");
        }
        worded.ok().flatten().map(Phi::new)
    }

    /// What the language model makes of the words.
    fn read(&self, words: &Phi<String>, question: &Question) -> Option<Reading> {
        let model = self.model.get()?;
        let asked = model.unread(question.expectation, question.asked.expose());
        model.read(&asked, words.expose(), READING_LIMIT).ok()
    }

    /// The turn as one JSON object.
    pub fn described(&self, said: Option<Phi<String>>) -> Value {
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
            Some(Then::Connect(_)) => json!("wait_for_person"),
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

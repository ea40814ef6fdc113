//! The language model's thread: utterances that the parsers cannot read, and sentences to feelings,
//! those of several calls at a time.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use radline_dialogue::Question;
use radline_language::model::ModelError;
use radline_language::model::batch::{Batch, Written};
use radline_language::model::turn_reader::{Asked, Reading, TurnReader};
use radline_language::phrasing::Felt;
use radline_phi::Phi;

use super::endpoint::Endpoint;
use super::queue::{Priority, Queue};

/// Utterances that wait to be taken up.
const BOUND: usize = 32;
/// Utterances that are read together. More would make each of them late.
const TOGETHER_MAX: usize = 16;
/// Calls whose question is kept; that of the call which was silent longest is read anew.
const QUESTIONS_MAX: usize = 64;
/// Utterances that a model elsewhere reads at a time; how it does that is its own matter.
const REMOTE_THREADS: usize = 16;
/// Longest reading. The caller waits meanwhile, so a late answer is worth less than none.
pub const READING_LIMIT: Duration = Duration::from_millis(1500);
/// Longest wording of a sentence to a feeling: the site's own is there at once.
pub const WORDING_LIMIT: Duration = Duration::from_millis(600);

type Reply = Box<dyn FnOnce(Option<Reading>) + Send>;
type Worded = Box<dyn FnOnce(Option<Phi<String>>) + Send>;

enum Job {
    /// The question is being asked; the answer will be read behind it.
    Ask {
        call: u64,
        question: Question,
    },
    Read {
        call: u64,
        question: Question,
        words: Phi<String>,
        reply: Reply,
    },
    /// What was felt is to be answered.
    Acknowledge {
        call: u64,
        felt: Felt,
        reply: Worded,
    },
    /// The call is over.
    Forget {
        call: u64,
    },
}

/// Hands utterances to the language model. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    /// Nothing where there is no model: then nobody reads what the parsers cannot.
    queue: Option<Arc<Queue<Job>>>,
}

impl Reader {
    /// Starts the thread.
    pub fn start(model: TurnReader) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new()
            .name("language".to_owned())
            .spawn(move || read_all(&model, &jobs))?;
        Ok(Self { queue: Some(queue) })
    }

    /// Starts the threads that ask a model elsewhere.
    pub fn remote(endpoint: Endpoint) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let endpoint = Arc::new(endpoint);
        for number in 0..REMOTE_THREADS {
            let (jobs, endpoint) = (Arc::clone(&queue), Arc::clone(&endpoint));
            let thread = thread::Builder::new().name(format!("language-{number}"));
            thread.spawn(move || {
                while let Some(job) = jobs.pop() {
                    // Its server keeps what calls have in common by itself.
                    let (question, words, reply) = match job {
                        Job::Read { question, words, reply, .. } => (question, words, reply),
                        // Its adapter is here, if anywhere; the site's own sentence is spoken.
                        Job::Acknowledge { reply, .. } => {
                            reply(None);
                            continue;
                        }
                        Job::Ask { .. } | Job::Forget { .. } => continue,
                    };
                    let read = endpoint.read(&question, words.expose(), READING_LIMIT);
                    if let Err(error) = &read {
                        tracing::info!(%error, "an utterance was left to the parsers");
                    }
                    reply(read.ok());
                }
            })?;
        }
        Ok(Self { queue: Some(queue) })
    }

    /// Where there is no model.
    pub const fn absent() -> Self {
        Self { queue: None }
    }

    /// A question is being asked in a call: the model reads it while the caller listens.
    pub fn ask(&self, call: u64, question: Question) {
        // When the queue is full, the question is read with the answer.
        if let Some(queue) = &self.queue {
            drop(queue.push(call, Priority::Ahead, Job::Ask { call, question }));
        }
    }

    /// Reads an utterance of a call. A call's older one that still waits is dropped. The reply is
    /// `None` when the model is busy, late or fails.
    pub fn read(
        &self,
        call: u64,
        question: Question,
        words: Phi<String>,
        reply: impl FnOnce(Option<Reading>) + Send + 'static,
    ) {
        let Some(queue) = &self.queue else { return reply(None) };
        // What was not read ahead by now is read with the answer.
        queue.withdraw(call);
        let job = Job::Read { call, question, words, reply: Box::new(reply) };
        if let Err(Job::Read { reply, .. }) = queue.replace(call, job) {
            reply(None);
        }
    }

    /// Words a sentence to a feeling. The reply is `None` when the model is busy, late or fails, or when
    /// nothing that was said fills one of the site's sentences.
    pub fn acknowledge(
        &self,
        call: u64,
        felt: Felt,
        reply: impl FnOnce(Option<Phi<String>>) + Send + 'static,
    ) {
        let Some(queue) = &self.queue else { return reply(None) };
        let job = Job::Acknowledge { call, felt, reply: Box::new(reply) };
        if let Err(Job::Acknowledge { reply, .. }) = queue.replace(call, job) {
            reply(None);
        }
    }

    /// Frees what is kept of a call that is over.
    pub fn forget(&self, call: u64) {
        let Some(queue) = &self.queue else { return };
        // A question that waits to be read must not come after it and stay.
        queue.withdraw(call);
        // When the queue is full, the bound on kept questions frees it a little later.
        drop(queue.replace(call, Job::Forget { call }));
    }

    /// Ends the threads.
    pub fn close(&self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }
}

/// Reads until the queue is closed.
fn read_all(model: &TurnReader, jobs: &Queue<Job>) {
    let mut questions = Questions::default();
    let mut batch = Batch::new(model);
    let mut replies: Vec<(u64, Waiting)> = Vec::new();
    loop {
        // Questions are read ahead only while nobody waits.
        let job = match batch.len() {
            0 => jobs.pop(),
            TOGETHER_MAX.. => None,
            _ => jobs.pop_waiting(),
        };
        match job {
            Some(Job::Ask { call, question }) => {
                if let Err(error) = questions.read(model, call, question) {
                    tracing::info!(%error, "a question was not read ahead");
                }
                continue;
            }
            Some(Job::Read { call, question, words, reply }) => {
                replies.retain(|(other, _)| *other != call);
                let asked = questions.of(model, call, &question);
                let begun = batch.begin(call, asked, words.expose(), READING_LIMIT);
                keep(&mut replies, call, Waiting::Reading(reply), begun);
                continue;
            }
            Some(Job::Acknowledge { call, felt, reply }) => {
                replies.retain(|(other, _)| *other != call);
                let begun = batch.acknowledge(call, felt, WORDING_LIMIT);
                keep(&mut replies, call, Waiting::Sentence(reply), begun);
                continue;
            }
            Some(Job::Forget { call }) => {
                questions.forget(call);
                batch.withdraw(call);
                replies.retain(|(other, _)| *other != call);
                continue;
            }
            None if batch.is_empty() => return,
            None => {}
        }
        for (call, written) in batch.step() {
            if let Some(place) = replies.iter().position(|(other, _)| *other == call) {
                replies.swap_remove(place).1.answer(written);
            }
        }
    }
}

/// Who waits for what the model writes.
enum Waiting {
    Reading(Reply),
    Sentence(Worded),
}

impl Waiting {
    fn answer(self, written: Result<Written, ModelError>) {
        match (&self, &written) {
            (Self::Reading(_), Err(error)) => {
                tracing::info!(%error, "an utterance was left to the parsers");
            }
            (Self::Sentence(_), Err(error)) => {
                tracing::info!(%error, "the site's own sentence is said");
            }
            _ => {}
        }
        match (self, written) {
            (Self::Reading(reply), Ok(Written::Labels(reading))) => reply(Some(reading)),
            (Self::Reading(reply), _) => reply(None),
            (Self::Sentence(reply), Ok(Written::Acknowledgement(sentence))) => {
                reply(sentence.map(Phi::new));
            }
            (Self::Sentence(reply), _) => reply(None),
        }
    }
}

/// Keeps whoever waits for what was begun.
fn keep(
    replies: &mut Vec<(u64, Waiting)>,
    call: u64,
    waiting: Waiting,
    begun: Result<(), ModelError>,
) {
    match begun {
        Ok(()) => replies.push((call, waiting)),
        Err(error) => waiting.answer(Err(error)),
    }
}

/// The last questions of the calls in progress, the one used last at the end.
#[derive(Default)]
struct Questions(Vec<(u64, Question, Asked)>);

impl Questions {
    /// Reads a question ahead.
    fn read(
        &mut self,
        model: &TurnReader,
        call: u64,
        question: Question,
    ) -> Result<(), ModelError> {
        self.forget(call);
        let asked = model.ask(question.expectation, question.asked.expose())?;
        if self.0.len() >= QUESTIONS_MAX {
            self.0.remove(0);
        }
        self.0.push((call, question, asked));
        Ok(())
    }

    /// The question that a call's answer is read behind.
    fn of(&self, model: &TurnReader, call: u64, question: &Question) -> Asked {
        let known =
            |(other, asked, _): &&(u64, Question, Asked)| *other == call && asked == question;
        self.0.iter().find(known).map_or_else(
            || model.unread(question.expectation, question.asked.expose()),
            |(_, _, asked)| asked.clone(),
        )
    }

    fn forget(&mut self, call: u64) {
        self.0.retain(|(other, ..)| *other != call);
    }
}

//! The language model's thread: utterances that the parsers cannot read.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use radline_dialogue::Question;
use radline_language::model::ModelError;
use radline_language::model::turn_reader::{Asked, Reading, TurnReader};
use radline_phi::Phi;

use super::queue::{Priority, Queue};

/// Utterances that wait.
const BOUND: usize = 8;
/// Calls whose question is kept; that of the call which was silent longest is read anew.
const QUESTIONS_MAX: usize = 64;
/// Longest reading. The caller waits meanwhile, so a late answer is worth less than none.
pub const READING_LIMIT: Duration = Duration::from_millis(1500);

type Reply = Box<dyn FnOnce(Option<Reading>) + Send>;

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
    /// The call is over.
    Forget {
        call: u64,
    },
}

/// Hands utterances to the language model. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    queue: Arc<Queue<Job>>,
}

impl Reader {
    /// Starts the thread.
    pub fn start(model: TurnReader) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new().name("language".to_owned()).spawn(move || {
            let mut questions = Questions::default();
            while let Some(job) = jobs.pop() {
                match job {
                    Job::Ask { call, question } => {
                        if let Err(error) = questions.of(&model, call, &question) {
                            tracing::info!(%error, "a question was not read ahead");
                        }
                    }
                    Job::Read { call, question, words, reply } => {
                        let asked = questions.of(&model, call, &question);
                        let read = asked
                            .and_then(|asked| model.read(&asked, words.expose(), READING_LIMIT));
                        if let Err(error) = &read {
                            tracing::info!(%error, "an utterance was left to the parsers");
                        }
                        reply(read.ok());
                    }
                    Job::Forget { call } => questions.forget(call),
                }
            }
        })?;
        Ok(Self { queue })
    }

    /// A question is being asked in a call: the model reads it while the caller listens.
    pub fn ask(&self, call: u64, question: Question) {
        // When the queue is full, the question is read with the answer.
        drop(self.queue.push(call, Priority::Ahead, Job::Ask { call, question }));
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
        let job = Job::Read { call, question, words, reply: Box::new(reply) };
        if let Err(Job::Read { reply, .. }) = self.queue.replace(call, job) {
            reply(None);
        }
    }

    /// Frees what is kept of a call that is over.
    pub fn forget(&self, call: u64) {
        // A question that waits to be read must not come after it and stay.
        self.queue.withdraw(call);
        // When the queue is full, the bound on kept questions frees it a little later.
        drop(self.queue.replace(call, Job::Forget { call }));
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

/// The last questions of the calls in progress, the one used last at the end.
#[derive(Default)]
struct Questions(Vec<(u64, Question, Asked)>);

impl Questions {
    fn of(
        &mut self,
        model: &TurnReader,
        call: u64,
        question: &Question,
    ) -> Result<Asked, ModelError> {
        let kept = self.0.iter().position(|(other, ..)| *other == call);
        let kept = kept.map(|place| self.0.remove(place));
        let asked = match kept {
            Some((_, known, asked)) if known == *question => asked,
            _ => model.ask(question.expectation, question.asked.expose())?,
        };
        if self.0.len() >= QUESTIONS_MAX {
            self.0.remove(0);
        }
        self.0.push((call, question.clone(), asked.clone()));
        Ok(asked)
    }

    fn forget(&mut self, call: u64) {
        self.0.retain(|(other, ..)| *other != call);
    }
}

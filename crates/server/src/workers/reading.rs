//! The language model's thread: open utterances that the parsers cannot read.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use radline_dialogue::{EarlierReading, Understanding};
use radline_language::model::{CallContext, LanguageModel};
use radline_phi::Phi;

use super::queue::Queue;

/// Utterances that wait.
const BOUND: usize = 8;
/// Calls whose context is kept; that of the call which was silent longest is read anew.
const CONTEXTS_MAX: usize = 16;
/// Longest reading. The caller waits meanwhile, so a late answer is worth less than none.
pub const READING_LIMIT: Duration = Duration::from_millis(1500);

type Reply = Box<dyn FnOnce(Option<Understanding>) + Send>;

enum Job {
    Read {
        call: u64,
        words: Phi<String>,
        earlier: Vec<EarlierReading>,
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
    pub fn start(model: LanguageModel) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new().name("language".to_owned()).spawn(move || {
            let mut contexts = Contexts::default();
            while let Some(job) = jobs.pop() {
                match job {
                    Job::Read { call, words, earlier, reply } => {
                        let context = contexts.of(call);
                        let read = model.understand(context, &earlier, &words, READING_LIMIT);
                        if let Err(error) = &read {
                            tracing::info!(%error, "an utterance was left to the parsers");
                        }
                        reply(read.ok());
                    }
                    Job::Forget { call } => contexts.forget(call),
                }
            }
        })?;
        Ok(Self { queue })
    }

    /// Reads an utterance of a call, `earlier` being what was read of it before. A call's older
    /// one that still waits is dropped. The reply is `None` when the model is busy, late or fails.
    pub fn read(
        &self,
        call: u64,
        words: Phi<String>,
        earlier: Vec<EarlierReading>,
        reply: impl FnOnce(Option<Understanding>) + Send + 'static,
    ) {
        let job = Job::Read { call, words, earlier, reply: Box::new(reply) };
        if let Err(Job::Read { reply, .. }) = self.queue.replace(call, job) {
            reply(None);
        }
    }

    /// Frees what is kept of a call that is over.
    pub fn forget(&self, call: u64) {
        // When the queue is full, the bound on kept contexts frees it a little later.
        drop(self.queue.replace(call, Job::Forget { call }));
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

/// What the model has read of the calls in progress, the one used last at the end.
#[derive(Default)]
struct Contexts(Vec<(u64, CallContext)>);

impl Contexts {
    fn of(&mut self, call: u64) -> &mut CallContext {
        let context = match self.0.iter().position(|(other, _)| *other == call) {
            Some(place) => self.0.remove(place),
            None => (call, CallContext::default()),
        };
        if self.0.len() >= CONTEXTS_MAX {
            self.0.remove(0);
        }
        self.0.push(context);
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }

    fn forget(&mut self, call: u64) {
        self.0.retain(|(other, _)| *other != call);
    }
}

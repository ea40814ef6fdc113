//! The classifier's thread: every utterance at first sight.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use radline_dialogue::Question;
use radline_language::model::classifier::{Classifier, Impression};
use radline_phi::Phi;

use super::queue::{Priority, Queue};

/// Utterances that wait to be looked at. Each takes some twenty milliseconds.
const BOUND: usize = 32;

type Reply = Box<dyn FnOnce(Option<Impression>) + Send>;

struct Job {
    question: Question,
    words: Phi<String>,
    reply: Reply,
}

/// Shows utterances to the classifier. Cheap to clone.
#[derive(Clone)]
pub struct FirstSight {
    /// Nothing where there is no classifier.
    queue: Option<Arc<Queue<Job>>>,
}

impl FirstSight {
    /// Starts the thread.
    pub fn start(classifier: Classifier) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new().name("first-sight".to_owned()).spawn(move || {
            while let Some(Job { question, words, reply }) = jobs.pop() {
                // One utterance that breaks something must not end the thread for all calls.
                let look = || {
                    classifier.read(question.expectation, question.asked.expose(), words.expose())
                };
                let seen = match catch_unwind(AssertUnwindSafe(look)) {
                    Ok(seen) => seen.map_err(|error| error.to_string()),
                    Err(_) => Err("the classifier broke off".to_owned()),
                };
                if let Err(error) = &seen {
                    tracing::warn!(%error, "an utterance was not looked at");
                }
                reply(seen.ok());
            }
        })?;
        Ok(Self { queue: Some(queue) })
    }

    /// Where there is no classifier.
    pub const fn absent() -> Self {
        Self { queue: None }
    }

    /// Looks at an utterance of a call. The reply is `None` when the classifier is busy or fails: what
    /// names a danger is found without it.
    pub fn see(
        &self,
        call: u64,
        question: Question,
        words: Phi<String>,
        reply: impl FnOnce(Option<Impression>) + Send + 'static,
    ) {
        let Some(queue) = &self.queue else { return reply(None) };
        let job = Job { question, words, reply: Box::new(reply) };
        if let Err(Job { reply, .. }) = queue.push(call, Priority::Call, job) {
            reply(None);
        }
    }

    /// Ends the thread.
    pub fn close(&self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }
}

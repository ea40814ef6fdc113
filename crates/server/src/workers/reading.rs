//! The language model's thread: open utterances that the parsers cannot read.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use radline_dialogue::{Question, Understanding};
use radline_language::model::LanguageModel;
use radline_phi::Phi;

use super::queue::Queue;

/// Utterances that wait.
const BOUND: usize = 8;
/// Longest reading. The caller waits meanwhile, so a late answer is worth less than none.
pub const READING_LIMIT: Duration = Duration::from_millis(1500);

type Reply = Box<dyn FnOnce(Option<Understanding>) + Send>;

struct Job {
    words: Phi<String>,
    question: Question,
    reply: Reply,
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
            while let Some(job) = jobs.pop() {
                let read = model.understand(&job.words, &job.question, READING_LIMIT);
                if let Err(error) = &read {
                    tracing::info!(%error, "an utterance was left to the parsers");
                }
                (job.reply)(read.ok());
            }
        })?;
        Ok(Self { queue })
    }

    /// Reads an utterance of a call. A call's older one that still waits is dropped. The reply is
    /// `None` when the model is busy, late or fails.
    pub fn read(
        &self,
        call: u64,
        words: Phi<String>,
        question: Question,
        reply: impl FnOnce(Option<Understanding>) + Send + 'static,
    ) {
        let job = Job { words, question, reply: Box::new(reply) };
        if let Err(job) = self.queue.replace(call, job) {
            (job.reply)(None);
        }
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

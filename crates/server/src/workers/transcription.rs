//! The transcription thread.

use std::sync::Arc;
use std::thread;

use radline_dialogue::Expectation;
use radline_phi::Phi;
use radline_speech::{Asked, Transcriber, Transcript, Vocabulary};

use super::queue::{Priority, Queue};

/// Utterances that wait: about as many as can be served before their deadline.
const BOUND: usize = 16;

type Reply = Box<dyn FnOnce(Option<Transcript>) + Send>;

enum Job {
    Transcribe {
        audio: Phi<Vec<i16>>,
        expectation: Expectation,
        reply: Reply,
    },
    /// The names that callers may have, from now on.
    Expect(Vocabulary),
}

/// How a question shapes the reading of its answer. The examples are words of the kind that is
/// asked for: Whisper takes them for what was said before, and leans towards their spelling and
/// form; short ones, because each costs decoding time. None of them may be a record of the
/// demonstration clinic, or a measurement would flatter itself.
pub const fn asked(expectation: Expectation) -> Asked<'static> {
    match expectation {
        Expectation::YesNo => {
            Asked::Anything(Some("No. No, I don't. Yes. Yes, I do. I'm not sure."))
        }
        Expectation::Choice => {
            Asked::Anything(Some("The first one. The left one. Friday at two, please."))
        }
        Expectation::DayTime => Asked::Anything(Some("Tuesday morning, please. Friday after two.")),
        Expectation::Open => Asked::Anything(Some("I'd like to book an MRI, please.")),
        Expectation::Story => Asked::Anything(None),
        Expectation::Digits | Expectation::Name => Asked::Identity,
        Expectation::DateOfBirth => Asked::Date,
    }
}

/// Hands utterances to the transcription thread. Cheap to clone.
#[derive(Clone)]
pub struct Ears {
    queue: Arc<Queue<Job>>,
}

impl Ears {
    /// Starts the thread.
    pub fn start(mut transcriber: impl Transcriber + 'static) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new().name("transcription".to_owned()).spawn(move || {
            while let Some(job) = jobs.pop() {
                match job {
                    Job::Transcribe { audio, expectation, reply } => {
                        let result = transcriber.transcribe(audio.expose(), asked(expectation));
                        if let Err(error) = &result {
                            tracing::warn!(%error, "an utterance could not be transcribed");
                        }
                        reply(result.ok());
                    }
                    Job::Expect(vocabulary) => transcriber.expect(&vocabulary),
                }
            }
        })?;
        Ok(Self { queue })
    }

    /// Transcribes an utterance of a call. A call's older utterance that still waits is dropped:
    /// its words would be stale. When the queue is full the reply is `None` at once.
    pub fn transcribe(
        &self,
        call: u64,
        audio: Phi<Vec<i16>>,
        expectation: Expectation,
        reply: impl FnOnce(Option<Transcript>) + Send + 'static,
    ) {
        let job = Job::Transcribe { audio, expectation, reply: Box::new(reply) };
        if let Err(Job::Transcribe { reply, .. }) = self.queue.replace(call, job) {
            reply(None);
        }
    }

    /// Writes down what was said in a conversation between people. Nobody waits for it: it comes after
    /// everything else, and when the queue is full the reply is `None` at once.
    pub fn overhear(
        &self,
        call: u64,
        audio: Phi<Vec<i16>>,
        reply: impl FnOnce(Option<Transcript>) + Send + 'static,
    ) {
        let expectation = Expectation::Story;
        let job = Job::Transcribe { audio, expectation, reply: Box::new(reply) };
        if let Err(Job::Transcribe { reply, .. }) = self.queue.push(call, Priority::Ahead, job) {
            reply(None);
        }
    }

    /// Tells what callers may say of themselves: the worklist's names, the site's words.
    pub fn expect(&self, vocabulary: Vocabulary) {
        // When the queue is full the old ones serve until they are told again.
        drop(self.queue.push(0, Priority::Ahead, Job::Expect(vocabulary)));
    }

    /// Utterances that wait.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

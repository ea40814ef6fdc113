//! The transcription thread.

use std::sync::Arc;
use std::thread;

use radline_dialogue::Expectation;
use radline_phi::Phi;
use radline_speech::{Transcriber, Transcript};

use super::queue::Queue;

/// Utterances that wait: about as many as can be served before their deadline.
const BOUND: usize = 16;

type Reply = Box<dyn FnOnce(Option<Transcript>) + Send>;

struct Job {
    audio: Phi<Vec<i16>>,
    expectation: Expectation,
    reply: Reply,
}

/// Words of the kind that the question asks for. Whisper takes them for what was said before,
/// and leans towards their spelling and form; short ones, because each costs decoding time. None
/// of them may be a record of the demonstration clinic, or a measurement would flatter itself.
///
/// Names and numbers get none: over µ-law an example made tiny.en write the example's letters and
/// the example's length (of nine telephone numbers 5 were right without one, 2 with it).
pub const fn example(expectation: Expectation) -> Option<&'static str> {
    match expectation {
        Expectation::YesNo => Some("Yes, please. No, I don't. I'm not sure."),
        Expectation::Choice => Some("The first one. The left one. Friday at two, please."),
        Expectation::DateOfBirth => Some("My date of birth is July 8, 1952."),
        Expectation::DayTime => Some("Tuesday morning, please. Friday after two."),
        Expectation::Open => Some("I'd like to book an MRI, please."),
        Expectation::Digits | Expectation::Name | Expectation::Story => None,
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
                let result = transcriber.transcribe(job.audio.expose(), example(job.expectation));
                if let Err(error) = &result {
                    tracing::warn!(%error, "an utterance could not be transcribed");
                }
                (job.reply)(result.ok());
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
        let job = Job { audio, expectation, reply: Box::new(reply) };
        if let Err(job) = self.queue.replace(call, job) {
            (job.reply)(None);
        }
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

//! The synthesis thread and its cache: sentences without a caller's data are made once, and kept
//! in memory and on disk.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use radline_call::SpokenPart;
use radline_phi::Phi;
use radline_speech::{Synthesizer, clauses};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::queue::{Priority, Queue};

/// Sentences that wait.
const BOUND: usize = 64;
/// Sentences kept in memory; about half a gigabyte if each were six seconds long, in practice a
/// tenth of that.
const CACHED_MAX: usize = 1000;

/// How text becomes audio; a change makes what is kept on disk stale.
const WORDING: &str = "clauses 1";

/// Takes the parts of a sentence in order; nothing ends a sentence that cannot be spoken.
type Reply = Box<dyn FnMut(Option<SpokenPart>) + Send>;

struct Job {
    text: Phi<String>,
    reusable: bool,
    reply: Reply,
}

/// Hands sentences to the synthesis thread. Cheap to clone.
#[derive(Clone)]
pub struct Voice {
    queue: Arc<Queue<Job>>,
    cache: Arc<Cache>,
}

struct Cache {
    memory: Mutex<HashMap<String, Arc<Vec<i16>>>>,
    folder: PathBuf,
    /// What the audio depends on besides the words: the voice's file.
    voice: String,
}

impl Voice {
    /// Starts the thread. `folder` keeps sentences between runs; `voice` names the voice and its
    /// version, so that another voice does not get this one's sentences.
    pub fn start(
        mut synthesizer: impl Synthesizer + 'static,
        folder: PathBuf,
        voice: String,
    ) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let cache = Arc::new(Cache { memory: Mutex::default(), folder, voice });
        let (jobs, kept) = (Arc::clone(&queue), Arc::clone(&cache));
        thread::Builder::new().name("synthesis".to_owned()).spawn(move || {
            while let Some(mut job) = jobs.pop() {
                match job.reusable.then(|| kept.get(job.text.expose())).flatten() {
                    Some(known) => (job.reply)(Some(SpokenPart::whole(known.to_vec().into()))),
                    None => speak(&mut synthesizer, &kept, &mut job),
                }
            }
        })?;
        Ok(Self { queue, cache })
    }

    /// Speaks a sentence for a call. When the queue is full the reply is `None` at once.
    pub fn speak(
        &self,
        call: u64,
        text: Phi<String>,
        reusable: bool,
        mut reply: impl FnMut(Option<SpokenPart>) + Send + 'static,
    ) {
        // What is known needs no thread.
        if let Some(audio) = reusable.then(|| self.cache.get(text.expose())).flatten() {
            reply(Some(SpokenPart::whole(audio.to_vec().into())));
            return;
        }
        let job = Job { text, reusable, reply: Box::new(reply) };
        if let Err(mut job) = self.queue.push(call, Priority::Call, job) {
            (job.reply)(None);
        }
    }

    /// Whether a sentence was made before.
    pub fn knows(&self, text: &str) -> bool {
        self.cache.get(text).is_some()
    }

    /// Makes a sentence ahead of time and returns once it is kept, or could not be made.
    pub async fn prepare(&self, text: &str) {
        let (done, made) = oneshot::channel();
        let mut done = Some(done);
        let reply = move |_| {
            let waited = done.take().is_some_and(|done| done.send(()).is_ok());
            if !waited {
                tracing::debug!("nobody waits for a prepared sentence any more");
            }
        };
        let job = Job { text: text.into(), reusable: true, reply: Box::new(reply) };
        if self.queue.push(0, Priority::Ahead, job).is_ok() && made.await.is_err() {
            tracing::warn!("a sentence was not prepared");
        }
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

/// Makes a sentence, clause by clause, and keeps it if it may be used again.
fn speak(synthesizer: &mut impl Synthesizer, kept: &Cache, job: &mut Job) {
    let mut whole = Vec::new();
    let clauses = clauses::split(job.text.expose());
    for (index, clause) in clauses.iter().enumerate() {
        let last = index + 1 == clauses.len();
        let mut audio = match synthesizer.synthesize(clause) {
            Ok(audio) => audio,
            Err(error) => {
                tracing::warn!(%error, "a sentence could not be spoken");
                return (job.reply)(None);
            }
        };
        if !last {
            audio.resize(audio.len() + clauses::pause_after(clause), 0);
        }
        if job.reusable {
            whole.extend_from_slice(&audio);
        } else {
            (job.reply)(Some(SpokenPart { audio: audio.into(), last }));
        }
    }
    if job.reusable {
        kept.keep(job.text.expose(), &whole);
        (job.reply)(Some(SpokenPart::whole(whole.into())));
    } else if clauses.is_empty() {
        (job.reply)(Some(SpokenPart::whole(Phi::default())));
    }
}

impl Cache {
    fn path(&self, text: &str) -> PathBuf {
        let hash = Sha256::digest(format!("{}\n{WORDING}\n{text}", self.voice));
        self.folder.join(format!("{hash:x}.pcm"))
    }

    fn get(&self, text: &str) -> Option<Arc<Vec<i16>>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(audio) = memory.get(text) {
            return Some(Arc::clone(audio));
        }
        let bytes = fs::read(self.path(text)).ok().filter(|bytes| !bytes.is_empty())?;
        let samples = bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair));
        let audio = Arc::new(samples.collect());
        if memory.len() < CACHED_MAX {
            memory.insert(text.to_owned(), Arc::clone(&audio));
        }
        Some(audio)
    }

    fn keep(&self, text: &str, audio: &[i16]) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() < CACHED_MAX {
            memory.insert(text.to_owned(), Arc::new(audio.to_vec()));
        }
        drop(memory);
        let bytes: Vec<u8> = audio.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let path = self.path(text);
        // Written beside and moved, so that another process never reads half a sentence.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        if let Err(error) = fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)) {
            tracing::debug!(%error, "a sentence was not kept on disk");
        }
    }
}

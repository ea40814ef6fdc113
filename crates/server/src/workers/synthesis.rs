//! The synthesis thread and its cache: sentences without a caller's data are made once, and kept
//! in memory and on disk.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use radline_phi::Phi;
use radline_speech::Synthesizer;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::queue::{Priority, Queue};

/// Sentences that wait.
const BOUND: usize = 64;
/// Sentences kept in memory; about half a gigabyte if each were six seconds long, in practice a
/// tenth of that.
const CACHED_MAX: usize = 1000;

type Reply = Box<dyn FnOnce(Option<Phi<Vec<i16>>>) + Send>;

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
            while let Some(job) = jobs.pop() {
                let known = job.reusable.then(|| kept.get(job.text.expose())).flatten();
                let audio = known.or_else(|| match synthesizer.synthesize(job.text.expose()) {
                    Ok(audio) => Some(kept.keep(job.reusable, job.text.expose(), audio)),
                    Err(error) => {
                        tracing::warn!(%error, "a sentence could not be spoken");
                        None
                    }
                });
                (job.reply)(audio.map(|audio| Phi::new(audio.to_vec())));
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
        reply: impl FnOnce(Option<Phi<Vec<i16>>>) + Send + 'static,
    ) {
        // What is known needs no thread.
        if let Some(audio) = reusable.then(|| self.cache.get(text.expose())).flatten() {
            reply(Some(Phi::new(audio.to_vec())));
            return;
        }
        let job = Job { text, reusable, reply: Box::new(reply) };
        if let Err(job) = self.queue.push(call, Priority::Call, job) {
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
        let reply = move |_| {
            if done.send(()).is_err() {
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

impl Cache {
    fn path(&self, text: &str) -> PathBuf {
        let hash = Sha256::digest(format!("{}\n{text}", self.voice));
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

    fn keep(&self, reusable: bool, text: &str, audio: Vec<i16>) -> Arc<Vec<i16>> {
        let audio = Arc::new(audio);
        if !reusable {
            return audio;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() < CACHED_MAX {
            memory.insert(text.to_owned(), Arc::clone(&audio));
        }
        drop(memory);
        let bytes: Vec<u8> = audio.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let path = self.path(text);
        // Written beside and moved, so that another process never reads half a sentence.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        if let Err(error) = fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)) {
            tracing::debug!(%error, "a sentence was not kept on disk");
        }
        audio
    }
}

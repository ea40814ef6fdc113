//! The conversation: hear the agent's turn, choose a line, say it, and time the answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use radline_audio::resample::{convert, to_float, to_pcm};
use radline_audio::{SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ};
use radline_speech::{Asked, Transcriber, WhisperTranscriber};
use serde::Serialize;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::line::Lines;
use super::media::Media;
use super::overlap::{Overlap, Sound, overlap, play_over};
use super::persona::Persona;
use super::sip::SipCall;

/// Quiet that ends the agent's turn.
const AGENT_QUIET: Duration = Duration::from_millis(900);
/// The same when sounds come over its voice: it pauses to find out what they are.
const INTERRUPTED_QUIET: Duration = Duration::from_secs(2);
/// An agent that says nothing for this long has failed.
const AGENT_LIMIT: Duration = Duration::from_secs(15);

/// One line of the caller and the agent's answer.
#[derive(Debug, Clone, Serialize)]
pub struct Turn {
    /// What the caller said.
    pub said: String,
    /// What the agent answered, as the caller heard it; none when the agent did not answer.
    pub answer: Option<String>,
    /// From the end of the caller's speech to the agent's first audible packet, ms.
    pub voice_to_voice_ms: Option<u64>,
}

/// What became of a call.
#[derive(Debug, Clone, Serialize)]
pub struct CallReport {
    /// Turns in order.
    pub turns: Vec<Turn>,
    /// Whether the agent ended the call.
    pub agent_hung_up: bool,
    /// Sounds over the agent's voice, and what it did.
    pub overlaps: Vec<Overlap>,
    /// How far into an answer the agent began to speak, each time that it did, ms.
    pub agent_cut_in_ms: Vec<u64>,
}

/// How to talk.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Sounds that are played over the agent's turns, one to a turn, in order and from the start
    /// again.
    pub sounds: Vec<Sound>,
    /// Where in their order to begin.
    pub first_sound: usize,
}

/// The caller's voice and ears.
struct Senses {
    voice: Lines,
    ears: WhisperTranscriber,
    /// Lines that were said before.
    spoken: HashMap<String, Vec<i16>>,
}

impl Senses {
    fn load(models: &Path) -> Result<Self> {
        let voice = Lines::load(models)?;
        let ears = WhisperTranscriber::load(&models.join("ggml-tiny.en.bin"), 2)?;
        Ok(Self { voice, ears, spoken: HashMap::new() })
    }

    /// Telephone audio of a line.
    fn speak(&mut self, line: &str) -> Result<Vec<i16>> {
        if let Some(audio) = self.spoken.get(line) {
            return Ok(audio.clone());
        }
        let telephone = self.voice.say(line)?;
        self.spoken.insert(line.to_owned(), telephone.clone());
        Ok(telephone)
    }

    /// The words of the agent's turn. A long one is heard in pieces, cut where the agent pauses:
    /// small recognisers lose the end of long audio, and the end is the question.
    fn hear(&mut self, telephone: &[i16]) -> Result<String> {
        let mut heard = Vec::new();
        for piece in pieces(telephone) {
            let wide = convert(&to_float(piece), TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ)?;
            heard.push(
                self.ears.transcribe(&to_pcm(&wide), Asked::Anything(None))?.text.into_exposed(),
            );
        }
        Ok(heard.join(" "))
    }
}

/// Cuts audio into pieces that are heard well, at pauses.
fn pieces(telephone: &[i16]) -> Vec<&[i16]> {
    /// A piece of this length ends at the next pause.
    const LONG: usize = 3 * TELEPHONE_RATE_HZ as usize;
    /// The agent's pause between two sentences is longer than this.
    const PAUSE: usize = TELEPHONE_RATE_HZ as usize / 10;
    let is_silent = |chunk: &[i16]| chunk.iter().all(|sample| sample.abs() < 64);
    let (mut pieces, mut from) = (Vec::new(), 0);
    for (number, chunk) in telephone.chunks(PAUSE).enumerate() {
        let at = number * PAUSE;
        if is_silent(chunk) && at - from > LONG {
            pieces.push(&telephone[from..at]);
            from = at;
        }
    }
    if !is_silent(&telephone[from..]) {
        pieces.push(&telephone[from..]);
    }
    pieces
}

/// How the call comes about.
#[derive(Debug)]
pub enum Way {
    /// The persona calls this address.
    Calls(SocketAddr),
    /// Somebody calls the persona's telephone, which hears signalling here.
    Answers(UdpSocket),
}

/// Calls or is called, talks until the agent hangs up or the persona's patience ends, and reports. `show` gets
/// each line as it is spoken: who, and what.
pub async fn converse(
    way: Way,
    models: &Path,
    persona: &Persona,
    options: &Options,
    mut show: impl FnMut(&str, &str),
) -> Result<CallReport> {
    let folder = models.to_owned();
    let senses = tokio::task::spawn_blocking(move || Senses::load(&folder)).await??;
    let senses = Arc::new(Mutex::new(senses));
    for line in &persona.lines {
        think(&senses, line.say.clone(), |senses, line| senses.speak(&line)).await?;
    }
    let mut over = options.sounds.clone();
    for sound in &mut over {
        if let Some(line) = &sound.line {
            sound.audio = think(&senses, line.clone(), |senses, line| senses.speak(&line)).await?;
        }
    }
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
    let own = socket.local_addr()?;
    let (mut signalling, remote) = match way {
        Way::Calls(server) => SipCall::place(server, own).await?,
        Way::Answers(telephone) => SipCall::answer(telephone, own).await?,
    };
    let media = Media::start(socket, remote);
    if let Some(line) = &persona.picks_up {
        show("caller", line);
        let speech = think(&senses, line.clone(), |senses, line| senses.speak(&line)).await?;
        media.say(&speech).await;
    }
    let mut turns: Vec<Turn> = Vec::new();
    let mut agent_hung_up = false;
    let mut ended = None;
    let mut sounds = Sounds { all: &over, next: options.first_sound, overlaps: Vec::new() };
    while turns.len() < persona.turns_max {
        let heard = tokio::select! {
            heard = sounds.agent_turn(&media) => heard,
            result = signalling.hung_up() => {
                result?;
                agent_hung_up = true;
                break;
            }
        };
        let Some((first, audio)) = heard else { break };
        let words = think(&senses, audio, |senses, audio| senses.hear(&audio)).await?;
        show("agent", &words);
        if let (Some(turn), Some(end)) = (turns.last_mut(), ended) {
            turn.answer = Some(words.clone());
            turn.voice_to_voice_ms = Some(first.saturating_duration_since(end).as_millis() as u64);
        }
        let line = persona.answer(&words).to_owned();
        let speech = think(&senses, line.clone(), |senses, line| senses.speak(&line)).await?;
        // The agent may be saying goodbye: then there is nothing to answer.
        if words.to_lowercase().contains("goodbye") {
            signalling.hung_up().await?;
            agent_hung_up = true;
            break;
        }
        show("caller", &line);
        ended = Some(media.say(&speech).await);
        turns.push(Turn { said: line, answer: None, voice_to_voice_ms: None });
    }
    if !agent_hung_up {
        signalling.bye().await.context("hanging up")?;
    }
    let overlaps = sounds.overlaps;
    let cut_in = media.agent_cut_in();
    let agent_cut_in_ms = cut_in.iter().map(|into| into.as_millis() as u64).collect();
    Ok(CallReport { turns, agent_hung_up, overlaps, agent_cut_in_ms })
}

/// The sounds of a call, and what became of them.
struct Sounds<'a> {
    all: &'a [Sound],
    next: usize,
    overlaps: Vec<Overlap>,
}

impl Sounds<'_> {
    /// Hears the agent's turn, with the next sound over it if the turn is long enough.
    async fn agent_turn(&mut self, media: &Media) -> Option<(Instant, Vec<i16>)> {
        let Some(sound) = self.all.get(self.next % self.all.len().max(1)) else {
            return media.agent_turn(AGENT_QUIET, AGENT_LIMIT).await;
        };
        let mut began = None;
        if media.agent_begins(AGENT_LIMIT).await {
            began = play_over(media, sound).await;
        }
        let turn = media.agent_turn(INTERRUPTED_QUIET, AGENT_LIMIT).await;
        if let Some(began) = began {
            self.overlaps.push(overlap(sound, began, &media.agent_heard()));
            self.next += 1;
        }
        turn
    }
}

/// Uses a model without holding up the audio.
async fn think<I: Send + 'static, O: Send + 'static>(
    senses: &Arc<Mutex<Senses>>,
    input: I,
    work: impl FnOnce(&mut Senses, I) -> Result<O> + Send + 'static,
) -> Result<O> {
    let senses = Arc::clone(senses);
    let task = tokio::task::spawn_blocking(move || {
        let mut senses = senses.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut senses, input)
    });
    task.await.map_err(|error| anyhow!("a model failed: {error}"))?
}

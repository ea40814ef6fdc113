//! Builds everything, top to bottom, and takes it down again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use radline_bridge::Bridge;
use radline_bridge::grpc::Grpc;
use radline_dialogue::{Expectation, RedFlags, Scenario, SiteFacts, wording};
use radline_language::model::classifier::Classifier;
use radline_language::verifier;
use radline_phi::Phi;
use radline_speech::{
    Asked, PiperVoice, SileroVoiceActivity, Synthesizer, Transcriber, Vocabulary, VoiceActivity,
    WhisperTranscriber, onnx,
};
use radline_store::Store;
use radline_telephony::{LineEvent, SipEndpoint};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::call_driver::AnsweredCall;
use crate::clock::Clock;
use crate::config::{Config, GrpcConfig};
use crate::metrics::Metrics;
use crate::models::cache::CLASSIFIER;
use crate::models::{Cache, Manifest};
use crate::site::{Phone, Site};
use crate::workers::supervision::Means;
use crate::workers::{Ears, FirstSight, Reader, Supervisor, Voice};
use crate::{call_driver, clinic_seed, console, http, language, missed_call, outreach, phone};

/// Longest wait for calls to say goodbye once they were told to.
const GOODBYE: Duration = Duration::from_secs(12);
/// Threads of the careful transcription: it has time, and the calls need the cores.
const SUPERVISION_THREADS: usize = 1;
/// What the line speaks, BCP 47.
const LANGUAGE_SPOKEN: &str = "en";
/// Voice-activity models kept for later calls.
const SPARE_EARS_MAX: usize = 32;
/// How often the worklist's names are read.
const WORKLIST_EVERY: Duration = Duration::from_mins(1);
/// Names that the recogniser is told of, at most.
const NAMES_MAX: u32 = 5_000;

/// What every call of the server shares.
pub struct Services {
    /// The site.
    pub site: Site,
    /// Its clock.
    pub clock: Clock,
    /// Database and recordings.
    pub store: Store,
    /// Transcription.
    pub ears: Ears,
    /// Synthesis.
    pub voice: Voice,
    /// The classifier.
    pub first_sight: FirstSight,
    /// The language model.
    pub reader: Reader,
    /// The second reader.
    pub supervisor: Supervisor,
    /// The desk, and the people at it.
    pub bridge: Arc<Bridge>,
    /// Words that may mean danger.
    pub red_flags: Arc<RedFlags>,
    /// What operators see.
    pub metrics: Arc<Metrics>,
    voice_activity: Mutex<Vec<SileroVoiceActivity>>,
    voice_activity_file: PathBuf,
    calls: AtomicU64,
}

impl Services {
    /// A number for a call in the queues.
    pub fn next_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A fresh voice-activity model, from an earlier call when there is one.
    pub fn take_voice_activity(&self) -> Option<SileroVoiceActivity> {
        let spare = self.voice_activity.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.or_else(|| match SileroVoiceActivity::load(&self.voice_activity_file) {
            Ok(ears) => Some(ears),
            Err(error) => {
                tracing::error!(%error, "a call has no voice activity");
                None
            }
        })
    }

    /// Keeps a model for a later call.
    pub fn give_back_voice_activity(&self, mut ears: SileroVoiceActivity) {
        ears.reset();
        let mut spare = self.voice_activity.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_EARS_MAX {
            spare.push(ears);
        }
    }
}

/// Runs the server until `stop` is told once (finish the calls) or twice (now).
pub async fn serve(config: Config, mut stop: mpsc::Receiver<()>) -> Result<()> {
    // Everything that can be wrong is found before a port is bound.
    let site = Site::load(&config.site)?;
    let manifest = Manifest::built_in();
    let cache = Cache::at(config.models.clone())?;
    for transcription in std::iter::once(&config.transcription).chain(&config.supervision) {
        cache.require(&manifest, transcription)?;
    }
    let store = Store::open(&config.data).await?;
    // Held until the end of this function, and so of the server.
    let claim = store.claim()?;
    let clock = Clock::real(site.timezone.clone());
    tidy_up(&store, &clock).await?;
    clinic_seed::bring_up_to_date(&store, &site, clock.moment()).await?;

    let metrics = Arc::new(Metrics::new());
    let watch = clock.clone();
    let bridge = Bridge::new(Arc::new(move || watch.moment().now), same_facts, LANGUAGE_SPOKEN);
    let web = Web::open(&config, &site, &clock, &store, &bridge, &metrics).await?;

    let (folder, models) = (cache.folder().to_owned(), manifest);
    let red_flags = Arc::new(RedFlags::english());
    let (chosen, watched) = (config.clone(), Arc::clone(&red_flags));
    let loading = tokio::task::spawn_blocking(move || load(&folder, &models, &chosen, watched));
    let loaded = loading.await??;
    let services = Arc::new(Services {
        site,
        clock,
        store: store.clone(),
        ears: loaded.ears,
        voice: loaded.voice,
        first_sight: loaded.first_sight,
        reader: loaded.reader,
        supervisor: loaded.supervisor,
        bridge: Arc::clone(&bridge),
        red_flags,
        metrics,
        voice_activity: Mutex::new(vec![loaded.voice_activity]),
        voice_activity_file: loaded.voice_activity_file,
        calls: AtomicU64::new(0),
    });
    let closing = CancellationToken::new();
    if let Some(grpc) = config.grpc.clone() {
        open_grpc(&services, grpc, closing.clone()).await?;
    }
    let background =
        [tokio::spawn(bridge.keep_time()), tokio::spawn(follow_worklist(Arc::clone(&services)))];
    let told_to_stop = tokio::select! {
        () = prepare_prompts(&services) => false,
        _ = stop.recv() => true,
    };
    if !told_to_stop {
        take_calls(&services, &config, &web, stop).await?;
    }
    closing.cancel();
    background.iter().for_each(tokio::task::JoinHandle::abort);
    services.ears.close();
    services.voice.close();
    services.supervisor.close();
    services.first_sight.close();
    services.reader.close();
    store.close().await;
    drop(claim);
    Ok(())
}

/// Opens the telephone line, answers and places calls on it until it is told to stop, and closes it.
async fn take_calls(
    services: &Arc<Services>,
    config: &Config,
    web: &Web,
    stop: mpsc::Receiver<()>,
) -> Result<()> {
    let (sip, calls) = SipEndpoint::open(config.sip.clone()).await?;
    let phones = phones(services, &sip);
    let (answered, outgoing) = mpsc::channel(1);
    let outreach = tokio::spawn(outreach::look_after(Arc::clone(services), sip.dialer(), answered));
    web.ready.store(true, Ordering::Release);
    let name = &services.site.name;
    tracing::info!(sip = %sip.address(), http = %web.address, site = %name, "ready");
    let lines = Lines { calls, outgoing };
    answer_calls(services, &sip, lines, stop, config.drain).await;
    web.ready.store(false, Ordering::Release);
    phones.iter().chain([&outreach]).for_each(tokio::task::JoinHandle::abort);
    sip.close();
    Ok(())
}

/// Looks after the site's telephones.
fn phones(services: &Arc<Services>, sip: &SipEndpoint) -> Vec<tokio::task::JoinHandle<()>> {
    let look_after = |phone: &Phone| {
        tokio::spawn(phone::look_after(Arc::clone(services), phone.clone(), sip.dialer()))
    };
    services.site.phones.iter().map(look_after).collect()
}

/// Mends what a server that died has left behind.
async fn tidy_up(store: &Store, clock: &Clock) -> Result<()> {
    let freed = store.release_all().await?;
    let orphans = store.close_orphans(clock.moment().now).await?;
    store.close_outgoing_orphans().await?;
    if freed + orphans > 0 {
        tracing::warn!(freed, orphans, "the last run ended in mid-call: held times were freed");
    }
    Ok(())
}

/// The open HTTP side.
struct Web {
    ready: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Web {
    /// Opens it before the models are loaded, so that it can say that they are being loaded.
    async fn open(
        config: &Config,
        site: &Site,
        clock: &Clock,
        store: &Store,
        bridge: &Arc<Bridge>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self> {
        let ready = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind(config.http)
            .await
            .with_context(|| format!("HTTP cannot listen on {}", config.http))?;
        let address = listener.local_addr()?;
        let http = http::Http {
            ready: Arc::clone(&ready),
            metrics: Arc::clone(metrics),
            store: store.clone(),
        };
        let console = console::routes(console::Parts { config, site, clock, store, bridge }).await;
        tokio::spawn(http::serve(listener, http, console));
        Ok(Self { ready, address })
    }
}

/// Opens the service for provider systems.
async fn open_grpc(
    services: &Services,
    config: GrpcConfig,
    closing: CancellationToken,
) -> Result<()> {
    let clock = services.clock.clone();
    let grpc = Grpc {
        bridge: Arc::clone(&services.bridge),
        store: services.store.clone(),
        clock: Arc::new(move || clock.moment().now),
        tls: config.tls,
    };
    let open = grpc.open(config.listen).await?;
    tracing::info!(address = ?open.address(), "provider systems may connect");
    tokio::spawn(open.serve(closing));
    Ok(())
}

struct Loaded {
    ears: Ears,
    voice: Voice,
    first_sight: FirstSight,
    reader: Reader,
    supervisor: Supervisor,
    voice_activity: SileroVoiceActivity,
    voice_activity_file: PathBuf,
}

/// Loads every model and lets each do a little work, so that the first caller does not wait.
fn load(
    folder: &Path,
    manifest: &Manifest,
    config: &Config,
    red_flags: Arc<RedFlags>,
) -> Result<Loaded> {
    let file = |id: &str| folder.join(manifest.file(id));
    let threads = config.model_threads;
    onnx::load(&file("onnxruntime"))?;
    let mut transcriber = WhisperTranscriber::load(&file(&config.transcription), threads)?;
    transcriber.transcribe(&vec![0; 16_000], Asked::Anything(None))?;
    let voice_file = file("piper-joe");
    let mut piper = PiperVoice::load(&voice_file, threads, 1.0)?;
    piper.synthesize("One moment, please.")?;
    let voice_activity_file = file("silero-vad");
    let voice_activity = SileroVoiceActivity::load(&voice_activity_file)?;
    let voice = Voice::start(piper, folder.join("prompts"), manifest.file("piper-joe").to_owned())
        .context("prompts cannot be kept beside the models")?;
    let reader = language::start(&config.language, folder)?;
    let careful = match &config.supervision {
        Some(id) => {
            let careful = WhisperTranscriber::load(&file(id), SUPERVISION_THREADS)?;
            Some(Box::new(careful) as Box<dyn Transcriber>)
        }
        None => None,
    };
    let means = Means { transcriber: careful, reader: reader.clone(), red_flags };
    Ok(Loaded {
        ears: Ears::start(transcriber)?,
        voice,
        first_sight: first_sight(&CLASSIFIER.map(file))?,
        reader,
        supervisor: Supervisor::start(means)?,
        voice_activity,
        voice_activity_file,
    })
}

/// The classifier of this machine. Without it danger that is only hinted at is heard less often, which is
/// better than no telephone.
fn first_sight([weights, tokenizer]: &[PathBuf; 2]) -> Result<FirstSight> {
    let ready = Classifier::built_in(weights, tokenizer).and_then(|classifier| {
        classifier.read(Expectation::Open, "", "hello")?;
        Ok(classifier)
    });
    match ready {
        Ok(classifier) => Ok(FirstSight::start(classifier)?),
        Err(error) => {
            tracing::error!(%error, "no classifier; `radline models fetch` brings it");
            Ok(FirstSight::absent())
        }
    }
}

/// Keeps the recogniser up to date with the site's words and the names on the worklist.
async fn follow_worklist(services: Arc<Services>) {
    let mut told: Option<Vec<Phi<String>>> = None;
    let mut ticks = interval(WORKLIST_EVERY);
    loop {
        ticks.tick().await;
        match services.store.worklist_names(services.clock.moment(), NAMES_MAX).await {
            Ok(names) if told.as_ref() != Some(&names) => {
                let words = services.site.spoken_words.clone();
                services.ears.expect(Vocabulary { names: names.clone(), words });
                told = Some(names);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the worklist's names could not be read"),
        }
    }
}

/// Makes the scenario's fixed sentences that are not on disk yet, before the first call: beside a
/// call, on a small machine, they would starve its transcription.
async fn prepare_prompts(services: &Services) {
    let sentences = fixed_sentences(&services.site.scenario, &services.site.facts);
    let missing: Vec<String> =
        sentences.into_iter().filter(|sentence| !services.voice.knows(sentence)).collect();
    if missing.is_empty() {
        return;
    }
    tracing::info!(sentences = missing.len(), "making the fixed sentences; they are kept on disk");
    for sentence in &missing {
        services.voice.prepare(sentence).await;
    }
}

/// Every sentence of the scenario that holds no caller's data, in the order of the file's states,
/// the first state before all others.
fn fixed_sentences(scenario: &Scenario, site: &SiteFacts) -> Vec<String> {
    let values = site.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let start = scenario.states.get(&scenario.line.starts.inbound).into_iter();
    let texts = start
        .chain(scenario.states.values())
        .flat_map(|state| [&state.say, &state.ask].into_iter().chain(&state.again));
    let (asides, empathy) = (&scenario.line.asides, &scenario.line.empathy);
    let asides = [
        &asides.not_understood,
        &asides.not_heard,
        &asides.machine,
        &asides.wait,
        &asides.question,
        &asides.which_exam,
        &asides.corrected,
        &asides.working,
        &asides.failure,
    ];
    let screening = scenario.screening.iter().flat_map(|question| {
        let detail = question.detail.iter().flat_map(|detail| [&detail.ask, &detail.again]);
        [&question.ask, &question.again].into_iter().chain(detail)
    });
    let feelings = [&empathy.waiting, &empathy.exam, &empathy.general, &empathy.anger];
    let records = site.knowledge.iter().map(|record| &record.text);
    texts
        .chain(asides)
        .chain(feelings.into_iter().flatten())
        .chain(records)
        .chain(screening)
        .flat_map(|text| wording::sentences(text))
        .filter_map(|sentence| wording::fill(sentence, &values).ok())
        .collect()
}

/// Where calls come from.
struct Lines {
    calls: mpsc::Receiver<LineEvent>,
    outgoing: mpsc::Receiver<outreach::Answered>,
}

/// Takes calls until told to stop, then lets those in progress finish.
async fn answer_calls(
    services: &Arc<Services>,
    sip: &SipEndpoint,
    mut lines: Lines,
    mut stop: mpsc::Receiver<()>,
    drain: Duration,
) {
    let goodbye = CancellationToken::new();
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            call = lines.calls.recv() => match call {
                Some(LineEvent::Call(call)) => {
                    let call = AnsweredCall::from(call.leg);
                    let driver = call_driver::run(Arc::clone(services), call, goodbye.clone());
                    running.spawn(driver);
                }
                Some(LineEvent::Missed(call)) => {
                    running.spawn(missed_call::record(Arc::clone(services), call));
                }
                None => break,
            },
            Some(answered) = lines.outgoing.recv() => {
                running.spawn(outreach::talk(Arc::clone(services), answered, goodbye.clone()));
            }
            Some(ended) = running.join_next() => report(ended),
            _ = stop.recv() => break,
        }
    }
    sip.drain();
    tracing::info!(calls = running.len(), "no further calls are taken");
    let finished = async {
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
    };
    tokio::select! {
        () = finished => return,
        () = tokio::time::sleep(drain) => {}
        _ = stop.recv() => {}
    }
    goodbye.cancel();
    let said = async {
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(GOODBYE, said).await.is_err() {
        tracing::warn!("calls were cut off");
    }
    // The last BYE is on its way.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// A call that panicked is its own end, never that of the server.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a call failed");
    }
}

/// Whether other words for an approved text say the same; what differs if not.
fn same_facts(words: &str, approved: &str) -> Result<(), String> {
    verifier::verify(words, &[approved]).map_err(|block| block.to_string())
}

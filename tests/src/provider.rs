//! A provider system: a client of the gRPC service, with a tone for a voice.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use radline_audio::{SAMPLE_RATE_HZ, level};
use radline_bridge::grpc::v1;
use radline_bridge::grpc::v1::provider_service_client::ProviderServiceClient;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::server;
use crate::tone::{share, tone};
use v1::talk_request::What as Say;
use v1::talk_response::What as Heard;

/// Bytes of 20 ms.
const FRAME_BYTES: usize = 640;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Level that makes a voice heard.
const VOICE_DBFS: f32 = -35.0;
/// Share of the power that makes a tone heard.
const HEARD: f64 = 0.5;

/// A provider.
#[derive(Clone)]
pub struct ProviderClient {
    client: ProviderServiceClient<Channel>,
    token: String,
}

/// A conversation that goes on.
pub struct Talking {
    messages: mpsc::Sender<v1::TalkRequest>,
    answers: Streaming<v1::TalkResponse>,
    audio: Vec<i16>,
    /// From opening the stream to the caller's first frame.
    pub first_audio: Duration,
}

impl ProviderClient {
    /// Makes an account and a token for it, and connects.
    pub async fn join(address: SocketAddr, data: &Path, name: &str) -> Result<Self> {
        let add = ["providers", "add", name, "--display", name];
        server::run(&add, data, "correct horse battery\n").await?;
        let token = server::run(&["providers", "token", name], data, "").await?;
        Self::connect(address, token.trim()).await
    }

    /// Connects with a token.
    pub async fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        let client = ProviderServiceClient::connect(format!("http://{address}")).await?;
        Ok(Self { client, token: token.to_owned() })
    }

    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        let value = format!("Bearer {}", self.token).parse()?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }

    /// Is there, as long as the value lives.
    pub async fn present(&self) -> Result<Streaming<v1::StayPresentResponse>> {
        let request = self.request(v1::StayPresentRequest { filter: None })?;
        let mut stream = self.client.clone().stay_present(request).await?.into_inner();
        stream.message().await?.context("the first word")?;
        Ok(stream)
    }

    /// The calls that there are.
    pub async fn queue(&self) -> Result<Vec<v1::QueuedCall>> {
        let request = v1::WatchQueueRequest { filter: None, all_calls: true };
        let mut queue = self.client.clone().watch_queue(self.request(request)?).await?.into_inner();
        let first = timeout(PATIENCE, queue.message()).await.context("no queue")??;
        Ok(first.context("the queue ended")?.calls)
    }

    /// Waits until a call in the queue is as wanted.
    pub async fn queued(&self, wanted: impl Fn(&v1::QueuedCall) -> bool) -> Result<v1::QueuedCall> {
        let request = v1::WatchQueueRequest { filter: None, all_calls: true };
        let mut queue = self.client.clone().watch_queue(self.request(request)?).await?.into_inner();
        let mut last = Vec::new();
        let watch = async {
            while let Some(state) = queue.message().await? {
                if let Some(call) = state.calls.iter().find(|call| wanted(call)) {
                    return Ok(call.clone());
                }
                last = state.calls;
            }
            bail!("the queue ended")
        };
        let found: Result<_, _> = timeout(PATIENCE, watch).await;
        found.with_context(|| format!("no such call: {last:?}"))?
    }

    /// Follows a call from a number on.
    pub async fn follow(
        &self,
        call: &str,
        after: u64,
    ) -> Result<Streaming<v1::FollowCallResponse>> {
        let request = v1::FollowCallRequest { call_id: call.to_owned(), after };
        Ok(self.client.clone().follow_call(self.request(request)?).await?.into_inner())
    }

    /// Takes a call.
    pub async fn claim(&self, call: &str) -> Result<v1::Brief, tonic::Status> {
        let message = v1::ClaimCallRequest { call_id: call.to_owned() };
        let request =
            self.request(message).map_err(|error| tonic::Status::internal(error.to_string()))?;
        let answer = self.client.clone().claim_call(request).await?.into_inner();
        answer.brief.ok_or_else(|| tonic::Status::internal("no brief"))
    }

    /// Waits for a draft in a call that is followed.
    pub async fn draft(&self, feed: &mut Streaming<v1::FollowCallResponse>) -> Result<v1::Draft> {
        loop {
            let item = timeout(PATIENCE, feed.message()).await??.context("the call is over")?;
            if let Some(v1::follow_call_response::What::Draft(draft)) = item.what {
                return Ok(draft);
            }
        }
    }

    /// Decides about a draft.
    pub async fn decide(
        &self,
        call: &str,
        draft: u64,
        verdict: v1::Verdict,
        text: &str,
    ) -> Result<(), tonic::Status> {
        let message = v1::DecideDraftRequest {
            call_id: call.to_owned(),
            draft_id: draft,
            verdict: verdict.into(),
            text: text.to_owned(),
        };
        let request = self.request(message);
        let request = request.map_err(|error| tonic::Status::internal(error.to_string()))?;
        self.client.clone().decide_draft(request).await.map(drop)
    }

    /// Leaves a call to others.
    pub async fn decline(&self, call: &str) -> Result<()> {
        let message =
            v1::DeclineCallRequest { call_id: call.to_owned(), reason: "busy".to_owned() };
        self.client.clone().decline_call(self.request(message)?).await?;
        Ok(())
    }

    /// Talks in a call that was claimed, with a tone.
    pub async fn talk(&self, call: &str, frequency: f64) -> Result<Talking> {
        let began = Instant::now();
        let (messages, receiver) = mpsc::channel(64);
        let start = v1::TalkStart { call_id: call.to_owned() };
        messages.send(v1::TalkRequest { what: Some(Say::Start(start)) }).await?;
        let request = self.request(ReceiverStream::new(receiver))?;
        let answers = self.client.clone().talk(request).await?.into_inner();
        let voice = messages.clone().downgrade();
        tokio::spawn(async move {
            let audio = tone(frequency, 60.0, SAMPLE_RATE_HZ);
            let mut ticks = interval(Duration::from_millis(20));
            for frame in audio.chunks(FRAME_BYTES / 2) {
                ticks.tick().await;
                let bytes = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                let Some(voice) = voice.upgrade() else { return };
                let message = v1::TalkRequest { what: Some(Say::Audio(bytes)) };
                if voice.send(message).await.is_err() {
                    return;
                }
            }
        });
        let first_audio = Duration::ZERO;
        let mut talking = Talking { messages, answers, audio: Vec::new(), first_audio };
        talking.hear().await?;
        talking.first_audio = began.elapsed();
        Ok(talking)
    }
}

impl Talking {
    /// Hears until there is another frame of audio.
    async fn hear(&mut self) -> Result<()> {
        loop {
            let message = timeout(PATIENCE, self.answers.message()).await??;
            match message.and_then(|message| message.what) {
                Some(Heard::Started(_)) => {}
                Some(Heard::Audio(bytes)) => {
                    let pairs = bytes.chunks_exact(2);
                    self.audio.extend(pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
                    return Ok(());
                }
                Some(Heard::Ended(_)) | None => bail!("the conversation ended"),
            }
        }
    }

    /// Whether the caller's tone is heard within this time.
    pub async fn hears_tone(&mut self, frequency: f64, limit: Duration) -> Result<bool> {
        self.hears(limit, |audio| share(audio, frequency, SAMPLE_RATE_HZ) > HEARD).await
    }

    /// Whether a voice is heard within this time.
    pub async fn hears_voice(&mut self, limit: Duration) -> Result<bool> {
        self.hears(limit, |audio| level::rms_dbfs(audio) > VOICE_DBFS).await
    }

    async fn hears(&mut self, limit: Duration, wanted: impl Fn(&[i16]) -> bool) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < limit {
            self.hear().await?;
            let from = self.audio.len().saturating_sub(SAMPLE_RATE_HZ as usize / 3);
            if wanted(&self.audio[from..]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the caller back.
    pub async fn hand_back(self) -> Result<v1::Outcome> {
        let note = "told where to park".to_owned();
        self.end(Say::HandBack(v1::HandBack { note })).await
    }

    /// Ends the call.
    pub async fn finish(self) -> Result<v1::Outcome> {
        let (outcome, note) = ("resolved".to_owned(), "explained the exam".to_owned());
        self.end(Say::Finish(v1::Finish { outcome, note })).await
    }

    async fn end(self, what: Say) -> Result<v1::Outcome> {
        self.messages.send(v1::TalkRequest { what: Some(what) }).await?;
        self.ended().await
    }

    /// Waits for the end.
    pub async fn ended(mut self) -> Result<v1::Outcome> {
        loop {
            let message = timeout(PATIENCE, self.answers.message()).await??;
            match message.and_then(|message| message.what) {
                Some(Heard::Ended(ended)) => return Ok(ended.outcome()),
                Some(_) => {}
                None => bail!("the stream ended without a word"),
            }
        }
    }
}

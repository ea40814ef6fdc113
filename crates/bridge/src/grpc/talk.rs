//! A conversation over gRPC: audio both ways, and how it ends.

use radline_audio::{AudioFrame, FRAME_SAMPLES};
use radline_call::{EscalationOutcome, PersonLeft};
use radline_phi::Phi;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use super::{Grpc, convert, service, v1};
use crate::bridge::Conversation;
use crate::limits;
use crate::line::PersonLine;
use crate::provider::Provider;
use crate::wrap_up::{self, Words};
use v1::talk_request::What as Said;
use v1::talk_response::What as Heard;

type Sender = mpsc::Sender<Result<v1::TalkResponse, Status>>;

/// Opens the conversation that the first message names.
pub(super) async fn talk(
    grpc: Grpc,
    who: Provider,
    mut messages: Streaming<v1::TalkRequest>,
) -> Result<Response<ReceiverStream<Result<v1::TalkResponse, Status>>>, Status> {
    let first = timeout(limits::FIRST_MESSAGE, messages.message());
    let first = first.await.map_err(|_| Status::deadline_exceeded("no `start` came"))??;
    let Some(v1::TalkRequest { what: Some(Said::Start(start)) }) = first else {
        return Err(Status::invalid_argument("the first message has to be `start`"));
    };
    let call = start.call_id;
    let conversation = grpc.bridge.join(&who, &call).map_err(|error| service::refused(&error))?;
    let (sender, receiver) = mpsc::channel(limits::FRAMES_MAX);
    tokio::spawn(async move {
        let talk = Talk { grpc, who, call, sender };
        talk.run(conversation, messages).await;
    });
    Ok(Response::new(ReceiverStream::new(receiver)))
}

struct Talk {
    grpc: Grpc,
    who: Provider,
    call: String,
    sender: Sender,
}

/// How a conversation ended.
enum End {
    /// The provider said so.
    Parted(Words),
    /// The caller is gone.
    CallerLeft,
    /// The provider's connection broke.
    Broken,
}

impl Talk {
    async fn run(self, conversation: Conversation, messages: Streaming<v1::TalkRequest>) {
        let Conversation { line, parting } = conversation;
        let PersonLine { from_caller, to_caller } = line;
        self.say(Heard::Started(v1::TalkStarted {})).await;
        let end = tokio::select! {
            end = self.listen(messages, to_caller) => end,
            end = self.speak(from_caller) => end,
        };
        let (words, outcome) = match end {
            End::Parted(words) if words.how == PersonLeft::HandedBack => {
                (words, EscalationOutcome::HandedBack)
            }
            End::Parted(words) => (words, EscalationOutcome::Taken),
            End::CallerLeft => (Words::caller_left(), EscalationOutcome::CallerLeft),
            End::Broken => (Words::lost(), EscalationOutcome::ProviderDropped),
        };
        parting.part(words.how, words.settles());
        let grpc = &self.grpc;
        wrap_up::keep(&grpc.store, (grpc.clock)(), &self.who, &self.call, words).await;
        let outcome = convert::outcome(outcome).into();
        self.say(Heard::Ended(v1::TalkEnded { outcome })).await;
    }

    /// What the provider sends, until they end it or are gone.
    async fn listen(
        &self,
        mut messages: Streaming<v1::TalkRequest>,
        to_caller: mpsc::Sender<AudioFrame>,
    ) -> End {
        loop {
            let Ok(Some(v1::TalkRequest { what: Some(what) })) = messages.message().await else {
                return End::Broken;
            };
            match what {
                Said::Audio(bytes) => {
                    // Frames of another length are none of ours; a full line loses one.
                    let frame = frame(&bytes);
                    if frame.is_none_or(|frame| to_caller.try_send(frame).is_err()) {
                        tracing::trace!("a frame from a provider was lost");
                    }
                }
                Said::HandBack(v1::HandBack { note }) => {
                    let (how, note) = (PersonLeft::HandedBack, Phi::new(note));
                    return End::Parted(Words { how, outcome: String::new(), note });
                }
                Said::Finish(v1::Finish { outcome, note }) => {
                    let (how, note) = (PersonLeft::Finished, Phi::new(note));
                    return End::Parted(Words { how, outcome, note });
                }
                Said::Start(_) => {}
            }
        }
    }

    /// The caller's voice, until they are gone or the provider is.
    async fn speak(&self, mut from_caller: mpsc::Receiver<AudioFrame>) -> End {
        loop {
            let frame = tokio::select! {
                frame = from_caller.recv() => frame,
                () = self.sender.closed() => return End::Broken,
            };
            let Some(frame) = frame else { return End::CallerLeft };
            let bytes = frame.samples().iter().flat_map(|sample| sample.to_le_bytes()).collect();
            // A client that does not read loses audio, rather than making it late.
            let message = v1::TalkResponse { what: Some(Heard::Audio(bytes)) };
            if self.sender.try_send(Ok(message)).is_err() {
                tracing::trace!("a frame to a provider was lost");
            }
        }
    }

    async fn say(&self, what: Heard) {
        let message = v1::TalkResponse { what: Some(what) };
        let sent = timeout(limits::FIRST_MESSAGE, self.sender.send(Ok(message))).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!("a provider did not take a message");
        }
    }
}

/// 20 ms of 16-bit little-endian PCM at 16 kHz.
fn frame(bytes: &[u8]) -> Option<AudioFrame> {
    if bytes.len() != 2 * FRAME_SAMPLES {
        return None;
    }
    let mut samples = [0; FRAME_SAMPLES];
    for (sample, pair) in samples.iter_mut().zip(bytes.chunks_exact(2)) {
        *sample = i16::from_le_bytes([pair[0], pair[1]]);
    }
    Some(AudioFrame::from_samples(samples))
}

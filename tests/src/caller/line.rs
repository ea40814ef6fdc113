//! A caller who says given lines and tones, for tests that follow a call from elsewhere.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_audio::resample::{convert, to_float, to_pcm};
use radline_audio::{SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ};
use radline_speech::{PiperVoice, Synthesizer, onnx};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::exchange::Exchange;
use super::media::Media;
use super::sip::SipCall;
use crate::tone::share;

/// The agent's silence that ends its turn.
const QUIET: Duration = Duration::from_millis(900);
/// Longest wait for the agent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Share of the power that makes a tone heard.
const HEARD: f64 = 0.5;

/// Telephone audio of lines.
pub struct Lines {
    voice: PiperVoice,
}

impl Lines {
    /// A voice.
    pub fn load(models: &Path) -> Result<Self> {
        onnx::load(&models.join("libonnxruntime.so.1.31.1"))?;
        Ok(Self { voice: PiperVoice::load(&models.join("en_US-joe-medium.onnx"), 2, 1.0)? })
    }

    /// A line, with a breath of silence before it.
    pub fn say(&mut self, line: &str) -> Result<Vec<i16>> {
        let audio = self.voice.synthesize(line)?;
        let narrow = convert(&to_float(&audio), SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ)?;
        let mut telephone = vec![0; TELEPHONE_RATE_HZ as usize / 10];
        telephone.extend(to_pcm(&narrow));
        Ok(telephone)
    }
}

/// A call.
pub struct LineCall {
    signalling: SipCall,
    media: Media,
}

impl LineCall {
    /// Calls.
    pub async fn place(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
        let (signalling, remote) = SipCall::place(server, socket.local_addr()?).await?;
        Ok(Self { signalling, media: Media::start(socket, remote) })
    }

    /// Waits for the agent to have its say, then says this.
    pub async fn answer(&self, audio: &[i16]) -> Result<()> {
        self.media.agent_turn(QUIET, PATIENCE).await.context("the agent says nothing")?;
        self.media.say(audio).await;
        Ok(())
    }

    /// Says this now.
    pub async fn say(&self, audio: &[i16]) {
        self.media.say(audio).await;
    }

    /// Says this, and goes on with the test.
    pub fn begin_saying(&self, audio: Vec<i16>) {
        let media = self.media.clone();
        tokio::spawn(async move { media.say(&audio).await });
    }

    /// Whether a tone is heard, within this time.
    pub async fn hears_tone(&self, frequency: f64, limit: Duration) -> bool {
        let listen = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let heard = self.media.last_heard(Duration::from_millis(300));
                if share(&heard, frequency, TELEPHONE_RATE_HZ) > HEARD {
                    return;
                }
            }
        };
        timeout(limit, listen).await.is_ok()
    }

    /// Waits until the agent hangs up.
    pub async fn hung_up(&self, limit: Duration) -> Result<()> {
        let ended = timeout(limit, self.signalling.hung_up()).await;
        ensure!(ended.is_ok(), "the line was not hung up");
        Ok(())
    }

    /// The caller's exchange is asked to connect the caller with somebody else, within this time.
    pub async fn transfer(&mut self, exchange: Exchange, limit: Duration) -> Result<()> {
        let asked = timeout(limit, self.signalling.transfer(exchange)).await;
        asked.context("the exchange was not asked, or got no answer")?
    }

    /// Hangs up.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.signalling.bye().await
    }
}

//! Our own voice comes back from the line, late and changed. It must not pass for the caller's,
//! and the caller's must still be heard through it.

use std::time::Duration;

use anyhow::Result;
use radline_audio::{AudioFrame, Codec, EchoCanceller, FRAME_MS, FRAME_SAMPLES, resample};
use radline_call::endpointing::{Change, Endpointing};
use radline_call::limits;
use radline_server::models::Manifest;
use radline_speech::{PiperVoice, SileroVoiceActivity, Synthesizer, VoiceActivity, onnx};
use radline_tests::server::models;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const OURS: &str = "Hello, this is the automated assistant of the radiology department. I can book \
    a scan, help you prepare for one, or answer questions about the clinic. What can I do for you?";
const THEIRS: &str = "Sorry, I would like to speak to somebody, please.";

/// A way back to us.
struct Path {
    name: &'static str,
    delay_ms: usize,
    /// How much softer the echo is than our voice, dB.
    loss_db: f32,
    /// How long it rings, ms.
    rings_ms: usize,
    /// Whether a caller who speaks through it can be heard every time.
    open: bool,
}

const PATHS: [Path; 5] = [
    Path { name: "a hybrid nearby", delay_ms: 40, loss_db: 18.0, rings_ms: 8, open: true },
    Path { name: "a bad hybrid far away", delay_ms: 280, loss_db: 10.0, rings_ms: 16, open: true },
    Path {
        name: "a loudspeaker telephone",
        delay_ms: 160,
        loss_db: 8.0,
        rings_ms: 200,
        open: false,
    },
    Path {
        name: "a loud loudspeaker telephone",
        delay_ms: 220,
        loss_db: 2.0,
        rings_ms: 300,
        open: false,
    },
    Path { name: "no echo at all", delay_ms: 0, loss_db: 200.0, rings_ms: 1, open: true },
];

#[test]
fn our_own_voice_does_not_interrupt_us_and_the_caller_does() -> Result<()> {
    let (folder, manifest) = (models()?, Manifest::built_in());
    let file = |id| folder.join(manifest.file(id));
    onnx::load(&file("onnxruntime"))?;
    let mut piper = PiperVoice::load(&file("piper-joe"), 2, 1.0)?;
    let ours = piper.synthesize(OURS)?;
    let mut theirs = PiperVoice::load(&file("piper-joe"), 2, 0.9)?.synthesize(THEIRS)?;
    // Higher and thinner, as if somebody else spoke.
    theirs = resample::to_pcm(&resample::convert(&resample::to_float(&theirs), 18_500, 16_000)?);
    let mut voice = SileroVoiceActivity::load(&file("silero-vad"))?;
    for path in &PATHS {
        let echo = come_back(&ours, path)?;
        let (alone, hesitations) = noticed(&ours, &echo, &mut voice)?;
        // So short a sound lowers our voice for a moment and does not pause it.
        assert!(alone <= limits::PAUSE_AFTER, "{}: we hear ourselves for {alone:?}", path.name);
        assert!(hesitations == 0, "{}: we hesitate {hesitations} times", path.name);
        let begins = ours.len() / 2;
        let mut both = echo.clone();
        for (sample, theirs) in both[begins..].iter_mut().zip(&theirs) {
            *sample = sample.saturating_add(*theirs);
        }
        let (heard, _) = noticed(&ours, &both, &mut voice)?;
        println!("{}: alone {alone:?}, the caller {heard:?}", path.name);
        let long_enough = !path.open || heard > Duration::from_millis(600);
        assert!(long_enough, "{}: the caller, for {heard:?}", path.name);
    }
    Ok(())
}

/// What comes back of our voice.
fn come_back(ours: &[i16], path: &Path) -> Result<Vec<i16>> {
    let mut random = StdRng::seed_from_u64(7);
    let rings = path.rings_ms * 16;
    let decay = |at: usize| (-6.9 * at as f32 / rings as f32).exp();
    let mut response: Vec<f32> =
        (0..rings).map(|at| random.random_range(-1.0..1.0) * decay(at)).collect();
    let energy: f32 = response.iter().map(|tap| tap * tap).sum();
    let gain = 10_f32.powf(-path.loss_db / 20.0) / energy.sqrt();
    for tap in &mut response {
        *tap *= gain;
    }
    let sound = resample::to_float(ours);
    let mut back = vec![0.0; path.delay_ms * 16 + ours.len() + rings];
    for (at, sample) in sound.iter().enumerate() {
        for (tap, factor) in response.iter().enumerate() {
            back[path.delay_ms * 16 + at + tap] += sample * factor;
        }
    }
    let narrow = resample::convert(&back, 16_000, 8_000)?;
    let line = Codec::Pcmu.decode(&Codec::Pcmu.encode(&resample::to_pcm(&narrow)));
    Ok(resample::to_pcm(&resample::convert(&resample::to_float(&line), 8_000, 16_000)?))
}

/// The longest voice that is noticed in what comes back while we speak, and how often something sounds as if
/// it may become one.
fn noticed(
    ours: &[i16],
    back: &[i16],
    voice: &mut SileroVoiceActivity,
) -> Result<(Duration, usize)> {
    let (mut canceller, mut endpointing) = (EchoCanceller::default(), Endpointing::default());
    voice.reset();
    let (mut longest, mut now) = (Duration::ZERO, Duration::ZERO);
    let (mut hesitations, mut stirred) = (0, false);
    let mut ours = ours.chunks_exact(FRAME_SAMPLES).map(AudioFrame::split);
    for frame in AudioFrame::split(back) {
        if let Some(played) = ours.next() {
            for frame in &played {
                canceller.played(frame);
            }
        }
        let cleaned = canceller.heard(frame);
        now += Duration::from_millis(u64::from(FRAME_MS));
        let speech = voice.probability(&cleaned)?;
        match endpointing.push(now, cleaned, speech) {
            Change::Pausing if endpointing.silence() > limits::VERDICT_MAX => endpointing.reset(),
            _ => longest = longest.max(endpointing.voiced()),
        }
        let stirs = endpointing.stirs(limits::CALLER_LEVEL_LEAST_DBFS - limits::HESITATES_DB);
        hesitations += usize::from(stirs && !stirred);
        stirred = stirs;
    }
    Ok((longest, hesitations))
}

//! What a call sounds like from outside, measured where the frames leave for and come from the
//! line: voice to voice, dead air, overlap, and how long the agent takes to fall silent.

use std::time::Duration;

use radline_audio::{AudioFrame, FRAME_MS, SpeechProbability, level};
use radline_call::{LineFigures, MILLISECONDS_MAX};

/// One frame.
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
/// A frame of the agent above this level can be heard, dBFS. It is what a caller's instrument
/// takes for sound as well.
const AUDIBLE_DBFS: f32 = -42.0;
/// Probability from which a frame of the caller is speech.
const SPEECH: f32 = 0.5;
/// Shorter pauses inside speech are part of it.
const PAUSE_INSIDE: Duration = Duration::from_millis(200);
/// Shorter sounds of the caller are none.
const SOUND_MIN: Duration = Duration::from_millis(100);
/// Silence of both sides counts as dead air from here on: shorter gaps are how people talk.
const DEAD_AIR_FROM: Duration = Duration::from_secs(1);

/// One side of the line.
#[derive(Debug, Default)]
struct Side {
    /// Whether it sounds, pauses inside speech included.
    sounding: bool,
    began: Duration,
    last: Option<Duration>,
}

impl Side {
    /// Follows one frame; true when speech has just begun.
    fn follow(&mut self, now: Duration, sound: bool) -> bool {
        if sound {
            let begins = !self.sounding;
            if begins {
                self.began = now;
            }
            (self.sounding, self.last) = (true, Some(now));
            return begins;
        }
        let since = self.last.map_or(Duration::MAX, |last| now.saturating_sub(last));
        if since > PAUSE_INSIDE {
            self.sounding = false;
        }
        false
    }
}

/// Measures one call.
#[derive(Debug, Default)]
pub struct WireMeter {
    caller: Side,
    agent: Side,
    /// Since when neither side sounds.
    silent_since: Option<Duration>,
    /// The caller spoke last, and nobody has answered.
    unanswered: bool,
    /// The caller began while the agent sounded.
    interrupted: Option<Duration>,
    figures: LineFigures,
}

impl WireMeter {
    /// 20 ms: what came, how likely it is speech, and what was sent.
    pub fn follow(&mut self, now: Duration, speech: SpeechProbability, sent: Option<&AudioFrame>) {
        let heard = speech.value() >= SPEECH;
        let said = sent.is_some_and(|frame| level::rms_dbfs(frame.samples()) > AUDIBLE_DBFS);
        let caller_begins = self.caller.follow(now, heard);
        let agent_begins = self.agent.follow(now, said);
        if caller_begins {
            self.interrupted = self.agent.sounding.then_some(now);
        }
        self.follow_yield(now, said);
        if heard && said {
            self.figures.overlap_ms += u64::from(FRAME_MS);
        }
        if heard && now.saturating_sub(self.caller.began) >= SOUND_MIN {
            self.unanswered = true;
        }
        if agent_begins && self.unanswered && !heard {
            self.unanswered = false;
            let since = self.caller.last.unwrap_or(now);
            keep(&mut self.figures.voice_to_voice_ms, now.saturating_sub(since));
        }
        self.follow_silence(now, heard || said);
    }

    /// How long the agent goes on after the caller began, if the caller does too.
    fn follow_yield(&mut self, now: Duration, said: bool) {
        let Some(began) = self.interrupted else { return };
        if said && self.caller.sounding {
            return;
        }
        let silent = self.agent.last.unwrap_or(began).max(began) + FRAME;
        if !self.caller.sounding {
            // They stopped first: nothing was yielded.
            self.interrupted = None;
        } else if now.saturating_sub(silent) > PAUSE_INSIDE {
            self.interrupted = None;
            keep(&mut self.figures.yield_ms, silent.saturating_sub(began));
        }
    }

    fn follow_silence(&mut self, now: Duration, sound: bool) {
        if !sound {
            self.silent_since.get_or_insert(now);
            return;
        }
        let silence =
            self.silent_since.take().map_or(Duration::ZERO, |since| now.saturating_sub(since));
        if silence > DEAD_AIR_FROM {
            self.figures.dead_air_ms += silence.as_millis() as u64;
        }
    }

    /// The call is over.
    pub fn finish(self) -> LineFigures {
        self.figures
    }
}

/// Keeps a time; more than anybody looks at are left out.
fn keep(times: &mut Vec<u64>, time: Duration) {
    if times.len() < MILLISECONDS_MAX {
        times.push(time.as_millis() as u64);
    }
}

#[cfg(test)]
mod tests {
    use radline_audio::FRAME_SAMPLES;

    use super::*;

    struct Line {
        meter: WireMeter,
        now: Duration,
    }

    impl Line {
        fn pass(&mut self, ms: u64, caller: bool, agent: bool) {
            let voice = AudioFrame::from_samples([3000; FRAME_SAMPLES]);
            for _ in 0..ms / 20 {
                self.now += FRAME;
                let speech = SpeechProbability::new(if caller { 0.9 } else { 0.0 });
                self.meter.follow(self.now, speech, agent.then_some(&voice));
            }
        }
    }

    #[test]
    fn an_answer_an_interruption_and_dead_air_are_measured() {
        let mut line = Line { meter: WireMeter::default(), now: Duration::ZERO };
        line.pass(1000, false, true);
        line.pass(300, false, false);
        line.pass(800, true, false);
        line.pass(400, false, false);
        line.pass(1000, false, true);
        // The caller interrupts; the agent goes on for 200 ms.
        line.pass(200, true, true);
        line.pass(1000, true, false);
        line.pass(3000, false, false);
        line.pass(1000, false, true);
        let figures = line.meter.finish();
        assert_eq!(figures.voice_to_voice_ms, [420, 3020]);
        assert_eq!(figures.yield_ms, [200]);
        assert_eq!(figures.overlap_ms, 200);
        assert_eq!(figures.dead_air_ms, 3000);
    }

    #[test]
    fn a_sound_that_ends_before_the_agent_does_is_no_yield() {
        let mut line = Line { meter: WireMeter::default(), now: Duration::ZERO };
        line.pass(500, false, true);
        line.pass(100, true, true);
        line.pass(1500, false, true);
        assert!(line.meter.finish().yield_ms.is_empty());
    }
}

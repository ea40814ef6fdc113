//! What the caller hears, frame by frame, and how much of it they have heard.

use std::collections::VecDeque;
use std::time::Duration;

use radline_audio::{AudioFrame, FRAME_MS, FRAME_SAMPLES};
use radline_dialogue::Sentence;
use radline_phi::Phi;

use crate::limits;

/// One frame.
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);

/// A sentence that was heard, as a whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The sentence.
    pub sentence: Sentence,
    /// When its first frame was due.
    pub from: Duration,
    /// How much of it was due.
    pub heard: Duration,
    /// How long it is.
    pub length: Duration,
}

/// A sentence in the queue.
#[derive(Debug)]
struct Queued {
    id: u32,
    sentence: Sentence,
    /// Since when it has been waiting for its audio at the head of the queue.
    waiting_since: Option<Duration>,
    /// Its frames, once they are there.
    frames: Option<VecDeque<AudioFrame>>,
    length: Duration,
    from: Option<Duration>,
    heard: Duration,
}

/// What is due now.
#[derive(Debug, Default)]
pub struct Due {
    /// A frame to send; nothing means silence.
    pub frame: Option<AudioFrame>,
    /// Whether it is the first one of a sentence.
    pub first: bool,
    /// A sentence that ended with this frame.
    pub ended: Option<Heard>,
}

/// The agent's voice: sentences in order, one frame every 20 ms.
#[derive(Debug, Default)]
pub struct Playout {
    queue: VecDeque<Queued>,
    gap: Duration,
}

impl Playout {
    /// Adds a sentence whose audio comes later. Returns false when the queue is full.
    pub fn queue(&mut self, id: u32, sentence: Sentence) -> bool {
        if self.queue.len() >= limits::SENTENCES_MAX {
            return false;
        }
        self.queue.push_back(Queued {
            id,
            sentence,
            waiting_since: None,
            frames: None,
            length: Duration::ZERO,
            from: None,
            heard: Duration::ZERO,
        });
        true
    }

    /// The audio of a queued sentence, 16 kHz. Unknown ids are of sentences that were cut.
    pub fn supply(&mut self, id: u32, audio: &Phi<Vec<i16>>) {
        if let Some(queued) = self.queue.iter_mut().find(|queued| queued.id == id) {
            let frames: VecDeque<AudioFrame> = AudioFrame::split(audio.expose()).into();
            queued.length = FRAME * (audio.expose().len().div_ceil(FRAME_SAMPLES) as u32);
            queued.frames = Some(frames);
        }
    }

    /// Takes a sentence out that cannot be spoken. Returns whether it was there.
    pub fn drop_sentence(&mut self, id: u32) -> bool {
        let before = self.queue.len();
        self.queue.retain(|queued| queued.id != id);
        self.queue.len() < before
    }

    /// What is due at `now`. Called once every 20 ms.
    pub fn tick(&mut self, now: Duration) -> Due {
        if !self.gap.is_zero() {
            self.gap = self.gap.saturating_sub(FRAME);
            return Due::default();
        }
        let Some(head) = self.queue.front_mut() else { return Due::default() };
        let Some(frames) = &mut head.frames else {
            head.waiting_since.get_or_insert(now);
            return Due::default();
        };
        let first = head.from.is_none();
        head.from.get_or_insert(now);
        let frame = frames.pop_front();
        head.heard += if frame.is_some() { FRAME } else { Duration::ZERO };
        let mut due = Due { first: first && frame.is_some(), frame, ended: None };
        if frames.is_empty() {
            due.ended = self.queue.pop_front().and_then(Queued::heard);
            self.gap = if self.queue.is_empty() { Duration::ZERO } else { limits::SENTENCE_GAP };
        }
        due
    }

    /// Stops at once. Returns the sentence that was being heard, and a last frame that fades, so
    /// that the cut does not click.
    pub fn cut(&mut self) -> (Option<Heard>, Option<AudioFrame>) {
        self.gap = Duration::ZERO;
        let head = self.queue.pop_front();
        self.queue.clear();
        let Some(mut head) = head.filter(|head| head.from.is_some()) else { return (None, None) };
        let last = head.frames.as_mut().and_then(VecDeque::pop_front).map(|mut frame| {
            frame.fade(1.0, 0.0);
            frame
        });
        (head.heard(), last)
    }

    /// Whether nothing is left to say.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether what is being said must be heard to the end.
    pub fn is_firm(&self) -> bool {
        self.queue.iter().any(|queued| queued.sentence.firm)
    }

    /// The sentence at the head, if its audio has been missing for longer than `deadline`.
    pub fn overdue(&self, now: Duration, deadline: Duration) -> Option<u32> {
        let head = self.queue.front().filter(|head| head.frames.is_none())?;
        let since = head.waiting_since?;
        (now.saturating_sub(since) > deadline).then_some(head.id)
    }
}

impl Queued {
    fn heard(self) -> Option<Heard> {
        let from = self.from?;
        Some(Heard { sentence: self.sentence, from, heard: self.heard, length: self.length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str, firm: bool) -> Sentence {
        Sentence { text: text.into(), reusable: true, firm, source: "test".into() }
    }

    fn at(tick: u64) -> Duration {
        Duration::from_millis(tick * 20)
    }

    #[test]
    fn sentences_play_in_order_with_a_pause_between() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("One.", false));
        playout.queue(2, sentence("Two.", false));
        playout.supply(2, &vec![2; FRAME_SAMPLES].into());
        assert!(playout.tick(at(0)).frame.is_none(), "waits for the first sentence");
        playout.supply(1, &vec![1; FRAME_SAMPLES * 2].into());
        assert!(playout.tick(at(1)).first);
        let ended = playout.tick(at(2)).ended.expect("ends");
        assert_eq!((ended.from, ended.heard, ended.length), (at(1), at(2), at(2)));
        let gap = limits::SENTENCE_GAP.as_millis() / 20;
        for _ in 0..gap {
            assert!(playout.tick(at(3)).frame.is_none());
        }
        assert!(playout.tick(at(20)).frame.is_some());
        assert!(playout.is_idle());
    }

    #[test]
    fn a_cut_tells_what_was_heard() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("A long one.", false));
        playout.queue(2, sentence("Never heard.", false));
        playout.supply(1, &vec![1000; FRAME_SAMPLES * 10].into());
        playout.tick(at(0));
        playout.tick(at(1));
        let (heard, last) = playout.cut();
        assert_eq!(heard.map(|heard| (heard.heard, heard.length)), Some((at(2), at(10))));
        assert!(last.is_some_and(|frame| frame.samples()[FRAME_SAMPLES - 1].abs() < 20));
        assert!(playout.is_idle());
        playout.supply(2, &vec![0; 10].into());
        assert!(playout.tick(at(2)).frame.is_none());
    }

    #[test]
    fn a_sentence_without_audio_becomes_overdue() {
        let mut playout = Playout::default();
        playout.queue(7, sentence("Late.", false));
        playout.tick(at(0));
        assert_eq!(playout.overdue(at(10), at(20)), None);
        assert_eq!(playout.overdue(at(30), at(20)), Some(7));
        assert!(playout.drop_sentence(7) && playout.is_idle());
    }
}

//! What the caller hears, frame by frame, and how much of it they have heard.

use std::collections::VecDeque;
use std::time::Duration;

use crate::input::SpokenPart;
use crate::{FRAME, limits};
use radline_audio::{AudioFrame, level};
use radline_dialogue::Sentence;

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
    /// Whether it asks what an answer would be an answer to.
    asks: bool,
    tried_again: bool,
    /// Since when it has been waiting for its audio at the head of the queue.
    waiting_since: Option<Duration>,
    /// Its frames, as far as they are there.
    frames: Vec<AudioFrame>,
    /// Whether they are all there.
    complete: bool,
    /// The next frame. After a pause it is earlier than `heard`.
    next: usize,
    /// Frames that were due at least once.
    heard: usize,
    from: Option<Duration>,
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

/// What was cut off.
#[derive(Debug, Default)]
pub struct Cut {
    /// The sentence that was being heard.
    pub heard: Option<Heard>,
    /// A last frame that fades, so that the cut does not click.
    pub fading: Option<AudioFrame>,
    /// Sentences that had to be heard and were not.
    pub owed: Vec<Sentence>,
}

/// Whether the voice goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Flow {
    #[default]
    Playing,
    /// Lower, because the caller may be speaking.
    Ducked,
    /// Silent after a last, fading frame.
    Pausing,
    Paused,
}

/// The agent's voice: sentences in order, one frame every 20 ms.
#[derive(Debug, Default)]
pub struct Playout {
    queue: VecDeque<Queued>,
    gap: Duration,
    flow: Flow,
    /// The gain at the end of the last frame; 0 before the first.
    gain: f32,
    /// How much was played since the queue was last empty or a prompt began.
    played: Duration,
}

/// The part of a sentence after which it counts as heard: people answer when they see the end
/// coming.
const HEARD_SHARE: f32 = 0.75;
/// Gain of a lowered voice, about −9 dB.
const DUCKED_GAIN: f32 = 0.35;
/// How far back a paused sentence may start again, frames (600 ms), to begin between two words.
const REWIND_MAX: usize = 30;
/// At least this much is said again (100 ms): it was lowered when the caller spoke over it.
const REWIND_MIN: usize = 5;

impl Playout {
    /// A new prompt begins: what is queued from here on counts as one.
    pub const fn begin_prompt(&mut self) {
        self.played = Duration::ZERO;
    }

    /// Adds a sentence whose audio comes later. `asks` marks the one that an answer answers.
    /// Returns false when the queue is full.
    pub fn queue(&mut self, id: u32, sentence: Sentence, asks: bool) -> bool {
        if self.queue.len() >= limits::SENTENCES_MAX {
            return false;
        }
        self.queue.push_back(Queued {
            id,
            sentence,
            asks,
            tried_again: false,
            waiting_since: None,
            frames: Vec::new(),
            complete: false,
            next: 0,
            heard: 0,
            from: None,
        });
        true
    }

    /// The next part of a queued sentence. Unknown ids are of sentences that were cut.
    pub fn supply(&mut self, id: u32, part: &SpokenPart) {
        if let Some(queued) = self.queue.iter_mut().find(|queued| queued.id == id) {
            queued.frames.extend(AudioFrame::split(part.audio.expose()));
            queued.complete |= part.last;
            queued.waiting_since = None;
        }
    }

    /// A sentence could not be spoken. Returns it the first time, to be tried again, unless a part
    /// of it is being heard.
    pub fn try_again(&mut self, id: u32) -> Option<Sentence> {
        let queued = self.queue.iter_mut().find(|queued| queued.id == id)?;
        if queued.from.is_some() {
            return None;
        }
        queued.waiting_since = None;
        queued.frames.clear();
        let first = !std::mem::replace(&mut queued.tried_again, true);
        first.then(|| queued.sentence.clone())
    }

    /// Takes a sentence out that cannot be spoken. Returns whether it was there.
    pub fn drop_sentence(&mut self, id: u32) -> bool {
        let before = self.queue.len();
        self.queue.retain(|queued| queued.id != id);
        self.queue.len() < before
    }

    /// What is due at `now`. Called once every 20 ms.
    pub fn tick(&mut self, now: Duration) -> Due {
        match self.flow {
            Flow::Paused => return Due::default(),
            Flow::Pausing => return self.last_before_pause(),
            Flow::Playing | Flow::Ducked => {}
        }
        if !self.gap.is_zero() {
            self.gap = self.gap.saturating_sub(FRAME);
            return Due::default();
        }
        let Some(head) = self.queue.front_mut() else { return Due::default() };
        if head.next >= head.frames.len() && !head.complete {
            head.waiting_since.get_or_insert(now);
            return Due::default();
        }
        let first = head.from.is_none();
        head.from.get_or_insert(now);
        let frame = head.frames.get(head.next).cloned();
        head.next += 1;
        head.heard = head.heard.max(head.next.min(head.frames.len()));
        let over = head.complete && head.next >= head.frames.len();
        let mut due = Due { first: first && frame.is_some(), frame, ended: None };
        self.level(&mut due);
        self.played += FRAME;
        if over {
            due.ended = self.queue.pop_front().and_then(Queued::heard);
            self.gap = if self.queue.is_empty() { Duration::ZERO } else { limits::SENTENCE_GAP };
            self.gain = 1.0;
        }
        due
    }

    /// Moves the gain towards what the flow asks for, within one frame. A sentence that starts at
    /// its beginning starts at full level: its first sound needs no fade.
    fn level(&mut self, due: &mut Due) {
        let target = if self.flow == Flow::Ducked { DUCKED_GAIN } else { 1.0 };
        let from = if due.first { target } else { self.gain };
        if let Some(frame) = due.frame.as_mut().filter(|_| from < 1.0 || target < 1.0) {
            frame.fade(from, target);
        }
        self.gain = target;
    }

    fn last_before_pause(&mut self) -> Due {
        self.flow = Flow::Paused;
        let gain = std::mem::take(&mut self.gain);
        let Some(head) = self.queue.front_mut().filter(|head| head.from.is_some()) else {
            return Due::default();
        };
        let frame = head.frames.get(head.next).cloned();
        let frame = frame.map(|mut frame| {
            frame.fade(gain, 0.0);
            frame
        });
        Due { frame, ..Due::default() }
    }

    /// Lowers the voice, because the caller may be speaking.
    pub fn duck(&mut self) {
        if self.flow == Flow::Playing {
            self.flow = Flow::Ducked;
        }
    }

    /// Stops for the moment; [`Self::go_on`] starts again between two words.
    pub fn pause(&mut self) {
        if matches!(self.flow, Flow::Playing | Flow::Ducked) {
            self.flow = Flow::Pausing;
        }
    }

    /// Goes on, at full level, a little before where it stopped.
    pub fn go_on(&mut self) {
        if matches!(self.flow, Flow::Pausing | Flow::Paused)
            && let Some(head) = self.queue.front_mut()
        {
            head.rewind();
        }
        self.flow = Flow::Playing;
    }

    /// Whether the voice stopped for the moment.
    pub const fn is_paused(&self) -> bool {
        matches!(self.flow, Flow::Pausing | Flow::Paused)
    }

    /// Stops for good.
    pub fn cut(&mut self) -> Cut {
        let paused = self.flow == Flow::Paused;
        let gain = self.gain;
        (self.gap, self.flow, self.gain) = (Duration::ZERO, Flow::Playing, 0.0);
        let queue = std::mem::take(&mut self.queue);
        let owed = |queued: &&Queued| queued.sentence.firm && !queued.was_heard();
        let owed = queue.iter().filter(owed).map(|queued| queued.sentence.clone()).collect();
        let Some(head) = queue.into_iter().next().filter(|head| head.from.is_some()) else {
            return Cut { owed, ..Cut::default() };
        };
        let next = head.frames.get(head.next).cloned();
        let fading = next.filter(|_| !paused).map(|mut frame| {
            frame.fade(gain, 0.0);
            frame
        });
        Cut { heard: head.heard(), fading, owed }
    }

    /// Whether nothing is left to say.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the caller hears a sentence now, or would if it were not paused.
    pub fn is_speaking(&self) -> bool {
        self.queue.front().is_some_and(|head| head.from.is_some()) || !self.gap.is_zero()
    }

    /// Whether the sentence that is being said, or comes next, must be heard to the end.
    pub fn is_firm(&self) -> bool {
        self.queue.front().is_some_and(|head| head.sentence.firm)
    }

    /// How much of the prompt was played.
    pub const fn played(&self) -> Duration {
        self.played
    }

    /// Whether everything that an answer depends on was heard: what must be heard, and the
    /// question.
    pub fn heard_enough(&self) -> bool {
        let matters = |queued: &&Queued| queued.asks || queued.sentence.firm;
        self.queue.iter().filter(matters).all(Queued::was_heard)
    }

    /// The sentence at the head, if its audio has been missing for longer than `deadline`.
    pub fn overdue(&self, now: Duration, deadline: Duration) -> Option<u32> {
        let head = self.queue.front()?;
        let since = head.waiting_since?;
        (now.saturating_sub(since) > deadline).then_some(head.id)
    }

    /// Sentences that wait or are being spoken.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }
}

impl Heard {
    /// The words that were heard, by their share of the audio; a word that was cut is not heard.
    pub fn words(&self) -> &str {
        let text = self.sentence.text.expose().as_str();
        if self.heard >= self.length {
            return text;
        }
        let share = self.heard.as_secs_f32() / self.length.as_secs_f32().max(f32::EPSILON);
        let letters = (text.chars().count() as f32 * share) as usize;
        let end = text.char_indices().nth(letters).map_or(text.len(), |(at, _)| at);
        text[..end].rfind(' ').map_or("", |space| &text[..space])
    }
}

impl Queued {
    fn was_heard(&self) -> bool {
        let length = self.frames.len();
        self.complete && length > 0 && self.heard as f32 >= HEARD_SHARE * length as f32
    }

    /// Goes back to the quietest frame of the last words: between two of them.
    fn rewind(&mut self) {
        let frames = &self.frames;
        let latest = self.next.saturating_sub(REWIND_MIN);
        let earliest = self.next.saturating_sub(REWIND_MAX);
        let quietest = (earliest..latest).min_by(|a, b| {
            let level = |index: &usize| level::rms_dbfs(frames[*index].samples());
            level(a).total_cmp(&level(b))
        });
        self.next = quietest.unwrap_or(earliest);
    }

    fn heard(self) -> Option<Heard> {
        let from = self.from?;
        // Of a sentence that was cut before it was all made, nobody knows the length: what was
        // heard is not all of it.
        let more = u32::from(!self.complete);
        let length = FRAME * (self.frames.len() as u32 + more);
        Some(Heard { from, heard: FRAME * self.heard as u32, length, sentence: self.sentence })
    }
}

#[cfg(test)]
mod tests {
    use radline_audio::FRAME_SAMPLES;

    use super::*;

    fn sentence(text: &str, firm: bool) -> Sentence {
        Sentence { text: text.into(), reusable: true, firm, source: "test".into() }
    }

    fn at(tick: u64) -> Duration {
        Duration::from_millis(tick * 20)
    }

    fn frames(count: usize, level: i16) -> SpokenPart {
        SpokenPart::whole(vec![level; FRAME_SAMPLES * count].into())
    }

    #[test]
    fn sentences_play_in_order_with_a_pause_between() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("One.", false), false);
        playout.queue(2, sentence("Two.", false), true);
        playout.supply(2, &frames(1, 2));
        assert!(playout.tick(at(0)).frame.is_none(), "waits for the first sentence");
        playout.supply(1, &frames(2, 1));
        assert!(playout.tick(at(1)).first);
        let ended = playout.tick(at(2)).ended.expect("ends");
        assert_eq!((ended.from, ended.heard, ended.length), (at(1), at(2), at(2)));
        let gap = limits::SENTENCE_GAP.as_millis() / 20;
        for _ in 0..gap {
            assert!(playout.tick(at(3)).frame.is_none());
        }
        assert!(!playout.heard_enough(), "the question is to come");
        assert!(playout.tick(at(20)).frame.is_some());
        assert!(playout.is_idle() && playout.heard_enough());
    }

    #[test]
    fn a_cut_tells_what_was_heard_and_what_is_owed() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("A long one.", false), false);
        playout.queue(2, sentence("Never heard.", true), false);
        playout.supply(1, &frames(10, 1000));
        playout.tick(at(0));
        playout.tick(at(1));
        let cut = playout.cut();
        assert_eq!(cut.heard.map(|heard| (heard.heard, heard.length)), Some((at(2), at(10))));
        assert!(cut.fading.is_some_and(|frame| frame.samples()[FRAME_SAMPLES - 1].abs() < 20));
        assert_eq!(cut.owed, [sentence("Never heard.", true)]);
        assert!(playout.is_idle());
        playout.supply(2, &frames(1, 0));
        assert!(playout.tick(at(2)).frame.is_none());
    }

    #[test]
    fn a_sentence_without_audio_becomes_overdue() {
        let mut playout = Playout::default();
        playout.queue(7, sentence("Late.", false), false);
        playout.tick(at(0));
        assert_eq!(playout.overdue(at(10), at(20)), None);
        assert_eq!(playout.overdue(at(30), at(20)), Some(7));
        assert!(playout.try_again(7).is_some() && playout.try_again(7).is_none());
        assert!(playout.drop_sentence(7) && playout.is_idle());
    }

    #[test]
    fn a_sentence_is_heard_while_the_rest_of_it_is_made() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("First, second.", false), true);
        playout.supply(1, &SpokenPart { last: false, ..frames(2, 1) });
        assert!(playout.tick(at(0)).first);
        assert!(playout.tick(at(1)).ended.is_none(), "more is to come");
        assert!(playout.tick(at(2)).frame.is_none() && !playout.heard_enough());
        assert_eq!(playout.overdue(at(12), at(5)), Some(1));
        playout.supply(1, &frames(1, 2));
        assert_eq!(playout.overdue(at(13), at(5)), None);
        let ended = playout.tick(at(13)).ended.expect("ends");
        assert_eq!((ended.heard, ended.length), (at(3), at(3)));
    }

    #[test]
    fn a_paused_sentence_fades_out_and_goes_on_between_two_words() {
        let mut playout = Playout::default();
        playout.queue(1, sentence("Two words.", false), true);
        let mut audio = vec![1000; FRAME_SAMPLES * 24];
        audio[FRAME_SAMPLES * 8..FRAME_SAMPLES * 9].fill(0);
        playout.supply(1, &SpokenPart::whole(audio.into()));
        for tick in 0..14 {
            playout.tick(at(tick));
        }
        playout.duck();
        let ducked = playout.tick(at(14)).frame.expect("goes on, lower");
        assert!(ducked.samples()[FRAME_SAMPLES - 1] < 400);
        playout.pause();
        let last = playout.tick(at(15)).frame.expect("fades");
        assert!(last.samples()[FRAME_SAMPLES - 1].abs() < 20);
        assert!(playout.tick(at(16)).frame.is_none());
        playout.go_on();
        let gap = playout.tick(at(17)).frame.expect("goes on");
        assert_eq!(gap.samples()[0], 0, "from the gap between the words");
        let word = playout.tick(at(18)).frame.expect("goes on");
        assert_eq!(word.samples()[10], 1000);
        assert!(!playout.heard_enough(), "what is said again is heard once");
    }
}

//! The audio between a caller and a person: 20 ms frames each way, never more than a moment of them.

use radline_audio::AudioFrame;
use tokio::sync::mpsc;

use crate::limits;

/// The call's end.
#[derive(Debug)]
pub struct CallerLine {
    from_person: mpsc::Receiver<AudioFrame>,
    to_person: mpsc::Sender<AudioFrame>,
}

/// The provider's end.
#[derive(Debug)]
pub struct PersonLine {
    /// The caller's frames; they end with the conversation.
    pub from_caller: mpsc::Receiver<AudioFrame>,
    /// What the caller is to hear. A full line loses it.
    pub to_caller: mpsc::Sender<AudioFrame>,
}

/// A line with its two ends.
pub fn line() -> (CallerLine, PersonLine) {
    let (to_person, from_caller) = mpsc::channel(limits::FRAMES_MAX);
    let (to_caller, from_person) = mpsc::channel(limits::FRAMES_MAX);
    (CallerLine { from_person, to_person }, PersonLine { from_caller, to_caller })
}

impl CallerLine {
    /// The person's next frame, if there is one. Called once every 20 ms; what has piled up beyond a
    /// moment is dropped, so that a line that stalled does not stay late for ever.
    pub fn receive(&mut self) -> Option<AudioFrame> {
        let late = self.from_person.len() > 2 * limits::FRAMES_KEPT;
        while late && self.from_person.len() > limits::FRAMES_KEPT {
            self.from_person.try_recv().ok()?;
        }
        self.from_person.try_recv().ok()
    }

    /// Whether the person's end is gone, and everything from it was taken.
    pub fn is_closed(&self) -> bool {
        self.from_person.is_closed() && self.from_person.is_empty()
    }

    /// Gives the person a frame of the caller's. A full line loses it.
    pub fn send(&self, frame: AudioFrame) {
        if self.to_person.try_send(frame).is_err() {
            tracing::trace!("a frame to a provider was lost");
        }
    }
}

//! What must hold after every step of every call.

use std::time::Duration;

use radline_audio::FRAME_MS;
use radline_call::{CallEngine, CallInput, CallOutput, EventKind, limits};
use radline_dialogue::screening::Answers;
use radline_dialogue::slots::Slots;

use crate::mark::{Mark, Source};

/// What lies between the caller's first sound and the pause that the engine begins for it: the
/// voice activity model's delay, the frames that make sure, the fading frame, a late packet.
const PAUSE_SLACK: Duration = Duration::from_millis(280);
/// Longest wait of a caller for any sound after their turn counted: the clinic's deadline, the
/// filler and its synthesis, and the caller's own speech in between.
const ANSWER_MAX: Duration = Duration::from_secs(16);
/// Least silence before words count, frames: after a stall of the network several come at once.
const COMMIT_SILENCE_MIN: u32 = 8;
/// Pauses of the overlap that are shorter than this do not end it.
const OVERLAP_GAP: u32 = 5;
/// Fewer frames in a row than this, between lost packets, nobody can take for speech.
const VOICED_MIN: u32 = 4;
/// Longest wait for a voice that fails as often as it may.
const STALL_MAX: Duration =
    limits::SYNTHESIS_DEADLINE.saturating_mul(limits::SYNTHESIS_FAILURES_MAX);
/// How long the voice takes to fade when a person joins.
const FADING: Duration = Duration::from_millis(60);
/// Share of a read-back that must be heard before a yes to it counts.
const READ_BACK_HEARD: f64 = 0.7;

/// The dialogue's state, as far as it can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    state: String,
    slots: Slots,
    answers: Answers,
}

impl Snapshot {
    /// The present one.
    pub fn of(engine: &CallEngine) -> Self {
        let dialogue = engine.dialogue();
        Self {
            state: dialogue.state().to_owned(),
            slots: dialogue.slots().clone(),
            answers: dialogue.answers().clone(),
        }
    }
}

/// One step, seen from outside.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Since the call began.
    pub now: Duration,
    /// What went in.
    pub input: &'a CallInput,
    /// Whether it is an answer to a question that nobody asks any more.
    pub stale: bool,
    /// What came out.
    pub outputs: &'a [CallOutput],
    /// The dialogue before it.
    pub before: &'a Snapshot,
    /// The dialogue after it.
    pub after: &'a Snapshot,
}

/// Watches one call.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is seen or not")]
pub struct Invariants {
    /// Frames in which both spoke, and frames since the last one.
    overlap: (u32, u32),
    /// Whether the sentence that sounds must be heard, or is goodbye.
    firm: bool,
    last_words: bool,
    /// Since when the caller waits for a sound.
    unanswered: Option<Duration>,
    /// Frames since the caller's voice last reached the engine.
    silent_for: u32,
    caller_speaks: bool,
    /// Frames of the caller's voice in a row.
    voiced: u32,
    /// The state that was entered last.
    entered: String,
    /// How much of the last read-back was heard, ms of ms.
    read_back: Option<(u64, u64)>,
    held: bool,
    /// The dialogue before the last turn counted.
    before_turn: Option<Snapshot>,
    /// Since when a person talks with the caller.
    conversation: Option<Duration>,
    /// When the last conversation with a person was over: what was said before was only written down.
    conversed_until: Duration,
    /// Since when the agent has had something to say, said nothing, and nobody else spoke.
    stalled: Option<Duration>,
}

impl Invariants {
    /// Checks one step. Returns what is broken.
    pub fn check(&mut self, seen: &Seen<'_>, engine: &CallEngine) -> Option<String> {
        self.follow(seen);
        let checks = [
            self.no_long_overlap(seen),
            self.no_turn_unanswered(seen, engine),
            change_has_a_cause(seen),
            stale_changes_nothing(seen),
            self.words_count_after_silence(seen),
            self.reopening_undoes(seen),
            self.booking_was_read_back(seen),
            self.silent_in_conversation(seen),
            loads_are_bounded(engine),
            self.no_stall(seen, engine),
        ];
        checks.into_iter().flatten().next()
    }

    /// Tells which sentence sounds.
    pub const fn sounds(&mut self, firm: bool) {
        if self.firm && !firm {
            // What need not be heard has only just begun.
            self.overlap = (0, 0);
        }
        self.firm = firm;
    }

    fn follow(&mut self, seen: &Seen<'_>) {
        match seen.input {
            CallInput::Audio(frame, _) => {
                let mark = Mark::of(frame.samples());
                self.caller_speaks = mark.is_some_and(|mark| mark.source == Source::Caller);
                self.voiced = if self.caller_speaks { self.voiced + 1 } else { 0 };
                self.silent_for = if self.voiced >= VOICED_MIN { 0 } else { self.silent_for + 1 };
            }
            // The last words of a server that goes down are said whoever speaks.
            CallInput::Shutdown => (self.last_words, self.conversation) = (true, None),
            CallInput::Held => self.held = true,
            CallInput::Resumed => (self.held, self.unanswered) = (false, None),
            CallInput::PersonLeft(_) => {
                self.conversed_until = if self.conversation.take().is_some() {
                    seen.now
                } else {
                    self.conversed_until
                };
            }
            _ => {}
        }
        for output in seen.outputs {
            match output {
                CallOutput::Play(frame) if Mark::of(frame.samples()).is_some() => {
                    self.unanswered = None;
                }
                CallOutput::Record(event) => self.follow_event(seen.now, &event.kind),
                _ => {}
            }
        }
    }

    fn follow_event(&mut self, now: Duration, event: &EventKind) {
        match event {
            EventKind::PersonJoined { .. } => {
                (self.conversation, self.unanswered) = (Some(now), None);
            }
            EventKind::CallerSaid { to_ms, .. } if self.overheard(*to_ms) => {}
            EventKind::CallerSaid { .. } | EventKind::KeysPressed { .. } => {
                self.unanswered = Some(now).filter(|_| self.conversation.is_none());
            }
            EventKind::TurnReopened | EventKind::Ended { .. } => self.unanswered = None,
            // What was heard is judged; a sound right behind it is another one.
            EventKind::SpokeOn { .. } => self.overlap = (0, 0),
            EventKind::AgentSaid { source, heard_ms, length_ms, .. }
                if source.contains(" read_back.") && !source.ends_with("aside") =>
            {
                // When it is said again, the better of both counts.
                let share = |(heard, length): (u64, u64)| heard as f64 / length.max(1) as f64;
                let now = (*heard_ms, *length_ms);
                self.read_back =
                    self.read_back.filter(|best| share(*best) >= share(now)).or(Some(now));
            }
            EventKind::Entered { state } => {
                // A reminder enters the state that the dialogue is in already.
                if state == "read_back" && self.entered != "read_back" {
                    self.read_back = None;
                }
                // Not even a call-back could be noted: what is said then ends the call.
                let failed_twice = state == "failure" && self.entered == "failure";
                self.last_words = matches!(state.as_str(), "goodbye" | "leaving" | "silent_end")
                    || state.ends_with("_end")
                    || failed_twice;
                self.entered.clone_from(state);
            }
            _ => {}
        }
    }

    /// Agent and caller never speak at once for longer than it takes to pause, or to see that
    /// somebody talks through what must be heard.
    fn no_long_overlap(&mut self, seen: &Seen<'_>) -> Option<String> {
        if !matches!(seen.input, CallInput::Tick) {
            return None;
        }
        let played = |output: &CallOutput| matches!(output, CallOutput::Play(frame) if Mark::of(frame.samples()).is_some());
        let agent_speaks = seen.outputs.iter().any(played);
        let (frames, gap) = &mut self.overlap;
        if agent_speaks && self.caller_speaks {
            // Between lost packets a voice is not seen to begin.
            let seen = *frames > 0 || self.voiced >= VOICED_MIN;
            (*frames, *gap) = (if seen { (*frames + 1).max(VOICED_MIN) } else { 0 }, 0);
        } else {
            *gap += 1;
            if *gap > OVERLAP_GAP {
                *frames = 0;
            }
        }
        let limit = match (self.last_words, self.firm) {
            (true, _) => return None,
            (_, true) => limits::YIELD_AFTER + PAUSE_SLACK,
            _ => limits::PAUSE_AFTER + PAUSE_SLACK,
        };
        let both = Duration::from_millis(u64::from(*frames) * u64::from(FRAME_MS));
        (both > limit).then(|| format!("both spoke for {} ms", both.as_millis()))
    }

    /// Whoever has something to say and is not spoken to says it.
    fn no_stall(&mut self, seen: &Seen<'_>, engine: &CallEngine) -> Option<String> {
        let plays = |output: &CallOutput| matches!(output, CallOutput::Play(frame) if Mark::of(frame.samples()).is_some());
        let excused = self.held
            || self.caller_speaks
            || self.conversation.is_some()
            || engine.is_over()
            || engine.loads().sentences == 0
            || seen.outputs.iter().any(plays);
        if excused {
            self.stalled = None;
            return None;
        }
        let since = *self.stalled.get_or_insert(seen.now);
        (seen.now.saturating_sub(since) > STALL_MAX)
            .then(|| "the agent has something to say and says nothing".to_owned())
    }

    fn no_turn_unanswered(&mut self, seen: &Seen<'_>, engine: &CallEngine) -> Option<String> {
        let since = self.unanswered.filter(|_| !self.held && !engine.is_over())?;
        if self.caller_speaks {
            self.unanswered = Some(seen.now);
            return None;
        }
        let waited = seen.now.saturating_sub(since);
        (waited > ANSWER_MAX).then(|| "a turn went unanswered".to_owned())
    }

    /// While a person talks with the caller Radline is silent, once what must be heard is said.
    fn silent_in_conversation(&self, seen: &Seen<'_>) -> Option<String> {
        let since = self.conversation.filter(|_| !self.firm)?;
        let plays = |output: &CallOutput| matches!(output, CallOutput::Play(frame) if Mark::of(frame.samples()).is_some());
        let late = seen.now.saturating_sub(since) > FADING;
        let speaks = late && seen.outputs.iter().any(plays);
        speaks.then(|| "Radline spoke while a person talked with the caller".to_owned())
    }

    /// Whether words that ended then were said to a person.
    fn overheard(&self, to_ms: u64) -> bool {
        Duration::from_millis(to_ms) <= self.conversed_until
    }

    /// Spoken words count only once the caller has been silent.
    fn words_count_after_silence(&self, seen: &Seen<'_>) -> Option<String> {
        let commits = |output: &CallOutput| match output {
            CallOutput::Record(event) => match &event.kind {
                EventKind::CallerSaid { from_ms, to_ms, .. }
                    if to_ms > from_ms && !self.overheard(*to_ms) =>
                {
                    let length = Duration::from_millis(to_ms - from_ms);
                    length + Duration::from_secs(1) < limits::UTTERANCE_MAX
                }
                _ => false,
            },
            _ => false,
        };
        // What is only written down counts for nothing.
        let counts = self.conversation.is_none() && seen.outputs.iter().any(commits);
        let early = counts && self.silent_for < COMMIT_SILENCE_MIN;
        early.then(|| format!("words counted {} frames after they sounded", self.silent_for))
    }

    /// A reopened turn leaves the dialogue as it was before it.
    fn reopening_undoes(&mut self, seen: &Seen<'_>) -> Option<String> {
        let mut undone = None;
        for output in seen.outputs {
            let CallOutput::Record(event) = output else { continue };
            match event.kind {
                EventKind::CallerSaid { .. } => self.before_turn = Some(seen.before.clone()),
                EventKind::TurnReopened => undone = self.before_turn.take(),
                _ => {}
            }
        }
        let different = undone.is_some_and(|before| before != *seen.after);
        different.then(|| "a reopened turn was not undone".to_owned())
    }

    /// Nothing is booked that the caller has not heard read back.
    fn booking_was_read_back(&self, seen: &Seen<'_>) -> Option<String> {
        let books = |output: &CallOutput| matches!(output, CallOutput::Act { action, .. } if action.kind() == "book");
        if !seen.outputs.iter().any(books) {
            return None;
        }
        let heard = self
            .read_back
            .is_some_and(|(heard, length)| heard as f64 >= READ_BACK_HEARD * length as f64);
        (!heard).then(|| format!("booked after hearing {:?} ms of the read-back", self.read_back))
    }
}

/// The dialogue changes only with something that is on the record as its cause.
fn change_has_a_cause(seen: &Seen<'_>) -> Option<String> {
    let cause = |output: &CallOutput| match output {
        CallOutput::Record(event) => matches!(
            event.kind,
            EventKind::Understood { .. }
                | EventKind::NothingHeard
                | EventKind::ActionAnswered { .. }
                | EventKind::TurnReopened
                // A second reading found danger, and nobody spoke when it was taken up.
                | EventKind::RedFlagRaised { .. }
                | EventKind::Started { .. }
                | EventKind::Problem { .. }
                | EventKind::EscalationEnded { .. }
                | EventKind::DraftDecided { .. }
                | EventKind::Resumed
        ),
        _ => false,
    };
    let changed = seen.before != seen.after;
    let acts = seen.outputs.iter().any(|output| matches!(output, CallOutput::Act { .. }));
    let caused = seen.outputs.iter().any(cause);
    if caused || !(changed || acts) {
        return None;
    }
    let what = if changed { "the dialogue changed" } else { "the clinic was asked" };
    Some(format!("{what} and nothing on the record says why"))
}

fn stale_changes_nothing(seen: &Seen<'_>) -> Option<String> {
    if !seen.stale {
        return None;
    }
    let effect = |output: &CallOutput| !matches!(output, CallOutput::Record(_));
    let changed = seen.before != seen.after || seen.outputs.iter().any(effect);
    changed.then(|| "a stale result changed something".to_owned())
}

fn loads_are_bounded(engine: &CallEngine) -> Option<String> {
    let loads = engine.loads();
    let bounds = [
        ("sentences", loads.sentences, limits::SENTENCES_MAX),
        ("owed sentences", loads.owed, limits::SENTENCES_MAX),
        ("keys", loads.keys, limits::KEYS_MAX),
        ("outputs", loads.outputs, 0),
    ];
    let over = bounds.iter().find(|(_, load, bound)| load > bound);
    if let Some((what, load, bound)) = over {
        return Some(format!("{load} {what} are queued, {bound} are allowed"));
    }
    // A pause at the end, and the clinic's longest answer, may follow the longest utterance.
    let longest = limits::UTTERANCE_MAX + limits::CLINIC_DEADLINE + Duration::from_secs(10);
    (loads.utterance > longest).then(|| "an utterance grows without bound".to_owned())
}

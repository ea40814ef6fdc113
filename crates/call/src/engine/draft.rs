//! A reply that waits for a person's word before it is spoken, and before anything that it leads to is
//! done.

use std::time::Duration;

use radline_dialogue::{Action, ActionOutcome, Command, Sentence, Then, wording};
use radline_phi::Phi;

use super::hearing::Hearing;
use super::planning::{Step, Worded};
use super::{CallEngine, Waiting};
use crate::approval::{Approval, DraftVerdict, Judgement, Unanswered, edit_distance};
use crate::event::EventKind;
use crate::input::SpokenPart;
use crate::limits;
use crate::output::{CallOutput, DraftReply};

/// Drafts of a call.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    policy: Option<Approval>,
    last: u64,
    held: Option<Held>,
    /// Since when the caller has waited for a reply whose drafts were withdrawn.
    waits: Option<Duration>,
}

/// A draft that waits.
#[derive(Debug)]
struct Held {
    id: u64,
    text: String,
    steps: Vec<Step>,
    pending: Option<(u32, &'static str)>,
    since: Duration,
    /// When the caller was last asked for patience.
    told: Option<Duration>,
    /// What the clinic has answered meanwhile.
    answered: Option<(u32, ActionOutcome)>,
}

impl CallEngine {
    /// Has every reply approved from here on.
    #[must_use]
    pub fn with_approval(mut self, policy: Option<Approval>) -> Self {
        self.drafts.policy = policy;
        self
    }

    /// Holds a reply back, if a person has to approve it. Gives it back otherwise.
    pub(super) fn hold_for_approval(
        &mut self,
        steps: Vec<Step>,
        pending: Option<(u32, &'static str)>,
    ) -> Option<Vec<Step>> {
        let Some(policy) = &self.drafts.policy else { return Some(steps) };
        // An instruction in danger waits for nobody; nor does a word to whoever a person was called for,
        // nor the call for one.
        let calls = |step: &Step| match step {
            Step::Move { next, .. } => calls_a_person(&next.then),
            Step::LookedUp { .. } => false,
        };
        let called = self.dialogue.has_called_a_person() || self.waits_for_person().is_some();
        let urgent = called || steps.iter().any(calls);
        let sentences: Vec<&Sentence> = steps.iter().flat_map(said).collect();
        let granted = |step: &Step| match step {
            Step::Move { next, .. } => policy.granted.contains(&next.state),
            Step::LookedUp { .. } => true,
        };
        if urgent || sentences.is_empty() || steps.iter().all(granted) {
            return Some(steps);
        }
        let text = joined(&sentences);
        let mut sources: Vec<String> =
            sentences.iter().map(|sentence| sentence.source.clone()).collect();
        sources.dedup();
        let (wait, unanswered) = (policy.wait, policy.unanswered);
        self.drafts.last += 1;
        let id = self.drafts.last;
        let (since, told, answered) = (self.now, None, None);
        let state = self.dialogue.state().to_owned();
        self.record(EventKind::Drafted { draft: id, state });
        self.waiting = Waiting::Approval;
        if self.recording {
            // Consent that was taken back counts at once; one that was given, with the reply to it.
            self.follow_consent();
        }
        let shown = Phi::new(text.clone());
        self.drafts.held = Some(Held { id, text, steps, pending, since, told, answered });
        let draft = DraftReply { draft: id, text: shown, sources, wait, unanswered };
        self.emit(CallOutput::Draft(draft));
        None
    }

    /// A person has decided. What was decided before, or withdrawn, changes nothing.
    pub(super) fn judged(&mut self, draft: u64, judgement: Judgement, by: &str) {
        let waits = matches!(self.waiting, Waiting::Approval);
        if !waits || self.drafts.held.as_ref().is_none_or(|held| held.id != draft) {
            return;
        }
        match judgement {
            Judgement::Approve => self.release(DraftVerdict::Approved, by, None),
            Judgement::Edit(text) => self.release(DraftVerdict::Edited, by, Some(&text)),
            Judgement::Blocked(words, because) => self.block(draft, by, words, because),
            Judgement::Reject => self.reject(DraftVerdict::Rejected, by),
            Judgement::Nobody => self.unanswered(),
        }
    }

    /// The site's policy decides.
    fn unanswered(&mut self) {
        let policy = self.drafts.policy.as_ref().map(|policy| policy.unanswered);
        match policy.unwrap_or_default() {
            Unanswered::Speak => self.release(DraftVerdict::Expired, "policy", None),
            Unanswered::Hold if !self.held_too_long() => self.ask_for_patience(),
            Unanswered::Hold | Unanswered::Person => self.reject(DraftVerdict::Expired, "policy"),
        }
    }

    fn held_too_long(&self) -> bool {
        let since = self.drafts.held.as_ref().map(|held| self.drafts.waits.unwrap_or(held.since));
        since.is_none_or(|since| self.now.saturating_sub(since) > limits::APPROVAL_MAX)
    }

    /// Time passes over a draft.
    pub(super) fn check_draft(&mut self) {
        if !matches!(self.waiting, Waiting::Approval) {
            return;
        }
        if self.second_thought.is_some() {
            self.drop_draft(DraftVerdict::Withdrawn, "danger");
            self.have_second_thought();
            return;
        }
        let (Some(held), Some(policy)) = (&self.drafts.held, &self.drafts.policy) else { return };
        let waited = self.now.saturating_sub(held.since);
        let last = held.told.unwrap_or(held.since);
        let quiet = self.now.saturating_sub(last) > limits::FILLER_AFTER && held.told.is_none();
        if waited > policy.wait {
            let asked_lately = self.now.saturating_sub(last) < limits::PATIENCE_EVERY;
            let holds = policy.unanswered == Unanswered::Hold && !self.held_too_long();
            if !(holds && asked_lately) {
                self.unanswered();
            }
        } else if quiet && self.playout.is_idle() {
            self.ask_for_patience();
        }
    }

    fn ask_for_patience(&mut self) {
        let now = self.now;
        let Some(held) = &mut self.drafts.held else { return };
        held.told = Some(now);
        for sentence in self.dialogue.still_working() {
            let worded = self.worded(sentence);
            self.speak(worded, false);
        }
    }

    /// Speaks the draft, or other words in its place, and does what it leads to.
    fn release(&mut self, verdict: DraftVerdict, by: &str, words: Option<&Phi<String>>) {
        let Some(mut held) = self.drafts.held.take() else { return };
        let edits = words.map_or(0, |words| edit_distance(&held.text, words.expose()));
        self.decided(&held, verdict, by, edits);
        if let Some(words) = words {
            self.reword(&mut held.steps, words, by);
        }
        if held.told.is_some() {
            // Nobody needs patience any more.
            self.stop_speaking();
        }
        self.carry_out_approved(held.steps, held.pending);
        if let Some((request, outcome)) = held.answered {
            self.clinic_answered(request, outcome);
        }
    }

    /// Puts a person's words in the place of the draft's; before a read-back, which stays.
    fn reword(&mut self, steps: &mut [Step], words: &Phi<String>, by: &str) {
        let sentences: Vec<Sentence> = wording::sentences(words.expose())
            .into_iter()
            .map(|text| Sentence {
                text: Phi::new(text.to_owned()),
                reusable: false,
                firm: false,
                source: format!("edited by {by}"),
            })
            .collect();
        let mut words = Some(sentences);
        for step in steps.iter_mut().rev() {
            if let Step::Move { next, say } = step {
                // What is read back before it counts is read back, whatever else is said.
                let stays = matches!(&next.then, Then::Listen(question) if question.reads_back);
                let rest = if stays { std::mem::take(&mut next.say) } else { Vec::new() };
                next.say = words.take().unwrap_or_default().into_iter().chain(rest).collect();
                *say = self.worded_all(&next.say);
            }
        }
    }

    /// Words that are not taken are kept for a review of the record they disagree with.
    fn block(&mut self, draft: u64, by: &str, words: Phi<String>, because: String) {
        let Some(held) = &self.drafts.held else { return };
        let (by, approved) = (by.to_owned(), Phi::new(held.text.clone()));
        self.record(EventKind::WordingBlocked { draft, by, because, words, approved });
    }

    /// The draft is not spoken: a person takes over.
    fn reject(&mut self, verdict: DraftVerdict, by: &str) {
        let Some(held) = self.drafts.held.take() else { return };
        self.decided(&held, verdict, by, 0);
        let next = self.dialogue.rejected();
        self.checkpoint = None;
        let step = self.step(next);
        self.carry_out_approved(vec![step], None);
    }

    /// The caller goes on speaking before the reply was spoken: what they say belongs to their turn.
    pub(super) fn withdraw_draft(&mut self) {
        if self.checkpoint.is_none() {
            return;
        }
        let Some(held) = self.drafts.held.take() else { return };
        let waits = self.drafts.waits.unwrap_or(held.since);
        self.decided(&held, DraftVerdict::Withdrawn, "caller", 0);
        self.drafts.waits = Some(waits);
        self.reopen();
    }

    /// What makes the draft pointless has happened.
    pub(super) fn drop_draft(&mut self, verdict: DraftVerdict, by: &str) {
        if let Some(held) = self.drafts.held.take() {
            self.decided(&held, verdict, by, 0);
        }
    }

    /// Whether words over a draft are heard: they speak of danger, or ask for a person. Others have to
    /// wait until it is spoken, or are part of the turn before it.
    pub(super) fn heard_over_draft(&mut self) -> bool {
        let past = self.dialogue.asks_about_the_past();
        let alarming =
            self.hearing.as_ref().and_then(Hearing::words).is_some_and(|(said, read)| {
                self.red_flags.find_with(said.text.expose(), past, read.danger).is_some()
                    || read.has(&Command::RequestPerson)
            });
        if !alarming {
            self.forget_hearing();
        }
        alarming
    }

    /// The clinic answers what a draft leads to. Whether it does.
    pub(super) fn answered_for_draft(&mut self, request: u32, outcome: &ActionOutcome) -> bool {
        let Some(held) = &mut self.drafts.held else { return false };
        let asked = held.pending.is_some_and(|(pending, _)| pending == request);
        if asked {
            held.answered = Some((request, outcome.clone()));
        }
        asked
    }

    /// A part of a sentence that waits with the draft. Gives it back when it is none of its.
    pub(super) fn synthesized_for_draft(
        &mut self,
        id: u32,
        part: SpokenPart,
    ) -> Option<SpokenPart> {
        let Some(worded) = self.sentence_of_draft(id) else { return Some(part) };
        worded.audio.push(part);
        None
    }

    /// A sentence that waits with the draft could not be spoken: it is asked for again with it.
    pub(super) fn unspoken_for_draft(&mut self, id: u32) {
        if let Some(worded) = self.sentence_of_draft(id) {
            worded.audio.clear();
            worded.asked = false;
        }
    }

    fn sentence_of_draft(&mut self, id: u32) -> Option<&mut Worded> {
        let mut steps = self.drafts.held.as_mut()?.steps.iter_mut();
        steps.find_map(|step| match step {
            Step::Move { say, .. } => say.iter_mut().find(|worded| worded.id == id),
            Step::LookedUp { .. } => None,
        })
    }

    fn decided(&mut self, held: &Held, verdict: DraftVerdict, by: &str, edits: usize) {
        let waited_ms = self.now.saturating_sub(held.since).as_millis() as u64;
        let by = by.to_owned();
        self.drafts.waits = None;
        self.record(EventKind::DraftDecided { draft: held.id, verdict, by, waited_ms, edits });
    }
}

fn calls_a_person(then: &Then) -> bool {
    matches!(then, Then::Act(Action::RequestCallback { .. }))
}

fn said(step: &Step) -> &[Sentence] {
    match step {
        Step::Move { next, .. } => &next.say,
        Step::LookedUp { .. } => &[],
    }
}

fn joined(sentences: &[&Sentence]) -> String {
    let texts: Vec<&str> =
        sentences.iter().map(|sentence| sentence.text.expose().as_str()).collect();
    texts.join(" ")
}

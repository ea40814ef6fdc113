//! What would be done with the words if the turn were over: decided on a copy of the dialogue,
//! looked up, and spoken into memory, all before it counts.
//!
//! A plan can do nothing but prepare. What it asks for is a [`Preparation`], which has no effect
//! by its type, and its steps come out only through [`crate::speculative::Speculative::commit`].

use radline_dialogue::{
    ActionOutcome, Command, Dialogue, DialogueMove, LookUp, RedFlag, RedFlags, Sentence, Then,
    Understanding,
};
use radline_phi::Phi;

use crate::input::SpokenPart;

/// Sentences of a plan that are made into audio before it counts; later ones have time.
const PREPARED_MAX: usize = 2;

/// Gives out the numbers that sentences and requests carry.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    sentence: u32,
    request: u32,
}

impl Numbers {
    pub(super) const fn sentence(&mut self) -> u32 {
        self.sentence += 1;
        self.sentence
    }

    pub(super) const fn request(&mut self) -> u32 {
        self.request += 1;
        self.request
    }
}

/// Work that has no effect.
#[derive(Debug)]
pub(super) enum Preparation {
    Synthesize { sentence_id: u32, sentence: Sentence },
    LookUp { request: u32, look_up: LookUp },
}

/// A sentence with its number and as much of its audio as is there.
#[derive(Debug)]
pub(super) struct Worded {
    pub(super) id: u32,
    pub(super) sentence: Sentence,
    /// Whether its audio was asked for.
    pub(super) asked: bool,
    pub(super) audio: Vec<SpokenPart>,
}

/// One step of a plan.
#[derive(Debug)]
pub(super) enum Step {
    /// The dialogue moved.
    Move { next: DialogueMove, say: Vec<Worded> },
    /// The clinic was asked, and answered.
    LookedUp { action: &'static str, outcome: &'static str },
}

/// What would be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) dialogue: Dialogue,
    pub(super) flag: Option<RedFlag>,
    /// What a second reading of an earlier turn found is taken up by this one.
    pub(super) takes_up: bool,
    pub(super) steps: Vec<Step>,
    /// A question to the clinic that is under way.
    pub(super) pending: Option<(u32, &'static str)>,
    prepared: usize,
}

/// The words, and how they stand to what was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) words: &'a Phi<String>,
    pub(super) understanding: &'a Understanding,
    /// Whether the caller had heard what a yes or no would be an answer to.
    pub(super) asked: bool,
    /// Danger that a second reading found in an earlier turn, and its words.
    pub(super) earlier: Option<&'a (RedFlag, Phi<String>)>,
}

impl Plan {
    /// Decides on a copy of the dialogue.
    pub(super) fn new(
        mut dialogue: Dialogue,
        red_flags: &RedFlags,
        said: Said<'_>,
        numbers: &mut Numbers,
    ) -> (Self, Vec<Preparation>) {
        let past = dialogue.asks_about_the_past();
        let flag = red_flags.find_with(said.words.expose(), past, said.understanding.danger);
        // Whoever called about trouble after a procedure goes on to tell of it, and the script has
        // said when to call for an ambulance. Only a worse danger that is named is another.
        let told_already = |(flag, words): &(RedFlag, &Phi<String>)| {
            dialogue.running_red_flag() == Some(RedFlag::PostProcedure)
                && *flag == RedFlag::LifeThreat
                && red_flags.named(words.expose(), past) != Some(RedFlag::LifeThreat)
        };
        // The danger of an earlier turn comes before whatever is said now, unless that is worse.
        let found = flag.map(|flag| (flag, said.words));
        let earlier = said.earlier.map(|(flag, words)| (*flag, words));
        let dangers = found.into_iter().chain(earlier).filter(|danger| !told_already(danger));
        let worst = dangers.min_by_key(|(flag, _)| *flag);
        let flagged = worst.and_then(|(flag, words)| dialogue.red_flag(flag, words));
        let flag = worst.map(|(flag, _)| flag).filter(|_| flagged.is_some());
        let takes_up = said.earlier.is_some();
        let next = flagged.unwrap_or_else(|| hear(&mut dialogue, said));
        let mut plan =
            Self { dialogue, flag, takes_up, steps: Vec::new(), pending: None, prepared: 0 };
        let preparations = plan.take(next, numbers);
        (plan, preparations)
    }

    /// The clinic has answered. Answers to anything else change nothing.
    pub(super) fn answered(
        &mut self,
        request: u32,
        outcome: ActionOutcome,
        numbers: &mut Numbers,
    ) -> Vec<Preparation> {
        let Some((_, action)) = self.pending.take_if(|(pending, _)| *pending == request) else {
            return Vec::new();
        };
        self.steps.push(Step::LookedUp { action, outcome: outcome.kind() });
        let next = self.dialogue.answer(outcome);
        self.take(next, numbers)
    }

    /// A part of a sentence was spoken. Gives it back when the sentence is none of this plan.
    pub(super) fn synthesized(&mut self, id: u32, part: SpokenPart) -> Option<SpokenPart> {
        let Some(worded) = self.sentence(id) else { return Some(part) };
        worded.audio.push(part);
        None
    }

    /// A sentence of this plan could not be spoken: it is tried again once it counts.
    pub(super) fn unspoken(&mut self, id: u32) {
        if let Some(worded) = self.sentence(id) {
            worded.asked = false;
            worded.audio.clear();
        }
    }

    fn sentence(&mut self, id: u32) -> Option<&mut Worded> {
        let mut sentences = self.steps.iter_mut().flat_map(|step| match step {
            Step::Move { say, .. } => say.as_mut_slice(),
            Step::LookedUp { .. } => &mut [],
        });
        sentences.find(|worded| worded.id == id)
    }

    /// Whether nothing is left to be worked out before the caller can be answered.
    pub(super) fn is_ready(&self) -> bool {
        self.pending.is_none()
            && self.steps.iter().all(|step| match step {
                Step::Move { say, .. } => say.iter().take(1).all(|worded| !worded.audio.is_empty()),
                Step::LookedUp { .. } => true,
            })
    }

    fn take(&mut self, next: DialogueMove, numbers: &mut Numbers) -> Vec<Preparation> {
        let mut preparations = Vec::new();
        let mut say = Vec::new();
        for sentence in next.say.clone() {
            let asked = self.prepared < PREPARED_MAX;
            let id = numbers.sentence();
            if asked {
                self.prepared += 1;
                let sentence = sentence.clone();
                preparations.push(Preparation::Synthesize { sentence_id: id, sentence });
            }
            say.push(Worded { id, sentence, asked, audio: Vec::new() });
        }
        if let Then::Act(action) = &next.then
            && let Some(look_up) = LookUp::new(action.clone())
        {
            let request = numbers.request();
            self.pending = Some((request, action.kind()));
            preparations.push(Preparation::LookUp { request, look_up });
        }
        self.steps.push(Step::Move { next, say });
        preparations
    }
}

/// Lets the dialogue hear the words. A yes or no to a question that the caller has not heard is
/// none: then the question is said again, and does not count as missed.
fn hear(dialogue: &mut Dialogue, said: Said<'_>) -> DialogueMove {
    if said.asked {
        return dialogue.hear(said.words, said.understanding);
    }
    let answers =
        |command: &Command| matches!(command, Command::Affirm | Command::Deny | Command::Unsure);
    let mut understanding = said.understanding.clone();
    understanding.commands.retain(|command| !answers(command));
    if understanding.commands.is_empty() {
        return dialogue.remind();
    }
    dialogue.hear(said.words, &understanding)
}

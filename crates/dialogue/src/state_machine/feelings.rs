//! What is said to feelings: acknowledged in a sentence, then the fact, then a choice. No false
//! reassurance and no feelings of our own. The trial that this line follows found its answers
//! factual but colder than people's; the policy here is data of the site (`[line.empathy]`).

use std::sync::Arc;

use super::{Dialogue, Prompt};
use crate::understanding::{Command, Understanding};
use crate::vocabulary::{Distress, Feeling, Intent};
use crate::wording;

/// A feeling is not acknowledged again before this many turns went by, unless it is strong:
/// sympathy in every reply sounds like none.
const TURNS_BETWEEN: usize = 3;
/// Angry turns after which a person takes over (the clinic's rule: anger twice).
const ANGRY_MAX: usize = 2;

impl Dialogue {
    /// Says a sentence to what weighs on the caller. Whether one was said.
    pub(super) fn acknowledge(&mut self, prompt: &mut Prompt, heard: &Understanding) -> bool {
        let (said, turns) = self.acknowledged;
        self.acknowledged = (said, turns.saturating_add(1));
        // Who asks for a result waits for it, and that is hard whether they say so or not.
        let waits = heard.has(&Command::Want(Intent::Results));
        let waits = waits.then_some((Distress::Some, Feeling::Waiting));
        let Some((level, feeling)) = felt(heard).or(waits) else { return false };
        self.angry += usize::from(feeling == Feeling::Anger);
        if turns < TURNS_BETWEEN && level == Distress::Some {
            return false;
        }
        let scenario = Arc::clone(&self.scenario);
        let empathy = &scenario.line.empathy;
        let drafted = heard.acknowledgement.as_ref().map(|draft| draft.expose().as_str());
        if !drafted.is_some_and(|draft| self.say_back(prompt, draft, empathy.worded(feeling))) {
            let plain = empathy.plain(feeling);
            let Some(sentence) = plain.get(said % plain.len().max(1)) else { return false };
            self.speak(prompt, sentence, "empathy");
        }
        self.acknowledged = (said + 1, 0);
        true
    }

    /// Says a sentence with what weighs on the caller in it, if the site has signed it and it was not said
    /// in this call already. Whether it was.
    fn say_back(&mut self, prompt: &mut Prompt, draft: &str, frames: &[String]) -> bool {
        let Some((frame, _)) = wording::framed(draft, frames) else { return false };
        let fresh = self.worded.insert(frame.to_owned());
        if fresh {
            self.speak_worded(prompt, draft);
        }
        fresh
    }

    /// Where strong feelings lead that come without an answer or a question.
    pub(super) fn comfort(&self, heard: &Understanding) -> Option<String> {
        let (level, _) = felt(heard)?;
        if self.callback_due.is_some() || self.red_flag.is_some() {
            return None;
        }
        if self.angry >= ANGRY_MAX {
            return Some(self.scenario.line.exits.person.clone());
        }
        // In the middle of a booking the question goes on after the sentence; where nothing is
        // open, or the feeling is strong, help is offered.
        let open = self.current().on.contains_key("question");
        let strong = &self.scenario.line.empathy.strong;
        ((level == Distress::Strong || open) && self.state != *strong).then(|| strong.clone())
    }
}

fn felt(heard: &Understanding) -> Option<(Distress, Feeling)> {
    heard.commands.iter().find_map(|command| match command {
        Command::Feels(level, feeling) => Some((*level, *feeling)),
        _ => None,
    })
}

//! What the caller said, turned into the dialogue's next move.

use std::sync::Arc;

use radline_phi::Phi;

use super::answers::topic_outcome;
use super::doubt::asks;
use super::{ASIDES_MAX, Dialogue, Prompt};
use crate::dialogue_move::DialogueMove;
use crate::scenario::{Scenario, SlotName, State};
use crate::screening::{Answer, Answers, Stage};
use crate::understanding::{Command, Understanding};
use crate::vocabulary::Intent;

/// Answers to a safety question that are not understood before it counts as not known.
pub(super) const UNCLEAR_MAX: usize = 1;

impl Dialogue {
    /// The caller has said or keyed something.
    pub fn hear(&mut self, words: &Phi<String>, understanding: &Understanding) -> DialogueMove {
        let scenario = Arc::clone(&self.scenario);
        let mut prompt = Prompt::default();
        let needs_a_word = understanding.needs_a_word();
        if let Some(exit) = self.exit_for(understanding).filter(|_| !needs_a_word) {
            if scenario.line.exits.proxy.as_ref() == Some(&exit) {
                // What they want for the patient is kept; names are asked for one by one.
                self.take_up(understanding);
                self.take_purpose(understanding);
            }
            return self.go(&exit, prompt);
        }
        self.drop_what_was_not_meant(understanding);
        if self.current().connect {
            return self.hear_while_waiting(words, understanding);
        }
        if let Some(next) = self.settle_doubt(words, understanding) {
            return next;
        }
        let answered = self.is_answered_by_table(words) || self.is_said_back(words, understanding);
        if needs_a_word && !answered {
            return self.confirm(words, understanding);
        }
        let felt = self.acknowledge(&mut prompt, understanding);
        let withdraws = understanding.has(&Command::StopRecording);
        if withdraws && self.slots.recording == Some(true) {
            self.slots.recording = Some(false);
            self.speak(&mut prompt, &scenario.line.asides.recording_stopped, "aside");
            return self.ask_again(prompt, 0);
        }
        let aside = aside_for(&scenario, understanding);
        if let Some(aside) = aside.filter(|_| self.asides < ASIDES_MAX) {
            self.asides += 1;
            self.speak(&mut prompt, aside, "aside");
            prompt.patient = understanding.has(&Command::Wait);
            return self.ask_again(prompt, 0);
        }
        let replaced = self.take_up(understanding);
        let wanted = self.take_purpose(understanding);
        let screening_changed = self.take_screening_mentions(words);
        if let Some(target) = self.correction(&replaced, screening_changed) {
            if target != scenario.line.exits.late_finding {
                self.speak(&mut prompt, &scenario.line.asides.corrected, "aside");
            }
            return self.go(&target, prompt);
        }
        let target = match self.read_answer(words, understanding) {
            Some(_) if self.current().screening.is_some() => {
                if let Some(script) = self.danger(words) {
                    return script;
                }
                self.answer_questions(&mut prompt, understanding);
                return self.screen_on(prompt);
            }
            Some(outcome) => self.current().on.get(outcome).cloned(),
            None => None,
        };
        let target = target.map(|target| self.opening_question(understanding).unwrap_or(target));
        if let Some(target) = target {
            // "Yes. And where do I park?" is answered on both counts, unless the question itself
            // is what the next state is about.
            if !self.is_for_question(&target) {
                self.answer_questions(&mut prompt, understanding);
            }
            return self.go(&target, prompt);
        }
        if self.only_asks(words, understanding) {
            let question = Understanding::from_parsers(vec![Command::Want(Intent::Question)]);
            return self.without_answer(&question, prompt);
        }
        if self.doubted(words, understanding) {
            return self.screen_on(prompt);
        }
        self.without_value(understanding, prompt, felt || wanted)
    }

    /// Takes up the values in the caller's words; returns the slots that held another one.
    fn take_up(&mut self, understanding: &Understanding) -> Vec<SlotName> {
        let asked = self.current().fills;
        let mut replaced = self.slots.take(understanding, asked);
        if let Some(called) = &self.called {
            // Who is called is on the record; another name makes no other patient of them.
            self.slots.name = Some(called.name.clone());
            replaced.retain(|slot| *slot != SlotName::Name);
        }
        replaced
    }

    /// "You would like to talk with a person?" – "At least tell me what the word means": whoever asks or wants
    /// something else has not meant that, and is heard as if it had not been asked.
    fn drop_what_was_not_meant(&mut self, understanding: &Understanding) {
        if self.state != self.scenario.line.exits.other_wish
            || understanding.commands.iter().any(Command::is_answer)
        {
            return;
        }
        let asked = self.to_confirm.as_ref().map(|(_, wish)| wish.as_str());
        let other = |intent: Intent| Some(intent.spoken()) != asked;
        let asks = understanding.topics().next().is_some() || understanding.wants().any(other);
        if let Some(back) = self.back.take_if(|_| asks) {
            self.to_confirm = None;
            self.state = back;
        }
    }

    /// Whether the words say a point of the preparation back: what counts is in them, whatever else a
    /// model reads into them. A wish for a person is still heard.
    fn is_said_back(&self, words: &Phi<String>, understanding: &Understanding) -> bool {
        let said = crate::words::split(words.expose());
        self.current().fills == Some(SlotName::TeachBack)
            && !understanding.has(&Command::RequestPerson)
            && self.points().iter().any(|point| point.said_back_in(&said))
    }

    /// Whether the table of safety questions reads the words by itself: "one eighty eight" to "more than
    /// three hundred and fifty pounds?", "well, I've got a pacemaker".
    fn is_answered_by_table(&self, words: &Phi<String>) -> bool {
        self.open_screening().is_some_and(|(id, detail)| {
            let table = &self.scenario.screening;
            Answers::read_by_table(table, &id, detail, words).is_some()
                || detail && self.told_kidney_function(&id, words).is_some()
                || self.tells_more(words)
        })
    }

    /// A safety question that is not answered after it was asked again is not known, and unknown
    /// counts as yes. The words are kept for whoever looks at it.
    fn doubted(&mut self, words: &Phi<String>, understanding: &Understanding) -> bool {
        let Some((id, detail)) = self.open_screening().filter(|_| self.tries >= UNCLEAR_MAX) else {
            return false;
        };
        // A question of the caller is no answer that was not understood.
        let asks = |command: &Command| {
            matches!(command, Command::Ask(_) | Command::Want(_) | Command::Repeat | Command::Wait)
        };
        if understanding.commands.iter().any(asks) {
            return false;
        }
        self.answers.give(&id, detail, Answer::Unsure, words.clone());
        true
    }

    /// Whether a safety question was met with a question of which nobody knows what it is about.
    fn only_asks(&self, words: &Phi<String>, understanding: &Understanding) -> bool {
        let read = |command: &Command| !matches!(command, Command::Feels(..));
        self.open_screening().is_some()
            && asks(words)
            && self.asides < ASIDES_MAX
            && !understanding.commands.iter().any(read)
    }

    /// The script for a safety question whose yes means danger now.
    fn danger(&mut self, words: &Phi<String>) -> Option<DialogueMove> {
        let (id, _) = self.asked_screening.clone()?;
        let question = self.scenario.screening.iter().find(|question| question.id == id)?;
        let flag = question.danger.filter(|_| self.answers.is_yes(&id))?;
        self.red_flag(flag, words)
    }

    /// A question at the beginning of a call, beside the answer to another, is what the call is
    /// about: it is answered, and the call goes on from there.
    fn opening_question(&mut self, understanding: &Understanding) -> Option<String> {
        let asking = self.current().opens.clone()?;
        let topic = understanding.topics().next()?.clone();
        let other = self.slots.purpose.is_some_and(|purpose| purpose != Intent::Results);
        // Results have a state of their own, which says more than one record.
        if other || self.is_preparation(&topic) || topic == "results_time" {
            return None;
        }
        self.slots.purpose = None;
        let asking = self.scenario.states.get(&asking)?;
        let target = asking.on.get(topic_outcome(asking, &topic)).cloned();
        self.topic = Some(topic);
        target
    }

    /// The words hold no answer to what was asked.
    pub(super) fn without_value(
        &mut self,
        understanding: &Understanding,
        mut prompt: Prompt,
        taken_up: bool,
    ) -> DialogueMove {
        let before = prompt.sentences.len();
        self.answer_questions(&mut prompt, understanding);
        if prompt.sentences.len() > before && self.asides < ASIDES_MAX {
            self.asides += 1;
            return self.return_to_question(prompt);
        }
        if let Some(target) = self.other_wish(understanding) {
            return self.go(&target, prompt);
        }
        if let Some(target) = self.comfort(understanding) {
            return self.go(&target, prompt);
        }
        if taken_up && self.asides < ASIDES_MAX {
            self.asides += 1;
            return self.ask_again(prompt, 1);
        }
        self.without_answer(understanding, prompt)
    }

    /// Whether the state is there to answer what the caller asked.
    fn is_for_question(&self, target: &str) -> bool {
        self.scenario.states.get(target).is_some_and(|state| state.record.is_some())
    }

    /// The next screening question, or the way out of the table.
    fn screen_on(&mut self, prompt: Prompt) -> DialogueMove {
        self.tries = 0;
        let target = self.screening_outcome().and_then(|key| self.current().on.get(key).cloned());
        match target {
            Some(target) => self.go(&target, prompt),
            None => self.ask_again(prompt, 0),
        }
    }

    /// Leaves the scenario's path when the caller asks for that, whatever the question was.
    fn exit_for(&self, understanding: &Understanding) -> Option<String> {
        let exits = &self.scenario.line.exits;
        // A promised call-back, or a script that runs, is not left for another.
        let settled = self.callback_due.is_some();
        let here = |outcome: &str| self.current().on.contains_key(outcome);
        let has = |command: &Command| understanding.has(command) && !settled;
        if has(&Command::RequestPerson) {
            return Some(exits.person.clone());
        }
        if has(&Command::RequestInterpreter) {
            return Some(exits.interpreter.clone());
        }
        if has(&Command::OptOut) && self.called.is_some() {
            return Some(exits.opt_out.clone());
        }
        let stranger = self.patient.is_none();
        if has(&Command::Voicemail) && self.called.is_some() && stranger {
            return Some(exits.voicemail.clone());
        }
        if has(&Command::WrongNumber) && self.called.is_some() && stranger {
            return Some(exits.wrong_number.clone());
        }
        if has(&Command::OnBehalf) && stranger && !here("on_behalf") {
            let proxy = exits.proxy.clone().filter(|_| self.called.is_none());
            return Some(proxy.unwrap_or_else(|| exits.on_behalf.clone()));
        }
        let leaves = understanding.has(&Command::Goodbye)
            && !understanding.has(&Command::Affirm)
            && !here("goodbye");
        (leaves && self.state != exits.goodbye).then(|| exits.goodbye.clone())
    }

    /// Takes up what the caller wants done where that is asked, or not known yet. Whether it was
    /// news.
    fn take_purpose(&mut self, understanding: &Understanding) -> bool {
        let asks = |intent: &Intent| matches!(intent, Intent::Question | Intent::ReportSymptom);
        let Some(intent) = understanding.wants().find(|intent| !asks(intent)) else { return false };
        let asked = self.current().on.contains_key(intent.key());
        let news = self.slots.purpose.is_none();
        if asked || news {
            self.slots.purpose = Some(intent);
        }
        news
    }

    fn take_screening_mentions(&mut self, words: &Phi<String>) -> bool {
        let (answers, news) = self.with_mentions(words);
        self.answers = answers;
        news
    }

    /// The answers with what the words mention, and whether that makes them more serious.
    pub(super) fn with_mentions(&self, words: &Phi<String>) -> (Answers, bool) {
        let mut answers = self.answers.clone();
        answers.take_mentions(&self.scenario.screening, words, self.today);
        let news = self.disposition_of(&answers) > self.disposition();
        (answers, news)
    }

    /// Whether the words name what the open question asks about, or a finding that is more serious than
    /// those so far.
    pub(super) fn tells_more(&self, words: &Phi<String>) -> bool {
        let (answers, news) = self.with_mentions(words);
        news || self
            .open_screening()
            .is_some_and(|(id, _)| answers.is_yes(&id) && !self.answers.is_yes(&id))
    }

    /// Where a change of something said earlier leads.
    fn correction(&self, replaced: &[SlotName], screening_changed: bool) -> Option<String> {
        let asked = self.current().fills;
        if self.callback_due.is_some() || self.red_flag.is_some() {
            return None;
        }
        // A finding that comes to mind late is gone through like the others, unless there is an
        // appointment already: that must not stand as it is.
        if screening_changed && self.current().screening.is_none() {
            if self.stage == Stage::Booking && self.standing.is_some() {
                return Some(self.scenario.line.exits.late_finding.clone());
            }
            let asks = |(_, state): &(&String, &State)| state.screening == Some(self.stage);
            let screening = self.scenario.states.iter().find(asks)?;
            return Some(screening.0.clone());
        }
        let changed = replaced.iter().find(|slot| Some(**slot) != asked)?;
        // "Is that like my CT?" in a question about an appointment is no change of an order, and the
        // order of an appointment is not there to be booked once more.
        let books = matches!(self.slots.purpose, None | Some(Intent::Book))
            && (self.slots.order.is_none() || self.order_to_book().is_some());
        if *changed == SlotName::Exam && (!books || self.patient.is_none()) {
            return None;
        }
        // Another side than before is compared with the order again, wherever the call is.
        if *changed == SlotName::Side {
            let sided = self.slots.order.as_ref().is_some_and(|order| order.side.is_some());
            if !sided || !books {
                return None;
            }
        }
        self.scenario.line.corrected.get(changed).cloned()
    }

    /// Another wish than the one that is being worked on: whether it is meant is asked first.
    pub(super) fn other_wish(&mut self, understanding: &Understanding) -> Option<String> {
        if self.callback_due.is_some() || self.red_flag.is_some() {
            return None;
        }
        let mut others = understanding.wants().filter(|intent| Some(*intent) != self.slots.purpose);
        let line = &self.scenario.line;
        let other =
            others.find_map(|intent| Some((line.wishes.get(&intent)?.clone(), intent.spoken())));
        let person = (line.exits.person.clone(), "talk with a person");
        let (target, spoken) =
            if understanding.has(&Command::RequestPerson) { person } else { other? };
        self.to_confirm = Some((target, spoken.to_owned()));
        self.back = Some(self.state.clone());
        Some(self.scenario.line.exits.other_wish.clone())
    }

    pub(super) fn without_answer(
        &mut self,
        understanding: &Understanding,
        mut prompt: Prompt,
    ) -> DialogueMove {
        let scenario = Arc::clone(&self.scenario);
        let asks = |intent| {
            matches!(intent, &Command::Want(Intent::Question | Intent::Results) | &Command::Ask(_))
        };
        if understanding.commands.iter().any(asks) && self.asides < ASIDES_MAX {
            self.asides += 1;
            self.speak(&mut prompt, &scenario.line.asides.question, "aside");
            return self.ask_again(prompt, 0);
        }
        if self.give_up() {
            let exit = self.current().fails_to.clone();
            let exit = exit.unwrap_or_else(|| scenario.line.exits.not_understood.clone());
            return self.go(&exit, prompt);
        }
        self.speak(&mut prompt, &scenario.line.asides.not_understood, "aside");
        let tries = self.tries;
        self.ask_again(prompt, tries)
    }
}

/// Answers that leave the state as it is.
fn aside_for<'a>(scenario: &'a Scenario, understanding: &Understanding) -> Option<&'a str> {
    let asides = &scenario.line.asides;
    if understanding.has(&Command::AskIfMachine) {
        return Some(&asides.machine);
    }
    // "Sorry, say that again? Oh. My name is Helen Carter": the answer was found after all.
    let value = |command: &Command| {
        matches!(
            command,
            Command::Name(_) | Command::DateOfBirth(_) | Command::Digits(_) | Command::Choose(_)
        )
    };
    if understanding.commands.iter().any(value) {
        return None;
    }
    if understanding.has(&Command::Wait) {
        return Some(&asides.wait);
    }
    understanding.has(&Command::Repeat).then_some("")
}

//! From what was understood to the outcome that the current question knows.

use radline_phi::Phi;

use super::Dialogue;
use crate::action::{AppointmentFacts, Offer};
use crate::scenario::{CONFIRMED, SlotName, State};
use crate::screening::{Answer, Answers, KidneyFunction};
use crate::understanding::{Command, Expectation, Understanding, UnderstoodBy};
use crate::vocabulary::Intent;
use crate::words;

impl Dialogue {
    /// The outcome of the caller's words for the current question, after filling its slot.
    /// `None` when they do not answer it.
    pub(super) fn read_answer(
        &mut self,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> Option<&'static str> {
        if self.current().screening.is_some() {
            return self.read_screening(words, understanding);
        }
        let state = self.current().clone();
        if let Some(outcome) = self.who_answers(understanding) {
            return Some(outcome);
        }
        if let Some(intent) = gives_up(&state, understanding) {
            return Some(intent.key());
        }
        if let Some(answer) = self.read_value(state.fills, words, understanding) {
            return Some(answer);
        }
        let yes_no = |command: &Command| match command {
            Command::Affirm => Some("yes"),
            Command::Deny => Some("no"),
            Command::Unsure => Some("unsure"),
            _ => None,
        };
        let wants = |command: &Command| match command {
            Command::OnBehalf => Some("on_behalf"),
            Command::Want(intent) => Some(intent.key()),
            Command::Goodbye => Some("goodbye"),
            _ => None,
        };
        let known = |outcome: &&str| state.on.contains_key(*outcome);
        // "You would like to cancel?" – "I'd like to cancel, as I said."
        let confirms = state.on.get("yes").is_some_and(|target| target == CONFIRMED);
        let asked = self.to_confirm.as_ref().filter(|_| confirms).map(|(_, wish)| wish.as_str());
        if understanding.wants().any(|intent| Some(intent.spoken()) == asked) {
            return Some("yes");
        }
        // "Yes, there is, I need to cancel": the wish says more than the yes.
        let wish = understanding.commands.iter().filter_map(wants).find(|wish| known(wish));
        let answer = understanding.commands.iter().find_map(yes_no);
        if answer == Some("no") && self.cancels_again(&state, understanding) {
            return None;
        }
        // "No, it is all in the book" is a no; "book" is what callers say of many things.
        // "No, I am not on his record, but I am his wife" is one, too.
        let outweighed = |wish: &str| wish == Intent::Book.key() || wish == "on_behalf";
        let wish = wish.filter(|wish| !(outweighed(wish) && answer == Some("no")));
        // "May I have coffee before it?" asks for that alone, and not for all of the preparation.
        let one_thing = understanding.topics().next().is_some_and(|topic| {
            self.is_preparation(topic) && self.question_about(topic) == "question"
        });
        let wish = wish.filter(|wish| !(*wish == Intent::Prepare.key() && one_thing));
        let outcome = wish.or(answer);
        if state.fills == Some(SlotName::Recording) {
            // Anything but a clear yes means no recording.
            let answer = understanding.commands.iter().find_map(yes_no);
            self.slots.recording = answer.map(|outcome| outcome == "yes").or(self.slots.recording);
            return answer.filter(known);
        }
        // A wish for another day, said where yes or no was asked, changes the wish.
        let asked_yes_no = state.expects == Some(Expectation::YesNo);
        if asked_yes_no && self.slots.offer.is_some() && self.changes_offer(understanding) {
            return Some("change");
        }
        let asked = understanding.topics().next();
        let question = asked.map(|topic| self.question_about(topic));
        self.topic = asked.cloned().or(self.topic.take());
        if outcome.is_none_or(|outcome| outcome == "question")
            && question == Some("announced")
            && state.on.contains_key("announced")
        {
            return question;
        }
        if asked_yes_no && outcome.is_none() && self.takes_other_time(understanding) {
            return Some(Intent::Reschedule.key());
        }
        if let Some(outcome) = outcome.filter(known).or(question).filter(known) {
            return Some(outcome);
        }
        let book = exam_named(understanding).filter(known)?;
        self.slots.purpose = Some(Intent::Book);
        Some(book)
    }

    /// The value that the question asks for, into its slot.
    fn read_value(
        &mut self,
        slot: Option<SlotName>,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> Option<&'static str> {
        match slot {
            Some(SlotName::Offer) => self.read_offer(understanding),
            Some(SlotName::Order) => self.read_order(understanding),
            Some(SlotName::Appointment) => self.read_appointment(understanding),
            Some(SlotName::When) => self.read_wish(understanding),
            Some(SlotName::Side) => self.slots.side.map(|_| "value"),
            Some(SlotName::CallbackNumber) => self.read_number(understanding),
            Some(slot @ (SlotName::Name | SlotName::Proxy | SlotName::DateOfBirth)) => {
                self.slots.is_filled(slot).then_some("value")
            }
            Some(SlotName::Location) => {
                self.slots.location = Some(words.clone());
                Some("value")
            }
            Some(SlotName::TeachBack) if asks_something(understanding) => None,
            Some(SlotName::TeachBack) => Some(self.read_teach_back(words)),
            Some(SlotName::Recording | SlotName::Exam | SlotName::Purpose) | None => None,
        }
    }

    /// "Does that time still work for you?" – "A Monday morning would be better": the day is kept.
    fn takes_other_time(&mut self, understanding: &Understanding) -> bool {
        let moves = self.current().on.contains_key(Intent::Reschedule.key());
        let appointment = self.slots.appointment.as_ref();
        let other = understanding.wish().filter(|wish| {
            !wish.is_empty() && appointment.is_some_and(|held| !wish.admits(held.start))
        });
        let Some(wish) = other.filter(|_| moves).cloned() else { return false };
        self.slots.when = Some(wish);
        true
    }

    /// A question about getting ready needs the caller's exam first; others are answered as they
    /// are.
    fn question_about(&self, topic: &str) -> &'static str {
        let unknown = self.slots.order.is_none() || self.patient.is_none();
        if self.is_preparation(topic) && unknown {
            "prepare"
        } else {
            topic_outcome(self.current(), topic)
        }
    }

    /// "I won't be coming, take me off", asked whether to cancel, is no "no", and not yet a yes.
    fn cancels_again(&self, state: &State, understanding: &Understanding) -> bool {
        state.reads_back
            && self.slots.purpose == Some(Intent::Cancel)
            && understanding.by != UnderstoodBy::Model
            && understanding.wants().any(|intent| intent == Intent::Cancel)
    }

    /// In a call that the clinic makes, before it is known who picked up: a name says whether it is
    /// the patient.
    fn who_answers(&self, understanding: &Understanding) -> Option<&'static str> {
        let called = self.called.as_ref().filter(|_| self.patient.is_none())?;
        let who = self.current().on.contains_key("on_behalf");
        let said = understanding.commands.iter().find_map(|command| match command {
            Command::Name(name) if who => Some(words::split(name.expose())),
            _ => None,
        })?;
        let of_patient = words::split(called.name.expose());
        Some(if said.iter().all(|word| of_patient.contains(word)) { "yes" } else { "no" })
    }

    fn read_screening(
        &mut self,
        words: &Phi<String>,
        understanding: &Understanding,
    ) -> Option<&'static str> {
        let open = self.open_screening();
        // A mention may have answered the question, or ended the questions, before its yes or no
        // is looked at.
        if self.asked_screening != open {
            return Some("next");
        }
        let (id, detail) = open?;
        if detail && let Some(told) = self.told_kidney_function(&id, words) {
            self.answers.measure(&id, told, words.clone());
            return Some("next");
        }
        // What the table lists for this question says more than a yes or no on the way to it.
        let listed = Answers::read_by_table(&self.scenario.screening, &id, detail, words);
        let answer = listed.or_else(|| {
            understanding.commands.iter().find_map(|command| match command {
                // "Yes, I know it" is no value.
                Command::Affirm if self.asks_kidney_function() => None,
                Command::Affirm => Some(Answer::Yes),
                Command::Deny => Some(Answer::No),
                Command::Unsure => Some(Answer::Unsure),
                _ => None,
            })
        })?;
        self.answers.give(&id, detail, answer, words.clone());
        // "Yes, my throat swelled shut" answers the second question, too.
        let table = &self.scenario.screening;
        let second = Answers::read_by_table(table, &id, true, words);
        if !detail && answer == Answer::Yes && second == Some(Answer::Yes) {
            self.answers.give(&id, true, Answer::Yes, words.clone());
        }
        Some("next")
    }

    /// The kidney function value that the words tell in answer to this question.
    pub(super) fn told_kidney_function(
        &self,
        id: &str,
        words: &Phi<String>,
    ) -> Option<KidneyFunction> {
        let question = self.scenario.screening.iter().find(|question| question.id == id)?;
        question.kidney_function(words, self.today, true)
    }

    /// Whether a kidney function value is being asked for.
    pub(super) fn asks_kidney_function(&self) -> bool {
        let Some((id, true)) = self.open_screening() else { return false };
        self.scenario.screening.iter().any(|it| it.id == id && it.asks_kidney_function())
    }

    fn read_offer(&mut self, understanding: &Understanding) -> Option<&'static str> {
        let wish = understanding.wish();
        let index = understanding.chosen_of(self.offers.len());
        if let Some(offer) = index.and_then(|index| self.offers.get(index)) {
            self.slots.offer = Some(offer.clone());
            return Some("value");
        }
        let fitting: Vec<&Offer> = match wish {
            Some(wish) if !wish.is_empty() => {
                self.offers.iter().filter(|offer| wish.admits(offer.start)).collect()
            }
            // "Any of them is fine", "the first you have".
            Some(_) => self.offers.iter().take(1).collect(),
            // Yes to several does not say which: the first is read back before it is booked.
            None if understanding.has(&Command::Affirm) => self.offers.iter().take(1).collect(),
            None => Vec::new(),
        };
        if let [offer, others @ ..] = &fitting[..]
            && (others.is_empty() || !understanding.has(&Command::Deny))
        {
            self.slots.offer = Some((*offer).clone());
            return Some("value");
        }
        let declines = understanding.has(&Command::Deny);
        match wish {
            Some(wish) if !wish.is_empty() => {
                self.decline_offers();
                let refined = self.slots.when.clone().unwrap_or_default().refined_by(wish);
                self.slots.when = Some(refined);
                Some("other_wish")
            }
            _ if declines => {
                self.decline_offers();
                Some("no")
            }
            _ => None,
        }
    }

    fn decline_offers(&mut self) {
        self.declined.extend(self.offers.iter().map(|offer| offer.start));
    }

    fn changes_offer(&mut self, understanding: &Understanding) -> bool {
        let Some(wish) = understanding.wish().filter(|wish| !wish.is_empty()) else {
            return false;
        };
        let repeats = self.slots.offer.as_ref().is_some_and(|offer| wish.admits(offer.start));
        if repeats && !understanding.has(&Command::Deny) {
            return false;
        }
        self.slots.when = Some(self.slots.when.clone().unwrap_or_default().refined_by(wish));
        true
    }

    fn read_order(&mut self, understanding: &Understanding) -> Option<&'static str> {
        let index = understanding.chosen_of(self.orders.len());
        let order = match index {
            Some(index) => self.orders.get(index).cloned(),
            None => self.order_by_mention(),
        };
        self.slots.order = order;
        self.slots.order.as_ref().map(|_| "value")
    }

    fn read_appointment(&mut self, understanding: &Understanding) -> Option<&'static str> {
        let index = understanding.chosen_of(self.appointments.len());
        let wish = understanding.wish().filter(|wish| !wish.is_empty());
        let fits = |found: &&AppointmentFacts| match wish {
            Some(wish) => wish.admits(found.start),
            None => self.mention_fits(&found.order),
        };
        let mut fitting = self.appointments.iter().filter(fits);
        let only = fitting.next().filter(|_| fitting.next().is_none());
        let found = match index {
            Some(index) => self.appointments.get(index),
            None => only,
        }?;
        self.take_appointment(found.clone());
        Some("value")
    }

    fn read_wish(&mut self, understanding: &Understanding) -> Option<&'static str> {
        let wish = understanding.wish()?;
        self.slots.when = Some(wish.clone());
        Some("value")
    }

    fn read_number(&mut self, understanding: &Understanding) -> Option<&'static str> {
        /// Shortest and longest number worth keeping (ITU-T E.164 allows 15 digits).
        const LENGTHS: std::ops::RangeInclusive<usize> = 7..=15;
        let digits = understanding.commands.iter().find_map(|command| match command {
            Command::Digits(digits) if LENGTHS.contains(&digits.expose().len()) => Some(digits),
            _ => None,
        })?;
        self.slots.callback_number = Some(digits.clone());
        Some("value")
    }
}

/// The outcome of a question in a state. A complaint has a path of its own where the state knows it:
/// somebody writes it down.
/// Topics that lead elsewhere than to a record. `announced` is a question that is still to be told.
const OWN_TOPICS: [&str; 2] = ["complaint", "announced"];

/// "It's the Tuesday one. Just take it off", or "I have my time already", is said where another day was
/// asked for.
fn gives_up(state: &State, understanding: &Understanding) -> Option<Intent> {
    let asks_when = matches!(state.fills, Some(SlotName::When | SlotName::Offer));
    let mut wants = understanding.wants().filter(|intent| state.on.contains_key(intent.key()));
    wants.find(|intent| asks_when && matches!(intent, Intent::Cancel | Intent::Keep))
}

pub(super) fn topic_outcome(state: &State, topic: &str) -> &'static str {
    let own = OWN_TOPICS.into_iter().find(|own| topic == *own && state.on.contains_key(*own));
    own.unwrap_or("question")
}

/// Whether the words ask instead of telling.
fn asks_something(understanding: &Understanding) -> bool {
    let asks = |command: &Command| {
        matches!(command, Command::Ask(_) | Command::Feels(..) | Command::Want(_))
    };
    understanding.commands.iter().any(asks)
}

/// An exam named where anything may be said counts as the wish to book it.
fn exam_named(understanding: &Understanding) -> Option<&'static str> {
    let named = |command: &Command| matches!(command, Command::Exam(_));
    understanding.commands.iter().any(named).then_some("book")
}

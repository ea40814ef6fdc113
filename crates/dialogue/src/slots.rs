//! The values that a dialogue has collected.

use jiff::civil::Date;
use radline_phi::Phi;

use crate::action::{AppointmentFacts, Offer, OrderFacts};
use crate::scenario::SlotName;
use crate::understanding::{Command, TimeWish, Understanding};
use crate::vocabulary::{ExamMention, Intent, Side};

/// The values that a dialogue has collected, each as the caller gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// Consent to recording.
    pub recording: Option<bool>,
    /// What the caller wants done.
    pub purpose: Option<Intent>,
    /// The exam that the caller speaks of.
    pub exam: ExamMention,
    /// Name as heard.
    pub name: Option<Phi<String>>,
    /// Name of whoever speaks for the patient, as heard.
    pub proxy: Option<Phi<String>>,
    /// Date of birth as stated.
    pub date_of_birth: Option<Phi<Date>>,
    /// Which of the open orders.
    pub order: Option<OrderFacts>,
    /// Which of the patient's appointments.
    pub appointment: Option<AppointmentFacts>,
    /// Side as stated.
    pub side: Option<Side>,
    /// Wish for day and time.
    pub when: Option<TimeWish>,
    /// The chosen time.
    pub offer: Option<Offer>,
    /// Where to call back, digits.
    pub callback_number: Option<Phi<String>>,
    /// Where the caller is, in their words.
    pub location: Option<Phi<String>>,
    /// The preparation in the caller's words.
    pub teach_back: Option<Phi<String>>,
}

impl Slots {
    /// Whether the slot has a value.
    pub fn is_filled(&self, slot: SlotName) -> bool {
        match slot {
            SlotName::Recording => self.recording.is_some(),
            SlotName::Purpose => self.purpose.is_some(),
            SlotName::Exam => !self.exam.is_empty(),
            SlotName::Name => self.name.is_some(),
            SlotName::Proxy => self.proxy.is_some(),
            SlotName::DateOfBirth => self.date_of_birth.is_some(),
            SlotName::Order => self.order.is_some(),
            SlotName::Appointment => self.appointment.is_some(),
            SlotName::Side => self.side.is_some(),
            SlotName::When => self.when.is_some(),
            SlotName::Offer => self.offer.is_some(),
            SlotName::CallbackNumber => self.callback_number.is_some(),
            SlotName::Location => self.location.is_some(),
            SlotName::TeachBack => self.teach_back.is_some(),
        }
    }

    /// Empties the slot.
    pub fn clear(&mut self, slot: SlotName) {
        match slot {
            SlotName::Recording => self.recording = None,
            SlotName::Purpose => self.purpose = None,
            SlotName::Exam => self.exam = ExamMention::default(),
            SlotName::Name => self.name = None,
            SlotName::Proxy => self.proxy = None,
            SlotName::DateOfBirth => self.date_of_birth = None,
            SlotName::Order => self.order = None,
            SlotName::Appointment => self.appointment = None,
            SlotName::Side => self.side = None,
            SlotName::When => self.when = None,
            SlotName::Offer => self.offer = None,
            SlotName::CallbackNumber => self.callback_number = None,
            SlotName::Location => self.location = None,
            SlotName::TeachBack => self.teach_back = None,
        }
    }

    /// Takes up every value in the caller's words that has a slot of its own. Choices, digits, and
    /// times, but for one that is named with the wish to book, are left to the question that was asked.
    /// A name is the patient's, unless another was `asked` for.
    ///
    /// Returns the slots whose earlier value was replaced by another one.
    pub fn take(
        &mut self,
        understanding: &Understanding,
        asked: Option<SlotName>,
    ) -> Vec<SlotName> {
        let mut replaced = Vec::new();
        for command in &understanding.commands {
            match command {
                Command::Name(name) if asked == Some(SlotName::Proxy) => {
                    self.proxy = Some(name.clone());
                }
                Command::Name(name) => {
                    let said = |text: &Phi<String>| text.expose().to_lowercase();
                    if self.name.as_ref().is_some_and(|earlier| said(earlier) != said(name)) {
                        replaced.push(SlotName::Name);
                    }
                    self.name = Some(name.clone());
                }
                Command::DateOfBirth(date) => {
                    if self.date_of_birth.as_ref().is_some_and(|earlier| earlier != date) {
                        replaced.push(SlotName::DateOfBirth);
                    }
                    self.date_of_birth = Some(date.clone());
                }
                Command::Exam(mention) => {
                    let side = self.side;
                    if self.take_exam(mention) {
                        replaced.push(SlotName::Exam);
                    }
                    if side.is_some() && side != self.side {
                        replaced.push(SlotName::Side);
                    }
                }
                // "An MRI, any Wednesday": the day needs no question of its own later.
                Command::When(wish) if self.when.is_none() && !wish.is_empty() => {
                    let books = understanding.has(&Command::Want(Intent::Book));
                    self.when = books.then(|| wish.clone());
                }
                _ => {}
            }
        }
        replaced
    }

    /// Returns whether an earlier, different modality was replaced. A side or a body part that
    /// comes later only adds to the picture; the order decides what is examined.
    fn take_exam(&mut self, mention: &ExamMention) -> bool {
        let replaced = mention.modality.is_some()
            && self.exam.modality.is_some()
            && self.exam.modality != mention.modality;
        self.exam.modality = mention.modality.or(self.exam.modality);
        self.exam.body_part = mention.body_part.clone().or(self.exam.body_part.take());
        if mention.side.is_some() {
            self.exam.side = mention.side;
            self.side = mention.side;
        }
        replaced
    }

    /// The filled slots with their values, for the stored record and the screen of text mode.
    pub fn described(&self) -> Vec<(&'static str, Phi<String>)> {
        let mut entries: Vec<(&'static str, Phi<String>)> = Vec::new();
        let mut put = |name, value: Option<String>| {
            if let Some(value) = value {
                entries.push((name, Phi::new(value)));
            }
        };
        put("recording", self.recording.map(|consent| consent.to_string()));
        put("purpose", self.purpose.map(|purpose| purpose.key().to_owned()));
        put("modality", self.exam.modality.map(|modality| modality.key().to_owned()));
        put("body_part", self.exam.body_part.clone());
        put("side", self.side.map(|side| side.spoken().to_owned()));
        put("name", self.name.as_ref().map(|name| name.expose().clone()));
        put("proxy", self.proxy.as_ref().map(|name| name.expose().clone()));
        put("date_of_birth", self.date_of_birth.as_ref().map(|date| date.expose().to_string()));
        put("order", self.order.as_ref().map(|order| order.id.clone()));
        put("appointment", self.appointment.as_ref().map(|found| found.id.clone()));
        put("when", self.when.as_ref().map(TimeWish::described));
        put("offer", self.offer.as_ref().map(|offer| offer.start.to_string()));
        put("callback_number", self.callback_number.as_ref().map(|digits| digits.expose().clone()));
        put("location", self.location.as_ref().map(|words| words.expose().clone()));
        put("teach_back", self.teach_back.as_ref().map(|words| words.expose().clone()));
        entries
    }
}

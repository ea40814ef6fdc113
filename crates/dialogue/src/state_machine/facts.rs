//! Answers and instructions out of the site's records.

use std::sync::Arc;

use jiff::SignedDuration;
use radline_phi::Phi;

use super::{Dialogue, Prompt};
use crate::action::OrderFacts;
use crate::records::{ForAppointment, Instruction};
use crate::scenario::ASKED;
use crate::understanding::Understanding;
use crate::{wording, words};

impl Dialogue {
    /// Answers what was asked besides, as far as there are records.
    pub(super) fn answer_questions(&mut self, prompt: &mut Prompt, heard: &Understanding) {
        // A script for danger is not interrupted by answers about parking.
        if self.red_flag.is_some() {
            return;
        }
        for topic in heard.topics() {
            if !self.speak_topic(prompt, topic)
                && self.is_preparation(topic)
                && self.exam().is_none()
            {
                let which = self.scenario.line.asides.which_exam.clone();
                self.speak(prompt, &which, "aside");
            }
        }
    }

    /// Says the record on the topic; false when there is none.
    pub(super) fn speak_record(&mut self, prompt: &mut Prompt, topic: &str) -> bool {
        if topic != ASKED {
            return self.speak_topic(prompt, topic);
        }
        let Some(asked) = self.topic.take() else { return false };
        self.speak_topic(prompt, &asked)
    }

    /// The exam that the call is about, once it is known whose.
    fn exam(&self) -> Option<&OrderFacts> {
        self.slots.order.as_ref().filter(|_| self.patient.is_some())
    }

    /// Whether the site's instructions speak about the topic.
    pub(super) fn is_preparation(&self, topic: &str) -> bool {
        self.site.instructions.iter().any(|record| record.topics.iter().any(|held| held == topic))
    }

    /// The instruction for the caller's exam comes before what is said in general.
    fn speak_topic(&self, prompt: &mut Prompt, topic: &str) -> bool {
        let site = Arc::clone(&self.site);
        let of_exam = self.instructions();
        let fitting: Vec<&Instruction> = of_exam
            .iter()
            .filter(|record| record.topics.iter().any(|held| held == topic))
            .collect();
        if !fitting.is_empty() {
            for record in fitting {
                self.speak_instruction(prompt, record);
            }
            return true;
        }
        let modality = self.exam().map(|order| order.modality).or(self.slots.exam.modality);
        let holds = |record: &&crate::records::KnowledgeRecord| {
            record.topic == topic && record.approval.holds(self.today, site.demonstration)
        };
        let records = || site.knowledge.iter().filter(holds);
        let record = records()
            .find(|record| record.modality.is_some() && record.modality == modality)
            .or_else(|| records().find(|record| record.modality.is_none()));
        let Some(record) = record else { return false };
        let edition = &record.approval.edition;
        self.speak_from(prompt, &record.text, &format!("knowledge {topic} {edition}"));
        true
    }

    /// The instructions that hold for this exam and patient today, in the order of speaking.
    pub(super) fn instructions(&self) -> Vec<Instruction> {
        let Some(order) = self.exam() else { return Vec::new() };
        let site = &self.site;
        let holds = |record: &&Instruction| {
            record.is_for(order)
                && record.approval.holds(self.today, site.demonstration)
                && record.when.as_ref().is_none_or(|id| self.answers.is_yes(id))
        };
        site.instructions.iter().filter(holds).cloned().collect()
    }

    /// How long before the exam the patient has to begin to get ready: whoever has eaten at nine cannot be
    /// examined fasting at eleven.
    pub(super) fn preparation_takes(&self) -> SignedDuration {
        let instructions = self.instructions();
        let hours = instructions.iter().map(|record| record.hours_before).fold(0.0, f64::max);
        SignedDuration::from_mins((hours * 60.0).round() as i64)
    }

    /// The appointment that the call has come to, or is about.
    fn for_appointment(&self) -> Option<ForAppointment<'_>> {
        let order = self.slots.order.as_ref()?;
        let known = self.slots.appointment.as_ref().map(|found| (found.start, &found.place));
        let (start, place) =
            known.or(self.slots.offer.as_ref().map(|offer| (offer.start, &offer.place)))?;
        Some(ForAppointment { start, place, exam: &order.spoken })
    }

    fn speak_instruction(&self, prompt: &mut Prompt, record: &Instruction) {
        if let Some(text) = record.spoken(self.for_appointment()) {
            let source = format!("preparation {} {}", record.id, record.approval.edition);
            self.speak_from(prompt, &text, &source);
        }
    }

    /// Speaks every instruction for the appointment; false when there are none.
    pub(super) fn speak_instructions(&self, prompt: &mut Prompt) -> bool {
        let records = self.instructions();
        for record in &records {
            let denied = record.denied.as_ref().filter(|it| self.answers.is_no(&it.question));
            match denied {
                Some(denied) if denied.text.is_empty() => {}
                Some(denied) => {
                    let left = Instruction { text: denied.text.clone(), ..record.clone() };
                    self.speak_instruction(prompt, &left);
                }
                None => self.speak_instruction(prompt, record),
            }
        }
        !records.is_empty()
    }

    /// The points that the patient should say back.
    pub(super) fn points(&self) -> Vec<Instruction> {
        let mut points = self.instructions();
        points.retain(|record| !record.teach.is_empty());
        points
    }

    /// Takes up what the patient said back: `value` when nothing essential is left out.
    pub(super) fn read_teach_back(&mut self, said: &Phi<String>) -> &'static str {
        let words = without_skipped_meals(words::split(said.expose()));
        let points = self.points();
        if !self.knows_numbers(&words) || self.contradicts(&words) {
            // "Nothing after ten", where it was seven: whatever else is right, that is not.
            self.slots.teach_back = Some(said.clone());
            self.said_back.clear();
            return "missing";
        }
        for point in &points {
            if point.said_back_in(&words) {
                self.said_back.insert(point.id.clone());
            }
        }
        self.slots.teach_back = Some(said.clone());
        let open = |point: &&Instruction| point.essential && !self.said_back.contains(&point.id);
        // Where a site marks nothing as essential, one point at least shows that they listened.
        let none = self.said_back.is_empty() && !points.is_empty();
        if none || points.iter().any(|point| open(&point)) { "missing" } else { "value" }
    }

    /// Whether the patient means to do what no instruction says: to leave out a medicine, to drive, or
    /// not to do as they were told.
    fn contradicts(&self, said: &[String]) -> bool {
        const STOPPING: &[&str] = &[
            "i stop",
            "ill stop",
            "stop my",
            "stop taking",
            "stopped my",
            "skip my",
            "come off my",
        ];
        const REFUSING: &[&str] = &[
            "nonsense",
            "rubbish",
            "drive myself",
            "drive home myself",
            "on my own",
            "not going to",
            "im not doing",
            "i wont",
            "i will not",
            "anyway",
            "i dont care",
        ];
        let appointment = self.for_appointment();
        let records = self.instructions();
        let told = records.iter().filter_map(|record| record.spoken(appointment));
        let told: Vec<Vec<String>> = told.map(|text| words::split(&text)).collect();
        // "I stop eating at nine thirty" is what they were told.
        let eats = |word: &String| ["eating", "drinking", "food"].contains(&word.as_str());
        let stops = |phrase: &&str| {
            let long = phrase.split(' ').count();
            let windows = said.windows(long).enumerate();
            let mut found = windows.filter(|(_, window)| window.join(" ") == **phrase);
            found.any(|(at, _)| !said.get(at + long).is_some_and(eats))
        };
        let says = |phrase: &&str| words::contains(said, phrase);
        let new = |phrase: &&str| !told.iter().any(|text| words::contains(text, phrase));
        STOPPING.iter().any(|phrase| stops(phrase) && new(phrase)) || REFUSING.iter().any(says)
    }

    /// Whether every number that the patient says is one of the instructions' or the appointment's.
    fn knows_numbers(&self, said: &[String]) -> bool {
        let appointment = self.for_appointment();
        let mut texts: Vec<String> = Vec::new();
        for record in self.instructions() {
            texts.extend(record.spoken(appointment));
            texts.extend(record.reminder(appointment));
        }
        texts.extend(appointment.map(|appointment| wording::moment(appointment.start)));
        let known: Vec<f64> = texts.iter().flat_map(|text| parts(&words::split(text))).collect();
        // "Nothing six hours before" is what the general instruction says of the clock time; "nothing after six" is not.
        let general: Vec<f64> = self
            .instructions()
            .iter()
            .filter_map(|record| record.spoken(None))
            .flat_map(|text| spans(&words::split(&text)))
            .collect();
        let told = spans(said);
        let in_span = |number: &f64| told.contains(number) && general.contains(number);
        // "A quarter to six" is five forty five.
        let to_the_hour = said.windows(2).any(|pair| pair[1] == "to" || pair[1] == "of");
        parts(said).iter().all(|number| {
            let next = to_the_hour && known.contains(&(number - 1.0));
            next || *number <= 1.0 || known.contains(number) || in_span(number)
        })
    }

    /// What the patient has left out, for saying it once more.
    pub(super) fn missing_points(&self) -> Vec<String> {
        let appointment = self.for_appointment();
        let points = self.points();
        let open = points.iter().filter(|point| !self.said_back.contains(&point.id));
        open.filter_map(|point| point.reminder(appointment)).collect()
    }
}

/// The numbers of hours and minutes in the words: "six hours before".
fn spans(words: &[String]) -> Vec<f64> {
    const UNITS: &[&str] = &["hour", "hours", "minutes"];
    let spans = words.windows(2).filter(|pair| UNITS.contains(&pair[1].as_str()));
    spans.flat_map(|pair| parts(&pair[..1])).collect()
}

/// The numbers in the words, each by itself: hours and minutes are told in many orders.
fn parts(words: &[String]) -> Vec<f64> {
    let value = |word: &String| match word.as_str() {
        "noon" => Some(12.0),
        word => words::spoken_number(word).or_else(|| word.parse().ok()),
    };
    words.iter().filter_map(value).collect()
}

/// "So I skip my bite at four": a meal that is left out, and its hour, are no part of the instructions, and nothing
/// against them.
fn without_skipped_meals(mut words: Vec<String>) -> Vec<String> {
    const MEALS: &[&str] = &[
        "bite",
        "breakfast",
        "coffee",
        "tea",
        "lunch",
        "dinner",
        "supper",
        "snack",
        "toast",
        "meal",
    ];
    let skipped = |three: &[String]| {
        three[0].starts_with("skip")
            && ["my", "the"].contains(&three[1].as_str())
            && MEALS.contains(&three[2].as_str())
    };
    while let Some(at) = words.windows(3).position(skipped) {
        let hour = words.get(at + 3).is_some_and(|word| word == "at");
        let end = (at + 3 + if hour { 2 } else { 0 }).min(words.len());
        words.drain(at..end);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meal_that_is_left_out_is_not_read() {
        let rest = |text| without_skipped_meals(words::split(text)).join(" ");
        assert_eq!(rest("so I skip my bite at four, plain water"), "so i plain water");
        assert_eq!(rest("skip the coffee and skip my tea"), "and");
        assert_eq!(rest("skip my metformin at four"), "skip my metformin at four");
    }
}

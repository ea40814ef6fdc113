//! From the scenario's templates to sentences with values.

use std::collections::BTreeMap;
use std::sync::Arc;

use radline_phi::Phi;

use super::{Dialogue, Prompt};
use crate::dialogue_move::Sentence;
use crate::screening::Disposition;
use crate::wording;

impl Dialogue {
    /// Adds a template's sentences to the prompt.
    pub(super) fn speak(&self, prompt: &mut Prompt, template: &str, part: &str) {
        // What a state says may have to be heard; its question may always be answered early.
        let firm = part == "say" && self.current().firm;
        let source = format!("{} {}.{part}", self.current().chapter, self.state);
        self.speak_with(prompt, template, &source, firm);
    }

    /// Adds a sentence that holds the caller's own words.
    pub(super) fn speak_worded(&self, prompt: &mut Prompt, template: &str) {
        let source = format!("{} {}.empathy, worded", self.current().chapter, self.state);
        let from = prompt.sentences.len();
        self.speak_with(prompt, template, &source, false);
        for sentence in &mut prompt.sentences[from..] {
            sentence.reusable = false;
        }
    }

    /// Adds a record's sentences to the prompt, once: a question beside an answer may be what the next
    /// state is about as well.
    pub(super) fn speak_from(&self, prompt: &mut Prompt, template: &str, source: &str) {
        if !prompt.sentences.iter().any(|sentence| sentence.source == source) {
            self.speak_with(prompt, template, source, false);
        }
    }

    fn speak_with(&self, prompt: &mut Prompt, template: &str, source: &str, firm: bool) {
        let values = self.values();
        for sentence in wording::sentences(template) {
            // The checks at load time name every placeholder, and one without a value here is
            // one that the caller has not given yet. The sentence makes no sense without it.
            let Ok(text) = wording::fill(sentence, &values) else { continue };
            let personal = |value: &str| !self.site.values.contains_key(value);
            let reusable = !wording::placeholders(sentence).any(personal);
            let text = Phi::new(text);
            prompt.sentences.push(Sentence { text, reusable, firm, source: source.to_owned() });
        }
    }

    /// Adds the question of the current state: the screening's next one, or the state's own.
    pub(super) fn speak_question(&self, prompt: &mut Prompt, tries: usize) {
        let scenario = Arc::clone(&self.scenario);
        let state = self.current();
        if let (Some(_), Some(order)) = (state.screening, &self.slots.order) {
            let next = self.answers.next(self.scope(&scenario, order));
            if let Some(question) = next {
                let text = if tries == 0 { question.ask } else { question.again };
                self.speak(prompt, text, question.id);
            }
            return;
        }
        let text = match tries {
            0 => &state.ask,
            _ => state.again.get(tries - 1).or(state.again.last()).unwrap_or(&state.ask),
        };
        self.speak(prompt, text, if tries == 0 { "ask" } else { "again" });
    }

    fn values(&self) -> BTreeMap<&str, String> {
        let mut values: BTreeMap<&str, String> =
            self.site.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let mut put = |name, value: Option<String>| {
            if let Some(value) = value {
                values.insert(name, value);
            }
        };
        let slots = &self.slots;
        put("name", slots.name.as_ref().map(|name| name.expose().clone()));
        let birth = slots.date_of_birth.as_ref();
        put("date_of_birth", birth.map(|date| wording::birth_date(*date.expose())));
        let patient = self.patient.as_ref();
        put("given_name", patient.map(|patient| patient.given_name.expose().clone()));
        put("called_name", self.called.as_ref().map(|called| called.name.expose().clone()));
        let mentioned = slots.exam.modality.map(|modality| modality.spoken().to_owned());
        put("mentioned_exam", mentioned);
        put("exam", slots.order.as_ref().map(|order| order.spoken.clone()));
        put("when", slots.offer.as_ref().map(|offer| wording::moment(offer.start)));
        put("place", slots.offer.as_ref().map(|offer| offer.place.clone()));
        put("review_due", self.review_due.map(wording::moment));
        let mut found = Vec::new();
        if let Some(order) = &slots.order {
            let scope = self.scope(&self.scenario, order);
            for disposition in [Disposition::Stop, Disposition::Review] {
                if found.is_empty() {
                    found = self.answers.found(scope, disposition);
                }
            }
        }
        put("findings", (!found.is_empty()).then(|| wording::list(&found, "and")));
        put("callback_due", self.callback_due.map(wording::moment));
        let number = slots.callback_number.as_ref();
        put("callback_number", number.map(|digits| wording::digits(digits.expose())));
        let denied = self.answers.denied(&self.scenario.screening);
        put("denied", (!denied.is_empty()).then(|| wording::list(&denied, "and")));
        let orders: Vec<String> = self.orders.iter().map(|order| order.spoken.clone()).collect();
        put("orders", (!orders.is_empty()).then(|| wording::list(&orders, "or")));
        let appointment = slots.appointment.as_ref();
        put("appointment_when", appointment.map(|found| wording::moment(found.start)));
        put("appointment_place", appointment.map(|found| found.place.clone()));
        let appointments: Vec<String> = self
            .appointments
            .iter()
            .map(|found| format!("{}, on {}", found.order.spoken, wording::moment(found.start)))
            .collect();
        put("appointments", (!appointments.is_empty()).then(|| wording::list(&appointments, "or")));
        let missing = self.missing_points();
        put("missing_points", (!missing.is_empty()).then(|| wording::list(&missing, "and")));
        put("place_in_line", Some((self.place_in_line + 1).to_string()));
        put("wish", self.to_confirm.as_ref().map(|(_, wish)| wish.clone()));
        let offers: Vec<String> =
            self.offers.iter().map(|offer| wording::moment(offer.start)).collect();
        put("offers", (!offers.is_empty()).then(|| wording::list(&offers, "or")));
        values
    }
}

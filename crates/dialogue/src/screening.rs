//! Safety screening as tables: which questions an exam needs, and what an answer leads to.
//!
//! STOP: no booking, a person. REVIEW: the time is held, a provider looks first. NOTE: kept and
//! booked. "Unknown" counts as yes, always.

mod kidney_function;
mod weight;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use radline_phi::Phi;
use serde::{Deserialize, Serialize};

use crate::action::OrderFacts;
use crate::red_flags::RedFlag;
use crate::vocabulary::Modality;
pub use kidney_function::{KidneyFunction, Taken};
pub use weight::WeightUnit;

use crate::words;

/// What an answer leads to. Ordered: the worst answer decides for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Disposition {
    /// Nothing to do.
    Clear,
    /// Keep the answer with the appointment.
    Note,
    /// Hold the time; a provider looks first.
    Review,
    /// No booking; a person.
    Stop,
}

/// An answer to a screening question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// The caller does not know; counts as yes.
    Unsure,
}

/// When a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before an appointment is made.
    Booking,
    /// In the call that prepares it.
    Preparation,
}

const fn clear() -> Disposition {
    Disposition::Clear
}

fn at_booking() -> Vec<Stage> {
    vec![Stage::Booking]
}

/// One question of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreeningQuestion {
    /// Stable name, for records.
    pub id: String,
    /// When it is asked.
    #[serde(default = "at_booking")]
    pub stages: Vec<Stage>,
    /// For which exams it is asked.
    pub applies: Applies,
    /// Only asked when this other question was answered with yes or doubt.
    #[serde(default)]
    pub if_yes: Option<String>,
    /// The question.
    pub ask: String,
    /// The same in other words, after it was not understood.
    pub again: String,
    /// What "yes" leads to, unless `detail` decides.
    pub yes: Disposition,
    /// What "no" leads to, for the few questions where that is the wrong answer.
    #[serde(default = "clear")]
    pub no: Disposition,
    /// A second question after "yes".
    #[serde(default)]
    pub detail: Option<Detail>,
    /// How "no" is read back: "no earlier reaction to contrast".
    pub denied: String,
    /// How a finding is told to the provider.
    pub finding: String,
    /// Words that answer the question with yes wherever they are said, unless denied.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Words that answer it with no where it was asked: "only tablets".
    #[serde(default)]
    pub denials: Vec<String>,
    /// A yes means danger now: the script for it begins at once.
    #[serde(default)]
    pub danger: Option<RedFlag>,
    /// It asks about the past: what is told in answer is history, not an emergency.
    #[serde(default)]
    pub past: bool,
    /// Where a number answers it: more than this is yes, as little or less is no.
    #[serde(default)]
    pub over: Option<f64>,
    /// The unit of that number, where it is a weight. Other units are converted.
    #[serde(default)]
    pub unit: Option<WeightUnit>,
    /// Where the rule comes from.
    pub source: String,
}

impl ScreeningQuestion {
    /// Whether its second question asks for a kidney function value.
    pub fn asks_kidney_function(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.kidney_function_under.is_some())
    }

    /// The value that the words tell, if the question is about one.
    pub fn kidney_function(
        &self,
        text: &Phi<String>,
        today: Date,
        asked: bool,
    ) -> Option<KidneyFunction> {
        self.asks_kidney_function().then(|| kidney_function::read(text.expose(), today, asked))?
    }

    fn is_low(&self, told: KidneyFunction) -> bool {
        let under = self.detail.as_ref().and_then(|detail| detail.kidney_function_under);
        under.is_some_and(|under| f64::from(told.egfr) < under)
    }
}

/// The second question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The question.
    pub ask: String,
    /// The same in other words.
    pub again: String,
    /// What "yes" or doubt leads to.
    pub yes: Disposition,
    /// What "no" leads to.
    pub no: Disposition,
    /// Words that answer it with yes where it was asked.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Words that answer it with no where it was asked.
    #[serde(default)]
    pub denials: Vec<String>,
    /// Where a value is asked for: less than this, told at any time, answers the first question with yes.
    #[serde(default)]
    pub kidney_function_under: Option<f64>,
}

/// For which exams and patients a question is asked. Every part that is present has to hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Applies {
    /// Kinds of exam; none means all.
    pub modalities: Vec<Modality>,
    /// Only with, or only without contrast.
    pub contrast: Option<bool>,
    /// Body parts; none means all.
    pub body_parts: Vec<String>,
    /// Only patients who may be pregnant, by age and record.
    pub may_be_pregnant: bool,
}

/// What decides which questions are asked.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The table.
    pub table: &'a [ScreeningQuestion],
    /// Before which exam.
    pub order: &'a OrderFacts,
    /// Whether the patient may be pregnant, by age and record.
    pub may_be_pregnant: bool,
    /// In which call.
    pub stage: Stage,
}

impl Applies {
    fn to(&self, order: &OrderFacts, may_be_pregnant: bool) -> bool {
        self.to_exam(order) && (!self.may_be_pregnant || may_be_pregnant)
    }

    /// Whether the exam is meant, whoever the patient is.
    pub fn to_exam(&self, order: &OrderFacts) -> bool {
        let part = order.body_part.as_deref();
        (self.modalities.is_empty() || self.modalities.contains(&order.modality))
            && self.contrast.is_none_or(|contrast| contrast == order.contrast)
            // A body part that the order does not name cannot rule a question out.
            && (self.body_parts.is_empty()
                || part.is_none_or(|part| self.body_parts.iter().any(|listed| listed == part)))
    }
}

/// What has been answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    given: BTreeMap<String, (Answer, Phi<String>)>,
    details: BTreeMap<String, (Answer, Phi<String>)>,
    /// As the caller last told it.
    kidney_function: Option<Phi<KidneyFunction>>,
    /// Questions whose yes was forgotten by [`Self::clear`].
    affirmed_before: BTreeSet<String>,
}

/// The next thing to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextQuestion<'a> {
    /// The question's name.
    pub id: &'a str,
    /// Whether it is the second question.
    pub detail: bool,
    /// The words.
    pub ask: &'a str,
    /// Other words for it.
    pub again: &'a str,
}

impl Answers {
    /// Keeps an answer with the caller's words.
    pub fn give(&mut self, id: &str, detail: bool, answer: Answer, quote: Phi<String>) {
        let taken_back = answer == Answer::No && self.affirmed_before.contains(id);
        let answer = if taken_back { Answer::Unsure } else { answer };
        if detail {
            self.details.insert(id.to_owned(), (answer, quote));
        } else {
            self.given.insert(id.to_owned(), (answer, quote));
        }
    }

    /// Takes up screening facts that the caller mentions by themselves. Returns whether that
    /// changed an answer.
    pub fn take_mentions(
        &mut self,
        table: &[ScreeningQuestion],
        text: &Phi<String>,
        today: Date,
    ) -> bool {
        let words = words::split(text.expose());
        let mut changed = false;
        for question in table {
            let listed = question.mentions.iter().any(|mention| words::asserts(&words, mention));
            let told = question.kidney_function(text, today, false);
            let said = listed || told.is_some_and(|told| question.is_low(told));
            let known =
                self.given.get(&question.id).is_some_and(|(answer, _)| *answer == Answer::Yes);
            if said && !known {
                self.give(&question.id, false, Answer::Yes, text.clone());
                changed = true;
                // Somebody on dialysis is not asked for the value as well.
                let detail = question.detail.iter().filter(|_| question.asks_kidney_function());
                let detail = detail.flat_map(|detail| &detail.mentions);
                if detail.into_iter().any(|mention| words::asserts(&words, mention)) {
                    self.give(&question.id, true, Answer::Yes, text.clone());
                }
            }
            if let Some(told) = told {
                self.measure(&question.id, told, text.clone());
            }
        }
        changed
    }

    /// Keeps a kidney function value: the answer to the second question, wherever it was told.
    pub fn measure(&mut self, id: &str, told: KidneyFunction, quote: Phi<String>) {
        self.kidney_function = Some(told.into());
        self.give(id, true, Answer::Yes, quote);
    }

    /// The kidney function value that the caller told.
    pub const fn kidney_function(&self) -> Option<&Phi<KidneyFunction>> {
        self.kidney_function.as_ref()
    }

    /// Forgets every answer, to ask again. That something was affirmed is kept: whoever denies it
    /// the second time leaves a doubt.
    pub fn clear(&mut self) {
        let affirmed =
            |(id, (answer, _)): (String, (Answer, _))| (answer != Answer::No).then_some(id);
        let mut once = std::mem::take(&mut self.affirmed_before);
        once.extend(std::mem::take(&mut self.given).into_iter().filter_map(affirmed));
        *self = Self { affirmed_before: once, ..Self::default() };
    }

    /// The first open question for the exam.
    pub fn next<'a>(&self, scope: Scope<'a>) -> Option<NextQuestion<'a>> {
        let applicable = scope.table.iter().filter(|question| self.is_asked(question, scope));
        for question in applicable {
            let detail = question.detail.as_ref();
            match (self.given.get(&question.id), detail) {
                (None, _) => {
                    let (ask, again) = (&question.ask, &question.again);
                    return Some(NextQuestion { id: &question.id, detail: false, ask, again });
                }
                (Some((Answer::Yes | Answer::Unsure, _)), Some(detail))
                    if !self.details.contains_key(&question.id) =>
                {
                    let (ask, again) = (&detail.ask, &detail.again);
                    return Some(NextQuestion { id: &question.id, detail: true, ask, again });
                }
                _ => {}
            }
            // A STOP ends the questions: the person who takes over asks the rest.
            if self.disposition_of(question) == Disposition::Stop {
                return None;
            }
        }
        None
    }

    fn is_asked(&self, question: &ScreeningQuestion, scope: Scope<'_>) -> bool {
        question.stages.contains(&scope.stage)
            && question.applies.to(scope.order, scope.may_be_pregnant)
            && question.if_yes.as_ref().is_none_or(|id| self.is_yes(id))
    }

    fn disposition_of(&self, question: &ScreeningQuestion) -> Disposition {
        let Some((answer, _)) = self.given.get(&question.id) else {
            return Disposition::Clear;
        };
        if *answer == Answer::No {
            return question.no;
        }
        let doubt = if *answer == Answer::Unsure { question.no } else { Disposition::Clear };
        doubt.max(self.disposition_of_yes(question))
    }

    fn disposition_of_yes(&self, question: &ScreeningQuestion) -> Disposition {
        match (&question.detail, self.details.get(&question.id)) {
            (Some(detail), Some((Answer::No, _))) => detail.no,
            (Some(detail), Some(_)) => detail.yes,
            // The second question is still to be asked; until then the first one's answer counts.
            (_, None) | (None, _) => question.yes,
        }
    }

    /// The worst disposition among the answers that apply to the exam.
    pub fn disposition(&self, scope: Scope<'_>) -> Disposition {
        scope
            .table
            .iter()
            .filter(|question| self.is_asked(question, scope))
            .map(|question| self.disposition_of(question))
            .max()
            .unwrap_or(Disposition::Clear)
    }

    /// What was denied, in the words of the read-back.
    pub fn denied(&self, table: &[ScreeningQuestion]) -> Vec<String> {
        let no = |question: &&ScreeningQuestion| {
            self.given.get(&question.id).is_some_and(|(answer, _)| *answer == Answer::No)
                && !question.denied.is_empty()
        };
        table.iter().filter(no).map(|question| question.denied.clone()).collect()
    }

    /// Findings of one disposition, each with the caller's words.
    pub fn findings(&self, scope: Scope<'_>, disposition: Disposition) -> Vec<Phi<String>> {
        scope
            .table
            .iter()
            .filter(|question| self.is_asked(question, scope))
            .filter(|question| self.disposition_of(question) == disposition)
            .filter_map(|question| {
                let (answer, quote) = self.given.get(&question.id)?;
                let doubt = if *answer == Answer::Unsure { " (caller unsure)" } else { "" };
                let more = self.details.get(&question.id).map(|(_, quote)| quote.expose());
                let more = more.map(|quote| format!("; \"{quote}\"")).unwrap_or_default();
                let value = self.kidney_function().filter(|_| question.asks_kidney_function());
                let value = value.map(|value| format!(" ({})", value.expose())).unwrap_or_default();
                Some(
                    quote.map(|quote| {
                        format!("{}{doubt}: \"{quote}\"{more}{value}", question.finding)
                    }),
                )
            })
            .collect()
    }

    /// What was found, as it is said to the caller: no more than what they told themselves.
    pub fn found(&self, scope: Scope<'_>, disposition: Disposition) -> Vec<String> {
        let found = scope.table.iter().filter(|question| {
            self.is_asked(question, scope) && self.disposition_of(question) == disposition
        });
        found
            .map(|question| {
                let plain = question.finding.split([':', ';']).next().unwrap_or_default();
                let mut letters = plain.chars();
                let first = letters.next().map(|letter| letter.to_lowercase().to_string());
                first.unwrap_or_default() + letters.as_str()
            })
            .collect()
    }

    /// Every answer that was given for the exam, the gravest first: the question, the answer, what
    /// follows from it, and the caller's words.
    pub fn report<'a>(
        &'a self,
        scope: Scope<'a>,
    ) -> Vec<(&'a ScreeningQuestion, Answer, Disposition, &'a Phi<String>)> {
        let asked = scope.table.iter().filter(|question| self.is_asked(question, scope));
        let given = |question: &'a ScreeningQuestion| {
            let (answer, quote) = self.given.get(&question.id)?;
            Some((question, *answer, self.disposition_of(question), quote))
        };
        let mut report: Vec<_> = asked.filter_map(given).collect();
        report.sort_by_key(|(_, _, disposition, _)| std::cmp::Reverse(*disposition));
        report
    }

    /// The answer to a question's second one.
    pub fn detail(&self, id: &str) -> Option<Answer> {
        self.details.get(id).map(|(answer, _)| *answer)
    }

    /// Whether the question was answered with yes or doubt.
    pub fn is_yes(&self, id: &str) -> bool {
        self.given.get(id).is_some_and(|(answer, _)| *answer != Answer::No)
    }

    /// Whether the question was answered with no, and nothing speaks against it.
    pub fn is_no(&self, id: &str) -> bool {
        self.given.get(id).is_some_and(|(answer, _)| *answer == Answer::No)
    }

    /// What the words say to the question, in phrases that the table lists for it, or by a number.
    pub fn read_by_table(
        table: &[ScreeningQuestion],
        id: &str,
        detail: bool,
        text: &Phi<String>,
    ) -> Option<Answer> {
        let words = words::split(text.expose());
        let question = table.iter().find(|question| question.id == id)?;
        let (yes, no): (&[String], &[String]) = match &question.detail {
            Some(second) if detail => (&second.mentions, &second.denials),
            _ => (&[], &question.denials),
        };
        if no.iter().any(|phrase| words::contains(&words, phrase)) {
            return Some(Answer::No);
        }
        if yes.iter().any(|phrase| words::asserts(&words, phrase)) {
            return Some(Answer::Yes);
        }
        let limit = question.over.filter(|_| !detail)?;
        let numbers = words::numbers(&words);
        let most = match question.unit {
            Some(unit) => unit.read(&words, &numbers)?,
            None => numbers.iter().copied().reduce(f64::max)?,
        };
        Some(if most > limit { Answer::Yes } else { Answer::No })
    }

    /// Every answer by question, for the record.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Answer, &Phi<String>)> {
        self.given.iter().map(|(id, (answer, quote))| (id.as_str(), *answer, quote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Priority;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn table() -> Vec<ScreeningQuestion> {
        #[derive(Deserialize)]
        struct Table {
            question: Vec<ScreeningQuestion>,
        }
        let text = r#"
            [[question]]
            id = "reaction"
            applies = { modalities = ["ct"], contrast = true }
            ask = "Ever a reaction?"
            again = "Hives, swelling?"
            yes = "REVIEW"
            detail = { ask = "Was it severe?", again = "Hospital?", yes = "STOP", no = "REVIEW" }
            denied = "no earlier reaction"
            finding = "Earlier reaction"
            mentions = ["allergic to the dye"]
            source = "test"
            [[question]]
            id = "kidney"
            applies = { modalities = ["ct"], contrast = true }
            ask = "Kidneys?"
            again = "Dialysis?"
            yes = "REVIEW"
            denied = "no kidney problems"
            finding = "Kidney disease"
            detail = { ask = "Which value?", again = "eGFR?", yes = "REVIEW", no = "REVIEW", kidney_function_under = 45 }
            source = "test"
        "#;
        toml::from_str::<Table>(text).expect("reads").question
    }

    fn ct() -> OrderFacts {
        OrderFacts {
            id: "o".into(),
            modality: Modality::Ct,
            body_part: Some("abdomen".into()),
            side: None,
            contrast: true,
            priority: Priority::Routine,
            expired: false,
            covered: true,
            spoken: "CT".into(),
        }
    }

    fn scope<'a>(table: &'a [ScreeningQuestion], order: &'a OrderFacts) -> Scope<'a> {
        Scope { table, order, may_be_pregnant: false, stage: Stage::Booking }
    }

    #[test]
    fn unknown_counts_as_yes_and_the_worst_answer_decides() {
        let (table, order) = (table(), ct());
        let mut answers = Answers::default();
        answers.give("reaction", false, Answer::No, "no".into());
        answers.give("kidney", false, Answer::Unsure, "not sure".into());
        answers.give("kidney", true, Answer::Unsure, "no idea".into());
        assert_eq!(answers.disposition(scope(&table, &order)), Disposition::Review);
        assert_eq!(answers.denied(&table), ["no earlier reaction"]);
        assert!(answers.next(scope(&table, &order)).is_none());
    }

    #[test]
    fn a_yes_asks_for_detail_and_a_stop_ends_the_questions() {
        let (table, order) = (table(), ct());
        let mut answers = Answers::default();
        answers.give("reaction", false, Answer::Yes, "yes".into());
        assert!(answers.next(scope(&table, &order)).expect("detail").detail);
        answers.give("reaction", true, Answer::Unsure, "maybe".into());
        assert_eq!(answers.disposition(scope(&table, &order)), Disposition::Stop);
        assert!(answers.next(scope(&table, &order)).is_none());
    }

    #[test]
    fn mentions_count_unless_denied() {
        let table = table();
        let mut answers = Answers::default();
        assert!(!answers.take_mentions(&table, &"I'm not allergic to the dye".into(), TODAY));
        assert!(answers.take_mentions(
            &table,
            &"by the way, I'm allergic to the dye".into(),
            TODAY
        ));
    }

    #[test]
    fn a_low_kidney_function_counts_wherever_it_is_told_and_a_normal_one_leaves_the_question() {
        let (table, order) = (table(), ct());
        let mut answers = Answers::default();
        assert!(!answers.take_mentions(&table, &"my eGFR is ninety".into(), TODAY));
        assert!(!answers.is_yes("kidney"));
        assert!(answers.take_mentions(&table, &"sorry, my eGFR was 28 in March".into(), TODAY));
        let found = answers.findings(scope(&table, &order), Disposition::Review);
        let expected = "(eGFR 28 mL/min/1.73 m², taken 2026-03)";
        assert!(found.iter().any(|found| found.expose().contains(expected)), "{}", found.len());
    }

    #[test]
    fn questions_for_other_exams_are_not_asked() {
        let order = OrderFacts { contrast: false, ..ct() };
        assert!(Answers::default().next(scope(&table(), &order)).is_none());
    }
}

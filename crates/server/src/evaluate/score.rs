//! Counts over records, and shares with their uncertainty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use radline_clinic::identity::without_accent;
use serde_json::{Value, json};

use super::reading::Reading;
use radline_training::record::{NO_FLAG, Record};

/// Slots that hold a caller's own words: a value counts when all words of the label are in it.
const FREE_TEXT: [&str; 4] = ["medication", "allergy", "implant", "blood_thinner"];
/// The 97.5th percentile of the normal distribution, for 95 % intervals.
const Z: f64 = 1.96;

/// So many of so many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    hits: usize,
    of: usize,
}

impl Share {
    pub(super) fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    /// How many there were.
    pub(super) const fn of(self) -> usize {
        self.of
    }

    /// Nothing when there was nothing to count.
    pub(super) fn value(&self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % interval after Wilson.
    fn interval(self) -> (f64, f64) {
        let (n, p) = (self.of as f64, self.value().unwrap_or_default());
        let spread = Z / n.mul_add(1.0, Z * Z) * n.mul_add(p * (1.0 - p), Z * Z / 4.0).sqrt();
        let middle = (Z * Z).mul_add(0.5, n * p) / Z.mul_add(Z, n);
        ((middle - spread).max(0.0), (middle + spread).min(1.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.value() else { return formatter.write_str("no records") };
        let (low, high) = self.interval();
        let percent = |share: f64| 100.0 * share;
        write!(
            formatter,
            "{:>5.1} % ({} of {}; 95 %: {:.1} to {:.1})",
            percent(value),
            self.hits,
            self.of,
            percent(low),
            percent(high)
        )
    }
}

/// Slot values found, missed and invented.
#[derive(Debug, Default)]
pub(super) struct Slots {
    all: Values,
    by_name: BTreeMap<String, Values>,
}

/// Values found, missed and invented.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Values {
    hits: usize,
    invented: usize,
    missed: usize,
}

impl Values {
    pub(super) fn precision(self) -> f64 {
        ratio(self.hits, self.hits + self.invented)
    }

    pub(super) fn recall(self) -> f64 {
        ratio(self.hits, self.hits + self.missed)
    }

    pub(super) fn f1(self) -> f64 {
        ratio(2 * self.hits, 2 * self.hits + self.invented + self.missed)
    }
}

impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, missed, invented) = (self.hits, self.missed, self.invented);
        write!(formatter, "{:.3} ({found} found, {missed} missed, {invented} invented)", self.f1())
    }
}

impl Slots {
    /// Over all slots.
    pub(super) const fn all(&self) -> Values {
        self.all
    }

    /// Each slot by itself.
    pub(super) fn by_name(&self) -> impl Iterator<Item = (&String, Values)> {
        self.by_name.iter().map(|(name, values)| (name, *values))
    }

    fn count(&mut self, name: &str, count: impl Fn(&mut Values)) {
        count(&mut self.all);
        count(self.by_name.entry(name.to_owned()).or_default());
    }

    /// Adds what was labelled and what was read. Whether all of it is right.
    pub(super) fn add(
        &mut self,
        labelled: &BTreeMap<String, String>,
        read: &BTreeMap<String, String>,
    ) -> bool {
        let (wanted, got) = (pairs(labelled), pairs(read));
        let met = |label: &(String, String), value: &(String, String)| {
            label.0 == value.0
                && if FREE_TEXT.contains(&label.0.as_str()) {
                    let said: BTreeSet<&str> = value.1.split_whitespace().collect();
                    label.1.split_whitespace().all(|word| said.contains(word))
                } else {
                    label.1 == value.1
                }
        };
        let mut right = true;
        for label in &wanted {
            let found = got.iter().any(|value| met(label, value));
            right &= found;
            self.count(&label.0, |values| {
                values.hits += usize::from(found);
                values.missed += usize::from(!found);
            });
        }
        for value in got.iter().filter(|value| !wanted.iter().any(|label| met(label, value))) {
            right = false;
            self.count(&value.0, |values| values.invented += 1);
        }
        right
    }
}

/// 1 when there was nothing to get wrong.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Scores {
    pub(super) intent: Share,
    pub(super) intent_by_expectation: BTreeMap<String, Share>,
    pub(super) slots: Slots,
    pub(super) red_flags: Share,
    pub(super) red_flags_by_class: BTreeMap<String, Share>,
    pub(super) red_flag_class: Share,
    pub(super) false_alarms: Share,
    pub(super) person: Share,
    pub(super) person_false: Share,
    pub(super) distress: Share,
    /// Acts that were taken for others, with how often.
    confused: BTreeMap<(String, String), usize>,
}

/// Confusions that a report names.
const CONFUSIONS_MAX: usize = 8;

impl Scores {
    /// The commonest confusions: what was meant, what was read, and how often.
    pub(super) fn confusions(&self) -> Vec<((&str, &str), usize)> {
        let all = self.confused.iter();
        let mut all: Vec<_> =
            all.map(|((meant, read), times)| ((meant.as_str(), read.as_str()), *times)).collect();
        all.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        all.truncate(CONFUSIONS_MAX);
        all
    }

    /// Adds a record. Returns what was missed of it, if anything was.
    pub(super) fn add(&mut self, record: &Record, reading: &Reading) -> Option<Value> {
        let mut wrong = Vec::new();
        let flagged = reading.red_flag != NO_FLAG;
        if record.red_flag == NO_FLAG {
            let right = record.intent == reading.intent;
            self.intent.add(right);
            self.intent_by_expectation.entry(record.expects.clone()).or_default().add(right);
            self.false_alarms.add(flagged);
            wrong.extend((!right).then_some("intent"));
            if !right {
                let pair = (record.intent.clone(), reading.intent.clone());
                *self.confused.entry(pair).or_default() += 1;
            }
            wrong.extend(flagged.then_some("false_alarm"));
        } else {
            self.red_flags.add(flagged);
            self.red_flags_by_class.entry(record.red_flag.clone()).or_default().add(flagged);
            wrong.extend((!flagged).then_some("red_flag"));
            if flagged {
                self.red_flag_class.add(record.red_flag == reading.red_flag);
            }
        }
        let asked_for = reading.intent == "request_person";
        if record.intent == "request_person" {
            self.person.add(asked_for);
        } else {
            self.person_false.add(asked_for);
        }
        self.distress.add(record.distress == reading.distress);
        wrong.extend((!self.slots.add(&record.slots, &reading.slots)).then_some("slots"));
        (!wrong.is_empty()).then(|| {
            json!({
                "id": record.id,
                "wrong": wrong,
                "expects": record.expects,
                "said": record.said,
                "intent": [record.intent, reading.intent],
                "slots": [record.slots, reading.slots],
                "red_flag": [record.red_flag, reading.red_flag],
            })
        })
    }
}

/// Key and value, a pair for each element of a list.
fn pairs(slots: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    let split = |(key, value): (&String, &String)| {
        let key = key.clone();
        let parts: Vec<String> = value.split(", ").map(|part| plain(&key, part)).collect();
        parts.into_iter().map(move |part| (key.clone(), part))
    };
    slots.iter().flat_map(split).collect()
}

fn plain(key: &str, value: &str) -> String {
    let lower = value.trim().to_lowercase();
    if key != "name" {
        return lower;
    }
    // Without accents and punctuation.
    let letters = lower.chars().map(|c| if c == '-' { ' ' } else { without_accent(c) });
    letters.filter(|c| c.is_alphanumeric() || *c == ' ').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sets_and_free_text_may_say_more() {
        let slots = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let right = |key: &str, label: &str, value: &str| {
            Slots::default().add(&slots(key, label), &slots(key, value))
        };
        assert!(right("body_part", "knee, hip", "hip, knee"));
        assert!(!right("body_part", "knee, hip", "knee"));
        assert!(right("implant", "pacemaker", "a pacemaker"));
        assert!(!right("side", "left", "right"));
        assert!(right("name", "José Núñez", "Jose Nunez"));
    }

    #[test]
    fn the_interval_is_wilsons() {
        let share = Share { hits: 60, of: 60 };
        let (low, high) = share.interval();
        assert!((low - 0.940).abs() < 0.001 && high > 0.999, "{low} {high}");
    }
}

//! Plays one caller: finds what the agent's words ask for, and says the line for it as it is
//! written. It sees the agent's words, never its state.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::civil::{DateTime, Time};
use radline_dialogue::{PartOfDay, TimeWish, wording};

use super::keys;
use super::persona::Persona;
use super::world::World;

/// Offers against the wish that are turned down before one is taken.
const OFFERS_DECLINED_MAX: usize = 2;
/// Pushes of what is hard about a call outside AT, where one or two are enough.
const PUSHES_AT: usize = 2;
/// Keys after whose answer a caller comes out with what is hard about an AT call.
const TRIGGERING: &[&str] = &[
    "implants",
    "implant_detail",
    "prior_reaction",
    "reaction_detail",
    "medication",
    "blood_thinner",
    "breast_symptoms",
    "side",
    "eye_metal",
    "pregnancy",
    "kidney",
];

/// What the caller knows where there is no line for it: key → flag.
const FLAGS: &[(&str, &str)] = &[
    ("prior_cancer", "prior_cancer"),
    ("glucose", "glucose"),
    ("treatment", "treatment"),
    ("breastfeeding", "breastfeeding"),
    ("pregnancy", "pregnant"),
    ("implants", "implant"),
    ("kidney", "kidney_problem"),
    ("diabetes", "diabetes"),
    ("medication", "medication"),
    ("blood_thinner", "blood_thinner"),
    ("allergies", "allergy"),
    ("claustrophobia", "claustrophobia"),
    ("prior_reaction", "prior_reaction"),
    ("breast_symptoms", "lump"),
];

/// A caller in the middle of a call.
pub(super) struct Player<'a> {
    persona: &'a Persona,
    seed: u64,
    /// How often each key was asked for.
    asked: BTreeMap<String, usize>,
    pushes: usize,
    changes: usize,
    accepted: bool,
    declined: usize,
    answers: usize,
    patience: Patience,
    hard_part_due: bool,
}

/// How much more a caller bears.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Fine,
    /// They have asked for a person, and hang up next.
    WantsPerson,
    GaveUp,
}

impl<'a> Player<'a> {
    pub(super) const fn new(persona: &'a Persona, seed: u64) -> Self {
        Self {
            persona,
            seed,
            asked: BTreeMap::new(),
            pushes: 0,
            changes: 0,
            accepted: false,
            declined: 0,
            answers: 0,
            patience: Patience::Fine,
            hard_part_due: false,
        }
    }

    /// Whether the caller hung up in the middle.
    pub(super) fn gave_up(&self) -> bool {
        self.patience == Patience::GaveUp
    }

    /// What the caller says to the agent's sentences; nothing when they hang up.
    pub(super) fn answer(&mut self, sentences: &[&str], world: &World) -> Option<String> {
        let mut keys = keys::asked(sentences);
        let text = sentences.join(" ");
        if self.answers == 0 {
            keys.insert(0, "open");
        }
        if self.patience == Patience::WantsPerson && !keys.contains(&"told_person") {
            self.patience = Patience::GaveUp;
            return None;
        }
        let mut said = Vec::new();
        for key in keys {
            let answered = self.line_for(key, &text, world);
            said.push(answered);
        }
        self.answers += 1;
        if said.is_empty() {
            said.push(self.pick("unexpected"));
        }
        Some(said.join(". "))
    }

    fn line_for(&mut self, key: &str, text: &str, world: &World) -> String {
        let times = {
            let count = self.asked.entry(key.to_owned()).or_default();
            *count += 1;
            *count
        };
        let limit = if self.persona.is_impatient() { 2 } else { 3 };
        let repeats =
            !["offer", "day_time", "read_back", "anything_else", "question", "told_person"]
                .contains(&key);
        let pushes = self.persona.lines.get("trigger").map_or(0, Vec::len);
        if repeats && times > limit && (key != "teach_back" || self.pushes >= pushes) {
            self.patience = Patience::WantsPerson;
            return "i want to talk to a person".to_owned();
        }
        if let Some(push) = self.push(key) {
            // The question is still open, and its answer not yet given.
            if let Some(count) = self.asked.get_mut(key) {
                *count -= 1;
            }
            return push;
        }
        let line = match key {
            "offer" => self.answer_offer(text, world),
            "read_back" => self.answer_read_back(text, world),
            _ => self.plain(key, times),
        };
        if repeats && times == limit { format!("like i said, {line}") } else { line }
    }

    /// What is hard about the call, when its moment has come.
    fn push(&mut self, key: &str) -> Option<String> {
        let triggers = self.persona.lines.get("trigger")?;
        let most = if self.persona.scenario == "AT" { PUSHES_AT } else { usize::MAX };
        if self.pushes >= triggers.len().min(most) {
            return None;
        }
        let identity = ["open", "consent", "name", "date_of_birth", "who"].contains(&key);
        let due = match self.persona.scenario.as_str() {
            "RCS" => self.answers >= 1 && !identity,
            "PP" => key == "teach_back",
            _ => {
                let due = self.hard_part_due && !identity || key == "anything_else";
                // Who wants a person says so instead of any answer they have no line for.
                let missing = !self.persona.lines.contains_key(key) && key != "told_person";
                let goal = self.persona.goal.to_lowercase();
                let wants = [
                    "people only",
                    "wants a person",
                    "a person at once",
                    "wants a human",
                    "only a person",
                ]
                .iter()
                .any(|words| goal.contains(words));
                due || missing && wants
            }
        };
        if TRIGGERING.contains(&key) {
            self.hard_part_due = true;
        }
        if !due {
            return None;
        }
        // The answer that was asked for is not lost: the agent asks again.
        let start = self.mix("trigger") as usize;
        let push = triggers[(start + self.pushes) % triggers.len()].clone();
        self.pushes += 1;
        Some(push)
    }

    fn plain(&self, key: &str, times: usize) -> String {
        let again = format!("{key}_again");
        if times > 1 && self.persona.lines.contains_key(&again) {
            return self.pick_nth(&again, times - 2);
        }
        if self.persona.lines.contains_key(key) {
            return self.pick_nth(key, times - 1);
        }
        if let Some(fact) = self.fact(key) {
            return fact;
        }
        let instead = match key {
            "offer_person" => "offered_help",
            "question" | "choice" => "open",
            "medication" => "diabetes",
            "symptom_now" => "unexpected",
            "reschedule" => "day_time",
            other => other,
        };
        if self.persona.lines.contains_key(instead) {
            return self.pick_nth(instead, times - 1);
        }
        self.pick("unexpected")
    }

    /// What a caller knows without a line for it.
    fn fact(&self, key: &str) -> Option<String> {
        let facts = &self.persona.facts;
        let flag = |name: &str| facts.flags.get(name);
        match key {
            "weight" => flag("weight_lb").map(|pounds| format!("{pounds} pounds")),
            "mobility" => match flag("mobility").and_then(|value| value.as_str()) {
                Some(words) => Some(words.to_owned()),
                None => Some("no".to_owned()),
            },
            "still" => Some(match self.persona.preference("reschedule_to") {
                Some(_) => "no, i need another day".to_owned(),
                None => "yes, that works".to_owned(),
            }),
            "choice" => facts.order.as_ref().map(|order| order.exam.clone()),
            "confirm_cancel" if self.persona.expected.outcome == "cancelled" => {
                Some("yes".to_owned())
            }
            "symptom_now" => flag("symptom_now")
                .and_then(|value| value.as_str())
                .filter(|words| !words.starts_with("none"))
                .map(str::to_owned)
                .or_else(|| Some("no".to_owned())),
            _ => FLAGS
                .iter()
                .find(|(asked, _)| *asked == key)
                .and_then(|(_, name)| flag(name)?.as_str())
                .map(str::to_owned),
        }
    }

    fn answer_offer(&mut self, text: &str, world: &World) -> String {
        let named = world.named_in(text);
        let wish = self.wish();
        let fits = named.iter().any(|start| wish.admits(*start));
        if !fits && self.declined < OFFERS_DECLINED_MAX && !named.is_empty() {
            self.declined += 1;
            let key = match self.changes {
                0 => "day_time".to_owned(),
                count => format!("change_{count}"),
            };
            return self.pick(&key);
        }
        self.accepted = true;
        // Where only the second of two fits, a person says which.
        let first_fits = named.first().is_none_or(|start| wish.admits(*start));
        if fits
            && !first_fits
            && let Some(start) = named.iter().find(|start| wish.admits(**start))
        {
            return format!("the one on {}", wording::moment(*start));
        }
        let times = self.asked.get("offer").copied().unwrap_or(1);
        self.pick_nth("offer", times - 1)
    }

    fn answer_read_back(&mut self, text: &str, world: &World) -> String {
        let next = format!("change_{}", self.changes + 1);
        if self.accepted && self.persona.lines.contains_key(&next) {
            self.changes += 1;
            return self.pick(&next);
        }
        if let Some((_, wish)) =
            text.split_once("you would like to ").or(text.split_once("You would like to "))
            && !self.wants(wish)
        {
            return format!("no. {}", self.pick("unexpected"));
        }
        let named = world.named_in(text);
        let wish = self.wish();
        if let Some(start) = named.last()
            && !wish.admits(*start)
            && self.declined < OFFERS_DECLINED_MAX
        {
            self.declined += 1;
            return format!("no. {}", self.pick("day_time"));
        }
        if self.persona.lines.contains_key("read_back") {
            self.pick("read_back")
        } else {
            "yes".to_owned()
        }
    }

    /// Whether a wish that the agent asks about is what the caller phones for, by how the call should end.
    fn wants(&self, wish: &str) -> bool {
        let outcome = self.persona.expected.outcome.as_str();
        let ends: &[&str] = match wish.split(' ').next() {
            Some("book") => {
                &["booked", "held_for_review", "stopped_to_person", "escalated_emergency"]
            }
            Some("move") => &["rescheduled"],
            Some("cancel") => &["cancelled"],
            Some("talk") => &["stopped_to_person"],
            Some("tell") => &["stopped_to_person", "escalated_emergency"],
            _ => return self.persona.scenario != "AT",
        };
        ends.contains(&outcome)
    }

    /// When the caller wants to come, as of now.
    fn wish(&self) -> TimeWish {
        let persona = self.persona;
        let day = if self.changes > 0 {
            persona.preference("final").or(persona.preference("second_choice"))
        } else {
            persona.preference("first_choice").or(persona.preference("weekday"))
        };
        let day = day.or(persona.preference("reschedule_to")).and_then(weekday);
        let clock = |key: &str| persona.preference(key).and_then(|text| text.parse::<Time>().ok());
        TimeWish {
            weekday: day,
            not_weekday: persona.preference("not_weekday").and_then(weekday),
            part_of_day: persona.preference("part_of_day").and_then(|part| match part {
                "morning" => Some(PartOfDay::Morning),
                "afternoon" => Some(PartOfDay::Afternoon),
                "evening" => Some(PartOfDay::Evening),
                _ => None,
            }),
            not_before: clock("not_before"),
            not_after: clock("not_after"),
            ..TimeWish::default()
        }
    }

    /// Whether a time is one that the caller agreed to in the end.
    pub(super) fn wanted(&self, start: DateTime) -> bool {
        self.wish().admits(start) || self.declined >= OFFERS_DECLINED_MAX
    }

    fn pick(&self, key: &str) -> String {
        self.pick_nth(key, 0)
    }

    fn pick_nth(&self, key: &str, nth: usize) -> String {
        let Some(lines) = self.persona.lines.get(key).filter(|lines| !lines.is_empty()) else {
            return "i don't know".to_owned();
        };
        lines[(self.mix(key) as usize + nth) % lines.len()].clone()
    }

    fn mix(&self, key: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, &self.persona.id, key).hash(&mut hasher);
        hasher.finish() >> 8
    }
}

fn weekday(name: &str) -> Option<jiff::civil::Weekday> {
    use jiff::civil::Weekday;
    let days = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let name = name.to_lowercase();
    days.into_iter().find(|day| name.contains(&wording::weekday(*day).to_lowercase()))
}

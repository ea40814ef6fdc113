//! The embedded schedule: rules that say when a room sees patients, and the slots they make.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use radline_dialogue::Modality;

use crate::record::Slot;

/// When a room sees patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRule {
    /// Which exams.
    pub modality: Modality,
    /// Room or device.
    pub room: String,
    /// The place as spoken.
    pub place: String,
    /// Working days.
    pub weekdays: Vec<Weekday>,
    /// First start, local.
    pub from: Time,
    /// Nothing ends after this, local.
    pub to: Time,
    /// Length of a slot; at least one.
    pub minutes: u16,
}

/// The slots of `days` days from `first` on, without those on days off. Their record numbers are
/// the same every time, so that making them twice adds nothing.
pub fn slots(rules: &[ScheduleRule], first: Date, days: u16, days_off: &[Date]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for offset in 0..i64::from(days) {
        let Ok(day) = first.checked_add(offset.days()) else { break };
        let open = |rule: &&ScheduleRule| rule.weekdays.contains(&day.weekday());
        for rule in rules.iter().filter(open).filter(|_| !days_off.contains(&day)) {
            slots.extend(of_day(rule, day));
        }
    }
    slots
}

fn of_day(rule: &ScheduleRule, day: Date) -> Vec<Slot> {
    let length = i64::from(rule.minutes.max(1)).minutes();
    let mut slots = Vec::new();
    let (mut start, end) = (day.to_datetime(rule.from), day.to_datetime(rule.to));
    while let Ok(next) = start.checked_add(length) {
        if next > end {
            break;
        }
        slots.push(Slot {
            id: format!("{}-{}", rule.room, start.strftime("%Y%m%d-%H%M")),
            modality: rule.modality,
            room: rule.room.clone(),
            place: rule.place.clone(),
            start,
            minutes: rule.minutes,
        });
        start = next;
    }
    slots
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn slots_fill_the_hours_of_open_days() {
        let rule = ScheduleRule {
            modality: Modality::Ct,
            room: "ct1".into(),
            place: "room one".into(),
            weekdays: vec![Weekday::Monday, Weekday::Tuesday],
            from: time(9, 0, 0, 0),
            to: time(10, 30, 0, 0),
            minutes: 40,
        };
        let made = slots(&[rule], date(2026, 11, 23), 7, &[date(2026, 11, 24)]);
        let ids: Vec<&str> = made.iter().map(|slot| slot.id.as_str()).collect();
        assert_eq!(ids, ["ct1-20261123-0900", "ct1-20261123-0940"]);
    }
}

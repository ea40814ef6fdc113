//! Which of the free times to offer.

use std::cmp::Reverse;

use jiff::civil::DateTime;
use radline_dialogue::{Offer, TimeWish};

use crate::record::Slot;

/// As many as a listener keeps in mind.
pub const OFFERS_MAX: usize = 2;

/// Chooses offers among the free slots, earliest first. The flag tells whether they meet the
/// whole wish; otherwise they are the nearest there are.
pub fn choose(free: &[Slot], wish: &TimeWish, declined: &[DateTime]) -> (Vec<Offer>, bool) {
    let open: Vec<&Slot> = free.iter().filter(|slot| !declined.contains(&slot.start)).collect();
    let fitting: Vec<&Slot> = open.iter().copied().filter(|slot| wish.admits(slot.start)).collect();
    if !fitting.is_empty() {
        return (spread(&fitting), true);
    }
    let mut nearest = open;
    nearest.sort_by_key(|slot| (Reverse(agreement(wish, slot.start)), slot.start));
    nearest.truncate(OFFERS_MAX);
    (in_order(nearest), false)
}

/// The earliest, and the next one that is a different choice: another day or another half of it.
fn spread(slots: &[&Slot]) -> Vec<Offer> {
    let Some((first, rest)) = slots.split_first() else { return Vec::new() };
    let half = |slot: &Slot| (slot.start.date(), slot.start.time().hour() >= 12);
    let second = rest.iter().find(|slot| half(slot) != half(first)).or(rest.first());
    in_order(std::iter::once(*first).chain(second.copied()).collect())
}

fn in_order(mut slots: Vec<&Slot>) -> Vec<Offer> {
    slots.sort_by_key(|slot| slot.start);
    slots.dedup_by_key(|slot| slot.start);
    let offer =
        |slot: &Slot| Offer { slot: slot.id.clone(), start: slot.start, place: slot.place.clone() };
    slots.into_iter().map(offer).collect()
}

/// How much of the wish a time meets: the day counts more than the hour.
fn agreement(wish: &TimeWish, start: DateTime) -> u32 {
    let day = TimeWish {
        date: wish.date,
        weekday: wish.weekday,
        not_weekday: wish.not_weekday,
        ..TimeWish::default()
    };
    let hour = TimeWish { date: None, weekday: None, not_weekday: None, ..wish.clone() };
    let closeness = wish.date.map_or(0, |wished| {
        let days = wished.until(start.date()).map_or(i32::MAX, |span| span.get_days().abs());
        // Within a fortnight of the day, nearer is better.
        u32::try_from(14 - days.min(14)).unwrap_or_default()
    });
    u32::from(day.admits(start)) * 40 + u32::from(hour.admits(start)) * 5 + closeness
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date, datetime};
    use radline_dialogue::{Modality, PartOfDay};

    use super::*;

    fn slots() -> Vec<Slot> {
        let mut slots = Vec::new();
        for day in 1..=3 {
            for hour in [9, 10, 14] {
                slots.push(Slot {
                    id: format!("{day}-{hour}"),
                    modality: Modality::Mri,
                    room: "2".into(),
                    place: "room two".into(),
                    start: datetime(2026, 12, day, hour, 0, 0, 0),
                    minutes: 30,
                });
            }
        }
        slots
    }

    fn ids(wish: &TimeWish, declined: &[DateTime]) -> (Vec<String>, bool) {
        let (offers, as_wished) = choose(&slots(), wish, declined);
        (offers.into_iter().map(|offer| offer.slot).collect(), as_wished)
    }

    #[test]
    fn offers_are_early_and_different() {
        assert_eq!(ids(&TimeWish::default(), &[]), (vec!["1-9".into(), "1-14".into()], true));
        let wish = TimeWish { weekday: Some(Weekday::Wednesday), ..TimeWish::default() };
        assert_eq!(ids(&wish, &[]).0, ["2-9", "2-14"]);
    }

    #[test]
    fn declined_times_are_not_offered_again() {
        let declined = [datetime(2026, 12, 1, 9, 0, 0, 0), datetime(2026, 12, 1, 14, 0, 0, 0)];
        assert_eq!(ids(&TimeWish::default(), &declined).0, ["1-10", "2-9"]);
    }

    #[test]
    fn without_a_fitting_time_the_nearest_are_offered_and_marked() {
        let evening = TimeWish {
            date: Some(date(2026, 12, 2)),
            part_of_day: Some(PartOfDay::Evening),
            ..TimeWish::default()
        };
        assert_eq!(ids(&evening, &[]), (vec!["2-9".into(), "2-10".into()], false));
        let other_day = TimeWish { date: Some(date(2026, 12, 4)), ..TimeWish::default() };
        assert_eq!(ids(&other_day, &[]).0, ["3-9", "3-10"]);
    }
}

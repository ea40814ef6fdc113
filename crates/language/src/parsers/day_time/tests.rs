//! What is read of days and times.

use jiff::civil::{date, time};

use super::*;

const TODAY: Date = date(2026, 11, 23); // a Monday

fn read(text: &str) -> String {
    parse(text, TODAY).map_or("nothing".to_owned(), |wish| wish.described())
}

#[test]
fn weekdays_that_recognition_split_are_put_together() {
    assert_eq!(read("Do stay morning, please."), "on a Tuesday, in the morning");
    assert_eq!(read("the wins day after"), "on a Wednesday");
}

#[test]
fn days_are_read_as_they_are_meant() {
    for (said, expected) in [
        ("any Wednesday, it's my day off", "on a Wednesday"),
        (
            "thursday the third, two or later, wednesdays i'm upstate",
            "on 2026-12-03, not on a Wednesday, not before 14:00",
        ),
        ("mondays i work", "not on a Monday"),
        (
            "wednesday, because tuesday and thursday i have the machine. in the morning",
            "on a Wednesday, not on a Thursday, in the morning",
        ),
        ("wednesdays, i'm off, morning or afternoon is fine", "on a Wednesday"),
        ("morning or afternoon, all the same to me", ""),
        ("i like make one appointment for the ultrasound", "nothing"),
        ("next Wednesday", "on 2026-12-02"),
        ("this Friday", "on 2026-11-27"),
        ("on Friday this week only", "on 2026-11-27"),
        ("Saturday week", "on 2026-12-05"),
        ("Wednesday next week", "on 2026-12-02"),
        ("Wednesday morning next week", "on 2026-12-02, in the morning"),
        ("tomorrow", "on 2026-11-24"),
        ("the day after tomorrow", "on 2026-11-25"),
        ("ten days from now would be perfect", "on 2026-12-03"),
        ("a week today", "on 2026-11-30"),
        ("in two weeks", "on 2026-12-07"),
        ("December fourth", "on 2026-12-04"),
        ("the fourth of December", "on 2026-12-04"),
        ("the third", "on 2026-12-03"),
        ("January 2nd", "on 2027-01-02"),
        ("a week from tomorrow would be just right", "on 2026-12-01"),
        ("a fortnight on Wednesday if you have it", "on 2026-12-09"),
        ("Wednesday fortnight", "on 2026-12-09"),
        ("in a fortnight's time", "on 2026-12-07"),
        ("next week, Tuesday, before lunch", "on 2026-12-01"),
        ("put me down Wednesday of next week", "on 2026-12-02"),
        ("the fourth of the twelfth", "on 2026-12-04"),
        ("New Year's Eve, no one else will want it", "on 2026-12-31"),
        ("the day after Thanksgiving", "on 2026-11-27"),
        ("I'm off until the sixth", "nothing"),
        ("the second half", "nothing"),
        ("Tuesday, December first", "on 2026-12-01"),
        ("any day but Sunday", "not on a Sunday"),
        ("next week", "nothing"),
        ("good morning", "nothing"),
        ("whenever you like", ""),
    ] {
        assert_eq!(read(said), expected, "{said}");
    }
}

#[test]
fn times_are_read_as_they_are_meant() {
    for (said, expected) in [
        ("Tuesday at ten thirty", "on a Tuesday, at 10:30"),
        ("four fifteen on the sixteenth of December", "on 2026-12-16, at 16:15"),
        (
            "first week of December, say the fourth, not before ten mind",
            "on 2026-12-04, not before 10:00",
        ),
        ("Tuesday morning", "on a Tuesday, in the morning"),
        ("2pm", "at 14:00"),
        ("make it the five o'clock instead of the two", "at 17:00"),
        ("half past nine", "at 09:30"),
        ("quarter to three in the afternoon", "at 14:45"),
        ("from ten on", "not before 10:00"),
        ("by midday", "not after 12:00"),
        ("between nine and eleven", "not before 09:00, not after 11:00"),
        ("not early, I've the chickens to see to, so afternoon", "in the afternoon"),
        ("at nine oh five", "at 09:05"),
        ("ten past eleven", "at 11:10"),
        ("twenty five to twelve", "at 11:35"),
        ("about ten to four or thereabouts", "at 15:50"),
        ("10:30 a.m. on Thursday", "on a Thursday, at 10:30"),
        ("ten in the morning", "at 10:00"),
        ("I have two children", "nothing"),
    ] {
        assert_eq!(read(said), expected, "{said}");
    }
    assert_eq!(parse("noon", TODAY).and_then(|wish| wish.time), Some(time(12, 0, 0, 0)));
}

#[test]
fn a_day_of_the_past_is_no_wish() {
    let read = |text: &str| {
        of_an_appointment(text, TODAY).map_or("nothing".to_owned(), |wish| wish.described())
    };
    assert_eq!(
        read("she ordered it on Monday, could I come Thursday morning?"),
        "on a Thursday, in the morning"
    );
    assert_eq!(read("I fell on Friday and need an x-ray"), "nothing");
    assert_eq!(read("I need an MRI, any Wednesday"), "on a Wednesday");
}

proptest::proptest! {
    #[test]
    fn anything_may_be_said(text in ".{0,80}") {
        parse(&text, TODAY);
    }
}

#[test]
fn a_bound_may_stand_behind_its_time() {
    for (said, expected) in [
        ("I come off nights at six a.m., so straight after", "not before 06:00"),
        ("two o'clock or later", "not before 14:00"),
        ("from the ward at three p.m. onwards", "not before 15:00"),
        ("ten a.m. at the latest", "not after 10:00"),
    ] {
        assert!(read(said).contains(expected), "{said}: {}", read(said));
    }
}

#[test]
fn a_day_that_is_ruled_out_stays_so() {
    let wish = parse("mornings, any day but a Monday, Mondays I do the bulletin", TODAY);
    let wish = wish.expect("a wish");
    assert_eq!((wish.weekday, wish.not_weekday), (None, Some(Weekday::Monday)));
}

#[test]
fn half_hours_bounds_and_misheard_words_are_read() {
    let wish = |text: &str| parse(text, TODAY).expect("a wish");
    assert_eq!(wish("would you have half two").time, Some(time(14, 30, 0, 0)));
    assert_eq!(wish("seven a m on the fifteenth").time, Some(time(7, 0, 0, 0)));
    assert_eq!(wish("I can't get there before six").not_before, Some(time(18, 0, 0, 0)));
    assert_eq!(wish("I can't stay after three").not_after, Some(time(15, 0, 0, 0)));
    assert_eq!(wish("before six").not_after, Some(time(18, 0, 0, 0)));
    assert_eq!(wish("friday mourning").part_of_day, Some(PartOfDay::Morning));
    assert_eq!(wish("chews day the first, one a clock").time, Some(time(13, 0, 0, 0)));
    assert_eq!(parse("the rota's not out till Sunday", TODAY), None);
    assert_eq!(wish("a fort night from today").date, TODAY.checked_add(14.days()).ok());
}

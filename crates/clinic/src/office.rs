//! Office hours: by when a colleague calls back.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, ToSpan};

/// When colleagues are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Opening time, local.
    pub opens: Time,
    /// Closing time, local.
    pub closes: Time,
    /// Working days.
    pub weekdays: Vec<Weekday>,
    /// Days off.
    pub holidays: Vec<Date>,
    /// Promised time to a call-back, counted in office hours.
    pub callback_within: Duration,
}

/// Days looked ahead for an open one.
const DAYS_AHEAD_MAX: usize = 30;

impl Office {
    /// By when a call-back that is asked for now is due. Falls on office hours.
    pub fn callback_due(&self, now: DateTime) -> DateTime {
        let mut left = SignedDuration::try_from(self.callback_within).unwrap_or_default();
        let mut day = now.date();
        for _ in 0..DAYS_AHEAD_MAX {
            let (opens, closes) = (day.to_datetime(self.opens), day.to_datetime(self.closes));
            let from = now.max(opens);
            if self.is_working_day(day) && from < closes {
                let due = from.checked_add(left).unwrap_or(closes);
                if due <= closes {
                    return due;
                }
                left -= from.duration_until(closes);
            }
            day = day.checked_add(1.day()).unwrap_or(day);
        }
        // No open day for a month: a site that is closed for good has other problems.
        now
    }

    /// Whether colleagues are there now.
    pub fn is_open(&self, now: DateTime) -> bool {
        self.is_working_day(now.date()) && (self.opens..self.closes).contains(&now.time())
    }

    fn is_working_day(&self, day: Date) -> bool {
        self.weekdays.contains(&day.weekday()) && !self.holidays.contains(&day)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime, time};

    use super::*;

    #[test]
    fn call_backs_fall_into_office_hours() {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let office = Office {
            opens: time(8, 0, 0, 0),
            closes: time(17, 0, 0, 0),
            weekdays: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
            holidays: vec![date(2026, 11, 26)],
            callback_within: Duration::from_hours(2),
        };
        let due = |day, hour| office.callback_due(datetime(2026, 11, day, hour, 0, 0, 0));
        assert_eq!(due(23, 10), datetime(2026, 11, 23, 12, 0, 0, 0));
        assert_eq!(due(23, 16), datetime(2026, 11, 24, 9, 0, 0, 0));
        assert_eq!(due(25, 20), datetime(2026, 11, 27, 10, 0, 0, 0), "over the holiday");
        assert_eq!(due(28, 12), datetime(2026, 11, 30, 10, 0, 0, 0), "over the weekend");
        let open = |day, hour| office.is_open(datetime(2026, 11, day, hour, 0, 0, 0));
        assert!(open(23, 8) && open(23, 16));
        assert!(!open(23, 7) && !open(23, 17) && !open(26, 10) && !open(28, 10));
    }
}

//! The only place that reads the clock; everything else gets time as an argument.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use radline_store::Moment;

/// Wall clock of a site, or a fixed moment that time runs on from.
#[derive(Debug, Clone)]
pub struct Clock {
    timezone: TimeZone,
    began: Instant,
    began_at: Timestamp,
}

impl Clock {
    /// The real time.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn real(timezone: TimeZone) -> Self {
        Self { timezone, began: Instant::now(), began_at: Timestamp::now() }
    }

    /// Time that runs on from a given local moment, for trying out dialogues of another day.
    pub fn from(timezone: TimeZone, start: jiff::civil::DateTime) -> Self {
        let began_at = start.to_zoned(timezone.clone()).map(|zoned| zoned.timestamp());
        let real = Self::real(timezone);
        Self { began_at: began_at.unwrap_or(real.began_at), ..real }
    }

    /// Monotonic time since this clock was made.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What a point in time is on the site's clock.
    pub fn local(&self, at: Timestamp) -> jiff::civil::DateTime {
        Zoned::new(at, self.timezone.clone()).datetime()
    }

    /// Now, as a point in time and on the site's clock.
    pub fn moment(&self) -> Moment {
        let now = self
            .began_at
            .saturating_add(jiff::SignedDuration::try_from(self.elapsed()).unwrap_or_default());
        let now = now.unwrap_or(self.began_at);
        Moment { now, local: self.local(now) }
    }
}

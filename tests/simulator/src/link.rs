//! One direction of a network: packets are delayed, reordered, doubled and lost in bursts.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// Share of packets that begin a burst of losses.
    pub loss: f64,
    /// Delay of every packet, ms.
    pub delay_ms: f64,
    /// Mean of the random delay on top, ms, exponentially distributed.
    pub jitter_ms: f64,
    /// Share of packets that are held up by 30 to 120 ms and so overtaken.
    pub held_up: f64,
    /// Share of packets that come twice.
    pub doubled: f64,
}

impl Quality {
    /// A network drawn at random: most are good, some are bad, a few are awful.
    pub fn draw(random: &mut StdRng) -> Self {
        let (loss, jitter_ms, held_up) = match random.random_range(0..100) {
            0..60 => (0.0005, 1.0, 0.0),
            60..90 => (0.005, 6.0, 0.005),
            _ => (0.02, 20.0, 0.02),
        };
        let delay_ms = random.random_range(5.0..120.0);
        Self { loss, delay_ms, jitter_ms, held_up, doubled: 0.001 }
    }
}

/// One direction.
#[derive(Debug)]
pub struct Link {
    quality: Quality,
    /// Packets of the present burst that are still to be lost.
    losing: u32,
}

impl Link {
    /// A link of this quality.
    pub const fn new(quality: Quality) -> Self {
        Self { quality, losing: 0 }
    }

    /// When a packet sent at `now` arrives: never, once or twice.
    pub fn send(&mut self, now: Duration, random: &mut StdRng) -> Vec<Duration> {
        if self.losing == 0 && random.random_bool(self.quality.loss) {
            self.losing = random.random_range(1..=4);
        }
        if self.losing > 0 {
            self.losing -= 1;
            return Vec::new();
        }
        let mut delay = self.quality.delay_ms;
        delay -= self.quality.jitter_ms * random.random_range(f64::EPSILON..1.0).ln();
        if random.random_bool(self.quality.held_up) {
            delay += random.random_range(30.0..120.0);
        }
        let arrival = now + Duration::from_secs_f64(delay / 1000.0);
        if random.random_bool(self.quality.doubled) {
            return vec![arrival, arrival + Duration::from_millis(3)];
        }
        vec![arrival]
    }
}

//! Whether a model is right as often as it says.

use radline_training::record::Record;

use super::reading::Labelled;
use super::score::Share;

/// Steps from not sure at all to quite sure.
const BINS: usize = 10;

/// How sure the model was of the act, and how often it was right.
#[derive(Debug, Default)]
pub(super) struct Calibration {
    bins: [(Share, f64); BINS],
}

impl Calibration {
    /// Of what was read of the records.
    pub(super) fn of(records: &[Record], read: &[Labelled]) -> Self {
        let mut calibration = Self::default();
        for (record, (reading, _)) in records.iter().zip(read) {
            calibration.add(reading.confidence, reading.labels.intent == record.intent);
        }
        calibration
    }

    fn add(&mut self, sure: f32, right: bool) {
        let bin = ((sure * BINS as f32) as usize).min(BINS - 1);
        self.bins[bin].0.add(right);
        self.bins[bin].1 += f64::from(sure);
    }

    /// The expected calibration error: how far sureness and truth are apart, 0 to 1 (Guo et al. 2017,
    /// arXiv:1706.04599).
    pub(super) fn error(&self) -> f64 {
        let all: usize = self.bins.iter().map(|(share, _)| share.of()).sum();
        let apart = self.filled().map(|(share, sure)| {
            let right = share.value().unwrap_or_default();
            share.of() as f64 / all as f64 * (right - sure).abs()
        });
        apart.sum()
    }

    /// Mean sureness and share that was right, of each step that has any.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        self.filled().map(|(share, sure)| (sure, share.value().unwrap_or_default())).collect()
    }

    /// Each step, as text.
    pub(super) fn bins(&self) -> Vec<String> {
        self.filled().map(|(share, sure)| format!("{sure:.2}, right {share}")).collect()
    }

    /// The steps that have any, with their mean sureness.
    fn filled(&self) -> impl Iterator<Item = (Share, f64)> {
        let filled = self.bins.iter().filter(|(share, _)| share.of() > 0);
        filled.map(|(share, sum)| (*share, sum / share.of() as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_right_as_often_as_they_say_has_no_error() {
        let mut honest = Calibration::default();
        for right in [true, true, true, false] {
            honest.add(0.75, right);
        }
        assert!(honest.error() < 1e-9);
        let mut boaster = Calibration::default();
        boaster.add(1.0, false);
        boaster.add(1.0, true);
        assert!((boaster.error() - 0.5).abs() < 1e-9);
        assert_eq!(boaster.points(), [(1.0, 0.5)]);
        assert!(Calibration::default().error() < 1e-9, "nothing was read");
    }
}

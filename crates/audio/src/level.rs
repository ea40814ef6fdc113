//! Loudness of a piece of audio.

/// Root mean square level relative to full scale, dBFS; −120 for silence.
pub fn rms_dbfs(samples: &[i16]) -> f32 {
    dbfs(power(samples))
}

/// Mean power relative to full scale, 0.0 to 1.0.
pub fn power(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    energy / samples.len() as f64 / f64::from(i16::MAX).powi(2)
}

/// The level of a mean power, dBFS; −120 for silence.
pub fn dbfs(power: f64) -> f32 {
    if power < 1e-12 { SILENCE_DBFS } else { (10.0 * power.log10()) as f32 }
}

/// What [`rms_dbfs`] returns for digital silence.
pub const SILENCE_DBFS: f32 = -120.0;

/// Scales audio so that its loudest sample reaches `peak_dbfs`, for voices of uneven level.
/// Silence stays silence.
pub fn normalise_peak(samples: &mut [f32], peak_dbfs: f32) {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if peak < 1e-4 {
        return;
    }
    let gain = 10.0_f32.powf(peak_dbfs / 20.0) / peak;
    for sample in samples {
        *sample *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_square_is_zero_dbfs() {
        assert!(rms_dbfs(&[i16::MAX, -i16::MAX].repeat(100)).abs() < 0.01);
        assert!((rms_dbfs(&[0; 10]) - SILENCE_DBFS).abs() < f32::EPSILON);
    }

    #[test]
    fn normalising_reaches_the_peak() {
        let mut audio = vec![0.1, -0.2, 0.05];
        normalise_peak(&mut audio, -6.0206);
        assert!((audio[1] + 0.5).abs() < 1e-3);
    }
}

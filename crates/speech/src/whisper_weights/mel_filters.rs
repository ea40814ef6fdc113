//! The triangular mel filters that Whisper was trained with: Slaney's scale and area
//! normalisation, 16 kHz, a 400-point transform.

/// Frequency bins of the transform, 0 to 8 kHz in steps of 40 Hz.
pub(super) const BINS: usize = 201;
const BIN_HZ: f64 = 40.0;
const TOP_HZ: f64 = 8_000.0;
/// Slaney's scale is linear up to here, Hz.
const LINEAR_TOP_HZ: f64 = 1_000.0;
const LINEAR_STEP_HZ: f64 = 200.0 / 3.0;

/// `mels` filters, row after row.
pub(super) fn slaney(mels: usize) -> Vec<f32> {
    let top = to_mel(TOP_HZ);
    let edges: Vec<f64> =
        (0..mels + 2).map(|index| to_hz(top * index as f64 / (mels + 1) as f64)).collect();
    let mut filters = Vec::with_capacity(mels * BINS);
    for edge in edges.windows(3) {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        for bin in 0..BINS {
            let hz = bin as f64 * BIN_HZ;
            let rise = (hz - low) / (centre - low);
            let fall = (high - hz) / (high - centre);
            filters.push((rise.min(fall).max(0.0) * 2.0 / (high - low)) as f32);
        }
    }
    filters
}

fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn to_mel(hz: f64) -> f64 {
    if hz < LINEAR_TOP_HZ {
        hz / LINEAR_STEP_HZ
    } else {
        LINEAR_TOP_HZ / LINEAR_STEP_HZ + (hz / LINEAR_TOP_HZ).ln() / log_step()
    }
}

fn to_hz(mel: f64) -> f64 {
    let linear_top = LINEAR_TOP_HZ / LINEAR_STEP_HZ;
    if mel < linear_top {
        mel * LINEAR_STEP_HZ
    } else {
        LINEAR_TOP_HZ * ((mel - linear_top) * log_step()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_one_hump_and_about_the_same_area() {
        let filters = slaney(80);
        assert_eq!(filters.len(), 80 * BINS);
        for filter in filters.chunks(BINS) {
            let area: f32 = filter.iter().sum::<f32>() * BIN_HZ as f32;
            assert!((0.5..1.5).contains(&area), "area {area}");
            assert!(filter.iter().all(|weight| *weight >= 0.0));
        }
    }

    #[test]
    fn the_scale_is_its_own_inverse() {
        for hz in [0.0, 440.0, 999.0, 1000.0, 3500.0, 8000.0] {
            assert!((to_hz(to_mel(hz)) - hz).abs() < 1e-6);
        }
    }
}

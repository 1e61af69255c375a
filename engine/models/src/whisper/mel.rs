//! The mel filter bank that Whisper was trained with: `librosa.filters.mel(sr=16000, n_fft=400, n_mels=…)`, which is
//! Slaney's scale with triangles of equal area.

/// Samples a second.
const SAMPLE_RATE: f64 = 16_000.0;
/// Frequency bins of a 400-point Fourier transform.
pub(super) const BINS: usize = 201;
/// Slaney's scale is linear below this frequency, hertz...
const LINEAR_HZ: f64 = 1000.0;
/// ... with this many hertz a mel ...
const HZ_A_MEL: f64 = 200.0 / 3.0;
/// ... and logarithmic above it: this many mels for a factor of 6.4.
const MELS_A_LOG_STEP: f64 = 27.0;

fn mel(hz: f64) -> f64 {
    if hz < LINEAR_HZ { hz / HZ_A_MEL } else { LINEAR_HZ / HZ_A_MEL + (hz / LINEAR_HZ).ln() / log_step() }
}

fn hz(mel: f64) -> f64 {
    let linear = LINEAR_HZ / HZ_A_MEL;
    if mel < linear { mel * HZ_A_MEL } else { LINEAR_HZ * (log_step() * (mel - linear)).exp() }
}

fn log_step() -> f64 {
    6.4_f64.ln() / MELS_A_LOG_STEP
}

/// `mels` filters of [`BINS`] weights each, one after the other.
pub(super) fn filter_bank(mels: usize) -> Vec<f32> {
    let nyquist = SAMPLE_RATE / 2.0;
    let mel_step = mel(nyquist) / (mels + 1) as f64;
    let mut edges: Vec<f64> = (0..=mels).map(|i| hz(i as f64 * mel_step)).collect();
    edges.push(hz(mel(nyquist)));
    let bin_hz = nyquist / (BINS - 1) as f64;

    let mut bank = Vec::with_capacity(mels * BINS);
    for edge in edges.windows(3) {
        let [left, centre, right] = [edge[0], edge[1], edge[2]];
        let height = 2.0 / (right - left);
        for bin in 0..BINS {
            let frequency = bin as f64 * bin_hz;
            // numpy's order of operations, which makes the very first weight -0.0: the file is pinned to the bit
            let rising = -(left - frequency) / (centre - left);
            let falling = (right - frequency) / (right - centre);
            let weight = if rising < falling { rising } else { falling };
            let weight = if weight < 0.0 { 0.0 } else { weight };
            bank.push((weight * height) as f32);
        }
    }
    bank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_slaneys() {
        assert!((mel(1000.0) - 15.0).abs() < 1e-12);
        assert!((mel(6400.0) - 42.0).abs() < 1e-12, "27 mels for a factor of 6.4");
        for f in [0.0, 440.0, 1000.0, 3000.0, 8000.0] {
            assert!((hz(mel(f)) - f).abs() < 1e-9);
        }
    }

    #[test]
    fn filters_are_triangles_of_equal_area_in_rising_order() {
        let bank = filter_bank(80);
        assert_eq!(bank.len(), 80 * BINS);
        let mut peak_before = 0;
        for (i, filter) in bank.chunks(BINS).enumerate() {
            let peak = (0..BINS).max_by(|a, b| filter[*a].total_cmp(&filter[*b])).unwrap();
            assert!(peak >= peak_before, "filter {i}");
            peak_before = peak;
            if i > 40 {
                // wide enough for the sum over bins to be near the integral, which is 1
                let area: f32 = filter.iter().sum::<f32>() * 40.0;
                assert!((area - 1.0).abs() < 0.05, "filter {i} has area {area}");
            }
        }
    }

    #[test]
    fn the_first_weights_are_librosas() {
        // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)[0, 1] and [1, 1:3]
        let bank = filter_bank(80);
        assert_eq!(bank[0], 0.0);
        assert!((bank[1] - 0.024_862_59).abs() < 1e-7, "{}", bank[1]);
        assert!((bank[BINS + 1] - 0.001_990_82).abs() < 1e-7, "{}", bank[BINS + 1]);
        assert!((bank[BINS + 2] - 0.022_871_77).abs() < 1e-7, "{}", bank[BINS + 2]);
    }
}

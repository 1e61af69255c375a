//! [`Latencies`]: how long something took, many times.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// Nothing that is measured here takes longer; what does counts as this.
const LONGEST: Duration = Duration::from_secs(60);

/// Durations, to the microsecond and three digits.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// What there is to say about durations, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let longest = LONGEST.as_micros() as u64;
        Self(Histogram::new_with_bounds(1, longest, 3).expect("a minute in microseconds is a range for 3 digits"))
    }

    pub(crate) fn record(&mut self, took: Duration) {
        self.0.saturating_record(took.as_micros() as u64);
    }

    /// Adds those of `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let ms = |micros: u64| micros as f64 / 1e3;
        let at = |quantile| ms(self.0.value_at_quantile(quantile));
        Quantiles { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: ms(self.0.max()) }
    }
}

impl Extend<Duration> for Latencies {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, durations: T) {
        durations.into_iter().for_each(|took| self.record(took));
    }
}

impl Quantiles {
    /// As figures, one each.
    pub(crate) fn figures(&self, name: &str) -> [Figure; 4] {
        [("p50", self.p50), ("p95", self.p95), ("p99", self.p99), ("max", self.max)]
            .map(|(quantile, ms)| Figure::new(format!("{name}, {quantile}"), "ms", ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        latencies.extend((1..=100).map(Duration::from_millis));
        let Quantiles { p50, p95, p99, max } = latencies.quantiles();
        for (is, should) in [(p50, 50.0), (p95, 95.0), (p99, 99.0), (max, 100.0)] {
            assert!((is / should - 1.0_f64).abs() < 2e-3, "{is} is not {should}");
        }
        latencies.record(Duration::from_secs(3_600));
        assert!(latencies.quantiles().max >= 60_000.0);
    }
}

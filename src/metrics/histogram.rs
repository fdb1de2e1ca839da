//! A histogram with fixed bounds, one writer and no lock. That of prometheus-client locks at each observation.

use std::time::Duration;

use super::counter::Counter;

/// Upper bounds in nanoseconds. An echo takes microseconds. A reply that takes a second waits for a client that does not read.
const BOUNDS: [u64; 20] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    10_000_000_000,
];

#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// One for each bound, and one for what is above them all.
    buckets: [Counter; BOUNDS.len() + 1],
    nanos: Counter,
}

impl Histogram {
    /// Records a duration `count` times.
    pub(super) fn observe(&self, span: Duration, times: u64) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS
            .iter()
            .position(|bound| nanos <= *bound)
            .unwrap_or(BOUNDS.len());
        self.buckets[bucket].add(times);
        self.nanos.add(nanos.saturating_mul(times));
    }
}

/// Returns the sum of all durations, and the count of each bucket with its upper bound in seconds.
pub(super) fn sum<'h>(histograms: impl Iterator<Item = &'h Histogram>) -> (Duration, Vec<(f64, u64)>) {
    let bounds = BOUNDS
        .iter()
        .map(|nanos| Duration::from_nanos(*nanos).as_secs_f64());
    let mut buckets: Vec<_> = bounds.chain([f64::INFINITY]).map(|bound| (bound, 0)).collect();
    let mut nanos = 0;
    for histogram in histograms {
        for ((_, count), bucket) in buckets.iter_mut().zip(&histogram.buckets) {
            *count += bucket.get();
        }
        nanos += histogram.nanos.get();
    }
    (Duration::from_nanos(nanos), buckets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_counted_in_the_first_bucket_that_contains_it() {
        let (one, two) = (Histogram::default(), Histogram::default());
        for nanos in [0, 1_000, 1_001, 10_000_000_000, 10_000_000_001] {
            one.observe(Duration::from_nanos(nanos), 1);
        }
        two.observe(Duration::from_nanos(1_001), 2);
        let (sum, buckets) = sum([one, two].iter());
        assert_eq!(sum, Duration::from_nanos(20_000_004_004));
        let filled: Vec<_> = buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            filled,
            [(0.000_001, 2), (0.000_002_5, 3), (10.0, 1), (f64::INFINITY, 1)]
        );
    }
}

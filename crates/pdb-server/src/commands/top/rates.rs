//! Rates: the differences between two snapshots over the time between them.

use super::snapshot::{Buckets, Snapshot};

/// The snapshot before, and the time since then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Baseline<'s> {
    /// Empty if the server was restarted since.
    pub(super) snapshot: &'s Snapshot,
    pub(super) seconds: f64,
}

/// How long a share of all calls takes at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantile {
    pub(super) seconds: f64,
    /// The true value is above the largest bound of the histogram, which `seconds` is.
    pub(super) is_beyond: bool,
}

impl Baseline<'_> {
    /// Returns the increase of a counter per second. A counter that was not there before has counted from 0.
    pub(super) fn rate(&self, before: Option<f64>, after: f64) -> f64 {
        increase(before.unwrap_or(0.0), after) / self.seconds
    }
}

/// Returns how far a counter has counted. A counter that went back was restarted, and has counted from 0.
pub(super) fn increase(before: f64, after: f64) -> f64 {
    if after < before { after.max(0.0) } else { after - before }
}

impl Buckets {
    /// Returns what was added since an earlier histogram.
    pub(super) fn since(&self, before: &Self) -> Self {
        let total = |buckets: &Self| buckets.0.last().map_or(0.0, |(_, count)| *count);
        if total(self) < total(before) {
            return self.clone();
        }
        let earlier = |bound: f64| {
            before
                .0
                .iter()
                .find(|(other, _)| other.total_cmp(&bound).is_eq())
                .map_or(0.0, |(_, count)| *count)
        };
        Self(self.0.iter().map(|&(bound, count)| (bound, increase(earlier(bound), count))).collect())
    }

    /// Estimates a quantile as Prometheus does: values are spread evenly within a bucket. `None` if there are no
    /// values.
    pub(super) fn quantile(&self, share: f64) -> Option<Quantile> {
        let &(_, total) = self.0.last()?;
        if total <= 0.0 {
            return None;
        }
        let rank = share * total;
        let (mut lower, mut below) = (0.0, 0.0);
        for &(bound, count) in &self.0 {
            if count >= rank {
                if bound.is_infinite() {
                    break;
                }
                let part = if count > below { (rank - below) / (count - below) } else { 1.0 };
                return Some(Quantile { seconds: lower + (bound - lower) * part, is_beyond: false });
            }
            (lower, below) = (bound, count);
        }
        Some(Quantile { seconds: lower, is_beyond: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_estimated_within_buckets() {
        let buckets = Buckets(vec![(0.1, 10.0), (0.5, 90.0), (1.0, 90.0), (f64::INFINITY, 100.0)]);
        let seconds = |seconds| Some(Quantile { seconds, is_beyond: false });
        assert_eq!(buckets.quantile(0.05), seconds(0.05));
        assert_eq!(buckets.quantile(0.5), seconds(0.1 + 0.4 * 0.5));
        assert_eq!(buckets.quantile(0.9), seconds(0.5));
        assert_eq!(buckets.quantile(0.99), Some(Quantile { seconds: 1.0, is_beyond: true }));
        assert_eq!(Buckets(vec![(0.1, 0.0), (f64::INFINITY, 0.0)]).quantile(0.5), None);
        assert_eq!(Buckets::default().quantile(0.5), None);
        // Counts that do not grow from bucket to bucket are no histogram, but do no harm.
        let odd = Buckets(vec![(0.1, 9.0), (0.2, 3.0), (f64::INFINITY, 5.0)]);
        assert!(odd.quantile(0.5).is_some_and(|quantile| quantile.seconds.is_finite()));
    }

    #[test]
    fn histograms_are_compared_bucket_by_bucket() {
        let before = Buckets(vec![(0.1, 10.0), (f64::INFINITY, 10.0)]);
        let after = Buckets(vec![(0.1, 12.0), (0.5, 20.0), (f64::INFINITY, 30.0)]);
        assert_eq!(after.since(&before), Buckets(vec![(0.1, 2.0), (0.5, 20.0), (f64::INFINITY, 20.0)]));
        // A restart.
        assert_eq!(before.since(&after), before);
    }
}

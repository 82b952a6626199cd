//! How values are spread.

use serde::{Deserialize, Serialize};

/// Quantiles of some values, in their unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// The least value.
    pub min: f64,
    /// The 5 % quantile.
    pub p05: f64,
    /// The 25 % quantile.
    pub p25: f64,
    /// The median.
    pub median: f64,
    /// The 75 % quantile.
    pub p75: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The largest value.
    pub max: f64,
}

impl Quantiles {
    /// Of at least one value; `None` for none. Between two values of the sorted list they are interpolated.
    ///
    /// # Source
    /// Type 7 of Hyndman, Fan, *Sample Quantiles in Statistical Packages*, The American Statistician 50 (1996): what
    /// NumPy and R give when not asked for another.
    #[must_use]
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at = |share| quantile(&values, share);
        Some(Self {
            min: *values.first()?,
            p05: at(0.05),
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
            max: *values.last()?,
        })
    }
}

/// The quantile for a share 0..=1 of sorted values, of at least one.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + part * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([2, 3, 5, 7, 11, 13], [0, .05, .25, .5, .75, .95, 1]), NumPy 2.
        let got = Quantiles::of(vec![13.0, 2.0, 7.0, 3.0, 11.0, 5.0]).unwrap();
        let got = [got.min, got.p05, got.p25, got.median, got.p75, got.p95, got.max];
        for (got, want) in got.into_iter().zip([2.0, 2.25, 3.5, 6.0, 10.0, 12.5, 13.0]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        assert_eq!(Quantiles::of(Vec::new()), None);
        assert!((quantile(&[0.3], 0.9) - 0.3).abs() < 1e-15);
    }
}

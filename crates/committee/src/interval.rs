//! How far an error rate may be from the one that counted errors show.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// A range that holds the true value with some confidence, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Its lower end, in percent.
    pub low_percent: f64,
    /// Its upper end, in percent.
    pub high_percent: f64,
}

/// The confidence of every interval that a report prints.
pub const CONFIDENCE: f64 = 0.95;

impl Interval {
    /// The Wilson interval of the rate of `errors` among `n` images.
    ///
    /// # Units
    /// `confidence`: a share in 0..1, such as [`CONFIDENCE`]; taken into 0..=1 otherwise. At 0 the interval is the rate, at 1
    /// it is everything. No images: everything.
    /// # Source
    /// Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, JASA 22 (1927); without continuity
    /// correction (method 3 of Newcombe, Statistics in Medicine 17, 1998). Covers what it should also for the few
    /// errors of a good classifier, where rate ± 2 deviations does not.
    #[must_use]
    pub fn wilson(errors: u32, n: u32, confidence: f64) -> Self {
        let confidence = confidence.clamp(0.0, 1.0);
        if n == 0 || confidence >= 1.0 {
            return Self { low_percent: 0.0, high_percent: 100.0 };
        }
        let z = Normal::standard().inverse_cdf(f64::midpoint(1.0, confidence));
        let (n_images, n_errors) = (f64::from(n), f64::from(errors));
        let rate = n_errors / n_images;
        let centre = n_errors + z * z / 2.0;
        let reach = z * (n_images * rate * (1.0 - rate) + z * z / 4.0).sqrt();
        let end = |at: f64| (100.0 * at / (n_images + z * z)).clamp(0.0, 100.0);
        // Where they are 0 and 100 by definition, no rounding shall say otherwise.
        Self {
            low_percent: if errors == 0 { 0.0 } else { end(centre - reach) },
            high_percent: if errors == n { 100.0 } else { end(centre + reach) },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(errors: u32, n: u32, low: f64, high: f64) {
        let got = Interval::wilson(errors, n, CONFIDENCE);
        // Published with four decimals of the share, two of the percent.
        assert!((got.low_percent - low).abs() <= 0.005 + 1e-9, "{got:?}");
        assert!((got.high_percent - high).abs() <= 0.005 + 1e-9, "{got:?}");
    }

    /// Newcombe 1998, Table I, method 3.
    #[test]
    fn wilson_intervals_are_the_published_ones() {
        check(81, 263, 25.53, 36.62);
        check(15, 148, 6.24, 16.05);
        check(0, 20, 0.0, 16.11);
        check(1, 29, 0.61, 17.18);
    }

    /// `scipy.stats.binomtest(errors, n).proportion_ci(method="wilson")` of SciPy 1.17.1.
    #[test]
    fn wilson_intervals_are_those_of_scipy() {
        let check = |errors, n, low: f64, high: f64| {
            let got = Interval::wilson(errors, n, CONFIDENCE);
            assert!((got.low_percent - 100.0 * low).abs() < 1e-10, "{got:?}");
            assert!((got.high_percent - 100.0 * high).abs() < 1e-10, "{got:?}");
        };
        check(81, 263, 0.255_288_519_878_274_2, 0.366_209_576_982_800_04);
        check(23, 10_000, 0.001_533_154_495_882_851, 0.003_449_077_482_288_633);
        check(70, 10_000, 0.005_544_619_309_554_506, 0.008_834_003_083_932_618);
    }

    #[test]
    fn the_quantile_is_the_known_one() {
        let z = Normal::standard().inverse_cdf(0.975);
        // Abramowitz and Stegun, and every table since: 1.959963984540054.
        assert!((z - 1.959_963_984_540_054).abs() < 1e-12, "{z}");
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_rate(errors in 0u32..=500, more in 0u32..500, confidence in -0.1f64..1.1) {
            let n = errors + more;
            let Interval { low_percent, high_percent } = Interval::wilson(errors, n, confidence);
            prop_assert!((0.0..=100.0).contains(&low_percent) && (0.0..=100.0).contains(&high_percent));
            if n > 0 {
                let rate = 100.0 * f64::from(errors) / f64::from(n);
                prop_assert!(low_percent <= rate + 1e-9 && rate <= high_percent + 1e-9);
            }
        }
    }
}

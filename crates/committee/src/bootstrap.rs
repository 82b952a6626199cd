//! What the figures would be with other columns, or other digits.

use serde::{Deserialize, Serialize};

use crate::draw::{Purpose, below, rng};
use crate::interval::{CONFIDENCE, Interval};
use crate::quantiles::quantile;
use crate::tally::Ballot;
use crate::{Committee, CommitteeError};

/// What resamples give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// Resamples drawn.
    pub n_resamples: u32,
    /// Their mean, in percent.
    pub mean_percent: f64,
    /// Their deviation, in percent.
    pub sd_percent: f64,
    /// Between their 2.5 % and 97.5 % quantiles (Efron's percentile interval).
    pub interval: Interval,
}

impl Committee {
    /// The committee's error if its members were drawn anew: each group's members from that group, as many, with
    /// replacement. A group of one member does not vary, so for groups of one this says nothing.
    ///
    /// `n_resamples`: at least 2 (taken as 2 below). The draws are a function of `seed` and of the resample's number.
    ///
    /// # Source
    /// Efron, *Bootstrap Methods: Another Look at the Jackknife*, Annals of Statistics 7 (1979); strata as in Davison and
    /// Hinkley, *Bootstrap Methods and their Application* (1997). A resample has fewer different members than the
    /// committee, so its errors are more on average: see the deviation rather than the mean.
    #[must_use]
    pub fn bootstrap_members(&self, n_resamples: u32, seed: u64) -> Bootstrap {
        let ballots: Vec<Ballot> =
            (0..self.members.len()).map(|member| self.ballot(self.rule, member)).collect();
        let groups: Vec<Vec<usize>> = self.groups.iter().map(|group| self.members_in(group)).collect();
        Bootstrap::of(n_resamples, |resample| {
            let mut rng = rng(seed, Purpose::Members, resample);
            let mut drawn = Vec::with_capacity(ballots.len());
            for members in &groups {
                drawn.extend(members.iter().map(|_| &ballots[members[below(&mut rng, members.len())]]));
            }
            self.score_of(&self.tally_of(&drawn)).error_percent()
        })
    }
}

/// The error of `predictions` if the images were drawn anew, as many, with replacement.
///
/// `n_resamples`: at least 2 (taken as 2 below). The draws are a function of `seed` and of the resample's number.
/// # Errors
/// [`CommitteeError::Labels`] when there is not one label a prediction, or none at all.
/// # Source
/// As [`Committee::bootstrap_members`].
pub fn bootstrap_images(
    predictions: &[u8],
    labels: &[u8],
    n_resamples: u32,
    seed: u64,
) -> Result<Bootstrap, CommitteeError> {
    // Every image gets this, drawn: 1 when wrong.
    let wrong = wrongs(predictions, labels)?;
    Ok(bootstrap_mean(&wrong, n_resamples, seed))
}

/// The error of `second` less the error of `first`, in percent points, if the images were drawn anew for both together.
///
/// # Errors
/// As [`bootstrap_images`].
/// # Source
/// As [`Committee::bootstrap_members`].
pub fn bootstrap_difference(
    first: &[u8],
    second: &[u8],
    labels: &[u8],
    n_resamples: u32,
    seed: u64,
) -> Result<Bootstrap, CommitteeError> {
    let (first, second) = (wrongs(first, labels)?, wrongs(second, labels)?);
    let differences: Vec<i8> = second.iter().zip(&first).map(|(second, first)| second - first).collect();
    Ok(bootstrap_mean(&differences, n_resamples, seed))
}

fn wrongs(predictions: &[u8], labels: &[u8]) -> Result<Vec<i8>, CommitteeError> {
    if predictions.len() != labels.len() || labels.is_empty() {
        return Err(CommitteeError::Labels { got: labels.len(), want: predictions.len().max(1) });
    }
    Ok(predictions.iter().zip(labels).map(|(got, want)| i8::from(got != want)).collect())
}

/// Of the mean of `values`, in percent.
fn bootstrap_mean(values: &[i8], n_resamples: u32, seed: u64) -> Bootstrap {
    Bootstrap::of(n_resamples, |resample| {
        let mut rng = rng(seed, Purpose::Images, resample);
        let sum: i64 = values.iter().map(|_| i64::from(values[below(&mut rng, values.len())])).sum();
        100.0 * sum as f64 / values.len() as f64
    })
}

impl Bootstrap {
    fn of(n_resamples: u32, resample: impl Fn(u32) -> f64) -> Self {
        let n_resamples = n_resamples.max(2);
        let mut percents: Vec<f64> = (0..n_resamples).map(resample).collect();
        let n = f64::from(n_resamples);
        let mean_percent = percents.iter().sum::<f64>() / n;
        let squares: f64 = percents.iter().map(|percent| (percent - mean_percent).powi(2)).sum();
        percents.sort_by(f64::total_cmp);
        let tail = (1.0 - CONFIDENCE) / 2.0;
        Self {
            n_resamples,
            mean_percent,
            sd_percent: (squares / (n - 1.0)).sqrt(),
            interval: Interval {
                low_percent: quantile(&percents, tail),
                high_percent: quantile(&percents, 1.0 - tail),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_rate_varies_as_a_binomial_does() {
        let labels = vec![0u8; 10_000];
        let mut predictions = labels.clone();
        predictions[..100].fill(1);
        let got = bootstrap_images(&predictions, &labels, 2_000, 7).unwrap();
        // 1 %, with the deviation √(0.01 · 0.99 / 10,000) = 0.0995 %; the mean of 2,000 is within 0.0022 % of it, one
        // deviation, and their deviation within 1.6 %. Five of each.
        assert!((got.mean_percent - 1.0).abs() < 0.0112, "{got:?}");
        assert!((got.sd_percent - 0.0995).abs() < 0.008, "{got:?}");
        // 1.96 deviations each way, to the hundredth that errors come in.
        assert!((got.interval.low_percent - 0.81).abs() < 0.02, "{got:?}");
        assert!((got.interval.high_percent - 1.20).abs() < 0.02, "{got:?}");
        assert_eq!(got, bootstrap_images(&predictions, &labels, 2_000, 7).unwrap());
        assert_ne!(got, bootstrap_images(&predictions, &labels, 2_000, 8).unwrap());
    }

    #[test]
    fn a_difference_has_the_sign_of_the_second() {
        let labels = vec![0u8; 1_000];
        let (mut first, mut second) = (labels.clone(), labels.clone());
        first[..10].fill(1);
        second[..50].fill(1);
        let got = bootstrap_difference(&first, &second, &labels, 500, 1).unwrap();
        // 40 images of 1,000 differ: 4 % with the deviation √(0.04 · 0.96 / 1,000) = 0.62 %, of 500 resamples 0.03 %.
        assert!((got.mean_percent - 4.0).abs() < 0.14 && got.interval.low_percent > 0.0, "{got:?}");
        let same = bootstrap_difference(&first, &first, &labels, 500, 1).unwrap();
        assert_eq!((same.mean_percent, same.sd_percent), (0.0, 0.0));
    }

    #[test]
    fn no_labels_and_too_few_are_refused() {
        assert!(bootstrap_images(&[], &[], 10, 0).is_err());
        assert!(bootstrap_difference(&[1, 2], &[1], &[1, 2], 10, 0).is_err());
    }
}

//! Whether an answer is as probable as it says.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::tally::first_max;
use crate::{CommitteeError, check::check_labels};

/// Bins of a reliability diagram that a report draws.
pub const RELIABILITY_BINS: u32 = 15;

/// A reliability diagram and what it comes down to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reliability {
    /// Expected calibration error: mean over the images of |confidence − accuracy| of their bin, 0..=1.
    pub expected_calibration_error: f64,
    /// Bins of equal width, from 0 to 1; the first holds 0 too, and each its upper end.
    pub bins: Vec<Bin>,
}

/// The images whose answers have about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// The confidence above which images are in it.
    pub low: f64,
    /// The confidence up to which images are in it.
    pub high: f64,
    /// Images in it.
    pub n: u32,
    /// Those of them whose answer is right.
    pub n_right: u32,
    /// Mean confidence of its images; `None` without any.
    pub mean_confidence: Option<f64>,
}

impl Bin {
    /// Share of right answers; `None` without an image.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.n > 0).then(|| f64::from(self.n_right) / f64::from(self.n))
    }
}

impl Reliability {
    /// Of each image's most probable class; its probability is the confidence.
    ///
    /// # Shapes
    /// `probabilities`: `[images, classes]`. `labels`: a class for each image. `n_bins`: at least 1 (taken as 1 below).
    /// # Errors
    /// [`CommitteeError`] when there is not one label an image, or one is no class.
    /// # Source
    /// Guo, Pleiss, Sun, Weinberger, *On Calibration of Modern Neural Networks*, ICML 2017, equations (2) and (3).
    pub fn of(
        probabilities: ArrayView2<'_, f64>,
        labels: &[u8],
        n_bins: u32,
    ) -> Result<Self, CommitteeError> {
        check_labels(labels, [probabilities.nrows(), probabilities.ncols()])?;
        let n_bins = n_bins.max(1);
        let edge = |index: u32| f64::from(index) / f64::from(n_bins);
        let bin =
            |index| Bin { low: edge(index), high: edge(index + 1), n: 0, n_right: 0, mean_confidence: None };
        let mut bins: Vec<Bin> = (0..n_bins).map(bin).collect();
        let mut sums = vec![0.0; bins.len()];
        for (row, &label) in probabilities.outer_iter().zip(labels) {
            let answer = first_max(row);
            let confidence = row[usize::from(answer)];
            // By the edges themselves, so that an image on one is where the doc says.
            let index = bins.partition_point(|bin| bin.high < confidence).min(bins.len() - 1);
            bins[index].n += 1;
            bins[index].n_right += u32::from(answer == label);
            sums[index] += confidence;
        }
        let mut gaps = 0.0;
        for (bin, sum) in bins.iter_mut().zip(sums).filter(|(bin, _)| bin.n > 0) {
            bin.mean_confidence = Some(sum / f64::from(bin.n));
            gaps += (sum - f64::from(bin.n_right)).abs();
        }
        Ok(Self { expected_calibration_error: gaps / labels.len().max(1) as f64, bins })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn bins_and_error_are_those_worked_out_by_hand() {
        let probabilities = array![[0.9, 0.1], [0.8, 0.2], [0.25, 0.75], [0.4, 0.6], [0.5, 0.5]];
        let got = Reliability::of(probabilities.view(), &[0, 1, 1, 1, 1], 4).unwrap();
        // Quarters: 0.5 is at the end of the second (class 0, wrong); 0.6 and 0.75 are in the third (both right); 0.8
        // (wrong) and 0.9 (right) in the fourth.
        let counts: Vec<(u32, u32)> = got.bins.iter().map(|bin| (bin.n, bin.n_right)).collect();
        assert_eq!(counts, [(0, 0), (1, 0), (2, 2), (2, 1)]);
        assert_eq!((got.bins[0].accuracy(), got.bins[3].accuracy()), (None, Some(0.5)));
        assert!((got.bins[2].mean_confidence.unwrap() - 0.675).abs() < 1e-15);
        // 1/5 · |0.5 − 0| + 2/5 · |0.675 − 1| + 2/5 · |0.85 − 0.5|.
        assert!((got.expected_calibration_error - 0.37).abs() < 1e-15, "{got:?}");
    }

    #[test]
    fn sure_and_right_is_calibrated() {
        let got = Reliability::of(array![[1.0, 0.0], [0.0, 1.0]].view(), &[0, 1], RELIABILITY_BINS).unwrap();
        assert_eq!((got.expected_calibration_error, got.bins[14].n), (0.0, 2));
        assert!(Reliability::of(array![[1.0, 0.0]].view(), &[], 15).is_err());
    }
}

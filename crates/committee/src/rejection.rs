//! What error is left when the least sure answers are given to somebody else.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::tally::first_max;
use crate::{CommitteeError, Score, check::check_labels};

/// Error against rejected share: the risk-coverage curve, exactly, as the points at which it steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// Images in all.
    pub n: u32,
    /// None rejected, then a point for each error that is rejected. Between two points the errors stay those of the
    /// first.
    pub points: Vec<RejectionPoint>,
}

/// A place of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectionPoint {
    /// The least sure images, rejected.
    pub n_rejected: u32,
    /// Errors among the others.
    pub errors: u32,
}

impl Rejection {
    /// Rejects images in the order of their confidence, the probability of their most probable class; of equals the
    /// one that comes first in the array.
    ///
    /// # Shapes
    /// `probabilities`: `[images, classes]`. `labels`: a class for each image.
    /// # Errors
    /// [`CommitteeError`] when there is not one label an image, or one is no class.
    /// # Source
    /// Chow, *On Optimum Recognition Error and Reject Tradeoff*, IEEE Transactions on Information Theory 16 (1970).
    pub fn of(probabilities: ArrayView2<'_, f64>, labels: &[u8]) -> Result<Self, CommitteeError> {
        check_labels(labels, [probabilities.nrows(), probabilities.ncols()])?;
        let mut answers: Vec<(f64, bool)> = probabilities
            .outer_iter()
            .zip(labels)
            .map(|(row, &label)| {
                let answer = first_max(row);
                (row[usize::from(answer)], answer != label)
            })
            .collect();
        answers.sort_by(|(a, _), (b, _)| a.total_cmp(b)); // stable
        let mut errors = answers.iter().filter(|(_, wrong)| *wrong).count() as u32;
        let mut points = vec![RejectionPoint { n_rejected: 0, errors }];
        for (n_rejected, _) in (1..).zip(&answers).filter(|(_, (_, wrong))| *wrong) {
            errors -= 1;
            points.push(RejectionPoint { n_rejected, errors });
        }
        Ok(Self { n: labels.len() as u32, points })
    }

    /// The errors among the images that are left when this many are rejected; at most all of them.
    #[must_use]
    pub fn after(&self, n_rejected: u32) -> Score {
        let n_rejected = n_rejected.min(self.n);
        let reached = self.points.iter().take_while(|point| point.n_rejected <= n_rejected).last();
        Score { errors: reached.map_or(0, |point| point.errors), n: self.n - n_rejected }
    }

    /// The fewest rejected images that leave at most this many errors.
    #[must_use]
    pub fn rejected_for(&self, errors: u32) -> u32 {
        self.points.iter().find(|point| point.errors <= errors).map_or(self.n, |point| point.n_rejected)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_curve_steps_where_an_error_is_rejected() {
        let probabilities = array![[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6]];
        // Confidences 0.9, 0.6, 0.7, 0.8, 0.6; wrong are the second (least sure) and the fourth.
        let got = Rejection::of(probabilities.view(), &[0, 0, 0, 0, 1]).unwrap();
        let point = |n_rejected, errors| RejectionPoint { n_rejected, errors };
        assert_eq!(got.points, [point(0, 2), point(1, 1), point(4, 0)]);
        assert_eq!(got.after(0), Score { errors: 2, n: 5 });
        assert_eq!(got.after(3), Score { errors: 1, n: 2 });
        assert_eq!(got.after(9), Score { errors: 0, n: 0 });
        assert_eq!((got.rejected_for(2), got.rejected_for(1), got.rejected_for(0)), (0, 1, 4));
    }
}

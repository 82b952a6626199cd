//! The error on training digits held out from training, undistorted.

use ciresan_net::Engine;
use classifier::{PredictError, probabilities};
use ndarray::ArrayView1;

use crate::canvas::Canvases;

/// The digits held out, at the width of one column.
#[derive(Debug)]
pub(crate) struct HeldOut<'a> {
    /// The digits.
    pub(crate) digits: Canvases,
    /// Their labels.
    pub(crate) labels: &'a [u8],
}

impl HeldOut<'_> {
    /// The share of the held-out digits that the column gets wrong, 0..=1; `None` when none are held out.
    pub(crate) fn error<E: Engine>(
        &self,
        engine: &mut E,
        column: usize,
        classes: usize,
    ) -> Result<Option<f64>, PredictError> {
        if self.labels.is_empty() {
            return Ok(None);
        }
        let probabilities = probabilities(engine, column, self.digits.view(), None, classes)?;
        let wrong = probabilities.rows().into_iter().zip(self.labels);
        let n_wrong = wrong.filter(|(row, label)| best(*row) != usize::from(**label)).count();
        Ok(Some(n_wrong as f64 / self.labels.len() as f64))
    }
}

/// The most probable class; of equals the first.
fn best(row: ArrayView1<'_, f32>) -> usize {
    let mut best = 0;
    for (class, &probability) in row.iter().enumerate() {
        if probability > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_classes_is_the_best() {
        assert_eq!(best(ndarray::aview1(&[0.2, 0.4, 0.4])), 1);
        assert_eq!(best(ndarray::aview1(&[0.5, 0.5])), 0);
        assert_eq!(best(ndarray::aview1(&[0.1, 0.2, 0.7])), 2);
    }
}

//! How much probability the right classes are given.

use ndarray::ArrayView2;

use crate::CommitteeError;
use crate::check::check_labels;

/// The log-loss: mean over the images of −ln of the probability of their label, in nats; 0 when each label is certain. A label that has
/// the probability 0 counts as if it had [`f32::MIN_POSITIVE`], the smallest there is.
///
/// # Shapes
/// `probabilities`: `[images, classes]`. `labels`: a class for each image.
/// # Errors
/// [`CommitteeError`] when there is not one label for each image, or a label is not a class.
///
/// ```
/// let probabilities = ndarray::array![[0.5, 0.5], [0.25, 0.75]];
/// let loss = committee::log_loss(probabilities.view(), &[0, 1])?;
/// assert!((loss - (2f64.ln() + (4.0 / 3.0f64).ln()) / 2.0).abs() < 1e-15);
/// # Ok::<(), committee::CommitteeError>(())
/// ```
pub fn log_loss<P: Copy + Into<f64>>(
    probabilities: ArrayView2<'_, P>,
    labels: &[u8],
) -> Result<f64, CommitteeError> {
    check_labels(labels, [probabilities.nrows(), probabilities.ncols()])?;
    let of_label = |(row, &label): (ndarray::ArrayView1<'_, P>, &u8)| row[usize::from(label)].into();
    let sum: f64 = (probabilities.outer_iter().zip(labels))
        .map(|pair| -f64::max(of_label(pair), f32::MIN_POSITIVE.into()).ln())
        .sum();
    Ok(sum / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_answer_costs_nothing_and_an_impossible_one_much_but_not_everything() {
        let certain = ndarray::array![[1.0f32, 0.0], [0.0, 1.0]];
        assert!(log_loss(certain.view(), &[0, 1]).unwrap() < f64::MIN_POSITIVE);
        let wrong = log_loss(certain.view(), &[1, 0]).unwrap();
        assert!((wrong - 87.336).abs() < 0.001, "{wrong}");
        assert!(log_loss(certain.view(), &[0]).is_err());
        assert!(log_loss(certain.view(), &[0, 2]).is_err());
    }
}

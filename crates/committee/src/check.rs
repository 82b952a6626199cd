//! Members and labels are checked once, at the border.

use ndarray::ArrayView2;

use crate::error::{CommitteeError, ProbabilitiesProblem, ROW_SUM_TOLERANCE};

/// A sure class may be a rounding above 1. A NaN is in no range.
const VALUES: std::ops::RangeInclusive<f32> = 0.0..=1.0 + ROW_SUM_TOLERANCE as f32;

/// Classes that a prediction of one byte can name.
const N_CLASSES: std::ops::RangeInclusive<usize> = 2..=256;

/// Whether each row is a distribution: no value outside 0..=1, the sum 1 within [`ROW_SUM_TOLERANCE`].
///
/// # Shapes
/// `[images, classes]`: at least one image, 2 to 256 classes.
/// # Errors
/// [`ProbabilitiesProblem`] with the first row that is not.
pub fn check_probabilities(probabilities: ArrayView2<'_, f32>) -> Result<(), ProbabilitiesProblem> {
    let got = [probabilities.nrows(), probabilities.ncols()];
    if got[0] == 0 || !N_CLASSES.contains(&got[1]) {
        return Err(ProbabilitiesProblem::Shape { got });
    }
    for (row, values) in probabilities.outer_iter().enumerate() {
        if let Some(class) = values.iter().position(|value| !VALUES.contains(value)) {
            return Err(ProbabilitiesProblem::Value { row, class, got: values[class] });
        }
        let got: f64 = values.iter().map(|&value| f64::from(value)).sum();
        if (got - 1.0).abs() > ROW_SUM_TOLERANCE {
            return Err(ProbabilitiesProblem::Sum { row, got });
        }
    }
    Ok(())
}

/// A member's array has the first one's shape (`shape`, which it sets if it is the first) and holds distributions.
pub(crate) fn check_member(
    member: &str,
    probabilities: ArrayView2<'_, f32>,
    shape: &mut Option<[usize; 2]>,
) -> Result<(), CommitteeError> {
    let got = [probabilities.nrows(), probabilities.ncols()];
    if let Some(want) = *shape
        && got != want
        && got[0] > 0
        && N_CLASSES.contains(&got[1])
    {
        return Err(CommitteeError::Shapes { member: member.to_owned(), got, want });
    }
    let wrong = |problem| CommitteeError::Member { member: member.to_owned(), problem };
    check_probabilities(probabilities).map_err(wrong)?;
    *shape = Some(got);
    Ok(())
}

/// One label an image, each a class.
pub(crate) fn check_labels(labels: &[u8], [n_images, n_classes]: [usize; 2]) -> Result<(), CommitteeError> {
    if labels.len() != n_images {
        return Err(CommitteeError::Labels { got: labels.len(), want: n_images });
    }
    match labels.iter().position(|&label| usize::from(label) >= n_classes) {
        Some(image_idx) => Err(CommitteeError::Label { image_idx, got: labels[image_idx], n_classes }),
        None => Ok(()),
    }
}

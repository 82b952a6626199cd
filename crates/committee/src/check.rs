//! Members and labels are checked once, at the border.

use ndarray::ArrayView2;

use crate::CommitteeError;

/// How far the probabilities of an image may sum from 1. Softmax in f32 is within 10⁻⁶; outputs kept in half
/// precision are within this.
pub const ROW_SUM_TOLERANCE: f64 = 1e-3;

/// A sure class may be a rounding above 1. A NaN is in no range.
const VALUES: std::ops::RangeInclusive<f32> = 0.0..=1.0 + ROW_SUM_TOLERANCE as f32;

/// Classes that a prediction of one byte can name.
const N_CLASSES: std::ops::RangeInclusive<usize> = 2..=256;

/// A member's array fits the first one (`shape`, which it sets if it is the first) and holds distributions.
pub(crate) fn check_member(
    member: &str,
    probabilities: ArrayView2<'_, f32>,
    shape: &mut Option<[usize; 2]>,
) -> Result<(), CommitteeError> {
    let got = [probabilities.nrows(), probabilities.ncols()];
    if got[0] == 0 || !N_CLASSES.contains(&got[1]) {
        return Err(CommitteeError::Shape { member: member.to_owned(), got });
    }
    let want = *shape.get_or_insert(got);
    if got != want {
        return Err(CommitteeError::Shapes { member: member.to_owned(), got, want });
    }
    for (row, values) in probabilities.outer_iter().enumerate() {
        if let Some(class) = values.iter().position(|value| !VALUES.contains(value)) {
            return Err(CommitteeError::Value { member: member.to_owned(), row, class, got: values[class] });
        }
        let got: f64 = values.iter().map(|&value| f64::from(value)).sum();
        if (got - 1.0).abs() > ROW_SUM_TOLERANCE {
            return Err(CommitteeError::Sum { member: member.to_owned(), row, got });
        }
    }
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

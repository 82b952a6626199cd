//! Several members' probabilities become one answer an image.

use ndarray::{Array2, ArrayView2, Zip};

use crate::CommitteeError;
use crate::check::check_member;

/// The mean of the members' probabilities: the paper's committee.
///
/// # Shapes
/// Each member: `[images, classes]`, all alike. Returns `[images, classes]`.
/// # Units
/// Probabilities 0..=1, each image's sum 1 within [`ROW_SUM_TOLERANCE`](crate::ROW_SUM_TOLERANCE), both ways.
/// # Errors
/// [`CommitteeError`] when there are no members, or one is not what is said above.
/// # Source
/// Cireşan, Meier, Schmidhuber 2012: "averaging". Summed in f64 in the order given, so another order differs
/// by rounding alone: at most 2⁻⁵³ a member.
pub fn mean(members: &[ArrayView2<'_, f32>]) -> Result<Array2<f64>, CommitteeError> {
    let mut mean = sum(members)?;
    mean /= members.len() as f64;
    Ok(mean)
}

/// Each image's class by the votes of the members, who each vote for their most probable class. A tie of
/// votes goes to the class of them with the larger mean probability, and then to the lowest.
///
/// # Shapes
/// Each member: `[images, classes]`, all alike. Returns a class for each image.
/// # Errors
/// As [`mean`].
pub fn majority_vote(members: &[ArrayView2<'_, f32>]) -> Result<Vec<u8>, CommitteeError> {
    let sum = sum(members)?;
    let mut votes = Array2::zeros(sum.raw_dim());
    for member in members {
        cast_votes(&mut votes, &predictions(*member));
    }
    Ok(elected(votes.view(), sum.view()))
}

/// The most probable class of each image; of equals the lowest.
///
/// # Shapes
/// `probabilities`: `[images, classes]` of any kind of number that can be compared; sums do as well as means.
/// At most 256 classes, and at least one; a class that compares with nothing (NaN) is taken only when it is
/// the first.
#[must_use]
pub fn predictions<T: PartialOrd + Copy>(probabilities: ArrayView2<'_, T>) -> Vec<u8> {
    probabilities.outer_iter().map(|row| first_max(row.iter().copied())).collect()
}

/// Index of the first of the largest values.
pub(crate) fn first_max<T: PartialOrd>(values: impl IntoIterator<Item = T>) -> u8 {
    let mut classes = (0..=u8::MAX).zip(values);
    let Some((mut best_class, mut best)) = classes.next() else { return 0 };
    for (class, value) in classes {
        if value > best {
            (best_class, best) = (class, value);
        }
    }
    best_class
}

/// Adds one member's probabilities to a sum.
pub(crate) fn add(sum: &mut Array2<f64>, probabilities: ArrayView2<'_, f32>) {
    Zip::from(sum).and(probabilities).for_each(|sum, &probability| *sum += f64::from(probability));
}

/// Adds one member's vote for each image.
pub(crate) fn cast_votes(votes: &mut Array2<u32>, predictions: &[u8]) {
    for (mut votes, &class) in votes.outer_iter_mut().zip(predictions) {
        votes[usize::from(class)] += 1;
    }
}

/// Each image's class with the most votes; of equals the one with the largest sum of probabilities, then the
/// lowest.
pub(crate) fn elected(votes: ArrayView2<'_, u32>, sums: ArrayView2<'_, f64>) -> Vec<u8> {
    let images = votes.outer_iter().zip(sums.outer_iter());
    images.map(|(votes, sums)| first_max(votes.iter().zip(sums.iter()))).collect()
}

fn sum(members: &[ArrayView2<'_, f32>]) -> Result<Array2<f64>, CommitteeError> {
    let mut shape = None;
    for (index, member) in members.iter().enumerate() {
        check_member(&index.to_string(), *member, &mut shape)?;
    }
    let mut sum = Array2::zeros(shape.ok_or(CommitteeError::NoMembers)?);
    members.iter().for_each(|member| add(&mut sum, *member));
    Ok(sum)
}

//! Several members' probabilities become one answer an image.

use ndarray::{Array2, ArrayView2};

use crate::check::check_member;
use crate::tally::{Ballot, Tally, first_max};
use crate::{CommitteeError, Rule};

/// Combines members one after the other and keeps none of them, so that any number fits in memory. (The median
/// cannot be had so: for it, and for it alone, every member's values are kept.)
///
/// ```
/// use committee::{Combiner, Rule};
/// use ndarray::array;
/// let mut combiner = Combiner::new(Rule::Product);
/// for member in [array![[0.9f32, 0.1]], array![[0.3, 0.7]], array![[0.4, 0.6]]] {
///     combiner.add(member.view())?;
/// }
/// assert_eq!(combiner.finish()?.predictions, [0]); // 0.9 · 0.3 · 0.4 against 0.1 · 0.7 · 0.6
/// # Ok::<(), committee::CommitteeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Combiner {
    rule: Rule,
    shape: Option<[usize; 2]>,
    n_members: usize,
    tally: Option<Tally>,
}

/// What a committee says.
#[derive(Debug, Clone, PartialEq)]
pub struct Combined {
    /// `[images, classes]`: probabilities 0..=1, each image's sum 1 within rounding.
    pub probabilities: Array2<f64>,
    /// Each image's class.
    pub predictions: Vec<u8>,
}

impl Combiner {
    /// Of no members yet.
    #[must_use]
    pub const fn new(rule: Rule) -> Self {
        Self { rule, shape: None, n_members: 0, tally: None }
    }

    /// Adds a member of weight 1.
    ///
    /// # Shapes
    /// `[images, classes]`, as the members before.
    /// # Errors
    /// As [`add_weighted`](Self::add_weighted).
    pub fn add(&mut self, probabilities: ArrayView2<'_, f32>) -> Result<(), CommitteeError> {
        self.add_weighted(probabilities, 1.0)
    }

    /// Adds a member with a weight, which [`Rule::Weighted`] uses and the others do not.
    ///
    /// # Shapes
    /// `[images, classes]`, as the members before.
    /// # Errors
    /// [`CommitteeError`] when the member is no array of distributions or has another shape than those before
    /// (named by its index from 0), or when the weight is below 0 or not finite. Nothing is added then.
    pub fn add_weighted(
        &mut self,
        probabilities: ArrayView2<'_, f32>,
        weight: f64,
    ) -> Result<(), CommitteeError> {
        let member = self.n_members.to_string();
        check_weight(&member, weight)?;
        check_member(&member, probabilities, &mut self.shape)?;
        let shape = [probabilities.nrows(), probabilities.ncols()];
        let tally = self.tally.get_or_insert_with(|| Tally::new(self.rule, shape));
        tally.add(&Ballot::new(self.rule, probabilities, weight));
        self.n_members += 1;
        Ok(())
    }

    /// The answers.
    ///
    /// # Errors
    /// [`CommitteeError::NoMembers`] when none was added.
    pub fn finish(self) -> Result<Combined, CommitteeError> {
        let tally = self.tally.ok_or(CommitteeError::NoMembers)?;
        Ok(Combined { probabilities: tally.probabilities(), predictions: tally.predictions() })
    }
}

/// A weight is finite and not negative.
pub(crate) fn check_weight(member: &str, weight: f64) -> Result<(), CommitteeError> {
    if weight.is_finite() && weight >= 0.0 {
        return Ok(());
    }
    Err(CommitteeError::Weight { member: member.to_owned(), got: weight })
}

/// What a rule makes of some members, each with the weight 1.
///
/// # Shapes
/// Each member: `[images, classes]`, all alike.
/// # Errors
/// [`CommitteeError`] when there are no members, or one is not what is said above.
pub fn combine(rule: Rule, members: &[ArrayView2<'_, f32>]) -> Result<Combined, CommitteeError> {
    let mut combiner = Combiner::new(rule);
    members.iter().try_for_each(|member| combiner.add(*member))?;
    combiner.finish()
}

/// The mean of the members' probabilities: the paper's committee.
///
/// # Shapes
/// Each member: `[images, classes]`, all alike. Returns `[images, classes]`.
/// # Units
/// Probabilities 0..=1, each image's sum 1 within [`ROW_SUM_TOLERANCE`](crate::ROW_SUM_TOLERANCE), both ways.
/// # Errors
/// As [`combine`].
/// # Source
/// Cireşan, Meier, Schmidhuber 2012: "averaging". Summed in f64 in the order given, so another order differs
/// by rounding alone: at most 2⁻⁵³ a member.
pub fn mean(members: &[ArrayView2<'_, f32>]) -> Result<Array2<f64>, CommitteeError> {
    Ok(combine(Rule::Mean, members)?.probabilities)
}

/// The most probable class of each image; of equals the lowest.
///
/// # Shapes
/// `probabilities`: `[images, classes]` of any kind of number that can be compared; sums do as well as means.
/// At most 256 classes, and at least one; a class that compares with nothing (NaN) is taken only when it is
/// the first.
#[must_use]
pub fn predictions<T: PartialOrd + Copy>(probabilities: ArrayView2<'_, T>) -> Vec<u8> {
    probabilities.outer_iter().map(first_max).collect()
}

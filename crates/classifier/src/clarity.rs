//! Whether an answer is clear.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2, Axis};
use preprocess::Doubt;

/// An answer is clear if every column gives it at least this probability.
///
/// Chosen on held-out training digits, with 40 columns of the tuning studies in `results/tuning`: 97.5 % of the 10,000 digits are clear, and 5 of the
/// 30 that the committee misclassifies. At 0.9 it would be 96.6 % and 3; with the committee's mean above 0.8 and all columns' votes for
/// it, 98.6 % and 11.
pub const CLEAR: f64 = 0.8;

/// Why an answer is not clear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unclear {
    /// The image speaks against one digit.
    Image(Doubt),
    /// The committee's probability is below [`CLEAR`], and so is that of at least one column.
    Probability(f64),
    /// Some columns give the answer less than [`CLEAR`]. For a digit, all columns are usually sure; for letters and scribbles, some often are not.
    Columns {
        /// Columns that give it at least [`CLEAR`].
        n_sure: usize,
        /// All columns.
        n_columns: usize,
    },
}

impl Unclear {
    /// What speaks against a committee's answer; `None` for a clear one.
    ///
    /// # Shapes
    /// `committee`: `[classes]`, the mean of all columns; `columns`: `[columns, classes]`.
    #[must_use]
    pub fn of(
        committee: ArrayView1<'_, f64>,
        columns: ArrayView2<'_, f32>,
        doubt: Option<Doubt>,
    ) -> Option<Self> {
        if let Some(doubt) = doubt {
            return Some(Self::Image(doubt));
        }
        let class = usize::from(committee::predictions(committee.insert_axis(Axis(0)))[0]);
        if committee[class] < CLEAR {
            return Some(Self::Probability(committee[class]));
        }
        let n_sure = columns.column(class).iter().filter(|&&share| f64::from(share) >= CLEAR).count();
        let n_columns = columns.nrows();
        (n_sure < n_columns).then_some(Self::Columns { n_sure, n_columns })
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(doubt) => doubt.fmt(f),
            Self::Probability(_) => write!(f, "{} % is needed", 100.0 * CLEAR),
            Self::Columns { n_sure, n_columns } => {
                write!(f, "only {n_sure} of {n_columns} columns are {} % sure", 100.0 * CLEAR)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn each_reason_has_its_sentence_and_the_image_comes_first() {
        let sure = array![[0.9_f32, 0.1], [0.95, 0.05]];
        let divided = array![[1.0_f32, 0.0], [1.0, 0.0], [1.0, 0.0], [0.7, 0.3]];
        let said = |columns: &ndarray::Array2<f32>, doubt| {
            let committee = columns.mapv(f64::from).mean_axis(ndarray::Axis(0)).unwrap();
            Unclear::of(committee.view(), columns.view(), doubt).map(|unclear| unclear.to_string())
        };
        assert_eq!(said(&sure, None), None);
        let border = "the border is not paper: crop the image to the sheet";
        assert_eq!(said(&sure, Some(Doubt::Border)).as_deref(), Some(border));
        let unsure = array![[0.75_f32, 0.25]];
        assert_eq!(said(&unsure, None).unwrap(), "80 % is needed");
        assert_eq!(said(&divided, None).unwrap(), "only 3 of 4 columns are 80 % sure");
    }
}

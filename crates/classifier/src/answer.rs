//! What a committee, its widths and its columns say.

use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3, Axis};
use preprocess::{Doubt, Width};
use study::ColumnId;

use crate::clarity::Unclear;

/// What is said of one image. All values are probabilities, 0..=1, those of each class a sum of 1 within rounding; class 0
/// comes first, which of MNIST is the digit 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `[classes]`: the mean of all columns, the paper's committee.
    pub committee: Array1<f64>,
    /// `[widths, classes]`: the mean of each width's columns, in the order of [`Classifier::widths`](crate::Classifier::widths).
    pub widths: Array2<f64>,
    /// `[columns, classes]`: each column's softmax, in the order of [`Classifier::columns`](crate::Classifier::columns).
    pub columns: Array2<f32>,
    /// Why the image may show something else than one digit, if there is a reason.
    pub doubt: Option<Doubt>,
}

/// What is said of several images: [`Answer`] with an axis for the images.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// `[images, classes]`: the mean of all columns, the paper's committee.
    pub committee: Array2<f64>,
    /// `[widths, images, classes]`: the mean of each width's columns.
    pub widths: Array3<f64>,
    /// `[columns, images, classes]`: each column's softmax.
    pub columns: Array3<f32>,
    /// For each image why it may show something else than one digit, if there is a reason.
    pub doubts: Vec<Option<Doubt>>,
}

impl Answer {
    /// The committee's most probable class, of MNIST the digit; of equals the lowest.
    #[must_use]
    pub fn class(&self) -> u8 {
        committee::predictions(self.committee.view().insert_axis(Axis(0)))[0]
    }

    /// Why the answer is not clear; `None` for a clear one.
    #[must_use]
    pub fn unclear(&self) -> Option<Unclear> {
        Unclear::of(self.committee.view(), self.columns.view(), self.doubt)
    }
}

impl Answers {
    /// The committee's most probable class of each image; of equals the lowest.
    #[must_use]
    pub fn classes(&self) -> Vec<u8> {
        committee::predictions(self.committee.view())
    }

    /// Why each answer is not clear; `None` for a clear one.
    #[must_use]
    pub fn unclear(&self) -> Vec<Option<Unclear>> {
        let columns = self.columns.axis_iter(Axis(1));
        let all = self.committee.outer_iter().zip(columns).zip(&self.doubts);
        all.map(|((committee, columns), doubt)| Unclear::of(committee, columns, *doubt)).collect()
    }

    /// From the probabilities of columns, `[columns, images, classes]`, checked.
    pub(crate) fn new(
        columns: Array3<f32>,
        doubts: Vec<Option<Doubt>>,
        ids: &[ColumnId],
        widths: &[Width],
    ) -> Self {
        let (_, n_images, n_classes) = columns.dim();
        let mut of_widths = Array3::zeros((widths.len(), n_images, n_classes));
        for (mut of_width, width) in of_widths.outer_iter_mut().zip(widths) {
            of_width.assign(&mean(columns.view(), |index| ids[index].width == *width));
        }
        Self { committee: mean(columns.view(), |_| true), widths: of_widths, columns, doubts }
    }

    /// That of the one image there is.
    pub(crate) fn into_only(self) -> Answer {
        Answer {
            committee: self.committee.index_axis_move(Axis(0), 0),
            widths: self.widths.index_axis_move(Axis(1), 0),
            columns: self.columns.index_axis_move(Axis(1), 0),
            doubt: self.doubts[0],
        }
    }
}

/// The mean of the columns whose index is a member's.
fn mean(columns: ArrayView3<'_, f32>, is_member: impl Fn(usize) -> bool) -> Array2<f64> {
    let (_, n_images, n_classes) = columns.dim();
    if n_images == 0 {
        return Array2::zeros((0, n_classes));
    }
    let all = columns.outer_iter().enumerate();
    let members: Vec<ArrayView2<'_, f32>> =
        all.filter(|(index, _)| is_member(*index)).map(|(_, column)| column).collect();
    committee::mean(&members).expect("every width has a column, and all are checked")
}

//! Images with their labels, to train on and to test on.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use ndarray::{Array3, ArrayView3, Axis};

use crate::labels::{check_labels, read_labels};
use crate::{Error, idx};

/// Digits to train on: images and their labels, as many of the one as of the other.
///
/// Training code should take a [`DigitsView`], which [`view`](Self::view) and [`hold_out`](Self::hold_out) make without
/// copying.
#[derive(Clone, PartialEq)]
pub struct Digits {
    /// Row-major and without gaps, so that each image is one slice.
    images: Array3<u8>,
    labels: Vec<u8>,
}

impl Digits {
    /// Checks and takes images and labels.
    ///
    /// # Shapes
    /// `images`: `[n, height, width]`, any strides, stored row-major; `labels`: `n`, in the order of the images.
    ///
    /// # Units
    /// Pixels 0 to 255, in MNIST 0 is paper and 255 full ink; labels 0 to 9.
    ///
    /// # Errors
    /// [`Error::Counts`] when there are more of the one than of the other, [`Error::Label`] at the first label above 9.
    pub fn new(images: Array3<u8>, labels: Vec<u8>) -> Result<Self, Error> {
        Self::checked(images, labels, Path::new("images in memory"), Path::new("labels in memory"))
    }

    /// Reads two IDX files, raw or gzipped.
    ///
    /// # Shapes
    /// `images`: `[n, height, width]` of `u8`; `labels`: `[n]` of `u8`, or `[n, 8]` of `i32` as QMNIST has them, where
    /// the first column is the class.
    ///
    /// # Errors
    /// Those of [`idx::read`], [`Error::ElementType`] and [`Error::Rank`] for the images, [`Error::LabelsForm`] for the
    /// labels, and those of [`new`](Self::new).
    pub fn read(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self, Error> {
        let images_path = images.as_ref();
        Self::with_labels(idx::read_u8(images_path)?, images_path, labels.as_ref())
    }

    /// Images in hand and the labels of a file.
    pub(crate) fn with_labels(
        images: Array3<u8>,
        images_path: &Path,
        labels_path: &Path,
    ) -> Result<Self, Error> {
        Self::checked(images, read_labels(labels_path)?, images_path, labels_path)
    }

    pub(crate) fn checked(
        images: Array3<u8>,
        labels: Vec<u8>,
        images_path: &Path,
        labels_path: &Path,
    ) -> Result<Self, Error> {
        let n_images = images.len_of(Axis(0));
        if n_images != labels.len() {
            let (images, labels, n_labels) = (images_path.into(), labels_path.into(), labels.len());
            return Err(Error::Counts { images, labels, n_images, n_labels });
        }
        check_labels(&labels, labels_path)?;
        let images =
            if images.is_standard_layout() { images } else { images.as_standard_layout().into_owned() };
        Ok(Digits { images, labels })
    }

    /// Rows and columns of each image exchanged.
    pub(crate) fn transposed(mut self) -> Self {
        self.images.swap_axes(1, 2);
        Digits { images: self.images.as_standard_layout().into_owned(), labels: self.labels }
    }

    /// All of them, without copying.
    pub fn view(&self) -> DigitsView<'_> {
        DigitsView { images: self.images.view(), labels: &self.labels }
    }

    /// The images, `[n, height, width]`, row-major without gaps.
    pub fn images(&self) -> ArrayView3<'_, u8> {
        self.images.view()
    }

    /// The labels, 0 to 9, in the order of the images.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Number of digits.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no digit at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Digits to train on, and the last `n_validation` in their order, to validate on; neither is a copy.
    ///
    /// # Errors
    /// [`Error::HoldOut`] when no digit would be left to train on.
    pub fn hold_out(&self, n_validation: usize) -> Result<(DigitsView<'_>, DigitsView<'_>), Error> {
        match self.len().checked_sub(n_validation) {
            Some(n_training) if n_training > 0 => {
                Ok((self.view().slice(0..n_training), self.view().slice(n_training..self.len())))
            }
            _ => Err(Error::HoldOut { n_validation, n_digits: self.len() }),
        }
    }
}

/// Some of the [`Digits`], borrowed: what training code takes.
///
/// There is no way from [`TestDigits`] to this type.
#[derive(Clone, Copy, PartialEq)]
pub struct DigitsView<'a> {
    images: ArrayView3<'a, u8>,
    labels: &'a [u8],
}

impl<'a> DigitsView<'a> {
    /// The images, `[n, height, width]`, row-major without gaps.
    pub fn images(&self) -> ArrayView3<'a, u8> {
        self.images
    }

    /// The labels, 0 to 9, in the order of the images.
    pub fn labels(&self) -> &'a [u8] {
        self.labels
    }

    /// Number of digits.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no digit at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The digits of a range of indices from 0, in their order.
    ///
    /// # Panics
    /// When the range starts after its end or ends after the last digit, as slices do.
    pub fn slice(self, range: Range<usize>) -> Self {
        let labels = &self.labels[range.clone()];
        let (_, from_start) = self.images.split_at(Axis(0), range.start);
        let (images, _) = from_start.split_at(Axis(0), labels.len());
        DigitsView { images, labels }
    }
}

/// Digits to test on, and for nothing else.
///
/// A type of its own, with the accessors of [`Digits`] but no way to a [`DigitsView`], so that no training code is
/// handed test digits by mistake:
///
/// ```compile_fail,E0308
/// # use mnist_data::{Data, DigitsView};
/// fn train(digits: DigitsView<'_>) {}
/// train(Data::sample().test);
/// ```
///
/// ```compile_fail,E0599
/// # use mnist_data::{Data, DigitsView};
/// fn train(digits: DigitsView<'_>) {}
/// train(Data::sample().test.view());
/// ```
#[derive(Clone, PartialEq)]
pub struct TestDigits(Digits);

impl TestDigits {
    /// Checks and takes images and labels.
    ///
    /// # Shapes, units, errors
    /// Those of [`Digits::new`].
    pub fn new(images: Array3<u8>, labels: Vec<u8>) -> Result<Self, Error> {
        Digits::new(images, labels).map(TestDigits)
    }

    pub(crate) fn from_digits(digits: Digits) -> Self {
        TestDigits(digits)
    }

    /// The images, `[n, height, width]`, row-major without gaps.
    pub fn images(&self) -> ArrayView3<'_, u8> {
        self.0.images()
    }

    /// The labels, 0 to 9, in the order of the images.
    pub fn labels(&self) -> &[u8] {
        self.0.labels()
    }

    /// Number of digits.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no digit at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes counts and sizes, not 47 million pixels.
pub(crate) fn debug(f: &mut fmt::Formatter<'_>, name: &str, images: ArrayView3<'_, u8>) -> fmt::Result {
    let (n, height_px, width_px) = images.dim();
    f.debug_struct(name)
        .field("n", &n)
        .field("height_px", &height_px)
        .field("width_px", &width_px)
        .finish_non_exhaustive()
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "Digits", self.images())
    }
}

impl fmt::Debug for DigitsView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "DigitsView", self.images())
    }
}

impl fmt::Debug for TestDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "TestDigits", self.images())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Axis;

    use super::*;

    /// `n` images of 2×3 pixels whose first pixel and label say their index.
    fn digits(n: usize) -> Digits {
        let images = Array3::from_shape_fn((n, 2, 3), |(i, j, k)| if j + k == 0 { i as u8 } else { 255 });
        Digits::new(images, (0..n).map(|i| (i % 10) as u8).collect()).unwrap()
    }

    fn first_pixels(view: DigitsView<'_>) -> Vec<u8> {
        view.images().outer_iter().map(|image| image[[0, 0]]).collect()
    }

    #[test]
    fn images_and_labels_must_be_as_many() {
        let error = Digits::new(Array3::zeros((3, 28, 28)), vec![1, 2]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "labels in memory: 2 labels, expected 3, one for each image of images in memory"
        );
        assert!(TestDigits::new(Array3::zeros((0, 28, 28)), vec![]).unwrap().is_empty());
    }

    #[test]
    fn labels_above_9_are_refused_with_their_index() {
        let error = Digits::new(Array3::zeros((4, 1, 1)), vec![9, 0, 10, 11]).unwrap_err();
        assert_eq!(error.to_string(), "labels in memory: label 10 at index 2, expected 0 to 9");
    }

    #[test]
    fn images_are_without_gaps_whatever_came_in() {
        let mut images = Array3::from_shape_fn((3, 2, 4), |(i, j, k)| (100 * i + 10 * j + k) as u8);
        images.swap_axes(1, 2);
        let digits = Digits::new(images.clone(), vec![0, 1, 2]).unwrap();
        assert_eq!(digits.images(), images);
        assert_eq!(digits.images().as_slice().unwrap()[..4], [0, 10, 1, 11]);
        let second = digits.view().slice(1..2);
        assert_eq!(second.images().index_axis(Axis(0), 0).as_slice().unwrap()[0], 100);
    }

    #[test]
    fn views_keep_images_and_labels_together() {
        let digits = digits(7);
        let (first, rest) = digits.hold_out(2).unwrap();
        assert_eq!((first_pixels(first), first.labels()), (vec![0, 1, 2, 3, 4], &[0, 1, 2, 3, 4][..]));
        assert_eq!((first_pixels(rest), rest.labels()), (vec![5, 6], &[5, 6][..]));
        assert_eq!(first_pixels(first.slice(1..3)), [1, 2]);
        assert!(digits.view().slice(7..7).is_empty());
        // No copy: the view's memory is the digits' own.
        assert_eq!(rest.images().as_ptr(), digits.images().index_axis(Axis(0), 5).as_ptr());
    }

    #[test]
    fn the_last_digits_are_held_out_but_never_all() {
        let digits = digits(7);
        let (training, validation) = digits.hold_out(2).unwrap();
        assert_eq!((training.len(), first_pixels(validation)), (5, vec![5, 6]));
        assert!(digits.hold_out(0).unwrap().1.is_empty());
        for n in [7, 8, usize::MAX] {
            let error = digits.hold_out(n).unwrap_err().to_string();
            assert_eq!(error, format!("{n} digits held out of 7, expected at most 6"));
        }
    }

    #[test]
    fn debug_is_short() {
        assert_eq!(format!("{:?}", digits(7)), "Digits { n: 7, height_px: 2, width_px: 3, .. }");
        assert_eq!(
            format!("{:?}", digits(7).view().slice(0..2)),
            "DigitsView { n: 2, height_px: 2, width_px: 3, .. }"
        );
    }
}

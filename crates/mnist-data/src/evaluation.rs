//! Any labelled images in MNIST's form, to score what has been trained.

use std::fmt;
use std::path::Path;

use ndarray::{Array3, ArrayView3};

use crate::digits::{Digits, debug};
use crate::{Error, idx};

/// Height and width of MNIST's images, in pixels.
const SIDE_PX: usize = 28;

/// Labelled images that a finished classifier is scored on: any two files, of a known data set or of none.
///
/// A type of its own: it becomes neither the [`DigitsView`](crate::DigitsView) that training code takes nor the
/// [`TestDigits`](crate::TestDigits) of a data set, so no result on other images passes for one on MNIST's test set.
///
/// ```compile_fail,E0599
/// # use mnist_data::{DigitsView, EvaluationDigits};
/// fn train(digits: DigitsView<'_>) {}
/// train(EvaluationDigits::read("images", "labels").unwrap().view());
/// ```
///
/// ```compile_fail,E0308
/// # use mnist_data::{EvaluationDigits, TestDigits};
/// fn test(digits: &TestDigits) {}
/// test(&EvaluationDigits::read("images", "labels").unwrap());
/// ```
#[derive(Clone, PartialEq)]
pub struct EvaluationDigits(Digits);

impl EvaluationDigits {
    /// Reads two IDX files, raw or gzipped, without comparing them with any known hash.
    ///
    /// # Shapes
    /// `images`: `[n, 28, 28]` of `u8`, n at least 1; `labels`: `[n]` of `u8`, or `[n, 8]` of `i32` as QMNIST has them,
    /// where the first column is the class.
    ///
    /// # Units
    /// Pixels 0 to 255, 0 is paper and 255 full ink; labels 0 to 9.
    ///
    /// # Errors
    /// [`Error::ImageShape`] for images of another size, or none at all, and those of [`Digits::read`].
    pub fn read(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self, Error> {
        let images_path = images.as_ref();
        let images: Array3<u8> = idx::read_u8(images_path)?;
        let (n_images, height_px, width_px) = images.dim();
        if n_images == 0 || [height_px, width_px] != [SIDE_PX; 2] {
            return Err(Error::ImageShape { path: images_path.to_path_buf(), got: images.shape().to_vec() });
        }
        Digits::with_labels(images, images_path, labels.as_ref()).map(EvaluationDigits)
    }

    /// The same with rows and columns of each image exchanged: EMNIST's files have them so.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self(self.0.transposed())
    }

    /// The images, `[n, 28, 28]`, row-major without gaps.
    pub fn images(&self) -> ArrayView3<'_, u8> {
        self.0.images()
    }

    /// The labels, 0 to 9, in the order of the images.
    pub fn labels(&self) -> &[u8] {
        self.0.labels()
    }
}

impl fmt::Debug for EvaluationDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "EvaluationDigits", self.images())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ndarray::{Array1, Array2};
    use tempfile::TempDir;

    use super::*;
    use crate::Data;
    use crate::idx::{Array, Encoding};
    use crate::labels::tests::wide;

    /// Two files in a folder of their own.
    fn files(images: &Array, labels: &Array, encoding: Encoding) -> (TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (images_path, labels_path) = (folder.path().join("images"), folder.path().join("labels"));
        idx::write(&images_path, images, encoding).unwrap();
        idx::write(&labels_path, labels, encoding).unwrap();
        (folder, images_path, labels_path)
    }

    #[test]
    fn both_forms_of_labels_are_read_raw_and_gzipped() {
        let test = Data::sample().test;
        let images = test.images().to_owned().into();
        let classes: Vec<i32> = test.labels().iter().map(|&label| i32::from(label)).collect();
        for labels in [Array1::from(test.labels().to_vec()).into(), wide(&classes)] {
            for encoding in [Encoding::Raw, Encoding::Gzip] {
                let (_folder, images, labels) = files(&images, &labels, encoding);
                let digits = EvaluationDigits::read(images, labels).unwrap();
                assert_eq!((digits.images(), digits.labels()), (test.images(), test.labels()));
                let turned = digits.transposed();
                assert_eq!(turned.images()[[7, 3, 9]], test.images()[[7, 9, 3]]);
                assert_eq!((turned.transposed().images(), test.labels().len()), (test.images(), 100));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_file() {
        let check = |images: Array, labels: Array, at_fault: &str, want: &str| {
            let (folder, images, labels) = files(&images, &labels, Encoding::Raw);
            let message = EvaluationDigits::read(&images, &labels).unwrap_err().to_string();
            let want = want.replace("IMAGES", &images.display().to_string());
            assert_eq!(message, format!("{}: {want}", folder.path().join(at_fault).display()));
        };
        let images = |n, height, width| Array::from(Array3::<u8>::zeros((n, height, width)));
        let want = "3 labels, expected 2, one for each image of IMAGES";
        check(images(2, 28, 28), wide(&[1, 2, 3]), "labels", want);
        check(images(2, 28, 28), Array1::from(vec![1_u8, 2, 3]).into(), "labels", want);
        let expected = "expected [n, 28, 28] with at least one image";
        check(
            images(2, 28, 29),
            wide(&[1, 2]),
            "images",
            &format!("images of shape [2, 28, 29], {expected}"),
        );
        check(images(0, 28, 28), wide(&[]), "images", &format!("images of shape [0, 28, 28], {expected}"));
        let flat = || Array2::<u8>::zeros((2, 784)).into();
        check(flat(), wide(&[1, 2]), "images", "rank 2 (shape [2, 784]), expected 3");
        let floats = Array3::<f32>::zeros((2, 28, 28)).into();
        check(floats, wide(&[1, 2]), "images", "elements of type f32, expected u8");
        let too_high = Array1::from(vec![1_u8, 10]).into();
        check(images(2, 28, 28), too_high, "labels", "label 10 at index 1, expected 0 to 9");
    }
}

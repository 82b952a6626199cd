//! What is classified: any grey image, or a digit in MNIST's form.

use ndarray::{ArrayView2, ArrayViewMut2};
use preprocess::{Doubt, MNIST_PX, MnistDigit, PreprocessError};
use thiserror::Error;

/// An image of one digit. Which of the two it is, the caller knows; its size decides nothing.
#[derive(Debug, Clone, Copy)]
pub enum Image<'a> {
    /// A photograph, scan or drawing: `[height, width]` of any size, 0 black to 255 white, dark on light or light on
    /// dark. [`preprocess::to_mnist`] brings it to MNIST's form.
    Grey(ArrayView2<'a, u8>),
    /// A digit in MNIST's form: `[28, 28]`, 0 background to 255 ink. It is taken as it is.
    Mnist(ArrayView2<'a, u8>),
}

/// Why an image cannot be classified.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// [`preprocess::to_mnist`] finds no digit in it.
    #[error(transparent)]
    Grey(#[from] PreprocessError),
    /// An [`Image::Mnist`] of another size.
    #[error(
        "{} x {} pixels (height x width), expected 28 x 28 of a digit in MNIST's form; any other image is Image::Grey",
        got[0], got[1]
    )]
    Size {
        /// Its height and width.
        got: [usize; 2],
    },
}

impl Image<'_> {
    /// Writes the digit in MNIST's form, `[28, 28]`; returns why the image may show something else.
    pub(crate) fn write_digit(self, mut digit: ArrayViewMut2<'_, u8>) -> Result<Option<Doubt>, ImageError> {
        match self {
            Self::Grey(image) => {
                let MnistDigit { pixels, doubt, .. } = preprocess::to_mnist(image)?;
                digit.assign(&pixels);
                Ok(doubt)
            }
            Self::Mnist(image) if image.dim() == (MNIST_PX, MNIST_PX) => {
                digit.assign(&image);
                Ok(None)
            }
            Self::Mnist(image) => Err(ImageError::Size { got: [image.nrows(), image.ncols()] }),
        }
    }
}

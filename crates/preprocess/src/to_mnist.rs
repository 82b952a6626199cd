//! A grey image of any size to a digit as those of MNIST are.

use ndarray::{Array2, ArrayView2, Axis};

use crate::ink::{self, Ink, Polarity};
use crate::parts::Doubt;
use crate::{PreprocessError, area};

/// Side of an image of MNIST, in pixels.
pub const MNIST_PX: usize = 28;

/// Side of the box that MNIST's digits are fitted into, in pixels.
pub const MNIST_BOX_PX: usize = 20;

/// The pixel, counted from 0 along both axes, that the centre of mass of MNIST's digits lies on: within half a pixel, in the
/// training digits, of which the means are 14.00 and 14.01.
const CENTRE: f64 = 14.0;

/// A digit in MNIST's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MnistDigit {
    /// `[28, 28]`, 0 background to 255 ink.
    pub pixels: Array2<u8>,
    /// What the image was; `pixels` are light on dark in any case.
    pub polarity: Polarity,
    /// Why the image may show something else than one digit, if there is a reason.
    pub doubt: Option<Doubt>,
}

/// Brings a grey image of one digit to the form that MNIST's digits have: the ink's bounding box scaled into 20 × 20
/// pixels, its proportions kept, and the ink's centre of mass at the middle of 28 × 28.
///
/// The image may have any size and polarity, and uneven paper whose light falls off to one side. [`Polarity::of`] says which
/// ink is meant. The ink is what differs from a plane through the border's pixels by more than Otsu's threshold, with its
/// fainter edge. Shrinking is by area: each pixel gets the mean of what it covers, as MNIST's antialiased greys were made
/// from black and white. Enlarging is linear. The strongest ink becomes 255, so that strokes of a pixel do not fade away
/// when they shrink. Frames, straight thin lines from border to border, what lies along the border, and specks are left out. Images with a side of 1,400
/// pixels or more are made smaller first.
///
/// An image that shows no single digit gives something, too: [`MnistDigit::doubt`] says so, as far as that is seen.
///
/// A digit of MNIST comes back as it is but for a few whose edges are fainter than a thirty-second of their ink.
///
/// # Shapes
/// `image`: `[height, width]`, each side at least 1.
/// # Units
/// 0 black to 255 white; the result's are 0 background to 255 ink.
/// # Errors
/// [`PreprocessError::Blank`] when no pixel differs from the paper by [`MIN_CONTRAST`](crate::MIN_CONTRAST),
/// [`PreprocessError::Side`] for an image without pixels.
/// # Source
/// LeCun, Bottou, Bengio, Haffner: *Gradient-Based Learning Applied to Document Recognition*, Proceedings of the IEEE 86 (1998), III-A:
/// black and white digits fitted into 20 × 20 with their proportions kept and grey levels from antialiasing, then centred in
/// 28 × 28 by their centre of mass. How it was antialiased is not told: area averaging is this project's choice.
///
/// ```
/// use ndarray::{Array2, s};
/// use preprocess::{Polarity, to_mnist};
/// let mut photo = Array2::from_elem((300, 200), 230); // light paper
/// photo.slice_mut(s![40..240, 100..130]).fill(40); // a dark stroke of 200 × 30 pixels
/// let digit = to_mnist(photo.view())?;
/// assert_eq!(digit.polarity, Polarity::DarkOnLight);
/// assert!(digit.pixels.slice(s![5..25, 13..16]).iter().all(|&ink| ink == 255)); // now 20 × 3
/// # Ok::<(), preprocess::PreprocessError>(())
/// ```
pub fn to_mnist(image: ArrayView2<'_, u8>) -> Result<MnistDigit, PreprocessError> {
    let factor = image.nrows().max(image.ncols()) / LARGE_PX;
    let Ink { pixels: ink, polarity, doubt } =
        if factor < 2 { ink::ink(image)? } else { ink::ink(reduced(image, factor).view())? };
    let longer = ink.nrows().max(ink.ncols());
    // Rounded to nearest, and no side vanishes.
    let scaled = |side: usize| ((2 * side * MNIST_BOX_PX + longer) / (2 * longer)).max(1);
    let small = area::resample(&ink, [scaled(ink.nrows()), scaled(ink.ncols())]);
    let strongest = small.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let small = small.mapv(|ink| (255.0 * ink / strongest).round() as u8);

    let (height, width) = small.dim();
    let [row, column] = centre_of_mass(small.view());
    // The box stays inside, however much of the ink lies at one end of it.
    let start =
        |centre: f64, side: usize| (CENTRE - centre).round().clamp(0.0, (MNIST_PX - side) as f64) as usize;
    let (top, left) = (start(row, height), start(column, width));
    let mut pixels = Array2::zeros((MNIST_PX, MNIST_PX));
    for ((row, column), &ink) in small.indexed_iter() {
        pixels[[top + row, left + column]] = ink;
    }
    Ok(MnistDigit { pixels, polarity, doubt })
}

/// An image with a side of twice as many pixels or more is made smaller first: 20 pixels are enough of it.
const LARGE_PX: usize = 700;

/// The means of blocks of `factor` x `factor` pixels, those at the lower and right edge maybe smaller.
fn reduced(image: ArrayView2<'_, u8>, factor: usize) -> Array2<u8> {
    let [height, width] = [image.nrows().div_ceil(factor), image.ncols().div_ceil(factor)];
    let mut reduced = Array2::zeros((height, width));
    let mut sums = vec![0_usize; width];
    for (mut out, rows) in reduced.outer_iter_mut().zip(image.axis_chunks_iter(Axis(0), factor)) {
        sums.fill(0);
        for row in rows.outer_iter() {
            for (sum, block) in sums.iter_mut().zip(row.axis_chunks_iter(Axis(0), factor)) {
                *sum += block.iter().map(|&pixel| usize::from(pixel)).sum::<usize>();
            }
        }
        for (column, (out, sum)) in out.iter_mut().zip(&sums).enumerate() {
            let n = rows.nrows() * factor.min(image.ncols() - column * factor);
            *out = ((sum + n / 2) / n) as u8;
        }
    }
    reduced
}

/// Row and column, counted from 0, of an image with some ink.
pub(crate) fn centre_of_mass(image: ArrayView2<'_, u8>) -> [f64; 2] {
    let (mut mass, mut rows, mut columns) = (0, 0, 0);
    for ((row, column), &ink) in image.indexed_iter() {
        let ink = usize::from(ink);
        mass += ink;
        rows += ink * row;
        columns += ink * column;
    }
    [rows, columns].map(|moment| moment as f64 / mass as f64)
}

//! Whether images have MNIST's form already.

use ndarray::{ArrayView2, ArrayView3};

use crate::ink::Polarity;
use crate::to_mnist::{MNIST_BOX_PX, MNIST_PX, centre_of_mass};

/// How far the centre of mass of a digit in MNIST's form lies from the middle at most, in pixels. Rounding moves it by half a pixel.
const OFF_CENTRE_PX: f64 = 1.0;

/// The share of the images of a file that have MNIST's form where the file has it.
const MOST: f64 = 0.8;

/// Whether images are digits in MNIST's form: most of them are 28 × 28, their ink (with a longer side of 20 pixels) fills MNIST's box, and its
/// centre of mass lies in the middle. Of either polarity; blank images do not count. No image at all has no other form.
///
/// # Shapes
/// `images`: `[n, height, width]`.
/// # Units
/// 0 black to 255 white.
#[must_use]
pub fn are_in_mnists_form(images: ArrayView3<'_, u8>) -> bool {
    let (_, height, width) = images.dim();
    if [height, width] != [MNIST_PX; 2] {
        return false;
    }
    let each = images.outer_iter().filter_map(is_in_mnists_form);
    let (n, n_in_form) = each.fold((0, 0), |(n, n_in_form), is| (n + 1, n_in_form + usize::from(is)));
    n_in_form as f64 >= MOST * f64::from(n)
}

/// `None` for a blank image.
fn is_in_mnists_form(image: ArrayView2<'_, u8>) -> Option<bool> {
    let ink = Polarity::of(image).ok()?.light_on_dark(image);
    // Fainter than a sixteenth of the strongest is noise, as JPEG leaves.
    let faintest = ink.iter().max().map_or(1, |&strongest| strongest / 16).max(1);
    let (mut rows, mut columns) = ([usize::MAX, 0], [usize::MAX, 0]);
    for ((row, column), _) in ink.indexed_iter().filter(|(_, ink)| **ink > faintest) {
        rows = [rows[0].min(row), rows[1].max(row)];
        columns = [columns[0].min(column), columns[1].max(column)];
    }
    let longer = (rows[1] - rows[0]).max(columns[1] - columns[0]) + 1;
    let off = centre_of_mass(ink.view()).map(|centre| (centre - MNIST_PX as f64 / 2.0).abs());
    Some((MNIST_BOX_PX - 2..=MNIST_BOX_PX).contains(&longer) && off.iter().all(|off| *off <= OFF_CENTRE_PX))
}

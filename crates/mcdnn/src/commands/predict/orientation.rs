//! Whether the images of an IDX file are clearer with rows and columns exchanged, as EMNIST's are.

use std::ops::Range;

use anyhow::Result;
use ndarray::{Array3, ArrayView3, Axis};
use preprocess::Views;

use super::source::Found as Image;
use crate::studies::Found;

/// The share of the work for the answers that the look at orientations may take.
const SHARE: usize = 12;

/// Fewer images of a file would decide by chance.
const N_LEAST: usize = 12;

/// More images of a file are not needed.
const N_MOST: usize = 200;

/// So much more probable must a column's first digit be for an image to count as clearer.
const CLEARER: f32 = 0.1;

/// The images of each IDX file, in the order of the images.
pub(super) fn files(images: &[Image]) -> Vec<Range<usize>> {
    let mut files: Vec<Range<usize>> = Vec::new();
    for (row, image) in images.iter().enumerate().filter(|(_, image)| image.index.is_some()) {
        match files.last_mut() {
            Some(last)
                if last.end == row
                    && images[last.start].name == image.name
                    && images[row - 1].index < image.index =>
            {
                last.end = row + 1;
            }
            _ => files.push(row..row + 1),
        }
    }
    files
}

/// Whether a file's images are clearer transposed: asks some columns about some images, evenly, for a twelfth of the work.
///
/// # Shapes
/// `digits`: `[images, 28, 28]` of the file; `probabilities`: `[columns, images, 10]`, what the finished columns say of them, or of
/// these `views` of them.
pub(super) fn is_transposed(
    found: &Found,
    digits: ArrayView3<'_, u8>,
    probabilities: ArrayView3<'_, f32>,
    views: Option<Views>,
) -> Result<bool> {
    let [n_columns, n_images] = [found.finished.len(), digits.len_of(Axis(0))];
    let budget = n_columns * n_images / SHARE;
    let n_looked_at = n_images.min(budget).min(N_MOST);
    if n_looked_at < N_LEAST {
        return Ok(false);
    }
    let asked = &found.finished[..(budget / n_looked_at).min(n_columns)];
    let rows: Vec<usize> = (0..n_looked_at).map(|index| index * n_images / n_looked_at).collect();
    let mut transposed: Array3<u8> = digits.select(Axis(0), &rows);
    transposed.swap_axes(1, 2);
    let transposed = transposed.as_standard_layout();
    let said = found.probabilities(asked, transposed.view(), views)?;
    let (mut n_clearer, mut n_less_clear) = (0, 0);
    for (column, said) in said.outer_iter().enumerate() {
        for (row, said) in rows.iter().zip(said.outer_iter()) {
            let most = |row: ndarray::ArrayView1<'_, f32>| row.iter().copied().fold(0.0, f32::max);
            let gain = most(said) - most(probabilities.index_axis(Axis(0), column).row(*row));
            n_clearer += usize::from(gain >= CLEARER);
            n_less_clear += usize::from(gain <= -CLEARER);
        }
    }
    // A file that is upright loses by it; of one that shows something else neither is clear.
    Ok(n_clearer > 2 * n_less_clear && 5 * n_clearer > rows.len() * asked.len())
}

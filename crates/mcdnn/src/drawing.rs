//! Digits, drawn in the terminal's characters.

use ndarray::ArrayView2;

/// Ink from this value on is drawn.
const INK: u8 = 96;

/// An image in half blocks: two rows of pixels a line, as wide as the image.
///
/// `image`: `[height, width]`, 0 background to 255 ink.
pub(crate) fn half_blocks(image: ArrayView2<'_, u8>) -> Vec<String> {
    let (height, width) = image.dim();
    let is_ink = |row: usize, column: usize| row < height && image[[row, column]] >= INK;
    let line = |row: usize| -> String {
        let cell = |column| match (is_ink(row, column), is_ink(row + 1, column)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..width).map(cell).collect()
    };
    (0..height).step_by(2).map(line).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn two_pixels_are_a_character() {
        let image = array![[255u8, 0, 255, 0], [255, 0, 0, 255], [0, 200, 0, 95]];
        assert_eq!(half_blocks(image.view()), ["█ ▀▄", " ▀  "]);
    }
}

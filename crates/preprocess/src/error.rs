//! What can go wrong here: every variant says what was wrong, what came and what was wanted.

use crate::InstructionSet;
use crate::limits::{MAX_SIDE_PX, MAX_WIDTH_PX, MIN_WIDTH_PX};

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// A width in pixels outside [`Width::MIN_PX`](crate::Width::MIN_PX)`..=`[`Width::MAX_PX`](crate::Width::MAX_PX).
    #[error("width {got} is out of range: {MIN_WIDTH_PX} to {MAX_WIDTH_PX} pixels, or \"original\"")]
    WidthRange {
        /// The width asked for, in pixels.
        got: i128,
    },

    /// A text that is neither `original` nor a whole number.
    #[error("{got:?} is not a width: expected {MIN_WIDTH_PX} to {MAX_WIDTH_PX} pixels, or \"original\"")]
    WidthText {
        /// The text as it came.
        got: String,
    },

    /// An image that does not fit onto the canvas.
    #[error(
        "image of {} x {} pixels (height x width) is larger than the canvas of {} x {}",
        image[0], image[1], canvas[0], canvas[1]
    )]
    ImageTooLarge {
        /// Height and width of the image.
        image: [usize; 2],
        /// Height and width of the canvas.
        canvas: [usize; 2],
    },

    /// A width-normalized digit that would not fit onto the canvas.
    #[error("width of {width_px} pixels is larger than the canvas of {canvas_px} pixels")]
    WidthTooLarge {
        /// The width asked for, in pixels.
        width_px: u8,
        /// Width of the canvas, in pixels.
        canvas_px: usize,
    },

    /// A side of an image or canvas outside `1..=`[`MAX_SIDE_PX`].
    #[error("{side} of {got} pixels is out of range: 1 to {MAX_SIDE_PX}")]
    Side {
        /// Which side of what, such as `image height`.
        side: &'static str,
        /// What came, in pixels.
        got: usize,
    },

    /// A parameter of the distortion outside its range, or not a number.
    #[error("{name} {got} is out of range: {min} to {max}")]
    Parameter {
        /// The parameter's name, as the field of [`Distortion`](crate::Distortion) or the argument.
        name: &'static str,
        /// What came.
        got: f32,
        /// Smallest allowed value.
        min: f32,
        /// Largest allowed value.
        max: f32,
    },

    /// A slice of the wrong length.
    #[error("{what} has {got} elements, expected {want}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it should have.
        want: usize,
    },

    /// Images of another size than the [`Distorter`](crate::Distorter) was made for.
    #[error(
        "images of {} x {} pixels (height x width), but the distorter was made for {} x {}",
        got[0], got[1], want[0], want[1]
    )]
    ImageSize {
        /// Height and width of the images given.
        got: [usize; 2],
        /// Height and width the distorter was made for.
        want: [usize; 2],
    },

    /// An image index that is not in the array.
    #[error("image index {got} is out of range: there are {n_images} images")]
    Index {
        /// The index, counted from 0.
        got: u32,
        /// Number of images in the array.
        n_images: usize,
    },

    /// An image without ink: no pixel differs enough from the paper.
    #[error("the image is blank")]
    Blank {
        /// The largest difference between a pixel and the paper, in grey levels.
        contrast: u8,
    },

    /// Vector instructions asked for that this machine lacks.
    #[error("this machine has no {got} instructions")]
    InstructionSet {
        /// The set asked for.
        got: InstructionSet,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_what_came_and_the_limits() {
        let check = |error: PreprocessError, want: &str| assert_eq!(error.to_string(), want);
        let set = InstructionSet::Avx512;
        check(PreprocessError::InstructionSet { got: set }, "this machine has no avx512 instructions");
        check(
            PreprocessError::Side { side: "image height", got: 513 },
            "image height of 513 pixels is out of range: 1 to 512",
        );
        check(
            PreprocessError::WidthText { got: "wide".to_owned() },
            "\"wide\" is not a width: expected 4 to 28 pixels, or \"original\"",
        );
        check(PreprocessError::Blank { contrast: 23 }, "the image is blank");
    }
}

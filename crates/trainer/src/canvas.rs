//! The digits of one column: normalized to its width, on the network's canvas.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array3, ArrayView3};
use preprocess::{PreprocessError, Width};

/// Digits of one width, `[n, height, width]`, row-major without gaps. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Canvases(Arc<Array3<u8>>);

impl Canvases {
    /// Normalizes `images` (`[n, height, width]`) to `width` on canvases of `canvas` (`[height, width]`), on rayon.
    pub(crate) fn normalize(
        images: ArrayView3<'_, u8>,
        width: Width,
        canvas: [usize; 2],
    ) -> Result<Self, PreprocessError> {
        let images = preprocess::normalize_all(images, width, canvas)?;
        let gapless = images.is_standard_layout();
        Ok(Self(Arc::new(if gapless { images } else { images.as_standard_layout().into_owned() })))
    }

    pub(crate) fn view(&self) -> ArrayView3<'_, u8> {
        self.0.view()
    }

    /// Height and width of each canvas.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.0.dim().1, self.0.dim().2]
    }

    /// The pixels of `images`, one after the other.
    pub(crate) fn pixels(&self, images: Range<usize>) -> &[u8] {
        let n_pixels = self.size().iter().product::<usize>();
        let all = self.0.as_slice().expect("row-major without gaps since `normalize`");
        &all[images.start * n_pixels..images.end * n_pixels]
    }
}

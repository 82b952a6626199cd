//! Width normalization: the digit's bounding box resampled to a given width, from pixels alone.

use std::sync::OnceLock;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use crate::resample::Resampler;
use crate::{MAX_SIDE_PX, PreprocessError, Width};

/// Largest factor by which a digit's bounding box is stretched horizontally.
///
/// A 1 is little more than a stroke: half of MNIST's training 1s are at most 8 pixels wide, a third at most 6. Drawn
/// out to 20 pixels they would become blocks, hence a cap: at 1.75 a stroke of 4 pixels becomes 7. The other digits
/// are wider (their medians are 14 to 20) and nearly all reach the paper's widths exactly: more than 99 % of them up to
/// 16 pixels, 97 % at 18, 95 % at 20. A larger cap would gain the rest, but thick 1s begin to look like blocks at 2.
/// A nearest-neighbour classifier on training digits at 20 pixels errs least between 1.5 and 2, more at 1, and more
/// without a cap, mainly by taking other digits for 1s.
///
/// # Source
/// Not in the paper, which does not say how it treats narrow digits. The Theano project leaves digits labelled 1
/// alone; that takes the label, and labels are unknown here.
pub const MAX_STRETCH: f32 = 1.75;

/// Smallest pixel value that counts as ink when the bounding box is taken: every pixel that is not background.
///
/// With it the boxes of MNIST's digits are those of MNIST's own size normalization, at most 20 pixels wide.
pub const INK_MIN: u8 = 1;

/// Brings one digit to a width and puts it on a canvas.
///
/// [`Width::Original`] only pads. Otherwise the columns from the first to the last with ink ([`INK_MIN`]) are
/// resampled to exactly the width asked for, or, where that is more than [`MAX_STRETCH`] times their number, to
/// `MAX_STRETCH` times their number (rounded down). Rows stay as they are. The filter is a triangle: linear
/// interpolation when stretching, its base widened when shrinking. First and last column of the result have ink.
///
/// Everything is centred; where the margin is odd, the extra row is at the bottom and the extra column at the right.
/// So on a 29 × 29 canvas an MNIST image keeps its rows and gets an empty one below; with `Original` it keeps its
/// columns too and gets an empty one at the right. A blank image gives a blank canvas.
///
/// # Shapes
/// `image`: `[height, width]`, row-major or not, each side at least 1. `canvas` and the result: `[height, width]`.
/// # Units
/// 0 background to 255 ink, both ways.
/// # Errors
/// [`PreprocessError::ImageTooLarge`] when the image does not fit onto the canvas (whatever its ink),
/// [`PreprocessError::WidthTooLarge`] when the width does not, [`PreprocessError::Side`] when the image has no pixel
/// or the canvas has a side outside `1..=`[`MAX_SIDE_PX`].
/// # Source
/// Cireşan, Meier, Schmidhuber 2012, MNIST section: bounding boxes normalized to a width. Differs: the stretch is
/// capped.
///
/// ```
/// use ndarray::Array2;
/// use preprocess::{Width, normalize};
/// let mut digit = Array2::zeros((28, 28));
/// digit.slice_mut(ndarray::s![4..24, 9..19]).fill(200); // a box of 10 columns
/// let wide = normalize(digit.view(), Width::try_from(16)?, [29, 29])?;
/// let inked: Vec<usize> = (0..29).filter(|&x| wide.column(x).iter().any(|&v| v > 0)).collect();
/// assert_eq!(inked, (6..22).collect::<Vec<_>>());
/// # Ok::<(), preprocess::PreprocessError>(())
/// ```
pub fn normalize(
    image: ArrayView2<'_, u8>,
    width: Width,
    canvas: [usize; 2],
) -> Result<Array2<u8>, PreprocessError> {
    let canvases = normalize_all(image.insert_axis(Axis(0)), width, canvas)?;
    Ok(canvases.index_axis_move(Axis(0), 0))
}

/// [`normalize`] for many images, in parallel on rayon.
///
/// # Shapes
/// `images`: `[n, height, width]`; the result: `[n, canvas height, canvas width]`.
/// # Errors
/// As [`normalize`].
pub fn normalize_all(
    images: ArrayView3<'_, u8>,
    width: Width,
    canvas: [usize; 2],
) -> Result<Array3<u8>, PreprocessError> {
    let (n_images, image_height, image_width) = images.dim();
    let image_size = [image_height, image_width];
    check_sizes(image_size, width, canvas)?;
    let layout = Layout { image_size, canvas };
    let resamplers = Resamplers::new(width, image_width);
    let mut canvases = Array3::zeros((n_images, canvas[0], canvas[1]));
    // One copy for images that do not lie in memory row by row, none for others.
    let images = images.as_standard_layout();
    let pixels = images.as_slice().expect("standard layout is contiguous");
    canvases
        .as_slice_mut()
        .expect("a new array is contiguous")
        .par_chunks_exact_mut(canvas[0] * canvas[1])
        .zip(pixels.par_chunks_exact(image_height * image_width))
        .for_each(|(canvas, image)| match &resamplers {
            None => layout.pad(image, canvas),
            Some(resamplers) => layout.resample(image, resamplers, canvas),
        });
    Ok(canvases)
}

fn check_sizes(image: [usize; 2], width: Width, canvas: [usize; 2]) -> Result<(), PreprocessError> {
    let sides = [("image height", image[0]), ("image width", image[1])];
    if let Some(&(side, got)) = sides.iter().find(|(_, px)| *px == 0) {
        return Err(PreprocessError::Side { side, got });
    }
    for (side, got) in [("canvas height", canvas[0]), ("canvas width", canvas[1])] {
        if !(1..=MAX_SIDE_PX).contains(&got) {
            return Err(PreprocessError::Side { side, got });
        }
    }
    if image[0] > canvas[0] || image[1] > canvas[1] {
        return Err(PreprocessError::ImageTooLarge { image, canvas });
    }
    match width.pixels() {
        Some(width_px) if usize::from(width_px) > canvas[1] => {
            Err(PreprocessError::WidthTooLarge { width_px, canvas_px: canvas[1] })
        }
        _ => Ok(()),
    }
}

/// A resampler for each number of columns the ink can have, made when first needed.
struct Resamplers {
    width_px: usize,
    by_columns: Vec<OnceLock<Resampler>>,
}

impl Resamplers {
    /// `None` for the original width.
    fn new(width: Width, image_width: usize) -> Option<Self> {
        let by_columns = (0..=image_width).map(|_| OnceLock::new()).collect();
        width.pixels().map(|px| Self { width_px: usize::from(px), by_columns })
    }

    fn get(&self, n_columns: usize) -> &Resampler {
        self.by_columns[n_columns].get_or_init(|| {
            let widest = (n_columns as f32 * MAX_STRETCH) as usize;
            Resampler::new(n_columns, self.width_px.min(widest))
        })
    }
}

/// Sizes of the image and of the canvas it goes onto, `[height, width]`.
struct Layout {
    image_size: [usize; 2],
    canvas: [usize; 2],
}

impl Layout {
    /// Copies the image onto the middle of a blank canvas.
    fn pad(&self, image: &[u8], canvas: &mut [u8]) {
        let left = centred(self.image_size[1], self.canvas[1]);
        for (image, canvas) in self.rows(image, canvas) {
            canvas[left..][..image.len()].copy_from_slice(image);
        }
    }

    /// Resamples the ink's columns onto the middle of a blank canvas.
    fn resample(&self, image: &[u8], resamplers: &Resamplers, canvas: &mut [u8]) {
        // On the stack: an image is no wider than its canvas.
        let mut darkest = [0; MAX_SIDE_PX];
        let darkest = &mut darkest[..self.image_size[1]];
        for row in image.chunks_exact(self.image_size[1]) {
            for (darkest, &pixel) in darkest.iter_mut().zip(row) {
                *darkest = pixel.max(*darkest);
            }
        }
        let inked = |&ink: &u8| ink >= INK_MIN;
        let (Some(first), Some(last)) = (darkest.iter().position(inked), darkest.iter().rposition(inked))
        else {
            return;
        };
        let resampler = resamplers.get(last + 1 - first);
        let left = centred(resampler.n_outputs(), self.canvas[1]);
        for (image, canvas) in self.rows(image, canvas) {
            resampler.run(&image[first..=last], &mut canvas[left..]);
        }
    }

    /// The image's rows with the canvas's rows they belong to.
    fn rows<'a>(
        &self,
        image: &'a [u8],
        canvas: &'a mut [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a mut [u8])> {
        let top = centred(self.image_size[0], self.canvas[0]);
        let canvas_rows = canvas.chunks_exact_mut(self.canvas[1]).skip(top);
        image.chunks_exact(self.image_size[1]).zip(canvas_rows)
    }
}

/// Where `inner` pixels start in the middle of `outer`; an odd rest is behind them.
fn centred(inner: usize, outer: usize) -> usize {
    (outer - inner) / 2
}

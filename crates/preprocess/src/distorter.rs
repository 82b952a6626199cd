//! Random distortion of images, one at a time or a batch in parallel.

use fearless_simd::{Level, Simd, dispatch};
use ndarray::{Array2, Array4, ArrayView3, Axis};
use rand::Rng;
use rayon::prelude::*;

use crate::affine::Affine;
use crate::distortion::check_parameter;
use crate::limits::MAX_SIDE_PX;
use crate::smoothing::Basis;
use crate::warp::{LANES, Warp};
use crate::{Distortion, Draw, Epoch, InstructionSet, PreprocessError, normal, scale_to_input, warp};

/// Fewest images a thread takes at once: below that, handing out work costs a noticeable share.
const MIN_IMAGES_PER_TASK: usize = 8;

/// Distorts images of one size. Made once, then shared by all threads.
///
/// Every image gets its own elastic field and its own affine movement ([`Distortion`]), composed into one map of
/// coordinates; coordinates are clamped to the image and the image is sampled once, bilinearly. The elastic field is
/// drawn in the basis of the strongest singular vectors of its smoothing: exact in distribution but for at most
/// 10⁻⁴ of its variance. The plain form of all this is [`reference`](crate::reference).
///
/// Results depend on the arguments alone: not on the number of threads, the order or grouping of images, nor on the
/// [`InstructionSet`]. They are equal to the bit but for `sin`, `cos` and `exp` of other platforms' libraries, which may
/// differ in the last digits.
///
/// # Source
/// Simard, Steinkraus, Platt 2003; Cireşan, Meier, Schmidhuber 2012. Differs from the Theano project, which draws one
/// field for a whole minibatch.
///
/// ```
/// use preprocess::{Distorter, Distortion, Epoch, Smoothing};
/// let distortion = Distortion {
///     sigma: 8.0,
///     alpha: 36.0,
///     smoothing: Smoothing::Gaussian,
///     translation_px: 1.0,
///     rotation_deg: 7.5,
///     scaling: 0.1,
///     shear: 0.0,
/// };
/// let distorter = Distorter::new(&distortion, 29, 29)?;
/// let draw = Epoch { study_seed: 2012, column: 1, epoch: 0 }.image(42);
/// let mut out = vec![0.0; 29 * 29];
/// distorter.distort(&[255; 29 * 29], draw, 1.0, &mut out)?;
/// assert!(out.iter().all(|&v| v == 1.0)); // a full image stays full
/// # Ok::<(), preprocess::PreprocessError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Distorter {
    distortion: Distortion,
    height: usize,
    width: usize,
    warp: Warp,
    level: Level,
}

/// Working memory of one thread, to be used for one image after the other.
pub(crate) struct Scratch {
    /// A radius's word for each pair of normal numbers, then an angle's; and what fills a block.
    words: Vec<u32>,
    /// Pixels of an image that does not lie in memory row by row.
    pixels: Vec<u8>,
    warp: warp::Scratch,
}

impl Distorter {
    /// Prepares to distort images of `height` × `width` pixels.
    ///
    /// # Errors
    /// [`PreprocessError::Parameter`] for a parameter out of its range or not a number, [`PreprocessError::Side`] for
    /// a height or width outside `1..=`[`MAX_SIDE_PX`]. A `sigma` larger than the image is fine.
    pub fn new(distortion: &Distortion, height: usize, width: usize) -> Result<Self, PreprocessError> {
        distortion.check()?;
        for (side, got) in [("image height", height), ("image width", width)] {
            if !(1..=MAX_SIDE_PX).contains(&got) {
                return Err(PreprocessError::Side { side, got });
            }
        }
        let basis = |len| Basis::new(distortion.smoothing, f64::from(distortion.sigma), len);
        let warp = if distortion.alpha > 0.0 {
            let rows = basis(height);
            let columns = if width == height { rows.clone() } else { basis(width) };
            Warp::new(height, width, Some([&rows, &columns]))
        } else {
            Warp::new(height, width, None)
        };
        let level = level_of(InstructionSet::best())?;
        Ok(Self { distortion: *distortion, height, width, warp, level })
    }

    /// The same on vector instructions of one's choice: for tests and measurements, since a new distorter has the
    /// fastest ones already and results are the same.
    ///
    /// # Errors
    /// [`PreprocessError::InstructionSet`] where the machine lacks them.
    pub fn on(self, set: InstructionSet) -> Result<Self, PreprocessError> {
        Ok(Self { level: level_of(set)?, ..self })
    }

    /// Distorts one image. For many, [`distort_batch`](Self::distort_batch) is faster: it keeps its working memory.
    ///
    /// # Shapes
    /// `image` and `out`: `height * width`, row-major.
    /// # Units
    /// `image` 0 to 255. `out` -1 to 1, as [`scale_to_input`] has it. `strength`: factor on all amplitudes, 0 to 1; at 0
    /// the result is exactly that of `scale_to_input`.
    /// # Errors
    /// [`PreprocessError::Length`] or [`PreprocessError::Parameter`] (strength); nothing is written then.
    pub fn distort(
        &self,
        image: &[u8],
        draw: Draw,
        strength: f32,
        out: &mut [f32],
    ) -> Result<(), PreprocessError> {
        check_parameter("strength", strength, 0.0, 1.0)?;
        let n_pixels = self.height * self.width;
        check_length("image", image.len(), n_pixels)?;
        check_length("out", out.len(), n_pixels)?;
        self.distort_with(image, draw, strength, &mut self.scratch(), out)
    }

    /// Distorts the images at `indices`, each by the draw of its own index, in parallel.
    ///
    /// Work is spread over the rayon pool the caller runs in; where no thread is idle it is done on the caller's.
    ///
    /// # Shapes
    /// `images`: `[n, height, width]`, fastest when row-major. `indices`: into `images`, from 0, in any order, repeats
    /// allowed. `out`: `indices.len() * height * width`, row-major, in the order of `indices`.
    /// # Units
    /// As [`distort`](Self::distort).
    /// # Errors
    /// [`PreprocessError::ImageSize`], [`PreprocessError::Index`], [`PreprocessError::Length`] (out) or
    /// [`PreprocessError::Parameter`] (strength); nothing is written then.
    pub fn distort_batch(
        &self,
        images: ArrayView3<'_, u8>,
        indices: &[u32],
        draws: Epoch,
        strength: f32,
        out: &mut [f32],
    ) -> Result<(), PreprocessError> {
        check_parameter("strength", strength, 0.0, 1.0)?;
        self.check_size(images)?;
        let (n_images, height, width) = images.dim();
        if let Some(&got) = indices.iter().find(|&&index| index as usize >= n_images) {
            return Err(PreprocessError::Index { got, n_images });
        }
        let n_pixels = height * width;
        check_length("out", out.len(), indices.len() * n_pixels)?;
        out.par_chunks_exact_mut(n_pixels).zip(indices).with_min_len(MIN_IMAGES_PER_TASK).try_for_each_init(
            || self.scratch(),
            |scratch, (out, &index)| {
                let image = images.index_axis(Axis(0), index as usize);
                let draw = draws.image(index);
                if let Some(pixels) = image.to_slice() {
                    return self.distort_with(pixels, draw, strength, scratch, out);
                }
                let mut pixels = std::mem::take(&mut scratch.pixels);
                pixels.clear();
                pixels.extend(image);
                let result = self.distort_with(&pixels, draw, strength, scratch, out);
                scratch.pixels = pixels;
                result
            },
        )
    }

    /// [`distort_batch`](Self::distort_batch) into a new array.
    ///
    /// # Shapes
    /// `images`: `[n, height, width]`. Returns `[indices.len(), 1, height, width]`.
    /// # Units
    /// As [`distort`](Self::distort).
    /// # Errors
    /// As [`distort_batch`](Self::distort_batch).
    ///
    /// ```
    /// use preprocess::{Distorter, Distortion, Epoch};
    /// let images = ndarray::Array3::<u8>::zeros((10, 29, 29));
    /// let distorter = Distorter::new(&Distortion::default(), 29, 29)?;
    /// let epoch = Epoch { study_seed: 2012, column: 1, epoch: 0 };
    /// let batch = distorter.distorted(images.view(), &[4, 2, 4], epoch, 1.0)?;
    /// assert_eq!(batch.dim(), (3, 1, 29, 29));
    /// # Ok::<(), preprocess::PreprocessError>(())
    /// ```
    pub fn distorted(
        &self,
        images: ArrayView3<'_, u8>,
        indices: &[u32],
        draws: Epoch,
        strength: f32,
    ) -> Result<Array4<f32>, PreprocessError> {
        let mut batch = Array4::zeros((indices.len(), 1, self.height, self.width));
        let out = batch.as_slice_mut().expect("a new array is contiguous");
        self.distort_batch(images, indices, draws, strength, out)?;
        Ok(batch)
    }

    /// The elastic field of a draw: for figures, and for tests of its distribution.
    ///
    /// # Shapes
    /// `[x part, y part]`, each `[height, width]`.
    /// # Units
    /// Pixels: how far to the right and down from an output pixel its colour comes from, on top of the affine movement.
    /// `strength`: factor on the amplitude, 0 to 1.
    /// # Errors
    /// [`PreprocessError::Parameter`] (strength).
    pub fn field(&self, draw: Draw, strength: f32) -> Result<[Array2<f32>; 2], PreprocessError> {
        check_parameter("strength", strength, 0.0, 1.0)?;
        let mut scratch = self.scratch();
        let mut field = [(); 2].map(|()| Array2::zeros((self.height, self.width)));
        self.draw(draw, strength, &mut scratch.words);
        dispatch!(self.level, simd => {
            self.fill_noise(simd, strength, &mut scratch);
            self.warp.field(simd, &mut scratch.warp, &mut field);
        });
        Ok(field)
    }

    /// # Errors
    /// [`PreprocessError::ImageSize`] for images of another size than this was made for.
    pub(crate) fn check_size(&self, images: ArrayView3<'_, u8>) -> Result<(), PreprocessError> {
        let (_, height, width) = images.dim();
        let (got, want) = ([height, width], [self.height, self.width]);
        if got == want { Ok(()) } else { Err(PreprocessError::ImageSize { got, want }) }
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let n_noise = self.warp.n_noise();
        let words = vec![0; n_noise + n_noise.next_multiple_of(LANES)];
        Scratch { words, pixels: Vec::new(), warp: self.warp.scratch() }
    }

    pub(crate) fn distort_with(
        &self,
        image: &[u8],
        draw: Draw,
        strength: f32,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), PreprocessError> {
        if strength == 0.0 {
            return scale_to_input(image, out);
        }
        let affine = self.draw(draw, strength, &mut scratch.words);
        let map = affine.source_map(self.height, self.width);
        dispatch!(self.level, simd => {
            self.fill_noise(simd, strength, scratch);
            self.warp.run(simd, image, &map, &mut scratch.warp, out);
        });
        Ok(())
    }

    /// Draws everything random about one image: the affine movement, then a word for the radius of each pair of normal
    /// numbers, then one for each angle.
    fn draw(&self, draw: Draw, strength: f32, words: &mut [u32]) -> Affine {
        let mut rng = draw.rng();
        let affine = Affine::draw(&self.distortion, strength, &mut rng);
        for word in &mut words[..2 * self.warp.n_noise()] {
            *word = rng.next_u32();
        }
        affine
    }

    /// Makes the field's noise of the words: its x part of cosines, its y part of sines.
    #[inline(always)]
    fn fill_noise<S: Simd>(&self, simd: S, strength: f32, scratch: &mut Scratch) {
        let amplitude_px = self.distortion.alpha * strength;
        let n_noise = self.warp.n_noise();
        let words = [&scratch.words[..], &scratch.words[n_noise..]];
        normal::fill(simd, words, amplitude_px, scratch.warp.noise.each_mut().map(Vec::as_mut_slice));
    }
}

fn check_length(what: &'static str, got: usize, want: usize) -> Result<(), PreprocessError> {
    if got == want { Ok(()) } else { Err(PreprocessError::Length { what, got, want }) }
}

/// What dispatches to the code for a set.
///
/// # Errors
/// [`PreprocessError::InstructionSet`] where the machine lacks it.
pub(crate) fn level_of(set: InstructionSet) -> Result<Level, PreprocessError> {
    set.level().ok_or(PreprocessError::InstructionSet { got: set })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact results are part of the contract")]
mod tests {
    use super::*;
    use crate::Smoothing;

    const ELASTIC: Distortion = Distortion {
        sigma: 8.0,
        alpha: 36.0,
        smoothing: Smoothing::Gaussian,
        translation_px: 1.0,
        rotation_deg: 7.5,
        scaling: 0.25,
        shear: 0.5,
    };

    /// The affine movement, and the noise of the x part, then of the y part.
    fn draws(distortion: &Distortion, strength: f32) -> (Affine, Vec<f32>) {
        let distorter = Distorter::new(distortion, 29, 29).unwrap();
        let mut scratch = distorter.scratch();
        let draw = Epoch { study_seed: 2012, column: 14 << 16 | 2, epoch: 3 }.image(5);
        let affine = distorter.draw(draw, strength, &mut scratch.words);
        dispatch!(distorter.level, simd => distorter.fill_noise(simd, strength, &mut scratch));
        let n_noise = distorter.warp.n_noise();
        (affine, scratch.warp.noise.iter().flat_map(|noise| &noise[..n_noise]).copied().collect())
    }

    /// Any change here changes every study: the first draws of one stream, pinned.
    #[test]
    fn golden_draws() {
        let (affine, noise) = draws(&ELASTIC, 1.0);
        let want = Affine {
            translation_px: [-0.051508427, -0.0077245235],
            rotation_deg: 3.5963864,
            scale: [1.0410874, 0.94158036],
            shear: -0.2972461,
        };
        assert_eq!(affine, want);
        assert_eq!(noise.len(), 2 * 5 * 5);
        assert_eq!(noise[..4], [-52.49661, -5.9374294, -25.273947, 9.512085]);
        assert_eq!(noise[49], 2.8705602);
    }

    #[test]
    fn strength_scales_every_amplitude_of_the_same_draw() {
        let (full, full_noise) = draws(&ELASTIC, 1.0);
        let (half, half_noise) = draws(&ELASTIC, 0.5);
        assert_eq!(half.translation_px, full.translation_px.map(|v| v / 2.0));
        assert_eq!(half.rotation_deg, full.rotation_deg / 2.0);
        for (half, full) in half.scale.into_iter().zip(full.scale) {
            // 1 + v is rounded on both sides, to half an ulp of 1 each.
            assert!((half - 1.0 - (full - 1.0) / 2.0).abs() <= f32::EPSILON);
        }
        assert_eq!(half.shear, full.shear / 2.0);
        assert_eq!(half_noise, full_noise.iter().map(|v| v / 2.0).collect::<Vec<_>>());
    }

    #[test]
    fn switching_a_part_off_leaves_the_other_draws_alone() {
        let (all, noise) = draws(&ELASTIC, 1.0);
        let (others, same_noise) = draws(&Distortion { rotation_deg: 0.0, ..ELASTIC }, 1.0);
        assert_eq!(Affine { rotation_deg: 0.0, ..all }, others);
        assert_eq!(noise, same_noise);
        let (same, none) = draws(&Distortion { alpha: 0.0, ..ELASTIC }, 1.0);
        assert_eq!((same, none), (all, Vec::new()));
    }
}

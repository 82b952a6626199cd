//! Random distortion of images, one at a time or a batch in parallel.

use ndarray::{ArrayView3, Axis};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::affine::Affine;
use crate::distortion::check_parameter;
use crate::smoothing::Basis;
use crate::warp::{Scratch, Warp};
use crate::{Distortion, Draw, Epoch, PreprocessError, scale_to_input};

/// Largest height and width of images and canvases, in pixels.
///
/// A [`Distorter`]'s preparation takes time with the third power of the side: a fraction of a millisecond for 29 pixels, some
/// seconds here.
pub const MAX_SIDE_PX: usize = 512;

/// Fewest images a thread takes at once: below that, handing out work costs a noticeable share.
const MIN_IMAGES_PER_TASK: usize = 8;

/// Distorts images of one size. Made once, then shared by all threads.
///
/// Every image gets its own elastic field and its own affine movement ([`Distortion`]), composed into one map of
/// coordinates; coordinates are clamped to the image and the image is sampled once, bilinearly. The elastic field is
/// drawn in the basis of the strongest singular vectors of its smoothing: exact in distribution but for at most
/// 10⁻⁴ of its variance. The plain form of all this is [`reference`](crate::reference).
///
/// Results depend on the arguments alone: not on the number of threads nor on the order or grouping of images. They
/// are equal to the bit on one machine; elsewhere the last digits of `sin`, `cos` and `exp` may differ.
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
        Ok(Self { distortion: *distortion, height, width, warp })
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
        self.distort_with(image, draw, strength, &mut self.warp.scratch(), out)
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
        let (n_images, height, width) = images.dim();
        if [height, width] != [self.height, self.width] {
            return Err(PreprocessError::ImageSize { got: [height, width], want: [self.height, self.width] });
        }
        if let Some(&got) = indices.iter().find(|&&index| index as usize >= n_images) {
            return Err(PreprocessError::Index { got, n_images });
        }
        let n_pixels = height * width;
        check_length("out", out.len(), indices.len() * n_pixels)?;
        out.par_chunks_exact_mut(n_pixels).zip(indices).with_min_len(MIN_IMAGES_PER_TASK).try_for_each_init(
            || self.warp.scratch(),
            |scratch, (out, &index)| {
                let image = images.index_axis(Axis(0), index as usize);
                let draw = draws.image(index);
                match image.to_slice() {
                    Some(pixels) => self.distort_with(pixels, draw, strength, scratch, out),
                    None => {
                        let pixels: Vec<u8> = image.iter().copied().collect();
                        self.distort_with(&pixels, draw, strength, scratch, out)
                    }
                }
            },
        )
    }

    fn distort_with(
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
        let affine = self.draw(draw, strength, &mut scratch.noise);
        self.warp.run(image, &affine.source_map(self.height, self.width), scratch, out);
        Ok(())
    }

    /// Draws everything random about one image: the affine movement, then the noise of the field's x and y parts.
    fn draw(&self, draw: Draw, strength: f32, noise: &mut [f32]) -> Affine {
        let mut rng = draw.rng();
        let affine = Affine::draw(&self.distortion, strength, &mut rng);
        let amplitude_px = self.distortion.alpha * strength;
        for noise in noise {
            let normal: f32 = StandardNormal.sample(&mut rng);
            *noise = normal * amplitude_px;
        }
        affine
    }
}

fn check_length(what: &'static str, got: usize, want: usize) -> Result<(), PreprocessError> {
    if got == want { Ok(()) } else { Err(PreprocessError::Length { what, got, want }) }
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

    fn draws(distortion: &Distortion, strength: f32) -> (Affine, Vec<f32>) {
        let distorter = Distorter::new(distortion, 29, 29).unwrap();
        let mut noise = distorter.warp.scratch().noise;
        let draw = Epoch { study_seed: 2012, column: 14 << 16 | 2, epoch: 3 }.image(5);
        let affine = distorter.draw(draw, strength, &mut noise);
        (affine, noise)
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
        assert_eq!(noise[..4], [11.4326515, -0.19076048, -17.252817, 2.564595]);
        assert_eq!(noise[49], 15.053906);
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

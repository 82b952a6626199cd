//! The steps of a distortion one by one, for the benches: no part of the interface, and nothing is promised of it.

use fearless_simd::{Level, dispatch};

use crate::affine::{Affine, SourceMap};
use crate::distorter::level_of;
use crate::smoothing::Basis;
use crate::warp::{LANES, Scratch, Warp};
use crate::{Distortion, InstructionSet, PreprocessError, normal};

/// One image size and one set of parameters, with working memory.
#[derive(Debug)]
pub struct Steps {
    warp: Warp,
    map: SourceMap,
    scratch: Scratch,
    level: Level,
    amplitude_px: f32,
}

impl Steps {
    /// For square images, and a movement by a few degrees and a fraction of a pixel.
    ///
    /// # Errors
    /// [`PreprocessError::Parameter`], or [`PreprocessError::InstructionSet`] where the machine lacks them.
    pub fn new(
        distortion: &Distortion,
        side_px: usize,
        set: InstructionSet,
    ) -> Result<Self, PreprocessError> {
        distortion.check()?;
        let basis = Basis::new(distortion.smoothing, f64::from(distortion.sigma), side_px);
        let warp = Warp::new(side_px, side_px, Some([&basis, &basis]));
        let affine =
            Affine { translation_px: [0.3, -0.6], rotation_deg: 3.0, scale: [1.02, 0.97], shear: 0.01 };
        Ok(Self {
            map: affine.source_map(side_px, side_px),
            scratch: warp.scratch(),
            warp,
            level: level_of(set)?,
            amplitude_px: distortion.alpha,
        })
    }

    /// Random words that an image's normal numbers take: for the radii and as many for the angles.
    #[must_use]
    pub fn n_words(&self) -> usize {
        self.warp.n_noise().next_multiple_of(LANES)
    }

    /// The field's normal numbers from the words of their radii and angles, each [`n_words`](Self::n_words).
    pub fn normal_numbers(&mut self, words: [&[u32]; 2]) {
        let noise = self.scratch.noise.each_mut().map(Vec::as_mut_slice);
        dispatch!(self.level, simd => normal::fill(simd, words, self.amplitude_px, noise));
    }

    /// The warp alone: field from the normal numbers there are, coordinates, fetching, interpolation.
    ///
    /// # Shapes
    /// `image` and `out`: `side_px * side_px`, row-major.
    pub fn warp(&mut self, image: &[u8], out: &mut [f32]) {
        dispatch!(self.level, simd => self.warp.run(simd, image, &self.map, &mut self.scratch, out));
    }
}

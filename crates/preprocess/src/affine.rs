//! Rotation, scaling, shear and translation of one image.

use rand::{Rng, RngExt};

use crate::Distortion;

/// One affine movement of a digit, as drawn.
///
/// Ink at `p`, counted from the image's centre with x to the right and y down, moves to `R H S p + t`: scaled (`S`),
/// sheared (`H`), rotated (`R`), shifted (`t`). An output pixel is sampled where its ink came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Shift in x (to the right) and y (down), in pixels.
    pub translation_px: [f32; 2],
    /// Angle, in degrees; positive is clockwise as one sees it.
    pub rotation_deg: f32,
    /// Factor on the size in x and in y; 1 changes nothing.
    pub scale: [f32; 2],
    /// Columns to the right that a point moves for each row above the centre.
    pub shear: f32,
}

impl Affine {
    /// The movement that leaves everything where it is.
    pub const IDENTITY: Self =
        Self { translation_px: [0.0; 2], rotation_deg: 0.0, scale: [1.0; 2], shear: 0.0 };

    /// Draws one movement: uniform in ± the amplitudes of `distortion` times `strength`.
    ///
    /// Always six draws, in the order shift x, y, angle, size x, y, shear, so that switching one part off does not
    /// change the others.
    pub(crate) fn draw(distortion: &Distortion, strength: f32, rng: &mut impl Rng) -> Self {
        let mut uniform = |amplitude: f32| (2.0 * rng.random::<f32>() - 1.0) * (amplitude * strength);
        Self {
            translation_px: [uniform(distortion.translation_px), uniform(distortion.translation_px)],
            rotation_deg: uniform(distortion.rotation_deg),
            scale: [1.0 + uniform(distortion.scaling), 1.0 + uniform(distortion.scaling)],
            shear: uniform(distortion.shear),
        }
    }

    /// The way back: where in the source image an output pixel's colour comes from.
    pub(crate) fn source_map(&self, height: usize, width: usize) -> SourceMap {
        let centre = |side: usize| (side as f64 - 1.0) / 2.0;
        let (centre_x, centre_y) = (centre(width), centre(height));
        let [shift_x, shift_y] = self.translation_px.map(f64::from);
        let [scale_x, scale_y] = self.scale.map(f64::from);
        let shear = f64::from(self.shear);
        let (sin, cos) = f64::from(self.rotation_deg).to_radians().sin_cos();
        // S⁻¹ H⁻¹ R⁻¹, multiplied out.
        let x_by_column = (cos - shear * sin) / scale_x;
        let x_by_row = (sin + shear * cos) / scale_x;
        let y_by_column = -sin / scale_y;
        let y_by_row = cos / scale_y;
        let (from_x, from_y) = (centre_x + shift_x, centre_y + shift_y);
        SourceMap {
            x: [centre_x - x_by_column * from_x - x_by_row * from_y, x_by_row, x_by_column].map(|v| v as f32),
            y: [centre_y - y_by_column * from_x - y_by_row * from_y, y_by_row, y_by_column].map(|v| v as f32),
        }
    }
}

/// Source coordinates as `constant + by_row * row + by_column * column`, for x and for y.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceMap {
    pub(crate) x: [f32; 3],
    pub(crate) y: [f32; 3],
}

//! What a distortion is made of, the ranges of its parameters, and how its strength falls over a run.

use crate::PreprocessError;

/// Parameters of the random distortion of training digits.
///
/// Elastic displacement, rotation, scaling, shear and translation are composed into one map of coordinates and the
/// image is sampled once. Every draw of an affine parameter is uniform in ± the amplitude given here; an amplitude
/// of 0 switches that part off. Ranges are checked by [`Distortion::check`] (and so by
/// [`Distorter::new`](crate::Distorter::new)).
///
/// With the feature `serde` all keys are required and unknown ones refused.
///
/// # Source
/// Simard, Steinkraus, Platt 2003 (elastic part); Cireşan et al. 2010 and 2012 (with the affine part, scaling apart
/// for the two axes, horizontal shear).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Distortion {
    /// Standard deviation of the Gaussian that smooths the noise, in pixels: [`MIN_SIGMA`](Self::MIN_SIGMA) to
    /// [`MAX_SIGMA`](Self::MAX_SIGMA). It may exceed the image: the field is then nearly one shift.
    pub sigma: f32,
    /// Factor on the smoothed noise, which gives pixels: 0 to [`MAX_ALPHA`](Self::MAX_ALPHA).
    pub alpha: f32,
    /// Where the Gaussian is cut and how it is normalized.
    pub smoothing: Smoothing,
    /// Largest shift along each axis, in pixels: 0 to [`MAX_TRANSLATION_PX`](Self::MAX_TRANSLATION_PX).
    pub translation_px: f32,
    /// Largest angle of rotation about the image's centre, in degrees: 0 to 180.
    pub rotation_deg: f32,
    /// Largest relative change of size, drawn for each axis on its own: 0.1 is ±10 %. 0 to
    /// [`MAX_SCALING`](Self::MAX_SCALING).
    pub scaling: f32,
    /// Largest horizontal shear, columns a row: 0.1 slants a stroke by up to 5.7°. 0 to
    /// [`MAX_SHEAR`](Self::MAX_SHEAR).
    pub shear: f32,
}

/// The paper's kind of distortion: elastic, with a small translation, rotation and scaling, and no shear.
///
/// The paper does not give its amplitudes. These are this project's own, those of `configs/paper.json`: σ 6 pixels and
/// α 36 (the Theano project's), ±1 pixel, ±5° and ±5 %.
impl Default for Distortion {
    fn default() -> Self {
        Self {
            sigma: 6.0,
            alpha: 36.0,
            smoothing: Smoothing::Gaussian,
            translation_px: 1.0,
            rotation_deg: 5.0,
            scaling: 0.05,
            shear: 0.0,
        }
    }
}

impl Distortion {
    /// Smallest `sigma`, in pixels: below about 0.1 the smoothing does nothing anyway.
    pub const MIN_SIGMA: f32 = 0.01;
    /// Largest `sigma`, in pixels.
    pub const MAX_SIGMA: f32 = 10_000.0;
    /// Largest `alpha`.
    pub const MAX_ALPHA: f32 = 1_000_000.0;
    /// Largest `translation_px`, in pixels.
    pub const MAX_TRANSLATION_PX: f32 = 1_000.0;
    /// Largest `rotation_deg`, in degrees.
    pub const MAX_ROTATION_DEG: f32 = 180.0;
    /// Largest `scaling`: at 1 a digit could shrink to a point.
    pub const MAX_SCALING: f32 = 0.9;
    /// Largest `shear`.
    pub const MAX_SHEAR: f32 = 10.0;

    /// Whether every parameter is a number in its range.
    ///
    /// # Errors
    /// [`PreprocessError::Parameter`] names the first parameter that is not.
    pub fn check(&self) -> Result<(), PreprocessError> {
        check_parameter("sigma", self.sigma, Self::MIN_SIGMA, Self::MAX_SIGMA)?;
        check_parameter("alpha", self.alpha, 0.0, Self::MAX_ALPHA)?;
        check_parameter("translation_px", self.translation_px, 0.0, Self::MAX_TRANSLATION_PX)?;
        check_parameter("rotation_deg", self.rotation_deg, 0.0, Self::MAX_ROTATION_DEG)?;
        check_parameter("scaling", self.scaling, 0.0, Self::MAX_SCALING)?;
        check_parameter("shear", self.shear, 0.0, Self::MAX_SHEAR)
    }
}

/// How the Gaussian of the elastic field is cut off and normalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Smoothing {
    /// Taps up to 3σ from the centre, sum 1: displacements of about α / (2σ√π) pixels away from the border.
    Gaussian,
    /// Taps up to σ from the centre, weights exp(−(i² + j²) / 2σ²) / (2πσ²), sum below 1: the Theano project's rule.
    /// Less smooth at equal σ.
    Theano,
}

/// Share of the full distortion at one moment of a run: 1, then linearly down to 0 at its end.
///
/// # Units
/// `progress`: share of the run that is done, `anneal`: share of the run, at its end, over which the strength falls.
/// Both in `0.0..=1.0` (values outside are taken as the nearer end, NaN as 0). With `anneal` 0 the answer is always 1.
///
/// ```
/// use preprocess::strength;
/// assert_eq!(strength(0.5, 0.25), 1.0);
/// assert_eq!(strength(0.875, 0.25), 0.5);
/// assert_eq!(strength(1.0, 0.25), 0.0);
/// assert_eq!(strength(1.0, 0.0), 1.0);
/// ```
///
/// # Source
/// Not in the paper, which distorts alike in all epochs: there `anneal` is 0.
#[must_use]
pub fn strength(progress: f32, anneal: f32) -> f32 {
    let share = |value: f32| if value > 0.0 { value.min(1.0) } else { 0.0 };
    let (progress, anneal) = (share(progress), share(anneal));
    if anneal > 0.0 { ((1.0 - progress) / anneal).min(1.0) } else { 1.0 }
}

pub(crate) fn check_parameter(
    name: &'static str,
    got: f32,
    min: f32,
    max: f32,
) -> Result<(), PreprocessError> {
    // A NaN is in no range.
    if (min..=max).contains(&got) { Ok(()) } else { Err(PreprocessError::Parameter { name, got, min, max }) }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact results are part of the contract")]
mod tests {
    use super::*;

    const STILL: Distortion = Distortion {
        sigma: 8.0,
        alpha: 0.0,
        smoothing: Smoothing::Gaussian,
        translation_px: 0.0,
        rotation_deg: 0.0,
        scaling: 0.0,
        shear: 0.0,
    };

    #[track_caller]
    fn check_refused(distortion: Distortion, want: &str) {
        assert_eq!(distortion.check().unwrap_err().to_string(), want);
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        STILL.check().unwrap();
        Distortion::default().check().unwrap();
        check_refused(Distortion { sigma: 0.0, ..STILL }, "sigma 0 is out of range: 0.01 to 10000");
        check_refused(Distortion { sigma: -8.0, ..STILL }, "sigma -8 is out of range: 0.01 to 10000");
        check_refused(
            Distortion { sigma: f32::INFINITY, ..STILL },
            "sigma inf is out of range: 0.01 to 10000",
        );
        check_refused(Distortion { alpha: f32::NAN, ..STILL }, "alpha NaN is out of range: 0 to 1000000");
        check_refused(
            Distortion { translation_px: -1.0, ..STILL },
            "translation_px -1 is out of range: 0 to 1000",
        );
        check_refused(
            Distortion { rotation_deg: 181.0, ..STILL },
            "rotation_deg 181 is out of range: 0 to 180",
        );
        check_refused(Distortion { scaling: 1.0, ..STILL }, "scaling 1 is out of range: 0 to 0.9");
        check_refused(Distortion { shear: f32::NAN, ..STILL }, "shear NaN is out of range: 0 to 10");
    }

    #[test]
    fn strength_falls_linearly_at_the_end_only() {
        for (progress, anneal, want) in [
            (0.0, 0.25, 1.0),
            (0.75, 0.25, 1.0),
            (0.9375, 0.25, 0.25),
            (1.0, 0.25, 0.0),
            (0.25, 1.0, 0.75),
            (0.999, 0.0, 1.0),
            (-1.0, 0.5, 1.0),
            (2.0, 0.5, 0.0),
            (f32::NAN, f32::NAN, 1.0),
        ] {
            assert_eq!(strength(progress, anneal), want, "progress {progress}, anneal {anneal}");
        }
    }
}

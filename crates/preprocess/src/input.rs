//! From stored pixels to the numbers the network takes.

use crate::PreprocessError;

/// Scales pixels to the network's input: `(v - 127.5) / 127.5`.
///
/// # Shapes
/// `pixels` and `out` have the same length, any layout.
/// # Units
/// Pixels 0 (background) to 255 (ink) become -1 to 1, both ends exactly.
/// # Errors
/// [`PreprocessError::Length`] when the lengths differ; nothing is written then.
pub fn scale_to_input(pixels: &[u8], out: &mut [f32]) -> Result<(), PreprocessError> {
    if out.len() != pixels.len() {
        return Err(PreprocessError::Length { what: "out", got: out.len(), want: pixels.len() });
    }
    for (out, &pixel) in out.iter_mut().zip(pixels) {
        *out = to_input(f32::from(pixel));
    }
    Ok(())
}

/// Middle between background and ink, which becomes 0.
pub(crate) const MIDDLE: f32 = 127.5;

/// One over [`MIDDLE`]. Its rounding does not show at the ends: `127.5 * SCALE` rounds to 1.
pub(crate) const SCALE: f32 = 1.0 / MIDDLE;

/// The one formula, which the warp repeats for sampled values. It is odd around [`MIDDLE`], hence exact at both ends.
pub(crate) fn to_input(value: f32) -> f32 {
    (value - MIDDLE) * SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_exact_and_lengths_checked() {
        let mut out = [0.0; 3];
        scale_to_input(&[0, 255, 51], &mut out).unwrap();
        assert_eq!(out.map(f32::to_bits), [-1.0, 1.0, -0.6].map(f32::to_bits));
        let err = scale_to_input(&[0; 4], &mut out).unwrap_err();
        assert_eq!(err.to_string(), "out has 3 elements, expected 4");
    }
}

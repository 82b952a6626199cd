//! Normal numbers from random words, sixteen pairs at a time.
//!
//! The method is Box and Muller's: with `u` uniform in (0, 1] and an angle uniform on the circle, `√(−2 ln u)` times the
//! angle's cosine and sine are two independent standard normal numbers, exactly. What is not exact is arithmetic:
//! - `u` is one of 2³¹ equidistant values, rounded to `f32` twice: the distribution function of the radius is off by at
//!   most 2⁻²³, and no number is beyond ±6.56, which a normal number is once in 18 thousand million;
//! - the angle is one of 2³² values, rounded to `f32`;
//! - logarithm, cosine and sine are polynomials, off by less than 3 · 10⁻⁷ of their value (tested against `f64`).
//!
//! Sums, products and square roots are rounded as IEEE 754 has it, so every machine draws the same bits.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, u32x16};

use crate::warp::LANES;

/// Fills `cosines` and `sines`, whole blocks, with independent normal numbers of standard deviation `amplitude`.
///
/// # Shapes
/// `radius_words` and `angle_words` have at least the length of `cosines` and of `sines`, which are equally long
/// multiples of [`LANES`].
#[inline(always)]
pub(crate) fn fill<S: Simd>(
    simd: S,
    [radius_words, angle_words]: [&[u32]; 2],
    amplitude: f32,
    [cosines, sines]: [&mut [f32]; 2],
) {
    let words = radius_words.chunks_exact(LANES).zip(angle_words.chunks_exact(LANES));
    let results = cosines.chunks_exact_mut(LANES).zip(sines.chunks_exact_mut(LANES));
    for ((radius_words, angle_words), (cosines, sines)) in words.zip(results) {
        let radius = radius(simd, u32x16::from_slice(simd, radius_words)) * amplitude;
        let (cosine, sine) = direction(simd, u32x16::from_slice(simd, angle_words));
        (radius * cosine).store_slice(cosines);
        (radius * sine).store_slice(sines);
    }
}

/// `√(−2 ln u)`, with `u` from the upper 31 bits.
#[inline(always)]
fn radius<S: Simd>(simd: S, words: u32x16<S>) -> f32x16<S> {
    let whole: i32x16<S> = (words >> 1).bitcast();
    let whole: f32x16<S> = whole.to_float();
    let u = (whole + 1.0) * (1.0 / 2_147_483_648.0);
    // Never negative: u is at most 1, and at 1 the logarithm is exactly 0.
    (ln(simd, u) * -2.0).sqrt()
}

/// Natural logarithm of normal numbers in `0.0..=1.0`, 0 left out.
///
/// `u = m 2ᵉ` with m in `√½..√2`, then Moshier's polynomial for `ln(1 + x)` (Cephes, `logf`), and `ln 2` in two parts,
/// the first with zeros at its end, so that e times it is exact.
#[inline(always)]
fn ln<S: Simd>(simd: S, u: f32x16<S>) -> f32x16<S> {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const COEFFICIENTS: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_84e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_7e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits: i32x16<S> = u.bitcast();
    let exponent = (bits - std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed()) >> 23;
    let mantissa: f32x16<S> = (bits - (exponent << 23)).bitcast();
    let exponent: f32x16<S> = exponent.to_float();
    let x = mantissa - 1.0;
    let x2 = x * x;
    let rest = polynomial(simd, x, COEFFICIENTS) * x * x2 + exponent * LN_2_LOW - x2 * 0.5;
    x + rest + exponent * LN_2_HIGH
}

/// Cosine and sine of an angle that is uniform on the circle.
///
/// The upper 30 bits give an angle of −45° to 45°, one of the lower two mirrors it at the vertical axis, the other at the
/// diagonal: four copies of the quarter circle, and together the whole.
#[inline(always)]
fn direction<S: Simd>(simd: S, words: u32x16<S>) -> (f32x16<S>, f32x16<S>) {
    const COSINE: [f32; 3] = [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2];
    const SINE: [f32; 3] = [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1];
    let signed: i32x16<S> = (words & !3).bitcast();
    let signed: f32x16<S> = signed.to_float();
    let angle = signed * (std::f32::consts::FRAC_PI_4 / 2_147_483_648.0);
    let squared = angle * angle;
    // Moshier's polynomials again (Cephes, `sinf`).
    let cosine = polynomial(simd, squared, COSINE) * squared * squared - squared * 0.5 + 1.0;
    let sine = polynomial(simd, squared, SINE) * squared * angle + angle;
    let mirrored: f32x16<S> = (cosine.to_bits() ^ (words << 31)).bitcast();
    let as_it_is = (words & 2).simd_eq(0);
    (as_it_is.select(mirrored, sine), as_it_is.select(sine, mirrored))
}

/// Horner's rule, highest power first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: f32x16<S>, coefficients: [f32; N]) -> f32x16<S> {
    let [first, rest @ ..] = &coefficients[..] else { return f32x16::splat(simd, 0.0) };
    rest.iter().fold(f32x16::splat(simd, *first), |sum, &coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_4;

    use chacha20::ChaCha8Rng;
    use fearless_simd::dispatch;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::InstructionSet;

    fn filled(set: InstructionSet, radius_words: &[u32], angle_words: &[u32]) -> [Vec<f32>; 2] {
        let mut cosines = vec![f32::NAN; radius_words.len()];
        let mut sines = cosines.clone();
        let words = [radius_words, angle_words];
        dispatch!(set.level().unwrap(), simd => fill(simd, words, 1.0, [&mut cosines, &mut sines]));
        [cosines, sines]
    }

    fn words(n: usize) -> [Vec<u32>; 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut words = || (0..n).map(|_| rng.next_u32()).collect::<Vec<u32>>();
        let [mut radius_words, mut angle_words] = [words(), words()];
        // Both ends of each range, and every quadrant.
        radius_words[..8].copy_from_slice(&[0, 1, 2, 3, u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1]);
        angle_words[..8].copy_from_slice(&[0, 1, 2, 3, u32::MAX, (1 << 31) - 1, 1 << 31, (1 << 31) + 3]);
        [radius_words, angle_words]
    }

    /// The same formula in f64.
    fn plainly(radius_word: u32, angle_word: u32) -> [f64; 2] {
        let u = f64::from((radius_word >> 1) as f32 + 1.0) / 2f64.powi(31);
        let angle = f64::from((angle_word & !3).cast_signed()) / 2f64.powi(31) * FRAC_PI_4;
        let (sine, mut cosine) = angle.sin_cos();
        if angle_word & 1 == 1 {
            cosine = -cosine;
        }
        let radius = (-2.0 * u.ln()).sqrt();
        if angle_word & 2 == 0 { [radius * cosine, radius * sine] } else { [radius * sine, radius * cosine] }
    }

    #[test]
    fn every_set_draws_the_same_bits_and_they_are_the_formula_s() {
        let [radius_words, angle_words] = words(1 << 16);
        let scalar = filled(InstructionSet::Scalar, &radius_words, &angle_words);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let got = filled(set, &radius_words, &angle_words);
            let bits = |v: &[Vec<f32>; 2]| v.concat().iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
            assert!(bits(&got) == bits(&scalar), "{set}");
        }
        for (n, (&radius_word, &angle_word)) in radius_words.iter().zip(&angle_words).enumerate() {
            let want = plainly(radius_word, angle_word);
            let radius = want[0].hypot(want[1]);
            for (got, want) in [scalar[0][n], scalar[1][n]].into_iter().zip(want) {
                // In units of 2⁻²⁴: the logarithm 3 (of which the root keeps 1.5), the root 0.5, cosine or sine 2 of
                // the whole radius, the angle 1 times 45°, the product 0.5.
                let bound = 6.0 * f64::from(f32::EPSILON) / 2.0 * radius;
                assert!((f64::from(got) - want).abs() <= bound, "{n}: got {got}, want {want} ± {bound:e}");
            }
        }
    }

    type Moment<'a> = &'a dyn Fn(f64, f64) -> f64;

    /// Moments and tails of a million numbers, each within five standard errors.
    #[test]
    fn they_are_normal_and_independent() {
        let n = 1 << 19;
        let [radius_words, angle_words] = words(n);
        let [x, y] = filled(InstructionSet::best(), &radius_words, &angle_words);
        let mean = |value: Moment<'_>| {
            let pairs = x.iter().zip(&y).map(|(&x, &y)| value(f64::from(x), f64::from(y)));
            pairs.sum::<f64>() / n as f64
        };
        // Value, its mean, its variance: moments of the normal distribution are 1, 3, 15, 105.
        let beyond = |limit: f64| move |x: f64, _: f64| f64::from(u8::from(x.abs() > limit));
        let checks: [(&str, Moment<'_>, f64, f64); 12] = [
            ("x", &|x, _| x, 0.0, 1.0),
            ("y", &|_, y| y, 0.0, 1.0),
            ("x²", &|x, _| x * x, 1.0, 2.0),
            ("y²", &|_, y| y * y, 1.0, 2.0),
            ("x³", &|x, _| x.powi(3), 0.0, 15.0),
            ("x⁴", &|x, _| x.powi(4), 3.0, 96.0),
            ("y⁴", &|_, y| y.powi(4), 3.0, 96.0),
            ("xy", &|x, y| x * y, 0.0, 1.0),
            ("x²y²", &|x, y| x * x * y * y, 1.0, 8.0),
            ("x³y", &|x, y| x.powi(3) * y, 0.0, 15.0),
            ("|x| > 1", &beyond(1.0), 0.317_310_5, 0.317_310_5 * 0.682_689_5),
            ("|x| > 3", &beyond(3.0), 0.002_699_8, 0.002_699_8 * 0.997_300_2),
        ];
        for (name, value, want, variance) in checks {
            let got = mean(value);
            let bound = 5.0 * (variance / n as f64).sqrt();
            assert!((got - want).abs() <= bound, "{name}: got {got}, want {want} ± {bound}");
        }
    }
}

//! The activation functions as vector operations, and their derivatives from the activated value.
#![expect(unsafe_code, reason = "vector intrinsics; lengths are checked at the head of each kernel")]

use crate::simd::{Simd, kernel};
use ciresan_net::Activation;

/// Amplitude of the scaled hyperbolic tangent 1.7159·tanh(2x/3).
const AMPLITUDE: f32 = 1.7159;
const SLOPE: f32 = 2.0 / 3.0;

/// Beyond this, tanh is 1 to the last bit of an f32.
const TANH_LIMIT: f32 = 9.0;

/// tanh(x) ≈ x·P(x²)/Q(x²) for |x| ≤ 9: coefficients of P and Q from the constant term up.
///
/// Fitted for this crate: 400 Chebyshev nodes on [0, 9], weighted linear least squares for the relative error with
/// Lawson's reweighting, 40 digits of working precision; largest relative error of the exact rational 2.1e-8,
/// a third of the rounding unit of an f32.
const TANH_P: [f32; 5] = [0.999_999_98, 0.133_809_72, 0.003_495_519_8, 2.060_779_9e-5, 1.335_264e-8];
const TANH_Q: [f32; 5] = [1.0, 0.467_142_88, 0.025_876_734, 0.000_328_551_58, 7.775_779_7e-7];

/// One activation function on vectors.
pub(crate) trait VectorActivation {
    /// # Safety
    /// Needs the instruction set of `S`.
    unsafe fn apply<S: Simd>(x: S::V) -> S::V;
}

pub(crate) struct ScaledTanh;
pub(crate) struct Relu;

impl VectorActivation for ScaledTanh {
    #[inline(always)]
    unsafe fn apply<S: Simd>(x: S::V) -> S::V {
        // SAFETY: the caller has the instruction set of `S`; nothing here touches memory.
        unsafe {
            // The limit comes first in min and max, so that a NaN passes through and stops the training loudly.
            let x = S::mul(x, S::splat(SLOPE));
            let x = S::min(S::splat(TANH_LIMIT), S::max(S::splat(-TANH_LIMIT), x));
            let t = S::mul(x, x);
            let mut p = S::splat(TANH_P[4]);
            let mut q = S::splat(TANH_Q[4]);
            for i in (0..4).rev() {
                p = S::fma(p, t, S::splat(TANH_P[i]));
                q = S::fma(q, t, S::splat(TANH_Q[i]));
            }
            S::div(S::mul(S::mul(x, S::splat(AMPLITUDE)), p), q)
        }
    }
}

impl VectorActivation for Relu {
    #[inline(always)]
    unsafe fn apply<S: Simd>(x: S::V) -> S::V {
        // SAFETY: the caller has the instruction set of `S`. Zero comes first, so that a NaN passes through.
        unsafe { S::max(S::splat(0.0), x) }
    }
}

kernel! {
    /// Activates every value in place.
    pub(crate) fn activate(activation: Activation, values: &mut [f32]) = activate_body
}

#[inline(always)]
unsafe fn activate_body<S: Simd>(activation: Activation, values: &mut [f32]) {
    // SAFETY: the caller has the instruction set of `S`.
    unsafe {
        match activation {
            Activation::ScaledTanh => map::<S, ScaledTanh>(values),
            Activation::Relu => map::<S, Relu>(values),
        }
    }
}

/// Activates every value in place.
///
/// # Safety
/// Needs the instruction set of `S`.
#[inline(always)]
pub(crate) unsafe fn map<S: Simd, A: VectorActivation>(values: &mut [f32]) {
    let mut chunks = values.chunks_exact_mut(S::LANES);
    // SAFETY: each chunk, and the local array (16 is the most lanes there are), holds LANES values.
    unsafe {
        for chunk in &mut chunks {
            S::store(chunk.as_mut_ptr(), A::apply::<S>(S::load(chunk.as_ptr())));
        }
        let tail = chunks.into_remainder();
        let mut last = [0.0; 16];
        last[..tail.len()].copy_from_slice(tail);
        S::store(last.as_mut_ptr(), A::apply::<S>(S::load(last.as_ptr())));
        tail.copy_from_slice(&last[..tail.len()]);
    }
}

kernel! {
    /// Turns gradients of activated values into gradients of the values before: `gradient[i] *= f′` at `activated[i]`.
    pub(crate) fn through_derivative(activation: Activation, activated: &[f32], gradient: &mut [f32]) = derivative_body
}

#[inline(always)]
unsafe fn derivative_body<S: Simd>(activation: Activation, activated: &[f32], gradient: &mut [f32]) {
    assert_eq!(activated.len(), gradient.len(), "one gradient for every activated value");
    // Plain loops: in a function with the target features of `S` the compiler vectorizes them.
    match activation {
        Activation::ScaledTanh => {
            for (g, &y) in gradient.iter_mut().zip(activated) {
                // d/dx A·tanh(sx) = A·s·(1 − (y/A)²)
                *g *= AMPLITUDE * SLOPE - (SLOPE / AMPLITUDE) * y * y;
            }
        }
        Activation::Relu => {
            for (g, &y) in gradient.iter_mut().zip(activated) {
                *g = if y > 0.0 { *g } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction_set::InstructionSet;

    #[test]
    fn scaled_tanh_is_right_to_a_few_rounding_units() {
        for isa in InstructionSet::available() {
            let xs: Vec<f32> = (-200_000..=200_000).map(|i| i as f32 * 1e-4).collect();
            let mut ys = xs.clone();
            activate(isa, Activation::ScaledTanh, &mut ys);
            for (&x, &y) in xs.iter().zip(&ys) {
                let want = 1.7159 * (f64::from(x) * 2.0 / 3.0).tanh();
                // The fit gives 2.1e-8; two polynomials, two products, a quotient and the scaling of x round
                // about eight times, each by at most ε/2.
                let bound = 4.0 * f64::from(f32::EPSILON) * want.abs() + 1e-30;
                assert!((f64::from(y) - want).abs() <= bound, "{isa}: f({x}) = {y}, want {want}");
            }
        }
    }

    #[test]
    fn relu_keeps_positive_values_and_nan() {
        for isa in InstructionSet::available() {
            let mut ys = vec![-1.0, 0.0, 2.5, f32::NAN, -0.0, 7.0, -3.0, 1.0, 4.0];
            activate(isa, Activation::Relu, &mut ys);
            assert!(ys[3].is_nan(), "{isa}");
            ys[3] = 9.0;
            assert_eq!(ys, [0.0, 0.0, 2.5, 9.0, 0.0, 7.0, 0.0, 1.0, 4.0], "{isa}");
            let mut tanh = [f32::NAN; 3];
            activate(isa, Activation::ScaledTanh, &mut tanh);
            assert!(tanh.iter().all(|y| y.is_nan()), "{isa}");
        }
    }
}

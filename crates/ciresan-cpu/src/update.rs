//! The optimizer's step on one parameter tensor, fused with the sums for the update ratio.
#![expect(unsafe_code, reason = "declares a kernel; the loops are plain")]

use crate::simd::{Simd, kernel};
use ciresan_net::Optimizer;

/// One tensor and how it moves.
pub(crate) struct TensorUpdate<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) velocity: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) optimizer: Optimizer,
    pub(crate) learning_rate: f32,
    /// ‖∇‖₁ and, before the update, ‖θ‖₁.
    pub(crate) norms: &'a mut [f64; 2],
}

kernel! {
    /// `v ← m·v + ∇`, then `θ ← θ − lr·v`, or with Nesterov's momentum `θ ← θ − lr·(∇ + m·v)`.
    pub(crate) fn update(tensor: TensorUpdate<'_>) = update_body
}

/// Lanes of the norms' partial sums: plain arrays that the compiler keeps in vectors.
const LANES: usize = 16;

/// Values summed in f32 before they go to f64: few enough that rounding stays below 1e-5 of the sum.
const CHUNK: usize = 64 * LANES;

#[inline(always)]
unsafe fn update_body<S: Simd>(t: TensorUpdate<'_>) {
    let n = t.values.len();
    assert!(t.velocity.len() == n && t.gradient.len() == n, "values, velocity and gradient of one tensor");
    let momentum = t.optimizer.momentum;
    // ∇·a + v·b is the direction: v itself, or Nesterov's look ahead.
    let (a, b) = if t.optimizer.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
    let mut norms = [0.0f64; 2];
    let chunks = t.values.chunks_mut(CHUNK).zip(t.velocity.chunks_mut(CHUNK)).zip(t.gradient.chunks(CHUNK));
    for ((values, velocity), gradient) in chunks {
        let mut sums = [[0.0f32; LANES]; 2];
        let mut values = values.chunks_exact_mut(LANES);
        let mut velocity = velocity.chunks_exact_mut(LANES);
        let mut gradient = gradient.chunks_exact(LANES);
        let mut one = |x: &mut f32, v: &mut f32, g: f32, lane: usize| {
            sums[0][lane] += g.abs();
            sums[1][lane] += x.abs();
            *v = momentum * *v + g;
            *x -= t.learning_rate * (a * g + b * *v);
        };
        for ((x, v), g) in (&mut values).zip(&mut velocity).zip(&mut gradient) {
            for lane in 0..LANES {
                one(&mut x[lane], &mut v[lane], g[lane], lane);
            }
        }
        let tail =
            values.into_remainder().iter_mut().zip(velocity.into_remainder()).zip(gradient.remainder());
        for (lane, ((x, v), &g)) in tail.enumerate() {
            one(x, v, g, lane);
        }
        for (norm, sums) in norms.iter_mut().zip(&sums) {
            *norm += f64::from(sums.iter().sum::<f32>());
        }
    }
    *t.norms = norms;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn follows_the_formula_in_every_lane_and_tail() {
        for isa in Isa::available() {
            for nesterov in [false, true] {
                let n = 2 * CHUNK + 19;
                let start: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
                let gradient: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos()).collect();
                let (mut values, mut velocity) = (start.clone(), vec![0.5; n]);
                let mut norms = [0.0; 2];
                update(
                    isa,
                    TensorUpdate {
                        values: &mut values,
                        velocity: &mut velocity,
                        gradient: &gradient,
                        optimizer: Optimizer { momentum: 0.9, nesterov },
                        learning_rate: 0.1,
                        norms: &mut norms,
                    },
                );
                for i in 0..n {
                    let v = 0.9 * 0.5 + gradient[i];
                    let step = if nesterov { gradient[i] + 0.9 * v } else { v };
                    assert!(
                        (velocity[i] - v).abs() < 1e-6 && (values[i] - (start[i] - 0.1 * step)).abs() < 1e-6
                    );
                }
                for (norm, of) in norms.iter().zip([&gradient, &start]) {
                    let want: f64 = of.iter().map(|&x| f64::from(x.abs())).sum();
                    assert!((norm / want - 1.0).abs() < 1e-5, "{isa}: {norm}, want {want}");
                }
            }
        }
    }
}

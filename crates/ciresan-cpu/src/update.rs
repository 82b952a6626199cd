//! The optimizer's step on one parameter tensor, fused with the sums for the update ratio.
#![expect(unsafe_code, reason = "declares kernels; the loops are plain")]

use crate::simd::{Simd, kernel};
use ciresan_net::Optimizer;

/// One tensor and how it moves.
pub(crate) struct TensorUpdate<'a> {
    pub(crate) values: &'a mut [f32],
    /// As [`Optimizer::moments`] has them; what there is none of is empty.
    pub(crate) moments: [&'a mut [f32]; 2],
    pub(crate) gradient: &'a [f32],
    pub(crate) optimizer: Optimizer,
    /// Number of the step, counted from 1.
    pub(crate) t: u64,
    pub(crate) learning_rate: f32,
    /// ‖∇‖₁ and, before the update, ‖θ‖₁.
    pub(crate) norms: &'a mut [f64; 2],
}

kernel! {
    /// The step that [`Optimizer`] describes.
    pub(crate) fn update(tensor: TensorUpdate<'_>) = update_body
}

/// Values that move at once: plain arrays that the compiler keeps in vectors.
const LANES: usize = 16;

/// Values summed in f32 before they go to f64: few enough that rounding stays below 1e-5 of the sum.
const CHUNK: usize = 64 * LANES;

#[inline(always)]
unsafe fn update_body<S: Simd>(tensor: TensorUpdate<'_>) {
    let TensorUpdate { values, moments: [first, second], gradient, optimizer, t, learning_rate, norms } =
        tensor;
    *norms = match optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            // ∇·a + v·b is the direction: v itself, or Nesterov's look-ahead.
            let (a, b) = if nesterov { (1.0, momentum) } else { (0.0, 1.0) };
            sweep(values, [first], gradient, |x, [v], g| {
                let v = momentum * v + g;
                (x - learning_rate * (a * g + b * v), [v])
            })
        }
        Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
            let [of_first, of_second] = optimizer.bias_corrections(t);
            let wide_rate = f64::from(learning_rate);
            let rate = (wide_rate / of_first) as f32;
            let root = of_second.sqrt().recip() as f32;
            let kept = (1.0 - wide_rate * f64::from(weight_decay)) as f32;
            let [new1, new2] = [beta1, beta2].map(|beta| (1.0 - f64::from(beta)) as f32);
            sweep(values, [first, second], gradient, |x, [m, s], g| {
                let m = beta1 * m + new1 * g;
                let s = beta2 * s + new2 * (g * g);
                (kept * x - rate * (m / (s.sqrt() * root + epsilon)), [m, s])
            })
        }
    };
}

/// Moves every value and its `M` moments by `one`; returns ‖∇‖₁ and, from before, ‖θ‖₁.
#[inline(always)]
fn sweep<const M: usize>(
    values: &mut [f32],
    mut moments: [&mut [f32]; M],
    gradient: &[f32],
    one: impl Fn(f32, [f32; M], f32) -> (f32, [f32; M]),
) -> [f64; 2] {
    let n = values.len();
    let as_long = moments.iter().all(|moment| moment.len() == n) && gradient.len() == n;
    assert!(as_long, "values, moments and gradient of one tensor");
    let mut norms = [0.0f64; 2];
    for chunk in (0..n).step_by(CHUNK) {
        let chunk = chunk..n.min(chunk + CHUNK);
        let (x, x_tail) = values[chunk.clone()].as_chunks_mut::<LANES>();
        let (g, g_tail) = gradient[chunk.clone()].as_chunks::<LANES>();
        let mut m = moments.each_mut().map(|moment| moment[chunk.clone()].as_chunks_mut::<LANES>());
        let mut sums = [[0.0f32; LANES]; 2];
        for (i, (x, g)) in x.iter_mut().zip(g).enumerate() {
            move_block(x, m.each_mut().map(|(blocks, _)| &mut blocks[i]), g, &mut sums, &one);
        }
        // What is missing in the last block is zeros, which add nothing and go nowhere.
        let mut x = padded(x_tail);
        let mut padded_m = m.each_ref().map(|(_, tail)| padded(tail));
        move_block(&mut x, padded_m.each_mut(), &padded(g_tail), &mut sums, &one);
        x_tail.copy_from_slice(&x[..x_tail.len()]);
        for ((_, tail), m) in m.iter_mut().zip(&padded_m) {
            tail.copy_from_slice(&m[..tail.len()]);
        }
        for (norm, sums) in norms.iter_mut().zip(&sums) {
            *norm += f64::from(sums.iter().sum::<f32>());
        }
    }
    norms
}

/// [`sweep`] of one block; `sums` are those of its chunk.
#[inline(always)]
fn move_block<const M: usize>(
    x: &mut [f32; LANES],
    m: [&mut [f32; LANES]; M],
    g: &[f32; LANES],
    sums: &mut [[f32; LANES]; 2],
    one: &impl Fn(f32, [f32; M], f32) -> (f32, [f32; M]),
) {
    for lane in 0..LANES {
        sums[0][lane] += g[lane].abs();
        sums[1][lane] += x[lane].abs();
        let after;
        (x[lane], after) = one(x[lane], std::array::from_fn(|k| m[k][lane]), g[lane]);
        for k in 0..M {
            m[k][lane] = after[k];
        }
    }
}

fn padded(from: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    block[..from.len()].copy_from_slice(from);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction_set::InstructionSet;

    const ADAM_W: Optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weight_decay: 0.1 };

    /// A value, its moments and the gradient, to the value and moments after step number 3 with a learning rate of 0.1.
    fn plain(optimizer: Optimizer, x: f64, [m, s]: [f64; 2], g: f64) -> [f64; 3] {
        match optimizer {
            Optimizer::Sgd { momentum, nesterov } => {
                let v = f64::from(momentum) * m + g;
                let step = if nesterov { g + f64::from(momentum) * v } else { v };
                [x - 0.1 * step, v, s]
            }
            Optimizer::AdamW { .. } => {
                let (m, s) = (0.9 * m + 0.1 * g, 0.99 * s + 0.01 * g * g);
                let (of_m, of_s) = (1.0 - 0.9 * 0.9 * 0.9, 1.0 - 0.99 * 0.99 * 0.99);
                [x - 0.01 * x - 0.1 * (m / of_m) / ((s / of_s).sqrt() + 1e-3), m, s]
            }
        }
    }

    #[test]
    fn follows_the_formula_in_every_lane_and_tail() {
        let sgd = |nesterov| Optimizer::Sgd { momentum: 0.9, nesterov };
        let optimizers = [sgd(false), sgd(true), ADAM_W];
        for (isa, optimizer) in InstructionSet::available()
            .into_iter()
            .flat_map(|isa| optimizers.map(|optimizer| (isa, optimizer)))
        {
            let n = 2 * CHUNK + 19;
            let start: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let gradient: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos()).collect();
            let (mut values, mut first, mut second) = (start.clone(), vec![0.5; n], vec![0.25; n]);
            let mut norms = [0.0; 2];
            update(
                isa,
                TensorUpdate {
                    values: &mut values,
                    moments: [&mut first, &mut second],
                    gradient: &gradient,
                    optimizer,
                    t: 3,
                    learning_rate: 0.1,
                    norms: &mut norms,
                },
            );
            for i in 0..n {
                let want = plain(optimizer, start[i].into(), [0.5, 0.25], gradient[i].into());
                for (got, want) in [values[i], first[i], second[i]].into_iter().zip(want) {
                    let off = (f64::from(got) - want).abs();
                    assert!(off < 1e-6, "{isa}, {optimizer:?}, {i}: {got}, want {want}");
                }
            }
            for (norm, of) in norms.iter().zip([&gradient, &start]) {
                let want: f64 = of.iter().map(|&x| f64::from(x.abs())).sum();
                assert!((norm / want - 1.0).abs() < 1e-5, "{isa}: {norm}, want {want}");
            }
        }
    }
}

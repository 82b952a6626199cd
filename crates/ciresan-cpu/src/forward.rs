//! Forward pass of one stage: convolution, maximum with its winner, and activation.
#![expect(unsafe_code, reason = "the kernels take raw pointers; every bound is asserted here")]

use crate::activation::{Relu, ScaledTanh, map};
use crate::geometry::{Geometry, RUN_BLOCK};
use crate::pooling::Pooled;
use crate::simd::{Simd, kernel};
use crate::{bands, windows, winograd};
use aligned_vec::{AVec, avec};
use ciresan_net::Activation;

/// How a stage is convolved and pooled, by its shape.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// 5 × 5 kernels over many maps with 3 × 3 pooling.
    Winograd(winograd::Plan),
    /// A small kernel with a small pooling.
    Windows(windows::Plan),
    /// Every other one.
    Bands(bands::Plan),
}

impl Plan {
    /// The fastest way where `accumulators` vectors stay in registers.
    pub(crate) fn new(g: &Geometry, accumulators: usize) -> Self {
        if let Some(plan) = winograd::Plan::new(g, accumulators) {
            return Self::Winograd(plan);
        }
        let in_cache = bands::rows_per_pass(g) == g.kernel;
        match windows::Plan::new(g, accumulators, in_cache) {
            Some(plan) => Self::Windows(plan),
            None => Self::Bands(bands::Plan::new(g, accumulators)),
        }
    }

    /// Values of scratch memory that a call needs.
    pub(crate) fn scratch_len(&self) -> usize {
        match self {
            Self::Winograd(plan) => plan.scratch_len(),
            Self::Windows(_) => 0,
            Self::Bands(plan) => plan.scratch_len(),
        }
    }
}

/// The weights of a stage as the forward pass reads them.
pub(crate) struct ForwardKernel {
    /// `[taps][maps_padded]`, zero in the padding.
    direct: AVec<f32>,
    /// [`winograd::Plan::weights_len`]; empty where another way is planned.
    transformed: AVec<f32>,
    /// `[maps_padded]`, zero in the padding.
    bias: AVec<f32>,
}

impl ForwardKernel {
    pub(crate) fn zeros(g: &Geometry, plan: &Plan) -> Self {
        let transformed = match plan {
            Plan::Winograd(_) => winograd::Plan::weights_len(g),
            _ => 0,
        };
        Self {
            direct: avec![0.0; g.taps() * g.maps_padded],
            transformed: avec![0.0; transformed],
            bias: avec![0.0; g.maps_padded],
        }
    }
}

kernel! {
    /// Takes over `weights` `[maps][taps]` and `bias` `[maps]`.
    pub(crate) fn pack(g: &Geometry, weights: &[f32], bias: &[f32], kernel: &mut ForwardKernel) = pack_body
}

#[inline(always)]
unsafe fn pack_body<S: Simd>(g: &Geometry, weights: &[f32], bias: &[f32], kernel: &mut ForwardKernel) {
    for (map, row) in weights.chunks_exact(g.taps()).enumerate() {
        for (packed, &w) in kernel.direct.chunks_exact_mut(g.maps_padded).zip(row) {
            packed[map] = w;
        }
    }
    kernel.bias[..g.maps].copy_from_slice(bias);
    if !kernel.transformed.is_empty() {
        assert_eq!(kernel.transformed.len(), winograd::Plan::weights_len(g), "transformed weights");
        assert_eq!(kernel.direct.len(), g.taps() * g.maps_padded, "weights");
        let (direct, transformed) = (kernel.direct.as_ptr(), kernel.transformed.as_mut_ptr());
        // SAFETY: the caller has the instruction set of `S`; the lengths were asserted.
        unsafe { winograd::transform_kernels::<S>(g, direct, transformed) }
    }
}

/// What the forward pass of some images reads and writes.
pub(crate) struct StageForward<'a> {
    pub(crate) geometry: &'a Geometry,
    pub(crate) plan: &'a Plan,
    pub(crate) kernel: &'a ForwardKernel,
    pub(crate) activation: Activation,
    /// `[n]` images in the input's planes, then [`RUN_BLOCK`] values of slack.
    pub(crate) input: &'a [f32],
    /// [`Plan::scratch_len`] values.
    pub(crate) scratch: &'a mut [f32],
    /// `[n]` images of activated values in the output's planes, then [`RUN_BLOCK`] values of slack that are overwritten.
    pub(crate) output: &'a mut [f32],
    /// `[n][windows][maps_padded]`: the position (row · input width + column) of each window's largest value, the
    /// first one in row-major order where several are equal.
    pub(crate) winners: &'a mut [u32],
    /// Number of images.
    pub(crate) n: usize,
}

kernel! {
    /// Convolves, pools and activates images.
    pub(crate) fn stage_forward(stage: StageForward<'_>) = stage_forward_body
}

#[inline(always)]
unsafe fn stage_forward_body<S: Simd>(stage: StageForward<'_>) {
    let StageForward { geometry: g, plan, kernel, activation, input, scratch, output, winners, n } = stage;
    // Every pointer of the kernels stays inside these: the offsets of pixels, taps and windows are those of `Geometry`.
    assert_eq!(S::LANES, g.lanes, "lanes of the vectors that maps are padded to");
    assert!(input.len() >= n * g.input_len() + RUN_BLOCK, "input: {} values", input.len());
    assert_eq!(kernel.direct.len(), g.taps() * g.maps_padded, "weights");
    assert_eq!(kernel.bias.len(), g.maps_padded, "bias");
    assert!(scratch.len() >= plan.scratch_len(), "scratch: {} values", scratch.len());
    assert!(output.len() >= n * g.output_len() + RUN_BLOCK, "output: {} values", output.len());
    assert!(winners.len() >= n * g.winners_len(), "winners: {} values", winners.len());
    let (direct, bias) = (kernel.direct.as_ptr(), kernel.bias.as_ptr());
    let scratch = scratch.as_mut_ptr();
    let planes = g.output_planes;
    let pooled = Pooled { values: output.as_mut_ptr(), planes, winners: winners.as_mut_ptr() };
    // SAFETY: the caller has the instruction set of `S`; the lengths were asserted.
    unsafe {
        if let Plan::Winograd(plan) = plan {
            assert_eq!(kernel.transformed.len(), winograd::Plan::weights_len(g), "transformed weights");
            let kernel = [kernel.transformed.as_ptr(), bias];
            winograd::pool::<S>(plan, g, n, input.as_ptr(), kernel, scratch, pooled);
        }
        for image in 0..n {
            let input = input.as_ptr().add(image * g.input_len());
            let pooled = Pooled {
                values: pooled.values.add(image * g.output_len()),
                planes,
                winners: pooled.winners.add(image * g.winners_len()),
            };
            match plan {
                Plan::Winograd(_) => {}
                Plan::Windows(plan) => windows::pool::<S>(plan, g, input, [direct, bias], pooled),
                Plan::Bands(plan) => bands::pool::<S>(plan, g, input, [direct, bias], scratch, pooled),
            }
        }
        // The last vectors of a window reached into the next one, so values are activated when all are there.
        let values = &mut output[..n * g.output_len()];
        match activation {
            Activation::ScaledTanh => map::<S, ScaledTanh>(values),
            Activation::Relu => map::<S, Relu>(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction_set::InstructionSet;
    use ciresan_net::Stage;
    use std::fmt::Write as _;

    /// Uniform in −1..1: splitmix64 of the index.
    fn uniform(seed: u64, n: usize) -> Vec<f32> {
        let draw = |i: usize| {
            let mut z = (seed + i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(draw).collect()
    }

    /// A stage with its operands, of several images.
    struct Case {
        g: Geometry,
        n: usize,
        input: Vec<f32>,
        weights: Vec<f32>,
        bias: Vec<f32>,
    }

    impl Case {
        fn new(isa: InstructionSet, [maps_in, side, maps, kernel, pool, n]: [usize; 6]) -> Self {
            let output = (side - kernel + 1) / pool;
            let shape = |maps, side| ciresan_net::Shape { maps, height: side, width: side };
            let stage =
                Stage { input: shape(maps_in, side), maps, kernel, pool, output: shape(maps, output) };
            let g = Geometry::new(&stage, crate::simd::lanes(isa));
            Self {
                n,
                input: uniform(1, n * g.input_len() + RUN_BLOCK),
                weights: uniform(2, g.n_weights()).iter().map(|w| w * 0.05).collect(),
                bias: uniform(3, maps),
                g,
            }
        }

        /// Rectified pooled values by one plan.
        fn pooled(&self, isa: InstructionSet, plan: &Plan) -> Vec<f32> {
            let g = &self.g;
            let mut kernel = ForwardKernel::zeros(g, plan);
            pack(isa, g, &self.weights, &self.bias, &mut kernel);
            let mut output = vec![0.0; self.n * g.output_len() + RUN_BLOCK];
            let stage = StageForward {
                geometry: g,
                plan,
                kernel: &kernel,
                activation: Activation::Relu,
                input: &self.input,
                scratch: &mut vec![0.0; plan.scratch_len()],
                output: &mut output,
                winners: &mut vec![0; self.n * g.winners_len()],
                n: self.n,
            };
            stage_forward(isa, stage);
            output.truncate(self.n * g.output_len());
            output
        }

        /// The same in f64, from the definition.
        fn exact(&self) -> Vec<f64> {
            let g = &self.g;
            let mut pooled = Vec::new();
            for image in self.input.chunks_exact(g.input_len()).take(self.n) {
                for window in 0..g.windows() {
                    let at = g.window_position(window / g.output.width, window % g.output.width);
                    for (weights, &bias) in self.weights.chunks_exact(g.taps()).zip(&self.bias) {
                        let sum = |position: usize| -> f64 {
                            let runs = weights.chunks_exact(g.run()).enumerate();
                            let products = runs.flat_map(|(row, weights)| {
                                let from = position * g.input.maps + row * g.row_stride();
                                weights.iter().zip(&image[from..]).map(|(&w, &x)| f64::from(w) * f64::from(x))
                            });
                            f64::from(bias) + products.sum::<f64>()
                        };
                        let positions =
                            (0..g.pool * g.pool).map(|i| at + i / g.pool * g.input.width + i % g.pool);
                        pooled.push(positions.map(sum).fold(0.0, f64::max));
                    }
                }
            }
            pooled
        }
    }

    fn rms_error(got: &[f32], want: &[f64]) -> f64 {
        let squares: f64 = got.iter().zip(want).map(|(&g, &w)| (f64::from(g) - w).powi(2)).sum();
        (squares / want.len() as f64).sqrt()
    }

    #[test]
    fn winograd_rounds_little_worse_than_the_direct_sum() {
        // 16 images, so that the measured ratio is good to some percent.
        let shape = [20, 13, 40, 5, 3, 16];
        let exact = Case::new(InstructionSet::best(), shape).exact();
        let mut report = String::new();
        for isa in InstructionSet::available() {
            let case = Case::new(isa, shape);
            let accumulators = crate::simd::accumulators(isa);
            let winograd = Plan::new(&case.g, accumulators);
            assert!(matches!(winograd, Plan::Winograd(_)), "the paper's second stage");
            let direct = Plan::Bands(bands::Plan::new(&case.g, accumulators));
            let [winograd, direct] =
                [winograd, direct].map(|plan| rms_error(&case.pooled(isa, &plan), &exact));
            let ratio = winograd / direct;
            writeln!(report, "{isa}: {winograd:.2e} against {direct:.2e}, {ratio:.2} times").unwrap();
            // 1.5 to 1.7 were measured; transforms that cancel, as those of the points 0, ±1, ±2, 3 do, give 60.
            assert!(ratio < 3.0, "{report}");
        }
        println!("root mean square errors\n{report}");
    }

    #[test]
    fn every_way_pools_the_same() {
        for shape in [[8, 17, 9, 5, 3, 3], [20, 13, 40, 5, 3, 1], [1, 29, 20, 4, 2, 2], [2, 11, 33, 3, 2, 2]]
        {
            let exact = Case::new(InstructionSet::best(), shape).exact();
            for isa in InstructionSet::available() {
                let case = Case::new(isa, shape);
                let accumulators = crate::simd::accumulators(isa);
                let bands = Plan::Bands(bands::Plan::new(&case.g, accumulators));
                for plan in [Plan::new(&case.g, accumulators), bands] {
                    // A sum of up to 500 products of at most 0.05, whose roundings the Winograd transforms magnify ten times.
                    let tolerance = 500.0 * 0.05 * 10.0 * f64::from(f32::EPSILON);
                    for (i, (&got, want)) in case.pooled(isa, &plan).iter().zip(&exact).enumerate() {
                        assert!(
                            (f64::from(got) - want).abs() < tolerance,
                            "{isa} {plan:?}: {i}: {got}, want {want}"
                        );
                    }
                }
            }
        }
    }
}

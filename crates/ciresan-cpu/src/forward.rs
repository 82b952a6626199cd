//! Forward pass of one stage: convolution, maximum with its winner, and activation.
#![expect(unsafe_code, reason = "the kernels take raw pointers; every bound is asserted here")]

use crate::activation::{Relu, ScaledTanh, map};
use crate::geometry::{Geometry, MAP_BLOCK};
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
    /// The fastest way where `accumulators` vectors of [`MAP_BLOCK`] lanes stay in registers.
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
        // SAFETY: the caller has the instruction set of `S`, so that of `S::Narrow`; the lengths were asserted.
        unsafe { winograd::transform_kernels::<S::Narrow>(g, direct, transformed) }
    }
}

/// What the forward pass of some images reads and writes.
pub(crate) struct StageForward<'a> {
    pub(crate) geometry: &'a Geometry,
    pub(crate) plan: &'a Plan,
    pub(crate) kernel: &'a ForwardKernel,
    pub(crate) activation: Activation,
    /// `[n][height][width][maps]`, then [`MAP_BLOCK`] values of slack.
    pub(crate) input: &'a [f32],
    /// [`Plan::scratch_len`] values.
    pub(crate) scratch: &'a mut [f32],
    /// `[n][windows][maps]` activated values, then [`MAP_BLOCK`] values of slack that are overwritten.
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
    assert_eq!(<S::Narrow as Simd>::LANES, MAP_BLOCK, "lanes of the vectors that maps are padded to");
    assert!(input.len() >= n * g.input_len() + MAP_BLOCK, "input: {} values", input.len());
    assert_eq!(kernel.direct.len(), g.taps() * g.maps_padded, "weights");
    assert_eq!(kernel.bias.len(), g.maps_padded, "bias");
    assert!(scratch.len() >= plan.scratch_len(), "scratch: {} values", scratch.len());
    assert!(output.len() >= n * g.output_len() + MAP_BLOCK, "output: {} values", output.len());
    assert!(winners.len() >= n * g.winners_len(), "winners: {} values", winners.len());
    let (direct, bias) = (kernel.direct.as_ptr(), kernel.bias.as_ptr());
    let scratch = scratch.as_mut_ptr();
    let pooled = Pooled { values: output.as_mut_ptr(), winners: winners.as_mut_ptr() };
    // SAFETY: the caller has the instruction set of `S`, so that of `S::Narrow`; the lengths were asserted.
    unsafe {
        if let Plan::Winograd(plan) = plan {
            assert_eq!(kernel.transformed.len(), winograd::Plan::weights_len(g), "transformed weights");
            let kernel = [kernel.transformed.as_ptr(), bias];
            winograd::pool::<S::Narrow>(plan, g, n, input.as_ptr(), kernel, scratch, pooled);
        }
        for image in 0..n {
            let input = input.as_ptr().add(image * g.input_len());
            let pooled = Pooled {
                values: pooled.values.add(image * g.output_len()),
                winners: pooled.winners.add(image * g.winners_len()),
            };
            match plan {
                Plan::Winograd(_) => {}
                Plan::Windows(plan) => windows::pool::<S::Narrow>(plan, g, input, [direct, bias], pooled),
                Plan::Bands(plan) => {
                    bands::pool::<S::Narrow>(plan, g, input, [direct, bias], scratch, pooled)
                }
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

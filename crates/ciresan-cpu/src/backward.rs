//! Backward pass of one stage along the winners of its max-pooling.
//!
//! A pooling window hands its gradient to one position of the convolution, so the kernel's gradient is a sum of
//! `gradient · patch` over the winners, and the input's gradient a scatter of `gradient · kernel` at their positions:
//! with 3 × 3 pooling a ninth of the dense work.
//!
//! Both go to the same places of input and input gradient, so one loop does both for a part of a map's run that fits
//! the registers, its kernel and the sums of its gradient: the scatter is bound by stores and the sums by loads.
#![expect(
    unsafe_code,
    reason = "vectors over raw pointers; bounds are asserted once for all winners of a map"
)]

use crate::geometry::{Geometry, KernelPlane, RUN_BLOCK};
use crate::gradient::KernelGradient;
use crate::simd::{Simd, kernel};
use crate::tiles::even_parts;
use aligned_vec::{AVec, avec};

/// The weights of a stage as the scatter reads them: [`Geometry::kernel_planes`], zero in the padding.
pub(crate) struct ScatterKernel(AVec<f32>);

impl ScatterKernel {
    pub(crate) fn zeros(g: &Geometry) -> Self {
        Self(avec![0.0; KernelPlane::total_len(g.kernel_planes(), g.maps)])
    }

    /// Takes over `weights` `[maps][kernel rows][kernel columns][input maps]`.
    pub(crate) fn pack(&mut self, g: &Geometry, weights: &[f32]) {
        for plane in g.kernel_planes() {
            for [here, there] in plane.pieces(g.maps, g.input.maps) {
                self.0[here].copy_from_slice(&weights[there]);
            }
        }
    }
}

/// One window's winner for the map at hand.
#[derive(Clone, Copy, Default)]
pub(crate) struct Winner {
    gradient: f32,
    /// Where its patch starts in the plane at hand.
    offset: u32,
}

/// Pooling windows in the order that a map's winners are worked through: column by column. The patches of two windows of
/// a row overlap, and a load that meets a store of the last few ones at another offset has to wait for it.
pub(crate) fn window_order(g: &Geometry) -> Vec<u32> {
    let (height, width) = (g.output.height, g.output.width);
    (0..width).flat_map(|x| (0..height).map(move |y| (y * width + x) as u32)).collect()
}

/// What the backward pass of one image reads and writes.
pub(crate) struct StageBackward<'a> {
    pub(crate) geometry: &'a Geometry,
    /// Gradients of the pooled values before the activation, in the output's planes.
    pub(crate) gradient: &'a [f32],
    /// As the forward pass left them.
    pub(crate) winners: &'a [u32],
    /// The input, with [`RUN_BLOCK`] values of slack.
    pub(crate) input: &'a [f32],
    /// By [`Geometry::kernel_planes`].
    pub(crate) sums: &'a mut KernelGradient,
    /// The kernel and the gradient of the input, in its planes, zeroed by the caller, with slack as well; none for the first
    /// stage, whose input is the image.
    pub(crate) scatter: Option<(&'a ScatterKernel, &'a mut [f32])>,
    /// [`window_order`].
    pub(crate) order: &'a [u32],
    /// Scratch of one entry a window.
    pub(crate) list: &'a mut [Winner],
}

kernel! {
    /// Adds one image's gradients to the sums and to the input's gradient.
    pub(crate) fn stage_backward(stage: StageBackward<'_>) = stage_backward_body
}

#[inline(always)]
unsafe fn stage_backward_body<S: Simd>(mut stage: StageBackward<'_>) {
    let g = *stage.geometry;
    assert_eq!(stage.gradient.len(), g.output_len(), "gradient");
    assert_eq!(stage.winners.len(), g.winners_len(), "winners");
    assert_eq!(stage.order.len(), g.windows(), "order");
    assert_eq!(stage.list.len(), g.windows(), "list");
    let len = KernelPlane::total_len(g.kernel_planes(), g.maps);
    assert_eq!(stage.sums.weights.len(), len, "kernel gradient");
    // With positions up to the last one, which is asserted for every winner, this keeps all runs of all planes inside.
    let want = g.input_len() + RUN_BLOCK;
    assert!(stage.input.len() >= want, "input: {} values, want {want}", stage.input.len());
    if let Some((kernel, gradient)) = &stage.scatter {
        assert!(gradient.len() >= want, "input gradient: {} values, want {want}", gradient.len());
        assert_eq!(kernel.0.len(), len, "scatter kernel");
    }
    for plane in g.kernel_planes() {
        let start = plane.input.start;
        for map in 0..g.maps {
            let (n, bias) = list_winners(&mut stage, plane.input.maps, map);
            let list = &stage.list[..n];
            if start == 0 {
                stage.sums.bias[map] += bias;
            }
            let at = plane.start + map * plane.map_len();
            // SAFETY: the caller has the instruction set of `S`; the lengths and the winners' positions were asserted.
            unsafe {
                let sums = stage.sums.weights.as_mut_ptr().add(at);
                let input = stage.input.as_ptr().add(start);
                match &mut stage.scatter {
                    Some((kernel, gradient)) => {
                        let (kernel, target) = (kernel.0.as_ptr().add(at), gradient.as_mut_ptr().add(start));
                        add_map::<S, true>(&g, &plane, list, input, sums, kernel, target);
                    }
                    None => add_map::<S, false>(
                        &g,
                        &plane,
                        list,
                        input,
                        sums,
                        std::ptr::null(),
                        std::ptr::null_mut(),
                    ),
                }
            }
        }
    }
}

/// Collects a map's winners whose gradient is not zero (ReLU blocks many) and the sum of their gradients, for an input plane of so many
/// maps.
#[inline(always)]
fn list_winners(stage: &mut StageBackward<'_>, input_maps: usize, map: usize) -> (usize, f32) {
    let g = stage.geometry;
    let plane = g.output_planes.of(map);
    let in_plane = plane.start + map - plane.first_map;
    let (mut n, mut sum, mut last) = (0, 0.0, 0);
    for &window in stage.order {
        let gradient = stage.gradient[in_plane + window as usize * plane.maps];
        let position = stage.winners[window as usize * g.maps_padded + map];
        // Wrapping: a position that is too large is refused below, after all.
        stage.list[n] = Winner { gradient, offset: position.wrapping_mul(input_maps as u32) };
        n += usize::from(gradient != 0.0);
        sum += gradient;
        last = last.max(position);
    }
    assert!(last as usize <= g.last_position(), "winner at {last}");
    (n, sum)
}

/// Adds every winner's `gradient · patch` to one map's sums for a plane, and with `SCATTER` its `gradient · kernel` to the input's
/// gradient.
///
/// # Safety
/// Needs the instruction set of `S`; at every winner's position, rows of the plane's `run` and slack for a vector inside `input` and,
/// with `SCATTER`, inside `target`; `[rows][run_padded]` values at `sums` and, with `SCATTER`, at `kernel`.
#[inline(always)]
unsafe fn add_map<S: Simd, const SCATTER: bool>(
    g: &Geometry,
    plane: &KernelPlane,
    list: &[Winner],
    input: *const f32,
    sums: *mut f32,
    kernel: *const f32,
    target: *mut f32,
) {
    let (vectors, stride) = (plane.run.div_ceil(S::LANES), plane.input.maps);
    for row in 0..plane.rows {
        for (first, n) in even_parts(vectors, S::RUN_VECTORS) {
            let at = row * plane.run_padded() + first * S::LANES;
            let in_run = row * g.input.width * stride + first * S::LANES;
            // SAFETY: row and vectors are inside the run; the rest is the caller's. Without `SCATTER` kernel and target are
            // null and not used, so their pointers only wrap.
            unsafe {
                let (input, sums) = (input.add(in_run), sums.add(at));
                let (kernel, target) = (kernel.wrapping_add(at), target.wrapping_add(in_run));
                match n {
                    1 => add_run::<S, 1, SCATTER>(list, input, sums, kernel, target),
                    2 => add_run::<S, 2, SCATTER>(list, input, sums, kernel, target),
                    3 => add_run::<S, 3, SCATTER>(list, input, sums, kernel, target),
                    4 => add_run::<S, 4, SCATTER>(list, input, sums, kernel, target),
                    5 => add_run::<S, 5, SCATTER>(list, input, sums, kernel, target),
                    6 => add_run::<S, 6, SCATTER>(list, input, sums, kernel, target),
                    7 => add_run::<S, 7, SCATTER>(list, input, sums, kernel, target),
                    _ => unreachable!("no instruction set keeps more than 7 vectors of a run"),
                }
            }
        }
    }
}

/// The part of [`add_map`] for `N` vectors of a run, whose kernel and sums are kept in registers.
///
/// # Safety
/// As for [`add_map`], with `N` vectors at each pointer.
#[inline(always)]
unsafe fn add_run<S: Simd, const N: usize, const SCATTER: bool>(
    list: &[Winner],
    input: *const f32,
    sums: *mut f32,
    kernel: *const f32,
    target: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sum: [S::V; N] = std::array::from_fn(|v| S::load(sums.add(v * S::LANES)));
        let mut weights = [S::splat(0.0); N];
        if SCATTER {
            weights = std::array::from_fn(|v| S::load(kernel.add(v * S::LANES)));
        }
        for winner in list {
            let gradient = S::splat(winner.gradient);
            let offset = winner.offset as usize;
            let from = input.add(offset);
            for (v, sum) in sum.iter_mut().enumerate() {
                *sum = S::fma(gradient, S::load(from.add(v * S::LANES)), *sum);
            }
            if SCATTER {
                let to = target.add(offset);
                for (v, &weight) in weights.iter().enumerate() {
                    let at = to.add(v * S::LANES);
                    S::store(at, S::fma(gradient, weight, S::load(at)));
                }
            }
        }
        for (v, &sum) in sum.iter().enumerate() {
            S::store(sums.add(v * S::LANES), sum);
        }
    }
}

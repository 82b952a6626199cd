//! Backward pass of one stage along the winners of its max-pooling.
//!
//! A pooling window hands its gradient to one position of the convolution, so the kernel's gradient is a sum of
//! `gradient · patch` over the winners, and the input's gradient a scatter of `gradient · kernel` at their positions:
//! with 3 × 3 pooling a ninth of the dense work.
#![expect(
    unsafe_code,
    reason = "vectors over raw pointers; bounds are asserted once for all winners of a map"
)]

use crate::geometry::{Geometry, Patches, RUN_BLOCK};
use crate::simd::{Simd, kernel};

/// The weights of a stage as the scatter reads them: `[maps][kernel rows][scatter_run]`, zero in the padding.
pub(crate) struct ScatterKernel(Vec<f32>);

impl ScatterKernel {
    pub(crate) fn zeros(g: &Geometry) -> Self {
        Self(vec![0.0; g.maps * g.kernel * g.scatter_run()])
    }

    /// Takes over `weights` `[maps][kernel rows][run]`.
    pub(crate) fn pack(&mut self, g: &Geometry, weights: &[f32]) {
        for (packed, run) in self.0.chunks_exact_mut(g.scatter_run()).zip(weights.chunks_exact(g.run())) {
            packed[..g.run()].copy_from_slice(run);
        }
    }
}

/// The gradient of a stage's weights and biases, summed over a batch.
pub(crate) struct KernelGradient {
    /// `[maps][runs][run_padded]`; the padding holds sums that nobody reads.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl KernelGradient {
    pub(crate) fn zeros(g: &Geometry) -> Self {
        let p = g.patches;
        Self { weights: vec![0.0; g.maps * p.runs * p.run_padded], bias: vec![0.0; g.maps] }
    }

    pub(crate) fn clear(&mut self) {
        self.weights.fill(0.0);
        self.bias.fill(0.0);
    }

    /// Copies the sums to `weights` `[maps][taps]` and `bias` `[maps]`.
    pub(crate) fn unpack(&self, g: &Geometry, weights: &mut [f32], bias: &mut [f32]) {
        let run = g.taps() / g.patches.runs;
        for (run_sums, out) in
            self.weights.chunks_exact(g.patches.run_padded).zip(weights.chunks_exact_mut(run))
        {
            out.copy_from_slice(&run_sums[..run]);
        }
        bias.copy_from_slice(&self.bias);
    }
}

/// Gradients and patch starts of one map's winners.
#[derive(Clone, Copy, Default)]
pub(crate) struct Winner {
    gradient: f32,
    position: u32,
}

/// What the backward pass of one image reads and writes.
pub(crate) struct StageBackward<'a> {
    pub(crate) geometry: &'a Geometry,
    /// `[pooled pixels][maps]`: gradients of the pooled values before the activation.
    pub(crate) gradient: &'a [f32],
    /// As the forward pass left them.
    pub(crate) winners: &'a [u32],
    /// The input, or its gathered patches ([`gather_patches`]), with [`RUN_BLOCK`] values of slack.
    pub(crate) patches: &'a [f32],
    pub(crate) sums: &'a mut KernelGradient,
    /// The kernel and the gradient of the input `[height][width][maps]`, zeroed by the caller, with [`RUN_BLOCK`] values of slack;
    /// none for the first stage, whose input is the image.
    pub(crate) scatter: Option<(&'a ScatterKernel, &'a mut [f32])>,
    /// Scratch of one entry a pooled pixel.
    pub(crate) list: &'a mut [Winner],
}

kernel! {
    /// Adds one image's gradients to the sums and to the input's gradient.
    pub(crate) fn stage_backward(stage: StageBackward<'_>) = stage_backward_body
}

#[inline(always)]
unsafe fn stage_backward_body<S: Simd>(mut stage: StageBackward<'_>) {
    let g = stage.geometry;
    let p = g.patches;
    assert_eq!(stage.gradient.len(), g.output_len(), "gradient");
    assert!(stage.winners.len() >= g.winners_len(), "winners: {} values", stage.winners.len());
    assert_eq!(stage.list.len(), g.output_pixels(), "list");
    assert_eq!(stage.sums.weights.len(), g.maps * p.runs * p.run_padded, "kernel gradient");
    // With positions up to the last one, which is asserted for every winner, these keep all runs inside.
    let reach = g.last_position() * p.pitch + (p.runs - 1) * p.run_stride + p.run_padded;
    assert!(stage.patches.len() >= reach, "patches: {} values, want {reach}", stage.patches.len());
    if let Some((kernel, gradient)) = &stage.scatter {
        let reach = g.last_position() * g.input.maps + (g.kernel - 1) * g.row_stride() + g.scatter_run();
        assert!(gradient.len() >= reach, "input gradient: {} values, want {reach}", gradient.len());
        assert_eq!(kernel.0.len(), g.maps * g.kernel * g.scatter_run(), "scatter kernel");
    }
    for map in 0..g.maps {
        let (n, bias) = list_winners(&mut stage, map);
        let list = &stage.list[..n];
        stage.sums.bias[map] += bias;
        let len = p.runs * p.run_padded;
        let sums = &mut stage.sums.weights[map * len..][..len];
        // SAFETY: the caller has the instruction set of `S`; `list_winners` asserted the positions, and the lengths
        // behind them were asserted above.
        unsafe {
            add_patches::<S>(&p, list, stage.patches, sums);
            if let Some((kernel, gradient)) = &mut stage.scatter {
                let len = g.kernel * g.scatter_run();
                scatter::<S>(g, list, &kernel.0[map * len..][..len], gradient);
            }
        }
    }
}

/// Collects a map's winners whose gradient is not zero (ReLU blocks many) and the sum of their gradients.
#[inline(always)]
fn list_winners(stage: &mut StageBackward<'_>, map: usize) -> (usize, f32) {
    let g = stage.geometry;
    let gradients = stage.gradient[map..].iter().step_by(g.maps);
    let positions = stage.winners[map..].iter().step_by(g.maps_padded);
    let (mut n, mut sum, mut last) = (0, 0.0, 0);
    for (&gradient, &position) in gradients.zip(positions).take(stage.list.len()) {
        stage.list[n] = Winner { gradient, position };
        n += usize::from(gradient != 0.0);
        sum += gradient;
        last = last.max(position);
    }
    assert!(last as usize <= g.last_position(), "winner at {last}");
    (n, sum)
}

/// Adds `gradient · patch` of every winner to the sums `[runs][run_padded]` of one map.
///
/// # Safety
/// Needs the instruction set of `S` and, at every winner's position, `runs` runs of `run_padded` inside `patches`.
#[inline(always)]
unsafe fn add_patches<S: Simd>(p: &Patches, list: &[Winner], patches: &[f32], sums: &mut [f32]) {
    let vectors = p.run_padded / S::LANES;
    for run in 0..p.runs {
        let mut first = 0;
        while first < vectors {
            let n = (vectors - first).min(8);
            // SAFETY: run and vectors are inside the patch and inside `sums`; the rest is the caller's.
            unsafe {
                let patch = patches.as_ptr().add(run * p.run_stride + first * S::LANES);
                let sums = sums.as_mut_ptr().add(run * p.run_padded + first * S::LANES);
                match n {
                    1 => add_vectors::<S, 1, 4>(list, p.pitch, patch, sums),
                    2 => add_vectors::<S, 2, 4>(list, p.pitch, patch, sums),
                    3 => add_vectors::<S, 3, 2>(list, p.pitch, patch, sums),
                    4 => add_vectors::<S, 4, 2>(list, p.pitch, patch, sums),
                    5 => add_vectors::<S, 5, 1>(list, p.pitch, patch, sums),
                    6 => add_vectors::<S, 6, 1>(list, p.pitch, patch, sums),
                    7 => add_vectors::<S, 7, 1>(list, p.pitch, patch, sums),
                    _ => add_vectors::<S, 8, 1>(list, p.pitch, patch, sums),
                }
            }
            first += n;
        }
    }
}

/// Adds `N` vectors of every winner's patch, in `C` chains of sums side by side so that few vectors do not wait for
/// the latency of one addition after the other.
///
/// # Safety
/// Needs the instruction set of `S`, `N` vectors at `patch + position · pitch` for every winner, and `N` at `sums`.
#[inline(always)]
unsafe fn add_vectors<S: Simd, const N: usize, const C: usize>(
    list: &[Winner],
    pitch: usize,
    patch: *const f32,
    sums: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut chains = [[S::splat(0.0); N]; C];
        chains[0] = std::array::from_fn(|v| S::load(sums.add(v * S::LANES)));
        let mut quads = list.chunks_exact(C);
        for winners in &mut quads {
            for (chain, winner) in chains.iter_mut().zip(winners) {
                let from = patch.add(winner.position as usize * pitch);
                let gradient = S::splat(winner.gradient);
                add_vector::<S, N>(gradient, from, chain);
            }
        }
        for winner in quads.remainder() {
            let from = patch.add(winner.position as usize * pitch);
            let gradient = S::splat(winner.gradient);
            add_vector::<S, N>(gradient, from, &mut chains[0]);
        }
        for v in 0..N {
            let mut sum = chains[0][v];
            for chain in &chains[1..] {
                sum = S::add(sum, chain[v]);
            }
            S::store(sums.add(v * S::LANES), sum);
        }
    }
}

/// Adds `gradient · from` to `N` vectors of sums.
///
/// # Safety
/// Needs the instruction set of `S` and `N` vectors at `from`.
#[inline(always)]
unsafe fn add_vector<S: Simd, const N: usize>(gradient: S::V, from: *const f32, sums: &mut [S::V; N]) {
    for (v, sum) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *sum = unsafe { S::fma(gradient, S::load(from.add(v * S::LANES)), *sum) };
    }
}

/// Adds `gradient · kernel` of one map at every winner's position of the input's gradient.
///
/// # Safety
/// Needs the instruction set of `S` and, at every winner's position, `kernel` runs of `scatter_run` inside `target`.
#[inline(always)]
unsafe fn scatter<S: Simd>(g: &Geometry, list: &[Winner], kernel: &[f32], target: &mut [f32]) {
    let vectors = g.scatter_run() / S::LANES;
    for row in 0..g.kernel {
        let mut first = 0;
        while first < vectors {
            let n = (vectors - first).min(8);
            // SAFETY: row and vectors are inside the kernel and inside the run; the rest is the caller's.
            unsafe {
                let kernel = kernel.as_ptr().add(row * g.scatter_run() + first * S::LANES);
                let target = target.as_mut_ptr().add(row * g.row_stride() + first * S::LANES);
                match n {
                    1 => scatter_vectors::<S, 1>(list, g.input.maps, kernel, target),
                    2 => scatter_vectors::<S, 2>(list, g.input.maps, kernel, target),
                    3 => scatter_vectors::<S, 3>(list, g.input.maps, kernel, target),
                    4 => scatter_vectors::<S, 4>(list, g.input.maps, kernel, target),
                    5 => scatter_vectors::<S, 5>(list, g.input.maps, kernel, target),
                    6 => scatter_vectors::<S, 6>(list, g.input.maps, kernel, target),
                    7 => scatter_vectors::<S, 7>(list, g.input.maps, kernel, target),
                    _ => scatter_vectors::<S, 8>(list, g.input.maps, kernel, target),
                }
            }
            first += n;
        }
    }
}

/// Adds `gradient · kernel` for `N` vectors of the kernel, kept in registers, at every winner.
///
/// # Safety
/// Needs the instruction set of `S`, `N` vectors at `kernel` and at `target + position · maps` for every winner.
#[inline(always)]
unsafe fn scatter_vectors<S: Simd, const N: usize>(
    list: &[Winner],
    maps: usize,
    kernel: *const f32,
    target: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let weights: [S::V; N] = std::array::from_fn(|v| S::load(kernel.add(v * S::LANES)));
        for winner in list {
            let to = target.add(winner.position as usize * maps);
            let gradient = S::splat(winner.gradient);
            for (v, &weight) in weights.iter().enumerate() {
                let at = to.add(v * S::LANES);
                S::store(at, S::fma(gradient, weight, S::load(at)));
            }
        }
    }
}

/// Length of [`gather_patches`]' result, slack included.
pub(crate) fn gathered_len(g: &Geometry) -> usize {
    (g.last_position() + 1) * g.patches.pitch + RUN_BLOCK
}

/// Copies the patch of every position of `input` side by side, `[position][pitch]`; the padding stays as it is.
pub(crate) fn gather_patches(g: &Geometry, input: &[f32], patches: &mut [f32]) {
    // Runs are short (that is why they are gathered): of a length known to the compiler, a copy is a move or two.
    macro_rules! by_run {
        ($($n:literal)*) => {
            match g.run() {
                $($n => gather_runs::<$n>(g, input, patches),)*
                run => unreachable!("runs of {run} values are not gathered"),
            }
        };
    }
    by_run!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

fn gather_runs<const RUN: usize>(g: &Geometry, input: &[f32], patches: &mut [f32]) {
    for y in 0..g.output.height * g.pool {
        for x in 0..g.conv_width {
            let position = y * g.input.width + x;
            let patch = &mut patches[position * g.patches.pitch..][..g.kernel * RUN];
            for (row, run) in patch.chunks_exact_mut(RUN).enumerate() {
                run.copy_from_slice(&input[position * g.input.maps + row * g.row_stride()..][..RUN]);
            }
        }
    }
}

//! Backward pass of a first stage whose patches have short rows, as those of a one-map image have.
//!
//! The input needs no gradient there, and a row of a patch is shorter than a vector. So the patches of one pooled row are
//! copied side by side, and the sums of several maps are kept in registers over the windows of that row.
#![expect(unsafe_code, reason = "vectors over raw pointers; bounds are asserted once for each pooled row")]

use crate::geometry::{Geometry, RUN_BLOCK};
use crate::gradient::KernelGradient;
use crate::planes::Plane;
use crate::simd::{Simd, kernel};
use crate::tiles::even_parts;

/// Whether a first stage is one of these.
pub(crate) fn has_short_rows(g: &Geometry) -> bool {
    g.run() < RUN_BLOCK
}

/// Values from a patch to the next.
fn pitch(g: &Geometry) -> usize {
    g.kernel_patches().run_padded()
}

/// Length of the patches of one pooled row.
pub(crate) fn patches_len(g: &Geometry) -> usize {
    g.pool * g.input.width * pitch(g)
}

/// What the backward pass of one image reads and writes.
pub(crate) struct FirstBackward<'a> {
    pub(crate) geometry: &'a Geometry,
    /// Gradients of the pooled values before the activation, in the output's planes.
    pub(crate) gradient: &'a [f32],
    /// As the forward pass left them.
    pub(crate) winners: &'a [u32],
    /// The image.
    pub(crate) input: &'a [f32],
    /// A patch is one run.
    pub(crate) sums: &'a mut KernelGradient,
    /// Scratch of [`patches_len`].
    pub(crate) patches: &'a mut [f32],
}

kernel! {
    /// Adds one image's gradients to the sums.
    pub(crate) fn first_backward(stage: FirstBackward<'_>) = first_backward_body
}

#[inline(always)]
unsafe fn first_backward_body<S: Simd>(stage: FirstBackward<'_>) {
    let FirstBackward { geometry: g, gradient, winners, input, sums, patches } = stage;
    assert_eq!(gradient.len(), g.output_len(), "gradient");
    assert_eq!(winners.len(), g.winners_len(), "winners");
    assert_eq!(sums.weights.len(), g.maps * pitch(g), "kernel gradient");
    assert_eq!(patches.len(), patches_len(g), "patches");
    assert!(input.len() >= g.input_len(), "input: {} values", input.len());
    for plane in g.output_planes.iter() {
        for gradient in gradient[plane.start..].chunks_exact(plane.maps).take(g.windows()) {
            for (sum, gradient) in sums.bias[plane.first_map..].iter_mut().zip(gradient) {
                *sum += gradient;
            }
        }
    }
    let width = g.output.width;
    for (row, winners) in winners.chunks_exact(width * g.maps_padded).enumerate() {
        let first = g.window_position(row, 0);
        // SAFETY: the lengths were asserted.
        unsafe { gather(g, input.as_ptr().add(first * g.input.maps), patches.as_mut_ptr()) };
        // Wrapping: a position before the row's first one becomes too large as well.
        let last = winners.iter().fold(0, |last, winner| last.max(winner.wrapping_sub(first as u32)));
        assert!((last as usize) < g.pool * g.input.width, "winner {last} behind {first}");
        for plane in g.output_planes.iter() {
            let gradient = &gradient[plane.start + row * width * plane.maps..][..width * plane.maps];
            let row = Row { g, plane, first: first as u32, gradient, winners, patches };
            // SAFETY: the caller has the instruction set of `S`; lengths and winners were asserted.
            unsafe { add_row::<S>(&row, sums.weights.as_mut_ptr()) }
        }
    }
}

/// One row of pooling windows, some maps of it.
struct Row<'a> {
    g: &'a Geometry,
    plane: Plane,
    /// The position that the first patch belongs to.
    first: u32,
    gradient: &'a [f32],
    winners: &'a [u32],
    patches: &'a [f32],
}

/// Adds the windows of a row to the sums of its maps.
///
/// # Safety
/// Needs the instruction set of `S`, every winner among the positions of the patches and `[maps][pitch]` sums.
#[inline(always)]
unsafe fn add_row<S: Simd>(row: &Row<'_>, sums: *mut f32) {
    let vectors = row.g.taps().div_ceil(S::LANES);
    for (first, n) in even_parts(vectors, 4) {
        let at = first * S::LANES;
        // As many maps at once as their sums fit the registers, then half as many, then one by one.
        // SAFETY: the part's vectors are inside the patches and sums; the rest is the caller's.
        unsafe {
            match n {
                1 => add_maps::<S, 1, 8, 4>(row, at, sums),
                2 => add_maps::<S, 2, 5, 4>(row, at, sums),
                3 => add_maps::<S, 3, 3, 1>(row, at, sums),
                _ => add_maps::<S, 4, 3, 1>(row, at, sums),
            }
        }
    }
}

/// The part of [`add_row`] for `N` vectors of a patch from value `at` on, `M` maps at once, then `H`.
///
/// # Safety
/// As for [`add_row`].
#[inline(always)]
unsafe fn add_maps<S: Simd, const N: usize, const M: usize, const H: usize>(
    row: &Row<'_>,
    at: usize,
    sums: *mut f32,
) {
    let (mut map, maps) = (0, row.plane.maps);
    while map < maps {
        // SAFETY: the caller's.
        unsafe {
            map += match maps - map {
                left if left >= M => add_some::<S, N, M>(row, map, at, sums),
                left if left >= H => add_some::<S, N, H>(row, map, at, sums),
                _ => add_some::<S, N, 1>(row, map, at, sums),
            };
        }
    }
}

/// The part of [`add_maps`] for `M` maps from the row's `map` on; returns `M`.
///
/// # Safety
/// As for [`add_row`].
#[inline(always)]
unsafe fn add_some<S: Simd, const N: usize, const M: usize>(
    row: &Row<'_>,
    map: usize,
    at: usize,
    sums: *mut f32,
) -> usize {
    let (g, plane, pitch) = (row.g, row.plane, pitch(row.g));
    // SAFETY: the caller's.
    unsafe {
        let sums = sums.add((plane.first_map + map) * pitch + at);
        let mut sum: [[S::V; N]; M] =
            std::array::from_fn(|m| std::array::from_fn(|v| S::load(sums.add(m * pitch + v * S::LANES))));
        let patches = row.patches.as_ptr().add(at);
        for window in 0..g.output.width {
            let gradient = row.gradient.as_ptr().add(window * plane.maps + map);
            let winners = row.winners.as_ptr().add(window * g.maps_padded + plane.first_map + map);
            for (m, sum) in sum.iter_mut().enumerate() {
                // In 32 bits: a product of 64 takes three times as long.
                let patch = patches.add(((*winners.add(m) - row.first) * pitch as u32) as usize);
                let gradient = S::splat(*gradient.add(m));
                for (v, sum) in sum.iter_mut().enumerate() {
                    *sum = S::fma(gradient, S::load(patch.add(v * S::LANES)), *sum);
                }
            }
        }
        for (m, sum) in sum.iter().enumerate() {
            for (v, &sum) in sum.iter().enumerate() {
                S::store(sums.add(m * pitch + v * S::LANES), sum);
            }
        }
    }
    M
}

/// Copies the patches of one pooled row's positions side by side, `[position][pitch]`; `input` begins with the first. The
/// padding stays as it is.
///
/// # Safety
/// Needs the values of those patches at `input`, and [`patches_len`] at `patches`.
#[inline(always)]
unsafe fn gather(g: &Geometry, input: *const f32, patches: *mut f32) {
    // Of a length known to the compiler, a copy is a move or two.
    macro_rules! by_run {
        ($($n:literal)*) => {
            match g.run() {
                // SAFETY: the caller's.
                $($n => unsafe { gather_runs::<$n>(g, input, patches) },)*
                run => unreachable!("rows of {run} values are not short"),
            }
        };
    }
    by_run!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// # Safety
/// As for [`gather`].
#[inline(always)]
unsafe fn gather_runs<const RUN: usize>(g: &Geometry, input: *const f32, patches: *mut f32) {
    let pitch = pitch(g);
    for y in 0..g.pool {
        for x in 0..g.conv_width() {
            let position = y * g.input.width + x;
            for row in 0..g.kernel {
                // SAFETY: the caller's; arrays of f32 are moved unaligned.
                unsafe {
                    let from = input.add(position * g.input.maps + row * g.row_stride());
                    let to = patches.add(position * pitch + row * RUN);
                    to.cast::<[f32; RUN]>().write_unaligned(from.cast::<[f32; RUN]>().read_unaligned());
                }
            }
        }
    }
}

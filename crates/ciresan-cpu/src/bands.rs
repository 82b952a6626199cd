//! Forward pass of any stage: the convolution of a band of rows in memory, then its pooling.
#![expect(unsafe_code, reason = "register tiles over raw pointers; `forward.rs` asserts the bounds")]

use crate::direct::{Start, TileArea, run_tile};
use crate::geometry::Geometry;
use crate::pooling::{Best, Pooled};
use crate::simd::Simd;
use crate::tiles::{MapGroup, Tile, tile_groups, tiles};
use std::ops::Range;

/// Kernel bytes that one pass of the convolution may touch, half of a common 32 KiB first-level cache.
const PASS_BYTES: usize = 20 * 1024;

/// How a band is worked through.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Pooled rows whose convolution is computed before they are pooled: 1, or all of them.
    pooled_rows: usize,
    /// Rows of the kernel that a pass over the band adds.
    passes: Vec<Range<usize>>,
    groups: Vec<(MapGroup, Vec<Tile>)>,
    /// For each pixel of a band, where its patch starts behind the band's first value.
    pixel_offsets: Vec<usize>,
    maps_padded: usize,
}

/// Rows of the kernel that stay in the first-level cache.
pub(crate) fn rows_per_pass(g: &Geometry) -> usize {
    (PASS_BYTES / (g.run() * g.maps_padded * size_of::<f32>())).clamp(1, g.kernel)
}

impl Plan {
    /// For an input of one plane, and vectors of which `accumulators` stay in registers.
    pub(crate) fn new(g: &Geometry, accumulators: usize) -> Self {
        let rows = rows_per_pass(g);
        let passes: Vec<_> = (0..g.kernel).step_by(rows).map(|row| row..(row + rows).min(g.kernel)).collect();
        // A kernel that stays in the first-level cache is swept once for every band of one pooled row; a larger one
        // is swept in passes over the whole image, so that each part is loaded once.
        let pooled_rows = if passes.len() == 1 { 1 } else { g.output.height };
        let conv_width = g.conv_width();
        let pixels = pooled_rows * g.pool * conv_width;
        let offset = |i| ((i / conv_width) * g.input.width + i % conv_width) * g.input.maps;
        Self {
            pooled_rows,
            passes,
            groups: tile_groups(g, accumulators)
                .into_iter()
                .map(|group| (group, tiles(pixels, group.vectors, accumulators)))
                .collect(),
            pixel_offsets: (0..pixels).map(offset).collect(),
            maps_padded: g.maps_padded,
        }
    }

    /// Length of a band of convolution outputs, `[pixels][maps_padded]`.
    pub(crate) fn scratch_len(&self) -> usize {
        self.pixel_offsets.len() * self.maps_padded
    }
}

/// Pools one image.
///
/// # Safety
/// Needs the instruction set of `S`, an image of `g` at `input`, `[taps][maps_padded]` weights, `[maps_padded]` biases,
/// [`Plan::scratch_len`] values at `band` and what [`Best::store`] asks for.
#[inline(always)]
pub(crate) unsafe fn pool<S: Simd>(
    plan: &Plan,
    g: &Geometry,
    input: *const f32,
    kernel: [*const f32; 2],
    band: *mut f32,
    out: Pooled,
) {
    for row in (0..g.output.height).step_by(plan.pooled_rows) {
        // SAFETY: the band's first input row is inside the input; the rest is the caller's.
        unsafe {
            convolve::<S>(plan, g, input.add(row * g.pool * g.row_stride()), kernel, band);
            for in_band in 0..plan.pooled_rows {
                pool_row::<S>(g, band, in_band, row + in_band, out);
            }
        }
    }
}

/// Convolution of the band whose first input row is at `input`.
///
/// # Safety
/// As for [`pool`].
#[inline(always)]
unsafe fn convolve<S: Simd>(
    plan: &Plan,
    g: &Geometry,
    input: *const f32,
    [weights, bias]: [*const f32; 2],
    band: *mut f32,
) {
    for (i, pass) in plan.passes.iter().enumerate() {
        for (group, tiles) in &plan.groups {
            for tile in tiles {
                // SAFETY: a group's maps are inside the padded maps, a tile's pixels inside the band, and their patches
                // inside the input.
                unsafe {
                    let bias = bias.add(group.first_map);
                    let area = TileArea {
                        offsets: &plan.pixel_offsets[tile.start..tile.start + tile.pixels],
                        input,
                        input_row_stride: g.row_stride(),
                        weights: weights.add(group.first_map),
                        weights_stride: g.maps_padded,
                        run: g.run(),
                        rows: pass.clone(),
                        start: if i == 0 { Start::Bias(bias) } else { Start::Output },
                        output: band.add(tile.start * g.maps_padded + group.first_map),
                    };
                    run_tile::<S>(&area, tile.pixels, group.vectors);
                }
            }
        }
    }
}

/// Pools one row of windows.
///
/// # Safety
/// As for [`pool`]; `in_band` is the row's index in the band.
#[inline(always)]
unsafe fn pool_row<S: Simd>(g: &Geometry, band: *const f32, in_band: usize, row: usize, out: Pooled) {
    let conv_width = g.conv_width();
    for column in 0..g.output.width {
        let first = in_band * g.pool * conv_width + column * g.pool;
        let position = g.window_position(row, column);
        for map in (0..g.maps_padded).step_by(S::LANES) {
            // SAFETY: the window is inside the band, and maps are padded to vectors (`forward.rs`).
            unsafe {
                let value = |y: usize, x: usize| {
                    S::load(band.add((first + y * conv_width + x) * g.maps_padded + map))
                };
                let mut best = Best::<S>::new(value(0, 0), position);
                for y in 0..g.pool {
                    for x in usize::from(y == 0)..g.pool {
                        best.challenge(value(y, x), position + y * g.input.width + x);
                    }
                }
                best.store(g, out, row * g.output.width + column, map);
            }
        }
    }
}

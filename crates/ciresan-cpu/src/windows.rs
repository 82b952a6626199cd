//! Forward pass of a stage whose pooling window fits the registers: convolved and pooled without touching memory.
#![expect(unsafe_code, reason = "register tiles over raw pointers; `forward.rs` asserts the bounds")]

use crate::direct::add_tap;
use crate::geometry::Geometry;
use crate::pooling::{Best, Pooled};
use crate::simd::Simd;
use crate::tiles::{MapGroup, map_groups};

/// Largest pooling with a compiled window.
const MAX_POOL: usize = 3;

/// Most vectors of maps that a window of each pooling accumulates; each is a compiled kernel.
const MAX_VECTORS: [usize; MAX_POOL + 1] = [0, 0, 3, 2];

/// Windows that share a load of the weights where one vector of maps is left, whose four sums alone would wait for each
/// other.
const PAIR: usize = 2;

/// Maps that are accumulated together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    groups: Vec<MapGroup>,
}

impl Plan {
    /// For an input of one plane, a pooling by 2 or 3 whose window fits `accumulators` registers, and a kernel that stays in the first-level
    /// cache, `in_cache`, because every window sweeps it.
    pub(crate) fn new(g: &Geometry, accumulators: usize, in_cache: bool) -> Option<Self> {
        let compiled = *MAX_VECTORS.get(g.pool)?;
        // All accumulators that there are: `Simd::add_products` keeps twelve from being spilled on AVX2.
        let widest = compiled.min(accumulators / (g.pool * g.pool));
        (in_cache && widest > 0).then(|| Self { groups: map_groups(g, widest) })
    }
}

/// Pools one image.
///
/// # Safety
/// Needs the instruction set of `S`, an image of `g` at `input`, `[taps][maps_padded]` weights, `[maps_padded]` biases and
/// what [`Best::store`] asks for.
#[inline(always)]
pub(crate) unsafe fn pool<S: Simd>(
    plan: &Plan,
    g: &Geometry,
    input: *const f32,
    [weights, bias]: [*const f32; 2],
    out: Pooled,
) {
    for row in 0..g.output.height {
        let mut column = 0;
        while column < g.output.width {
            let windows = if g.pool == 2 { PAIR.min(g.output.width - column) } else { 1 };
            let at = At {
                position: g.window_position(row, column),
                window: row * g.output.width + column,
                input,
                out,
            };
            // The last maps first: what their stores leave in the next window, its first maps overwrite.
            for &MapGroup { first_map, vectors } in plan.groups.iter().rev() {
                // SAFETY: a group's maps are inside the padded ones; the rest is the caller's.
                unsafe {
                    let kernel = [weights.add(first_map), bias.add(first_map)];
                    match (g.pool, vectors, windows) {
                        (2, 1, PAIR) => window::<S, 2, 8, 1>(g, at, kernel, first_map),
                        (2, 2, PAIR) if S::ACCUMULATORS >= 16 => {
                            window::<S, 2, 8, 2>(g, at, kernel, first_map)
                        }
                        _ => {
                            for at in (0..windows).map(|i| at.later(g, i)) {
                                match (g.pool, vectors) {
                                    (2, 1) => window::<S, 2, 4, 1>(g, at, kernel, first_map),
                                    (2, 2) => window::<S, 2, 4, 2>(g, at, kernel, first_map),
                                    (2, 3) => window::<S, 2, 4, 3>(g, at, kernel, first_map),
                                    (3, 1) => window::<S, 3, 9, 1>(g, at, kernel, first_map),
                                    (3, 2) => window::<S, 3, 9, 2>(g, at, kernel, first_map),
                                    other => unreachable!("no window {other:?} is ever planned"),
                                }
                            }
                        }
                    }
                }
            }
            column += windows;
        }
    }
}

/// One window of an image.
#[derive(Clone, Copy)]
struct At {
    position: usize,
    window: usize,
    input: *const f32,
    out: Pooled,
}

impl At {
    /// The window `i` to the right.
    fn later(self, g: &Geometry, i: usize) -> Self {
        Self { position: self.position + i * g.pool, window: self.window + i, ..self }
    }
}

/// Convolves and pools `V` vectors of maps at the `T` pixels of one window of `P` × `P`, or of several side by side.
///
/// # Safety
/// As for [`pool`], with weights and biases from `first_map` on.
#[inline(always)]
unsafe fn window<S: Simd, const P: usize, const T: usize, const V: usize>(
    g: &Geometry,
    at: At,
    [weights, bias]: [*const f32; 2],
    first_map: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [[S::V; V]; T] = [std::array::from_fn(|v| S::load(bias.add(v * S::LANES))); T];
        let positions: [usize; T] = std::array::from_fn(|t| {
            let (window, t) = (t / (P * P), t % (P * P));
            at.position + window * P + (t / P) * g.input.width + t % P
        });
        let mut pixels: [*const f32; T] = std::array::from_fn(|t| at.input.add(positions[t] * g.input.maps));
        let mut weights = weights;
        for _ in 0..g.kernel {
            for tap in 0..g.run() {
                add_tap::<S, T, V>(&pixels, tap, weights, &mut sums);
                weights = weights.add(g.maps_padded);
            }
            // Not `add`: behind the last row the pointer may leave the image; it is not read there.
            pixels = pixels.map(|pixel| pixel.wrapping_add(g.row_stride()));
        }
        for (i, (sums, positions)) in sums.chunks_exact(P * P).zip(positions.chunks_exact(P * P)).enumerate()
        {
            for v in 0..V {
                let mut best = Best::<S>::new(sums[0][v], positions[0]);
                for (sums, &position) in sums.iter().zip(positions).skip(1) {
                    best.challenge(sums[v], position);
                }
                best.store(g, at.out, at.window + i, first_map + v * S::LANES);
            }
        }
    }
}

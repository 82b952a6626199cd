//! Forward pass of a stage with 5 × 5 kernels and 3 × 3 pooling by Winograd's minimal filtering, F(3 × 3, 5 × 5).
//!
//! The nine convolutions of a pooling window come from a tile of 7 × 7 input values. With x and w the tile and a kernel, and Bᵀ, G,
//! Aᵀ the Toom-Cook matrices of seven points, they are Aᵀ · [Σ over input maps of (G w Gᵀ) ⊙ (Bᵀ x B)] · A: 49 products
//! for each pair of maps where the convolution takes 225. The transforms cost far less, because each is done once for all
//! output maps or all input maps. In between, the sum over input maps is a matrix product for each of the 49 places.
//!
//! The points are 0, ±1, ±½, −2 and ∞. In f32 the root mean square error is 1.5 times that of the direct convolution here, which
//! adds up 500 products one after the other (the test `winograd_rounds_little_worse_than_the_direct_sum` prints it). Sums that are equal in
//! exact arithmetic may differ in their last digits, so that another one of them can win the pooling.
//!
//! # Source
//! S. Winograd, *Arithmetic Complexity of Computations*, SIAM 1980; A. Lavin, S. Gray, *Fast Algorithms for Convolutional
//! Neural Networks*, CVPR 2016, for the arrangement as matrix products.
#![expect(unsafe_code, reason = "vectors over raw pointers; `forward.rs` asserts the bounds")]

use crate::direct::{Start, TileArea, run_tile};
use crate::geometry::Geometry;
use crate::planes::Plane;
use crate::pooling::{Best, Pooled};
use crate::simd::Simd;
use crate::tiles::{MapGroup, Tile, tile_groups, tiles};

/// Side of the kernels, and of the tiles of outputs and inputs.
const KERNEL: usize = 5;
const POOL: usize = 3;
const SIDE: usize = KERNEL + POOL - 1;

/// Places of a transformed tile.
const PLACES: usize = SIDE * SIDE;

/// Tiles that are transformed before the matrix products, two images of the paper's second stage: few enough that
/// everything stays in a second-level cache of 512 KiB, and a multiple of the pixels of a register tile.
const CHUNK: usize = 18;

/// Fewest input maps: below, the transforms cost more than the products save.
const MIN_INPUT_MAPS: usize = 8;

/// The points but ∞.
const POINTS: [f64; SIDE - 1] = [0.0, 1.0, -1.0, 0.5, -0.5, -2.0];

/// How chunks of tiles are worked through.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    groups: Vec<Group>,
    /// Where each tile of a chunk stands in one place of the transformed input.
    offsets: Vec<usize>,
    channels_padded: usize,
    maps_padded: usize,
}

#[derive(Clone, Debug)]
struct Group {
    maps: MapGroup,
    /// How `i` + 1 tiles are cut.
    cuts: Vec<Vec<Tile>>,
}

impl Plan {
    /// Whether this is the way for a stage.
    pub(crate) fn fits(g: &Geometry) -> bool {
        g.kernel == KERNEL && g.pool == POOL && g.input.maps >= MIN_INPUT_MAPS
    }

    /// For vectors of which `accumulators` stay in registers; none where this is not the way.
    pub(crate) fn new(g: &Geometry, accumulators: usize) -> Option<Self> {
        if !Self::fits(g) {
            return None;
        }
        let channels_padded = g.input.maps.next_multiple_of(g.lanes);
        let group = |maps: MapGroup| Group {
            maps,
            cuts: (1..=CHUNK).map(|n| tiles(n, maps.vectors, accumulators)).collect(),
        };
        Some(Self {
            groups: tile_groups(g, accumulators).into_iter().map(group).collect(),
            offsets: (0..CHUNK).map(|tile| tile * channels_padded).collect(),
            channels_padded,
            maps_padded: g.maps_padded,
        })
    }

    /// Length of the transformed kernels, `[places][input maps][maps_padded]`.
    pub(crate) fn weights_len(g: &Geometry) -> usize {
        PLACES * g.input.maps * g.maps_padded
    }

    /// Length of a chunk's transformed inputs, `[places][tiles][channels_padded]`.
    fn inputs_len(&self) -> usize {
        PLACES * CHUNK * self.channels_padded
    }

    /// Length of those and of the products, `[places][tiles][maps_padded]`.
    pub(crate) fn scratch_len(&self) -> usize {
        self.inputs_len() + PLACES * CHUNK * self.maps_padded
    }
}

/// G, one row a place: what a kernel's values count there.
///
/// The interpolation's denominators Π (pᵢ − pⱼ) are all here, so that the other two matrices stay short binary fractions.
fn kernel_matrix() -> [[f32; KERNEL]; SIDE] {
    std::array::from_fn(|place| {
        std::array::from_fn(|i| match POINTS.get(place) {
            Some(point) => {
                let others = POINTS.iter().enumerate().filter(|(other, _)| *other != place);
                let denominator: f64 = others.map(|(_, other)| point - other).product();
                (point.powi(i as i32) / denominator) as f32
            }
            None => f32::from(u8::from(i + 1 == KERNEL)),
        })
    })
}

/// Bᵀ d: the polynomials Π (x − pⱼ), without the place's own point, of a row of inputs.
///
/// # Safety
/// Needs the instruction set of `S`.
#[inline(always)]
unsafe fn transform_input<S: Simd>(d: [S::V; SIDE]) -> [S::V; SIDE] {
    // SAFETY: the caller's.
    unsafe {
        let quarter = S::splat(0.25);
        let minus_quarter = S::splat(-0.25);
        let minus_five_quarters = S::splat(-1.25);
        // The factor x + 2 of all places but its own.
        let two = S::splat(2.0);
        let e0 = S::fma(two, d[0], d[1]);
        let e1 = S::fma(two, d[1], d[2]);
        let e2 = S::fma(two, d[2], d[3]);
        let e3 = S::fma(two, d[3], d[4]);
        let e4 = S::fma(two, d[4], d[5]);
        let e5 = S::fma(two, d[5], d[6]);
        // x (x ± 1) (x² − ¼) and x (x ± ½) (x² − 1): even and odd halves.
        let even_one = S::fma(minus_quarter, e2, e4);
        let odd_one = S::fma(minus_quarter, e1, e3);
        let even_half = S::sub(e4, e2);
        let odd_half = S::sub(e3, e1);
        [
            S::fma(quarter, e0, S::fma(minus_five_quarters, e2, e4)),
            S::add(even_one, odd_one),
            S::sub(even_one, odd_one),
            S::fma(S::splat(0.5), odd_half, even_half),
            S::fma(S::splat(-0.5), odd_half, even_half),
            S::fma(quarter, d[1], S::fma(minus_five_quarters, d[3], d[5])),
            S::fma(quarter, e1, S::fma(minus_five_quarters, e3, e5)),
        ]
    }
}

/// Aᵀ m: the powers of the points, and ∞ for the last output.
///
/// # Safety
/// Needs the instruction set of `S`.
#[inline(always)]
unsafe fn transform_output<S: Simd>(m: [S::V; SIDE]) -> [S::V; POOL] {
    // SAFETY: the caller's.
    unsafe {
        let (sum_one, difference_one) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_half, difference_half) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], m[5]), S::add(sum_one, sum_half)),
            S::fma(S::splat(0.5), difference_half, S::fma(S::splat(-2.0), m[5], difference_one)),
            S::fma(S::splat(0.25), sum_half, S::fma(S::splat(4.0), m[5], S::add(sum_one, m[6]))),
        ]
    }
}

/// G w Gᵀ of every pair of maps: from `weights` `[taps][maps_padded]` to `transformed` `[places][input maps][maps_padded]`.
///
/// # Safety
/// Needs the instruction set of `S`, whose vectors have the geometry's lanes, and the lengths given.
#[inline(always)]
pub(crate) unsafe fn transform_kernels<S: Simd>(g: &Geometry, weights: *const f32, transformed: *mut f32) {
    let matrix = kernel_matrix();
    for channel in 0..g.input.maps {
        for map in (0..g.maps_padded).step_by(S::LANES) {
            // SAFETY: taps are rows × columns × input maps; the rest is the caller's.
            unsafe {
                let mut half = [[S::splat(0.0); SIDE]; KERNEL];
                for (y, half) in half.iter_mut().enumerate() {
                    for (row, half) in matrix.iter().zip(half) {
                        for (x, &factor) in row.iter().enumerate() {
                            let tap = (y * KERNEL + x) * g.input.maps + channel;
                            let w = S::load(weights.add(tap * g.maps_padded + map));
                            *half = S::fma(S::splat(factor), w, *half);
                        }
                    }
                }
                for (y, row) in matrix.iter().enumerate() {
                    for x in 0..SIDE {
                        let mut sum = S::splat(0.0);
                        for (half, &factor) in half.iter().zip(row) {
                            sum = S::fma(S::splat(factor), half[x], sum);
                        }
                        let place = y * SIDE + x;
                        S::store(
                            transformed.add((place * g.input.maps + channel) * g.maps_padded + map),
                            sum,
                        );
                    }
                }
            }
        }
    }
}

/// Pools `n` images.
///
/// # Safety
/// Needs the instruction set of `S`, whose vectors have the geometry's lanes; `n` images of `g` at `input` with slack for a
/// vector behind them, transformed weights, `[maps_padded]` biases, [`Plan::scratch_len`] values at `scratch` and what
/// [`Best::store`] asks for, for `n` images.
#[inline(always)]
pub(crate) unsafe fn pool<S: Simd>(
    plan: &Plan,
    g: &Geometry,
    n: usize,
    input: *const f32,
    [weights, bias]: [*const f32; 2],
    scratch: *mut f32,
    out: Pooled,
) {
    let (windows, total) = (g.windows(), n * g.windows());
    // SAFETY: tiles and places are inside the scratch, tiles inside their image; the rest is the caller's.
    unsafe {
        let products = scratch.add(plan.inputs_len());
        let mut first = 0;
        while first < total {
            let chunk = CHUNK.min(total - first);
            for tile in 0..chunk {
                let (image, window) = ((first + tile) / windows, (first + tile) % windows);
                let position = g.window_position(window / g.output.width, window % g.output.width);
                let image = input.add(image * g.input_len());
                input_tile::<S>(plan, g, image, position, scratch.add(tile * plan.channels_padded));
            }
            multiply::<S>(plan, g, chunk, scratch, weights, products);
            for tile in 0..chunk {
                let (image, window) = ((first + tile) / windows, (first + tile) % windows);
                let out = Pooled {
                    values: out.values.add(image * g.output_len()),
                    planes: out.planes,
                    winners: out.winners.add(image * g.winners_len()),
                };
                output_tile::<S>(g, products.add(tile * g.maps_padded), bias, out, window);
            }
            first += chunk;
        }
    }
}

/// Bᵀ x B of all input maps of the image's tile at `position`.
///
/// # Safety
/// As for [`pool`].
#[inline(always)]
unsafe fn input_tile<S: Simd>(plan: &Plan, g: &Geometry, image: *const f32, position: usize, to: *mut f32) {
    for channel in (0..plan.channels_padded).step_by(S::LANES) {
        let Plane { first_map, maps: stride, start } = g.input_planes.of(channel);
        // SAFETY: the caller's.
        unsafe {
            let from = image.add(start + position * stride + channel - first_map);
            let mut half = [[S::splat(0.0); SIDE]; SIDE];
            for (y, half) in half.iter_mut().enumerate() {
                let row = from.add(y * g.input.width * stride);
                *half = transform_input::<S>(std::array::from_fn(|x| S::load(row.add(x * stride))));
            }
            #[expect(clippy::needless_range_loop, reason = "a column of an array of rows")]
            for x in 0..SIDE {
                let column = transform_input::<S>(std::array::from_fn(|y| half[y][x]));
                for (y, value) in column.into_iter().enumerate() {
                    let place = y * SIDE + x;
                    S::store(to.add(place * CHUNK * plan.channels_padded + channel), value);
                }
            }
        }
    }
}

/// For each place, the product of `chunk` tiles × input maps with input maps × maps.
///
/// # Safety
/// As for [`pool`].
#[inline(always)]
unsafe fn multiply<S: Simd>(
    plan: &Plan,
    g: &Geometry,
    chunk: usize,
    inputs: *const f32,
    weights: *const f32,
    products: *mut f32,
) {
    for place in 0..PLACES {
        for Group { maps, cuts } in &plan.groups {
            for tile in &cuts[chunk - 1] {
                // SAFETY: places, tiles and maps are inside what the caller has.
                unsafe {
                    let weights = weights.add(place * g.input.maps * g.maps_padded + maps.first_map);
                    let area = TileArea {
                        offsets: &plan.offsets[tile.start..tile.start + tile.pixels],
                        input: inputs.add(place * CHUNK * plan.channels_padded),
                        input_row_stride: 0,
                        weights,
                        weights_stride: g.maps_padded,
                        run: g.input.maps,
                        rows: 0..1,
                        start: Start::Zero,
                        output: products.add((place * CHUNK + tile.start) * g.maps_padded + maps.first_map),
                    };
                    run_tile::<S>(&area, tile.pixels, maps.vectors);
                }
            }
        }
    }
}

/// Aᵀ m A plus bias of all maps of one tile, pooled.
///
/// # Safety
/// As for [`pool`].
#[inline(always)]
unsafe fn output_tile<S: Simd>(
    g: &Geometry,
    products: *const f32,
    bias: *const f32,
    out: Pooled,
    window: usize,
) {
    let first = g.window_position(window / g.output.width, window % g.output.width);
    for map in (0..g.maps_padded).step_by(S::LANES) {
        // SAFETY: the caller's.
        unsafe {
            let mut half = [[S::splat(0.0); POOL]; SIDE];
            for (x, half) in half.iter_mut().enumerate() {
                *half = transform_output::<S>(std::array::from_fn(|y| {
                    S::load(products.add((y * SIDE + x) * CHUNK * g.maps_padded + map))
                }));
            }
            let bias = S::load(bias.add(map));
            let row = |y: usize| transform_output::<S>(std::array::from_fn(|x| half[x][y]));
            let rows = [row(0), row(1), row(2)];
            let mut best = Best::<S>::new(rows[0][0], first);
            for (y, row) in rows.iter().enumerate() {
                for (x, &value) in row.iter().enumerate().skip(usize::from(y == 0)) {
                    best.challenge(value, first + y * g.input.width + x);
                }
            }
            best.plus(bias).store(g, out, window, map);
        }
    }
}

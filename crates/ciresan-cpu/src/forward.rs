//! Forward pass of one stage: convolution, maximum with its winner, and activation, band by band.
#![expect(
    unsafe_code,
    reason = "register tiles over raw pointers; every bound is asserted at the head of the kernel"
)]

use crate::activation::{Relu, ScaledTanh, VectorActivation};
use crate::geometry::{Geometry, MAP_BLOCK};
use crate::simd::{Simd, kernel};
use ciresan_net::Activation;

/// The weights of a stage as the forward pass reads them.
pub(crate) struct ForwardKernel {
    /// `[taps][maps_padded]`, zero in the padding.
    pub(crate) weights: Vec<f32>,
    /// `[maps_padded]`, zero in the padding.
    pub(crate) bias: Vec<f32>,
}

impl ForwardKernel {
    pub(crate) fn zeros(g: &Geometry) -> Self {
        Self { weights: vec![0.0; g.taps() * g.maps_padded], bias: vec![0.0; g.maps_padded] }
    }

    /// Takes over `weights` `[maps][taps]` and `bias` `[maps]`.
    pub(crate) fn pack(&mut self, g: &Geometry, weights: &[f32], bias: &[f32]) {
        for (map, row) in weights.chunks_exact(g.taps()).enumerate() {
            for (packed, &w) in self.weights.chunks_exact_mut(g.maps_padded).zip(row) {
                packed[map] = w;
            }
        }
        self.bias[..g.maps].copy_from_slice(bias);
    }
}

/// What the forward pass of one image reads and writes.
pub(crate) struct StageForward<'a> {
    pub(crate) geometry: &'a Geometry,
    pub(crate) kernel: &'a ForwardKernel,
    pub(crate) activation: Activation,
    /// `[height][width][maps]`.
    pub(crate) input: &'a [f32],
    /// Scratch of [`Geometry::band_len`].
    pub(crate) band: &'a mut [f32],
    /// `[pooled pixels][maps]` activated values, then [`MAP_BLOCK`] values of slack that are overwritten.
    pub(crate) output: &'a mut [f32],
    /// `[pooled pixels][maps_padded]`: the position (row · input width + column) of each window's largest value, the
    /// first one in row-major order where several are equal.
    pub(crate) winners: &'a mut [u32],
}

kernel! {
    /// Convolves, pools and activates one image.
    pub(crate) fn stage_forward(stage: StageForward<'_>) = stage_forward_body
}

#[inline(always)]
unsafe fn stage_forward_body<S: Simd>(mut stage: StageForward<'_>) {
    let g = stage.geometry;
    // Every pointer below stays inside these: the offsets of pixels and taps are those of `Geometry`.
    assert!(stage.input.len() >= g.input_len(), "input: {} values", stage.input.len());
    assert_eq!(stage.kernel.weights.len(), g.taps() * g.maps_padded, "weights");
    assert_eq!(stage.kernel.bias.len(), g.maps_padded, "bias");
    assert!(stage.band.len() >= g.band_len(), "band: {} values", stage.band.len());
    assert!(stage.output.len() >= g.output_len() + MAP_BLOCK, "output: {} values", stage.output.len());
    assert!(stage.winners.len() >= g.winners_len(), "winners: {} values", stage.winners.len());
    let mut row = 0;
    while row < g.output.height {
        let rows = row..row + g.band_pooled_rows;
        // SAFETY: the caller has the instruction set of `S`, so that of `S::Narrow`; the lengths were asserted, and a
        // band is `band_pooled_rows` of the output's rows, which it divides (it is 1 or all of them).
        unsafe {
            convolve_band::<S::Narrow>(&mut stage, row);
            match stage.activation {
                Activation::ScaledTanh => pool_band::<S::Narrow, ScaledTanh>(&mut stage, rows),
                Activation::Relu => pool_band::<S::Narrow, Relu>(&mut stage, rows),
            }
        }
        row += g.band_pooled_rows;
    }
}

/// Convolution of the band that starts at a pooled row.
///
/// # Safety
/// Needs the instruction set of `S` and the lengths that `stage_forward_body` asserts.
#[inline(always)]
unsafe fn convolve_band<S: Simd>(stage: &mut StageForward<'_>, pooled_row: usize) {
    let g = stage.geometry;
    for (i, pass) in g.passes.iter().enumerate() {
        for group in &g.groups {
            for tile in &group.tiles {
                let area = TileArea {
                    offsets: &g.pixel_offsets[tile.start..tile.start + tile.pixels],
                    // SAFETY: the band's first input row is inside the input.
                    input: unsafe { stage.input.as_ptr().add(pooled_row * g.pool * g.row_stride()) },
                    input_row_stride: g.row_stride(),
                    // SAFETY: a group's maps are inside the padded maps.
                    weights: unsafe { stage.kernel.weights.as_ptr().add(group.first_map) },
                    run: g.run(),
                    rows: pass.clone(),
                    maps_padded: g.maps_padded,
                    // SAFETY: as above; only the first pass starts from the bias, later ones from the band.
                    bias: (i == 0).then(|| unsafe { stage.kernel.bias.as_ptr().add(group.first_map) }),
                    // SAFETY: the tile's first pixel is inside the band.
                    band: unsafe {
                        stage.band.as_mut_ptr().add(tile.start * g.maps_padded + group.first_map)
                    },
                };
                // SAFETY: the tile's pixels and the group's vectors are inside band, input and weights.
                unsafe { run_tile::<S>(&area, tile.pixels, group.vectors) }
            }
        }
    }
}

/// Operands of one tile.
struct TileArea<'a> {
    offsets: &'a [usize],
    input: *const f32,
    input_row_stride: usize,
    weights: *const f32,
    run: usize,
    rows: std::ops::Range<usize>,
    maps_padded: usize,
    bias: Option<*const f32>,
    band: *mut f32,
}

/// Picks the compiled tile.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn run_tile<S: Simd>(area: &TileArea<'_>, pixels: usize, vectors: usize) {
    macro_rules! pick {
        ($(($t:literal, $v:literal)),* $(,)?) => {
            match (pixels, vectors) {
                // SAFETY: handed on to the caller.
                $(($t, $v) => unsafe { tile::<S, $t, $v>(area) },)*
                _ => unreachable!("no tile of {pixels} pixels and {vectors} vectors is ever planned"),
            }
        };
    }
    pick!(
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
        (6, 1),
        (8, 1),
        (1, 2),
        (2, 2),
        (3, 2),
        (4, 2),
        (6, 2),
        (8, 2),
        (1, 3),
        (2, 3),
        (3, 3),
        (4, 3),
        (6, 3),
        (8, 3),
        (1, 4),
        (2, 4),
        (3, 4),
        (4, 4),
        (6, 4),
        (1, 5),
        (2, 5),
        (3, 5),
        (4, 5),
    );
}

/// Adds the products of `rows` of the kernel to `T` pixels × `V` vectors of maps, kept in registers.
///
/// # Safety
/// Needs the instruction set of `S`; for each of the `T` offsets, the rows `rows` of a patch inside the input; `V`
/// vectors at every tap of the weights and at every pixel of the band.
#[inline(always)]
unsafe fn tile<S: Simd, const T: usize, const V: usize>(a: &TileArea<'_>) {
    assert_eq!(a.offsets.len(), T, "one offset a pixel");
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [[S::V; V]; T] = match a.bias {
            Some(bias) => [std::array::from_fn(|v| S::load(bias.add(v * S::LANES))); T],
            None => std::array::from_fn(|t| {
                std::array::from_fn(|v| S::load(a.band.add(t * a.maps_padded + v * S::LANES)))
            }),
        };
        for row in a.rows.clone() {
            let pixels: [*const f32; T] =
                std::array::from_fn(|t| a.input.add(a.offsets[t] + row * a.input_row_stride));
            let mut weights = a.weights.add(row * a.run * a.maps_padded);
            for tap in 0..a.run {
                let w: [S::V; V] = std::array::from_fn(|v| S::load(weights.add(v * S::LANES)));
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let x = S::splat(*pixel.add(tap));
                    for (sum, &w) in sums.iter_mut().zip(&w) {
                        *sum = S::fma(x, w, *sum);
                    }
                }
                weights = weights.add(a.maps_padded);
            }
        }
        for (t, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                S::store(a.band.add(t * a.maps_padded + v * S::LANES), sum);
            }
        }
    }
}

/// Pools and activates the rows of a band.
///
/// # Safety
/// Needs the instruction set of `S`, whose vectors have [`MAP_BLOCK`] lanes, and the lengths that
/// `stage_forward_body` asserts.
#[inline(always)]
unsafe fn pool_band<S: Simd, A: VectorActivation>(
    stage: &mut StageForward<'_>,
    rows: std::ops::Range<usize>,
) {
    let g = stage.geometry;
    let first_row = rows.start;
    for row in rows {
        for column in 0..g.output.width {
            let pixel = row * g.output.width + column;
            let band_pixel = (row - first_row) * g.pool * g.conv_width + column * g.pool;
            let position = row * g.pool * g.input.width + column * g.pool;
            for map in (0..g.maps_padded).step_by(MAP_BLOCK) {
                // SAFETY: the window is inside the band and its winners inside `winners`. A store of activated values
                // reaches up to 7 values beyond the pixel's maps: into the next pixel, which is written later, and at
                // the end into the slack.
                unsafe {
                    let window = stage.band.as_ptr().add(band_pixel * g.maps_padded + map);
                    let mut best = S::load(window);
                    let mut winner = S::splat(f32::from_bits(position as u32));
                    for y in 0..g.pool {
                        for x in usize::from(y == 0)..g.pool {
                            let value = S::load(window.add((y * g.conv_width + x) * g.maps_padded));
                            let tag = S::splat(f32::from_bits((position + y * g.input.width + x) as u32));
                            (best, winner) = S::keep_greater(best, winner, value, tag);
                        }
                    }
                    S::store(stage.output.as_mut_ptr().add(pixel * g.maps + map), A::apply::<S>(best));
                    let winners = stage.winners.as_mut_ptr().add(pixel * g.maps_padded + map);
                    S::store(winners.cast::<f32>(), winner);
                }
            }
        }
    }
}

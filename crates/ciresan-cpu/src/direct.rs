//! The register tile of the forward pass: products of a few pixels with a few vectors of maps.
#![expect(unsafe_code, reason = "register tiles over raw pointers; the callers prove the bounds")]

use crate::simd::Simd;
use std::ops::Range;

/// What a tile's sums begin with.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    Zero,
    /// A bias for every map.
    Bias(*const f32),
    /// What stands in the output already.
    Output,
}

/// Operands of one tile.
pub(crate) struct TileArea<'a> {
    /// Where each pixel's patch starts behind `input`.
    pub(crate) offsets: &'a [usize],
    pub(crate) input: *const f32,
    pub(crate) input_row_stride: usize,
    /// `[rows][run][weights_stride]`.
    pub(crate) weights: *const f32,
    pub(crate) weights_stride: usize,
    /// Values of one row of a patch.
    pub(crate) run: usize,
    /// Rows of the patch to add.
    pub(crate) rows: Range<usize>,
    pub(crate) start: Start,
    /// `[pixels][weights_stride]`.
    pub(crate) output: *mut f32,
}

/// Picks the compiled tile.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
pub(crate) unsafe fn run_tile<S: Simd>(area: &TileArea<'_>, pixels: usize, vectors: usize) {
    macro_rules! pick {
        ($(($t:literal, $v:literal))*) => {
            match (pixels, vectors) {
                // SAFETY: handed on to the caller.
                $(($t, $v) => unsafe { tile::<S, $t, $v>(area) },)*
                _ => unreachable!("no tile of {pixels} pixels and {vectors} vectors is ever planned"),
            }
        };
    }
    pick!((1, 1)(2, 1)(3, 1)(4, 1)(6, 1)(8, 1)(1, 2)(2, 2)(3, 2)(4, 2)(6, 2)(8, 2)(1, 3)(2, 3)(3, 3)(4, 3)(
        6, 3
    )(8, 3)(1, 4)(2, 4)(3, 4)(4, 4)(6, 4)(1, 5)(2, 5)(3, 5)(4, 5));
}

/// Adds the products of `rows` of the kernel to `T` pixels × `V` vectors of maps, kept in registers.
///
/// # Safety
/// Needs the instruction set of `S`; for each of the `T` offsets, the rows `rows` of a patch inside the input; `V`
/// vectors at every tap of the weights, at the bias and at every pixel of the output.
#[inline(always)]
unsafe fn tile<S: Simd, const T: usize, const V: usize>(a: &TileArea<'_>) {
    assert_eq!(a.offsets.len(), T, "one offset a pixel");
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [[S::V; V]; T] = match a.start {
            Start::Zero => [[S::splat(0.0); V]; T],
            Start::Bias(bias) => [std::array::from_fn(|v| S::load(bias.add(v * S::LANES))); T],
            Start::Output => std::array::from_fn(|t| {
                std::array::from_fn(|v| S::load(a.output.add(t * a.weights_stride + v * S::LANES)))
            }),
        };
        for row in a.rows.clone() {
            let pixels: [*const f32; T] =
                std::array::from_fn(|t| a.input.add(a.offsets[t] + row * a.input_row_stride));
            let mut weights = a.weights.add(row * a.run * a.weights_stride);
            for tap in 0..a.run {
                add_tap::<S, T, V>(&pixels, tap, weights, &mut sums);
                weights = weights.add(a.weights_stride);
            }
        }
        for (t, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                S::store(a.output.add(t * a.weights_stride + v * S::LANES), sum);
            }
        }
    }
}

/// Adds value `tap` of each pixel's row times `V` vectors of weights.
///
/// # Safety
/// Needs the instruction set of `S`, `tap + 1` values at every pixel and `V` vectors at the weights.
#[inline(always)]
pub(crate) unsafe fn add_tap<S: Simd, const T: usize, const V: usize>(
    pixels: &[*const f32; T],
    tap: usize,
    weights: *const f32,
    sums: &mut [[S::V; V]; T],
) {
    // SAFETY: the caller's.
    unsafe {
        let w: [S::V; V] = std::array::from_fn(|v| S::load(weights.add(v * S::LANES)));
        for (sums, pixel) in sums.iter_mut().zip(pixels) {
            S::add_products(pixel.add(tap), &w, sums);
        }
    }
}

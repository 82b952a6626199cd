//! The inner loops: from normal draws and an affine map to a sampled image.
//!
//! Plain safe Rust in blocks of [`LANES`] columns, written so that the compiler turns every step but the fetching of
//! pixels into vector instructions. The oracle is [`reference`](crate::reference).

use crate::affine::SourceMap;
use crate::input::to_input;
use crate::smoothing::Basis;

/// Columns worked on at once. An image's last block is computed in full and cut when stored.
const LANES: usize = 8;

/// One block of displacements: x in the first half, y in the second.
type Displacements = [f32; 2 * LANES];

/// Everything about the warp that does not change from image to image.
#[derive(Debug, Clone)]
pub(crate) struct Warp {
    height: usize,
    width: usize,
    rank: [usize; 2],
    /// `[height][rank of the rows]`
    row_basis: Vec<f32>,
    /// `[block of columns][rank of the columns]`, zero right of the image.
    column_basis: Vec<[f32; LANES]>,
}

/// Working memory for one image at a time, to be used again for the next.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Normal draws: `[2 (x, y)][rank of the rows][rank of the columns]`, times the field's amplitude.
    pub(crate) noise: Vec<f32>,
    /// `[block of columns][rank of the rows]`: the field before its rows are summed.
    half_field: Vec<Displacements>,
    /// `[height][width]`: each pixel with its neighbours to the right, below and below right, a byte each.
    quads: Vec<u32>,
    /// One row of the result, whole blocks.
    row: Vec<[f32; LANES]>,
}

impl Warp {
    /// A warp without an elastic field has a `basis` of `None`.
    pub(crate) fn new(height: usize, width: usize, basis: Option<[&Basis; 2]>) -> Self {
        let n_blocks = width.div_ceil(LANES);
        let Some([rows, columns]) = basis else {
            let (row_basis, column_basis) = (Vec::new(), Vec::new());
            return Self { height, width, rank: [0; 2], row_basis, column_basis };
        };
        let row_basis = (0..height).flat_map(|row| rows.vectors.iter().map(move |v| v[row] as f32)).collect();
        let column_basis = (0..n_blocks)
            .flat_map(|block| {
                columns.vectors.iter().map(move |v| {
                    std::array::from_fn(|lane| {
                        v.get(block * LANES + lane).map_or(0.0, |&weight| weight as f32)
                    })
                })
            })
            .collect();
        Self { height, width, rank: [rows.rank(), columns.rank()], row_basis, column_basis }
    }

    /// Working memory of the right size.
    pub(crate) fn scratch(&self) -> Scratch {
        let n_blocks = self.width.div_ceil(LANES);
        let [row_rank, column_rank] = self.rank;
        Scratch {
            noise: vec![0.0; 2 * row_rank * column_rank],
            half_field: vec![[0.0; 2 * LANES]; n_blocks * row_rank],
            quads: vec![0; self.height * self.width],
            row: vec![[0.0; LANES]; n_blocks],
        }
    }

    /// Warps one image by the field of `scratch.noise` on top of `map`.
    ///
    /// `image` and `out` have `height * width` elements, which the caller has checked.
    pub(crate) fn run(&self, image: &[u8], map: &SourceMap, scratch: &mut Scratch, out: &mut [f32]) {
        fill_quads(image, self.width, &mut scratch.quads);
        self.fill_half_field(&scratch.noise, &mut scratch.half_field);
        let row_rank = self.rank[0];
        let sampler = Sampler {
            quads: &scratch.quads,
            row_px: self.width as f32,
            x_max: (self.width - 1) as f32,
            y_max: (self.height - 1) as f32,
        };
        for (row, out) in out.chunks_exact_mut(self.width).enumerate() {
            let weights = &self.row_basis[row * row_rank..][..row_rank];
            let x_row = map.x[0] + map.x[1] * row as f32;
            let y_row = map.y[0] + map.y[1] * row as f32;
            for (block, result) in scratch.row.iter_mut().enumerate() {
                let field = weighted_sum(weights, &scratch.half_field[block * row_rank..][..row_rank]);
                let mut x = [0.0; LANES];
                let mut y = [0.0; LANES];
                for lane in 0..LANES {
                    let column = (block * LANES) as f32 + lane as f32;
                    x[lane] = x_row + map.x[2] * column + field[lane];
                    y[lane] = y_row + map.y[2] * column + field[LANES + lane];
                }
                *result = sampler.sample(&x, &y);
            }
            out.copy_from_slice(&scratch.row.as_flattened()[..self.width]);
        }
    }

    /// First of the two small matrix products: noise times the basis of the columns.
    fn fill_half_field(&self, noise: &[f32], half_field: &mut [Displacements]) {
        let [row_rank, column_rank] = self.rank;
        if row_rank == 0 {
            return;
        }
        let (noise_x, noise_y) = noise.split_at(row_rank * column_rank);
        let blocks = half_field.chunks_exact_mut(row_rank).zip(self.column_basis.chunks_exact(column_rank));
        for (half_field, basis) in blocks {
            let noise = noise_x.chunks_exact(column_rank).zip(noise_y.chunks_exact(column_rank));
            for (half, (noise_x, noise_y)) in half_field.iter_mut().zip(noise) {
                let mut sum = [0.0; 2 * LANES];
                for ((x, y), basis) in noise_x.iter().zip(noise_y).zip(basis) {
                    for (lane, basis) in basis.iter().enumerate() {
                        sum[lane] += x * basis;
                        sum[LANES + lane] += y * basis;
                    }
                }
                *half = sum;
            }
        }
    }
}

/// One block of one row of the field: the second of the two small matrix products.
#[inline]
fn weighted_sum(weights: &[f32], half_field: &[Displacements]) -> Displacements {
    let mut sum = [0.0; 2 * LANES];
    for (weight, half) in weights.iter().zip(half_field) {
        for (sum, half) in sum.iter_mut().zip(half) {
            *sum += weight * half;
        }
    }
    sum
}

/// Packs each pixel with its neighbours at the right, below and below right, the border repeated, so that sampling
/// fetches once and never leaves the image.
fn fill_quads(image: &[u8], width: usize, quads: &mut [u32]) {
    let last_row = image.len() - width;
    for (row, quads) in quads.chunks_exact_mut(width).enumerate() {
        let here = &image[row * width..][..width];
        let below = &image[(row * width + width).min(last_row)..][..width];
        for ((quad, here), below) in quads.iter_mut().zip(here.windows(2)).zip(below.windows(2)) {
            *quad = u32::from_le_bytes([here[0], here[1], below[0], below[1]]);
        }
        let (here, below) = (here[width - 1], below[width - 1]);
        quads[width - 1] = u32::from_le_bytes([here, here, below, below]);
    }
}

/// Bilinear sampling of one image.
struct Sampler<'a> {
    quads: &'a [u32],
    row_px: f32,
    x_max: f32,
    y_max: f32,
}

impl Sampler<'_> {
    /// Samples at [`LANES`] points, clamped to the image, and scales to the network's input.
    ///
    /// The result is in -1 to 1: a share of at most 1 of a difference, rounded, is at most that difference, and the
    /// difference itself is off by at most half an ulp of 255. A point on a pixel gives exactly that pixel.
    #[inline]
    fn sample(&self, x: &[f32; LANES], y: &[f32; LANES]) -> [f32; LANES] {
        let mut index = [0; LANES];
        let mut x_share = [0.0; LANES];
        let mut y_share = [0.0; LANES];
        for lane in 0..LANES {
            let x = clamp(x[lane], self.x_max);
            let y = clamp(y[lane], self.y_max);
            let (x_cell, y_cell) = (cell(x), cell(y));
            // Exact: at most 512 · 512, and whole numbers up to 2²⁴ are floats.
            index[lane] = (y_cell * self.row_px + x_cell + ROUND).to_bits() - ROUND.to_bits();
            x_share[lane] = x - x_cell;
            y_share[lane] = y - y_cell;
        }
        let fetched = index.map(|index| self.quads[index as usize]);
        let mut result = [0.0; LANES];
        for lane in 0..LANES {
            // Through i32: vectors have no conversion from u32 before AVX-512.
            let byte = |n: u32| (fetched[lane] >> (8 * n) & 0xff) as i32 as f32;
            let above = byte(0) + x_share[lane] * (byte(1) - byte(0));
            let below = byte(2) + x_share[lane] * (byte(3) - byte(2));
            result[lane] = to_input(above + y_share[lane] * (below - above));
        }
        result
    }
}

/// Into `0.0..=max`; a NaN becomes 0. Written as two selections, which are one instruction each.
#[inline]
fn clamp(value: f32, max: f32) -> f32 {
    let value = if value > 0.0 { value } else { 0.0 };
    if value < max { value } else { max }
}

/// 1.5 · 2²³: numbers of this size are whole numbers, one ulp is 1.
const ROUND: f32 = 12_582_912.0;

/// The cell a coordinate of 0 to 2²² lies in: a whole number `c` with `c <= value <= c + 1`, at least 0.
///
/// Adding [`ROUND`] rounds to a whole number: unlike a cast to an integer this needs no check for overflow. On the
/// border of two cells the answer may be the one before, whose end is the same pixel.
#[inline]
fn cell(value: f32) -> f32 {
    value - 0.5 + ROUND - ROUND
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact results are part of the contract")]
mod tests {
    use ndarray::{Array2, ArrayView2};
    use proptest::prelude::*;

    use super::*;
    use crate::affine::Affine;
    use crate::{Smoothing, reference};

    /// A warp whose displacements are its noise: with σ = 0.1 the only tap is the centre's, and its weight is 1.
    fn warp_by_noise(height: usize, width: usize) -> Warp {
        let basis = |len| Basis::new(Smoothing::Gaussian, 0.1, len);
        let warp = Warp::new(height, width, Some([&basis(height), &basis(width)]));
        assert_eq!(warp.rank, [height, width]);
        warp
    }

    /// Runs the fast warp with the given displacements, `[dx, dy]`.
    fn warped(image: ArrayView2<'_, u8>, affine: &Affine, field: [&Array2<f32>; 2]) -> Array2<f32> {
        let (height, width) = image.dim();
        let warp = warp_by_noise(height, width);
        let mut scratch = warp.scratch();
        let (noise_x, noise_y) = scratch.noise.split_at_mut(height * width);
        // The sort by strength is stable: vectors of equal strength stay in the order of the pixels.
        noise_x.copy_from_slice(field[0].as_slice().unwrap());
        noise_y.copy_from_slice(field[1].as_slice().unwrap());
        let mut out = Array2::zeros((height, width));
        let pixels: Vec<u8> = image.iter().copied().collect();
        warp.run(&pixels, &affine.source_map(height, width), &mut scratch, out.as_slice_mut().unwrap());
        out
    }

    /// Largest difference to the reference that rounding explains.
    fn tolerance(map: &SourceMap, size: [usize; 2], largest_shift: f32) -> f64 {
        let unit = f64::from(f32::EPSILON) / 2.0;
        // A source coordinate: three rounded parameters, two products and three sums, each off by at most a unit of
        // the sum of all magnitudes.
        let reach = |c: [f32; 3]| {
            f64::from(c[0].abs() + c[1].abs() * size[0] as f32 + c[2].abs() * size[1] as f32 + largest_shift)
        };
        let off_px = 8.0 * unit * (reach(map.x) + reach(map.y));
        // Between pixels the result changes by at most 255 / 127.5 for each pixel of way. Then four rounded steps of
        // numbers up to 255, a division and a subtraction.
        2.0 * off_px + (4.0 * 255.0 / 127.5 + 3.0) * unit
    }

    prop_compose! {
        fn any_case()(height in 1_usize..20, width in 1_usize..20)(
            image in prop::collection::vec(any::<u8>(), height * width),
            dx in prop::collection::vec(-6.0_f32..6.0, height * width),
            dy in prop::collection::vec(-6.0_f32..6.0, height * width),
            height in Just(height),
            width in Just(width),
            translation_px in prop::array::uniform2(-4.0_f32..4.0),
            rotation_deg in -180.0_f32..180.0,
            scale in prop::array::uniform2(0.1_f32..1.9),
            shear in -2.0_f32..2.0,
        ) -> (Array2<u8>, Array2<f32>, Array2<f32>, Affine) {
            let size = (height, width);
            (
                Array2::from_shape_vec(size, image).unwrap(),
                Array2::from_shape_vec(size, dx).unwrap(),
                Array2::from_shape_vec(size, dy).unwrap(),
                Affine { translation_px, rotation_deg, scale, shear },
            )
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference((image, dx, dy, affine) in any_case()) {
            let got = warped(image.view(), &affine, [&dx, &dy]);
            let want = reference::warp(image.view(), &affine, dx.mapv(f64::from).view(), dy.mapv(f64::from).view());
            let size = [image.nrows(), image.ncols()];
            let bound = tolerance(&affine.source_map(size[0], size[1]), size, 6.0);
            for (got, want) in got.iter().zip(&want) {
                prop_assert!((f64::from(*got) - want).abs() <= bound, "got {got}, want {want} within {bound:e}");
                prop_assert!((-1.0..=1.0).contains(got));
            }
        }

        #[test]
        fn a_coordinate_lies_in_its_cell(value in prop_oneof![0.0_f32..512.0, 0.0_f32..1.0, (0_u16..512).prop_map(f32::from)]) {
            let cell = cell(value);
            prop_assert!(cell >= 0.0 && cell <= value && value <= cell + 1.0, "{value} in {cell}");
            prop_assert_eq!(cell.fract(), 0.0);
        }
    }

    #[test]
    fn x_counts_columns_and_y_rows() {
        let image = Array2::from_shape_fn((5, 9), |(row, column)| (10 * row + column) as u8);
        let none = Array2::zeros((5, 9));
        let pixel = |row: usize, column: usize| to_input(f32::from(image[[row, column]]));

        let by_x = warped(image.view(), &Affine::IDENTITY, [&Array2::from_elem((5, 9), 2.0), &none]);
        assert_eq!(by_x, Array2::from_shape_fn((5, 9), |(row, column)| pixel(row, (column + 2).min(8))));
        let by_y = warped(image.view(), &Affine::IDENTITY, [&none, &Array2::from_elem((5, 9), -2.0)]);
        assert_eq!(by_y, Array2::from_shape_fn((5, 9), |(row, column)| pixel(row.saturating_sub(2), column)));
        let shift = Affine { translation_px: [3.0, 1.0], ..Affine::IDENTITY };
        let shifted = warped(image.view(), &shift, [&none, &none]);
        assert_eq!(
            shifted,
            Array2::from_shape_fn((5, 9), |(row, column)| pixel(
                row.saturating_sub(1),
                column.saturating_sub(3)
            ))
        );
    }

    #[test]
    fn displacements_that_are_no_numbers_stay_inside_the_image() {
        let image = Array2::from_elem((3, 10), 255);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let field = Array2::from_elem((3, 10), value);
            let out = warped(image.view(), &Affine::IDENTITY, [&field, &field]);
            assert!(out.iter().all(|&v| v == 1.0), "{value}");
        }
    }

    /// The two small matrix products against the plain sum over all pairs of basis vectors.
    #[test]
    fn noise_expands_to_the_sum_over_the_basis() {
        let (height, width) = (11, 19);
        let [rows, columns] = [height, width].map(|len| Basis::new(Smoothing::Gaussian, 3.0, len));
        let warp = Warp::new(height, width, Some([&rows, &columns]));
        let mut scratch = warp.scratch();
        for (n, noise) in scratch.noise.iter_mut().enumerate() {
            *noise = (n as f32 * 0.7).sin();
        }
        warp.fill_half_field(&scratch.noise, &mut scratch.half_field);
        let n_noise = rows.rank() * columns.rank();
        for row in 0..height {
            let weights = &warp.row_basis[row * rows.rank()..][..rows.rank()];
            for column in 0..width {
                let (block, lane) = (column / LANES, column % LANES);
                let got = weighted_sum(weights, &scratch.half_field[block * rows.rank()..][..rows.rank()]);
                for (axis, got) in [got[lane], got[LANES + lane]].into_iter().enumerate() {
                    let (mut want, mut magnitude) = (0.0, 0.0);
                    for (a, row_vector) in rows.vectors.iter().enumerate() {
                        for (b, column_vector) in columns.vectors.iter().enumerate() {
                            let noise = f64::from(scratch.noise[axis * n_noise + a * columns.rank() + b]);
                            let term = row_vector[row] * noise * column_vector[column];
                            want += term;
                            magnitude += term.abs();
                        }
                    }
                    // Two rounded weights, two products and a sum of up to 8 terms twice: at most 20 units.
                    let bound = 20.0 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                    assert!((f64::from(got) - want).abs() <= bound, "{row} {column}: got {got}, want {want}");
                }
            }
        }
    }
}

//! The inner loops: from normal draws and an affine map to a sampled image.
//!
//! Blocks of [`LANES`] columns in the vectors of `fearless_simd`, one source for every
//! [`InstructionSet`](crate::InstructionSet). Fetching pixels is the one step that has no vector form in safe Rust, so a
//! strip of the image goes through three passes: the coordinates of all its pixels (vectors), fetching (a plain loop),
//! interpolation (vectors). A strip's working memory stays in the first-level cache. The oracle is
//! [`reference`](crate::reference).

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, u32x16};
use ndarray::Array2;

use crate::affine::SourceMap;
use crate::input::{MIDDLE, SCALE};
use crate::smoothing::Basis;

/// Pixels worked on at once. A row's last block is computed in full; what is too much is overwritten or not stored.
pub(crate) const LANES: usize = 16;

/// Pixels of a strip, if rows are not longer: with cell and two shares, 4 bytes each, 12 KiB.
const STRIP_PX: usize = 1024;

/// One block of coordinates or displacements: x in the first half, y in the second.
type Pair = [f32; 2 * LANES];

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
    /// Normal draws of the x and of the y part: each `[rank of the rows][rank of the columns]`, times the field's
    /// amplitude, and whatever fills the last block.
    pub(crate) noise: [Vec<f32>; 2],
    /// `[block of columns]`: the affine map's share that is the same in all rows.
    affine: Vec<Pair>,
    /// `[block of columns][rank of the rows]`: the field before its rows are summed.
    half_field: Vec<Pair>,
    /// `[height][width]`: each pixel with its neighbours to the right, below and below right, a byte each.
    quads: Vec<u32>,
    strip: Strip,
}

/// Where the pixels of some whole rows come from: row-major, with room for a block behind them.
#[derive(Debug)]
struct Strip {
    /// First each pixel's index into the quads, then the quad itself.
    cells: Vec<u32>,
    x_shares: Vec<f32>,
    y_shares: Vec<f32>,
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

    /// Normal numbers that each of the field's two parts takes.
    pub(crate) fn n_noise(&self) -> usize {
        self.rank[0] * self.rank[1]
    }

    /// Working memory of the right size.
    pub(crate) fn scratch(&self) -> Scratch {
        let n_blocks = self.width.div_ceil(LANES);
        let noise = vec![0.0; self.n_noise().next_multiple_of(LANES)];
        let n_strip = self.strip_rows() * self.width + LANES;
        Scratch {
            noise: [noise.clone(), noise],
            affine: vec![[0.0; 2 * LANES]; n_blocks],
            half_field: vec![[0.0; 2 * LANES]; n_blocks * self.rank[0]],
            quads: vec![0; self.height * self.width],
            strip: Strip {
                cells: vec![0; n_strip],
                x_shares: vec![0.0; n_strip],
                y_shares: vec![0.0; n_strip],
            },
        }
    }

    fn strip_rows(&self) -> usize {
        (STRIP_PX / self.width).clamp(1, self.height)
    }

    /// Warps one image by the field of `scratch.noise` on top of `map`.
    ///
    /// `image` and `out` have `height * width` elements, which the caller has checked.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(
        &self,
        simd: S,
        image: &[u8],
        map: &SourceMap,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Scratch { noise, affine, half_field, quads, strip } = scratch;
        fill_quads(image, self.width, quads);
        fill_affine(simd, map, affine);
        self.fill_half_field(simd, noise, half_field);
        let strip_rows = self.strip_rows();
        for (n, out) in out.chunks_mut(strip_rows * self.width).enumerate() {
            let first_row = n * strip_rows;
            self.place(simd, map, first_row..first_row + out.len() / self.width, affine, half_field, strip);
            for cell in &mut strip.cells[..out.len()] {
                *cell = quads[*cell as usize];
            }
            strip.interpolate(simd, out);
        }
    }

    /// The field of `scratch.noise`, its x and its y part, `[height, width]` each.
    #[inline(always)]
    pub(crate) fn field<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        [x_out, y_out]: &mut [Array2<f32>; 2],
    ) {
        let Scratch { noise, half_field, .. } = scratch;
        self.fill_half_field(simd, noise, half_field);
        let row_rank = self.rank[0];
        for row in 0..self.height {
            let weights = &self.row_basis[row * row_rank..][..row_rank];
            for block in 0..self.width.div_ceil(LANES) {
                let (mut x, mut y) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 0.0));
                add_weighted(simd, [&mut x, &mut y], weights, &half_field[block * row_rank..][..row_rank]);
                let start = block * LANES;
                for column in start..self.width.min(start + LANES) {
                    x_out[[row, column]] = x[column - start];
                    y_out[[row, column]] = y[column - start];
                }
            }
        }
    }

    /// First of the two small matrix products: noise times the basis of the columns.
    #[inline(always)]
    fn fill_half_field<S: Simd>(&self, simd: S, noise: &[Vec<f32>; 2], half_field: &mut [Pair]) {
        let [row_rank, column_rank] = self.rank;
        if row_rank == 0 {
            return;
        }
        let blocks = half_field.chunks_exact_mut(row_rank).zip(self.column_basis.chunks_exact(column_rank));
        for (half_field, basis) in blocks {
            let [noise_x, noise_y] = noise.each_ref().map(|noise| noise.chunks_exact(column_rank));
            for (half, (noise_x, noise_y)) in half_field.iter_mut().zip(noise_x.zip(noise_y)) {
                let mut x = f32x16::splat(simd, 0.0);
                let mut y = x;
                for ((&noise_x, &noise_y), basis) in noise_x.iter().zip(noise_y).zip(basis) {
                    let basis = f32x16::load_array_ref(simd, basis);
                    x += basis * noise_x;
                    y += basis * noise_y;
                }
                store_pair(half, x, y);
            }
        }
    }

    /// Fills the strip with cells and shares of the pixels in `rows`.
    #[inline(always)]
    fn place<S: Simd>(
        &self,
        simd: S,
        map: &SourceMap,
        rows: std::ops::Range<usize>,
        affine: &[Pair],
        half_field: &[Pair],
        strip: &mut Strip,
    ) {
        let row_rank = self.rank[0];
        let x_max = (self.width - 1) as f32;
        let y_max = (self.height - 1) as f32;
        let row_px = self.width as f32;
        let mut row_start = 0;
        for row in rows {
            let weights = &self.row_basis[row * row_rank..][..row_rank];
            let (x_row, y_row) = (map.x[1] * row as f32, map.y[1] * row as f32);
            for (block, affine) in affine.iter().enumerate() {
                let (x, y) = load_pair(simd, affine);
                let (mut x, mut y) = (x + x_row, y + y_row);
                let half_field = &half_field[block * row_rank..][..row_rank];
                add_weighted(simd, [&mut x, &mut y], weights, half_field);
                let (x, y) = (x.max(0.0).min(x_max), y.max(0.0).min(y_max));
                // Coordinates are not negative, so cutting off is rounding down.
                let x_cell: f32x16<S> = x.to_int::<i32x16<S>>().to_float();
                let y_cell: f32x16<S> = y.to_int::<i32x16<S>>().to_float();
                // Exact: below 512 · 512, and whole numbers up to 2²⁴ are floats.
                let cell = (y_cell * row_px + x_cell).to_int::<i32x16<S>>();
                // What a last block writes into the next row is overwritten there, or is the room behind the strip.
                let start = row_start + block * LANES;
                cell.bitcast::<u32x16<S>>().store_slice(&mut strip.cells[start..][..LANES]);
                (x - x_cell).store_slice(&mut strip.x_shares[start..][..LANES]);
                (y - y_cell).store_slice(&mut strip.y_shares[start..][..LANES]);
            }
            row_start += self.width;
        }
    }
}

impl Strip {
    /// Bilinear interpolation of the quads in `cells`, scaled to the network's input.
    ///
    /// The result is in -1 to 1: a share of at most 1 of a difference, rounded, is at most that difference, and the
    /// difference itself is off by at most half an ulp of 255. A point on a pixel gives exactly that pixel.
    #[inline(always)]
    fn interpolate<S: Simd>(&self, simd: S, out: &mut [f32]) {
        let n_blocks = out.len().div_ceil(LANES);
        let cells = self.cells.chunks_exact(LANES).take(n_blocks);
        let shares = self.x_shares.chunks_exact(LANES).zip(self.y_shares.chunks_exact(LANES));
        for ((cells, (x_shares, y_shares)), out) in cells.zip(shares).zip(out.chunks_mut(LANES)) {
            let quads = u32x16::from_slice(simd, cells);
            let x_share = f32x16::from_slice(simd, x_shares);
            let y_share = f32x16::from_slice(simd, y_shares);
            let byte = |quads: u32x16<S>| -> f32x16<S> { quads.bitcast::<i32x16<S>>().to_float() };
            let (top_left, top_right) = (byte(quads & 0xff), byte((quads >> 8) & 0xff));
            let (bottom_left, bottom_right) = (byte((quads >> 16) & 0xff), byte(quads >> 24));
            let above = top_left + x_share * (top_right - top_left);
            let below = bottom_left + x_share * (bottom_right - bottom_left);
            let value = above + y_share * (below - above);
            // `to_input`, sixteen times.
            let result = (value - MIDDLE) * SCALE;
            match out.as_mut_array::<LANES>() {
                Some(out) => result.store_array(out),
                None => out.copy_from_slice(&result.as_slice()[..out.len()]),
            }
        }
    }
}

/// One block of one row of the field, added to coordinates: the second of the two small matrix products.
#[inline(always)]
fn add_weighted<S: Simd>(simd: S, [x, y]: [&mut f32x16<S>; 2], weights: &[f32], half_field: &[Pair]) {
    for (&weight, half) in weights.iter().zip(half_field) {
        let (half_x, half_y) = load_pair(simd, half);
        *x += half_x * weight;
        *y += half_y * weight;
    }
}

/// The affine map without its part by row: `[block of columns]`, also right of the image.
#[inline(always)]
fn fill_affine<S: Simd>(simd: S, map: &SourceMap, affine: &mut [Pair]) {
    let mut column = f32x16::from_fn(simd, |lane| lane as f32);
    for affine in affine {
        store_pair(affine, column * map.x[2] + map.x[0], column * map.y[2] + map.y[0]);
        column += LANES as f32;
    }
}

/// Packs each pixel with its neighbours at the right, below and below right, the border repeated, so that sampling
/// fetches once and never leaves the image.
#[inline(always)]
fn fill_quads(image: &[u8], width: usize, quads: &mut [u32]) {
    let last_row = image.len() - width;
    for (row, quads) in quads.chunks_exact_mut(width).enumerate() {
        let here = &image[row * width..][..width];
        let below = &image[(row * width + width).min(last_row)..][..width];
        // Four plain slices instead of windows of two: the compiler makes vectors of these.
        let (quads, last) = quads.split_at_mut(width - 1);
        let left = here[..width - 1].iter().zip(&below[..width - 1]);
        let right = here[1..].iter().zip(&below[1..]);
        for ((quad, (&a, &c)), (&b, &d)) in quads.iter_mut().zip(left).zip(right) {
            *quad = u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16 | u32::from(d) << 24;
        }
        let (here, below) = (here[width - 1], below[width - 1]);
        last[0] = u32::from_le_bytes([here, here, below, below]);
    }
}

#[inline(always)]
fn load_pair<S: Simd>(simd: S, pair: &Pair) -> (f32x16<S>, f32x16<S>) {
    let (x, y) = pair.split_at(LANES);
    (f32x16::from_slice(simd, x), f32x16::from_slice(simd, y))
}

#[inline(always)]
fn store_pair<S: Simd>(pair: &mut Pair, x: f32x16<S>, y: f32x16<S>) {
    let (x_out, y_out) = pair.split_at_mut(LANES);
    x.store_slice(x_out);
    y.store_slice(y_out);
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact results are part of the contract")]
mod tests {
    use fearless_simd::{Fallback, dispatch};
    use ndarray::ArrayView2;
    use proptest::prelude::*;

    use super::*;
    use crate::affine::Affine;
    use crate::input::to_input;
    use crate::{InstructionSet, Smoothing, reference};

    /// A warp whose displacements are its noise: with σ = 0.1 the only tap is the centre's, and its weight is 1.
    fn warp_by_noise(height: usize, width: usize) -> Warp {
        let basis = |len| Basis::new(Smoothing::Gaussian, 0.1, len);
        let warp = Warp::new(height, width, Some([&basis(height), &basis(width)]));
        assert_eq!(warp.rank, [height, width]);
        warp
    }

    /// Runs the fast warp with the given displacements, `[dx, dy]`, on every instruction set of this machine, and checks
    /// that all give the same bits.
    fn warped(image: ArrayView2<'_, u8>, affine: &Affine, field: [&Array2<f32>; 2]) -> Array2<f32> {
        let (height, width) = image.dim();
        let warp = warp_by_noise(height, width);
        let mut scratch = warp.scratch();
        for (noise, field) in scratch.noise.iter_mut().zip(field) {
            // The sort by strength is stable: vectors of equal strength stay in the order of the pixels.
            noise[..height * width].copy_from_slice(field.as_slice().unwrap());
        }
        let pixels: Vec<u8> = image.iter().copied().collect();
        let map = affine.source_map(height, width);
        let mut run = |set: InstructionSet| {
            let mut out = Array2::from_elem((height, width), f32::NAN);
            let pixels_out = out.as_slice_mut().unwrap();
            let level = set.level().unwrap();
            dispatch!(level, simd => warp.run(simd, &pixels, &map, &mut scratch, pixels_out));
            out
        };
        let scalar = run(InstructionSet::Scalar);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            assert!(run(set).mapv(f32::to_bits) == scalar.mapv(f32::to_bits), "{set} and scalar differ");
        }
        scalar
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
        for (n, noise) in scratch.noise.iter_mut().flatten().enumerate() {
            *noise = (n as f32 * 0.7).sin();
        }
        let mut field = [(); 2].map(|()| Array2::zeros((height, width)));
        warp.field(Fallback::new(), &mut scratch, &mut field);
        for (noise, field) in scratch.noise.iter().zip(field) {
            for ((row, column), &got) in field.indexed_iter() {
                let (mut want, mut magnitude) = (0.0, 0.0);
                for (a, row_vector) in rows.vectors.iter().enumerate() {
                    for (b, column_vector) in columns.vectors.iter().enumerate() {
                        let noise = f64::from(noise[a * columns.rank() + b]);
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

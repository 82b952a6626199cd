//! How one stage (a convolution, its max-pooling and the activation) lies in memory and is cut into tiles.
//!
//! Images and activations are height × width × maps, so that a `k × k × maps` patch is `k` runs of `k · maps`
//! contiguous values. Conv outputs and kernels for the forward pass pad their maps to [`MAP_BLOCK`]; runs of the
//! backward pass are padded to [`RUN_BLOCK`]. What stands in the padding of a kernel is zero, so padding lanes
//! compute something that nobody reads.

use ciresan_net::{Shape, Stage};
use std::ops::Range;

/// Output maps are padded to this many, the lanes of the narrow vectors.
pub(crate) const MAP_BLOCK: usize = 8;

/// Runs of a patch are padded to this many, the lanes of the widest vectors. Buffers that runs are read from have as
/// much slack behind their last value.
pub(crate) const RUN_BLOCK: usize = 16;

/// Kernel bytes that one pass of the forward convolution may touch, half of a common 32 KiB first-level cache.
const PASS_BYTES: usize = 20 * 1024;

/// Most vectors of output maps that one tile accumulates.
const MAX_VECTORS: usize = 5;

/// Pixels that a tile may have; each is a compiled kernel (`forward.rs`).
pub(crate) const TILE_PIXELS: [usize; 6] = [1, 2, 3, 4, 6, 8];

/// Pixels of the band from `start`, as many as `TILE_PIXELS` has an entry for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) start: usize,
    pub(crate) pixels: usize,
}

/// Vectors of output maps that are accumulated together, and the tiles that the band is cut into for them.
#[derive(Clone, Debug)]
pub(crate) struct MapGroup {
    pub(crate) first_map: usize,
    pub(crate) vectors: usize,
    pub(crate) tiles: Vec<Tile>,
}

/// Where the patches are that the kernel's gradient is summed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patches {
    /// Copied side by side, a patch one run, because runs in the image are too short for vectors.
    pub(crate) gathered: bool,
    pub(crate) runs: usize,
    /// Length of a run, padded.
    pub(crate) run_padded: usize,
    /// Values from a run to the next one of the same patch.
    pub(crate) run_stride: usize,
    /// Values from a patch to that of the next position, positions counting along the input's rows.
    pub(crate) pitch: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) input: Shape,
    pub(crate) maps: usize,
    pub(crate) kernel: usize,
    pub(crate) pool: usize,
    pub(crate) output: Shape,
    /// Columns of the convolution that pooling windows cover.
    pub(crate) conv_width: usize,
    pub(crate) maps_padded: usize,
    /// Pooled rows whose convolution is computed before they are pooled.
    pub(crate) band_pooled_rows: usize,
    /// Rows of the kernel that a pass over the band adds.
    pub(crate) passes: Vec<Range<usize>>,
    pub(crate) groups: Vec<MapGroup>,
    /// For each pixel of a band, where its patch starts behind the band's first value.
    pub(crate) pixel_offsets: Vec<usize>,
    pub(crate) patches: Patches,
}

impl Geometry {
    /// Plans `stage` for vectors of [`MAP_BLOCK`] lanes of which `accumulators` stay in registers.
    pub(crate) fn new(stage: &Stage, accumulators: usize) -> Self {
        let (input, maps, kernel, pool) = (stage.input, stage.maps, stage.kernel, stage.pool);
        let maps_padded = maps.next_multiple_of(MAP_BLOCK);
        let run = kernel * input.maps;
        let rows_per_pass = (PASS_BYTES / (run * maps_padded * size_of::<f32>())).clamp(1, kernel);
        let passes: Vec<_> =
            (0..kernel).step_by(rows_per_pass).map(|row| row..(row + rows_per_pass).min(kernel)).collect();
        // A kernel that stays in the first-level cache is swept once for every band of one pooled row; a larger one
        // is swept in passes over the whole image, so that each part is loaded once.
        let band_pooled_rows = if passes.len() == 1 { 1 } else { stage.output.height };
        let conv_width = stage.output.width * pool;
        let band_pixels = band_pooled_rows * pool * conv_width;
        let pixel_offsets = (0..band_pixels)
            .map(|i| ((i / conv_width) * input.width + i % conv_width) * input.maps)
            .collect();
        let gathered = run < RUN_BLOCK;
        let patch = kernel * run;
        let patches = Patches {
            gathered,
            runs: if gathered { 1 } else { kernel },
            run_padded: if gathered { patch } else { run }.next_multiple_of(RUN_BLOCK),
            run_stride: if gathered { 0 } else { input.width * input.maps },
            pitch: if gathered { patch.next_multiple_of(RUN_BLOCK) } else { input.maps },
        };
        Self {
            input,
            maps,
            kernel,
            pool,
            output: stage.output,
            conv_width,
            maps_padded,
            band_pooled_rows,
            passes,
            groups: map_groups(maps_padded / MAP_BLOCK, band_pixels, accumulators),
            pixel_offsets,
            patches,
        }
    }

    pub(crate) fn input_len(&self) -> usize {
        self.input.maps * self.input.height * self.input.width
    }

    pub(crate) fn output_pixels(&self) -> usize {
        self.output.height * self.output.width
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output_pixels() * self.maps
    }

    /// Values of one row of a patch.
    pub(crate) fn run(&self) -> usize {
        self.kernel * self.input.maps
    }

    /// Values of a patch, the weights of one map.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.run()
    }

    pub(crate) fn n_weights(&self) -> usize {
        self.maps * self.taps()
    }

    /// Values from a row of the input to the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.input.width * self.input.maps
    }

    /// Length of a band of convolution outputs, `[pixels][maps_padded]`.
    pub(crate) fn band_len(&self) -> usize {
        self.pixel_offsets.len() * self.maps_padded
    }

    /// Length of the winners' positions of one image, `[pooled pixels][maps_padded]`.
    pub(crate) fn winners_len(&self) -> usize {
        self.output_pixels() * self.maps_padded
    }

    /// The last position (row · input width + column) where a patch may start.
    pub(crate) fn last_position(&self) -> usize {
        (self.output.height * self.pool - 1) * self.input.width + self.conv_width - 1
    }

    /// Run of the kernel laid out for the scatter of the input's gradient, padded.
    pub(crate) fn scatter_run(&self) -> usize {
        self.run().next_multiple_of(RUN_BLOCK)
    }
}

/// Splits `vectors` into even groups of at most [`MAX_VECTORS`] and cuts the band into tiles for each.
fn map_groups(vectors: usize, band_pixels: usize, accumulators: usize) -> Vec<MapGroup> {
    let widest = MAX_VECTORS.min(accumulators);
    let n_groups = vectors.div_ceil(widest);
    let mut first = 0;
    (0..n_groups)
        .map(|i| {
            let size = vectors / n_groups + usize::from(i < vectors % n_groups);
            let group = MapGroup {
                first_map: first * MAP_BLOCK,
                vectors: size,
                tiles: tiles(band_pixels, size, accumulators),
            };
            first += size;
            group
        })
        .collect()
}

/// The cheapest cut of `pixels` into tiles of `vectors` accumulators a pixel.
fn tiles(pixels: usize, vectors: usize, accumulators: usize) -> Vec<Tile> {
    // Half cycles that a tap of a tile takes on a core with two multiply-adds and two loads a cycle and four cycles of
    // latency: whichever of arithmetic, loads (vectors of weights, one value a pixel) and latency is slowest.
    let cost = |t: usize| (t * vectors).max(t + vectors).max(8);
    let sizes: Vec<usize> =
        TILE_PIXELS.iter().copied().filter(|&t| t == 1 || t * vectors <= accumulators).collect();
    // best[n]: the least cost of n pixels, the fewest tiles at that cost (fewer tiles load the weights less often), and
    // the size of the last tile.
    let mut best = vec![(0usize, 0usize, 0usize)];
    for n in 1..=pixels {
        let step = |&t: &usize| (best[n - t].0 + cost(t), best[n - t].1 + 1, t);
        best.push(
            sizes.iter().filter(|&&t| t <= n).map(step).min().expect("a tile of one pixel always fits"),
        );
    }
    let mut cut = Vec::new();
    let mut end = pixels;
    while end > 0 {
        let t = best[end].2;
        end -= t;
        cut.push(Tile { start: end, pixels: t });
    }
    cut.reverse();
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tiles_cover_every_pixel_once(pixels in 1usize..400, vectors in 1usize..=5, accumulators in 5usize..30) {
            let mut next = 0;
            for tile in tiles(pixels, vectors, accumulators) {
                prop_assert_eq!(tile.start, next);
                prop_assert!(TILE_PIXELS.contains(&tile.pixels));
                prop_assert!(tile.pixels == 1 || tile.pixels * vectors <= accumulators);
                next += tile.pixels;
            }
            prop_assert_eq!(next, pixels);
        }

        #[test]
        fn groups_cover_every_map_once(vectors in 1usize..40, accumulators in 6usize..25) {
            let groups = map_groups(vectors, 4, accumulators);
            let mut next = 0;
            for group in &groups {
                prop_assert_eq!(group.first_map, next * MAP_BLOCK);
                prop_assert!((1..=MAX_VECTORS).contains(&group.vectors));
                next += group.vectors;
            }
            prop_assert_eq!(next, vectors);
        }
    }

    #[test]
    fn the_papers_stages_fill_the_registers() {
        // 52 pixels of 3 vectors and 81 pixels of 5 vectors: no tile is left over that would wait for latency.
        assert!(tiles(52, 3, 24).iter().all(|t| t.pixels * 3 >= 8));
        assert!(tiles(81, 5, 24).iter().all(|t| t.pixels * 5 >= 8));
    }
}

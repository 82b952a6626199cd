//! How the outputs of a convolution or of a matrix product are cut into register tiles.

use crate::geometry::Geometry;

/// Most vectors of output maps that one tile accumulates.
const MAX_VECTORS: usize = 5;

/// Pixels that a tile may have; each is a compiled kernel (`direct.rs`).
pub(crate) const TILE_PIXELS: [usize; 6] = [1, 2, 3, 4, 6, 8];

/// Pixels from `start`, as many as [`TILE_PIXELS`] has an entry for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) start: usize,
    pub(crate) pixels: usize,
}

/// Vectors of output maps that are accumulated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapGroup {
    pub(crate) first_map: usize,
    pub(crate) vectors: usize,
}

/// Splits `vectors` into even parts of at most `widest`: the first vector and the number of each.
#[inline(always)]
pub(crate) fn even_parts(vectors: usize, widest: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_parts = vectors.div_ceil(widest);
    let mut next = 0;
    (0..n_parts).map(move |i| {
        let (first, n) = (next, vectors / n_parts + usize::from(i < vectors % n_parts));
        next += n;
        (first, n)
    })
}

/// Splits a stage's padded maps into even groups of at most `widest` vectors.
pub(crate) fn map_groups(g: &Geometry, widest: usize) -> Vec<MapGroup> {
    groups(g.maps_padded / g.lanes, g.lanes, widest)
}

fn groups(vectors: usize, lanes: usize, widest: usize) -> Vec<MapGroup> {
    let group = |(first, vectors)| MapGroup { first_map: first * lanes, vectors };
    even_parts(vectors, widest).map(group).collect()
}

/// Groups of maps as wide as a tile may be.
pub(crate) fn tile_groups(g: &Geometry, accumulators: usize) -> Vec<MapGroup> {
    map_groups(g, MAX_VECTORS.min(accumulators))
}

/// The cheapest cut of `pixels` into tiles of `vectors` accumulators a pixel.
pub(crate) fn tiles(pixels: usize, vectors: usize, accumulators: usize) -> Vec<Tile> {
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
        fn groups_cover_every_map_once(vectors in 1usize..40, lanes in 1usize..=16, widest in 1usize..=5) {
            let groups = groups(vectors, lanes, widest);
            let mut next = 0;
            for group in &groups {
                prop_assert_eq!(group.first_map, next * lanes);
                prop_assert!((1..=widest).contains(&group.vectors));
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

//! Where the first weights of a column come from: a ChaCha8 stream found by its coordinates.
//!
//! A stream is a pure function of (study seed, column, purpose, epoch, image), so neither thread counts nor the place where
//! a run was interrupted can change a draw. The other purposes, order (2) and distortion (3), draw in `preprocess`
//! ([`preprocess::Epoch`]) by the same coordinates.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use study::ColumnId;

/// Purpose 1: the first weights. One stream a column (epoch 0, image 0).
const WEIGHTS: u32 = 1;

/// The generator of a column's first weights.
///
/// Seed: study seed (8 bytes), column (4), purpose (4), zeros (16), all little-endian; stream 0.
#[must_use]
pub(crate) fn weights(study_seed: u64, column: ColumnId) -> ChaCha8Rng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&study_seed.to_le_bytes());
    seed[8..12].copy_from_slice(&column.coordinate().to_le_bytes());
    seed[12..16].copy_from_slice(&WEIGHTS.to_le_bytes());
    ChaCha8Rng::from_seed(seed)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn first_four(mut rng: ChaCha8Rng) -> [u32; 4] {
        std::array::from_fn(|_| rng.next_u32())
    }

    fn column(name: &str) -> ColumnId {
        name.parse().unwrap()
    }

    /// Pins the streams: a change here changes the weights of every study. The values come from an implementation of ChaCha
    /// apart from this one: 8 rounds, 64-bit block counter, 64-bit stream, keyed as `weights` says.
    #[test]
    fn the_first_draws_are_pinned() {
        assert_eq!(
            first_four(weights(2012, column("w14-1"))),
            [0xab44_e17c, 0x627f_2c54, 0x17e4_de73, 0xa5d4_94a7]
        );
    }

    #[test]
    fn coordinates_do_not_collide() {
        let mut seen = std::collections::HashSet::new();
        for seed in [0, 1, u64::MAX] {
            for name in ["w14-1", "w14-2", "w15-1", "original-1"] {
                assert!(seen.insert(first_four(weights(seed, column(name)))));
            }
        }
    }
}

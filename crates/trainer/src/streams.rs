//! Where every random number of a column comes from: a ChaCha8 stream found by its coordinates.
//!
//! A stream is a pure function of (study seed, column, purpose, epoch), so neither thread counts nor the place where a
//! run was interrupted can change a draw. The third purpose, distortion, draws in `preprocess` by the same coordinates.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use study::ColumnId;

/// Purpose 1: the first weights. One stream a column (epoch 0, image 0).
const WEIGHTS: u32 = 1;
/// Purpose 2: the order of the training digits. One stream a column and epoch (image 0).
const ORDER: u32 = 2;

/// The generator of a column's first weights.
#[must_use]
pub(crate) fn weights(study_seed: u64, column: ColumnId) -> ChaCha8Rng {
    stream(study_seed, column.coordinate(), WEIGHTS, 0)
}

/// The generator of the order in which a column sees the training digits in one epoch.
///
/// # Units
/// `epoch` counts from 0.
#[must_use]
pub(crate) fn order(study_seed: u64, column: ColumnId, epoch: u32) -> ChaCha8Rng {
    stream(study_seed, column.coordinate(), ORDER, epoch)
}

/// Seed: study seed (8 bytes), column (4), purpose (4), zeros (16), all little-endian; stream: epoch in the upper 32 bits.
fn stream(study_seed: u64, column: u32, purpose: u32, epoch: u32) -> ChaCha8Rng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&study_seed.to_le_bytes());
    seed[8..12].copy_from_slice(&column.to_le_bytes());
    seed[12..16].copy_from_slice(&purpose.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(seed);
    rng.set_stream(u64::from(epoch) << 32);
    rng
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
    /// apart from this one: 8 rounds, 64-bit block counter, 64-bit stream, keyed as `stream` says.
    #[test]
    fn the_first_draws_of_each_stream_are_pinned() {
        assert_eq!(
            first_four(weights(2012, column("w14-1"))),
            [0xab44_e17c, 0x627f_2c54, 0x17e4_de73, 0xa5d4_94a7]
        );
        assert_eq!(
            first_four(order(2012, column("w14-1"), 0)),
            [0xcf8b_af72, 0x5d38_f5c0, 0x2f5d_a857, 0x5c03_5756]
        );
        assert_eq!(
            first_four(order(2012, column("w14-1"), 7)),
            [0x6d26_ad6a, 0x710c_92b6, 0xbbd9_3e81, 0x556d_f354]
        );
        assert_eq!(
            first_four(order(2012, column("original-5"), 7)),
            [0x4a81_8a51, 0xa10f_b620, 0x8e99_059f, 0x7706_46be]
        );
    }

    #[test]
    fn coordinates_do_not_collide() {
        let mut seen = std::collections::HashSet::new();
        for seed in [0, 1, u64::MAX] {
            for name in ["w14-1", "w14-2", "w15-1", "original-1"] {
                assert!(seen.insert(first_four(weights(seed, column(name)))));
                for epoch in [0, 1, 2, u32::MAX] {
                    assert!(seen.insert(first_four(order(seed, column(name), epoch))));
                }
            }
        }
    }
}

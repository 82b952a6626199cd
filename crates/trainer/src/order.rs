//! The order in which an epoch goes through the training digits.

use rand::Rng;
use study::ColumnId;

use crate::streams;

/// Every index of `0..n_images` once, shuffled anew for each epoch of each column.
///
/// # Units
/// `epoch` counts from 0; the indices are positions in the training digits.
/// # Source
/// Fisher and Yates' shuffle in Durstenfeld's form, written out here so that no library update can change the order.
#[must_use]
pub(crate) fn shuffled(study_seed: u64, column: ColumnId, epoch: u32, n_images: u32) -> Vec<u32> {
    let mut rng = streams::order(study_seed, column, epoch);
    let mut indices: Vec<u32> = (0..n_images).collect();
    for last in (1..n_images).rev() {
        let pick = below(&mut rng, last + 1);
        indices.swap(last as usize, pick as usize);
    }
    indices
}

/// A uniform draw from `0..bound`, without bias.
///
/// # Source
/// Lemire, *Fast Random Integer Generation in an Interval* (2019): the upper half of a 32×32-bit product, with the few
/// draws that would favour small values thrown away.
fn below(rng: &mut impl Rng, bound: u32) -> u32 {
    let unfair = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= unfair {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column() -> ColumnId {
        "w14-1".parse().unwrap()
    }

    #[test]
    fn an_order_holds_every_index_once() {
        for n_images in [0, 1, 2, 3, 400] {
            let mut order = shuffled(2012, column(), 3, n_images);
            order.sort_unstable();
            assert_eq!(order, (0..n_images).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_is_pinned() {
        assert_eq!(shuffled(2012, column(), 0, 10), [7, 6, 0, 9, 5, 4, 2, 1, 3, 8]);
        assert_eq!(shuffled(2012, column(), 1, 10), [4, 5, 2, 0, 9, 8, 3, 7, 6, 1]);
    }

    #[test]
    fn every_permutation_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let n_draws = 24_000;
        for epoch in 0..n_draws {
            *counts.entry(shuffled(1, column(), epoch, 4)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // Binomial with mean 1,000 and standard deviation 31: five of them, for 24 counts.
        assert!(counts.values().all(|&n| (845..=1155).contains(&n)), "{counts:?}");
    }

    #[test]
    fn draws_are_below_their_bound() {
        let mut rng = streams::order(7, column(), 0);
        for bound in [1, 2, 3, 1 << 31, (1 << 31) + 1, u32::MAX] {
            for _ in 0..100 {
                assert!(below(&mut rng, bound) < bound);
            }
        }
    }
}

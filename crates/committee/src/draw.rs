//! Where random choices come from: a stream a sample, found by its coordinates, so that neither threads nor the number
//! of samples change a draw.

use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What is drawn. The numbers set the streams apart, also from those that a study of this workspace draws from (1 to
/// 3) with the same seed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Orders = 4,
    Members = 5,
    Images = 6,
}

/// The generator of one sample: ChaCha8 keyed with the seed (8 bytes, little-endian), 4 zero bytes, the purpose (4)
/// and 16 zero bytes, on the stream of the sample's number.
pub(crate) fn rng(seed: u64, purpose: Purpose, sample: u32) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[12..16].copy_from_slice(&(purpose as u32).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(u64::from(sample));
    rng
}

/// `0..n` in random order.
///
/// # Source
/// Fisher and Yates' shuffle in Durstenfeld's form, written out here so that no library's update changes the order.
pub(crate) fn order(rng: &mut impl Rng, n: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        indices.swap(last, below(rng, last + 1));
    }
    indices
}

/// A uniform draw from `0..bound`, without bias; `bound` is at least 1 and below 2³².
///
/// # Source
/// Lemire, *Fast Random Integer Generation in an Interval* (2019).
pub(crate) fn below(rng: &mut impl Rng, bound: usize) -> usize {
    let bound = u32::try_from(bound).expect("members and images are fewer than 2³²");
    let unfair = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= unfair {
            return (product >> 32) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins the streams: a change here changes every sampled figure. The values come from an implementation of ChaCha8 and
    /// of both draws in Python.
    #[test]
    fn golden_draws() {
        assert_eq!(order(&mut rng(2012, Purpose::Orders, 0), 7), GOLDEN_ORDER);
        let mut members = rng(2012, Purpose::Members, 3);
        assert_eq!([(); 8].map(|()| below(&mut members, 5)), GOLDEN_MEMBERS);
    }

    const GOLDEN_ORDER: [usize; 7] = [3, 0, 2, 4, 6, 5, 1];
    const GOLDEN_MEMBERS: [usize; 8] = [1, 1, 4, 2, 3, 0, 2, 0];

    #[test]
    fn every_order_comes_about_as_often() {
        let mut counts = [0u32; 27];
        for sample in 0..6_000 {
            let order = order(&mut rng(1, Purpose::Orders, sample), 3);
            counts[order[0] * 9 + order[1] * 3 + order[2]] += 1;
        }
        let seen: Vec<u32> = counts.into_iter().filter(|&count| count > 0).collect();
        // Six orders, 1000 each: a deviation of 29; five of them either way.
        assert!(seen.len() == 6 && seen.iter().all(|count| (855..=1145).contains(count)), "{seen:?}");
    }
}

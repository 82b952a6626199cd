//! Where randomness comes from: coordinates, so that no result depends on threads, order or interruptions.

use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// The number that sets the stream of distortions apart from a study's other random streams.
const PURPOSE_DISTORTION: u32 = 3;

/// The number of the stream that [`Epoch::order`] shuffles with.
const PURPOSE_ORDER: u32 = 2;

/// The number that sets the distortions of views apart from those of training.
const PURPOSE_VIEW: u32 = 4;

/// The coordinates all images of one epoch share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// Seed of the whole study.
    pub study_seed: u64,
    /// Which column is trained; any numbering that gives each column its own number.
    pub column: u32,
    /// Which pass over the images.
    pub epoch: u32,
}

impl Epoch {
    /// The draw of one image in this epoch.
    ///
    /// # Units
    /// `image`: index into the array of images, from 0, whatever the order of training.
    #[must_use]
    pub const fn image(self, image: u32) -> Draw {
        Draw { epoch: self, image, purpose: PURPOSE_DISTORTION }
    }

    /// Every index of `0..n_images` once, shuffled anew for each epoch of each column.
    ///
    /// # Source
    /// Fisher and Yates' shuffle in Durstenfeld's form, written out here so that no library's update changes the order.
    #[must_use]
    pub fn order(self, n_images: u32) -> Vec<u32> {
        let mut rng = self.order_rng();
        let mut indices: Vec<u32> = (0..n_images).collect();
        for last in (1..n_images).rev() {
            indices.swap(last as usize, below(&mut rng, last + 1) as usize);
        }
        indices
    }

    fn order_rng(self) -> ChaCha8Rng {
        self.rng(PURPOSE_ORDER, u64::from(self.epoch) << 32)
    }

    /// ChaCha8 keyed with study seed (8 bytes, little-endian), column (4), purpose (4) and 16 zero bytes.
    fn rng(self, purpose: u32, stream: u64) -> ChaCha8Rng {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.study_seed.to_le_bytes());
        seed[8..12].copy_from_slice(&self.column.to_le_bytes());
        seed[12..16].copy_from_slice(&purpose.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(seed);
        rng.set_stream(stream);
        rng
    }
}

/// A uniform draw from `0..bound`, without bias.
///
/// # Source
/// Lemire, *Fast Random Integer Generation in an Interval* (2019): the upper half of a 32 × 32-bit product, with the
/// few draws that would favour small values thrown away.
fn below(rng: &mut impl Rng, bound: u32) -> u32 {
    let unfair = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= unfair {
            return (product >> 32) as u32;
        }
    }
}

/// The coordinates of one distortion: an epoch and an image. Equal draws distort equally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Draw {
    epoch: Epoch,
    image: u32,
    purpose: u32,
}

impl Draw {
    /// The views of a digit with these pixels: its number is a hash of them (FNV-1a of 32 bits), so that equal digits have equal
    /// views wherever they stand.
    pub(crate) fn of_views(study_seed: u64, column: u32, pixels: &[u8]) -> Self {
        let hash = |hash: u32, pixel: &u8| (hash ^ u32::from(*pixel)).wrapping_mul(0x0100_0193);
        let image = pixels.iter().fold(0x811c_9dc5, hash);
        Self { epoch: Epoch { study_seed, column, epoch: 0 }, image, purpose: PURPOSE_VIEW }
    }

    /// The view of a number, which stands in the place of the epoch.
    pub(crate) fn view(self, number: u32) -> Self {
        Self { epoch: Epoch { epoch: number, ..self.epoch }, ..self }
    }

    /// The generator of this draw, on the stream `epoch << 32 | image`.
    pub(crate) fn rng(self) -> ChaCha8Rng {
        self.epoch.rng(self.purpose, u64::from(self.epoch.epoch) << 32 | u64::from(self.image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch { study_seed: 2012, column: 14 << 16 | 2, epoch: 3 };

    fn first_words(draw: Draw) -> [u32; 3] {
        let mut rng = draw.rng();
        std::array::from_fn(|_| rng.next_u32())
    }

    /// Any change here changes every study. The words agree with an implementation of ChaCha8 of its own.
    #[test]
    fn golden_words() {
        assert_eq!(first_words(EPOCH.image(5)), [2_036_870_383, 2_130_895_526, 3_177_241_325]);
        let origin = Epoch { study_seed: 0, column: 0, epoch: 0 };
        assert_eq!(first_words(origin.image(0)), [430_530_239, 659_567_617, 3_770_344_290]);
    }

    /// FNV-1a of "foobar" and of nothing, from the function's publication.
    #[test]
    fn digits_are_numbered_by_their_pixels() {
        assert_eq!(Draw::of_views(1, 2, b"foobar").image, 0xbf9c_f968);
        assert_eq!(Draw::of_views(1, 2, b"").image, 0x811c_9dc5);
    }

    /// Any change here changes stored predictions. The words agree with an implementation of ChaCha8 of its own.
    #[test]
    fn views_are_drawn_apart_from_training() {
        let view = Draw::of_views(2012, 14 << 16 | 2, b"foobar").view(3);
        let training = Draw { purpose: PURPOSE_DISTORTION, ..view };
        assert_eq!(training, EPOCH.image(0xbf9c_f968));
        assert_ne!(first_words(view), first_words(training));
        assert_ne!(first_words(view), first_words(view.view(4)));
        assert_eq!(first_words(view), [497_404_192, 87_833_548, 2_267_972_968]);
    }

    #[test]
    fn an_order_holds_every_index_once_and_is_pinned() {
        for n_images in [0, 1, 2, 3, 400] {
            let mut order = EPOCH.order(n_images);
            order.sort_unstable();
            assert_eq!(order, (0..n_images).collect::<Vec<_>>());
        }
        assert_eq!(EPOCH.order(10), [0, 4, 2, 5, 1, 3, 9, 7, 8, 6]);
        let first = Epoch { study_seed: 2012, column: 14 << 16 | 1, epoch: 0 };
        assert_eq!(first.order(10), [7, 6, 0, 9, 5, 4, 2, 1, 3, 8]);
        assert_eq!(Epoch { epoch: 1, ..first }.order(10), [4, 5, 2, 0, 9, 8, 3, 7, 6, 1]);
        assert_ne!(Epoch { epoch: 4, ..EPOCH }.order(10), EPOCH.order(10));
        assert_ne!(Epoch { column: 1, ..EPOCH }.order(10), EPOCH.order(10));
    }

    fn order_words(column: u32, epoch: u32) -> [u32; 4] {
        let mut rng = Epoch { study_seed: 2012, column, epoch }.order_rng();
        std::array::from_fn(|_| rng.next_u32())
    }

    /// The words come from an implementation of ChaCha apart from this one, keyed as `rng` says.
    #[test]
    fn golden_words_of_the_order() {
        assert_eq!(order_words(14 << 16 | 1, 0), [0xcf8b_af72, 0x5d38_f5c0, 0x2f5d_a857, 0x5c03_5756]);
        assert_eq!(order_words(14 << 16 | 1, 7), [0x6d26_ad6a, 0x710c_92b6, 0xbbd9_3e81, 0x556d_f354]);
        assert_eq!(order_words(5, 7), [0x4a81_8a51, 0xa10f_b620, 0x8e99_059f, 0x7706_46be]);
    }

    #[test]
    fn orders_of_different_coordinates_do_not_collide() {
        let mut seen = std::collections::HashSet::new();
        for study_seed in [0, 1, u64::MAX] {
            for column in [14 << 16 | 1, 14 << 16 | 2, 15 << 16 | 1, 1] {
                // Purpose 1, a column's first weights, is drawn by the trainer with the same key.
                let weights = Epoch { study_seed, column, epoch: 0 }.rng(1, 0);
                let epochs = [0, 1, 2, u32::MAX];
                let orders = epochs.map(|epoch| Epoch { study_seed, column, epoch }.order_rng());
                for mut rng in orders.into_iter().chain([weights]) {
                    let words: [u32; 4] = std::array::from_fn(|_| rng.next_u32());
                    assert!(seen.insert(words));
                }
            }
        }
    }

    #[test]
    fn every_permutation_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let n_draws = 24_000;
        for epoch in 0..n_draws {
            let epoch = Epoch { study_seed: 1, column: 14 << 16 | 1, epoch };
            *counts.entry(epoch.order(4)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // Binomial with mean 1,000 and standard deviation 31: five of them, for 24 counts.
        assert!(counts.values().all(|&n| (845..=1155).contains(&n)), "{counts:?}");
    }

    #[test]
    fn draws_are_below_their_bound() {
        let mut rng = Epoch { study_seed: 7, column: 14 << 16 | 1, epoch: 0 }.order_rng();
        for bound in [1, 2, 3, 1 << 31, (1 << 31) + 1, u32::MAX] {
            for _ in 0..100 {
                assert!(below(&mut rng, bound) < bound);
            }
        }
    }

    #[test]
    fn every_coordinate_counts() {
        let near = [
            EPOCH.image(5),
            EPOCH.image(6),
            Epoch { epoch: 4, ..EPOCH }.image(5),
            Epoch { column: 14 << 16 | 3, ..EPOCH }.image(5),
            Epoch { study_seed: 2013, ..EPOCH }.image(5),
            // Epoch and image do not run into each other, nor do seed and column.
            Epoch { epoch: 5, ..EPOCH }.image(3),
            Epoch { study_seed: 2012 | 1 << 32, ..EPOCH }.image(5),
        ];
        for (n, a) in near.iter().enumerate() {
            for b in &near[..n] {
                assert_ne!(first_words(*a), first_words(*b), "{a:?} {b:?}");
            }
        }
    }
}

//! Resampling of an image to another size: by area where it shrinks, linear where it grows.

use ndarray::{Array2, Axis};

/// Brings an image to `to` (`[height, width]`): first its columns, then its rows.
///
/// Where a side shrinks, a pixel is the mean of what it covers, pixels at its edges counted by the covered share: an image
/// whose pixels were repeated comes back exactly. Where it grows, it is linear between the pixels' centres.
///
/// All sides at least 1.
pub(crate) fn resample(image: &Array2<f32>, to: [usize; 2]) -> Array2<f32> {
    let along_rows = along(Axis(1), image, to[1]);
    along(Axis(0), &along_rows, to[0])
}

fn along(axis: Axis, image: &Array2<f32>, to: usize) -> Array2<f32> {
    let mut shape = image.raw_dim();
    shape[axis.0] = to;
    let mut out = Array2::zeros(shape);
    for (mut out, taps) in out.axis_iter_mut(axis).zip(taps(image.len_of(axis), to)) {
        for (index, weight) in taps {
            out.scaled_add(weight, &image.index_axis(axis, index));
        }
    }
    out
}

/// For each of the `to` outputs, the inputs that count, of `from`, with their weights, whose sum is 1.
fn taps(from: usize, to: usize) -> impl Iterator<Item = Vec<(usize, f32)>> {
    (0..to).map(move |output| if to <= from { covered(from, to, output) } else { between(from, to, output) })
}

/// Lengths in units of 1 / `to` input pixels, so that they are whole.
fn covered(from: usize, to: usize, output: usize) -> Vec<(usize, f32)> {
    let (start, end) = (output * from, (output + 1) * from);
    let share = |index: usize| {
        let length = end.min((index + 1) * to) - start.max(index * to);
        (index, length as f32 / from as f32)
    };
    (start / to..end.div_ceil(to)).map(share).collect()
}

fn between(from: usize, to: usize, output: usize) -> Vec<(usize, f32)> {
    let place = ((output as f32 + 0.5) * from as f32 / to as f32 - 0.5).clamp(0.0, (from - 1) as f32);
    let (before, share) = (place as usize, place.fract());
    if share > 0.0 { vec![(before, 1.0 - share), (before + 1, share)] } else { vec![(before, 1.0)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn known_sizes() {
        let image = array![[0.0, 4.0, 8.0], [2.0, 6.0, 10.0]];
        assert_eq!(resample(&image, [2, 3]), image);
        assert_eq!(resample(&image, [1, 1]), array![[5.0]]);
        // A pixel and a half each: 2/3 of one and 1/3 of the next.
        let [[left, right]] = [[4.0 / 3.0 + 1.0, 16.0 / 3.0 + 4.0 / 3.0 + 1.0]];
        let got = resample(&image, [1, 2]);
        assert!((got[[0, 0]] - left).abs() < 1e-5 && (got[[0, 1]] - right).abs() < 1e-5, "{got}");
        assert_eq!(resample(&array![[0.0, 100.0]], [1, 4]), array![[0.0, 25.0, 75.0, 100.0]]);
    }

    proptest! {
        #[test]
        fn weights_sum_to_one(from in 1_usize..500, to in 1_usize..60) {
            for taps in taps(from, to) {
                let sum: f32 = taps.iter().map(|(_, weight)| weight).sum();
                // Each of the weights is rounded once, and so is each partial sum.
                prop_assert!((sum - 1.0).abs() <= 2.0 * taps.len() as f32 * f32::EPSILON, "{sum}");
                prop_assert!(taps.iter().all(|&(index, weight)| index < from && weight > 0.0));
            }
        }

        #[test]
        fn a_mean_is_kept_where_both_sides_shrink(height in 1_usize..30, width in 1_usize..30, to in 1_usize..30) {
            let image = Array2::from_shape_fn((height, width), |(y, x)| ((y * 7 + x * 13) % 31) as f32);
            let small = resample(&image, [to.min(height), to.min(width)]);
            let mean = |image: &Array2<f32>| image.iter().sum::<f32>() / image.len() as f32;
            prop_assert!((mean(&small) - mean(&image)).abs() < 1e-3);
        }

        #[test]
        fn repeated_pixels_come_back(times in 1_usize..9) {
            let image = array![[0.0, 255.0, 17.0], [90.0, 3.0, 200.0]];
            let large = Array2::from_shape_fn((2 * times, 3 * times), |(y, x)| image[[y / times, x / times]]);
            let back = resample(&large, [2, 3]);
            for (got, want) in back.iter().zip(&image) {
                prop_assert!((got - want).abs() <= want * 4.0 * times as f32 * f32::EPSILON, "{got} {want}");
            }
        }
    }
}

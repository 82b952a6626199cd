//! Horizontal resampling of one row by an antialiasing triangle filter, in whole numbers.

/// Weights that bring a row of `from` pixels to `to` pixels.
///
/// Enlarging, this is linear interpolation; shrinking, the triangle grows with the step between output pixels, so
/// that every source pixel counts alike and thin strokes fade instead of vanishing. Taps beyond the row are left out
/// and the rest weighs more. All weights are exact integers: the result is the same on every machine, exactly
/// mirrored for a mirrored row, and the identity for `from == to`.
#[derive(Debug)]
pub(crate) struct Resampler {
    outputs: Vec<Output>,
}

#[derive(Debug)]
struct Output {
    /// First source pixel that counts.
    first: usize,
    weights: Vec<u32>,
    sum: u32,
}

impl Resampler {
    /// `from` and `to`: 1 to [`MAX_SIDE_PX`](crate::MAX_SIDE_PX), so that sums stay far inside `u32`.
    pub(crate) fn new(from: usize, to: usize) -> Self {
        // In units of 1 / (2 to) source pixels: pixel i's centre is at 2 to i + to, output j's at (2 j + 1) from, and
        // the triangle ends at 2 max(from, to) from its centre, which is one step of the coarser grid.
        let half_base = 2 * from.max(to);
        let output = |j: usize| {
            let weight = |i: usize| half_base.saturating_sub((2 * to * i + to).abs_diff((2 * j + 1) * from));
            let first = (0..from).find(|&i| weight(i) > 0).unwrap_or(from);
            let weights: Vec<u32> =
                (first..from).map(weight).take_while(|&w| w > 0).map(|w| w as u32).collect();
            let sum = weights.iter().sum();
            Output { first, weights, sum }
        };
        Self { outputs: (0..to).map(output).collect() }
    }

    /// Number of output pixels.
    pub(crate) fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Resamples `row` into `out`, rounded to nearest; what has any ink keeps at least 1.
    ///
    /// Keeping 1 makes the result exactly as wide as `out` when the row's first and last pixel have ink, however
    /// faint: both count in the first and last output.
    pub(crate) fn run(&self, row: &[u8], out: &mut [u8]) {
        for (out, output) in out.iter_mut().zip(&self.outputs) {
            let taps = row[output.first..].iter().zip(&output.weights);
            // At most 255 · 512 taps · weight 1024, below 2²⁸.
            let ink: u32 = taps.map(|(&pixel, &weight)| u32::from(pixel) * weight).sum();
            if ink > 0 {
                *out = ((ink + output.sum / 2) / output.sum).clamp(1, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resampled(row: &[u8], to: usize) -> Vec<u8> {
        let mut out = vec![0; to];
        Resampler::new(row.len(), to).run(row, &mut out);
        out
    }

    /// The same filter from its definition, in f64.
    fn resampled_plainly(row: &[u8], to: usize) -> Vec<f64> {
        let step = row.len() as f64 / to as f64;
        let half_base = step.max(1.0);
        (0..to)
            .map(|j| {
                let centre = (j as f64 + 0.5) * step;
                let weight = |i: usize| (1.0 - (i as f64 + 0.5 - centre).abs() / half_base).max(0.0);
                let sum: f64 = (0..row.len()).map(weight).sum();
                row.iter().enumerate().map(|(i, &pixel)| f64::from(pixel) * weight(i)).sum::<f64>() / sum
            })
            .collect()
    }

    #[test]
    fn known_rows() {
        // Twice as wide: outputs lie a quarter from the pixels' centres.
        assert_eq!(resampled(&[0, 100], 4), [0, 25, 75, 100]);
        // Half as wide: a triangle of weights 1 3 3 1, cut at the ends to 3 3 1 and 1 3 3.
        assert_eq!(resampled(&[0, 70, 0, 0], 2), [30, 10]);
        assert_eq!(resampled(&[80], 3), [80, 80, 80]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(row in prop::collection::vec(any::<u8>(), 1..40), to in 1_usize..40) {
            for (got, want) in resampled(&row, to).into_iter().zip(resampled_plainly(&row, to)) {
                // Half a unit of rounding, f64's own rounding, and ink that is kept from vanishing.
                let kept = if got == 1 { 0.5 } else { 0.0 };
                prop_assert!((f64::from(got) - want).abs() <= 0.5 + kept + 1e-9, "got {got}, want {want}");
            }
        }

        #[test]
        fn same_width_is_the_identity(row in prop::collection::vec(any::<u8>(), 1..40)) {
            prop_assert_eq!(resampled(&row, row.len()), row);
        }

        #[test]
        fn mirrored_rows_give_mirrored_results(row in prop::collection::vec(any::<u8>(), 1..40), to in 1_usize..40) {
            let mirrored: Vec<u8> = row.iter().rev().copied().collect();
            let mut result = resampled(&mirrored, to);
            result.reverse();
            prop_assert_eq!(result, resampled(&row, to));
        }

        #[test]
        fn a_constant_stays_itself(value in any::<u8>(), from in 1_usize..512, to in 1_usize..512) {
            prop_assert_eq!(resampled(&vec![value; from], to), vec![value; to]);
        }

        #[test]
        fn ink_at_both_ends_stays_at_both_ends(inside in prop::collection::vec(any::<u8>(), 0..510), to in 1_usize..512) {
            let row = [vec![1], inside, vec![1]].concat();
            let result = resampled(&row, to);
            prop_assert!(result[0] > 0 && result[to - 1] > 0);
        }
    }
}

//! Whether one committee is better than another on the same images.

use serde::{Deserialize, Serialize};
use statrs::function::factorial::ln_binomial;

use crate::CommitteeError;

/// Two committees on the same images, and McNemar's exact test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McNemar {
    /// Images that both get right.
    pub both_right: u32,
    /// Images that only the first gets right.
    pub only_first_right: u32,
    /// Images that only the second gets right.
    pub only_second_right: u32,
    /// Images that neither gets right.
    pub both_wrong: u32,
    /// The probability of a split at least as uneven of the images that one alone gets right, if both were as good:
    /// two-sided, 0..=1.
    pub p_value: f64,
}

impl McNemar {
    /// The p-value as a text: `0.0042`, `1.3e-7`.
    #[must_use]
    pub fn p_text(&self) -> String {
        if self.p_value < 0.0001 { format!("{:.1e}", self.p_value) } else { format!("{:.4}", self.p_value) }
    }

    /// Compares two lists of classes for the same images.
    ///
    /// # Errors
    /// [`CommitteeError::Labels`] when the lists are not all of one length.
    /// # Source
    /// McNemar, Psychometrika 12 (1947), in the exact conditional form: twice the smaller tail of the binomial
    /// distribution with probability ½, at most 1. It uses only the images on which the two differ, and is on the side
    /// of caution.
    pub fn of(first: &[u8], second: &[u8], labels: &[u8]) -> Result<Self, CommitteeError> {
        for predictions in [first, second] {
            if predictions.len() != labels.len() {
                return Err(CommitteeError::Labels { got: labels.len(), want: predictions.len() });
            }
        }
        let mut counts = [[0u32; 2]; 2];
        for ((first, second), label) in first.iter().zip(second).zip(labels) {
            counts[usize::from(first != label)][usize::from(second != label)] += 1;
        }
        let [[both_right, only_first_right], [only_second_right, both_wrong]] = counts;
        Ok(Self {
            both_right,
            only_first_right,
            only_second_right,
            both_wrong,
            p_value: two_sided_binomial(only_first_right, only_second_right),
        })
    }
}

/// Twice the probability of at most the smaller of two counts among their sum, each as likely as the other; at most 1.
///
/// The largest term comes from its logarithm, so that nothing overflows; the others from it by their ratio. Below the
/// least f64 it is 0.
fn two_sided_binomial(one: u32, other: u32) -> f64 {
    let (less, n) = (u64::from(one.min(other)), u64::from(one) + u64::from(other));
    let mut term = (ln_binomial(n, less) - n as f64 * std::f64::consts::LN_2).exp();
    let mut sum = 0.0;
    for count in (0..=less).rev() {
        sum += term;
        term *= count as f64 / (n - count + 1) as f64;
        if term <= sum * f64::EPSILON * 1e-3 {
            break; // the terms left fall at least as fast, and none is felt
        }
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: u32, other: u32, want: f64) {
        for got in [two_sided_binomial(one, other), two_sided_binomial(other, one)] {
            assert!((got - want).abs() <= 1e-9 * want, "{one} {other}: got {got:e}, want {want:e}");
        }
    }

    #[test]
    fn p_values_are_the_exact_ones() {
        // By hand: 2 · (1 + 8) / 2⁸, the airway example of Fagerland, Lydersen and Laake, BMC Medical Research
        // Methodology 13 (2013), published as 0.070.
        check(1, 7, 18.0 / 256.0);
        check(0, 6, 2.0 / 64.0);
        check(0, 1, 1.0);
        check(5, 5, 1.0);
        check(0, 0, 1.0);
    }

    /// From exact integers in Python 3: `Fraction(2 * sum(comb(n, k) for k in range(m + 1)), 2**n)`.
    #[test]
    fn large_counts_do_not_overflow() {
        check(86, 150, 3.715936139571442e-05);
        check(23, 44, 0.013933875024287792);
        check(400, 600, 2.7284641560660184e-10);
        check(1000, 1400, 3.2622028367507764e-16);
        check(20, 1000, 9.197094102307785e-266);
        check(4900, 5100, 0.04658552770494739);
    }

    #[test]
    fn the_table_counts_every_image_once() {
        let labels = [0, 1, 2, 3, 4, 5];
        let got = McNemar::of(&[0, 1, 2, 0, 0, 0], &[0, 1, 0, 3, 4, 0], &labels).unwrap();
        assert_eq!(
            (got.both_right, got.only_first_right, got.only_second_right, got.both_wrong),
            (2, 1, 2, 1)
        );
        // Of 3 at most 1: twice (1 + 3) / 8.
        assert!((got.p_value - 1.0).abs() < 1e-15);
        let message = McNemar::of(&[0], &[0, 1], &[0]).unwrap_err().to_string();
        assert_eq!(message, "1 labels, expected 2: one for each image");
    }
}

//! How much a member's word counts, from its errors on images that are not the test's.

use crate::Score;

/// A member's weight in [`Rule::Weighted`](crate::Rule::Weighted) from its errors on validation images: ln((1 − e)/e) +
/// ln(K − 1) of the error rate e and the number K of classes, or 0 for one that is no better than guessing.
///
/// e is (errors + ½)/(images + 1), so that a member without an error has a finite weight. With validation
/// probabilities in hand: `weight(Score::of(&predictions(validation.view()), &labels)?, 10)`. `n_classes` is at least
/// 2 (taken as 2 below). Never use the images that the committee is to be judged on.
///
/// # Source
/// Zhu, Zou, Rosset, Hastie, *Multi-class AdaBoost*, Statistics and Its Interface 2 (2009), equation (1); for two
/// classes it is the weight that makes a vote of independent members best (Nitzan, Paroush, *Optimal Decision Rules in
/// Uncertain Dichotomous Choice Situations*, International Economic Review 23, 1982). Columns are not independent, so
/// take it for a rule of thumb. The halves: Haldane, Annals of Human Genetics 20 (1956).
#[must_use]
pub fn weight(validation: Score, n_classes: usize) -> f64 {
    let error = (f64::from(validation.errors) + 0.5) / (f64::from(validation.n) + 1.0);
    let others = n_classes.saturating_sub(1).max(1) as f64;
    (((1.0 - error) / error).ln() + others.ln()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(errors: u32, n: u32, n_classes: usize, want: f64) {
        let got = weight(Score { errors, n }, n_classes);
        assert!((got - want).abs() < 1e-12, "{errors} of {n}: got {got}, want {want}");
    }

    #[test]
    fn weights_are_those_of_the_formula() {
        // e = 49.5/100 → ln(50.5/49.5) and 89.5/100 → ln(10.5 · 9/89.5), by hand.
        check(49, 99, 2, (50.5f64 / 49.5).ln());
        check(89, 99, 10, (10.5f64 * 9.0 / 89.5).ln());
        check(0, 10_000, 10, (20_001f64 * 9.0).ln());
        // No better than guessing, or worse.
        check(9, 9, 10, 0.0);
        check(95, 99, 2, 0.0);
        check(0, 0, 2, 0.0);
    }

    #[test]
    fn fewer_errors_weigh_more() {
        let weights: Vec<f64> =
            [0, 50, 100, 5_000].map(|errors| weight(Score { errors, n: 10_000 }, 10)).into();
        assert!(weights.is_sorted_by(|a, b| a > b), "{weights:?}");
    }
}

//! Gradients against finite differences, along random directions.

use super::case::{Batch, Case, Expected, Failure, widened};
use super::rounding::SIGMAS;
use crate::Parameters;

/// Distance moved along a direction of length 1. Sums move so little that a separated batch keeps its
/// winners, and the truncation error, of the order H², is nothing beside the rounding of the loss, of the
/// order ε/H.
const H: f64 = 1e-7;

/// Roundings of f64 in a loss that add up at worst: the length of the longest chain of additions, with room.
const LOSS_ROUNDINGS: f64 = 2000.0;

/// Directions tried.
const N_DIRECTIONS: usize = 2;

impl Case {
    /// Compares an engine's gradient with the f64 reference's loss a little ahead and a little behind.
    pub(super) fn check_finite_differences(
        &mut self,
        parameters: &Parameters,
        batch: &Batch,
        expected: &Expected,
        gradient: &[f64],
        tolerances: &[f64],
    ) -> Result<(), Failure> {
        let wide = widened(parameters.values());
        let step = 1.0 / (wide.len() as f64).sqrt();
        for _ in 0..N_DIRECTIONS {
            let direction: Vec<f64> =
                wide.iter().map(|_| if self.below(2) == 0 { step } else { -step }).collect();
            let loss = |h: f64| {
                let moved: Vec<f64> = wide.iter().zip(&direction).map(|(value, d)| value + h * d).collect();
                self.reference.forward(&moved, &batch.wide_images).loss(&batch.labels)
            };
            let want = (loss(H) - loss(-H)) / (2.0 * H);
            let got: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            // Errors of the values are independent, so their squares add up.
            let variance: f64 =
                tolerances.iter().zip(&direction).map(|(t, d)| (t / SIGMAS * d).powi(2)).sum();
            let rounding = LOSS_ROUNDINGS * f64::EPSILON * (1.0 + expected.trace.loss(&batch.labels)) / H;
            let tolerance = SIGMAS * variance.sqrt() + rounding;
            self.check_close("slope against a finite difference", [got], [want], [tolerance])?;
        }
        Ok(())
    }
}

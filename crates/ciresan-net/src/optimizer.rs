//! The update rule: [`Optimizer`], and what it carries from step to step.

use crate::{Network, Parameters};
use serde::{Deserialize, Serialize};

/// How a step moves the parameters θ of a column by the gradient g of its batch's mean loss, at the learning rate η.
///
/// Every vector that it carries from step to step, a moment, starts at zero and has a value for each parameter, weights and
/// biases alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum, as in libtorch: with the velocity v, `v ← momentum·v + g`, then
    /// `θ ← θ − η·(g + momentum·v)` with Nesterov's look-ahead and `θ ← θ − η·v` without. Momentum 0 is plain descent,
    /// and v is then g.
    Sgd {
        /// At least 0 and below 1.
        momentum: f32,
        /// Nesterov's look-ahead.
        nesterov: bool,
    },
    /// Adam with decoupled weight decay: with the moments m and s and the number t of the step, counted from 1,
    /// `m ← β₁·m + (1−β₁)·g`, `s ← β₂·s + (1−β₂)·g²`, then
    /// `θ ← θ − η·weight_decay·θ − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + ε)`.
    ///
    /// # Source
    /// Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, algorithm 2, with the decay times η as
    /// in libtorch.
    AdamW {
        /// β₁, at least 0 and below 1.
        beta1: f32,
        /// β₂, at least 0 and below 1.
        beta2: f32,
        /// ε, above 0 and at most 1.
        epsilon: f32,
        /// From 0 to 1.
        weight_decay: f32,
    },
}

impl Optimizer {
    /// The names of its moments.
    #[must_use]
    pub const fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["velocity"],
            Self::AdamW { .. } => &["first_moment", "second_moment"],
        }
    }

    /// # Errors
    /// [`OptimizerError`] for the first value that is not in its range.
    pub fn check(&self) -> Result<(), OptimizerError> {
        const BELOW_1: &str = "from 0 to below 1";
        let below_1 = |name, got| (name, got, (0.0..1.0).contains(&got), BELOW_1);
        let checks = match *self {
            Self::Sgd { momentum, .. } => vec![below_1("momentum", momentum)],
            Self::AdamW { beta1, beta2, epsilon, weight_decay } => vec![
                below_1("beta1", beta1),
                below_1("beta2", beta2),
                ("epsilon", epsilon, epsilon > 0.0 && epsilon <= 1.0, "above 0 and at most 1"),
                ("weight_decay", weight_decay, (0.0..=1.0).contains(&weight_decay), "from 0 to 1"),
            ],
        };
        match checks.into_iter().find(|&(_, _, fits, _)| !fits) {
            Some((name, got, _, want)) => Err(OptimizerError { name, got, want }),
            None => Ok(()),
        }
    }

    /// `1 − βᵗ` of each moment at step number `t`, counted from 1; 1 for the velocity, which is corrected by nothing.
    #[must_use]
    pub fn bias_corrections(&self, t: u64) -> [f64; 2] {
        match *self {
            Self::Sgd { .. } => [1.0; 2],
            Self::AdamW { beta1, beta2, .. } => [beta1, beta2].map(|beta| 1.0 - power(beta.into(), t)),
        }
    }
}

/// By squares. `f64::powi` may round otherwise in another build, and the same study has the same bits.
fn power(base: f64, mut exponent: u64) -> f64 {
    let (mut power, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power *= square;
        }
        square *= square;
        exponent /= 2;
    }
    power
}

/// A value of an [`Optimizer`] is not in its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} {got}, expected {want}")]
pub struct OptimizerError {
    /// The field.
    pub name: &'static str,
    /// Its value.
    pub got: f32,
    /// Its range.
    pub want: &'static str,
}

/// What an [`Optimizer`] carries from step to step for one column.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// Steps made.
    pub n_steps: u64,
    /// The moments that [`Optimizer::moments`] names, in that order.
    pub moments: Vec<Parameters>,
}

impl OptimizerState {
    /// The state before the first step.
    #[must_use]
    pub fn new(optimizer: &Optimizer, network: &Network) -> Self {
        Self { n_steps: 0, moments: vec![Parameters::zeros(network); optimizer.moments().len()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM_W: Optimizer =
        Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

    #[test]
    fn json_names_the_rule() {
        for (optimizer, json) in [
            (
                Optimizer::Sgd { momentum: 0.9, nesterov: true },
                r#"{"rule":"sgd","momentum":0.9,"nesterov":true}"#,
            ),
            (ADAM_W, r#"{"rule":"adamw","beta1":0.9,"beta2":0.999,"epsilon":1e-8,"weight_decay":0.01}"#),
        ] {
            assert_eq!(serde_json::to_string(&optimizer).unwrap(), json);
            assert_eq!(serde_json::from_str::<Optimizer>(json).unwrap(), optimizer);
        }
        assert!(
            serde_json::from_str::<Optimizer>(r#"{"rule":"sgd","momentum":0,"nesterov":true,"beta1":0}"#)
                .is_err()
        );
    }

    #[test]
    fn values_out_of_range_are_named() {
        let refused = |optimizer: Optimizer| optimizer.check().unwrap_err().to_string();
        assert_eq!(ADAM_W.check(), Ok(()));
        for momentum in [-0.1, 1.0, f32::NAN] {
            let error = refused(Optimizer::Sgd { momentum, nesterov: false });
            assert_eq!(error, format!("momentum {momentum}, expected from 0 to below 1"));
        }
        let with = |beta1, beta2, epsilon, weight_decay| {
            refused(Optimizer::AdamW { beta1, beta2, epsilon, weight_decay })
        };
        assert_eq!(with(1.0, 0.9, 0.1, 0.0), "beta1 1, expected from 0 to below 1");
        assert_eq!(with(0.9, -1.0, 0.1, 0.0), "beta2 -1, expected from 0 to below 1");
        assert_eq!(with(0.9, 0.9, 0.0, 0.0), "epsilon 0, expected above 0 and at most 1");
        assert_eq!(with(0.9, 0.9, f32::NAN, 0.0), "epsilon NaN, expected above 0 and at most 1");
        assert_eq!(with(0.9, 0.9, 0.1, 2.0), "weight_decay 2, expected from 0 to 1");
    }

    #[test]
    fn bias_corrections_begin_with_what_is_new_and_end_at_one() {
        let at = |beta1, beta2, t| {
            let optimizer = Optimizer::AdamW { beta1, beta2, epsilon: 0.1, weight_decay: 0.0 };
            optimizer.bias_corrections(t).map(f64::to_bits)
        };
        assert_eq!(at(0.0, 0.5, 1), [1.0, 0.5].map(f64::to_bits));
        assert_eq!(at(0.5, 0.0, 3), [0.875, 1.0].map(f64::to_bits));
        let largest = 1.0 - f32::EPSILON / 2.0;
        assert_eq!(at(largest, largest, u64::MAX), [1.0; 2].map(f64::to_bits));
    }

    #[test]
    fn a_state_begins_with_zeros_for_every_moment() {
        let network = "1x4x4-2C4-3N".parse().unwrap();
        let state = OptimizerState::new(&ADAM_W, &network);
        assert_eq!((state.n_steps, state.moments.len()), (0, 2));
        assert_eq!(state.moments, vec![Parameters::zeros(&network); 2]);
    }
}

//! How a step moves the parameters: the config's part for [`Optimizer`].

use ciresan_net::{Optimizer, OptimizerError};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::{expected, number, present, tagged, word};

/// Reads and checks an optimizer.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Optimizer, D::Error> {
    let optimizer = tagged::<Keys, Optimizer, D>(deserializer)?;
    optimizer.check().map_err(|OptimizerError { name, want, .. }| {
        expected(&format!(".{name}"), format_args!("a number {want}"))
    })?;
    match optimizer {
        Optimizer::Sgd { momentum, nesterov: true } if momentum <= 0.0 => {
            Err(expected(".nesterov", "false, because momentum is 0"))
        }
        _ => Ok(optimizer),
    }
}

/// The keys of all rules: see [`tagged`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(deserialize_with = "word")]
    rule: Rule,
    #[serde(default, deserialize_with = "number")]
    momentum: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nesterov: Option<bool>,
    #[serde(default, deserialize_with = "number")]
    beta1: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    beta2: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    epsilon: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    weight_decay: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Sgd,
    AdamW,
}

/// The part's JSON Schema: each rule with its own keys.
#[derive(JsonSchema)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum OptimizerSchema {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Momentum; 0 is plain descent.
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        momentum: f64,
        /// Nesterov's look-ahead; needs a momentum above 0.
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decay of the mean of the gradients, per step.
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        beta1: f64,
        /// Decay of the mean of their squares, per step.
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        beta2: f64,
        /// Added to the square root of that mean.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
        epsilon: f64,
        /// Weight decay: each step shrinks every parameter by this share, times the learning rate.
        #[schemars(range(min = 0, max = 1))]
        weight_decay: f64,
    },
}

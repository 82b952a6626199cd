//! How a step moves the parameters: the config's part for [`Optimizer`].

use ciresan_net::{Optimizer, OptimizerError};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::json::{absent, expected, object, present, required, word};

/// Reads and checks an optimizer.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Optimizer, D::Error> {
    let keys: Keys = object(deserializer, "an object")?;
    keys.check()
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Sgd,
    AdamW,
}

/// The keys of all rules in one struct: in an enum with data, serde would lose the key of a wrong value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(deserialize_with = "word")]
    rule: Rule,
    #[serde(default, deserialize_with = "present")]
    momentum: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nesterov: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    beta1: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    beta2: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    epsilon: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    weight_decay: Option<f64>,
}

impl Keys {
    fn check<E: de::Error>(self) -> Result<Optimizer, E> {
        let Self { rule, momentum, nesterov, beta1, beta2, epsilon, weight_decay } = self;
        // By way of f64, as `json::single`.
        let single = |key, value| required(key, value).map(|value: f64| value as f32 + 0.0);
        let optimizer = match rule {
            Rule::Sgd => {
                let others = [
                    ("beta1", beta1.is_some()),
                    ("beta2", beta2.is_some()),
                    ("epsilon", epsilon.is_some()),
                    ("weight_decay", weight_decay.is_some()),
                ];
                absent(&others, &["rule", "momentum", "nesterov"])?;
                Optimizer::Sgd {
                    momentum: single("momentum", momentum)?,
                    nesterov: required("nesterov", nesterov)?,
                }
            }
            Rule::AdamW => {
                let others = [("momentum", momentum.is_some()), ("nesterov", nesterov.is_some())];
                absent(&others, &["rule", "beta1", "beta2", "epsilon", "weight_decay"])?;
                Optimizer::AdamW {
                    beta1: single("beta1", beta1)?,
                    beta2: single("beta2", beta2)?,
                    epsilon: single("epsilon", epsilon)?,
                    weight_decay: single("weight_decay", weight_decay)?,
                }
            }
        };
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
        /// What is kept of the mean of gradients in a step.
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        beta1: f64,
        /// What is kept of the mean of their squares in a step.
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        beta2: f64,
        /// Added to the root of that mean.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
        epsilon: f64,
        /// Times the learning rate, the share of every parameter that a step takes away.
        #[schemars(range(min = 0, max = 1))]
        weight_decay: f64,
    },
}

//! The config as written: every key, its type and its documentation; unchecked. Also the source of the JSON
//! Schema.

use std::fmt;

use ciresan_net::{Activation, Initialization, Precision};
use preprocess::{Smoothing, Width};
use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::schema;
use crate::study::DataSet;

/// A study: which columns to train, on what, and how. Every key that changes a result is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(title = "Study", transform = schema::tidy)]
pub(crate) struct RawStudy {
    /// Where this schema is, for editors.
    #[serde(rename = "$schema", default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[expect(dead_code, reason = "for editors; deserialized so that it is not an unknown key")]
    pub(crate) schema_reference: Option<String>,
    /// Version of this format: 1.
    #[schemars(schema_with = "schema::config_version")]
    pub(crate) schema: i128,
    /// Name of the study and of its results folder: letters, digits, dots, underscores and hyphens.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"))]
    pub(crate) name: String,
    /// Remarks for readers; they change no result.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    /// The digits: "mnist", "fashion-mnist", or "sample", the 500 embedded ones.
    pub(crate) data: DataSet,
    /// Seed of every random number of the study.
    #[schemars(with = "u64", range(min = 0))]
    pub(crate) seed: i128,
    /// The network of every column in the paper's notation, with input 1x29x29 and 10 classes.
    #[schemars(regex(pattern = r"^1x29x29(-[0-9]+C[0-9]+|-MP[0-9]+)*(-[0-9]+N)*-10N$"))]
    pub(crate) network: String,
    /// The activation after convolutions and hidden layers.
    #[schemars(schema_with = "schema::activation")]
    pub(crate) activation: Activation,
    /// How first weights are drawn: "paper", uniform within ±0.05, or "fan-in", normal by the number of a
    /// neuron's inputs.
    #[schemars(schema_with = "schema::initialization")]
    pub(crate) initialization: Initialization,
    /// The widths digits are normalized to: "original", or pixels; each once.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(crate) widths: Vec<RawWidth>,
    /// Columns of each width.
    #[schemars(with = "u16", range(min = 1, max = 999))]
    pub(crate) columns_per_width: i128,
    /// Epochs of a column.
    #[schemars(with = "u32", range(min = 1, max = 100_000))]
    pub(crate) epochs: i128,
    /// Images of a training step: at most the training digits that are not held out.
    #[schemars(with = "u32", range(min = 1, max = 60_000))]
    pub(crate) batch: i128,
    /// Training digits held out for validation, the last ones in file order; 0 for none.
    #[schemars(with = "u32", range(min = 0, max = 59_999))]
    pub(crate) validation: i128,
    /// The schedule of the learning rate.
    #[schemars(with = "SchemaOfLearningRate")]
    pub(crate) learning_rate: RawLearningRate,
    /// How a step moves the parameters by the gradient.
    #[schemars(with = "SchemaOfOptimizer")]
    pub(crate) optimizer: RawOptimizer,
    /// The coarsest rounding that an engine may give the operands of convolutions and matrix products: "fp32", "tf32" or
    /// "bf16". Parameters, sums and loss are fp32 always, and an engine may round less: that for CPUs is fp32.
    #[schemars(schema_with = "schema::precision")]
    pub(crate) precision: Precision,
    /// The random distortion of training digits, drawn anew for every image in every epoch; null for none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(required, schema_with = "schema::distortion")]
    pub(crate) distortion: Option<RawDistortion>,
}

/// All keys of all schedules; which belong together is checked later, so that a message can say so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct RawLearningRate {
    pub(crate) schedule: Schedule,
    #[serde(default, deserialize_with = "present")]
    pub(crate) initial: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) factor: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) floor: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) peak: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) warm_up: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Schedule {
    Exponential,
    OneCycle,
}

/// [`RawLearningRate`] as a schema can say it: each schedule with its own keys.
#[derive(JsonSchema)]
#[serde(tag = "schedule", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum SchemaOfLearningRate {
    /// max(initial · factor^epoch, floor), epochs counted from 0: the paper's.
    Exponential {
        /// Rate of the first epoch.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
        initial: f64,
        /// Factor an epoch.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
        factor: f64,
        /// Smallest rate, at most `initial`.
        #[schemars(range(min = 0, max = 100))]
        floor: f64,
    },
    /// Linear from 0 to `peak`, then half a cosine down to 0.
    OneCycle {
        /// Largest rate.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
        peak: f64,
        /// Share of the run's steps over which the rate rises.
        #[schemars(range(min = 0, max = 1))]
        warm_up: f64,
    },
}

/// All keys of all optimizers; which belong together is checked later, so that a message can say so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct RawOptimizer {
    pub(crate) rule: Rule,
    #[serde(default, deserialize_with = "present")]
    pub(crate) momentum: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) nesterov: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) beta1: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) beta2: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) epsilon: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) weight_decay: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rule {
    Sgd,
    AdamW,
}

/// [`RawOptimizer`] as a schema can say it: each rule with its own keys.
#[derive(JsonSchema)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum SchemaOfOptimizer {
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

/// Elastic displacement, translation, rotation, scaling and shear in one map of coordinates. An amplitude of
/// 0 switches its part off; draws are uniform in ± the amplitude.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object or null")]
#[schemars(inline)]
pub(crate) struct RawDistortion {
    /// Standard deviation of the Gaussian that smooths the noise, in pixels.
    #[schemars(range(min = 0.01, max = 10_000))]
    pub(crate) sigma: f64,
    /// Factor on the smoothed noise, which gives pixels.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) alpha: f64,
    /// The Gaussian: "gaussian", cut at 3 sigma with sum 1, or "theano", cut at 1 sigma with a smaller sum.
    #[schemars(schema_with = "schema::smoothing")]
    pub(crate) smoothing: Smoothing,
    /// Largest shift along each axis, in pixels.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) translation_px: f64,
    /// Largest rotation, in degrees.
    #[schemars(range(min = 0, max = 180))]
    pub(crate) rotation_deg: f64,
    /// Largest relative change of size, for each axis on its own: 0.1 is ±10 %.
    #[schemars(range(min = 0, max = 0.9))]
    pub(crate) scaling: f64,
    /// Largest horizontal shear, in columns a row.
    #[schemars(range(min = 0, max = 10))]
    pub(crate) shear: f64,
    /// Share of the run, at its end, over which the strength falls linearly to 0; 0 for never.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) anneal: f64,
}

/// A width as a config writes it: the string "original" or a number, and no string with a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawWidth(pub(crate) Width);

impl<'de> Deserialize<'de> for RawWidth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WidthVisitor;

        impl Visitor<'_> for WidthVisitor {
            type Value = RawWidth;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} to {} pixels, or \"original\"", Width::MIN_PX, Width::MAX_PX)
            }

            fn visit_u64<E: de::Error>(self, px: u64) -> Result<RawWidth, E> {
                let width = u8::try_from(px).ok().and_then(|px| Width::try_from(px).ok());
                width.map(RawWidth).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(px), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawWidth, E> {
                match text {
                    "original" => Ok(RawWidth(Width::ORIGINAL)),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(WidthVisitor)
    }
}

/// A key that may be left out, but is never null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

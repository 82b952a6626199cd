//! The distortion of training digits, and how it fades out over a run.

use preprocess::{Distortion, PreprocessError, Smoothing};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::json::{expected, object, single, word};

/// A distortion, and how it fades out over a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AnnealedDistortion {
    /// The distortion at full strength.
    #[serde(flatten)]
    pub distortion: Distortion,
    /// Share of the run, at its end, over which the strength falls linearly to 0: 0 (never) to 1; what
    /// [`preprocess::strength`] takes.
    pub anneal: f32,
}

/// Elastic displacement, translation, rotation, scaling and shear in one map of coordinates. An amplitude of
/// 0 turns that part off; draws are uniform in ± the amplitude.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Keys {
    /// Standard deviation of the Gaussian that smooths the noise, in pixels.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0.01, max = 10_000))]
    sigma: f32,
    /// Factor on the smoothed noise, which gives pixels.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 1_000_000))]
    alpha: f32,
    /// The Gaussian: "gaussian", cut at 3 sigma with sum 1, or "theano", cut at 1 sigma with a smaller sum.
    #[serde(deserialize_with = "word")]
    #[schemars(with = "Value", extend("enum" = [Smoothing::Gaussian, Smoothing::Theano]))]
    smoothing: Smoothing,
    /// Largest shift along each axis, in pixels.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 1_000))]
    translation_px: f32,
    /// Largest rotation, in degrees.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 180))]
    rotation_deg: f32,
    /// Largest relative change of size, for each axis on its own: 0.1 is ±10 %.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 0.9))]
    scaling: f32,
    /// Largest horizontal shear, in columns per row.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 10))]
    shear: f32,
    /// Share of the run, at its end, over which the strength falls linearly to 0; 0 for never.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 1))]
    anneal: f32,
}

impl<'de> Deserialize<'de> for AnnealedDistortion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys: Keys = object(deserializer, "an object or null")?;
        keys.check()
    }
}

impl Keys {
    fn check<E: de::Error>(self) -> Result<AnnealedDistortion, E> {
        let Self { sigma, alpha, smoothing, translation_px, rotation_deg, scaling, shear, anneal } = self;
        let distortion = Distortion { sigma, alpha, smoothing, translation_px, rotation_deg, scaling, shear };
        distortion.check().map_err(|error| match error {
            PreprocessError::Parameter { name, min, max, .. } => {
                expected(&format!(".{name}"), format_args!("a number from {min} to {max}"))
            }
            other => E::custom(other),
        })?;
        if !(0.0..=1.0).contains(&anneal) {
            return Err(expected(".anneal", "a number from 0 to 1"));
        }
        Ok(AnnealedDistortion { distortion, anneal })
    }
}

/// A required key that may be null: schemars would make it optional.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [Keys::json_schema(generator), { "type": "null" }] })
}

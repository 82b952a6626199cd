//! The views that finished columns are asked about: how many, and how much distorted.

use preprocess::{PreprocessError, Views};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::json::{expected, object, single};

/// Distorted views of each digit: columns answer with the mean of what they say of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Keys {
    /// Views of a digit; the first is the digit as it is.
    #[schemars(range(min = 1, max = Views::MAX_COUNT))]
    count: u64,
    /// Factor on the amplitudes of the distortion.
    #[serde(deserialize_with = "single")]
    #[schemars(range(min = 0, max = 1))]
    strength: f32,
}

/// Reads a key that may be left out.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Views>, D::Error> {
    let Keys { count, strength } = object(deserializer, "an object")?;
    let views = Views { count: u16::try_from(count).unwrap_or(u16::MAX), strength };
    match views.check() {
        Ok(()) => Ok(Some(views)),
        Err(PreprocessError::Parameter { name, min, max, .. }) => {
            Err(expected(&format!(".{name}"), format_args!("a number from {min} to {max}")))
        }
        Err(other) => Err(serde::de::Error::custom(other)),
    }
}

//! JSON read by serde, so that every mistake is named by its key.

use std::fmt::Display;
use std::io;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{ConfigError, StudyError};

/// Reads a value, which must be an object, from a whole text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    // The byte order mark of some editors.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A text that is not JSON is refused as such, whatever else is wrong with it.
    let root: &RawValue = serde_json::from_str(text).map_err(|error| ConfigError::syntax(&error))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let read = object(serde_path_to_error::Deserializer::new(&mut json, &mut track), "an object");
    read.map_err(|error| ConfigError::in_value(&error, &track.path(), text, root.get()))
}

/// The whole text of a file of at most `max_bytes`.
pub(crate) fn read_text(path: &Path, action: &'static str, max_bytes: u64) -> Result<String, StudyError> {
    let bytes = committee::read_at_most(path, max_bytes);
    let text = bytes.and_then(|bytes| {
        let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
        String::from_utf8(bytes).map_err(not_text)
    });
    text.map_err(StudyError::io(path, action))
}

/// Reads a struct from an object alone. Serde would take a list of its values, too, without their keys.
pub(crate) fn object<'de, T, D>(deserializer: D, want: &'static str) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Object<T>(&'static str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(want, PhantomData))
}

/// Reads a name of an enum from a string alone. Serde would take `{ "mnist": null }`, too.
pub(crate) fn word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let word = match Value::deserialize(deserializer)? {
        Value::String(word) => word,
        _ => String::new(), // no name, so that the error lists them
    };
    T::deserialize(word.into_deserializer())
}

/// Reads a key that may be left out, but is never null.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads a number that may be left out. −0 is 0, so that both have one text and one hash.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(|value| Some(value + 0.0))
}

/// Reads an enum with data by way of `Keys`, a struct with the keys of all its variants: in an enum, serde would lose
/// the key of a value of a wrong type.
pub(crate) fn tagged<'de, Keys, T, D>(deserializer: D) -> Result<T, D::Error>
where
    Keys: Deserialize<'de> + Serialize,
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let keys: Keys = object(deserializer, "an object")?;
    let mut variant = serde_json::to_value(keys).map_err(de::Error::custom)?;
    if let Value::Object(keys) = &mut variant {
        keys.retain(|_, value| !value.is_null()); // those left out
    }
    T::deserialize(variant).map_err(de::Error::custom)
}

/// Reads a number of single precision by way of f64: one beyond f32 becomes infinite and is then out of range. −0 is
/// 0.
pub(crate) fn single<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    f64::deserialize(deserializer).map(|value| value as f32 + 0.0)
}

/// The refusal of a value by a check: [`parse`] puts the path before `below` (`.floor`, `[2]`) and adds the value.
pub(crate) fn expected<E: de::Error>(below: &str, want: impl Display) -> E {
    let colon = if below.is_empty() { "" } else { ": " };
    E::custom(format_args!("{below}{colon}expected {want}"))
}

//! The JSON Schema of configs, made from the types that read them.

use preprocess::Width;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::raw::{RawDistortion, RawStudy, RawWidth};
use crate::study::CONFIG_SCHEMA;

/// The JSON Schema (draft 2020-12) of a config, indented, ending in a line break:
/// `configs/study.schema.json`.
///
/// It knows every key, type and range, but not what the values must be together: that the batch is no larger
/// than the training digits left, for example. [`Study::from_json`](crate::Study::from_json) checks it all.
#[must_use]
pub fn schema_json() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawStudy>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

impl JsonSchema for RawWidth {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Width".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "const": "original" },
                { "type": "integer", "minimum": Width::MIN_PX, "maximum": Width::MAX_PX },
            ]
        })
    }
}

pub(crate) fn config_version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": CONFIG_SCHEMA })
}

// Types of other crates, by the names that serde gives their variants; a test compares.

pub(crate) fn activation(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["scaled-tanh", "relu"] })
}

pub(crate) fn initialization(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["paper", "fan-in"] })
}

pub(crate) fn precision(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["fp32", "tf32", "bf16"] })
}

pub(crate) fn smoothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["gaussian", "theano"] })
}

/// A required key that may be null: schemars would make it optional.
pub(crate) fn distortion(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [RawDistortion::json_schema(generator), { "type": "null" }] })
}

/// Drops what says nothing to an editor: the names of Rust's number types (the ranges do), nulls as defaults, and
/// the line breaks of the code's comments.
pub(crate) fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    transform_subschemas(&mut tidy, schema);
}

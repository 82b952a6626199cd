//! The JSON Schema of configs, made from the types that read them.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde_json::{Value, json};

use crate::Study;

/// The JSON Schema (draft 2020-12) of a config, indented, ending in a line break:
/// `configs/study.schema.json`.
///
/// It knows every key, type and range, but not what the values must be together: that the batch is no larger
/// than the training digits left, for example. [`Study::from_json`] checks it all.
#[must_use]
pub fn schema_json() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Study>();
    tidy(&mut schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let for_editors = json!({ "description": "Where this schema is, for editors.", "type": "string" });
        properties.shift_insert(0, "$schema".to_owned(), for_editors);
    }
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

/// Drops what says nothing to an editor: the names of Rust's number types (the ranges do), and the line breaks of the
/// code's comments.
fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    transform_subschemas(&mut tidy, schema);
}

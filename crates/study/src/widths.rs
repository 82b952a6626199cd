//! The widths of a study: the config's part for [`Width`].

use std::collections::HashSet;

use preprocess::Width;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::json::expected;

/// Reads widths, at least one and each once. Each is the string "original" or a number; [`Width`] itself would take the string "14", too.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Width>, D::Error> {
    let items = Vec::<Value>::deserialize(deserializer)?;
    if items.is_empty() {
        return Err(expected("", "at least one width"));
    }
    let (mut widths, mut seen) = (Vec::new(), HashSet::new());
    for (index, item) in items.iter().enumerate() {
        let width = match item {
            Value::String(name) if name != "original" => None,
            item => Width::deserialize(item).ok(),
        };
        let below = format!("[{index}]");
        let Some(width) = width else {
            let (min, max) = (Width::MIN_PX, Width::MAX_PX);
            return Err(expected(&below, format_args!("{min} to {max} pixels, or \"original\"")));
        };
        if !seen.insert(width) {
            return Err(expected(&below, "every width once"));
        }
        widths.push(width);
    }
    Ok(widths)
}

/// The JSON Schema of one.
pub(crate) fn schema() -> Value {
    json!({
        "anyOf": [
            { "const": "original" },
            { "type": "integer", "minimum": Width::MIN_PX, "maximum": Width::MAX_PX },
        ]
    })
}

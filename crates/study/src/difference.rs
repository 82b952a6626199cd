//! In what two configs differ.

use std::fmt;

use serde_json::Value;

/// A key whose value differs in two configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path of the key, like `learning_rate.peak`.
    pub key: String,
    /// Its value in the config at hand, as JSON; `None` where that has no such key.
    pub ours: Option<String>,
    /// Its value in the other config.
    pub theirs: Option<String>,
}

/// `learning_rate.peak is 0.02 there and 0.05 in yours`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "left out".to_owned());
        write!(f, "{} is {} there and {} in yours", self.key, shown(&self.theirs), shown(&self.ours))
    }
}

/// The differences of two JSON objects, in the order of their keys.
pub(crate) fn differences(ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), Some(ours), Some(theirs), &mut found);
    found
}

fn compare(key: String, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    if ours == theirs {
        return;
    }
    if let (Some(Value::Object(ours)), Some(Value::Object(theirs))) = (ours, theirs) {
        let only_theirs = theirs.keys().filter(|name| !ours.contains_key(*name));
        for name in ours.keys().chain(only_theirs) {
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            compare(key, ours.get(name), theirs.get(name), found);
        }
    } else {
        let [ours, theirs] = [ours, theirs].map(|value| value.map(Value::to_string));
        found.push(Difference { key, ours, theirs });
    }
}

//! A study with some keys of its config changed.

use serde_json::{Map, Value};

use crate::Study;
use crate::config_error::ConfigProblem;

impl Study {
    /// This study with other values for some keys: pairs of a key's path, like `distortion.sigma`, and a value as JSON, or a
    /// text that is none, which is then a string. They are set in order, then everything is checked as in a file.
    ///
    /// # Errors
    /// What is wrong with the config that comes out, as of a file but for the place; or a path that leads through something
    /// that has no keys.
    ///
    /// ```
    /// # let text = include_str!("../../mcdnn/configs/quick.json");
    /// let quick = study::Study::from_json(text)?;
    /// let short = quick.with_changes(&[("epochs", "1"), ("distortion.sigma", "6"), ("name", "short")]).unwrap();
    /// assert_eq!((short.epochs, short.name.as_str()), (1, "short"));
    /// let error = quick.with_changes(&[("distortion.sigma", "-1")]).unwrap_err();
    /// assert_eq!(error.to_string(), "distortion.sigma is -1, expected a number from 0.01 to 10000");
    /// # Ok::<(), study::ConfigError>(())
    /// ```
    pub fn with_changes(&self, changes: &[(&str, &str)]) -> Result<Self, ConfigProblem> {
        let mut config: Map<String, Value> =
            serde_json::from_str(&self.to_json()).expect("a config is an object, as written a line above");
        for (key, value) in changes {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(*value));
            set(&mut config, key, value)?;
        }
        let text = serde_json::to_string(&config).expect("plain keys and finite numbers");
        Self::from_json(&text).map_err(|error| error.problem)
    }
}

/// Sets the value at a path; objects on the way that are not there yet are made.
fn set(config: &mut Map<String, Value>, key: &str, value: Value) -> Result<(), ConfigProblem> {
    let (mut object, mut rest, mut above) = (config, key, String::new());
    while let Some((step, below)) = rest.split_once('.') {
        above = if above.is_empty() { step.to_owned() } else { format!("{above}.{step}") };
        object = match object.entry(step).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(object) => object,
            other => {
                let want = format!("an object, to set {below:?} in it");
                return Err(ConfigProblem::Value { key: above, got: other.to_string(), want });
            }
        };
        rest = below;
    }
    object.insert(rest.to_owned(), value);
    Ok(())
}

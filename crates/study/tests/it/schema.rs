//! The JSON Schema of configs.

use std::fs;

use ciresan_net::{Activation, Initialization, Precision};
use preprocess::Smoothing;
use serde_json::{Value, json};
use study::schema_json;

use crate::configs::folder;
use crate::good::{ADAM_W, GOOD};

fn schema() -> Value {
    serde_json::from_str(&schema_json()).unwrap()
}

/// `UPDATE_SCHEMA=1 cargo test -p study` rewrites the file.
#[test]
fn the_file_is_up_to_date() {
    let path = folder().join("study.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, schema_json()).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == schema_json(),
        "configs/study.schema.json is not the schema of this code: `UPDATE_SCHEMA=1 cargo test -p study` rewrites it"
    );
}

#[test]
fn names_of_other_crates_types_are_all_there() {
    let properties = &schema()["properties"];
    let activations = [Activation::ScaledTanh, Activation::Relu];
    assert_eq!(properties["activation"]["enum"], json!(activations));
    let initializations = [Initialization::Paper, Initialization::FanIn];
    assert_eq!(properties["initialization"]["enum"], json!(initializations));
    assert_eq!(properties["precision"]["enum"], json!(Precision::ALL));
    let distortion = &properties["distortion"]["anyOf"][0]["properties"];
    assert_eq!(distortion["smoothing"]["enum"], json!([Smoothing::Gaussian, Smoothing::Theano]));
}

#[test]
fn every_key_is_described_and_required_and_no_other_is_allowed() {
    let schema = schema();
    let mut good: Value = serde_json::from_str(GOOD).unwrap();
    good["views"] = json!({"count": 16, "strength": 0.4});
    good["skip_below"] = json!(0.001);
    good["early_stopping"] = json!({"patience": 26, "increase": 2, "threshold": 0.995});
    check_object(&schema, &good, &["$schema", "notes", "early_stopping", "skip_below", "views"]);
    check_object(&schema["properties"]["views"], &good["views"], &[]);
    check_object(&schema["properties"]["early_stopping"], &good["early_stopping"], &[]);
    let properties = &schema["properties"];
    check_object(&properties["distortion"]["anyOf"][0], &good["distortion"], &[]);
    let [sgd, adam_w] = [0, 1].map(|i| &properties["optimizer"]["oneOf"][i]);
    assert_eq!(
        (&sgd["properties"]["rule"]["const"], &adam_w["properties"]["rule"]["const"]),
        (&json!("sgd"), &json!("adamw"))
    );
    check_object(sgd, &good["optimizer"], &[]);
    check_object(adam_w, &serde_json::from_str(ADAM_W).unwrap(), &[]);
    let one_cycle = &properties["learning_rate"]["oneOf"][1];
    assert_eq!(one_cycle["properties"]["schedule"]["const"], "one-cycle");
    check_object(one_cycle, &good["learning_rate"], &[]);
}

#[track_caller]
fn check_object(schema: &Value, good: &Value, optional: &[&str]) {
    assert_eq!(schema["additionalProperties"], false);
    let properties = schema["properties"].as_object().unwrap();
    let mut keys: Vec<&String> = properties.keys().collect();
    let mut want: Vec<&String> = good.as_object().unwrap().keys().collect();
    keys.sort();
    want.sort();
    assert_eq!(keys, want);
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (key, property) in properties {
        assert_eq!(required.contains(&key.as_str()), !optional.contains(&key.as_str()), "{key}");
        let described = property.get("description").is_some() || property.get("const").is_some();
        assert!(described, "{key} has no description: {property}");
    }
}

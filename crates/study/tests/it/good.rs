//! A config that is right: what is read from it, its columns, its hash.

use ciresan_net::Optimizer;
use preprocess::{Smoothing, Width};
use study::{AnnealedDistortion, DataSet, EarlyStopping, LearningRate, Study};

/// Every key on a line of its own, so that a test can say in which line a mistake is.
pub(crate) const GOOD: &str = r#"{
  "$schema": "./study.schema.json",
  "schema": 1,
  "name": "good",
  "notes": ["a remark"],
  "data": "mnist",
  "seed": 2012,
  "network": "1x29x29-20C4-MP2-40C5-MP3-150N-10N",
  "activation": "relu",
  "initialization": "fan-in",
  "widths": ["original", 14, 20],
  "columns_per_width": 2,
  "epochs": 8,
  "batch": 128,
  "validation": 10000,
  "learning_rate": { "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 },
  "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": true },
  "precision": "fp32",
  "distortion": {
    "sigma": 8,
    "alpha": 36,
    "smoothing": "gaussian",
    "translation_px": 0,
    "rotation_deg": 0,
    "scaling": 0,
    "shear": 0,
    "anneal": 0.3
  }
}
"#;

/// The good config with one piece replaced, which must be there once.
#[track_caller]
pub(crate) fn with(piece: &str, replacement: &str) -> String {
    assert_eq!(GOOD.matches(piece).count(), 1, "{piece}");
    GOOD.replace(piece, replacement)
}

pub(crate) const SGD: &str = r#"{ "rule": "sgd", "momentum": 0.9, "nesterov": true }"#;

pub(crate) const ADAM_W: &str =
    r#"{ "rule": "adamw", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01 }"#;

pub(crate) const EXPONENTIAL: &str =
    r#""schedule": "exponential", "initial": 0.1, "factor": 0.993, "floor": 0.003"#;
const ONE_CYCLE: &str = r#""schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1"#;

/// The good config with this `skip_below`.
fn skipping(value: &str) -> String {
    with("\"precision\": \"fp32\",", &format!("\"precision\": \"fp32\", \"skip_below\": {value},"))
}

#[test]
fn what_is_skipped_reaches_the_engine() {
    let skip_below = |text: &str| Study::from_json(text).unwrap().engine_spec().skip_below;
    assert_eq!([GOOD, &skipping("0"), &skipping("0.001")].map(skip_below), [0.0, 0.0, 0.001]);
    let study = Study::from_json(&skipping("0.001")).unwrap();
    assert!(study.to_json().contains("\"skip_below\": 0.001,"), "{}", study.to_json());
    let left_out = good().differences(&study);
    assert_eq!(left_out[0].to_string(), "skip_below is 0.001 there and left out in yours");
}

/// The good config with early stopping.
pub(crate) fn stopping_early(rule: &str) -> String {
    with("\"validation\": 10000,", &format!("\"validation\": 10000, \"early_stopping\": {rule},"))
}

#[test]
fn early_stopping_arrives_and_changes_the_hash() {
    let study =
        Study::from_json(&stopping_early("{ \"patience\": 26, \"increase\": 2, \"threshold\": 0.995 }"))
            .unwrap();
    let rule = study.early_stopping.unwrap();
    assert_eq!(rule, EarlyStopping { patience: 26, increase: 2.0, threshold: 0.995 });
    assert_eq!([1, 13, 14, 400].map(|epoch| rule.patience_after(epoch)), [26, 26, 28, 800]);
    assert_eq!(Study::from_json(&study.to_json()).unwrap(), study);
    assert_ne!(study.hash(), good().hash());
    assert!(!good().to_json().contains("early_stopping"));
}

fn good() -> Study {
    Study::from_json(GOOD).unwrap()
}

#[test]
fn every_key_arrives() {
    let study = good();
    assert_eq!((study.name.as_str(), study.notes.as_slice()), ("good", ["a remark".to_owned()].as_slice()));
    assert_eq!((study.data, study.seed, study.network.n_params()), (DataSet::Mnist, 2012, 76_040));
    assert_eq!(study.widths, [Width::ORIGINAL, Width::try_from(14).unwrap(), Width::try_from(20).unwrap()]);
    assert_eq!((study.columns_per_width, study.epochs, study.batch, study.validation), (2, 8, 128, 10_000));
    assert_eq!(study.n_training_digits(), 50_000);
    assert_eq!(study.learning_rate, LearningRate::OneCycle { peak: 0.05, warm_up: 0.1 });
    assert_eq!(study.optimizer, Optimizer::Sgd { momentum: 0.9, nesterov: true });
    let AnnealedDistortion { distortion, anneal } = study.distortion.unwrap();
    assert_eq!((distortion.sigma, distortion.alpha, distortion.smoothing), (8.0, 36.0, Smoothing::Gaussian));
    assert_eq!(anneal, 0.3);

    let study = Study::from_json(&with(ONE_CYCLE, EXPONENTIAL)).unwrap();
    let want = LearningRate::Exponential { initial: 0.1, factor: 0.993, floor: 0.003 };
    assert_eq!(study.learning_rate, want);
}

#[test]
fn extremes_of_the_ranges_are_allowed() {
    let extremes = [
        ("2012", "0"),
        ("2012", "18446744073709551615"),
        ("\"columns_per_width\": 2", "\"columns_per_width\": 999"),
        ("\"epochs\": 8", "\"epochs\": 100000"),
        ("\"batch\": 128", "\"batch\": 50000"),
        ("10000", "59872"),
        ("\"warm_up\": 0.1", "\"warm_up\": 1"),
        ("\"warm_up\": 0.1", "\"warm_up\": 0"),
        ("\"peak\": 0.05", "\"peak\": 100"),
        ("\"momentum\": 0.9, \"nesterov\": true", "\"momentum\": 0, \"nesterov\": false"),
        ("\"anneal\": 0.3", "\"anneal\": 1"),
        ("14, 20", "4, 28"),
        ("\"good\"", "\"_A.b-9\""),
        (ONE_CYCLE, r#""schedule": "exponential", "initial": 0.1, "factor": 1, "floor": 0.1"#),
        (ONE_CYCLE, r#""schedule": "exponential", "initial": 0.1, "factor": 1, "floor": 0"#),
    ];
    for (piece, replacement) in extremes {
        if let Err(error) = Study::from_json(&with(piece, replacement)) {
            panic!("{replacement}: {error}");
        }
    }
}

#[test]
fn what_changes_no_result_can_be_left_out_and_a_distortion_can_be_null() {
    let text =
        with("  \"$schema\": \"./study.schema.json\",\n", "").replace("  \"notes\": [\"a remark\"],\n", "");
    let study = Study::from_json(&text).unwrap();
    assert!(study.notes.is_empty());
    let start = text.find("\"distortion\"").unwrap();
    let study = Study::from_json(&format!("{}\"distortion\": null }}", &text[..start])).unwrap();
    assert_eq!(study.distortion, None);
}

#[test]
fn the_first_column_of_every_width_comes_first() {
    let names: Vec<String> = good().columns().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["original-1", "w14-1", "w20-1", "original-2", "w14-2", "w20-2"]);
}

#[test]
fn the_resolved_config_reads_back_equal() {
    for text in [GOOD.to_owned(), with(ONE_CYCLE, EXPONENTIAL), with(SGD, ADAM_W), skipping("0.001")] {
        let study = Study::from_json(&text).unwrap();
        let resolved = study.to_json();
        assert_eq!(Study::from_json(&resolved).unwrap(), study);
        assert!(resolved.ends_with("}\n"));
        // Serde's own way, through another deserializer.
        let value = serde_json::to_value(&study).unwrap();
        assert_eq!(serde_json::from_value::<Study>(value).unwrap(), study);
    }
}

/// Pins the hash: a change here makes every results folder there is one of another config. The first is that
/// of
/// `{"schema":1,"data":"mnist","seed":2012,"network":"1x29x29-20C4-MP2-40C5-MP3-150N-10N","activation":"relu",
/// "initialization":"fan-in","widths":["original",14,20],"columns_per_width":2,"epochs":8,"batch":128,
/// "validation":10000,"learning_rate":{"schedule":"one-cycle","peak":0.05,"warm_up":0.1},
/// "optimizer":{"rule":"sgd","momentum":0.9,"nesterov":true},"precision":"fp32","distortion":{"sigma":8.0,"alpha":36.0,
/// "smoothing":"gaussian","translation_px":0.0,"rotation_deg":0.0,"scaling":0.0,"shear":0.0,"anneal":0.3}}` on
/// one line, by `sha256sum`.
#[test]
fn the_hash_is_pinned() {
    assert_eq!(good().hash(), "75de42bd0f29b21f0aca89e5fab39d2f6428d55ccb5b712e8e2b0a624369ecbe");
    assert_eq!(
        Study::from_json(&with(ONE_CYCLE, EXPONENTIAL)).unwrap().hash(),
        "6dcdecac239d127f48235a8e6a927f67482fdbc81983c24311875ccf8cf3120e"
    );
}

#[test]
fn the_hash_is_of_what_changes_results_and_nothing_else() {
    let hash = |text: &str| Study::from_json(text).unwrap().hash();
    let same = [
        with("\"a remark\"", "\"another\", \"and more\""),
        with("\"good\"", "\"renamed\""),
        with("./study.schema.json", "elsewhere"),
        with("\"sigma\": 8", "\"sigma\": 8.0"),
        skipping("0"),
        skipping("-0.0"),
        skipping("1e-60"), // zero in single precision
        with("\"shear\": 0", "\"shear\": -0.0"),
        with("0.05", "5e-2"),
        with("\"epochs\": 8,\n", "").replace("\"schema\": 1", "\"epochs\": 8, \"schema\": 1"),
        GOOD.split_whitespace().collect(),
        with("  \"distortion\"", "  \"views\": { \"count\": 8, \"strength\": 0.4 },\n  \"distortion\""),
    ];
    for text in same {
        assert_eq!(hash(&text), hash(GOOD), "{text}");
    }

    let others = [
        with("\"mnist\"", "\"fashion-mnist\""),
        with("2012", "2013"),
        with("20C4", "21C4"),
        with("\"relu\"", "\"scaled-tanh\""),
        with("\"fan-in\"", "\"paper\""),
        with("14, 20", "14, 18"),
        with("14, 20", "20, 14"),
        with("\"fp32\"", "\"bf16\""),
        skipping("0.001"),
        skipping("0.5"),
        with("\"columns_per_width\": 2", "\"columns_per_width\": 3"),
        with("\"epochs\": 8", "\"epochs\": 9"),
        with("\"batch\": 128", "\"batch\": 127"),
        with("10000", "9999"),
        with("\"peak\": 0.05", "\"peak\": 0.04"),
        with("\"warm_up\": 0.1", "\"warm_up\": 0.2"),
        with(ONE_CYCLE, EXPONENTIAL),
        with("\"momentum\": 0.9", "\"momentum\": 0.8"),
        with("\"nesterov\": true", "\"nesterov\": false"),
        with(SGD, ADAM_W),
        with(SGD, &ADAM_W.replace("0.999", "0.99")),
        with("\"sigma\": 8", "\"sigma\": 7"),
        with("\"alpha\": 36", "\"alpha\": 34"),
        with("\"gaussian\"", "\"theano\""),
        with("\"translation_px\": 0", "\"translation_px\": 1"),
        with("\"rotation_deg\": 0", "\"rotation_deg\": 1"),
        with("\"scaling\": 0", "\"scaling\": 0.1"),
        with("\"shear\": 0", "\"shear\": 0.1"),
        with("\"anneal\": 0.3", "\"anneal\": 0"),
    ];
    let mut hashes: Vec<String> = others.iter().map(|text| hash(text)).collect();
    hashes.push(hash(GOOD));
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), others.len() + 1);
}

#[test]
fn differences_name_the_keys_that_the_hash_is_of() {
    let differences = |text: &str| {
        let found = good().differences(&Study::from_json(text).unwrap());
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(differences(GOOD), [""; 0]);
    assert_eq!(differences(&with("\"good\"", "\"renamed\"").replace("a remark", "another")), [""; 0]);
    assert_eq!(
        differences(
            &with("14, 20", "14").replace("\"sigma\": 8", "\"sigma\": 0.3").replace("fan-in", "paper")
        ),
        [
            "initialization is \"paper\" there and \"fan-in\" in yours",
            "widths is [\"original\",14] there and [\"original\",14,20] in yours",
            "distortion.sigma is 0.3 there and 8.0 in yours",
        ]
    );
    // Another schedule has other keys.
    assert_eq!(
        differences(&with(ONE_CYCLE, EXPONENTIAL))[..2],
        [
            "learning_rate.schedule is \"exponential\" there and \"one-cycle\" in yours",
            "learning_rate.peak is left out there and 0.05 in yours",
        ]
    );
}

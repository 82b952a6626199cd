//! The feature `serde`: the JSON forms, and what is refused.

use std::collections::BTreeMap;

use preprocess::{Distortion, Smoothing, Width};

#[test]
fn widths_are_a_word_or_a_number() {
    let widths: Vec<Width> = serde_json::from_str(r#"["original", 10, 20, "14"]"#).unwrap();
    assert_eq!(widths.iter().map(|w| w.pixels()).collect::<Vec<_>>(), [None, Some(10), Some(20), Some(14)]);
    assert_eq!(serde_json::to_string(&widths).unwrap(), r#"["original",10,20,14]"#);
    let by_width: BTreeMap<Width, u8> = serde_json::from_str(r#"{"original": 1, "14": 2}"#).unwrap();
    assert_eq!(serde_json::to_string(&by_width).unwrap(), r#"{"original":1,"14":2}"#);
}

#[track_caller]
fn check_refused<T: serde::de::DeserializeOwned>(json: &str, want: &str) {
    let err = serde_json::from_str::<T>(json).map(|_| "accepted").unwrap_err().to_string();
    assert!(err.starts_with(want), "{err}");
}

#[test]
fn wrong_widths_are_named() {
    check_refused::<Width>("99", "width 99 is out of range: 4 to 28 pixels, or \"original\"");
    check_refused::<Width>("-1", "width -1 is out of range: 4 to 28 pixels, or \"original\"");
    check_refused::<Width>("18446744073709551615", "width 18446744073709551615 is out of range");
    check_refused::<Width>("\"wide\"", "\"wide\" is not a width: expected 4 to 28 pixels, or \"original\"");
    check_refused::<Width>("14.5", "invalid type: floating point `14.5`, expected a width of 4 to 28 pixels");
    check_refused::<Width>("null", "invalid type: null, expected a width of 4 to 28 pixels, or \"original\"");
}

const THEANO: &str = r#"{"sigma":8.0,"alpha":36.0,"smoothing":"theano","translation_px":0.0,"rotation_deg":0.0,"scaling":0.0,"shear":0.0}"#;

#[test]
fn distortions_need_every_key_and_no_other() {
    let distortion: Distortion = serde_json::from_str(THEANO).unwrap();
    assert_eq!((distortion.sigma, distortion.smoothing), (8.0, Smoothing::Theano));
    assert_eq!(serde_json::to_string(&distortion).unwrap(), THEANO);
    check_refused::<Distortion>(
        &THEANO.replace("sigma", "sgima"),
        "unknown field `sgima`, expected one of `sigma`",
    );
    check_refused::<Distortion>(&THEANO.replace(r#","shear":0.0"#, ""), "missing field `shear`");
    check_refused::<Distortion>(
        &THEANO.replace("theano", "box"),
        "unknown variant `box`, expected `gaussian` or `theano`",
    );
}

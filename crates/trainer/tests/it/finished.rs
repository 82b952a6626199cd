//! Finished columns applied to digits: by the library and by the program `predictor`.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use ciresan_cpu::CpuEngine;
use ciresan_net::Engine;
use classifier::predict_finished;
use mnist_data::Data;
use mnist_data::idx::{self, Array};
use ndarray::{Array3, Axis, Ix3, s};
use serde_json::json;

use crate::fixture::Fixture;

#[test]
fn test_digits_get_the_probabilities_of_the_column_to_the_bit() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&[]).check(0, &[]);
    let folder = fixture.results();
    let manifest = folder.manifest().unwrap().unwrap();
    let columns = manifest.config.columns();
    let digits = Data::sample().test.images().to_owned();
    let all = predict_finished(&folder, &manifest, &columns, digits.view(), CpuEngine::new).unwrap();
    for (id, probabilities) in columns.iter().zip(all.outer_iter()) {
        assert_eq!(probabilities, study::read_probabilities(&folder.column(id).probabilities()).unwrap());
    }
    // However many there are at once, and in any order of columns.
    for images in [0..0, 0..1, 31..37, 3..100] {
        let some = digits.slice(s![images.clone(), .., ..]);
        let got =
            predict_finished(&folder, &manifest, &[columns[1], columns[0]], some, CpuEngine::new).unwrap();
        assert_eq!(got.index_axis(Axis(0), 0), all.slice(s![1, images.clone(), ..]));
        assert_eq!(got.index_axis(Axis(0), 1), all.slice(s![0, images, ..]));
    }

    // The program says the same.
    let output = predictor(&fixture, "w14-1,original-1", &idx(&digits));
    assert!(output.status.success(), "{output:?}");
    let Array::F32(got) = idx::read_from(output.stdout.as_slice(), "stdout").unwrap() else { panic!() };
    assert_eq!(got.into_dimensionality::<Ix3>().unwrap(), all);
}

#[test]
fn what_cannot_be_used_is_named() {
    let fixture = Fixture::with(json!({ "epochs": 1, "distortion": null }));
    fixture.run(&["--columns", "w14-1"]).check(0, &[]);
    let weights = fixture.column("w14-1").weights();
    let digits = idx(&Array3::zeros((1, 28, 28)));
    let check = |columns: &str, digits: &[u8], words: &str| {
        let output = predictor(&fixture, columns, digits);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(words), "no {words:?} in {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    };
    check("w14-1", b"", "the digits on stdin: truncated");
    check("w14-1", &idx(&Array3::zeros((1, 30, 28))), "column w14-1: image of 30 x 28 pixels");
    check(
        "original-1",
        &digits,
        "columns/original-1/column.json: not a finished column's record: no such file",
    );

    let whole = fs::read(&weights).unwrap();
    fs::create_dir_all(fixture.column("original-1").root()).unwrap();
    fs::copy(fixture.column("w14-1").record(), fixture.column("original-1").record()).unwrap();
    check(
        "original-1",
        &digits,
        "original-1/column.json: not a column of this study: its name is w14-1, expected original-1",
    );
    fs::write(&weights, &whole[..100]).unwrap();
    check("w14-1", &digits, "w14-1/weights.safetensors: damaged: its SHA-256 is ");
    fs::remove_file(fixture.results().manifest_path()).unwrap();
    check("w14-1", &digits, "no study.json there");
}

fn idx(digits: &Array3<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx::write_to(&mut bytes, &Array::from(digits.clone()), "made here").unwrap();
    bytes
}

fn predictor(fixture: &Fixture, columns: &str, digits: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_predictor"))
        .env_remove("CIRESAN_INSTRUCTION_SET")
        .arg("--study")
        .arg(fixture.results().root())
        .args(["--columns", columns])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(digits).unwrap();
    child.wait_with_output().unwrap()
}

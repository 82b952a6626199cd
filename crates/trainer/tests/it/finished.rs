//! Finished columns applied to digits.

use std::fs;

use ciresan_cpu::CpuEngine;
use ciresan_net::{Engine, EngineSpec, Parameters};
use classifier::{FinishedError, predict_finished};
use mnist_data::Data;
use ndarray::{Array3, ArrayView3, Axis, s};
use study::ColumnId;

use crate::runs::{Runs, study};

/// What some of the run's columns make of the digits.
fn predicted(
    runs: &Runs,
    columns: &[ColumnId],
    digits: ArrayView3<'_, u8>,
) -> Result<Array3<f32>, FinishedError> {
    let folder = runs.folder();
    let manifest = folder.manifest().unwrap().unwrap();
    let make = |spec: &EngineSpec, columns: &[Parameters]| CpuEngine::new(spec, columns);
    predict_finished(&folder, &manifest, columns, digits, None, make)
}

#[test]
fn test_digits_get_the_probabilities_of_the_column_to_the_bit() {
    let runs = Runs::new(study(&[]));
    runs.run(usize::MAX, 1, 1);
    let (folder, columns) = (runs.folder(), runs.study.columns());
    let digits = Data::sample().test.images().to_owned();
    let all = predicted(&runs, &columns, digits.view()).unwrap();
    for (id, probabilities) in columns.iter().zip(all.outer_iter()) {
        assert_eq!(probabilities, study::read_probabilities(&folder.column(id).probabilities()).unwrap());
    }
    // However many there are at once, and in any order of columns.
    for images in [0..0, 0..1, 31..37, 3..100] {
        let some = digits.slice(s![images.clone(), .., ..]);
        let got = predicted(&runs, &[columns[1], columns[0]], some).unwrap();
        assert_eq!(got.index_axis(Axis(0), 0), all.slice(s![1, images.clone(), ..]));
        assert_eq!(got.index_axis(Axis(0), 1), all.slice(s![0, images, ..]));
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let runs = Runs::new(study(&[]));
    runs.run(12, 1, 1);
    let (folder, ids) = (runs.folder(), runs.study.columns());
    assert!(folder.is_finished(&ids[0]).unwrap() && !folder.is_finished(&ids[1]).unwrap());
    let digits = Array3::zeros((1, 28, 28));
    #[track_caller]
    fn check(runs: &Runs, column: ColumnId, digits: &Array3<u8>, words: &str) {
        let error = predicted(runs, &[column], digits.view()).unwrap_err().to_string();
        assert!(error.contains(words), "no {words:?} in {error}");
    }
    check(&runs, ids[0], &Array3::zeros((1, 30, 28)), "column w14-1: image of 30 x 28 pixels");
    check(
        &runs,
        ids[1],
        &digits,
        "columns/original-1/column.json: not a finished column's record: no such file",
    );

    let files = ids.iter().map(|id| folder.column(id)).collect::<Vec<_>>();
    fs::create_dir_all(files[1].root()).unwrap();
    fs::copy(files[0].record(), files[1].record()).unwrap();
    let words = "original-1/column.json: not a column of this study: its name is w14-1, expected original-1";
    check(&runs, ids[1], &digits, words);
    let whole = fs::read(files[0].weights()).unwrap();
    fs::write(files[0].weights(), &whole[..100]).unwrap();
    check(&runs, ids[0], &digits, "w14-1/weights.safetensors: damaged: its SHA-256 is ");
}

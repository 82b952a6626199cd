//! A study folder whose columns are wrong where a test wants it.

use std::fs;

use ciresan_net::{Metadata, Parameters};
use ndarray::Array2;
use report::Labels;
use study::{
    ColumnId, ColumnRecord, DataFile, EpochRecord, Manifest, Provenance, RECORD_SCHEMA, ResultsFolder, Study,
    TrainingRun, write_probabilities,
};

/// Test digits of a made-up study; digit i has the label i mod 10.
pub(crate) const N_TEST: usize = 200;

pub(crate) fn labels() -> Vec<u8> {
    (0..N_TEST).map(|image| (image % 10) as u8).collect()
}

/// These as the labels of the test digits; of the training digits too, where a test holds them out.
pub(crate) fn of(labels: &[u8]) -> Labels<'_> {
    Labels { test: labels, training: labels }
}

/// One column: how sure it is of its answers, and the test digits it takes for the next class.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) sure: f32,
    pub(crate) wrong: &'static [usize],
}

pub(crate) struct MadeUp {
    _parent: tempfile::TempDir,
    pub(crate) folder: ResultsFolder,
}

/// Makes the results folder of a study with these finished columns.
pub(crate) fn study(data: &str, widths: &str, columns_per_width: u16, columns: &[Column]) -> MadeUp {
    let parent = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::create(parent.path().join("tiny")).unwrap();
    let config = Study::from_json(&format!(
        r#"{{
        "schema": 1, "name": "tiny", "data": "{data}", "seed": 2012,
        "network": "1x29x29-20C4-MP2-40C5-MP3-150N-10N", "activation": "relu", "initialization": "fan-in",
        "widths": {widths}, "columns_per_width": {columns_per_width}, "epochs": 8, "batch": 100, "validation": 0,
        "learning_rate": {{ "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 }},
        "optimizer": {{ "rule": "sgd", "momentum": 0.9, "nesterov": true }}, "precision": "fp32",
        "distortion": null
    }}"#
    ))
    .unwrap();
    folder.write_manifest(&manifest(&config)).unwrap();
    for column in columns {
        finish(&folder, column);
    }
    MadeUp { _parent: parent, folder }
}

/// Writes what makes a column finished.
pub(crate) fn finish(folder: &ResultsFolder, column: &Column) {
    let id: ColumnId = column.name.parse().unwrap();
    let files = folder.column(&id);
    files.create().unwrap();
    let manifest = folder.manifest().unwrap().unwrap();
    fs::write(files.weights(), weights(&manifest, &id)).unwrap();
    write_probabilities(&files.probabilities(), probabilities(column).view()).unwrap();
    record(folder, id, provenance());
}

/// Writes the record of a finished column, with the checksums of its files as they are.
pub(crate) fn record(folder: &ResultsFolder, column: ColumnId, by: Provenance) {
    let files = folder.column(&column);
    let run = TrainingRun { begun: "2026-11-25T10:00:00Z".to_owned(), epochs_before: 0, wall_s: 65.4, by };
    let record = ColumnRecord {
        schema: RECORD_SCHEMA,
        column,
        config_hash: folder.manifest().unwrap().unwrap().config_hash,
        runs: vec![run],
        predicted_by: None,
        kept_epoch: None,
        views: None,
        files: files.checksums().unwrap(),
    };
    files.write_record(&record).unwrap();
}

/// Writes the metrics of a column: number of the epoch, loss, error on held-out digits, seconds.
pub(crate) fn write_metrics(folder: &ResultsFolder, column: &str, epochs: &[(u32, f64, Option<f64>, f64)]) {
    let id: ColumnId = column.parse().unwrap();
    let line = |&(epoch, loss, validation_error, elapsed_s): &(u32, f64, Option<f64>, f64)| {
        let record = EpochRecord {
            epoch,
            learning_rate: 0.05,
            loss,
            update_ratio: 0.001,
            skipped: None,
            images_per_second: 9_000.0,
            validation_error,
            elapsed_s,
        };
        serde_json::to_string(&record).unwrap() + "\n"
    };
    let files = folder.column(&id);
    files.create().unwrap();
    fs::write(files.metrics(), epochs.iter().map(line).collect::<String>()).unwrap();
    if folder.is_finished(&id).unwrap() {
        record(folder, id, provenance());
    }
}

/// Weights of the study's network, all 0: what they say about themselves is read, no digit is shown to them.
fn weights(manifest: &Manifest, id: &ColumnId) -> Vec<u8> {
    let Study { network, activation, .. } = &manifest.config;
    let extra = [("column", id.to_string()), ("config_hash", manifest.config_hash.clone())];
    let extra = extra.map(|(key, value)| (key.to_owned(), value)).into();
    let metadata = Metadata { network: network.clone(), activation: *activation, extra };
    Parameters::zeros(network).to_safetensors(&metadata).unwrap()
}

/// Sure of one class; of the rest, four parts of five for its neighbour, which is the label where it errs.
fn probabilities(column: &Column) -> Array2<f32> {
    let rest = 1.0 - column.sure;
    let mut probabilities = Array2::from_elem((N_TEST, 10), rest / 5.0 / 8.0);
    for image in 0..N_TEST {
        let (label, next) = (image % 10, (image + 1) % 10);
        let (first, second) = if column.wrong.contains(&image) { (next, label) } else { (label, next) };
        probabilities[[image, first]] = column.sure;
        probabilities[[image, second]] = rest * 0.8;
    }
    probabilities
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        version: "0.1.0".to_owned(),
        commit: "f9997fc".to_owned(),
        engine: "ciresan-cpu".to_owned(),
        instruction_set: Some("avx512".to_owned()),
        precision: "fp32".to_owned(),
        cpu: "a made-up processor".to_owned(),
        ..Provenance::default()
    }
}

fn manifest(config: &Study) -> Manifest {
    Manifest::new(
        config,
        &[DataFile { name: "t10k-labels-idx1-ubyte".to_owned(), sha256: "ff7b".to_owned() }],
    )
}

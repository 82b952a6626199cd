//! Finished columns: what says that a column is done, and that damage is found in whatever file it is.

use std::collections::BTreeMap;
use std::fs;

use ciresan_net::{Metadata, Parameters};
use ndarray::Array2;
use preprocess::Views;
use study::{
    ColumnFolder, ColumnRecord, EpochRecord, Predictions, Provenance, RECORD_SCHEMA, ResultsFolder, Study,
    StudyError, TrainingRun, kinds, write_probabilities,
};

use crate::folder::{column, created, manifest};
use crate::good::with;

/// A study that holds no digits out.
fn study() -> Study {
    Study::from_json(&with("\"validation\": 10000", "\"validation\": 0")).unwrap()
}

/// A results folder whose column w14-1 is finished.
fn finished() -> (tempfile::TempDir, ResultsFolder) {
    let (parent, folder) = created();
    folder.write_manifest(&manifest(&study())).unwrap();
    let files = folder.column(&column("w14-1"));
    files.create().unwrap();
    fs::write(files.weights(), weights("w14-1", &study().hash())).unwrap();
    write_probabilities(&files.probabilities(), Array2::from_elem((3, 10), 0.1).view()).unwrap();
    let line = EpochRecord {
        epoch: 8,
        learning_rate: 0.05,
        loss: 0.25,
        update_ratio: 0.001,
        skipped: None,
        images_per_second: 1e4,
        validation_error: None,
        elapsed_s: 60.0,
    };
    fs::write(files.metrics(), serde_json::to_string(&line).unwrap() + "\n").unwrap();
    files.write_record(&record(&files)).unwrap();
    (parent, folder)
}

fn weights(name: &str, hash: &str) -> Vec<u8> {
    let study = study();
    let extra = [("column", name), ("config_hash", hash)];
    let extra: BTreeMap<_, _> = extra.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let metadata = Metadata { network: study.network.clone(), activation: study.activation, extra };
    Parameters::zeros(&study.network).to_safetensors(&metadata).unwrap()
}

fn record(files: &ColumnFolder) -> ColumnRecord {
    let by = Provenance {
        engine: "ciresan-cpu".to_owned(),
        precision: "fp32".to_owned(),
        ..Provenance::default()
    };
    let run = |wall_s| TrainingRun {
        begun: "2026-11-25T10:00:00Z".to_owned(),
        epochs_before: 0,
        wall_s,
        by: by.clone(),
    };
    ColumnRecord {
        schema: RECORD_SCHEMA,
        column: column("w14-1"),
        config_hash: study().hash(),
        runs: vec![run(1.5), run(2.25)],
        predicted_by: None,
        kept_epoch: None,
        views: None,
        files: files.checksums().unwrap(),
    }
}

#[test]
fn a_column_is_finished_when_its_record_is_there() {
    let (_parent, folder) = finished();
    let (id, manifest) = (column("w14-1"), folder.manifest().unwrap().unwrap());
    assert_eq!(folder.finished(&study()).unwrap(), [id]);
    assert!(folder.is_complete(&[id], false, None));
    let whole = folder.finished_column(&manifest, id).unwrap();
    assert_eq!(whole.file_names(), ["weights.safetensors", "metrics.jsonl", "probabilities.npy"]);
    assert_eq!(whole.epochs().unwrap().len(), 1);
    assert_eq!((whole.record().n_interruptions(), whole.record().wall_s()), (1, 3.75));
    fs::remove_file(folder.column(&id).record()).unwrap();
    assert_eq!(folder.finished(&study()).unwrap(), []);
    let message = folder.finished_column(&manifest, id).unwrap_err().to_string();
    assert!(message.ends_with("column.json: not a finished column's record: no such file"), "{message}");
}

#[test]
fn any_flipped_bit_is_told() {
    let (_parent, folder) = finished();
    let (id, manifest) = (column("w14-1"), folder.manifest().unwrap().unwrap());
    let files = folder.column(&id);
    let read_all = || -> Result<(), StudyError> {
        let column = folder.finished_column(&manifest, id)?;
        column.weights()?;
        column.epochs()?;
        column.probabilities(Predictions::Test).map(drop)
    };
    read_all().unwrap();
    for path in [files.weights(), files.metrics(), files.probabilities(), files.record()] {
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len().div_ceil(200)) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            let message = read_all().unwrap_err().to_string();
            assert!(
                message.starts_with(&path.display().to_string()) && message.contains("damaged"),
                "{message}"
            );
            assert!(!folder.is_complete(&[id], false, None));
        }
        fs::write(&path, &whole).unwrap();
    }
    read_all().unwrap();
}

#[test]
fn lost_predictions_can_be_made_again_and_lost_weights_cannot() {
    let (_parent, folder) = finished();
    let (id, manifest) = (column("w14-1"), folder.manifest().unwrap().unwrap());
    let files = folder.column(&id);
    let lost = || folder.finished_column(&manifest, id).unwrap().lost_predictions(false, None);
    assert_eq!(lost().unwrap(), []);
    fs::remove_file(files.probabilities()).unwrap();
    assert_eq!(lost().unwrap(), [Predictions::Test]);
    let whole = folder.finished_column(&manifest, id).unwrap();
    let message = whole.probabilities(Predictions::Test).unwrap_err().to_string();
    assert!(message.contains("probabilities.npy: no such file, expected "), "{message}");
    assert!(message.ends_with("by column.json; `reproduce` computes it again from the weights"), "{message}");

    // Views that are asked for and not there, or others, are missing.
    let few = Views { count: 2, strength: 0.4 };
    let wanted =
        |views| folder.finished_column(&manifest, id).unwrap().lost_predictions(false, views).unwrap();
    study::write_probabilities(&files.probabilities(), ndarray::Array2::from_elem((3, 10), 0.1).view())
        .unwrap();
    files.write_record(&record(&files)).unwrap();
    assert_eq!((wanted(None), wanted(Some(few))), (vec![], vec![Predictions::Views]));
    let views = files.root().join("views.npy");
    study::write_probabilities(&views, ndarray::Array2::from_elem((3, 10), 0.1).view()).unwrap();
    files.write_record(&ColumnRecord { views: Some(few), ..record(&files) }).unwrap();
    assert_eq!((wanted(None), wanted(Some(few))), (vec![], vec![]));
    assert_eq!(wanted(Some(Views { count: 3, ..few })), [Predictions::Views]);
    fs::write(&views, "damaged").unwrap();
    assert_eq!(wanted(None), [Predictions::Views]);

    fs::remove_file(files.weights()).unwrap();
    let message = lost().unwrap_err().to_string();
    let cure = "restore it from a copy, or delete the column's folder to train the column again";
    assert!(message.contains("weights.safetensors: no such file") && message.ends_with(cure), "{message}");
}

#[test]
fn a_record_of_another_column_config_or_format_is_refused() {
    let (_parent, folder) = finished();
    let (id, manifest) = (column("w14-1"), folder.manifest().unwrap().unwrap());
    let files = folder.column(&id);
    let message = |record: &ColumnRecord| {
        files.write_record(record).unwrap();
        folder.finished_column(&manifest, id).unwrap_err().to_string()
    };
    let other = message(&ColumnRecord { column: column("w20-1"), ..record(&files) });
    assert!(other.ends_with("not a column of this study: its name is w20-1, expected w14-1"), "{other}");
    let other = message(&ColumnRecord { config_hash: "00ff".to_owned(), ..record(&files) });
    assert!(other.contains("its config hash is 00ff, expected "), "{other}");
    let newer = message(&ColumnRecord { schema: 9, ..record(&files) });
    let want =
        "its format is 9, but this version reads formats up to 1; a newer version of this program wrote it";
    assert!(newer.ends_with(want), "{newer}");
}

#[test]
fn weights_of_another_network_column_or_config_are_refused() {
    let (_parent, folder) = finished();
    let (id, manifest) = (column("w14-1"), folder.manifest().unwrap().unwrap());
    let files = folder.column(&id);
    let message = |bytes: &[u8]| {
        fs::write(files.weights(), bytes).unwrap();
        files.write_record(&record(&files)).unwrap();
        folder.finished_column(&manifest, id).unwrap().weights().unwrap_err().to_string()
    };
    let hash = study().hash();
    let name = message(&weights("w20-1", &hash));
    assert!(name.ends_with("not a column of this study: its name is w20-1, expected w14-1"), "{name}");
    let config = message(&weights("w14-1", "00ff"));
    assert!(config.ends_with(&format!("its config hash is 00ff, expected {hash}")), "{config}");
    let half = message(b"half of i");
    assert!(half.contains("weights.safetensors: not a whole safetensors file: "), "{half}");
    // NaN in a weight: the last four bytes of the file.
    let mut nan = weights("w14-1", &hash);
    let at = nan.len() - 4;
    nan[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    let nan = message(&nan);
    assert!(nan.contains("value NaN at index"), "{nan}");
}

#[test]
fn a_lost_manifest_is_adopted_by_the_columns_config() {
    let (_parent, folder) = finished();
    fs::remove_file(folder.manifest_path()).unwrap();
    assert_eq!(folder.adopt(&study()).unwrap(), None);
    let files = folder.column(&column("w14-1"));
    // Without the record the weights say it.
    fs::remove_file(files.record()).unwrap();
    assert_eq!(folder.adopt(&study()).unwrap(), None);
    fs::write(files.weights(), weights("w14-1", "00ff")).unwrap();
    let error = folder.adopt(&study()).unwrap_err();
    assert!(matches!(error, StudyError::OtherConfig { .. }) && error.is_wrong_usage(), "{error}");
}

#[test]
fn kinds_are_what_decides_the_rounding() {
    let (_parent, folder) = finished();
    let one = record(&folder.column(&column("w14-1")));
    let mut other = ColumnRecord { column: column("w20-1"), ..one.clone() };
    other.runs[1].by.instruction_set = Some("avx2".to_owned());
    let third = ColumnRecord { column: column("w20-2"), ..one.clone() };
    let found: Vec<String> = kinds([&one, &other, &third]).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["ciresan-cpu fp32 (2 columns)", "ciresan-cpu fp32 and ciresan-cpu avx2 fp32 (1 column)"]
    );
}

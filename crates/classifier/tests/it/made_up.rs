//! Results folders of studies that were never trained: first weights in place of final ones. Shared with the bench.

use std::fs;
use std::path::Path;

use chacha20::ChaCha8Rng;
use ciresan_net::{Metadata, Parameters};
use rand::SeedableRng;
use study::{ColumnId, ColumnRecord, Manifest, Provenance, RECORD_SCHEMA, ResultsFolder, Study, TrainingRun};

/// Makes the results folder of a study; none of its columns is finished.
pub(crate) fn study(root: &Path, network: &str, widths: &str, columns_per_width: u16) -> ResultsFolder {
    let folder = ResultsFolder::create(root).unwrap();
    let config = Study::from_json(&format!(
        r#"{{
        "schema": 1, "name": "made-up", "data": "sample", "seed": 2012,
        "network": "{network}", "activation": "relu", "initialization": "fan-in",
        "widths": {widths}, "columns_per_width": {columns_per_width}, "epochs": 8, "batch": 100, "validation": 0,
        "learning_rate": {{ "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 }},
        "optimizer": {{ "rule": "sgd", "momentum": 0.9, "nesterov": true }}, "precision": "fp32",
        "distortion": {{
            "sigma": 8, "alpha": 36, "smoothing": "gaussian",
            "translation_px": 1, "rotation_deg": 5, "scaling": 0.1, "shear": 0.1, "anneal": 0
        }}
    }}"#
    ))
    .unwrap();
    folder.write_manifest(&Manifest::new(&config, &[])).unwrap();
    folder
}

/// First weights of a column, each column's own.
pub(crate) fn weights(study: &Study, id: ColumnId) -> Parameters {
    let mut rng = ChaCha8Rng::seed_from_u64(id.coordinate().into());
    Parameters::init(&study.network, study.activation, study.initialization, &mut rng)
}

/// Writes what makes a column finished.
pub(crate) fn finish(folder: &ResultsFolder, id: ColumnId, weights: &Parameters) {
    let Manifest { config, config_hash, .. } = folder.manifest().unwrap().unwrap();
    let extra = [("column", id.to_string()), ("config_hash", config_hash.clone())];
    let extra = extra.map(|(key, value)| (key.to_owned(), value)).into();
    let metadata = Metadata { network: config.network.clone(), activation: config.activation, extra };
    let files = folder.column(&id);
    files.create().unwrap();
    fs::write(files.weights(), weights.to_safetensors(&metadata).unwrap()).unwrap();
    let by = Provenance { engine: "ciresan-cpu".to_owned(), ..Provenance::default() };
    let begun = "2026-11-25T10:00:00Z".to_owned();
    files
        .write_record(&ColumnRecord {
            schema: RECORD_SCHEMA,
            column: id,
            config_hash,
            runs: vec![TrainingRun { begun, epochs_before: 0, wall_s: 1.0, by }],
            predicted_by: None,
            kept_epoch: None,
            views: None,
            files: files.checksums().unwrap(),
        })
        .unwrap();
}

/// A study whose columns are all finished.
pub(crate) fn finished(
    root: &Path,
    network: &str,
    widths: &str,
    columns_per_width: u16,
) -> (ResultsFolder, Study) {
    let folder = study(root, network, widths, columns_per_width);
    let study = folder.manifest().unwrap().unwrap().config;
    for id in study.columns() {
        finish(&folder, id, &weights(&study, id));
    }
    (folder, study)
}

//! What a finished study leaves behind.

use std::fs;

use ciresan_net::{Activation, Parameters};
use mnist_data::Data;
use ndarray::{Array2, ArrayView1};
use serde_json::{Value, json};

use crate::training::{EPOCHS, Ended, Fixture};

#[test]
fn a_study_is_trained_to_its_end_and_then_there_is_nothing_to_do() {
    let fixture = Fixture::with(json!({ "validation": 80 }));
    let ended = fixture.run(&["--workers", "2", "--test"]);
    ended.check(
        0,
        &[
            "to train  2 columns (w14-1, original-1); 12 epochs of 320 digits each\nengine    ciresan-cpu ",
            ", 2 workers\n",
            "w14-1       epoch 1/12  lr ",
            "original-1  epoch 12/12  lr ",
            "trained 2 columns, 24 epochs in ",
            " images a second on 2 workers (distortion included)\n",
        ],
    );

    let results = fixture.results();
    let manifest = results.manifest().unwrap().unwrap();
    assert_eq!(results.finished(&manifest.config).unwrap().len(), 2);
    assert_eq!(manifest.data.len(), 4);
    for id in manifest.config.columns() {
        let column = results.finished_column(&manifest, id).unwrap();
        let [run] = &column.record().runs[..] else { panic!("{:?}", column.record()) };
        assert_eq!(
            (run.by.engine.as_str(), run.by.version.as_str()),
            ("ciresan-cpu", env!("CARGO_PKG_VERSION"))
        );
        assert!(run.wall_s > 0.0 && run.begun.starts_with("20") && run.begun.ends_with('Z'), "{run:?}");
        assert!(run.by.instruction_set.is_some() && !run.by.cpu.is_empty(), "{run:?}");
        assert_eq!(column.file_names().len(), 4);
    }
    let data = Data::sample();
    for id in ["w14-1", "original-1"] {
        let column = fixture.column(id);
        let bytes = fs::read(column.weights()).unwrap();
        let (_, metadata) = Parameters::from_safetensors(&bytes).unwrap();
        assert_eq!(metadata.activation, Activation::Relu);
        assert_eq!(metadata.extra["column"], id);
        assert_eq!(metadata.extra["width"], id.trim_start_matches('w').trim_end_matches("-1"));
        assert_eq!(metadata.extra["config_hash"], manifest.config_hash);
        let probabilities = study::read_probabilities(&column.probabilities()).unwrap();
        assert_eq!(probabilities.dim(), (100, 10));
        // The held-out digits are the last ones, and the last epoch counted what is wrong in these.
        let validation = study::read_probabilities(&column.validation()).unwrap();
        let (_, held_out) = data.train.hold_out(80).unwrap();
        let n_wrong = wrong(&validation, held_out.labels());
        let last = fixture.metrics(id).pop().unwrap();
        assert_eq!(last["validation_error"].as_f64(), Some(n_wrong as f64 / 80.0));
        assert!(!column.checkpoint().exists());
        let metrics = fixture.metrics(id);
        assert_eq!(metrics.len(), EPOCHS as usize);
        assert!(
            metrics[EPOCHS as usize - 1]["loss"].as_f64().unwrap() < metrics[0]["loss"].as_f64().unwrap()
        );
        for line in &metrics {
            assert!((0.0..=1.0).contains(&line["validation_error"].as_f64().unwrap()), "{line}");
            assert!(line["update_ratio"].as_f64().unwrap() > 0.0, "{line}");
        }
    }

    // A checkpoint that a crash has left behind goes; nothing else is touched.
    let (before, stray) = (fixture.bits(), fixture.column("w14-1").checkpoint());
    fs::write(&stray, "left behind").unwrap();
    fixture.run(&[]).check(0, &["nothing to train: every column in ", " is finished\n"]);
    assert!(!stray.exists());
    let again = fixture.run(&["--columns", "w14-1"]);
    again.check(0, &["nothing to train: every column asked for in ", " is finished\n"]);
    assert_eq!(fixture.bits(), before);
}

#[test]
fn columns_can_be_chosen_and_progress_be_silenced() {
    let fixture = Fixture::with(json!({ "epochs": 2, "distortion": null }));
    let first = fixture.run(&["--columns", "original-1", "--quiet", "--workers", "1"]);
    first.check(0, &["trained 1 column, 2 epochs in ", " on 1 worker (no distortion)\n"]);
    assert_eq!(first.stderr.lines().count(), 1, "{}", first.stderr);
    assert!(!fixture.column("w14-1").root().exists());
    let second = fixture.run(&[]);
    second.check(0, &["to train  1 column (w14-1), 1 finished before; 2 epochs of 400 digits each"]);
    assert_eq!(fixture.bits().len(), 4);
    assert!(!fixture.column("w14-1").validation().exists(), "nothing is held out");
}

#[test]
fn a_study_that_holds_digits_out_leaves_the_test_digits_unread() {
    let fixture = Fixture::with(json!({ "validation": 80, "epochs": 1 }));
    fixture.run(&[]).check(0, &[]);
    let column = fixture.column("w14-1");
    assert!(column.validation().exists() && !column.probabilities().exists());
    fixture.run(&[]).check(0, &["nothing to train"]);
    // Asked for, they are predicted from the weights; nothing is trained.
    let weights = fs::read(column.weights()).unwrap();
    let ended = fixture.run(&["--test"]);
    ended.check(
        0,
        &[
            "w14-1       predictions were missing or damaged; computed again from the weights",
            "nothing to train",
        ],
    );
    assert!(column.probabilities().exists());
    assert_eq!(fs::read(column.weights()).unwrap(), weights);

    // Damaged, they are made again with --test alone: the held-out digits never take their place.
    let whole = fs::read(column.probabilities()).unwrap();
    fs::write(column.probabilities(), "damaged").unwrap();
    fixture.run(&[]).check(
        1,
        &["w14-1/probabilities.npy: missing or damaged", "`--test` computes the predictions again"],
    );
    assert_eq!(fs::read(column.probabilities()).unwrap(), b"damaged");
    fixture.run(&["--test"]).check(0, &["predictions were missing or damaged; computed again"]);
    assert_eq!(fs::read(column.probabilities()).unwrap(), whole);
}

#[test]
fn damaged_predictions_are_made_again_and_damaged_weights_are_told() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&[]).check(0, &[]);
    let (before, column) = (fixture.bits(), fixture.column("w14-1"));
    let record = fs::read(column.record()).unwrap();
    let mut flipped = fs::read(column.probabilities()).unwrap();
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    fs::write(column.probabilities(), flipped).unwrap();
    fixture
        .run(&[])
        .check(0, &["w14-1       predictions were missing or damaged; computed again from the weights"]);
    assert_eq!(fixture.bits(), before);
    assert_eq!(fs::read(column.record()).unwrap(), record);

    let mut flipped = fs::read(column.weights()).unwrap();
    let at = flipped.len() - 2;
    flipped[at] ^= 1;
    fs::write(column.weights(), &flipped).unwrap();
    let cure = "restore it from a copy, or delete the column's folder to train the column again\n";
    fixture
        .run(&[])
        .check(1, &["error: column w14-1: ", "weights.safetensors: damaged: its SHA-256 is ", cure]);
    fs::remove_dir_all(column.root()).unwrap();
    fixture.run(&[]).check(0, &["to train  1 column (w14-1), 1 finished before"]);
    assert_eq!(fixture.bits(), before);
}

#[test]
fn a_lost_manifest_is_written_again() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&["--columns", "w14-1"]).check(0, &[]);
    let manifest = fs::read(fixture.results().manifest_path()).unwrap();
    fs::remove_file(fixture.results().manifest_path()).unwrap();
    fixture.run(&[]).check(0, &["to train  1 column (original-1), 1 finished before"]);
    assert_eq!(fs::read(fixture.results().manifest_path()).unwrap(), manifest);
}

/// How many of the most probable classes, of equals the first, are not the labels.
fn wrong(probabilities: &Array2<f32>, labels: &[u8]) -> usize {
    assert_eq!(probabilities.nrows(), labels.len());
    let best = |row: ArrayView1<'_, f32>| (0..10).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
    let pairs = probabilities.rows().into_iter().zip(labels);
    pairs.filter(|(row, label)| best(*row) != usize::from(**label)).count()
}

#[test]
fn columns_of_one_study_differ_and_seeds_change_them() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&[]).check(0, &[]);
    let first = fixture.bits();
    let values = |bytes: &[u8]| Parameters::from_safetensors(bytes).unwrap().0;
    let [a, b] =
        ["w14-1/weights.safetensors", "original-1/weights.safetensors"].map(|name| values(&first[name]));
    assert_ne!(a, b);
    let other = Fixture::with(json!({ "epochs": 1, "seed": 2013 }));
    other.run(&[]).check(0, &[]);
    assert_ne!(values(&other.bits()["w14-1/weights.safetensors"]), a);
}

#[test]
fn early_stopping_is_said_in_plan_progress_and_state() {
    let fixture = Fixture::with(json!({ "epochs": 40, "validation": 80 }));
    let rule = r#"early_stopping={"patience": 3, "increase": 1, "threshold": 0.5}"#;
    let ended = fixture.run(&["--set", rule]);
    ended.check(
        0,
        &["to train  2 columns (w14-1, original-1); at most 40 epochs of 320 digits each", "stops     early"],
    );
    let manifest = fixture.results().manifest().unwrap().unwrap();
    let status = Ended::of(fixture.program().args(["status", "--study", "results", "--json"]));
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    for (index, id) in ["w14-1", "original-1"].into_iter().enumerate() {
        let (folder, id) = (fixture.results(), id.parse().unwrap());
        let column = folder.finished_column(&manifest, id).unwrap();
        let (n_epochs, kept) = (column.epochs().unwrap().len(), column.record().kept_epoch.unwrap());
        assert!(n_epochs < 40, "{id}");
        let line = format!("{id:<11} finished after epoch {n_epochs}, with the weights of epoch {kept}, ");
        assert!(ended.stderr.contains(&line), "no {line:?} in {}", ended.stderr);
        let (state, epoch) = (&status["columns"][index]["state"], &status["columns"][index]["epoch"]);
        assert_eq!((state, epoch), (&json!("finished"), &json!(n_epochs)));
    }
    // The table is that of the weights that are kept.
    let report = Ended::of(fixture.program().args(["report", "--study", "results"]));
    assert_eq!(report.code, Some(0), "{report:?}");
}

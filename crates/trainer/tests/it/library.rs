//! Stopped after any step, on any number of threads, the library comes to the same bits.

use std::fs;

use ciresan_cpu::CpuEngine;
use ciresan_net::{Engine, EngineSpec, Parameters};
use serde_json::{Value, json};
use study::{Predictions, Study};
use trainer::Summary;

use crate::runs::{Runs, study};

impl Runs {
    /// Trains what is unfinished until the stop flag is set after `step` steps; also gives back what was told.
    pub(crate) fn run(&self, step: usize, workers: usize, threads: usize) -> (Summary, Vec<String>) {
        self.run_in_groups(step, workers, threads, 1)
    }

    pub(crate) fn run_in_groups(
        &self,
        step: usize,
        workers: usize,
        threads: usize,
        group: usize,
    ) -> (Summary, Vec<String>) {
        let make = |_: usize, spec: &EngineSpec, columns: &[Parameters]| CpuEngine::new(spec, columns);
        self.run_on(&make, step, workers, threads, group)
    }
}

fn unbroken(study: &Study) -> Vec<Vec<u8>> {
    let runs = Runs::new(study.clone());
    let (summary, _) = runs.run(usize::MAX, 1, 1);
    assert_eq!((summary.finished.len(), summary.epochs, summary.images), (2, 6, 360));
    runs.bits()
}

#[test]
fn workers_and_threads_change_nothing() {
    let study = study(&[]);
    let want = unbroken(&study);
    for (workers, threads) in [(1, 3), (2, 1), (2, 2), (2, 5), (3, 2)] {
        let runs = Runs::new(study.clone());
        let (summary, _) = runs.run(usize::MAX, workers, threads);
        assert_eq!((summary.finished.len(), summary.images), (2, 360));
        assert!(runs.bits() == want, "{workers} workers, {threads} threads");
    }
}

/// The tiny study with views.
fn viewed(validation: u32) -> Study {
    study(&[("views", json!({"count": 3, "strength": 0.4})), ("validation", json!(validation))])
}

#[test]
fn views_are_predicted_and_change_nothing_else() {
    for validation in [340, 0] {
        let plain = Runs::new(study(&[("validation", json!(validation))]));
        plain.run(usize::MAX, 1, 1);
        let with_views = Runs::new(viewed(validation));
        with_views.run(usize::MAX, 2, 3);
        assert!(plain.bits() == with_views.bits(), "{validation}");
        let manifest = with_views.folder().manifest().unwrap().unwrap();
        for id in with_views.study.columns() {
            let folder = with_views.folder();
            let column = folder.finished_column(&manifest, id).unwrap();
            assert_eq!(column.record().views, with_views.study.views);
            let views = column.probabilities(Predictions::Views).unwrap();
            let of = if validation > 0 { Predictions::HeldOut } else { Predictions::Test };
            let same_digits = column.probabilities(of).unwrap();
            assert!(views.dim() == same_digits.dim() && views != same_digits);
        }
    }
}

/// Four columns of two widths.
fn four_columns() -> Study {
    study(&[("columns_per_width", json!(2))])
}

#[test]
fn groups_change_nothing() {
    let study = four_columns();
    let apart = Runs::new(study.clone());
    apart.run(usize::MAX, 1, 1);
    let want = apart.bits();
    for (group, workers, threads) in [(4, 1, 1), (4, 1, 3), (3, 2, 2), (2, 2, 3), (9, 3, 3)] {
        let runs = Runs::new(study.clone());
        let (summary, _) = runs.run_in_groups(usize::MAX, workers, threads, group);
        assert_eq!((summary.finished.len(), summary.epochs, summary.images), (4, 12, 720));
        assert!(runs.bits() == want, "groups of {group}, {workers} workers, {threads} threads");
    }
}

#[test]
fn groups_are_of_columns_that_stand_at_the_same_step() {
    let runs = Runs::new(four_columns());
    let (summary, _) = runs.run_in_groups(7, 1, 1, 2);
    let columns = runs.study.columns();
    // Seven steps told: four of one column, and of the other as many, for the step at work is made.
    assert_eq!(summary.stopped, columns[..2]);
    assert_eq!(summary.waiting, columns[2..]);
    let (_, told) = runs.run_in_groups(usize::MAX, 1, 1, 4);
    let kinds: Vec<String> = told
        .iter()
        .filter(|event| event.starts_with("ColumnStarted") || event.starts_with("ColumnFinished"))
        .map(|event| event.split(' ').next().unwrap().to_owned())
        .collect();
    let group = ["ColumnStarted", "ColumnStarted", "ColumnFinished", "ColumnFinished"];
    assert_eq!(kinds, [group, group].concat());
    let apart = Runs::new(four_columns());
    apart.run(usize::MAX, 1, 1);
    assert!(runs.bits() == apart.bits());
}

#[test]
fn a_column_that_fails_leaves_its_group() {
    // Some diverge, each at a step of its own; the others go on as if those had not been there.
    let train = |initial: u32, group| {
        let runs = Runs::new(study(&[
            ("columns_per_width", json!(2)),
            ("network", json!("1x29x29-4C4-MP2-4C5-MP3-40N-40N-40N-10N")),
            ("activation", json!("relu")),
            (
                "learning_rate",
                json!({ "schedule": "exponential", "initial": initial, "factor": 1, "floor": 0 }),
            ),
        ]));
        let (summary, told) = runs.run_in_groups(usize::MAX, 1, 1, group);
        let failed: Vec<String> =
            summary.failed.iter().map(|(column, error)| format!("{column}: {error}")).collect();
        assert_eq!(told.iter().filter(|event| event.starts_with("ColumnFailed")).count(), failed.len());
        let finished: Vec<Vec<u8>> = (summary.finished.iter())
            .map(|id| fs::read(runs.folder().column(id).weights()).unwrap())
            .collect();
        (failed, summary.finished, finished)
    };
    for initial in [30, 100] {
        let apart = train(initial, 1);
        assert!(!apart.0.is_empty(), "none diverged at {initial}");
        assert!(initial > 30 || !apart.1.is_empty(), "{:?}", apart.0);
        assert!(train(initial, 4) == apart, "at {initial}");
    }

    // And one that cannot even begin.
    let runs = Runs::new(four_columns());
    let ids = runs.study.columns();
    runs.run(1, 1, 1);
    fs::create_dir_all(runs.folder().column(&ids[1]).metrics()).unwrap();
    let (summary, _) = runs.run_in_groups(usize::MAX, 1, 1, 4);
    assert_eq!(summary.finished, [ids[0], ids[2], ids[3]]);
    assert_eq!(summary.failed.len(), 1);
}

#[test]
fn a_run_stopped_after_any_step_goes_on_to_the_same_bits() {
    let plain = study(&[
        ("distortion", Value::Null),
        ("learning_rate", json!({ "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.2 })),
        ("optimizer", json!({ "rule": "sgd", "momentum": 0, "nesterov": false })),
    ]);
    let adam_w = study(&[
        ("learning_rate", json!({ "schedule": "one-cycle", "peak": 0.01, "warm_up": 0.2 })),
        (
            "optimizer",
            json!({ "rule": "adamw", "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1 }),
        ),
    ]);
    for study in [study(&[]), plain, adam_w] {
        let want = unbroken(&study);
        // 1: after each step; 4: at each end of an epoch; 12: at the end of a column; 24: at the very end.
        for every in [1, 3, 4, 5, 12, 24] {
            let runs = Runs::new(study.clone());
            let (mut n_images, mut n_epochs) = (0, 0);
            while runs.folder().finished(&study).unwrap().len() < 2 {
                // In turns alone and in lockstep.
                let group = 1 + n_epochs as usize % 2;
                let (summary, _) = runs.run_in_groups(every, 1, 1, group);
                assert!(summary.failed.is_empty(), "{summary:?}");
                n_images += summary.images;
                n_epochs += summary.epochs;
            }
            assert!(runs.bits() == want, "stopped every {every} steps");
            assert_eq!((n_images, n_epochs), (360, 6), "nothing is trained twice");
        }
    }
}

#[test]
fn what_was_skipped_is_counted_over_interruptions() {
    // So large a rate that some digits are soon known.
    let study = study(&[
        ("skip_below", json!(0.5)),
        ("epochs", json!(12)),
        ("initialization", json!("fan-in")),
        ("learning_rate", json!({ "schedule": "exponential", "initial": 0.1, "factor": 1, "floor": 0 })),
    ]);
    let skipped = |runs: &Runs| {
        let metrics = |id| study::read_metrics(&runs.folder().column(&id).metrics()).unwrap();
        let epochs = study.columns().into_iter().flat_map(metrics);
        epochs.map(|epoch| epoch.skipped.unwrap()).collect::<Vec<f64>>()
    };
    let unbroken = Runs::new(study.clone());
    unbroken.run(usize::MAX, 1, 1);
    let want = skipped(&unbroken);
    assert_eq!(want.len(), 24);
    assert!(want.iter().any(|share| (0.2..0.9).contains(share)), "{want:?}");
    // Counts of 60 digits.
    assert!(want.iter().all(|share| (share * 60.0 - (share * 60.0).round()).abs() < 1e-9), "{want:?}");

    let broken = Runs::new(study.clone());
    while broken.folder().finished(&study).unwrap().len() < 2 {
        broken.run(3, 1, 2);
    }
    assert_eq!(skipped(&broken), want);
    assert!(broken.bits() == unbroken.bits());
}

#[test]
fn a_stop_is_told_and_saved_where_it_came() {
    let runs = Runs::new(study(&[]));
    let (summary, told) = runs.run(6, 1, 1);
    assert_eq!(summary.stopped, runs.study.columns()[..1]);
    assert_eq!(summary.waiting, runs.study.columns()[1..]);
    assert_eq!((summary.epochs, summary.images), (1, 60 + 2 * 16));
    let names: Vec<&str> = told.iter().map(|event| event.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["ColumnStarted", "EpochFinished", "ColumnStopped"]);
    let (summary, told) = runs.run(usize::MAX, 1, 1);
    assert!(told[0].contains("epochs_done: 1, images_done: 92"), "{}", told[0]);
    assert_eq!(summary.images, 360 - 92);
}

#[test]
fn times_add_up_over_runs() {
    let runs = Runs::new(study(&[]));
    let mut n_runs = 0;
    while runs.folder().finished(&runs.study).unwrap().len() < 2 {
        runs.run(5, 2, 2);
        n_runs += 1;
    }
    let id = runs.study.columns()[0];
    let manifest = runs.folder().manifest().unwrap().unwrap();
    let folder = runs.folder();
    let column = folder.finished_column(&manifest, id).unwrap();
    let lines = column.epochs().unwrap();
    let record = column.record();
    assert!(record.n_interruptions() > 1 && record.runs.len() <= n_runs, "{record:?}");
    assert!(
        record.runs.iter().all(|run| run.wall_s > 0.0 && run.begun.starts_with("1970-01-01T")),
        "{record:?}"
    );
    assert!(record.wall_s() >= lines.last().unwrap().elapsed_s - 0.01, "{record:?}");
    assert_eq!(record.runs[0].epochs_before, 0);
    assert!(record.runs.is_sorted_by_key(|run| run.epochs_before));
    assert!(lines.windows(2).all(|pair| pair[0].elapsed_s < pair[1].elapsed_s), "{lines:?}");
    assert!(lines.iter().all(|line| line.validation_error.is_some() && line.skipped.is_none()));
    assert_eq!(lines.iter().map(|line| line.learning_rate).collect::<Vec<_>>(), [0.05, 0.045, 0.0405]);
}

//! Early stopping: a column ends where its rule says, and keeps its best epoch, interrupted or not, alone or in a group.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use study::{ColumnId, EpochRecord, Study};

use crate::runs::{Runs, study};

/// Four columns of at most 12 epochs, that learn so fast that their errors soon rise again.
fn stopping(changes: &[(&str, Value)]) -> Study {
    let base = [
        ("columns_per_width", json!(2)),
        ("epochs", json!(12)),
        ("distortion", Value::Null),
        ("learning_rate", json!({ "schedule": "exponential", "initial": 0.2, "factor": 1, "floor": 0 })),
    ];
    study(&[&base, changes].concat())
}

fn rule() -> (&'static str, Value) {
    ("early_stopping", json!({ "patience": 2, "increase": 1.5, "threshold": 0.98 }))
}

/// Of each column its epochs, and the one whose weights it has.
fn trained(runs: &Runs) -> BTreeMap<ColumnId, (Vec<EpochRecord>, Option<u32>)> {
    let folder = runs.folder();
    let manifest = folder.manifest().unwrap().unwrap();
    let of = |id| {
        let column = folder.finished_column(&manifest, id).unwrap();
        (id, (column.epochs().unwrap(), column.record().kept_epoch))
    };
    runs.study.columns().into_iter().map(of).collect()
}

/// What the rule says of these errors: the epochs trained, and the one kept.
fn by_the_rule(errors: &[f64], most: usize) -> (usize, usize) {
    let (mut patience, mut best, mut kept) = (2.0, f64::INFINITY, 0);
    for (epoch, &error) in (1..).zip(errors) {
        if error < 0.98 * best {
            patience = f64::max(patience, 1.5 * epoch as f64);
        }
        if error < best {
            (best, kept) = (error, epoch);
        }
        if epoch as f64 >= patience || epoch == most {
            return (epoch, kept);
        }
    }
    panic!("not at an end after {errors:?}")
}

#[test]
fn a_column_ends_by_the_rule_and_keeps_the_weights_of_its_best_epoch() {
    let runs = Runs::new(stopping(&[rule()]));
    let (summary, told) = runs.run(usize::MAX, 1, 1);
    assert_eq!(summary.finished.len(), 4, "{summary:?}");
    let mut n_early = 0;
    for (id, (epochs, kept)) in trained(&runs) {
        let errors: Vec<f64> = epochs.iter().map(|epoch| epoch.validation_error.unwrap()).collect();
        let (n_epochs, best) = by_the_rule(&errors, 12);
        assert_eq!((epochs.len(), kept), (n_epochs, Some(best as u32)), "{id}: {errors:?}");
        n_early += usize::from(n_epochs < 12 && best < n_epochs);
        let event = format!(
            "column: ColumnId {{ width: {:?}, number: {} }}, epochs: {n_epochs}, kept_epoch: Some({best})",
            id.width, id.number
        );
        assert!(told.iter().any(|line| line.contains(&event)), "{event}: {told:?}");

        // The same column, trained so long and no longer.
        let short = Runs::new(stopping(&[("epochs", json!(best))]));
        short.run(usize::MAX, 1, 1);
        let [kept, last] = [&runs, &short].map(|runs| {
            let (folder, files) = (runs.folder(), runs.folder().column(&id));
            let manifest = folder.manifest().unwrap().unwrap();
            let weights = folder.finished_column(&manifest, id).unwrap().weights().unwrap();
            (weights, [files.validation(), files.probabilities()].map(|path| fs::read(path).unwrap()))
        });
        assert!(kept == last, "{id} is not as after epoch {best}");
    }
    assert!(n_early > 1, "too few columns end early for this to be a test");
}

#[test]
fn interruptions_and_groups_change_nothing() {
    let study = stopping(&[rule()]);
    let unbroken = Runs::new(study.clone());
    unbroken.run(usize::MAX, 1, 1);
    let want = unbroken.bits();
    let lengths = |runs: &Runs| {
        trained(runs).into_values().map(|(epochs, kept)| (epochs.len(), kept)).collect::<Vec<_>>()
    };
    for (every, workers, group) in [(1, 1, 1), (4, 1, 4), (5, 2, 2), (usize::MAX, 1, 4), (usize::MAX, 2, 3)] {
        let runs = Runs::new(study.clone());
        let mut n_epochs = 0;
        while runs.folder().finished(&study).unwrap().len() < 4 {
            let (summary, _) = runs.run_in_groups(every, workers, workers, group);
            assert!(summary.failed.is_empty(), "{summary:?}");
            n_epochs += summary.epochs as usize;
        }
        assert!(runs.bits() == want, "every {every} steps, {workers} workers, groups of {group}");
        let lengths_now = lengths(&runs);
        assert_eq!(lengths_now, lengths(&unbroken));
        assert_eq!(n_epochs, lengths_now.iter().map(|(n, _)| n).sum::<usize>(), "nothing is trained twice");
    }
}

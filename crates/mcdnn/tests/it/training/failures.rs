//! What stops a column, but not the others.

use std::fs;

use serde_json::json;

use crate::training::Fixture;

#[test]
fn a_loss_that_is_not_finite_stops_its_column_with_a_reason() {
    let fixture = Fixture::with(json!({
        // Deep, so that the error grows from layer to layer before every unit is dead.
        "network": "1x29x29-4C4-MP2-4C5-MP3-40N-40N-40N-10N",
        "learning_rate": { "schedule": "exponential", "initial": 100, "factor": 1, "floor": 0 },
        "distortion": null,
    }));
    fixture.run(&["--quiet"]).check(
        1,
        &[
            "error: column w14-1: loss is ",
            "error: column original-1: ",
            " in epoch 1, step ",
            ", at a learning rate of 100: try a smaller learning rate; `diverged.json` in the column's folder has",
            "error: 2 of 2 columns failed: w14-1, original-1\n",
        ],
    );
    assert!(!fixture.column("w14-1").weights().exists());
}

/// What root may read, too, nobody can read by a link to itself.
#[cfg(unix)]
#[test]
fn a_columns_folder_that_cannot_be_read_is_an_error_and_not_an_unfinished_column() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&["--columns", "original-1"]).check(0, &[]);
    let folder = fixture.column("w14-1").root().to_path_buf();
    std::os::unix::fs::symlink("w14-1", &folder).unwrap();
    fixture.run(&[]).check(1, &[&format!("error: {}", folder.display()), ": cannot "]);
    let error = fixture.results().is_finished(&"w14-1".parse().unwrap()).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}/column.json: cannot look at the file: ", folder.display())),
        "{error}"
    );
    fs::remove_file(&folder).unwrap();
    fixture.run(&[]).check(0, &[]);
}

#[test]
fn a_committee_that_cannot_be_written_keeps_no_table_back() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    let path = fixture.results().committee_path();
    fs::create_dir_all(&path).unwrap();
    let want = format!("{}: cannot write the file: ", path.display());
    let ended = fixture.run(&[]);
    ended.check(0, &["warning: ", &want, "; the next run computes the figures again\n"]);
    assert!(ended.stdout.contains("\n# Study tiny: error on 100 test digits"));
}

#[test]
fn a_file_that_cannot_be_written_stops_its_column_with_the_path() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&["--columns", "original-1"]).check(0, &[]);
    let path = fixture.column("w14-1").metrics();
    fs::create_dir_all(&path).unwrap();
    let want = format!("error: column w14-1: {}: cannot read the metrics: ", path.display());
    fixture.run(&[]).check(1, &[&want, "error: 1 of 1 column failed: w14-1\n"]);
    fs::remove_dir(&path).unwrap();
    let weights = fixture.column("w14-1").weights();
    fs::create_dir(&weights).unwrap();
    let want = format!("error: column w14-1: {}: cannot write the file: ", weights.display());
    fixture.run(&[]).check(1, &[&want]);
    fs::remove_dir(&weights).unwrap();
    fixture.run(&[]).check(0, &["w14-1       resumes after epoch 1/1\n", "trained 1 column, 0 epochs in "]);
}

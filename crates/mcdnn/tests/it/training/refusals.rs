//! What the program refuses: one clear sentence and the right exit code.

use std::path::Path;

use serde_json::json;

use crate::hold::hold;
use crate::training::{Ended, Fixture};

#[track_caller]
fn check_refused(ended: &Ended, code: i32, parts: &[&str]) {
    ended.check(code, parts);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn wrong_configs_are_wrong_usage() {
    let fixture = Fixture::new();
    for (changes, parts) in [
        (json!({ "epoch": 3 }), ["unknown key \"epoch\"", "(known: "]),
        (json!({ "widths": [99] }), ["99", "4 to 28"]),
        (json!({ "batch": 0 }), ["batch is 0", "expected a whole number from 1 to 400"]),
        (json!({ "validation": 400 }), ["validation is 400", "expected"]),
    ] {
        fixture.configure(changes);
        let ended = fixture.run(&[]);
        check_refused(&ended, 2, &parts);
        check_refused(&ended, 2, &[&fixture.config().display().to_string()]);
        assert!(!fixture.results().root().exists(), "a refused config leaves nothing behind");
    }
    std::fs::remove_file(fixture.config()).unwrap();
    check_refused(&fixture.run(&[]), 2, &["config.json: cannot read the config: "]);
}

#[test]
fn wrong_flags_are_wrong_usage() {
    let fixture = Fixture::new();
    let unknown = fixture.run(&["--columns", "w14-1,w15-1"]);
    check_refused(&unknown, 2, &["--columns: the study tiny has no column w15-1; it has w14-1, original-1"]);
    fixture.run(&["--workers", "0"]).check(2, &["'--workers <N>'", "0 is not in 1..=65535"]);
    fixture.run(&["--columns", "w99-1"]).check(2, &["'--columns <A,B,…>'", "expected a name like"]);
    fixture.run(&["--wokers", "1"]).check(2, &["unexpected argument '--wokers'", "--workers"]);
    let folder = fixture.run(&["--data", "/tmp"]);
    check_refused(&folder, 2, &["--data cannot be used here: this study uses the embedded sample of digits"]);
}

#[test]
fn a_results_folder_of_another_config_is_refused_untouched() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    fixture.run(&[]).check(0, &[]);
    let before = fixture.bits();
    fixture.configure(json!({ "epochs": 2 }));
    check_refused(
        &fixture.run(&[]),
        2,
        &["belongs to another config: epochs is 1 there and 2 in yours;", "or choose another results folder"],
    );
    assert_eq!(fixture.bits(), before);
}

#[test]
fn a_second_run_in_one_results_folder_is_refused() {
    let fixture = Fixture::new();
    let folder = study::ResultsFolder::create(fixture.results().root()).unwrap();
    let lock = hold(&folder, &["original-1"]).unwrap();
    check_refused(
        &fixture.run(&[]),
        1,
        &["another run is training in this results folder on column original-1"],
    );
    check_refused(&fixture.run(&["--columns", "original-1"]), 1, &["another run is training"]);
    fixture.run(&["--columns", "w14-1"]).check(0, &[]);
    drop(lock);
    fixture.run(&[]).check(0, &[]);
}

/// `chmod` does not stop root, but nobody makes a folder in /proc.
#[cfg(target_os = "linux")]
#[test]
fn a_results_folder_that_cannot_be_written_is_a_failure() {
    let ended = Fixture::new().run_in(Path::new("/proc/ciresan/results"), &[]);
    check_refused(&ended, 1, &["/proc/ciresan/results", "cannot create the results folder: "]);
}

#[test]
fn data_that_is_not_there_or_not_the_right_one_is_refused() {
    let fixture = Fixture::with(json!({ "data": "mnist" }));
    let missing = fixture.run(&["--data", "/nowhere/mnist"]);
    check_refused(&missing, 2, &["/nowhere/mnist"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train-images-idx3-ubyte");
    std::fs::write(&path, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7]).unwrap();
    let ended = fixture.run(&["--data", &folder.path().display().to_string()]);
    check_refused(&ended, 1, &[&path.display().to_string(), "ba891046e6505d7a"]);
    std::fs::write(&path, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0]).unwrap();
    let ended = fixture.run(&["--data", &folder.path().display().to_string()]);
    check_refused(&ended, 1, &[&path.display().to_string()]);
}

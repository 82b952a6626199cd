//! One process's share of a study: `--column-index`, as schedulers call it.

#[cfg(unix)]
use std::time::{Duration, Instant};

use serde_json::json;

use crate::hold::hold;
use crate::training::{Ended, Fixture};

/// The program told its number by a scheduler's variable.
fn told_by(variable: &str, value: &str, fixture: &Fixture, args: &[&str]) -> Ended {
    Ended::of(fixture.command(fixture.results().root(), args).env(variable, value))
}

#[track_caller]
fn check(ended: &Ended, code: i32, parts: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
    for part in parts {
        assert!(ended.stderr.contains(part), "no {part:?} in:\n{}", ended.stderr);
    }
}

#[test]
fn a_share_is_trained_once_and_prints_no_table() {
    let fixture = Fixture::with(json!({ "epochs": 1, "columns_per_width": 2 }));
    let finished = || {
        let ids = ["w14-1", "original-1", "w14-2", "original-2"];
        ids.map(|id| fixture.column(id).record().exists())
    };
    check(&fixture.run(&["--column-index", "1"]), 0, &["trained 1 column, "]);
    assert_eq!(finished(), [false, true, false, false]);
    let again = fixture.run(&["--column-index", "1"]);
    check(&again, 0, &["nothing to train: every column asked for in "]);
    assert_eq!(again.stderr.lines().count(), 1);

    // The group's other column is still to be trained.
    check(
        &fixture.run(&["--column-index", "0", "--group", "2"]),
        0,
        &["to train  1 column (w14-1), 1 finished before"],
    );
    check(&told_by("SLURM_ARRAY_TASK_ID", "2", &fixture, &["--column-index"]), 0, &["trained 1 column, "]);
    check(&told_by("JOB_COMPLETION_INDEX", "1", &fixture, &["--column-index", "--group", "2"]), 0, &[]);
    assert_eq!(finished(), [true; 4]);
    assert!(!fixture.results().committee_path().exists());

    // Whoever gathers has nothing to train.
    let gathered = fixture.run(&[]);
    gathered.check(0, &["nothing to train: every column in "]);
    assert!(gathered.stdout.contains("\n# Study tiny: error on 100 test digits"));
    assert!(fixture.results().committee_path().exists());
}

#[test]
fn without_the_flag_a_schedulers_variable_changes_nothing() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    told_by("SLURM_ARRAY_TASK_ID", "0", &fixture, &[]).check(0, &["trained 2 columns, "]);
}

#[test]
fn wrong_shares_are_wrong_usage() {
    let fixture = Fixture::new();
    let want =
        "error: --column-index: \"2\" is not one of the study's 2 columns, which are numbered from 0 to 1\n";
    check(&fixture.run(&["--column-index", "2"]), 2, &[want]);
    check(
        &fixture.run(&["--column-index"]),
        2,
        &["neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"],
    );
    let ended = told_by("SLURM_ARRAY_TASK_ID", "7", &fixture, &["--column-index"]);
    check(&ended, 2, &["error: SLURM_ARRAY_TASK_ID: \"7\" is not one of the study's 2 columns"]);
    // A shell's variable that is not set is no number, and does not take the scheduler's either.
    let ended = told_by("SLURM_ARRAY_TASK_ID", "0", &fixture, &["--column-index", ""]);
    check(&ended, 2, &["error: --column-index: \"\" is not one of the study's 2 columns"]);
    check(&fixture.run(&["--group", "2"]), 2, &["--column-index"]);
    check(&fixture.run(&["--column-index", "0", "--columns", "w14-1"]), 2, &["cannot be used with"]);
    assert!(!fixture.results().root().exists());
}

#[test]
fn a_column_that_fails_is_a_failure() {
    let fixture = Fixture::with(json!({
        "network": "1x29x29-4C4-MP2-4C5-MP3-40N-40N-40N-10N",
        "learning_rate": { "schedule": "exponential", "initial": 100, "factor": 1, "floor": 0 },
        "distortion": null,
    }));
    check(&fixture.run(&["--column-index", "0"]), 1, &["error: 1 of 1 column failed: w14-1\n"]);
}

#[test]
fn a_column_that_another_works_on_is_to_be_tried_again() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    let folder = study::ResultsFolder::create(fixture.results().root()).unwrap();
    let lock = hold(&folder, &["w14-1"]).unwrap();
    let ended = fixture.run(&["--column-index", "0"]);
    check(&ended, 75, &["on column w14-1 (process 4711 on this); wait until it has ended\n"]);
    check(&fixture.run(&["--column-index", "1"]), 0, &[]);
    drop(lock);
    check(&fixture.run(&["--column-index", "0"]), 0, &[]);
}

#[cfg(unix)]
#[test]
fn processes_side_by_side_killed_and_signalled_make_the_bits_of_one() {
    use rustix::process::Signal;
    let changes = json!({ "epochs": 60 });
    let whole = Fixture::with(changes.clone());
    whole.run(&["--workers", "1"]).check(0, &[]);
    let fixture = Fixture::with(changes);
    for signal in [Signal::KILL, Signal::USR1, Signal::TERM] {
        let running = ["0", "1"].map(|index| fixture.start_until(2, &["--column-index", index]));
        if signal == Signal::KILL {
            // A third can have neither, though they stand still. It waits two seconds for one that may be saving.
            running.iter().for_each(|running| running.signal(Signal::STOP));
            check(&fixture.run(&["--column-index", "0"]), 75, &["on column w14-1 (process "]);
        }
        for (running, id) in running.into_iter().zip(["w14-1", "original-1"]) {
            let begun = Instant::now();
            running.signal(signal);
            let ended = running.end();
            assert!(begun.elapsed() < Duration::from_secs(2), "{signal:?} took {:?}", begun.elapsed());
            if signal == Signal::KILL {
                assert_eq!(ended.code, None);
            } else {
                check(
                    &ended,
                    75,
                    &[
                        "stopped: 0 of 1 column finished, 1 saved in mid-training",
                        "error: interrupted and saved; ",
                    ],
                );
            }
            assert!(fixture.column(id).has_checkpoint());
        }
    }
    for index in ["0", "1"] {
        check(&fixture.run(&["--column-index", index]), 0, &["resumes after epoch "]);
    }
    assert!(fixture.bits() == whole.bits(), "weights or probabilities differ");
    for id in ["w14-1", "original-1"] {
        assert_eq!(fixture.metrics(id), whole.metrics(id));
    }
}

/// A run that is stopped for so long that another takes its column over may not write when it goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_run_whose_column_was_taken_over_writes_no_more() {
    use rustix::process::Signal;
    let fixture = Fixture::with(json!({ "epochs": 400 }));
    let running = fixture.start_until(2, &["--column-index", "0"]);
    running.signal(Signal::STOP);
    // What another host would do after a minute and a half of silence.
    let claims = fixture.results().root().join(".locks");
    std::fs::write(claims.join("w14-1.2"), "run-of-another").unwrap();
    let before = std::fs::read(fixture.column("w14-1").metrics()).unwrap();
    running.signal(Signal::CONT);
    let ended = running.end();
    check(&ended, 75, &["error: column w14-1: ", "another run has taken over column w14-1"]);
    let after = std::fs::read(fixture.column("w14-1").metrics()).unwrap();
    // It may have been stopped behind a confirmation, so one line may be new.
    let n_lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(n_lines(&after) <= n_lines(&before) + 1);
}

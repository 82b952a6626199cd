//! A whole study: trained, found finished, interrupted and gone on with.

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use report::Summary;
use study::{ResultsFolder, Study};

use crate::hold::hold;
use crate::run::{Place, Ran, bytes};

#[test]
fn a_study_is_trained_once() {
    let place = Place::new();
    place.config(&[]);
    let reproduce = "reproduce --config tiny.json";

    let first = place.run(reproduce).succeeded();
    for words in [
        "columns   2: 1 of each width (14, original); 2 to train\n",
        "network   1x29x29-4C4-MP2-6C5-MP3-12N-10N, ",
        "to train  2 columns (w14-1, original-1); 2 epochs of 400 digits each\n",
        " (assuming ",
    ] {
        assert!(first.stderr.contains(words), "no {words:?} in {first:#?}");
    }
    assert!(first.stderr.starts_with("time      about "), "{first:#?}");
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert!(lines[0].starts_with("A committee of 2 columns misclassifies "), "{first:#?}");
    assert_eq!(
        lines[1..4],
        ["Results: results/tiny", "", "# Study tiny: error on 100 test digits of sample"]
    );

    // Nothing is fetched or trained the second time.
    let second = place.run(reproduce).succeeded();
    assert_eq!(second.stderr, "nothing to train: every column in results/tiny is finished\n");
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(place.run("report --study tiny").succeeded().stdout, first.stdout);

    let json = place.run(&format!("{reproduce} --json")).succeeded().stdout;
    let summary = crate::committee::figures(&json);
    let text = String::from_utf8(bytes(&place.path("results/tiny/committee.json"))).unwrap();
    let stored: Summary = serde_json::from_str(&study::unseal(&text).unwrap()).unwrap();
    assert_eq!((summary.finished.len(), &summary), (2, &stored));

    // Figures that are gone are made again, without training.
    std::fs::remove_file(place.path("results/tiny/committee.json")).unwrap();
    assert_eq!(place.run(reproduce).succeeded().stdout, first.stdout);
    assert!(place.path("results/tiny/committee.json").exists());
}

#[test]
fn keys_are_changed_on_the_command_line_and_a_dry_run_changes_nothing() {
    let place = Place::new();
    place.config(&[]);
    let changed =
        "--config tiny.json --set epochs=1 --set distortion.sigma=6.5 --set widths=[20] --set name=short";
    let plan = place.run(&format!("reproduce {changed} --dry-run")).succeeded();
    assert!(plan.stdout.contains("\nstudy     short (tiny.json, changed) in results/short\n"), "{plan:#?}");
    assert!(plan.stdout.contains("columns   1: 1 of each width (20); 1 to train\n"), "{plan:#?}");
    assert!(!place.path("results").exists());
    let info = place.run(&format!("info {changed} --json")).succeeded().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!((&info["epochs"], &info["widths"]), (&1.into(), &serde_json::json!([20])));

    place.run(&format!("reproduce {changed}")).succeeded();
    let manifest = ResultsFolder::open(place.path("results/short")).manifest().unwrap().unwrap();
    assert_eq!((manifest.config.epochs, manifest.config.distortion.unwrap().distortion.sigma), (1, 6.5));
    let again = place.run(&format!("reproduce {changed} --dry-run")).succeeded();
    assert!(again.stdout.contains("; 0 to train\n"), "{again:#?}");

    let refused = |set: &str, words: &[&str]| {
        place.run(&format!("reproduce --config tiny.json {set}")).refused(2, words)
    };
    refused("--set epochs=0", &["--set epochs=0: epochs is 0, expected a whole number from 1 to 100000"]);
    refused("--set epoch=3", &["unknown key \"epoch\" (known: epochs, "]);
    refused("--set epochs=many", &["epochs is \"many\", expected a whole number"]);
    refused("--set distortion=null --set distortion.sigma=3", &["distortion is null, expected an object"]);
}

#[test]
fn some_columns_are_trained_into_another_folder_of_results() {
    let place = Place::new();
    place.config(&[]);
    // A folder of a built-in config's name is not the config.
    place.write("quick/file", "");
    assert!(
        place
            .run("info --config quick")
            .succeeded()
            .stdout
            .starts_with("study     quick (built-in config)\n")
    );

    let ran = place.run("--results elsewhere reproduce --config tiny.json --columns w14-1").succeeded();
    assert!(ran.stderr.contains("columns   2: 1 of each width (14, original); 1 to train\n"), "{ran:#?}");
    let column = |id: &str| place.path(&format!("elsewhere/tiny/columns/{id}"));
    assert!(column("w14-1").join("probabilities.npy").is_file() && !column("original-1").exists());
    assert!(!place.path("results").exists());
    let report = place.run("report --results elsewhere --study tiny");
    assert_eq!((report.code, &report.stdout), (Some(1), &ran.stdout), "{report:#?}");
    assert!(report.stderr.ends_with("error: elsewhere/tiny: 1 of 2 columns are finished\n"), "{report:#?}");
}

/// The tiny study with so many epochs, to be stopped.
fn long(n_epochs: u32) -> Place {
    let place = Place::new();
    place.config(&[("\"epochs\": 2", &format!("\"epochs\": {n_epochs}"))]);
    place
}

fn command(place: &Place, study: &str, n_workers: u32) -> Command {
    place.command(&format!("reproduce --config tiny.json --study {study} --workers {n_workers}"))
}

#[test]
fn a_killed_study_ends_with_the_same_bytes() {
    let place = long(150);
    Ran::of(command(&place, "whole", 2)).succeeded();

    let mut killed = command(&place, "cut", 1).spawn().unwrap();
    wait_for_epochs(&place, &mut killed, 20);
    killed.kill().unwrap();
    killed.wait().unwrap();

    let resumed = Ran::of(command(&place, "cut", 1)).succeeded();
    assert!(resumed.stderr.contains("(at the measured "), "{resumed:#?}");
    for name in ["weights.safetensors", "probabilities.npy"] {
        for column in ["w14-1", "original-1"] {
            let of = |study: &str| bytes(&place.path(&format!("results/{study}/columns/{column}/{name}")));
            assert!(of("whole") == of("cut"), "{column}/{name} depends on interruptions or workers");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_second_run_is_refused_and_a_signal_saves_the_first() {
    use rustix::process::{Pid, Signal, kill_process};
    let place = long(100_000);
    let mut first = command(&place, "cut", 2).spawn().unwrap();
    wait_for_epochs(&place, &mut first, 1);
    Ran::of(command(&place, "cut", 2)).refused(1, &["cut", "another run is training"]);

    kill_process(Pid::from_child(&first), Signal::TERM).unwrap();
    let ran = first.wait_with_output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), ran.stdout.as_slice()), (Some(1), b"".as_slice()), "{stderr}");
    let advice = "resume with `mcdnn reproduce --config tiny.json --study cut --workers 2`\n";
    assert!(stderr.contains("error: interrupted and saved; ") && stderr.ends_with(advice), "{stderr}");

    // Both columns can go on.
    let folder = ResultsFolder::open(place.path("results/cut"));
    let checkpoints = ["w14-1", "original-1"].map(|id| folder.column(&id.parse().unwrap()).checkpoint());
    assert!(checkpoints.iter().all(|path| path.is_file()));
    drop(hold(&folder, &["w14-1", "original-1"]).unwrap());
}

/// Waits until the study `cut` has this many epochs in its metrics.
#[track_caller]
fn wait_for_epochs(place: &Place, run: &mut Child, want: usize) {
    let begun = Instant::now();
    while n_epochs(place) < want {
        assert!(run.try_wait().unwrap().is_none(), "the run ended after {} epochs", n_epochs(place));
        let time = begun.elapsed();
        assert!(time < Duration::from_secs(300), "only {} epochs in {time:?}", n_epochs(place));
        thread::sleep(Duration::from_millis(5));
    }
}

/// The epochs that the study `cut` has behind it, over all columns.
fn n_epochs(place: &Place) -> usize {
    let study = Study::read(&place.path("tiny.json")).unwrap();
    let folder = ResultsFolder::open(place.path("results/cut"));
    let metrics = study.columns().into_iter().map(|id| folder.column(&id).metrics());
    metrics.map(|path| std::fs::read_to_string(path).unwrap_or_default().lines().count()).sum()
}

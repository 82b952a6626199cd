//! How far a study is, read from its results folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use study::{ColumnId, Kind, Manifest, ResultsFolder, Study};

use crate::hold::hold;
use crate::run::{Place, Ran, bytes};

/// What `--json` prints; every key is known here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    schema: u32,
    study: String,
    path: String,
    run_at_work: bool,
    estimated_seconds: f64,
    kinds: Vec<Kind>,
    columns: Vec<Column>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    column: ColumnId,
    state: String,
    epoch: u32,
    epochs: u32,
    loss: Option<f64>,
    validation_error: Option<f64>,
    #[serde(default)]
    learnt_nothing: bool,
    images_per_second: Option<f64>,
    wall_s: Option<f64>,
    interruptions: Option<usize>,
    kind: Option<String>,
    error: Option<String>,
}

impl Status {
    #[track_caller]
    fn of(ran: &Ran) -> Self {
        let status: Self = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((status.schema, status.study.as_str()), (1, "tiny"));
        status
    }

    fn states(&self) -> Vec<(String, &str, u32)> {
        self.columns.iter().map(|it| (it.column.to_string(), it.state.as_str(), it.epoch)).collect()
    }
}

fn state(id: &str, state: &'static str, epoch: u32) -> (String, &'static str, u32) {
    (id.to_owned(), state, epoch)
}

/// A place with the folder of a study that is about to begin, two columns of two epochs.
fn begun(changes: &[(&str, &str)]) -> (Place, ResultsFolder) {
    let place = Place::new();
    place.config(changes);
    let study = Study::read(&place.path("tiny.json")).unwrap();
    let folder = ResultsFolder::create(place.path("results/tiny")).unwrap();
    folder.write_manifest(&Manifest::new(&study, &[])).unwrap();
    (place, folder)
}

/// The program's answer that not all is finished, with nothing on stderr.
#[track_caller]
fn unfinished(place: &Place, arguments: &str) -> Ran {
    let ran = place.run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{ran:#?}");
    ran
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.insert(path.display().to_string(), if path.is_file() { bytes(&path) } else { Vec::new() });
        if path.is_dir() {
            all.extend(files(&path));
        }
    }
    all
}

fn line(epoch: u32, more: &str) -> String {
    format!(
        "{{\"epoch\":{epoch},\"learning_rate\":0.05,\"loss\":0.25,\"update_ratio\":0.001,\
         \"images_per_second\":12345.6{more},\"elapsed_s\":4000.0}}\n"
    )
}

#[test]
fn a_study_before_its_first_column_is_not_begun() {
    let (place, folder) = begun(&[]);
    let before = files(folder.root());
    let ran = unfinished(&place, "status --study tiny");
    assert!(
        ran.stdout.starts_with("0 of 2 columns finished, about 1 s left\nrun       no run is active\n"),
        "{ran:#?}"
    );
    let status = Status::of(&unfinished(&place, "status --study tiny --json"));
    assert_eq!(status.states(), [state("w14-1", "not-begun", 0), state("original-1", "not-begun", 0)]);
    assert!(status.kinds.is_empty() && status.estimated_seconds > 0.0 && !status.run_at_work);
    assert_eq!(unfinished(&place, "info --study tiny").stdout, ran.stdout);
    assert!(files(folder.root()) == before, "something was written");

    // It is the one there is, and named on stderr.
    let found = place.run("status");
    assert_eq!((found.code, found.stderr.as_str()), (Some(1), "study     results/tiny\n"), "{found:#?}");
    assert_eq!(found.stdout, ran.stdout);

    place
        .run("report --study tiny")
        .refused(1, &["results/tiny: nothing to report yet: 0 of 2 columns finished, about 1 s left"]);
}

#[test]
fn a_begun_column_is_in_training_while_it_is_held() {
    let (place, folder) = begun(&[("\"validation\": 0", "\"validation\": 50")]);
    let column = folder.column(&"w14-1".parse().unwrap());
    column.create().unwrap();
    fs::write(column.metrics(), line(1, ",\"validation_error\":0.125")).unwrap();
    fs::write(column.checkpoint(), "x").unwrap();

    let ran = unfinished(&place, "status --study tiny");
    assert!(ran.stdout.starts_with("0 of 2 columns finished, 1 started, about "), "{ran:#?}");
    let want = "w14-1       started        1/2  0.250   12.50 %    12,346  1:06:40      –\n";
    assert!(ran.stdout.contains(want), "{}", ran.stdout);
    assert!(!folder.root().join(".locks").exists());

    let lock = hold(&folder, &["w14-1"]).unwrap();
    let half = column.root().join(".metrics.jsonl.4711-0.tmp");
    fs::write(&half, "x").unwrap();
    let ran = unfinished(&place, "status --study tiny");
    assert!(ran.stdout.starts_with("0 of 2 columns finished, 1 in training, about "), "{ran:#?}");
    assert!(ran.stdout.contains("\nrun       a run is training in this folder\n"), "{ran:#?}");
    let status = Status::of(&unfinished(&place, "status --study tiny --json"));
    assert_eq!(status.states(), [state("w14-1", "in-training", 1), state("original-1", "not-begun", 0)]);
    let column = &status.columns[0];
    assert_eq!((column.loss, column.validation_error), (Some(0.25), Some(0.125)));
    assert_eq!((column.images_per_second, column.wall_s), (Some(12345.6), Some(4000.0)));
    assert!(status.run_at_work && half.exists(), "the run's file was swept");
    drop(lock);
    assert!(!Status::of(&unfinished(&place, "status --study tiny --json")).run_at_work);
}

#[test]
fn a_column_that_has_learnt_nothing_is_warned_of() {
    let (place, folder) = begun(&[("\"validation\": 0", "\"validation\": 50")]);
    for (id, error) in [("w14-1", "0.9"), ("original-1", "0.5")] {
        let column = folder.column(&id.parse().unwrap());
        column.create().unwrap();
        fs::write(column.metrics(), line(1, &format!(",\"validation_error\":{error}"))).unwrap();
    }
    let warning = "warning   w14-1 learnt nothing: held-out error 90.00 % after epoch 1;\n          \
                   try a lower learning rate";
    let ran = unfinished(&place, "status --study tiny");
    assert!(ran.stdout.ends_with(&format!("\n{warning}\n")), "{ran:#?}");
    let status = Status::of(&unfinished(&place, "status --study tiny --json"));
    assert_eq!(status.columns.iter().map(|it| it.learnt_nothing).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_study_is_watched_until_it_is_finished() {
    let place = Place::new();
    place.config(&[]);
    let mut train = place.command("reproduce --config tiny.json --quiet").spawn().unwrap();
    let folder = place.path("results/tiny/study.json");
    while !folder.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let watched = place.run("status --study tiny --watch");
    assert_eq!((watched.code, watched.stderr.as_str()), (Some(0), ""), "{watched:#?}");
    assert!(watched.stdout.ends_with("2 of 2 columns finished\n"), "{watched:#?}");
    let lines: Vec<&str> = watched.stdout.lines().collect();
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{watched:#?}");
    assert!(train.wait().unwrap().success());
}

#[test]
fn finished_columns_are_compared_with_their_checksums() {
    let place = Place::new();
    place.config(&[]);
    let reproduce = "reproduce --config tiny.json --quiet";
    place.run(&format!("{reproduce} --columns w14-1")).succeeded();
    let half = Status::of(&unfinished(&place, "status --study tiny --json"));
    assert_eq!(half.states(), [state("w14-1", "finished", 2), state("original-1", "not-begun", 0)]);

    place.run(reproduce).succeeded();
    let ran = place.run("status --study tiny").succeeded();
    assert!(
        ran.stdout.starts_with("2 of 2 columns finished\nrun       no run is active\ntrained   ciresan-cpu "),
        "{ran:#?}"
    );
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let status = Status::of(&place.run("status --study tiny --json").succeeded());
    assert!(status.estimated_seconds == 0.0 && status.path.ends_with("tiny"));
    for column in &status.columns {
        assert_eq!((column.state.as_str(), column.epochs, column.interruptions), ("finished", 2, Some(0)));
        assert_eq!(column.kind.as_ref(), Some(&status.kinds[0].kind));
        assert!(column.error.is_none() && column.loss.is_some() && column.validation_error.is_none());
    }

    // Each damage is said in the row, and a lost file's cure with it.
    let folder = ResultsFolder::open(place.path("results/tiny"));
    let [first, second] = ["w14-1", "original-1"].map(|id| folder.column(&id.parse().unwrap()));
    let mut flipped = bytes(&first.weights());
    flipped[200] ^= 1;
    fs::write(first.weights(), flipped).unwrap();
    fs::remove_file(second.probabilities()).unwrap();
    let ran = unfinished(&place, "status --study tiny");
    assert!(ran.stdout.starts_with("0 of 2 columns finished, 2 damaged\n"), "{ran:#?}");
    // Long reasons continue in the next line.
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in [
        "w14-1 damaged results/tiny/columns/w14-1/weights.safetensors: damaged: ",
        "original-1 damaged results/tiny/columns/original-1/probabilities.npy: no such file",
    ] {
        assert!(text.contains(row), "{ran:#?}");
    }
    let status = Status::of(&unfinished(&place, "status --study tiny --json"));
    assert!(status.columns[0].error.as_ref().unwrap().contains("weights.safetensors: damaged"));
}

#[test]
fn a_mixture_of_engines_is_said() {
    let place = Place::new();
    place.config(&[]);
    place.run("reproduce --config tiny.json --quiet").succeeded();
    let folder = ResultsFolder::open(place.path("results/tiny"));
    let manifest = folder.manifest().unwrap().unwrap();
    let id: ColumnId = "w14-1".parse().unwrap();
    let mut record = folder.finished_column(&manifest, id).unwrap().record().clone();
    record.runs[0].by.engine = "libtorch 2.11.0".to_owned();
    folder.column(&id).write_record(&record).unwrap();
    let ran = place.run("status --study tiny").succeeded();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[2], "mixture   the columns were trained by different engines:");
    assert!(
        lines[3].starts_with("trained   ciresan-cpu ") && lines[4].starts_with("          libtorch 2.11.0 "),
        "{ran:#?}"
    );
}

#[test]
fn a_folder_of_the_first_format_has_a_status() {
    let place = Place::new();
    place.config(&[]);
    place.run("reproduce --config tiny.json --quiet --columns w14-1").succeeded();
    let folder = ResultsFolder::open(place.path("results/tiny"));
    let study = Study::read(&place.path("tiny.json")).unwrap();
    fs::remove_file(folder.column(&"w14-1".parse().unwrap()).record()).unwrap();
    let manifest = format!(
        "{{ \"schema\": 1, \"config\": {}, \"config_hash\": \"{}\", \"version\": \"0.1.0\", \"commit\": \"f8f8bf0\", \
         \"engine\": \"ciresan-cpu avx2 fp32\", \"device\": \"AMD EPYC, 2 workers\", \"data\": [], \
         \"columns\": [\"w14-1\"], \"wall_s\": 12.345 }}",
        study.to_json(),
        study.hash()
    );
    fs::write(folder.manifest_path(), manifest).unwrap();
    let before = files(folder.root());
    let ran = unfinished(&place, "status --study tiny");
    assert!(ran.stdout.starts_with("1 of 2 columns finished, about "), "{ran:#?}");
    assert!(ran.stdout.contains("\ntrained   ciresan-cpu avx2 fp32 (1 column)\n"), "{ran:#?}");
    assert!(files(folder.root()) == before, "something was written");
}

#[test]
fn a_folder_without_a_study_is_wrong_usage() {
    let place = Place::new();
    for command in ["status", "info"] {
        place
            .run(&format!("{command} --study no-such-folder"))
            .refused(2, &["no-such-folder", "it has no study.json"]);
    }
    place.write("results/other/file", "");
    place
        .run("status --study other")
        .refused(2, &["results/other: not the results folder of a study: it has no study.json"]);
}

//! Results folders: what is made when, the lock, the manifest, and whose folder it is.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use study::{Asking, ColumnId, ColumnLocks, DataFile, Holder, Manifest, ResultsFolder, Study, StudyError};

use crate::good::{GOOD, with};

pub(crate) fn study() -> Study {
    Study::from_json(GOOD).unwrap()
}

pub(crate) fn column(name: &str) -> ColumnId {
    name.parse().unwrap()
}

pub(crate) fn manifest(study: &Study) -> Manifest {
    Manifest::new(
        study,
        &[DataFile { name: "train-images-idx3-ubyte".to_owned(), sha256: "ba89".to_owned() }],
    )
}

/// A folder for results that does not exist yet.
fn nowhere() -> (tempfile::TempDir, ResultsFolder) {
    let parent = tempfile::tempdir().unwrap();
    let folder = ResultsFolder::open(parent.path().join("results").join("good"));
    (parent, folder)
}

pub(crate) fn created() -> (tempfile::TempDir, ResultsFolder) {
    let (parent, folder) = nowhere();
    let folder = ResultsFolder::create(folder.root()).unwrap();
    (parent, folder)
}

#[test]
fn looking_creates_nothing() {
    let (parent, folder) = nowhere();
    assert_eq!(folder.manifest().unwrap(), None);
    assert_eq!(folder.adopt(&study()).unwrap(), None);
    assert_eq!(folder.finished(&study()).unwrap(), []);
    assert!(matches!(lock(&folder, &[]), Err(StudyError::Io { .. })));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn files_are_where_the_documentation_says() {
    let folder = ResultsFolder::open("results/good");
    let column = folder.column(&column("original-5"));
    let want = "results/good/columns/original-5";
    assert_eq!(column.root(), Path::new(want));
    let files = [
        column.weights(),
        column.metrics(),
        column.validation(),
        column.probabilities(),
        column.record(),
        column.checkpoint(),
        column.checkpoint_before(),
    ];
    let names = [
        "weights.safetensors",
        "metrics.jsonl",
        "validation.npy",
        "probabilities.npy",
        "column.json",
        "checkpoint.safetensors",
        "checkpoint-before.safetensors",
    ];
    for (file, name) in files.iter().zip(names) {
        assert_eq!(*file, Path::new(want).join(name));
    }
    assert_eq!(folder.manifest_path(), Path::new("results/good/study.json"));
    assert_eq!(folder.committee_path(), Path::new("results/good/committee.json"));
}

#[test]
fn a_manifest_comes_back() {
    let (_parent, folder) = created();
    let manifest = manifest(&study());
    folder.write_manifest(&manifest).unwrap();
    assert_eq!(folder.manifest().unwrap().as_ref(), Some(&manifest));
    assert_eq!(folder.adopt(&study()).unwrap(), Some(manifest));
    let text = fs::read_to_string(folder.manifest_path()).unwrap();
    assert!(
        text.starts_with("{\n  \"schema\": 2,\n  \"config\": {\n    \"schema\": 1,\n    \"name\": \"good\""),
        "{text}"
    );
}

#[track_caller]
fn check_damaged(change: impl Fn(&str) -> String, want: &str) {
    let (_parent, folder) = created();
    folder.write_manifest(&manifest(&study())).unwrap();
    let text = fs::read_to_string(folder.manifest_path()).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    fs::write(folder.manifest_path(), changed).unwrap();
    let error = folder.adopt(&study()).unwrap_err();
    let message = error.to_string();
    let path = folder.manifest_path().display().to_string();
    assert!(message.starts_with(&path) && message.ends_with(want), "{message}");
    assert!(!error.is_wrong_usage());
}

#[test]
fn a_damaged_manifest_is_never_used() {
    let seal = "damaged: the checksum at its end does not match its content";
    check_damaged(|text| text.replacen("\"epochs\": 8", "\"epochs\": 9", 1), seal);
    check_damaged(|text| text.replacen("ba89", "ba88", 1), seal);
    check_damaged(|text| text.replacen("  \"schema\": 1", "  \"schema\": 3", 1), seal);
    let newer =
        "its format is 3, but this version reads formats up to 2; a newer version of this program wrote it";
    check_damaged(|text| text.replacen("\"schema\": 2", "\"schema\": 3", 1), newer);
    check_damaged(|text| text[..text.len() - 3].to_owned(), "not JSON: EOF while parsing an object");

    let (_parent, folder) = created();
    folder.write_manifest(&manifest(&study())).unwrap();
    let whole = fs::read(folder.manifest_path()).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(folder.manifest_path(), &flipped).unwrap();
        assert!(folder.manifest().is_err(), "byte {at}");
    }
}

/// The manifest of [`study`] as the first version wrote it.
fn format_1(hash: &str) -> String {
    let config = study().to_json();
    format!(
        "{{ \"schema\": 1, \"config\": {config}, \"config_hash\": \"{hash}\", \"version\": \"0.1.0\", \
         \"commit\": \"f8f8bf0\", \"engine\": \"ciresan-cpu avx2 fp32\", \"device\": \"AMD EPYC, 2 workers\", \
         \"data\": [], \"columns\": [\"w14-1\"], \"wall_s\": 12.345 }}"
    )
}

#[test]
fn a_manifest_of_the_first_format_is_read() {
    let (_parent, folder) = created();
    fs::write(folder.manifest_path(), format_1(&study().hash())).unwrap();
    let manifest = folder.adopt(&study()).unwrap().unwrap();
    let by = manifest.format_1.unwrap();
    assert_eq!(by.kind(), "ciresan-cpu avx2 fp32");
    assert_eq!((by.commit.as_str(), by.cpu.as_str()), ("f8f8bf0", "AMD EPYC, 2 workers"));

    // Its config is compared with its hash, too.
    fs::write(folder.manifest_path(), format_1(&study().hash()).replace("\"epochs\": 8", "\"epochs\": 9"))
        .unwrap();
    let message = folder.manifest().unwrap_err().to_string();
    assert!(message.contains("study.json: damaged: the hash of its config is "), "{message}");
}

#[test]
fn a_folder_of_another_config_is_refused() {
    let (_parent, folder) = created();
    folder.write_manifest(&manifest(&study())).unwrap();
    let renamed = Study::from_json(&with("\"good\"", "\"better\"")).unwrap();
    folder.adopt(&renamed).unwrap();

    let refused = |other: &Study| {
        let error = folder.adopt(other).unwrap_err();
        assert!(error.is_wrong_usage());
        let message = error.to_string();
        let start = format!("{}: this results folder belongs to another config: ", folder.root().display());
        let end = "; undo the change to the config, or choose another results folder";
        message.strip_prefix(&start).and_then(|rest| rest.strip_suffix(end)).expect(&message).to_owned()
    };
    let other = Study::from_json(&with("2012", "2013").replace("0.05", "0.02")).unwrap();
    let want = "seed is 2012 there and 2013 in yours, learning_rate.peak is 0.05 there and 0.02 in yours";
    assert_eq!(refused(&other), want);
    let others = with("2012", "2013").replace("\"epochs\": 8", "\"epochs\": 9").replace("10000", "0");
    let others = Study::from_json(&others.replace("\"shear\": 0", "\"shear\": 0.3")).unwrap();
    let want = "seed is 2012 there and 2013 in yours, epochs is 8 there and 9 in yours, \
                validation is 10000 there and 0 in yours, 1 more key differs";
    assert_eq!(refused(&others), want);

    folder.write_manifest(&Manifest { config_hash: "00ff".to_owned(), ..manifest(&study()) }).unwrap();
    let message = folder.adopt(&study()).unwrap_err().to_string();
    assert!(message.ends_with(", and it says 00ff"), "{message}");
}

#[test]
fn columns_without_a_manifest_are_refused() {
    let (_parent, folder) = created();
    folder.column(&column("w14-1")).create().unwrap();
    assert_eq!(folder.adopt(&study()).unwrap(), None);
    fs::write(folder.column(&column("w14-1")).metrics(), "").unwrap();
    let error = folder.adopt(&study()).unwrap_err();
    assert!(matches!(error, StudyError::NoManifest { .. }) && error.is_wrong_usage(), "{error}");
    // A checkpoint is compared with the config when it is read.
    fs::write(folder.column(&column("w14-1")).checkpoint(), "").unwrap();
    assert_eq!(folder.adopt(&study()).unwrap(), None);
}

/// The locks of one column, or of none.
fn lock(folder: &ResultsFolder, columns: &[&str]) -> Result<ColumnLocks, StudyError> {
    let columns: Vec<ColumnId> = columns.iter().map(|name| column(name)).collect();
    let holder = Holder { host: "here".to_owned(), kernel: KERNEL.to_owned(), pid: 1 };
    folder.lock(&columns, &Asking { holder: &holder, clock: || Duration::ZERO, waits: &|_, _| {} })
}

/// The name of the running kernel.
const KERNEL: &str = "this one";

#[test]
fn a_second_lock_waits_then_is_refused() {
    let (_parent, folder) = created();
    let first = lock(&folder, &["w14-1"]).unwrap();
    let started = Instant::now();
    let error = lock(&folder, &["w14-1"]).unwrap_err();
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert!(matches!(error, StudyError::Busy { .. }) && !error.is_wrong_usage());
    let want = format!(
        "{}: another run is training in this results folder on column w14-1 (process 1 on here); wait until it has ended",
        folder.root().display()
    );
    assert_eq!(error.to_string(), want);

    // Let go in time, it is taken.
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(first);
    });
    drop(lock(&folder, &["w14-1"]).unwrap());
    release.join().unwrap();
}

#[test]
fn whether_a_run_is_at_work_is_seen_without_waiting_or_writing() {
    let (_parent, folder) = created();
    let at_work = |folder: &ResultsFolder| folder.at_work(KERNEL, SystemTime::now()).unwrap();
    assert!(at_work(&folder).is_empty() && !folder.is_held_by_an_older_program().unwrap());
    assert!(at_work(&ResultsFolder::open(folder.root().join("no such"))).is_empty());
    assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 1, "columns alone");

    let held = lock(&folder, &["w14-1"]).unwrap();
    let files = folder.column(&column("w14-1"));
    files.create().unwrap();
    let half = files.root().join(".weights.safetensors.4711-0.tmp");
    fs::write(&half, "x").unwrap();
    let started = Instant::now();
    assert_eq!(at_work(&folder).into_keys().collect::<Vec<_>>(), [column("w14-1")]);
    assert!(started.elapsed() < Duration::from_secs(2));
    drop(held);
    // The claim stays and means nothing by itself.
    assert!(at_work(&folder).is_empty() && half.exists());
    // The question holds nothing.
    drop(lock(&folder, &["w14-1"]).unwrap());
}

#[test]
fn the_lock_sweeps_what_a_killed_run_left_half_written() {
    let (_parent, folder) = created();
    let temporary = |folder: &Path, name: &str| folder.join(format!(".{name}.4711-0.tmp"));
    let (mine, other) = (folder.column(&column("w14-1")), folder.column(&column("w14-2")));
    fs::create_dir_all(folder.figures()).unwrap();
    mine.create().unwrap();
    other.create().unwrap();
    let abandoned = [
        temporary(mine.root(), "weights.safetensors"),
        temporary(folder.root(), "committee.json"),
        temporary(folder.root(), "study.json"),
        temporary(&folder.figures(), "errors.svg"),
    ];
    // Another run may be writing these: a column that is not taken, and a file that is new.
    let kept = [
        temporary(other.root(), "weights.safetensors"),
        temporary(folder.root(), "report.md"),
        mine.weights(),
    ];
    for file in abandoned.iter().chain(&kept) {
        fs::write(file, "x").unwrap();
    }
    let two_hours_ago = SystemTime::now() - Duration::from_secs(7_200);
    for file in &abandoned[1..] {
        fs::File::options().write(true).open(file).unwrap().set_modified(two_hours_ago).unwrap();
    }
    drop(lock(&folder, &["w14-1"]).unwrap());
    for file in &abandoned {
        assert!(!file.exists(), "{}", file.display());
    }
    for file in &kept {
        assert!(file.exists(), "{}", file.display());
    }
}

#[test]
fn a_place_where_nothing_can_be_made_is_named_with_the_reason() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ResultsFolder::create(file.join("good")).unwrap_err();
    let columns = file.join("good").join("columns");
    let want =
        format!("{}: cannot create the results folder: Not a directory (os error 20)", columns.display());
    assert_eq!(error.to_string(), want);
    assert!(!error.is_wrong_usage());
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named_with_the_reason() {
    use std::os::unix::fs::PermissionsExt;
    let (_parent, folder) = created();
    fs::set_permissions(folder.root(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.root().join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere (root)");
        return;
    }
    let denied = "Permission denied (os error 13)";
    let root = folder.root().display().to_string();
    assert_eq!(
        lock(&folder, &[]).unwrap_err().to_string(),
        format!("{root}/.lock: cannot lock the results folder: {denied}")
    );
    let error = folder.write_manifest(&manifest(&study())).unwrap_err();
    assert_eq!(error.to_string(), format!("{root}/study.json: cannot write the file: {denied}"));
    fs::set_permissions(folder.root(), fs::Permissions::from_mode(0o755)).unwrap();
}

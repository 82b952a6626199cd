//! Whatever stops the program in the middle of a study, at whatever call: the same command goes on to the same bits.
//!
//! A library that is loaded before the C library counts the calls by which the program changes files of the study, and spoils one:
//! the process ends there, it ends and what was not synced (bytes and names) is lost, or the call fails. A few of them are tried; all, one by one,
//! where the variable `FAULTS` is `all`.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// One column, two epochs of 60 digits: about fifty calls.
const CONFIG: &str = r#"{
  "schema": 1, "name": "tiny", "data": "sample", "seed": 7, "network": "1x29x29-2C4-MP2-3C5-MP3-10N",
  "activation": "relu", "initialization": "fan-in", "widths": [14], "columns_per_width": 1, "epochs": 2,
  "batch": 20, "validation": 340,
  "learning_rate": { "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 },
  "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": true }, "precision": "fp32", "distortion": null
}"#;

/// Calls tried of each kind, unless all are.
const FEW: usize = 12;

struct Faults {
    folder: TempDir,
    /// What the column's files are when nothing happens.
    unbroken: BTreeMap<String, Vec<u8>>,
    /// Calls of a run from nothing to the end.
    n_calls: usize,
}

impl Faults {
    /// `None` without a C compiler, which stderr then says.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.json"), CONFIG).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/interposed.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("interposed.so"));
        match compiler.arg(source).arg("-ldl").output() {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => {
                eprintln!("skipped: no C compiler `cc`: {error}");
                return None;
            }
        }
        let mut faults = Self { folder, unbroken: BTreeMap::new(), n_calls: 0 };
        let study = faults.path("unbroken");
        let count = faults.path("count");
        let mut command = faults.interposed(&study, "none", 0);
        let output = command.env("FAULT_COUNT", &count).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        faults.n_calls = fs::read_to_string(count).unwrap().parse().unwrap();
        faults.unbroken = bits(&study);
        assert!(faults.n_calls > 30, "{} calls: the library is not in use", faults.n_calls);
        Some(faults)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, study: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcdnn"));
        for variable in ["CIRESAN_INSTRUCTION_SET", "CIRESAN_WORKSPACE"] {
            command.env_remove(variable);
        }
        command.current_dir(self.folder.path()).args([
            "reproduce",
            "--quiet",
            "--config",
            "tiny.json",
            "--study",
        ]);
        command.arg(study);
        command
    }

    fn interposed(&self, study: &Path, kind: &str, at: usize) -> Command {
        let mut command = self.command(study);
        self.interpose(&mut command, study, kind, at);
        command
    }

    /// Lets the command meet the fault at its calls on files below a folder.
    fn interpose(&self, command: &mut Command, folder: &Path, kind: &str, at: usize) {
        command.env("LD_PRELOAD", self.path("interposed.so")).env("FAULT_FOLDER", folder);
        command.env("FAULT_KIND", kind).env("FAULT_AT", at.to_string());
    }

    /// Tries a kind of fault at some calls, or at all; `check` looks at what the spoiled run said.
    fn try_each(&self, kind: &str, check: impl Fn(&Output, &str)) {
        let all = env::var("FAULTS").is_ok_and(|which| which == "all");
        let step = if all { 1 } else { self.n_calls.div_ceil(FEW) };
        for at in (1..=self.n_calls).step_by(step) {
            let case = format!("{kind} at call {at} of {}", self.n_calls);
            let study = self.path(&format!("{kind}-{at}"));
            let spoiled = self.interposed(&study, kind, at).output().unwrap();
            check(&spoiled, &case);
            let again = self.command(&study).output().unwrap();
            let stderr = String::from_utf8_lossy(&again.stderr);
            assert!(again.status.success(), "{case}: the same command failed: {stderr}");
            let left = temporary(&study.join("columns/w14-1"));
            assert!(left.is_empty(), "{case}: left behind: {left:?}");
            let got = bits(&study);
            assert!(got == self.unbroken, "{case}: other bits");
            fs::remove_dir_all(&study).unwrap();
        }
    }
}

/// What decides a study, and what must not stay.
fn bits(study: &Path) -> BTreeMap<String, Vec<u8>> {
    let column = study.join("columns/w14-1");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&column).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // These tell of time.
        let bytes = if matches!(name.as_str(), "column.json" | "metrics.jsonl") {
            Vec::new()
        } else {
            fs::read(column.join(&name)).unwrap()
        };
        files.insert(name, bytes);
    }
    assert_eq!(fs::read_to_string(column.join("metrics.jsonl")).unwrap().lines().count(), 2);
    assert!(study.join("committee.json").exists());
    files
}

fn temporary(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "tmp")).collect()
}

#[test]
fn a_study_goes_on_after_every_fault() {
    let Some(faults) = Faults::new() else { return };
    let is_killed = |output: &Output, case: &str| {
        assert_eq!(output.status.code(), None, "{case}: {output:?}");
    };
    faults.try_each("kill", is_killed);
    faults.try_each("power", is_killed);
    // A call that fails is told with its path, or does not matter: a heartbeat, a file that is removed.
    let is_told = |output: &Output, case: &str| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => {}
            Some(1) => assert!(stderr.starts_with("error: "), "{case}: {stderr}"),
            other => panic!("{case}: exit code {other:?}: {stderr}"),
        }
    };
    faults.try_each("EIO", is_told);
    faults.try_each("ENOSPC", |output, case| {
        is_told(output, case);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stderr.contains("column w14-1: ") {
            assert!(
                stderr.ends_with("error: the disk is full: free space and run the same command\n"),
                "{case}: {stderr}"
            );
        }
    });
}

#[test]
fn a_full_disk_stops_the_run_at_the_first_column_that_finds_it_full() {
    let Some(faults) = Faults::new() else { return };
    let study = faults.path("full");
    let four = ["--workers", "1", "--set", "widths=[14,16,18,20]"];
    let spoiled = faults.interposed(&study, "ENOSPC", faults.n_calls / 2).args(four).output().unwrap();
    let stderr = String::from_utf8_lossy(&spoiled.stderr);
    assert_eq!(spoiled.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: column w14-1: "), "{stderr}");
    assert!(stderr.contains("error: 1 of 1 column failed: w14-1\n"), "{stderr}");
    assert!(stderr.contains("error: the disk is full: free space and run the same command\n"), "{stderr}");
    assert!(!study.join("columns/w16-1").exists(), "another column was begun: {stderr}");
    let again = faults.command(&study).args(four).output().unwrap();
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn without_locks_a_study_is_trained_and_a_cache_says_what_to_do() {
    let Some(faults) = Faults::new() else { return };
    let study = faults.path("no-locks");
    let trained = faults.interposed(&study, "ENOLCK", 0).output().unwrap();
    assert!(trained.status.success(), "{trained:?}");
    assert!(bits(&study) == faults.unbroken, "other bits");

    let cache = faults.path("cache");
    let no_locks =
        "cannot lock the cache folder, because its file system has no locks: put the cache on a local disk";
    for (kind, told) in [("ENOLCK", no_locks), ("EROFS", "cannot create: Read-only file system")] {
        let mut setup = Command::new(env!("CARGO_BIN_EXE_mcdnn"));
        setup.arg("setup").env("CIRESAN_CACHE", &cache);
        faults.interpose(&mut setup, &cache, kind, 1);
        let refused = setup.output().unwrap();
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{kind}: {stderr}");
        let advice = "error: the cache cannot be used; set CIRESAN_CACHE to another folder";
        assert!(stderr.contains(advice) && stderr.contains(told), "{kind}: {stderr}");
    }
}

//! A study of a few seconds in a folder of its own, and the program run on it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use study::{ColumnFolder, ResultsFolder};
use tempfile::TempDir;

/// Epochs of the fixture's study: long enough to be killed in, short enough to wait for.
pub(crate) const EPOCHS: u32 = 12;

/// A config and a results folder that go away with this value.
pub(crate) struct Fixture {
    folder: TempDir,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Fixture {
    /// Two columns of a tiny network, 400 digits, 25 steps an epoch; no file but the config.
    pub(crate) fn new() -> Self {
        Self::with(json!({}))
    }

    /// The same with some keys of the config replaced.
    pub(crate) fn with(changes: Value) -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.configure(changes);
        fixture
    }

    /// Writes the config anew, with some keys replaced.
    pub(crate) fn configure(&self, changes: Value) {
        let mut config = json!({
            "schema": 1, "name": "tiny", "data": "sample", "seed": 2012,
            "network": "1x29x29-2C4-MP2-3C5-MP3-10N", "activation": "relu", "initialization": "fan-in",
            "widths": [14, "original"], "columns_per_width": 1, "epochs": EPOCHS, "batch": 16, "validation": 0,
            "learning_rate": { "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 },
            "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": true },
            "precision": "fp32",
            "distortion": {
                "sigma": 8, "alpha": 36, "smoothing": "gaussian", "translation_px": 1, "rotation_deg": 5,
                "scaling": 0.05, "shear": 0, "anneal": 0.3
            }
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        fs::write(self.config(), config.to_string()).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    pub(crate) fn results(&self) -> ResultsFolder {
        ResultsFolder::open(self.folder.path().join("results"))
    }

    pub(crate) fn column(&self, id: &str) -> ColumnFolder {
        self.results().column(&id.parse().unwrap())
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_in(self.results().root(), args)
    }

    /// Runs the program to its end with another results folder.
    pub(crate) fn run_in(&self, results: &Path, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(results, args))
    }

    /// Runs the program to its end with an instruction set named in the environment.
    pub(crate) fn run_on(&self, instruction_set: &str, args: &[&str]) -> Ended {
        let mut command = self.command(self.results().root(), args);
        Ended::of(command.env("CIRESAN_INSTRUCTION_SET", instruction_set))
    }

    /// Starts the program and returns once it has told of `n_epochs` epochs; everything it writes goes on being read.
    pub(crate) fn start_until(&self, n_epochs: usize, args: &[&str]) -> Running {
        let mut child = self
            .command(self.results().root(), args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut text, mut n_seen) = (String::new(), 0);
        while n_seen < n_epochs {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "ended after {n_seen} epochs: {text}");
            n_seen += usize::from(line.contains(" left"));
            text += &line;
        }
        Running { child, stderr, text }
    }

    fn command(&self, results: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.env_remove("CIRESAN_INSTRUCTION_SET");
        let flags: [OsString; 4] =
            ["--config".into(), self.config().into(), "--study".into(), results.into()];
        command.args(flags).args(args);
        command
    }

    /// The bytes that decide a study, of every column: weights and probabilities.
    pub(crate) fn bits(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for id in ["w14-1", "original-1"] {
            let column = self.column(id);
            for path in [column.weights(), column.probabilities()] {
                let name = format!("{id}/{}", path.file_name().unwrap().to_string_lossy());
                files.insert(name, fs::read(&path).unwrap());
            }
        }
        files
    }

    /// The lines of a column's metrics without what depends on the clock.
    pub(crate) fn metrics(&self, id: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.column(id).metrics()).unwrap();
        let line = |line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            for key in ["images_per_second", "elapsed_s"] {
                assert!(value.as_object_mut().unwrap().remove(key).unwrap().as_f64().unwrap() > 0.0);
            }
            value
        };
        text.lines().map(line).collect()
    }
}

/// The program at work.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    text: String,
}

impl Running {
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        std::io::Read::read_to_string(&mut self.stderr, &mut self.text).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout: String::new(), stderr: self.text }
    }
}

impl Ended {
    fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code, and that stderr holds each of `parts`.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "stdout is for results");
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in:\n{}", self.stderr);
        }
    }
}

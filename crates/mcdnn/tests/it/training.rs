//! Training by `reproduce`: a study of a few seconds in a folder of its own, and the program run on it.

mod failures;
mod interruption;
mod refusals;
mod results;
mod share;
mod tune;

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
        Running::start(self.command(self.results().root(), args), n_epochs, " left")
    }

    /// Starts the program with SIGHUP ignored, as `nohup` does, and returns once it has told of `n_epochs` epochs.
    #[cfg(unix)]
    pub(crate) fn start_without_hangup(&self, n_epochs: usize, args: &[&str]) -> Running {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"trap '' HUP; exec "$0" "$@""#, crate::PROGRAM]);
        Running::start(self.command_by(shell, self.results().root(), args), n_epochs, " left")
    }

    /// Starts the program and returns once it is about to train, and has told so.
    #[cfg(unix)]
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(self.results().root(), args), 1, "engine    ciresan-cpu ")
    }

    pub(crate) fn command(&self, results: &Path, args: &[&str]) -> Command {
        self.command_by(Command::new(crate::PROGRAM), results, args)
    }

    /// The program in the fixture's folder, with nothing in its environment that concerns it.
    pub(crate) fn program(&self) -> Command {
        self.program_by(Command::new(crate::PROGRAM))
    }

    fn program_by(&self, mut command: Command) -> Command {
        for variable in [
            "CIRESAN_INSTRUCTION_SET",
            "CIRESAN_WORKSPACE",
            "SLURM_ARRAY_TASK_ID",
            "JOB_COMPLETION_INDEX",
            "COLUMNS",
        ] {
            command.env_remove(variable);
        }
        command.current_dir(self.folder.path());
        command
    }

    /// The program, started by one that is given its path and arguments.
    fn command_by(&self, command: Command, results: &Path, args: &[&str]) -> Command {
        let mut command = self.program_by(command);
        command.arg("reproduce");
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
    /// Starts the program and returns once it has written `n_lines` lines on stderr that hold `words`.
    fn start(mut command: Command, n_lines: usize, words: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut text, mut n_seen) = (String::new(), 0);
        while n_seen < n_lines {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "ended after {n_seen} such lines: {text}");
            n_seen += usize::from(line.contains(words));
            text += &line;
        }
        Self { child, stderr, text }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Whether the program is at work still.
    #[cfg(unix)]
    pub(crate) fn is_at_work(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        std::io::Read::read_to_string(&mut self.stderr, &mut self.text).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout: String::new(), stderr: self.text }
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code, and that stderr holds each of `parts`.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let has_table = ["100 test digits", "80 held-out digits"]
            .iter()
            .any(|digits| self.stdout.contains(&format!("\n# Study tiny: error on {digits}")));
        assert!(
            has_table || self.stdout.is_empty() && self.code != Some(0),
            "stdout is for results: {self:?}"
        );
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in:\n{}", self.stderr);
        }
    }
}

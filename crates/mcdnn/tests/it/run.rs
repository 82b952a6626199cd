//! Runs the program in a fresh folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// No run takes longer, but one that hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// A study of two tiny columns on the embedded sample of digits; every test changes what it is about.
const CONFIG: &str = r#"{
  "schema": 1,
  "name": "tiny",
  "data": "sample",
  "seed": 7,
  "network": "1x29x29-4C4-MP2-6C5-MP3-12N-10N",
  "activation": "relu",
  "initialization": "fan-in",
  "widths": [14, "original"],
  "columns_per_width": 1,
  "epochs": 2,
  "batch": 32,
  "validation": 0,
  "learning_rate": { "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 },
  "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": true },
  "precision": "fp32",
  "distortion": {
    "sigma": 8, "alpha": 36, "smoothing": "gaussian",
    "translation_px": 0, "rotation_deg": 0, "scaling": 0, "shear": 0, "anneal": 0.3
  }
}"#;

/// A folder that is removed after the test.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes the tiny config as `tiny.json`, with each first text replaced by the second.
    pub(crate) fn config(&self, changes: &[(&str, &str)]) {
        let mut text = CONFIG.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "the tiny config has no {from}");
            text = text.replacen(from, to, 1);
        }
        self.write("tiny.json", text);
    }

    /// The program with these arguments, separated by spaces, in this folder; not started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(crate::PROGRAM);
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What cargo and the user have set for others; and what keeps the test off the network and the user's cache.
        for variable in
            ["LIBTORCH", "LIBTORCH_USE_PYTORCH", "CIRESAN_INSTRUCTION_SET", "CIRESAN_WORKSPACE", "COLUMNS"]
        {
            command.env_remove(variable);
        }
        command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR")); // as cargo does when it runs the program
        command.env("CIRESAN_CACHE", self.path("cache")).env("HTTPS_PROXY", "http://127.0.0.1:1");
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments))
    }
}

impl Ran {
    pub(crate) fn of(command: Command) -> Self {
        assert_cmd::Command::from_std(command).timeout(LIMIT).output().unwrap().into()
    }

    /// Succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Was refused with this exit code and one sentence, which has these words.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:#?}");
        assert!(self.stderr.starts_with("error: ") && self.stderr.lines().count() == 1, "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:#?}");
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The bytes of a file.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

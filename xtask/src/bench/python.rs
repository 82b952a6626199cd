//! The peers' Python environment: made by pip from a pinned list, again when the list changes, whole or absent.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use mcdnn::host;

use crate::terminal;

/// The file that is written last: what the environment was made of. Without it the environment is no good.
const STAMP: &str = "made-of.txt";

/// Variables of some machines that slow numpy's matrix products down.
const SLOWING: [&str; 2] = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

/// Variables that tell numerical libraries how many threads to use.
const THREADS: [&str; 3] = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"];

/// An environment that holds what a list asks for.
#[derive(Debug)]
pub(super) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The environment in `folder`, made with `python` unless it is there and was made of this list by this Python.
    ///
    /// Of two runs at once the second waits for the first. What an interrupted run left is made again.
    ///
    /// # Errors
    /// When Python or pip cannot be started or fails: then pip's own messages are on stderr.
    pub(super) fn bring(folder: &Path, python: &Path, requirements: &Path) -> Result<Self> {
        let list = fs::read_to_string(requirements)
            .with_context(|| format!("{}: cannot read the list of packages", requirements.display()))?;
        let Some(version) = host::version(&mut Command::new(python)) else {
            bail!("{}: cannot start Python; give another with --python", python.display());
        };
        let made_of = format!("# {version}\n{list}");
        let parent = folder.parent().context("the environment's folder is a root")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        let lock_path = folder.with_extension("lock");
        let lock = File::create(&lock_path).with_context(|| lock_path.display().to_string())?;
        lock.lock().with_context(|| lock_path.display().to_string())?;

        let environment = Self { folder: folder.to_owned() };
        let stamp = folder.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == made_of) {
            return Ok(environment);
        }
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{}: cannot be made anew", folder.display()));
            }
            _ => {}
        }
        terminal::note(format_args!("making the peers' Python environment in {}", folder.display()));
        let mut venv = Command::new(python);
        venv.args(["-m", "venv"]).arg(folder);
        succeed("python -m venv", &mut venv)?;
        let mut pip = Command::new(environment.program());
        pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--requirement"]);
        succeed("pip install", pip.arg(requirements))?;
        study::write_whole(&stamp, made_of.as_bytes())?;
        Ok(environment)
    }

    /// A script run on so many threads, with nothing that slows it.
    pub(super) fn script(&self, script: &Path, threads: usize) -> Command {
        let mut command = Command::new(self.program());
        command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_ALBUMENTATIONS_UPDATE", "1");
        for name in SLOWING {
            command.env_remove(name);
        }
        for name in THREADS {
            command.env(name, threads.to_string());
        }
        command
    }

    fn program(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
    }
}

/// Runs a program whose output goes to stderr, because stdout is for the result.
fn succeed(name: &str, command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null()).stdout(io::stderr());
    let status = command.status().with_context(|| format!("{name}: cannot start"))?;
    if !status.success() {
        bail!("{name} failed ({status}); its messages are above");
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::executable::executable;

    /// A Python that logs what it is asked for, makes environments that hold itself, and fails where a file says so.
    const PYTHON: &str = r#"#!/bin/sh
here=$(dirname "$0")
[ "$1" = --version ] && { echo "Python 3.99"; exit; }
echo "$2" >> LOG
case $2 in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
  pip) [ ! -e FAIL ];;
esac
"#;

    #[test]
    fn an_environment_is_made_once_and_again_when_its_list_changes_or_it_was_interrupted() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let (log, fail) = (at("log"), at("fail"));
        let text =
            PYTHON.replace("LOG", &log.display().to_string()).replace("FAIL", &fail.display().to_string());
        executable(&at("python"), &text).unwrap();
        let bring = || Environment::bring(&at("peers/these"), &at("python"), &at("list.txt"));
        let asked = || fs::read_to_string(&log).unwrap_or_default().lines().count();

        assert!(bring().unwrap_err().to_string().contains("list.txt: cannot read the list"));
        fs::write(at("list.txt"), "numpy==1\n").unwrap();
        fs::write(&fail, "").unwrap();
        let error = bring().unwrap_err().to_string();
        assert!(error.starts_with("pip install failed"), "{error}");
        fs::remove_file(&fail).unwrap();

        bring().unwrap();
        assert_eq!(asked(), 4, "made again after the failure");
        let environment = bring().unwrap();
        assert_eq!(asked(), 4, "and then left alone");
        assert!(environment.program().is_file());
        fs::write(at("list.txt"), "numpy==2\n").unwrap();
        bring().unwrap();
        assert_eq!(asked(), 6, "another list");

        let missing = Environment::bring(&at("peers/these"), &at("no-python"), &at("list.txt"));
        assert!(missing.unwrap_err().to_string().contains("no-python: cannot start Python"));
    }
}

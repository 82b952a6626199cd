//! The program `trainer`: built by cargo, run as a child that outlives neither a signal nor this program.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace::Workspace;

/// What became of a run of the trainer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every column is finished.
    Finished,
    /// A signal asked for the end; what was trained is saved.
    Interrupted,
    /// The trainer gave up and said why on stderr, with this exit code.
    Failed(u8),
}

/// Builds the trainer with the profile this program was built with, and returns the path of the executable.
///
/// Cargo's progress and errors go to stderr as they are.
///
/// # Errors
/// When cargo cannot be started, or does not build.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command.args(["build", "--package", "trainer", "--bin", "trainer"]);
    // Cargo says where the executable is: a target folder or target triple set elsewhere needs no guess.
    command.arg("--message-format=json-render-diagnostics");
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let mut cargo =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let messages = cargo.stdout.take().map(BufReader::new);
    let mut program = None;
    for line in messages.into_iter().flat_map(BufRead::lines) {
        program = executable(&line.context("reading cargo's messages")?).or(program);
    }
    let status = cargo.wait().context("waiting for cargo")?;
    if !status.success() {
        bail!("cargo could not build the trainer; its messages are above");
    }
    program.context("cargo built the trainer but named no executable")
}

/// The executable that a line of cargo's JSON messages names, if it is the trainer's.
fn executable(line: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    // Messages without a target or an executable are others than the one looked for, not errors.
    let message: Message = serde_json::from_str(line).ok()?;
    message.executable.filter(|_| message.target.name == "trainer")
}

/// Runs the trainer to its end. Its progress goes to stderr.
///
/// The trainer saves and stops when its stdin closes. So it never becomes an orphan, however this program ends, and a
/// SIGINT, SIGTERM or SIGHUP that reaches this program alone stops it too. After one of these this program waits until
/// everything is saved.
///
/// # Errors
/// When the program cannot be started or a signal other than the user's ended it.
pub(crate) fn run(program: &Path, args: &[OsString]) -> Result<Outcome> {
    let lifeline: Arc<Mutex<Option<ChildStdin>>> = Arc::default();
    let interrupted = Arc::new(AtomicBool::new(false));
    ctrlc::set_handler({
        let (lifeline, interrupted) = (Arc::clone(&lifeline), Arc::clone(&interrupted));
        move || {
            interrupted.store(true, Ordering::SeqCst);
            cut(&lifeline);
        }
    })
    .context("cannot handle signals")?;

    let mut child = Command::new(program)
        .args(args)
        .arg("--stop-when-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(io::stderr()) // this program's stdout is for the result alone
        .spawn()
        .with_context(|| format!("{}: cannot start the trainer", program.display()))?;
    *lifeline.lock().unwrap_or_else(PoisonError::into_inner) = child.stdin.take();
    if interrupted.load(Ordering::SeqCst) {
        cut(&lifeline); // the signal came before there was anything to cut
    }
    let status = child.wait().context("waiting for the trainer")?;
    outcome(status, interrupted.load(Ordering::SeqCst))
}

/// Closes the trainer's stdin.
fn cut(lifeline: &Mutex<Option<ChildStdin>>) {
    drop(lifeline.lock().unwrap_or_else(PoisonError::into_inner).take());
}

fn outcome(status: ExitStatus, interrupted: bool) -> Result<Outcome> {
    match status.code() {
        Some(0) => Ok(Outcome::Finished),
        _ if interrupted => Ok(Outcome::Interrupted),
        Some(code) => Ok(Outcome::Failed(u8::try_from(code).unwrap_or(1))),
        None => {
            bail!("the trainer was ended from outside ({status}); what its last checkpoints hold is kept")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trainers_executable_is_taken_from_cargos_messages() {
        let built = r#"{"reason":"compiler-artifact","target":{"name":"trainer","kind":["bin"]},"executable":"/t/release/trainer","fresh":true}"#;
        assert_eq!(executable(built), Some(PathBuf::from("/t/release/trainer")));
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"trainer","kind":["lib"]},"executable":null}"#;
        assert_eq!(executable(library), None);
        let other = r#"{"reason":"compiler-artifact","target":{"name":"build"},"executable":"/t/build"}"#;
        assert_eq!(executable(other), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_trainers_end_is_told_apart() {
        use std::os::unix::process::ExitStatusExt;
        let exited = |code: i32| ExitStatus::from_raw(code << 8);
        assert_eq!(outcome(exited(0), true).unwrap(), Outcome::Finished);
        assert_eq!(outcome(exited(1), true).unwrap(), Outcome::Interrupted);
        assert_eq!(outcome(exited(2), false).unwrap(), Outcome::Failed(2));
        let killed = outcome(ExitStatus::from_raw(9), false).unwrap_err().to_string();
        assert!(killed.contains("signal: 9"), "{killed}");
    }
}

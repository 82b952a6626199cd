//! The program `trainer`: built by cargo, run as a child that outlives neither a signal nor this program.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::build::{self, Kind, Profile};
use crate::device::Device;
use crate::digits::Digits;
use crate::workspace::Workspace;
use crate::{libtorch, terminal};

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

/// Builds the trainer with the profile this program was built with, and returns the path of the executable. For a device
/// that needs it, libtorch is found or brought first.
///
/// # Errors
/// Those of [`libtorch::bring`] and [`build::program`].
pub(crate) fn build(workspace: &Workspace, device: Device) -> Result<PathBuf> {
    let (kind, profile) = (Kind::Bin("trainer"), Profile::own());
    if !device.needs_libtorch() {
        return build::program(workspace, "trainer", kind, profile);
    }
    terminal::note(libtorch::bring(workspace)?);
    build::program_with_libtorch(workspace, "trainer", kind, profile)
}

/// The trainer's arguments for a study.
pub(crate) fn arguments(config: &Path, root: &Path, digits: &Digits, device: Device) -> Vec<OsString> {
    let args: [(&str, OsString); 4] = [
        ("--config", config.into()),
        ("--study", root.into()),
        ("--data", digits.trainer_argument.clone()),
        ("--device", device.to_string().into()),
    ];
    args.into_iter().flat_map(|(flag, value)| [flag.into(), value]).collect()
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

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

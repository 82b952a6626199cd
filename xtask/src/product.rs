//! The product's commands, handed to `mcdnn`: in this process, or to a program that is built with libtorch or the demo.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use mcdnn::failure::{WithoutDemo, WithoutLibtorch};
use mcdnn::{App, Device, Terminal, WORKSPACE_VARIABLE, libtorch, signals};

use crate::build::{self, Kind, Profile};
use crate::workspace::Workspace;

/// Does what `command` says with the workspace's folders.
///
/// # Errors
/// Those of the command; when libtorch or the demo is needed, those of bringing it and of building with it.
pub(crate) fn run(command: &mcdnn::Command) -> Result<()> {
    let workspace = Workspace::find()?;
    let app = App {
        place: workspace.place(),
        arguments: env::args_os().skip(1).collect(),
        terminal: Terminal::standard(),
        listen: signals::listen,
    };
    // Without libtorch the command does what can be done without it, and refuses what is wrong, before it says so. No signal
    // is listened to by then: that begins with training.
    match command.run(&app) {
        Err(error) => match error.downcast_ref() {
            Some(WithoutLibtorch(device)) => with_libtorch(&workspace, &app, *device),
            None if error.is::<WithoutDemo>() => with_demo(&workspace, &app),
            None => Err(error),
        },
        done => done,
    }
}

/// Builds `mcdnn` with the demo, and has it take this program's place.
fn with_demo(workspace: &Workspace, app: &App) -> Result<()> {
    app.terminal.note("building mcdnn with the demo");
    let program = build::program_with_demo(workspace, Profile::own())?;
    hand_over(&program, workspace, app)
}

/// Builds `mcdnn` with libtorch, which is found or brought first, and has it take this program's place.
fn with_libtorch(workspace: &Workspace, app: &App, device: Device) -> Result<()> {
    device.check()?;
    app.terminal.note(libtorch::bring(&app.place, &app.terminal)?);
    let program = build::program_with_libtorch(workspace, "mcdnn", Kind::Bin("mcdnn"), Profile::own())?;
    hand_over(&program, workspace, app)
}

/// Has `program` take this one's place, with its arguments.
fn hand_over(program: &Path, workspace: &Workspace, app: &App) -> Result<()> {
    let mut command = Command::new(program);
    command.args(&app.arguments).env(WORKSPACE_VARIABLE, workspace.root());
    replace_by(command).with_context(|| format!("{}: cannot start", program.display()))
}

/// Returns only when the program cannot be started.
#[cfg(unix)]
fn replace_by(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

/// Elsewhere no program can take another's place: this one waits, and leaves as that did.
#[cfg(not(unix))]
fn replace_by(mut command: Command) -> Result<()> {
    match command.status()?.code() {
        Some(0) => Ok(()),
        code => {
            Err(mcdnn::failure::AlreadyTold(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
                .into())
        }
    }
}

//! Programs of the workspace, built by cargo.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace::Workspace;

/// Which of a package's programs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'a> {
    Bin(&'a str),
    Example(&'a str),
}

/// How to build it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// The one that this program was built with.
    pub(crate) fn own() -> Self {
        if cfg!(debug_assertions) { Self::Dev } else { Self::Release }
    }
}

/// Builds a program and returns the path of the executable.
///
/// Cargo's progress and errors go to stderr as they are.
///
/// # Errors
/// When cargo cannot be started, or does not build.
pub(crate) fn program(
    workspace: &Workspace,
    package: &str,
    kind: Kind<'_>,
    profile: Profile,
) -> Result<PathBuf> {
    build(workspace.cargo(), package, kind, profile, &[])
}

/// The same with the package's feature `libtorch`, for which libtorch must have been found or brought.
///
/// # Errors
/// As [`program`].
pub(crate) fn program_with_libtorch(
    workspace: &Workspace,
    package: &str,
    kind: Kind<'_>,
    profile: Profile,
) -> Result<PathBuf> {
    build(workspace.cargo_with_libtorch(), package, kind, profile, &["--features", "libtorch"])
}

/// Builds `mcdnn` with its feature `demo`.
///
/// # Errors
/// As [`program`].
pub(crate) fn program_with_demo(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    build(workspace.cargo(), "mcdnn", Kind::Bin("mcdnn"), profile, &["--features", "demo"])
}

fn build(
    mut command: Command,
    package: &str,
    kind: Kind<'_>,
    profile: Profile,
    features: &[&str],
) -> Result<PathBuf> {
    let (option, name) = match kind {
        Kind::Bin(name) => ("--bin", name),
        Kind::Example(name) => ("--example", name),
    };
    command.args(["build", "--package", package, option, name]).args(features);
    if profile == Profile::Release {
        command.arg("--release");
    }
    executable_of(command, name)
}

/// Has cargo build, by a command that begins with `build`, and returns the path of the program `name`.
///
/// # Errors
/// As [`program`].
pub(crate) fn executable_of(mut command: Command, name: &str) -> Result<PathBuf> {
    // Cargo says where the executable is: a target folder or target triple set elsewhere needs no guess.
    command.arg("--message-format=json-render-diagnostics");
    let mut cargo =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let messages = cargo.stdout.take().map(BufReader::new);
    let mut program = None;
    for line in messages.into_iter().flat_map(BufRead::lines) {
        program = executable(&line.context("reading cargo's messages")?, name).or(program);
    }
    let status = cargo.wait().context("waiting for cargo")?;
    if !status.success() {
        bail!("cargo could not build the {name}; its messages are above");
    }
    program.with_context(|| format!("cargo built the {name} but named no executable"))
}

/// The executable that a line of cargo's JSON messages names, if it is that program's.
fn executable(line: &str, name: &str) -> Option<PathBuf> {
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
    message.executable.filter(|_| message.target.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_executable_is_taken_from_cargos_messages() {
        let executable = |line| executable(line, "trainer");
        let built = r#"{"reason":"compiler-artifact","target":{"name":"trainer","kind":["bin"]},"executable":"/t/release/trainer","fresh":true}"#;
        assert_eq!(executable(built), Some(PathBuf::from("/t/release/trainer")));
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"trainer","kind":["lib"]},"executable":null}"#;
        assert_eq!(executable(library), None);
        let other = r#"{"reason":"compiler-artifact","target":{"name":"build"},"executable":"/t/build"}"#;
        assert_eq!(executable(other), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

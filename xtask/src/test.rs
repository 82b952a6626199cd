//! `cargo xtask test`: the one gate, cheapest checks first.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{lint, terminal};

/// Run everything a change must pass: lint, documentation, tests.
///
/// Runs, cheapest first: everything `cargo xtask lint` checks; `cargo doc` with warnings as errors; unit, integration
/// and documentation tests of every crate. Needs neither MNIST nor a network nor a GPU.
///
/// Exit codes: 0 all passed, 1 something did not (its own messages say what).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the gate; stops at the first step that fails.
///
/// # Errors
/// Names the step that failed.
pub(crate) fn run(_: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    lint::run(&lint::Args {})?;

    let mut doc = workspace.cargo();
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    step("documentation: cargo doc --workspace --no-deps", &mut doc)?;

    let mut test = workspace.cargo();
    test.args(["test", "--workspace"]);
    step("tests: cargo test --workspace", &mut test)?;

    terminal::note("lint, documentation and tests passed");
    Ok(())
}

/// Runs a program with its output as it is.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<()> {
    terminal::note(format_args!("── {name}"));
    let status = command.status().with_context(|| format!("{name}: cannot start"))?;
    if !status.success() {
        bail!("{name}: failed ({status}); its messages are above");
    }
    Ok(())
}

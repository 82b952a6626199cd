//! `cargo xtask test`: the one gate, cheapest checks first.

use std::process::Command;

use anyhow::{Context, Result, bail};
use mcdnn::{Terminal, libtorch};

use crate::workspace::Workspace;
use crate::{lint, terminal};

/// Run all checks that a change must pass: lint, documentation, tests.
///
/// Runs, fastest first: everything that `cargo xtask lint` checks; `cargo doc` with warnings as errors; unit, integration and
/// documentation tests of every crate; the tests of the demo, which draw on its page with Chromium if it is installed. Needs no
/// MNIST, no network and no GPU.
///
/// With --libtorch, finds or downloads libtorch as `cargo xtask setup --libtorch` does, runs clippy and the tests of the code that
/// needs it, and trains a tiny study with it. Without a GPU, the tests that need one print that they were skipped.
///
/// Exit codes: 0 all passed, 1 something failed (its own messages say what).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check only the code that needs libtorch
    #[arg(long)]
    libtorch: bool,
}

/// What is built with libtorch.
const WITH_LIBTORCH: [&str; 6] =
    ["--package", "ciresan-net", "--package", "mcdnn", "--features", "ciresan-net/libtorch,mcdnn/libtorch"];

/// What is built with the demo. The whole workspace is named so that all but `mcdnn` is built as for the other tests, and not
/// a second time.
pub(crate) const WITH_DEMO: [&str; 5] = ["--workspace", "--features", "mcdnn/demo", "--test", "demo"];

/// Runs the gate; stops at the first step that fails.
///
/// # Errors
/// Names the step that failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    if args.libtorch {
        return with_libtorch(&workspace);
    }
    lint::run(&lint::Args {})?;

    let mut doc = workspace.cargo();
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    step("documentation: cargo doc --workspace --no-deps", &mut doc)?;

    let mut test = workspace.cargo();
    test.args(["test", "--workspace"]);
    step("tests: cargo test --workspace", &mut test)?;

    let mut demo = workspace.cargo();
    demo.arg("test").args(WITH_DEMO);
    step("the demo: cargo test --workspace --features mcdnn/demo --test demo", &mut demo)?;

    terminal::note("lint, documentation and tests passed");
    Ok(())
}

fn with_libtorch(workspace: &Workspace) -> Result<()> {
    terminal::note(libtorch::bring(&workspace.place(), &Terminal::standard())?);
    let mut clippy = workspace.cargo_with_libtorch();
    clippy.arg("clippy").args(WITH_LIBTORCH).args(["--all-targets", "--", "-D", "warnings"]);
    step("clippy with libtorch", &mut clippy)?;
    let mut test = workspace.cargo_with_libtorch();
    test.arg("test").args(WITH_LIBTORCH);
    step("tests with libtorch", &mut test)?;
    // As the user's environment is: this one finds libtorch by itself.
    let mut study = workspace.cargo();
    study.args(["test", "--package", "xtask", "--test", "it", "libtorch"]).env("CIRESAN_TEST_LIBTORCH", "1");
    step("a study with libtorch", &mut study)?;
    terminal::note("clippy, tests and a study with libtorch passed");
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

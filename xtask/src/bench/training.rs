//! The race of the CPU engine with what people train small networks with.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::contender::Entry;
use super::race::Task;
use super::results::Side;
use super::{Lineup, OURS, origin, preprocess};
use crate::build::{self, Kind, Profile};
use crate::terminal;
use crate::workspace::Workspace;

/// The tasks' names.
pub(super) const TASKS: &[&str] = &["train"];

/// The `skip_below` that docs/PERFORMANCE.md recommends.
const SKIP_BELOW: &str = "0.01";

/// The peers' script, and the folder of those in Rust: a workspace of its own.
const SCRIPT: &str = "xtask/peers/training/pytorch.py";
const RUST_PEERS: &str = "xtask/peers/rust-training";

/// Builds and installs the contenders.
///
/// # Errors
/// When this project's own cannot be built. Peers that cannot be had are entered with the reason.
pub(super) fn lineup(
    workspace: &Workspace,
    python: &Path,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Lineup> {
    let ours = build::program(workspace, "ciresan-cpu", Kind::Example("training_race"), Profile::Release)?;
    let torch = preprocess::environment(workspace, python)?;
    let rust = rust_peers(workspace);

    let our_entry = |name: String, side: Side, skip_below: &str, threads: usize| {
        let mut command = Command::new(&ours);
        command.args(["--skip-below", skip_below, "--threads", &threads.to_string()]);
        Entry { name, side, threads, command: Ok(command) }
    };
    let exact = |threads| our_entry(OURS.to_owned(), Side::Ours, "0", threads);
    let skipping =
        |threads| our_entry(format!("{OURS}, skip_below {SKIP_BELOW}"), Side::Shortcut, SKIP_BELOW, threads);
    let pytorch = |name: &str, variant: &str, threads: usize, processes: usize| {
        let command = torch.as_ref().map_err(Clone::clone).map(|torch| {
            let mut command = torch.script(&workspace.root().join(SCRIPT), threads);
            command.arg(variant).args(sizes(threads, processes));
            command
        });
        Entry { name: named(name, processes), side: Side::Peer, threads: threads * processes, command }
    };
    let in_rust = |framework: &str, processes: usize| {
        let command = rust.as_ref().map_err(Clone::clone).map(|program| {
            let mut command = Command::new(program);
            command.arg(framework).args(sizes(1, processes));
            command
        });
        Entry { name: named(framework, processes), side: Side::Peer, threads: processes, command }
    };
    let task = Task {
        name: TASKS[0].to_owned(),
        what: "training steps of the paper's network, batch 128, images in memory; several processes train a column each, as \
               this project's threads do"
            .to_owned(),
        entries: vec![
            exact(1),
            exact(2),
            skipping(1),
            skipping(2),
            pytorch("PyTorch as usually written", "usual", 1, 1),
            pytorch("PyTorch as usually written", "usual", 2, 1),
            pytorch("PyTorch channels-last", "channels-last", 1, 1),
            pytorch("PyTorch channels-last", "channels-last", 2, 1),
            pytorch("PyTorch channels-last", "channels-last", 1, 2),
            pytorch("PyTorch channels-last bf16", "channels-last-bf16", 1, 1),
            pytorch("PyTorch channels-last bf16", "channels-last-bf16", 2, 1),
            pytorch("PyTorch channels-last bf16", "channels-last-bf16", 1, 2),
            in_rust("candle", 1),
            in_rust("candle", 2),
            in_rust("burn", 1),
            in_rust("burn", 2),
        ],
    };
    let tasks = if is_asked(TASKS[0]) { vec![task] } else { Vec::new() };
    Ok(Lineup { tasks, tools: origin::tools(python) })
}

fn named(name: &str, processes: usize) -> String {
    if processes > 1 { format!("{name}, {processes} processes") } else { name.to_owned() }
}

fn sizes(threads: usize, processes: usize) -> [String; 4] {
    ["--threads".to_owned(), threads.to_string(), "--processes".to_owned(), processes.to_string()]
}

/// The program with candle and burn, or why there is none.
fn rust_peers(workspace: &Workspace) -> Result<std::path::PathBuf, String> {
    const PROGRAM: &str = "rust-training-peers";
    let mut command = workspace.cargo();
    // In its folder, where cargo finds the peers' own flags.
    command.current_dir(workspace.root().join(RUST_PEERS));
    command.args(["build", "--release", "--locked", "--bin", PROGRAM]);
    build::executable_of(command, PROGRAM).map_err(|error| {
        terminal::note(format_args!("no candle, no burn: {error:#}"));
        format!("{error:#}")
    })
}

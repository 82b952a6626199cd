//! `mcdnn status`: how far a study is.

use std::path::Path;

use anyhow::Result;

use crate::app::App;
use crate::failure::AlreadyTold;
use crate::status::Status;
use crate::studies::{Found, StudyArgs};

/// Print how far a study is: each column's state, epoch, loss and speed.
///
/// Reads the results folder alone and changes nothing in it, so it can be called while a run is at work. A column is
/// finished, in training, begun, not begun or damaged; every file of a finished column is compared with its checksum.
/// While a run is at work, every column that is begun counts as in training. Loss, error on the held-out digits and
/// images/s are those of the last epoch. The time left is an estimate from the speed of the epochs behind.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn status
  $mcdnn status --study results/quick --json

Exit codes: 0 every column is finished and whole; 1 not so; 2 wrong usage, such as a folder without a study.";

/// Prints the study's state.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    print(args.study.given(), args.json, app)
}

/// Prints the state of the study in a folder.
///
/// # Errors
/// See the exit codes of `--help`.
pub(super) fn print(study: Option<&Path>, json: bool, app: &App) -> Result<()> {
    // A study without a finished column is one, too.
    let found = Found::given_or_best(app, study, |finished| (1, finished.len()))?;
    let status = Status::read(&found.folder, &found.manifest)?;
    app.terminal.result(if json { serde_json::to_string(&status)? } else { status.to_string() })?;
    if status.is_complete() { Ok(()) } else { Err(AlreadyTold(1).into()) }
}

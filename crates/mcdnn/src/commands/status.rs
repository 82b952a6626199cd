//! `mcdnn status`: how far a study is.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::app::App;
use crate::failure::AlreadyTold;
use crate::status::Status;
use crate::studies::{Found, StudyArgs};
use crate::training;

/// Print the progress of a study: state, epoch, loss and speed of each column.
///
/// Only reads the results folder, so it can be used while a study trains. A column is finished, in training, started, not
/// started or damaged. While a run trains in the folder, each started column counts as in training. Every file of a finished
/// column is compared with its checksum. Loss, error on the held-out digits and images/s are those of the last epoch. The time
/// left is an estimate from the speed so far. A warning names each column whose error is still above 50 % after a tenth of its
/// epochs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// Refresh the table until every column is finished or Ctrl-C is pressed; without a terminal, print a line for each change
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn status
  $mcdnn status --watch
  $mcdnn status --study results/quick --json

Exit codes: 0 every column is finished and intact; 1 a column is unfinished or damaged; 2 wrong usage, such as a folder without a study.";

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// How often Ctrl-C is looked for in between.
const LISTEN: Duration = Duration::from_millis(50);

/// Prints the study's state.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    if args.watch { watch(args.study.given(), app) } else { print(args.study.given(), args.json, app) }
}

/// Prints the state of the study in a folder.
///
/// # Errors
/// See the exit codes of `--help`.
pub(super) fn print(study: Option<&Path>, json: bool, app: &App) -> Result<()> {
    let found = found(study, app)?;
    let status = Status::read(&found.folder, &found.manifest, None)?;
    let width = app.terminal.width();
    app.terminal.result(if json { serde_json::to_string(&status)? } else { status.text(width) })?;
    done(&status)
}

fn found(study: Option<&Path>, app: &App) -> Result<Found> {
    // A study without a finished column is one, too.
    Found::given_or_best(app, study, |finished| (1, finished.len()))
}

fn done(status: &Status) -> Result<()> {
    if status.is_complete() { Ok(()) } else { Err(AlreadyTold(1).into()) }
}

fn watch(study: Option<&Path>, app: &App) -> Result<()> {
    let found = found(study, app)?;
    let stop = training::listen(app)?;
    let mut before: Option<Status> = None;
    let mut shown = String::new();
    loop {
        let status = Status::read(&found.folder, &found.manifest, before.as_ref())?.busy_first();
        let text = match app.terminal.can_redraw() {
            true => status.text(app.terminal.width()),
            false => status.headline(),
        };
        if text != shown {
            app.terminal.redraw(&text)?;
            shown = text;
        }
        if status.is_complete() {
            return Ok(());
        }
        for _ in 0..PAUSE.as_millis() / LISTEN.as_millis() {
            if stop.load(Ordering::Relaxed) {
                return done(&status);
            }
            thread::sleep(LISTEN);
        }
        before = Some(status);
    }
}

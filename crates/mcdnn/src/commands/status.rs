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

/// Print how far a study is: each column's state, epoch, loss and speed.
///
/// Reads the results folder alone and changes nothing in it, so it can be called while a run is at work. A column is
/// finished, in training, begun, not begun or damaged; every file of a finished column is compared with its checksum.
/// While a run is at work, every column that is begun counts as in training. Loss, error on the held-out digits and
/// images/s are those of the last epoch. The time left is an estimate from the speed of the epochs behind. A warning
/// names each column whose error is still above 50 % after a tenth of its epochs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// Refresh the table until every column is finished or Ctrl-C is pressed; without a terminal, print a line at each change
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn status
  $mcdnn status --watch
  $mcdnn status --study results/quick --json

Exit codes: 0 every column is finished and whole; 1 not so; 2 wrong usage, such as a folder without a study.";

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
    app.terminal.result(if json { serde_json::to_string(&status)? } else { status.to_string() })?;
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
        let text = if app.terminal.can_redraw() { status.to_string() } else { status.headline() };
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

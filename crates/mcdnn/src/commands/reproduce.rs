//! `mcdnn reproduce`: a study from its config to its table; resumes where an earlier run stopped.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use report::{Labels, Summary};
use study::{ColumnId, ResultsFolder, Study, StudyError};

use crate::app::{App, shown};
use crate::configs::{Config, ConfigArgs};
use crate::digits::{self, Digits};
use crate::failure::{AlreadyTold, RUN_AGAIN, RunAgain, usage_error};
use crate::holding;
use crate::machine_args::MachineArgs;
use crate::numbers::list;
use crate::plan::{Plan, rounded};
use crate::share::ShareArgs;
use crate::studies::print_figures;
use crate::training::{self, End, Job};
use crate::{instruction_set, libtorch};

/// Train a study's columns and print its results; resumes where it stopped.
///
/// Downloads the digits, prints its plan, trains the columns that are not finished, and prints the test error of each column and
/// committee, next to the figures of the paper and of the Theano project.
///
/// It can be stopped at any time: Ctrl-C, SIGTERM, SIGUSR1 or closing the terminal (not under nohup) saves every column and stops; a
/// second Ctrl-C stops at once. The same command resumes. The weights come out bit for bit as without the stop, with any number of
/// workers. On a finished study, it only prints the results.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// The results folder, created if missing: a path, or a name in the folder with all results [default: the study's name]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Use the four IDX files (raw or .gz) in this folder instead of downloading them; they must be the original files
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Columns to train, separated by commas, such as w14-1,original-2 [default: all columns of the study]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    columns: Vec<ColumnId>,
    #[command(flatten)]
    share: ShareArgs,
    #[command(flatten)]
    machine: MachineArgs,
    /// Also predict the test digits if the config holds out training digits [default: predict only the held-out digits and
    /// leave the test digits unread]
    #[arg(long)]
    test: bool,
    /// Print the plan with an estimate of the time, and exit
    #[arg(long)]
    dry_run: bool,
    /// Print no plan and no progress on stderr, only errors, interruptions and the last line
    #[arg(long)]
    quiet: bool,
    /// Print the figures as one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn reproduce --config quick
  $mcdnn reproduce --workers 8 --study /data/paper
  $mcdnn reproduce --config quick --set epochs=2 --set name=short --dry-run
  $mcdnn reproduce --device cuda
  $mcdnn reproduce --config quick --column-index 3   (prints no table; when all are finished, use `report`)

Exit codes:
  0   every column asked for is finished and, without --column-index, the table is printed
  1   not finished: interrupted, or something failed; the same command resumes
  2   wrong usage: a flag, the config, or the results folder of another config
  75  with --column-index: interrupted and saved, or another process works on the column; run it
      again

{}
{}
{}",
        digits::ENVIRONMENT,
        instruction_set::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// A run that takes this long can be stopped and resumed on purpose.
const LONG: Duration = Duration::from_secs(30 * 60);

/// Runs the study.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let done = reproduce(args, app);
    if args.share.is_given() { done.map_err(to_scheduler) } else { done }
}

/// What is to be run again says so to a scheduler.
fn to_scheduler(error: anyhow::Error) -> anyhow::Error {
    let is_busy = matches!(error.downcast_ref(), Some(StudyError::Busy { .. }));
    if is_busy { RunAgain(format!("{error:#}")).into() } else { error }
}

fn reproduce(args: &Args, app: &App) -> Result<()> {
    let isa = instruction_set::chosen()?;
    let Config { study, source } = Config::chosen(&args.config)?;
    let columns = match args.share.columns(&study)? {
        Some(share) => share,
        None => asked_for(&args.columns, &study)?,
    };
    digits::check_folder(study.data, args.data.as_deref())?;
    let root = match &args.study {
        Some(given) => app.study_folder(given),
        None => app.place.results.join(&study.name),
    };
    let folder = ResultsFolder::open(&root);
    folder.adopt(&study)?;

    let shown_root = shown(&root);
    let n_workers = args.machine.n_workers()?;
    let plan = || Plan::new(&study, &folder, n_workers).of(&columns).on(args.machine.device());
    let heading = format!("study     {} ({source}) in {shown_root}", study.name);
    if args.dry_run {
        let plan = plan();
        let text =
            format!("{}{heading}\n{}\n{}", time(&plan, n_workers, app)?, plan.study(None), plan.work());
        return Ok(app.terminal.fitted_result(text)?);
    }

    note_published(&study, app);
    // Without a lock and without a change on the disk, so that a finished study may lie where nothing can be written.
    let which =
        if columns.len() == study.columns().len() { "every column" } else { "every column asked for" };
    let nothing_to_do = format!("nothing to train: {which} in {shown_root} is finished");
    if folder.is_complete(&columns, args.test, study.views) {
        app.terminal.note(nothing_to_do);
        if args.share.is_given() {
            return Ok(());
        }
        let summary = match report::read_summary(&folder)? {
            Some(summary) => summary,
            None => {
                summarize(&folder, &Digits::bring(study.data, args.data.as_deref(), &app.terminal)?, app)?
            }
        };
        return print_figures(&summary, &folder, args.json, app);
    }

    // Whatever can be refused is refused before the wait for a download.
    args.machine.check()?;
    // A folder of digits that cannot be used is refused before a folder of results is made.
    let given =
        args.data.as_deref().map(|data| Digits::bring(study.data, Some(data), &app.terminal)).transpose()?;
    ResultsFolder::create(&root)?;
    let locks = holding::lock(&folder, &columns, &app.terminal)?;
    // From here on a scheduler's signal has an answer, though a download may have to end first.
    let stop = if args.share.is_given() { Some(training::listen(app)?) } else { None };
    folder.adopt(&study)?; // again: another run may have come first
    trainer::clean_finished(&folder, &columns)?;
    let digits = match given {
        Some(digits) => digits,
        None => Digits::bring(study.data, None, &app.terminal)?,
    };

    let [finished, unfinished] = folder.split(&columns)?;
    if !folder.is_complete(&columns, args.test, study.views) {
        if !args.quiet && !unfinished.is_empty() {
            let plan = plan();
            let text = format!("{}{heading}\n{}", time(&plan, n_workers, app)?, plan.study(None));
            app.terminal.fitted_note(text);
        }
        let job = Job {
            study: &study,
            folder: &folder,
            locks: &locks,
            stop,
            finished: &finished,
            unfinished: &unfinished,
            test: args.test,
            digits: &digits,
            wanted: args.machine.wanted(isa),
            is_quiet: args.quiet,
        };
        match training::train(&job, app)? {
            End::Finished => {}
            End::Interrupted if args.share.is_given() => {
                return Err(RunAgain("interrupted and saved; the same command resumes".to_owned()).into());
            }
            End::Interrupted => bail!("interrupted and saved; resume with `{}`", app.same_command_again()),
            End::TakenOver if args.share.is_given() => return Err(AlreadyTold(RUN_AGAIN).into()),
            End::TakenOver | End::Diverged | End::Failed => return Err(AlreadyTold(1).into()),
        }
    }
    if unfinished.is_empty() {
        app.terminal.note(nothing_to_do); // but to tidy up
    }
    if args.share.is_given() {
        return Ok(());
    }
    print_figures(&summarize(&folder, &digits, app)?, &folder, args.json, app)
}

/// The first lines of a plan: the time and, of a long run, how to stop it and what to try first.
fn time(plan: &Plan<'_>, n_workers: NonZeroUsize, app: &App) -> Result<String> {
    let Some(time) = plan.time() else { return Ok(String::new()) };
    let mut lines = vec![time];
    if plan.estimate() >= LONG {
        lines.push("          stop it at any time with Ctrl-C; the same command resumes".to_owned());
        let Config { study, .. } = Config::quick()?;
        let folder = ResultsFolder::open(app.place.results.join(&study.name));
        let estimate = rounded(Plan::new(&study, &folder, n_workers).estimate());
        let name = app.place.name;
        lines.push(format!("          to try first: `{name} reproduce --config quick`, about {estimate}"));
    }
    Ok(lines.join("\n") + "\n")
}

/// The columns of the study, or those of them that the command line names, in training order.
fn asked_for(names: &[ColumnId], study: &Study) -> Result<Vec<ColumnId>> {
    let all = study.columns();
    if let Some(unknown) = names.iter().find(|id| !all.contains(id)) {
        return Err(usage_error(format_args!(
            "--columns: the study {} has no column {unknown}; it has {}",
            study.name,
            list(all.iter())
        )));
    }
    Ok(all.into_iter().filter(|id| names.is_empty() || names.contains(id)).collect())
}

/// Says so where a published study is of the same config: there is nothing to train to see its results.
fn note_published(study: &Study, app: &App) {
    let published = ResultsFolder::open(app.place.published().join(&study.name));
    if let Ok(Some(there)) = published.manifest()
        && there.config_hash == study.hash()
        && let Ok(finished) = published.finished(study)
    {
        let (n, all) = (finished.len(), study.columns().len());
        app.terminal.note(format_args!(
            "note: {n} of {all} columns of this config are published in {}; this command trains your own",
            shown(published.root())
        ));
    }
}

/// Reads the results and writes `committee.json`. Where that cannot be written, on a full disk for one, the table can be printed.
fn summarize(folder: &ResultsFolder, digits: &Digits, app: &App) -> Result<Summary> {
    let summary = report::read(folder, Labels::from(&digits.data), None)?;
    if let Err(error) = report::write_summary(folder, &summary) {
        app.terminal.note(format_args!("warning: {error}; the next run computes the figures again"));
    }
    Ok(summary)
}

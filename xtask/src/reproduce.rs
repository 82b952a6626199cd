//! `cargo xtask reproduce`: a study from its config to its table, going on where an earlier run stopped.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, bail};
use report::{Labels, Listing, Summary};
use study::{ResultsFolder, Study};

use crate::device::Device;
use crate::digits::{self, Digits};
use crate::failure::AlreadyTold;
use crate::plan::Plan;
use crate::trainer::{self, Outcome};
use crate::workspace::{Workspace, same_command_again};
use crate::{libtorch, terminal};

/// Train a study's columns and print its table; goes on where it was interrupted.
///
/// Brings the digits, builds the trainer, says what it is going to do, trains the columns that are not finished, and prints
/// each column's error, each width's committee and all together, beside the paper's and the Theano project's figures.
/// Ctrl-C or SIGTERM save and stop; the same command goes on, and the weights are the same bits as without the stop, with
/// any number of workers. A second run on a finished study only prints its table.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// The study's config [default: configs/paper.json of the workspace]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The results folder, made if missing [default: the study's name in the workspace's results/]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Use the four IDX files (raw or .gz) of this folder instead of fetching them; they must be the original ones
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What trains the columns
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Cpu)]
    device: Device,
    /// Columns trained side by side, a core each; with libtorch groups of columns [default: one for each core, or GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// Predict the test digits too, though the config holds out training digits [default: those are predicted alone, and
    /// the test digits stay unread]
    #[arg(long)]
    test: bool,
    /// Print the figures as one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  cargo xtask reproduce --config configs/quick.json
  cargo xtask reproduce --workers 8 --study /data/paper
  cargo xtask reproduce --device cuda

Exit codes:
  0  every column is finished and the table printed
  1  not finished: interrupted, or something failed; the same command goes on
  2  wrong usage: a flag, the config, or a results folder of another config

{}
{}",
        digits::ENVIRONMENT,
        libtorch::ENVIRONMENT
    )
}

/// Runs the study.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let config = args.config.clone().unwrap_or_else(|| workspace.configs().join("paper.json"));
    let study = Study::read(&config)?;
    let root = args.study.clone().unwrap_or_else(|| workspace.results().join(&study.name));
    args.device.check()?;
    let folder = ResultsFolder::open(&root);
    folder.adopt(&study)?;

    let shown = workspace.shown(&root);
    if folder.is_complete(&study.columns(), args.test) {
        terminal::note(format_args!("nothing to do: every column in {shown} is finished"));
        let summary = match report::read_summary(&folder)? {
            Some(summary) => summary,
            None => summarize(&folder, &Digits::bring(study.data, args.data.as_deref())?)?,
        };
        return terminal::figures(&summary, Listing::Short, args.json);
    }

    // Whatever can be refused is refused before the wait for a download and a build.
    let folder = ResultsFolder::create(&root)?;
    drop(folder.lock()?); // the trainer takes it for good
    let digits = Digits::bring(study.data, args.data.as_deref())?;
    let program = trainer::build(&workspace, args.device)?;

    let n_workers = match args.workers.and_then(|n| NonZeroUsize::new(n.into())) {
        Some(n_workers) => n_workers,
        None => thread::available_parallelism()?,
    };
    let plan = Plan::new(&study, &folder, n_workers);
    if !plan.is_empty() {
        terminal::note(format_args!("study     {} ({}) in {shown}", study.name, config.display()));
        terminal::note(plan.on(args.device));
    }
    // On GPUs the trainer knows how many there are.
    let n_workers =
        if args.device == Device::Cpu { Some(n_workers.get()) } else { args.workers.map(usize::from) };
    train(&program, &config, &root, &digits, args, n_workers)?;
    terminal::figures(&summarize(&folder, &digits)?, Listing::Short, args.json)
}

/// Runs the trainer until all columns are finished.
fn train(
    program: &Path,
    config: &Path,
    root: &Path,
    digits: &Digits,
    asked: &Args,
    n_workers: Option<usize>,
) -> Result<()> {
    let mut args = trainer::arguments(config, root, digits, asked.device);
    if asked.test {
        args.push("--test".into());
    }
    if let Some(n_workers) = n_workers {
        args.extend(["--workers".into(), n_workers.to_string().into()]);
    }
    match trainer::run(program, &args)? {
        Outcome::Finished => Ok(()),
        Outcome::Interrupted => {
            bail!("interrupted; go on with `{}`", same_command_again())
        }
        Outcome::Failed(code) => Err(AlreadyTold(code).into()),
    }
}

/// Reads the results and writes `committee.json`.
fn summarize(folder: &ResultsFolder, digits: &Digits) -> Result<Summary> {
    let summary = report::read(folder, Labels::from(&digits.data), None)?;
    report::write_summary(folder, &summary)?;
    Ok(summary)
}

//! `cargo xtask report`: a study's tables from its results folder.

use std::path::PathBuf;

use anyhow::{Result, bail};
use report::Listing;

use crate::digits::{self, Digits};
use crate::studies::Found;
use crate::terminal;
use crate::workspace::Workspace;

/// Print a study's figures as Markdown, from its results folder.
///
/// Each column's error, each width's committee and all together, beside the paper's and the Theano project's figures.
/// Works on an unfinished study too, with the columns that are finished.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// The results folder [default: of those in results/, the one with the most finished columns]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Take the test digits' labels from the four IDX files (raw or .gz) of this folder [default: the cache]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the figures as one JSON object instead of Markdown
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  cargo xtask report
  cargo xtask report --study results/quick --json

Exit codes: 0 printed; 1 printed but the study is not finished, or nothing to print; 2 wrong usage.

{}",
        digits::ENVIRONMENT
    )
}

/// Prints the figures.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let Found { folder, study, .. } =
        Found::given_or_best(&workspace, args.study.as_deref(), |finished| (0, finished.len()))?;
    let summary = match report::read_summary(&folder)? {
        Some(summary) => summary,
        None => report::read(&folder, Digits::bring(study.data, args.data.as_deref())?.test_labels(), None)?,
    };
    terminal::figures(&summary, Listing::Short, args.json)?;
    if !summary.missing.is_empty() {
        let (finished, all) = (summary.finished.len(), study.columns().len());
        bail!("{}: {finished} of {all} columns are finished", workspace.shown(folder.root()));
    }
    Ok(())
}

//! `cargo xtask committee`: what some widths' columns say together.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, bail};
use report::Listing;

use crate::digits::{self, Digits};
use crate::failure::usage_error;
use crate::studies::Found;
use crate::terminal;
use crate::workspace::Workspace;

/// Print the errors of some widths' committees.
///
/// Takes the finished columns of a study and prints each column, each width's committee, all together, and every subset of up
/// to seven widths, beside the paper's and the Theano project's figures where they have one. Trains nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Widths separated by commas: pixels, or `original`
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', required = true)]
    widths: Vec<String>,
    /// The results folder [default: of those in results/, the one with the most of these widths, then with the most finished columns of them]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Take the test digits' labels from the four IDX files (raw or .gz) of this folder [default: the cache]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the figures as one JSON object instead of the tables
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  cargo xtask committee --widths 14,20
  cargo xtask committee --widths original,10,12 --study results/paper --json

Exit codes: 0 printed; 1 no finished column of one of the widths; 2 wrong usage, such as a width the study does not have.

{}",
        digits::ENVIRONMENT
    )
}

/// Prints the committee's figures.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let is_asked = |width: &str| args.widths.iter().any(|asked| asked == width);
    let found = Found::given_or_best(&workspace, args.study.as_deref(), |finished| {
        let asked: Vec<_> = finished.iter().filter(|id| is_asked(&id.width.to_string())).collect();
        let widths: BTreeSet<_> = asked.iter().map(|id| id.width).collect();
        (widths.len(), asked.len())
    })?;

    let shown = workspace.shown(found.folder.root());
    let known: Vec<String> = found.study.widths.iter().map(ToString::to_string).collect();
    if let Some(unknown) = args.widths.iter().find(|asked| !known.contains(asked)) {
        let known = known.join(", ");
        return Err(usage_error(format_args!("{shown}: its study has no width {unknown}, only {known}")));
    }
    let has_finished = |width: &str| found.finished.iter().any(|id| id.width.to_string() == width);
    if let Some(missing) = args.widths.iter().find(|asked| !has_finished(asked)) {
        let finished: Vec<&str> =
            known.iter().map(String::as_str).filter(|width| has_finished(width)).collect();
        let finished = if finished.is_empty() { "none".to_owned() } else { finished.join(", ") };
        bail!("{shown}: no column of width {missing} is finished; widths with finished columns: {finished}");
    }

    let labels = Digits::bring(found.study.data, args.data.as_deref())?.test_labels;
    let widths: Vec<_> =
        found.study.widths.iter().copied().filter(|width| is_asked(&width.to_string())).collect();
    terminal::figures(&report::read(&found.folder, &labels, Some(&widths))?, Listing::Full, args.json)
}

//! `mcdnn report`: a study's page, figures and tables from its results folder.

use anyhow::{Result, bail};
use report::{Evidence, Labels, Pixels, Report};

use crate::app::{App, shown};
use crate::digits::{self, DataArgs, Digits};
use crate::status::Status;
use crate::studies::{Found, StudyArgs, print_figures};

/// Write a study's report into its results folder and print the main tables.
///
/// Writes report.html (one page with all figures and tables; needs no network), figures/*.svg, report.md and committee.json. Prints
/// the main tables as Markdown: the error of each column, of each width's committee and of all columns together, next to the
/// figures of the paper and of the Theano project. Of an unfinished study, it shows the finished columns.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Also write the figures as PNG, next to the SVG files; needs an installed font
    #[arg(long)]
    png: bool,
    /// Print the figures as one JSON object instead of Markdown
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn report
  $mcdnn report --study results/quick --png

Exit codes: 0 written and printed; 1 written and printed, but the study is not finished; or nothing to report; 2 wrong usage.

{}",
        digits::ENVIRONMENT
    )
}

/// Writes the report and prints the figures.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let Found { folder, manifest, study, finished } =
        Found::given_or_best(app, args.study.given(), |finished| (0, finished.len()))?;
    if finished.is_empty() {
        let headline = Status::read(&folder, &manifest, None)?.headline();
        bail!("{}: nothing to report yet: {headline}", shown(folder.root()));
    }
    let digits = Digits::bring(study.data, args.data.given(), &app.terminal)?;
    let summary = match report::read_summary(&folder)? {
        Some(summary) => summary,
        None => report::read(&folder, Labels::from(&digits.data), None)?,
    };
    let evidence = Evidence::new(&summary, &folder, &digits.data)?;
    Report::draw(&evidence)?.write(&folder, if args.png { Pixels::Png } else { Pixels::None })?;
    print_figures(&summary, &folder, args.json, app)?;
    app.terminal.note(format_args!("report    {}", shown(&folder.report_page_path())));
    if !summary.missing.is_empty() {
        let (finished, all) = (summary.finished.len(), study.columns().len());
        bail!("{}: {finished} of {all} columns are finished", shown(folder.root()));
    }
    Ok(())
}

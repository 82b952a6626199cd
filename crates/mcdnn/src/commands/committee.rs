//! `mcdnn committee`: the error of some columns together.

mod chosen;
mod compare;
mod errors;

use std::path::PathBuf;

use ::committee::Rule;
use anyhow::Result;
use report::{Columns, Labels, Listing, Selection, committee_markdown, read_selected};

use crate::app::App;
use crate::digits::{self, Digits};
use crate::studies::{Found, figures_json, print_tables};
use chosen::Chosen;
use compare::Asked;

/// Print the test error of a study's columns and of their committees.
///
/// Takes all finished columns, those of some widths, or some columns by name. Prints the test error of all columns together (by
/// every voting rule), of each column and width, and of the committee of every subset of up to four widths; the best subset is
/// marked. The figures of the paper and of the Theano project stand next to ours where they exist. Trains nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Args {
    /// Widths, separated by commas: pixels, or `original` [default: all widths of the study]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with = "columns")]
    widths: Vec<String>,
    /// Columns, separated by commas, such as `w14-1,w20-3,original-2`; all must be finished
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Compare two committees on the same digits, with McNemar's exact test. Each is a list of widths or columns, such as 14,16;
    /// a study may stand in front: `paper/14,16`, or `paper/` for all its columns
    #[arg(long, value_names = ["A", "B"], num_args = 2, conflicts_with_all = ["widths", "columns", "subsets", "errors"])]
    compare: Vec<String>,
    /// Compare the committee with and without all finished columns of a second study of the same digits (a path or a name), as
    /// --compare does
    #[arg(long, value_name = "DIR", conflicts_with_all = ["compare", "subsets", "errors"])]
    also: Option<PathBuf>,
    /// How columns are combined: mean (as in the paper), product, median, majority, borda, or weighted (a mean weighted by the
    /// error on held-out training digits, if the study has them)
    #[arg(long, value_name = "RULE", default_value_t = Rule::Mean)]
    vote: Rule,
    /// List every subset of up to seven widths (at most 127 subsets) instead of up to four; with more than seven widths, no
    /// subset is listed
    #[arg(long)]
    subsets: bool,
    /// Draw the digits that all columns together misclassify, most confident errors first, with label, first and second guess
    /// and the columns' votes; print nothing else
    #[arg(long, conflicts_with_all = ["json", "subsets"])]
    errors: bool,
    /// The study's results folder: a path, or a name in the folder with all results [default: the study that has most of the
    /// widths or columns asked for, then the most finished columns]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Read the test digits' labels from the four IDX files (raw or .gz) in this folder [default: the cache]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print the figures as one JSON object instead of tables: with --compare and --also the comparison, else every subset,
    /// statistic and misclassified digit, in the form of committee.json
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    format!(
        "\
Examples:
  $mcdnn committee --widths 14,16,18,20
  $mcdnn committee --columns w14-1,w20-3 --vote product
  $mcdnn committee --study results/paper --subsets
  $mcdnn committee --errors
  $mcdnn committee --compare 14,16 18,20
  $mcdnn committee --compare paper/ best/
  $mcdnn committee --study paper --also odd
  $mcdnn committee --widths original,10,12 --json

Exit codes: 0 printed; 1 a column asked for is not finished, a width has no finished column, or a file is damaged; 2 wrong \
usage, such as a width that the study does not have.

{}",
        digits::ENVIRONMENT
    )
}

/// Prints the committee's figures.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    if let [first, second] = args.compare.as_slice() {
        return compare::run(args, app, &[Asked::parse(first), Asked::parse(second)]);
    }
    let asked: Vec<String> = args.widths.iter().chain(&args.columns).cloned().collect();
    let chosen = match asked.is_empty() {
        true => Chosen::all(),
        false if args.columns.is_empty() => Chosen::widths(&asked)?,
        false => Chosen::columns(&asked)?,
    };
    if let Some(other) = &args.also {
        let name = if asked.is_empty() { "all columns".to_owned() } else { asked.join(",") };
        return compare::run(args, app, &Asked::with_another(&name, chosen, other));
    }
    let found = Found::given_or_best(app, args.study.as_deref(), |finished| chosen.rank(finished))?;
    chosen.check(&found)?;

    let digits = Digits::bring(found.study.data, args.data.as_deref(), &app.terminal)?;
    let columns = if asked.is_empty() { Columns::All } else { chosen.selected() };
    let selection = Selection { columns, rule: args.vote };
    let summary = read_selected(&found.folder, Labels::from(&digits.data), &selection)?;
    if args.json {
        return Ok(app.terminal.result(figures_json(&summary, &found.folder)?)?);
    }
    if args.errors {
        let width = app.terminal.width();
        let drawn = errors::drawn(&summary.figures.all, summary.scored(&digits.data).0, width);
        return Ok(app.terminal.result(drawn)?);
    }
    let listing = if args.subsets { Listing::Full } else { Listing::Short };
    print_tables(&summary, &found.folder, &committee_markdown(&summary, listing), app)
}

//! `mcdnn evaluate`: the errors of a study's committee on any labelled digits.

use std::path::{Path, PathBuf};

use ::committee::{Committee, Figures, Member, Score};
use anyhow::Result;
use mnist_data::EvaluationDigits;
use ndarray::Axis;
use preprocess::{Views, are_in_mnists_form};
use serde::Serialize;
use study::ColumnId;

use crate::app::{App, shown};
use crate::studies::{Found, StudyArgs};
use crate::views::ViewArgs;

/// Version of the JSON object.
const SCHEMA: u32 = 1;

/// Print the error of a study's committee on other labelled digits.
///
/// Reads two IDX files in the form of MNIST's: images of 28 x 28 pixels (0 is paper, 255 is full ink) and labels from 0 to 9, one byte
/// each or in QMNIST's wide form (idx2-int). Prints the error of each finished column, of each width's committee and of all columns
/// together, with 95 % Wilson intervals, and how often the second guess is right. Trains nothing. Published figures are not shown: they
/// are about other digits. Images that are not in MNIST's form are used unchanged, and a warning is printed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// IDX file of images, raw or .gz
    #[arg(long, value_name = "FILE")]
    images: PathBuf,
    /// IDX file of the labels, raw or .gz
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    views: ViewArgs,
    /// Swap rows and columns of each image; EMNIST's images need this
    #[arg(long)]
    transpose: bool,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn evaluate --images qmnist-test-images-idx3-ubyte.gz --labels qmnist-test-labels-idx2-int.gz
  $mcdnn evaluate --study results/quick --images digits.idx --labels labels.idx --json

Exit codes:
  0  printed, whatever the error is
  1  a file is missing, damaged or of another form; there are not as many labels as images; or no
     column is finished
  2  wrong usage";

/// What `--json` prints.
#[derive(Serialize)]
struct Evaluation<'a> {
    schema: u32,
    /// Name of the study.
    study: &'a str,
    /// The results folder.
    path: String,
    /// The file of images.
    images: &'a Path,
    /// The file of labels.
    labels: &'a Path,
    n_digits: usize,
    /// What the columns were asked about, if not the digits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<Views>,
    figures: Figures,
}

/// Evaluates and prints.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let mut digits = EvaluationDigits::read(&args.images, &args.labels)?;
    if args.transpose {
        digits = digits.transposed();
    }
    if !are_in_mnists_form(digits.images()) {
        app.terminal.note(format_args!(
            "warning: {}: the images are not in MNIST's form (ink of 20 pixels, centre of mass in the middle); they are used unchanged",
            args.images.display()
        ));
    }
    let found = Found::with_columns(app, args.study.given())?;
    let committee = committee(&found, &digits, args.views.views())?;
    if committee.is_out_of_order() {
        app.terminal.note(format_args!(
            "warning: {}: the columns agree with each other but not with these labels. Are these the labels of {}, in the same order?",
            args.labels.display(),
            args.images.display()
        ));
    }
    let evaluation = Evaluation {
        schema: SCHEMA,
        study: &found.study.name,
        path: shown(found.folder.root()).to_string(),
        images: &args.images,
        labels: &args.labels,
        n_digits: digits.labels().len(),
        views: args.views.views(),
        figures: committee.figures(),
    };
    if args.json {
        return Ok(app.terminal.result(serde_json::to_string(&evaluation)?)?);
    }
    Ok(app.terminal.fitted_result(text(&evaluation))?)
}

fn committee(found: &Found, digits: &EvaluationDigits, views: Option<Views>) -> Result<Committee> {
    // Width by width in the study's order: `mcdnn committee` adds probabilities in this order, so both have the same
    // figures of the same digits, on the instruction set that made the stored probabilities.
    let widths = &found.study.widths;
    let mut columns: Vec<ColumnId> = found.finished.clone();
    columns.sort_by_key(|id| widths.iter().position(|width| *width == id.width));
    let probabilities = found.probabilities(&columns, digits.images(), views)?;
    let member = |(id, probabilities): (&ColumnId, ndarray::ArrayView2<'_, f32>)| {
        Member::new(id.width.to_string(), id.to_string(), probabilities.to_owned())
    };
    let members = columns.iter().zip(probabilities.axis_iter(Axis(0))).map(member).collect();
    Ok(Committee::new(members, digits.labels())?)
}

fn text(evaluation: &Evaluation<'_>) -> String {
    let Evaluation { study, path: folder, images, labels, n_digits, views, figures, .. } = evaluation;
    let row = |name: &str, score: Score| {
        let interval = score.interval();
        let range = format!("{:.2}–{:.2}", interval.low_percent, interval.high_percent);
        format!("| {name:<32} | {:>7} | {:>7.2} | {range:>12} |\n", score.errors, score.error_percent())
    };
    let views = views.map_or_else(String::new, |Views { count, strength }| {
        format!("views:  {count} of each digit, distorted with {strength} of the training's strength\n")
    });
    let columns = |n: u32| if n == 1 { "1 column".to_owned() } else { format!("{n} columns") };
    let mut rows = String::new();
    for member in &figures.members {
        rows += &row(&format!("column {}", member.name), member.score);
    }
    for group in &figures.groups {
        rows += &row(&format!("width {}, {}", group.group, columns(group.n_members)), group.score);
    }
    let all = &figures.all;
    rows += &row(&format!("all, {}", columns(all.n_members)), all.score);
    format!(
        "\
# Study {study} ({folder}) on {n_digits} digits

images: {}
labels: {}
{views}
These figures are about the {n_digits} digits of these two files, not about MNIST's
test digits. It is not checked whether columns were trained on some of them.

| {:<32} | {:>7} | {:>7} | {:>12} |
| {:-<32} | {:->6}: | {:->6}: | {:->11}: |
{rows}
All columns together make {} errors. The second guess is right in {} of them.
",
        images.display(),
        labels.display(),
        "committee by the mean",
        "errors",
        "error %",
        "95 %",
        "",
        "",
        "",
        "",
        all.score.errors,
        all.second_guess_right
    )
}

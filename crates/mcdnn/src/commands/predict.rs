//! `mcdnn predict`: which digits some images show, by a study's committee.

use std::path::{Path, PathBuf};

use anyhow::Result;
use classifier::CLEAR;
use ndarray::Axis;
use preprocess::Views;
use serde::Serialize;
use study::DataSet;

pub(super) use self::answer::Answer;
#[cfg(feature = "demo")]
pub(super) use self::answer::answers;
#[cfg(feature = "demo")]
pub(super) use self::source::read_one;
use self::source::{Found as Image, Reading, Unread};
use crate::app::{App, shown};
use crate::drawing::half_blocks;
use crate::failure::{AlreadyTold, usage_error};
use crate::numbers::list;
use crate::studies::{Found, StudyArgs};
use crate::views::ViewArgs;

mod answer;
mod decode;
mod form;
mod listing;
mod orientation;
mod source;

/// Version of the JSON object.
const SCHEMA: u32 = 1;

/// Say which digits images show, by the committee of a study's columns.
///
/// Takes PNG, JPEG, BMP, GIF, WebP, TIFF and IDX files, told apart by their first bytes. One image shows one digit, of any size, dark on light
/// or light on dark; frames, ruled lines and specks are left out. It is brought to the form of MNIST's digits (the ink fitted into 20 x 20
/// pixels, its centre of mass in the middle of 28 x 28), at each column's width goes through every finished column, and the mean of their
/// probabilities is the answer. An IDX file whose images have MNIST's form is taken as it is: their polarity is all that is looked at.
///
/// Prints for each image the three most probable digits of the committee and of each width, with the number of columns that
/// say the first. An answer is called clear when the committee's probability is at least 80 %, all columns say it, and nothing in the
/// image speaks against one digit; else the reason is printed. On a terminal the digit is drawn as the columns see it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Images or IDX files (raw or .gz), folders of such files, or - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    views: ViewArgs,
    /// Look into the folders below a folder, too
    #[arg(long)]
    recursive: bool,
    /// Exchange rows and columns of the images of IDX files, as EMNIST's need
    #[arg(long)]
    transpose: bool,
    /// Print the answers as one JSON object
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  $mcdnn predict seven.png
  $mcdnn predict --views 16 seven.png
  $mcdnn predict --study results/quick photographs/ t10k-images-idx3-ubyte.gz
  curl -s https://example.org/digit.jpg | $mcdnn predict - --json

Exit codes:
  0  every image was read; what the answers are does not matter
  1  something could not be read or was blank (the others are answered), or no column is finished
  2  wrong usage";

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    /// The study's name.
    study: &'a str,
    /// Its results folder.
    path: String,
    /// The columns that were asked, in training order.
    columns: Vec<String>,
    /// Least probability of a clear answer.
    clear_from: f64,
    /// What the columns were asked about, if not the digits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<Views>,
    images: &'a [Answer],
    unread: &'a [Unread],
}

/// Answers for the images.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args, app: &App) -> Result<()> {
    let found = study(args.study.given(), app)?;
    let reading = Reading { recursive: args.recursive, transpose: args.transpose };
    let (images, unread) = source::read(&args.images, reading, &app.terminal);
    for Unread { reason, .. } in unread.iter().take(N_ERRORS) {
        app.terminal.note(format_args!("error: {reason}"));
    }
    if unread.len() > N_ERRORS {
        let n_more = unread.len() - N_ERRORS;
        app.terminal.note(format_args!("error: {n_more} more could not be read; --json lists them all"));
    }
    let answers = if images.is_empty() { Vec::new() } else { answer(&found, &images, args, app)? };
    if args.json {
        app.terminal.result(serde_json::to_string(&Report {
            schema: SCHEMA,
            study: &found.study.name,
            path: shown(found.folder.root()).to_string(),
            columns: found.finished.iter().map(ToString::to_string).collect(),
            clear_from: CLEAR,
            views: args.views.views(),
            images: &answers,
            unread: &unread,
        })?)?;
    } else {
        let drawn = app.terminal.shows_results();
        for (index, (answer, image)) in answers.iter().zip(&images).enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            let drawing = if drawn { half_blocks(image.pixels.view()) } else { Vec::new() };
            let drawing: String = drawing.iter().map(|line| format!("  {}\n", line.trim_end())).collect();
            app.terminal.result(format_args!("{gap}{}{drawing}", listing::text(answer)))?;
        }
    }
    // Each has been told above.
    if unread.is_empty() { Ok(()) } else { Err(AlreadyTold(1).into()) }
}

/// The study that answers: the one that is given, or the one with the most finished columns.
///
/// # Errors
/// When it has no finished column, or its columns know no digits.
pub(super) fn study(given: Option<&Path>, app: &App) -> Result<Found> {
    let found = Found::with_columns(app, given)?;
    if found.study.data == DataSet::FashionMnist {
        return Err(usage_error(format_args!(
            "{}: its columns know clothing (fashion-mnist), not digits",
            shown(found.folder.root())
        )));
    }
    note_missing(&found, app);
    Ok(found)
}

/// Says so where the committee is not whole yet.
fn note_missing(found: &Found, app: &App) {
    let (finished, all) = (found.finished.len(), found.study.columns());
    if finished < all.len() {
        let missing: Vec<_> = all.iter().filter(|id| !found.finished.contains(id)).collect();
        app.terminal.note(format_args!(
            "note: {finished} of {} columns are finished, and these answer; missing: {}",
            all.len(),
            list(missing.iter())
        ));
    }
}

/// Errors that are told one by one.
const N_ERRORS: usize = 10;

fn answer(found: &Found, images: &[Image], args: &Args, app: &App) -> Result<Vec<Answer>> {
    let pixels: Vec<_> = images.iter().map(|image| image.pixels.view()).collect();
    let digits = ndarray::stack(Axis(0), &pixels)?;
    let views = args.views.views();
    let probabilities = found.probabilities(&found.finished, digits.view(), views)?;
    let mut answers = answer::answers(images, &found.finished, probabilities.view())?;
    for file in orientation::files(images) {
        let digits = digits.slice_axis(Axis(0), file.clone().into());
        let said = probabilities.slice_axis(Axis(1), file.clone().into());
        if orientation::is_transposed(found, digits, said, views)? {
            let hint = if args.transpose { "without --transpose" } else { "with --transpose" };
            let reason = format!("the file's images are clearer with rows and columns exchanged: try {hint}");
            app.terminal.note(format_args!("{}: {reason}", images[file.start].name));
            for answer in &mut answers[file] {
                (answer.clear, answer.unclear) = (false, Some(reason.clone()));
            }
        }
    }
    Ok(answers)
}

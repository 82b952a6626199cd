//! `mcdnn predict`: classifies images of digits with a study's committee.

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Result;
use classifier::CLEAR;
use ndarray::{Array3, ArrayView3, Axis};
use preprocess::Views;
use serde::Serialize;
use study::DataSet;

pub(super) use self::answer::Answer;
#[cfg(feature = "demo")]
pub(super) use self::answer::answers;
use self::progress::Progress;
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
mod progress;
mod source;

/// Version of the JSON object.
const SCHEMA: u32 = 1;

/// Classify images of digits with the committee of a study's columns.
///
/// Reads PNG, JPEG, BMP, GIF, WebP, TIFF and IDX files; the format is recognized by the first bytes. An image must show one digit, of any
/// size, dark on light or light on dark. Frames, ruled lines and specks are removed. The digit is scaled like MNIST's digits (the ink
/// fits into 20 x 20 pixels, its centre of mass is in the middle of 28 x 28) and normalized to each column's width. Every finished column
/// classifies it; the answer is the mean of their probabilities. Images of an IDX file that already have MNIST's form are used
/// unchanged, except that dark digits on light are inverted.
///
/// Prints for each image the three most probable digits of the committee and of each width, and how many columns agree. An answer is clear
/// if every column gives it a probability of at least 80 % and the image looks like one digit. Otherwise the reason is printed.
/// On a terminal, the digit is drawn as the columns see it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Images or IDX files (raw or .gz), folders with such files, or - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    views: ViewArgs,
    /// Also read the folders inside a folder
    #[arg(long)]
    recursive: bool,
    /// Swap rows and columns of the images of IDX files; EMNIST's images need this
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
  0  every image was classified, clearly or not
  1  a file could not be read or is blank (the others are classified), or no column is finished
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
    /// Least probability that every column gives a clear answer.
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
        app.terminal
            .note(format_args!("error: {n_more} more images could not be read; --json lists all of them"));
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
            app.terminal
                .result(format_args!("{gap}{}{drawing}", listing::text(answer, app.terminal.width())))?;
        }
    }
    // Each is reported above.
    if unread.is_empty() { Ok(()) } else { Err(AlreadyTold(1).into()) }
}

/// What each finished column says of the digits, with a progress bar on a terminal: some columns at a time.
fn classified(
    found: &Found,
    digits: ArrayView3<'_, u8>,
    views: Option<Views>,
    app: &App,
) -> Result<Array3<f32>> {
    let columns = &found.finished;
    if !app.terminal.is_interactive() {
        return found.probabilities(columns, digits, views);
    }
    let bar = Progress::of(columns.len(), "columns");
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let mut parts = Vec::new();
    for some in columns.chunks(at_once) {
        parts.push(found.probabilities(some, digits, views)?);
        bar.advance(some.len());
    }
    let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
    Ok(ndarray::concatenate(Axis(0), &parts)?)
}

/// The study that answers: the one that is given, or the one with the most finished columns.
///
/// # Errors
/// When it has no finished column, or its columns know no digits.
pub(super) fn study(given: Option<&Path>, app: &App) -> Result<Found> {
    let found = Found::with_columns(app, given)?;
    if found.study.data == DataSet::FashionMnist {
        return Err(usage_error(format_args!(
            "{}: this study was trained on clothing (fashion-mnist), not on digits",
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
            "note: only {finished} of {} columns are finished and used; missing: {}",
            all.len(),
            list(missing.iter())
        ));
    }
}

/// Errors that are printed one by one.
const N_ERRORS: usize = 10;

fn answer(found: &Found, images: &[Image], args: &Args, app: &App) -> Result<Vec<Answer>> {
    let pixels: Vec<_> = images.iter().map(|image| image.pixels.view()).collect();
    let digits = ndarray::stack(Axis(0), &pixels)?;
    let views = args.views.views();
    let probabilities = classified(found, digits.view(), views, app)?;
    let mut answers = answer::answers(images, &found.finished, probabilities.view())?;
    for file in orientation::files(images) {
        let digits = digits.slice_axis(Axis(0), file.clone().into());
        let said = probabilities.slice_axis(Axis(1), file.clone().into());
        if orientation::is_transposed(found, digits, said, views)? {
            let hint = if args.transpose { "without --transpose" } else { "--transpose" };
            let reason = format!("the images of this file seem to have rows and columns swapped; try {hint}");
            app.terminal.note(format_args!("{}: {reason}", images[file.start].name));
            for answer in &mut answers[file] {
                (answer.clear, answer.unclear) = (false, Some(reason.clone()));
            }
        }
    }
    Ok(answers)
}

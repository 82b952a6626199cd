//! `mcdnn predict`: which digits some images show, by a study's committee.

use std::path::PathBuf;

use anyhow::Result;
use ndarray::Axis;
use preprocess::Views;
use serde::Serialize;
use study::DataSet;

use self::answer::{Answer, CLEAR};
use self::source::{Found as Image, Unread};
use crate::app::{App, shown};
use crate::drawing::half_blocks;
use crate::failure::{AlreadyTold, usage_error};
use crate::numbers::list;
use crate::studies::{Found, StudyArgs};
use crate::views::ViewArgs;

mod answer;
mod decode;
mod listing;
mod source;

/// Version of the JSON object.
const SCHEMA: u32 = 1;

/// Say which digits images show, by the committee of a study's columns.
///
/// Takes PNG, JPEG and IDX files, told apart by their first bytes. One image shows one digit, of any size, dark on light or
/// light on dark; it is brought to the form of MNIST's digits (the ink fitted into 20 x 20 pixels, its centre of mass in
/// the middle of 28 x 28), at each column's width goes through every finished column, and the mean of their probabilities is the
/// answer. Images of 28 x 28 pixels in an IDX file are taken for MNIST's: their polarity is all that is looked at.
///
/// Prints for each image the three most probable digits of the committee and of each width, with the number of columns that
/// say the first. Below a probability of 80 % the image is said to be not clearly a digit. On a terminal the digit is
/// drawn as the columns see it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// PNG, JPEG or IDX files (raw or .gz), folders of such files, or - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    views: ViewArgs,
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
    let found = Found::with_columns(app, args.study.given())?;
    let shown = shown(found.folder.root());
    if found.study.data == DataSet::FashionMnist {
        return Err(usage_error(format_args!(
            "{shown}: its columns know clothing (fashion-mnist), not digits"
        )));
    }

    note_missing(&found, app);
    let (images, unread) = source::read(&args.images, &app.terminal);
    for Unread { reason, .. } in &unread {
        app.terminal.note(format_args!("error: {reason}"));
    }
    let answers = if images.is_empty() { Vec::new() } else { answer(&found, &images, args.views.views())? };
    if args.json {
        app.terminal.result(serde_json::to_string(&Report {
            schema: SCHEMA,
            study: &found.study.name,
            path: shown.to_string(),
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

fn answer(found: &Found, images: &[Image], views: Option<Views>) -> Result<Vec<Answer>> {
    let pixels: Vec<_> = images.iter().map(|image| image.pixels.view()).collect();
    let digits = ndarray::stack(Axis(0), &pixels)?;
    let probabilities = found.probabilities(&found.finished, digits.view(), views)?;
    answer::answers(images, &found.finished, probabilities.view())
}

//! `cargo xtask predict`: which digits some images show, by a study's committee.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;
use study::DataSet;

use self::answer::{Answer, CLEAR};
use self::source::{Found as Image, Unread};
use crate::drawing::half_blocks;
use crate::failure::{AlreadyTold, usage_error};
use crate::studies::Found;
use crate::terminal;
use crate::workspace::Workspace;

mod answer;
mod columns;
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
    /// The results folder [default: of those in results/, the one with the most finished columns]
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Print the answers as one JSON object
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  cargo xtask predict seven.png
  cargo xtask predict --study results/quick photographs/ t10k-images-idx3-ubyte.gz
  curl -s https://example.org/digit.jpg | cargo xtask predict - --json

Exit codes:
  0  every image was read; what the answers are does not matter
  1  something could not be read or was blank (the others are answered), or no column is finished
  2  wrong usage";

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    /// The results folder.
    study: String,
    /// The columns that were asked, in training order.
    columns: Vec<String>,
    /// Least probability of a clear answer.
    clear_from: f64,
    images: &'a [Answer],
    unread: &'a [Unread],
}

/// Answers for the images.
///
/// # Errors
/// See the exit codes of `--help`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let found = Found::given_or_best(&workspace, args.study.as_deref(), |finished| (0, finished.len()))?;
    let shown = workspace.shown(found.folder.root());
    if found.finished.is_empty() {
        bail!("{shown}: no column is finished; `cargo xtask reproduce` trains them");
    }
    if found.study.data == DataSet::FashionMnist {
        return Err(usage_error(format_args!(
            "{shown}: its columns know clothing (fashion-mnist), not digits"
        )));
    }

    let (images, unread) = source::read(&args.images);
    for Unread { reason, .. } in &unread {
        terminal::note(format_args!("error: {reason}"));
    }
    let answers = if images.is_empty() { Vec::new() } else { answer(&workspace, &found, &images)? };
    if args.json {
        terminal::result(serde_json::to_string(&Report {
            schema: SCHEMA,
            study: shown.to_string(),
            columns: found.finished.iter().map(ToString::to_string).collect(),
            clear_from: CLEAR,
            images: &answers,
            unread: &unread,
        })?)?;
    } else {
        let drawn = io::stdout().is_terminal();
        for (index, (answer, image)) in answers.iter().zip(&images).enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            let drawing = if drawn { half_blocks(image.pixels.view()) } else { Vec::new() };
            let drawing: String = drawing.iter().map(|line| format!("  {}\n", line.trim_end())).collect();
            terminal::result(format_args!("{gap}{}{drawing}", listing::text(answer)))?;
        }
    }
    // Each has been told above.
    if unread.is_empty() { Ok(()) } else { Err(AlreadyTold(1).into()) }
}

fn answer(workspace: &Workspace, found: &Found, images: &[Image]) -> Result<Vec<Answer>> {
    let program = columns::build(workspace)?;
    let probabilities = columns::ask(&program, found, images)?;
    answer::answers(images, &found.finished, probabilities.view())
}

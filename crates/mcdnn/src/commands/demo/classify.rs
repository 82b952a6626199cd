//! What the committee, its widths and its columns say of one image, and what they see of it.

use ndarray::{ArrayView1, Axis};
use preprocess::{CANVAS_PX, Width, normalize};
use serde::Serialize;

use super::ready::{Ready, SCHEMA};
use super::refused::Refused;
use crate::commands::predict::{Answer, answers, read_one};

/// What is said of one image.
#[derive(Debug, Serialize)]
pub(super) struct Classified {
    schema: u32,
    /// As `predict --json` says it.
    image: Answer,
    /// The digit in MNIST's form: 28 rows of 28 pixels, 0 background to 255 ink.
    pixels: Vec<u8>,
    /// What the columns of each width see of it; in the order of the image's `widths`.
    canvases: Vec<Canvas>,
    /// In training order.
    columns: Vec<OfColumn>,
}

/// The digit at a width.
#[derive(Debug, Serialize)]
struct Canvas {
    width: Width,
    /// 29 rows of 29 pixels, 0 background to 255 ink.
    pixels: Vec<u8>,
}

/// What one column says.
#[derive(Debug, Serialize)]
struct OfColumn {
    column: String,
    /// The most probable one; of equals the lowest.
    digit: u8,
    probability: f32,
    /// Of the digits 0 to 9.
    probabilities: Vec<f32>,
}

/// Reads the image as `predict` does, and asks the columns.
///
/// # Errors
/// With the sentence of `predict` for an image that cannot be read or shows nothing.
pub(super) fn classify(ready: &Ready, bytes: &[u8], name: &str) -> Result<Classified, Refused> {
    let image = read_one(bytes, name).map_err(|error| Refused::unfit(format!("{error:#}")))?;
    let classifier = &ready.classifier;
    let said = classifier
        .classify(classifier::Image::Mnist(image.pixels.view()))
        .map_err(|error| Refused::failure(error.to_string()))?
        .columns;
    let votes = committee::predictions(said.view());
    let columns = classifier.columns().iter().zip(votes).zip(said.outer_iter());
    let of_column = |((id, digit), row): ((&study::ColumnId, u8), ArrayView1<'_, f32>)| OfColumn {
        column: id.to_string(),
        digit,
        probability: row[usize::from(digit)],
        probabilities: row.to_vec(),
    };
    let columns = columns.map(of_column).collect();
    let canvas = |width: &Width| {
        let canvas = normalize(image.pixels.view(), *width, [CANVAS_PX; 2])
            .map_err(|error| Refused::failure(error.to_string()))?;
        Ok(Canvas { width: *width, pixels: canvas.into_iter().collect() })
    };
    let canvases = classifier.widths().iter().map(canvas).collect::<Result<_, Refused>>()?;
    let pixels = image.pixels.iter().copied().collect();
    let mut answers = answers(&[image], classifier.columns(), said.view().insert_axis(Axis(1)))
        .map_err(|error| Refused::failure(format!("{error:#}")))?;
    Ok(Classified { schema: SCHEMA, image: answers.remove(0), pixels, canvases, columns })
}

//! What each width makes of the same ten digits.

use ndarray::Axis;
use preprocess::{CANVAS_PX, normalize};

use super::drawn::Drawn;
use super::sheet::{self, Sheet};
use crate::drawing::figure::{Figure, Span, Words};
use crate::evidence::Evidence;

/// A row a width of the first digit of each class.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let images = evidence.images;
    let first_of = |class: u8| evidence.labels.iter().position(|&label| label == class);
    let chosen: Vec<usize> = (0..10).filter_map(first_of).collect();
    if chosen.is_empty() {
        return Ok(None);
    }
    let widths = &evidence.summary.widths;
    let mut rows = Sheet::new();
    for &width in widths {
        let digit =
            |&image_idx: &usize| normalize(images.index_axis(Axis(0), image_idx), width, [CANVAS_PX; 2]);
        rows.push((width.to_string(), chosen.iter().map(digit).collect::<Result<_, _>>()?));
    }
    let names: Vec<String> = widths.iter().map(ToString::to_string).collect();
    let words = Words {
        title: "Ten digits, normalized to each width".to_owned(),
        caption:
            "The bounding box of each digit is scaled horizontally to the width in pixels; its height does not change. \
                  Narrow digits are stretched by a factor of at most 1.75, so that a 1 stays a thin stroke."
                .to_owned(),
        description: format!(
            "The first digit of each class, 0 to 9, in {} rows, normalized to the widths {}.",
            rows.len(),
            names.join(", ")
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, sheet::drawn(&rows, 520.0))))
}

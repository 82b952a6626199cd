//! Rows of small pictures with a word before each row.

use ndarray::Array2;

use crate::drawing::figure::Drawing;
use crate::drawing::palette::MUTED;
use crate::drawing::picture::{Image, Picture, Text};
use crate::drawing::pixels;

/// Width of the words before the rows.
const LABELS: f64 = 82.0;
/// Height of text.
const TEXT: f64 = 13.0;
/// Between rows.
const GAP: f64 = 6.0;
/// Pixels between the digits of a row.
const GAP_PX: usize = 1;

/// Rows of a word and digits: as many in each, of one size.
pub(super) type Sheet = Vec<(String, Vec<Array2<u8>>)>;

/// A sheet of this width.
pub(super) fn drawn(rows: &Sheet, width: f64) -> Drawing {
    let mut picture = Picture::default();
    let mut y = 0.0;
    for (label, digits) in rows {
        let digits: Vec<_> = digits.iter().map(|digit| digit.view()).collect();
        let strip = pixels::mosaic(&digits, digits.len(), GAP_PX, 0);
        let (height_px, width_px) = strip.dim();
        let height = (width - LABELS) * height_px as f64 / width_px as f64;
        picture.texts.push(Text::new(0.0, y + (height + TEXT * 0.7) / 2.0, TEXT, label).in_role(MUTED));
        picture.images.push(Image {
            x: LABELS,
            y,
            width: width - LABELS,
            height,
            href: pixels::ink(strip.view()),
            is_ink: true,
            is_crisp: false,
        });
        y += height + GAP;
    }
    picture.drawn([width, y - GAP])
}

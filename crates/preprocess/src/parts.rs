//! What of an image's ink is the digit: not frames, lines of the paper, specks, or what lies along the border.

use std::fmt;

use ndarray::{Array2, Axis};

use crate::lines;
use crate::pieces::{Piece, Pieces};

/// Why an image may show something else than one digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Doubt {
    /// Pieces of ink as large as digits stand apart, or the ink is too wide for one.
    Several,
    /// The surroundings of the sheet look like paper, or like a part of the ink.
    Border,
    /// The ink is a solid area, or has more strokes than a digit.
    NoStroke,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Several => "more than one digit: crop the image to one",
            Self::Border => "the border is not paper: crop the image to the sheet",
            Self::NoStroke => "the ink does not look like pen strokes",
        })
    }
}

/// Pieces that touch the border and lie to this share within the wide margin are the border's, and so are long ones that lie within the narrow
/// margin, to its share.
const IN_MARGINS: [f32; 2] = [0.8, 0.95];

/// The margins, as shares of the image's shorter side.
const MARGINS: [f32; 2] = [0.2, 0.12];

/// As long as this share of the image's shorter side, a piece is long.
const LONG: f32 = 0.3;

/// Shorter than this share of the longest piece, and with an area of less than [`SPECK_AREA`] of its, a piece is a speck.
const SPECK: f32 = 0.15;
const SPECK_AREA: f32 = 0.02;

/// As long as this share of the longest piece, a piece is a main part of the ink.
const MAIN: f32 = 0.3;

/// A digit is at least as long as this share of the image's shorter side, where lines or the border's pieces are to be told from it.
const SMALLEST: f32 = 0.2;

/// The lines of a frame are no thicker than this share of its longer side.
const FRAME: f32 = 0.08;

/// A frame encloses at least this share of its box; a digit with a separate stroke in its box encloses less.
const FRAME_FILLED: f32 = 0.8;

/// What the image's border is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Border {
    /// Paper, in the main.
    Paper,
    /// A desk, a frame: whatever touches it is not the digit's.
    Other,
}

/// The ink of an image, sorted.
pub(crate) struct Parts {
    /// The digit's.
    pub(crate) digit: Array2<bool>,
    /// Everything else, where there is something.
    pub(crate) others: Option<Array2<bool>>,
    pub(crate) doubt: Option<Doubt>,
}

impl Parts {
    /// Sorts the strong ink of an image.
    pub(crate) fn of(mask: Array2<bool>, border: Border) -> Self {
        let ruled = without_lines(&mask);
        let digit =
            ruled.as_ref().and_then(|mask| digit(mask, border, true)).or_else(|| digit(&mask, border, false));
        let doubt = doubt(digit.as_ref().unwrap_or(&mask));
        let others =
            digit.as_ref().map(|digit| Array2::from_shape_fn(mask.raw_dim(), |at| mask[at] && !digit[at]));
        Self { digit: digit.unwrap_or(mask), others, doubt }
    }
}

/// The mask without the lines that run from border to border, or without all where they make a frame; `None` where there is none.
fn without_lines(mask: &Array2<bool>) -> Option<Array2<bool>> {
    let mut level = lines::across(mask.view());
    let mut upright = if level.is_empty() {
        lines::across(mask.t())
    } else {
        let mut beside = mask.clone();
        lines::erase(&mut beside, &level);
        lines::across(beside.t())
    };
    let is_frame = level.len() >= 2 && upright.len() >= 2;
    if !is_frame {
        level.retain(|line| reaches(line.columns, mask.ncols()));
        upright.retain(|line| reaches(line.columns, mask.nrows()));
    }
    if level.is_empty() && upright.is_empty() {
        return None;
    }
    let mut left = mask.clone();
    lines::erase(&mut left, &level);
    let mut left = left.reversed_axes();
    lines::erase(&mut left, &upright);
    Some(left.reversed_axes().as_standard_layout().into_owned())
}

/// Whether it goes from border to border.
fn reaches([first, last]: [usize; 2], side: usize) -> bool {
    let most = side / 50 + 2;
    first <= most && last + 1 + most >= side
}

/// The digit's ink: what is no frame, no speck, and does not lie along the border. `None` where that is everything, or where what is
/// left cannot be told from the rest.
fn digit(mask: &Array2<bool>, border: Border, is_ruled: bool) -> Option<Array2<bool>> {
    let size = [mask.nrows(), mask.ncols()];
    let shorter = size[0].min(size[1]) as f32;
    let pieces = Pieces::of(mask, MARGINS.map(|share| (share * shorter) as usize));
    let is_border = |piece: &Piece| {
        let lies =
            [0, 1].map(|margin| piece.in_margins[margin] as f32 >= IN_MARGINS[margin] * piece.area as f32);
        let is_long = piece.longer() as f32 >= LONG * shorter;
        lies[1] && is_long || piece.touches_border(size) && (lies[0] || border == Border::Other)
    };
    let mut kept: Vec<bool> = pieces.all.iter().map(|piece| !is_border(piece)).collect();
    for (index, kept) in kept.iter_mut().enumerate() {
        *kept &= !is_frame(&pieces, index);
    }
    let is_told_apart = is_ruled || kept.contains(&false);
    let kept_pieces = || pieces.all.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(piece, _)| piece);
    let largest = *kept_pieces().max_by_key(|piece| (piece.longer(), piece.area))?;
    let longest = largest.longer() as f32;
    let area = kept_pieces().map(|piece| piece.area).max()? as f32;
    let is_main = |piece: &&Piece| piece.longer() as f32 >= MAIN * longest;
    if is_told_apart
        && (longest < SMALLEST * shorter
            || kept_pieces().filter(is_main).any(|piece| piece.touches_border(size)))
    {
        return None;
    }
    for (kept, piece) in kept.iter_mut().zip(&pieces.all) {
        *kept &= piece.longer() as f32 >= SPECK * longest || piece.area as f32 >= SPECK_AREA * area;
    }
    (is_ruled || kept.contains(&false)).then(|| pieces.mask(|piece| kept[piece]))
}

/// Whether a piece is a thin ring around something of its size.
fn is_frame(pieces: &Pieces, index: usize) -> bool {
    let piece = &pieces.all[index];
    let [height, width, longer] = [piece.height(), piece.width(), piece.longer()].map(|side| side as f32);
    let thickness = piece.area as f32 / (2.0 * (height + width));
    let is_around = |other: &Piece| piece.surrounds(other) && other.longer() as f32 >= MAIN * longer;
    thickness <= FRAME * longer
        && pieces.all.iter().any(is_around)
        && pieces.enclosed(index) as f32 >= FRAME_FILLED * height * width
}

/// What speaks against one digit.
fn doubt(digit: &Array2<bool>) -> Option<Doubt> {
    let pieces = Pieces::of(digit, [0; 2]);
    let (index, largest) = pieces.all.iter().enumerate().max_by_key(|(_, piece)| piece.area)?;
    if is_sheet(&pieces, index, largest) {
        return Some(Doubt::Border);
    }
    let [mut rows, mut columns] = [largest.rows, largest.columns];
    for piece in &pieces.all {
        rows = [rows[0].min(piece.rows[0]), rows[1].max(piece.rows[1])];
        columns = [columns[0].min(piece.columns[0]), columns[1].max(piece.columns[1])];
    }
    let [height, width] = [rows[1] + 1 - rows[0], columns[1] + 1 - columns[0]];
    let inked = digit.slice_axis(Axis(0), (rows[0]..=rows[1]).into());
    let inked = inked.slice_axis(Axis(1), (columns[0]..=columns[1]).into());
    let crossings = crossings(inked).max(crossings(inked.t()));
    if crossings > OF_STRINGS {
        return Some(Doubt::NoStroke);
    }
    if width as f32 > WIDEST * height as f32 || stand_apart(&pieces.all) {
        return Some(Doubt::Several);
    }
    let area: usize = pieces.all.iter().map(|piece| piece.area).sum();
    let is_full = area as f32 > FULL * (height * width) as f32
        && height < 2 * width
        && width < 2 * height
        && area > 100;
    (is_full || crossings > OF_DIGITS).then_some(Doubt::NoStroke)
}

/// Strokes that a row or column crosses in the mean, at most: of a digit, and of a line of some digits.
const OF_DIGITS: f32 = 4.0;
const OF_STRINGS: f32 = 12.0;

/// The share of its box that a digit's ink fills at most, but for one that is all stroke.
const FULL: f32 = 0.8;

/// How wide a digit is at most, as a multiple of its height.
const WIDEST: f32 = 1.65;

/// Pieces as high as this share of the highest are digits of their own when they stand apart.
const AS_HIGH: f32 = 0.55;

/// The room between two digits side by side, and between two lines of them, as a share of the highest piece.
const BESIDE: f32 = 0.08;
const BELOW: f32 = 0.2;

fn stand_apart(pieces: &[Piece]) -> bool {
    let highest = pieces.iter().map(Piece::height).max().unwrap_or(0) as f32;
    let high: Vec<&Piece> =
        pieces.iter().filter(|piece| piece.height() as f32 >= AS_HIGH * highest).collect();
    let gap = |a: [usize; 2], b: [usize; 2]| b[0] as f32 - a[1] as f32 - 1.0;
    let apart = |a: &Piece, b: &Piece| {
        gap(a.columns, b.columns) >= BESIDE * highest || gap(a.rows, b.rows) >= BELOW * highest
    };
    high.iter().any(|a| high.iter().any(|b| apart(a, b)))
}

/// Runs of ink a row, in the mean of the rows with ink.
fn crossings(inked: ndarray::ArrayView2<'_, bool>) -> f32 {
    let begins = |row: ndarray::ArrayView1<'_, bool>| {
        usize::from(row[0]) + row.windows(2).into_iter().filter(|pair| !pair[0] && pair[1]).count()
    };
    let counts: Vec<usize> = inked.outer_iter().map(begins).filter(|&count| count > 0).collect();
    counts.iter().sum::<usize>() as f32 / counts.len().max(1) as f32
}

/// Whether a piece is a full rectangle, tilted or not, with something on it: a sheet.
fn is_sheet(pieces: &Pieces, index: usize, piece: &Piece) -> bool {
    let [height, width] = [piece.height() as f32, piece.width() as f32];
    if piece.area < 400 || (piece.area as f32) < 0.4 * height * width {
        return false;
    }
    let ends: Vec<[[usize; 2]; 2]> = pieces.ends(index).collect();
    let boxed = (0..30).map(|step| {
        let (sin, cos) = (step as f32 * 3.0).to_radians().sin_cos();
        let mut extent = [[f32::MAX, f32::MIN]; 2];
        for point in ends.iter().flatten() {
            let [y, x] = point.map(|at| at as f32);
            for (extent, at) in extent.iter_mut().zip([y * cos - x * sin, y * sin + x * cos]) {
                *extent = [extent[0].min(at), extent[1].max(at)];
            }
        }
        let [a, b] = extent.map(|[low, high]| high - low + 1.0);
        [a * b, a.max(b) / a.min(b)]
    });
    let smallest = boxed.min_by(|a, b| a[0].total_cmp(&b[0])).unwrap_or([1.0, 1.0]);
    let enclosed = pieces.enclosed(index) as f32;
    (smallest[1] < SHEET_ASPECT || piece.area as f32 <= SHEET_WRITTEN_ON * enclosed)
        && enclosed >= SHEET_FILLED * smallest[0]
        && piece.area as f32 >= SHEET_AREA * smallest[0]
}

/// A sheet is at most this many times as long as wide, unless it is written on: a longer bar may be a 1.
const SHEET_ASPECT: f32 = 2.2;

/// A sheet that is written on covers at most this share of what its outline encloses.
const SHEET_WRITTEN_ON: f32 = 0.97;

/// A sheet fills its rectangle and is mostly empty.
const SHEET_FILLED: f32 = 0.87;
const SHEET_AREA: f32 = 0.6;

//! Draws a sheet of digits to look at, as a PGM image. Twenty-five digits a row, first as they are, then at each width,
//! then distorted in several ways.
//!
//! ```text
//! cargo run --release -p preprocess --example sheet -- train-images-idx3-ubyte 0 sheet.pgm
//! ```
//!
//! Arguments: an IDX file of images (not compressed), the index of the first digit, the file to write.

use std::error::Error;
use std::{env, fs};

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis, s};
use preprocess::{CANVAS_PX, Distorter, Distortion, Epoch, Smoothing, Width, normalize_all};

const N_DIGITS: usize = 25;
/// Screen pixels for each pixel of a digit.
const ZOOM: usize = 2;
const WIDTHS_PX: [u8; 6] = [10, 12, 14, 16, 18, 20];
const SIGMAS: [f32; 5] = [9.0, 8.0, 7.0, 6.0, 5.0];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [idx, first, sheet] = args.as_slice() else {
        return Err("usage: sheet IDX-FILE FIRST-DIGIT PGM-FILE".into());
    };
    let digits = read_digits(idx, first.parse()?)?;
    let canvas = [CANVAS_PX, CANVAS_PX];

    let padded = normalize_all(digits.view(), Width::ORIGINAL, canvas)?;
    let mut rows = vec![padded.clone()];
    for width_px in WIDTHS_PX {
        rows.push(normalize_all(digits.view(), Width::try_from(width_px)?, canvas)?);
    }
    let elastic = Distortion {
        sigma: 8.0,
        alpha: 36.0,
        smoothing: Smoothing::Gaussian,
        translation_px: 0.0,
        rotation_deg: 0.0,
        scaling: 0.0,
        shear: 0.0,
    };
    for smoothing in [Smoothing::Gaussian, Smoothing::Theano] {
        for sigma in SIGMAS {
            rows.push(distorted(padded.view(), &Distortion { sigma, smoothing, ..elastic })?);
        }
    }
    let affine =
        Distortion { translation_px: 1.0, rotation_deg: 15.0, scaling: 0.15, shear: 0.15, ..elastic };
    rows.push(distorted(padded.view(), &Distortion { alpha: 0.0, ..affine })?);
    rows.push(distorted(padded.view(), &affine)?);

    let rows: Vec<Array2<u8>> = rows.iter().map(|row| side_by_side(row.view())).collect();
    let views: Vec<ArrayView2<'_, u8>> = rows.iter().map(|row| row.view()).collect();
    write_pgm(sheet, &ndarray::concatenate(Axis(0), &views)?)
}

fn read_digits(path: &str, first: usize) -> Result<Array3<u8>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (start, len) = (16 + first * 28 * 28, N_DIGITS * 28 * 28);
    let pixels = bytes.get(start..start + len).ok_or("the file ends before the last digit asked for")?;
    Ok(Array3::from_shape_vec((N_DIGITS, 28, 28), pixels.to_vec())?)
}

fn distorted(digits: ArrayView3<'_, u8>, distortion: &Distortion) -> Result<Array3<u8>, Box<dyn Error>> {
    let distorter = Distorter::new(distortion, CANVAS_PX, CANVAS_PX)?;
    let indices: Vec<u32> = (0..N_DIGITS as u32).collect();
    let mut out = vec![0.0; digits.len()];
    let epoch = Epoch { study_seed: 2012, column: 0, epoch: 0 };
    distorter.distort_batch(digits, &indices, epoch, 1.0, &mut out)?;
    let pixels = out.iter().map(|v| ((v + 1.0) * 127.5).round() as u8).collect();
    Ok(Array3::from_shape_vec(digits.dim(), pixels)?)
}

/// Digits beside each other, each with a grey line below and at its right.
fn side_by_side(digits: ArrayView3<'_, u8>) -> Array2<u8> {
    let mut sheet = Array2::from_elem((CANVAS_PX + 1, N_DIGITS * (CANVAS_PX + 1)), 96);
    for (n, digit) in digits.outer_iter().enumerate() {
        let left = n * (CANVAS_PX + 1);
        sheet.slice_mut(s![..CANVAS_PX, left..left + CANVAS_PX]).assign(&digit);
    }
    sheet
}

fn write_pgm(path: &str, sheet: &Array2<u8>) -> Result<(), Box<dyn Error>> {
    let (height, width) = (sheet.nrows() * ZOOM, sheet.ncols() * ZOOM);
    let mut bytes = format!("P5\n{width} {height}\n255\n").into_bytes();
    bytes.extend((0..height * width).map(|i| sheet[[i / width / ZOOM, i % width / ZOOM]]));
    Ok(fs::write(path, bytes)?)
}

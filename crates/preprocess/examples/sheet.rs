//! Draws the sheet of digits in the README, as a PNG: a row of digits as they are, then one for each σ from 9 to 5, and
//! one with everything that [`Distortion::default`] has.
//!
//! ```text
//! cargo run --release -p preprocess --example sheet -- crates/preprocess/doc/sheet.png
//! ```
//!
//! The digits are those embedded in `mnist-data`.

use std::error::Error;
use std::io::Write;
use std::{env, fs};

use flate2::{Compression, Crc, write::ZlibEncoder};
use mnist_data::Data;
use ndarray::{Array2, Array3, ArrayView3, Axis, concatenate, s};
use preprocess::{CANVAS_PX, Distorter, Distortion, Epoch, Width, normalize_all};

const N_DIGITS: usize = 20;
/// Screen pixels for each pixel of a digit.
const ZOOM: usize = 2;
const SIGMAS: [f32; 5] = [9.0, 8.0, 7.0, 6.0, 5.0];

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: sheet PNG-FILE")?;
    let sample = Data::sample();
    let digits = normalize_all(
        sample.train.view().slice(0..N_DIGITS).images(),
        Width::ORIGINAL,
        [CANVAS_PX, CANVAS_PX],
    )?;

    let elastic =
        Distortion { translation_px: 0.0, rotation_deg: 0.0, scaling: 0.0, ..Distortion::default() };
    let mut rows = vec![side_by_side(digits.view())];
    for sigma in SIGMAS {
        rows.push(side_by_side(distorted(digits.view(), &Distortion { sigma, ..elastic })?.view()));
    }
    rows.push(side_by_side(distorted(digits.view(), &Distortion::default())?.view()));
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    fs::write(path, png(&concatenate(Axis(0), &views)?)?)?;
    Ok(())
}

fn distorted(digits: ArrayView3<'_, u8>, distortion: &Distortion) -> Result<Array3<u8>, Box<dyn Error>> {
    let distorter = Distorter::new(distortion, CANVAS_PX, CANVAS_PX)?;
    let indices: Vec<u32> = (0..N_DIGITS as u32).collect();
    let epoch = Epoch { study_seed: 2012, column: 0, epoch: 0 };
    let batch = distorter.distorted(digits, &indices, epoch, 1.0)?;
    Ok(batch.index_axis(Axis(1), 0).mapv(|v| ((v + 1.0) * 127.5).round() as u8))
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

/// A PNG in sixteen greys, each pixel [`ZOOM`] times as large. An even number of pixels a row.
fn png(sheet: &Array2<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let (height, width) = (sheet.nrows() * ZOOM, sheet.ncols() * ZOOM);
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    for y in 0..height {
        let grey = |x: usize| (u16::from(sheet[[y / ZOOM, x / ZOOM]]) * 15 + 127) / 255;
        let row = (0..width).step_by(2).map(|x| (grey(x) << 4 | grey(x + 1)) as u8);
        // Each row begins with the number of its filter: none.
        pixels.write_all(&std::iter::once(0).chain(row).collect::<Vec<u8>>())?;
    }
    let mut header = Vec::new();
    header.extend(u32::try_from(width)?.to_be_bytes());
    header.extend(u32::try_from(height)?.to_be_bytes());
    header.extend([4, 0, 0, 0, 0]); // four bits, grey, not interlaced
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", pixels.finish()?), (b"IEND", Vec::new())] {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(&content);
        file.extend(u32::try_from(content.len())?.to_be_bytes());
        file.extend(kind);
        file.extend(content);
        file.extend(crc.sum().to_be_bytes());
    }
    Ok(file)
}

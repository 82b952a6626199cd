//! PNG and JPEG to grey pixels.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, anyhow, bail};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use ndarray::Array2;

/// Largest width and height, in pixels: twice that of common cameras.
const MAX_SIDE: u32 = 16_384;

/// Largest size of the decoded image, in bytes: 89 million pixels of three colours.
const MAX_DECODED: u64 = 256 << 20;

/// Largest file, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Decodes an image, upright as its EXIF data say, on white paper where it is transparent.
///
/// Grey is the luminance of Rec. 709, as the crate `image` has it; 16 bits are rounded to 8.
///
/// # Shapes
/// Returns `[height, width]`, 0 black to 255 white.
/// # Errors
/// What the decoder refuses, an image or file beyond the limits above, and a JPEG without an end.
pub(crate) fn grey(reader: impl Read, format: ImageFormat) -> Result<Array2<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut bytes).context("cannot read")?;
    if bytes.len() as u64 > MAX_FILE {
        bail!("a file of more than {} MiB", MAX_FILE >> 20);
    }
    if format == ImageFormat::Jpeg && !has_end(&bytes) {
        bail!("a JPEG whose end is missing");
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_DECODED);

    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(told)?;
    limits.reserve(decoder.total_bytes()).map_err(told)?;
    let orientation = decoder.orientation().map_err(told)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(told)?;
    image.apply_orientation(orientation);
    on_white(image)
}

/// The decoder's error as one sentence: its sources are in it already.
fn told(error: ImageError) -> anyhow::Error {
    match error {
        ImageError::Limits(_) => {
            anyhow!("an image may have at most {MAX_SIDE} pixels a side and take {} MiB", MAX_DECODED >> 20)
        }
        error => anyhow!("{error}"),
    }
}

/// Whether a mark of the end follows the last start of a scan. Inside of a scan neither can stand. The decoder itself
/// makes up what a file that was cut off lacks.
fn has_end(jpeg: &[u8]) -> bool {
    let last = |mark: [u8; 2]| jpeg.windows(2).rposition(|bytes| bytes == mark);
    match (last([0xff, 0xda]), last([0xff, 0xd9])) {
        (Some(scan), Some(end)) => scan < end,
        // Without a scan there is something else wrong, which the decoder names.
        (scan, _) => scan.is_none(),
    }
}

fn on_white(image: DynamicImage) -> Result<Array2<u8>> {
    let image = image.into_luma_alpha16();
    let shape = (image.height() as usize, image.width() as usize);
    const WHITE: u64 = u16::MAX as u64;
    let grey = |&image::LumaA([luma, alpha]): &image::LumaA<u16>| {
        let (luma, alpha) = (u64::from(luma), u64::from(alpha));
        // Of 65535² to 255, rounded.
        ((luma * alpha + WHITE * (WHITE - alpha) + WHITE * 257 / 2) / (WHITE * 257)) as u8
    };
    Ok(Array2::from_shape_vec(shape, image.pixels().map(grey).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};
    use ndarray::array;

    fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn decoded(bytes: &[u8]) -> Array2<u8> {
        grey(bytes, ImageFormat::Png).unwrap()
    }

    #[test]
    fn every_kind_of_pixel_becomes_grey() {
        let grey8 = ImageBuffer::from_fn(2, 1, |x, _| Luma([100 + x as u8]));
        assert_eq!(decoded(&png(grey8)), array![[100, 101]]);
        let grey16 = ImageBuffer::from_fn(1, 2, |_, y| Luma([257 * 100 + 100 * y as u16]));
        assert_eq!(decoded(&png(grey16)), array![[100], [100]]);
        let rgb = ImageBuffer::from_fn(2, 1, |x, _| Rgb([77 * x as u8; 3]));
        assert_eq!(decoded(&png(rgb)), array![[0, 77]]);
        // Black ink: none of it, half of it, all of it on white.
        let alpha = ImageBuffer::from_fn(3, 1, |x, _| LumaA([0, [0_u8, 128, 255][x as usize]]));
        assert_eq!(decoded(&png(alpha)), array![[255, 127, 0]]);
        let rgba = ImageBuffer::from_fn(1, 1, |_, _| Rgba([0, 0, 0, 0_u8]));
        assert_eq!(decoded(&png(rgba)), array![[255]]);
    }

    #[test]
    fn every_beginning_of_a_file_is_refused() {
        let image = || ImageBuffer::from_fn(9, 9, |x, y| Luma([(x * y) as u8]));
        let whole = png(image());
        for n_bytes in 0..whole.len() - 12 {
            assert!(grey(&whole[..n_bytes], ImageFormat::Png).is_err(), "{n_bytes}");
        }
        let mut jpeg = Cursor::new(Vec::new());
        DynamicImage::from(image()).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        assert_eq!(grey(jpeg.as_slice(), ImageFormat::Jpeg).unwrap().dim(), (9, 9));
        for n_bytes in 0..jpeg.len() {
            assert!(grey(&jpeg[..n_bytes], ImageFormat::Jpeg).is_err(), "{n_bytes}");
        }
    }

    #[test]
    fn an_image_too_large_is_refused_by_its_header() {
        let bytes = png(ImageBuffer::from_fn(MAX_SIDE + 1, 1, |_, _| Luma([0_u8])));
        let error = grey(bytes.as_slice(), ImageFormat::Png).unwrap_err().to_string();
        assert_eq!(error, "an image may have at most 16384 pixels a side and take 256 MiB");
    }
}

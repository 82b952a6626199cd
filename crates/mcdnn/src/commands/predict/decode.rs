//! Files of images to grey pixels.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, anyhow, bail};
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, LumaA};
use ndarray::Array2;
use preprocess::Polarity;

/// Largest width and height, in pixels: twice that of common cameras.
const MAX_SIDE: u32 = 16_384;

/// Most pixels: what a phone takes at the most it offers. A file of some hundred bytes can claim any number, and decoding them takes time and
/// memory though there is nothing to see.
const MAX_PIXELS: u64 = 64_000_000;

/// Largest size of the decoded image, in bytes: [`MAX_PIXELS`] of four bytes.
const MAX_DECODED: u64 = 4 * MAX_PIXELS;

/// Largest file, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Decodes an image, upright as its EXIF data say; of an animation the first picture. Where it is transparent it stands on white paper, or, where
/// nothing would be seen on that, on black.
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
        bail!("the file is larger than {} MiB", MAX_FILE >> 20);
    }
    if format == ImageFormat::Jpeg && !has_end(&bytes) {
        bail!("the end of this JPEG file is missing");
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_DECODED);

    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(told)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        bail!(
            "{width} x {height} pixels; at most {} million are allowed: make the image smaller",
            MAX_PIXELS / 1_000_000
        );
    }
    limits.reserve(decoder.total_bytes()).map_err(told)?;
    let orientation = decoder.orientation().map_err(told)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(told)?;
    image.apply_orientation(orientation);
    on_paper(image)
}

/// The decoder's error as one sentence: its sources are in it already.
fn told(error: ImageError) -> anyhow::Error {
    match error {
        ImageError::Limits(_) => {
            anyhow!(
                "the image is too large: at most {MAX_SIDE} pixels a side and {} MiB are allowed",
                MAX_DECODED >> 20
            )
        }
        error => anyhow!("{error}"),
    }
}

/// Whether the image's own end is there: the decoder itself makes up what a file that was cut off lacks. Goes from segment to segment, as the
/// file does, so what follows the end (the film of a motion photo) and what lies within a segment (a small picture of it) do not matter.
fn has_end(jpeg: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // To the next mark: behind a segment at once, within a scan behind its data, where 0xff 0x00 and 0xff 0xd0 to 0xd7 are none.
        let Some(mark) = jpeg[at.min(jpeg.len())..]
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
        else {
            return false;
        };
        at += mark + 2;
        match jpeg[at - 1] {
            0xd9 => return true,
            0x01 | 0xd8 => {}
            _ => match jpeg.get(at..at + 2) {
                Some(length) => at += usize::from(u16::from_be_bytes([length[0], length[1]])),
                None => return false,
            },
        }
    }
}

/// The image on white, or on black where it would be blank on white and is not on black: light ink on a transparent ground.
fn on_paper(image: DynamicImage) -> Result<Array2<u8>> {
    let has_alpha = image.color().has_alpha();
    let image = image.into_luma_alpha16();
    let white = on(&image, WHITE)?;
    if has_alpha && Polarity::of(white.view()).is_err() {
        let black = on(&image, 0)?;
        if Polarity::of(black.view()).is_ok() {
            return Ok(black);
        }
    }
    Ok(white)
}

const WHITE: u64 = u16::MAX as u64;

/// The image on paper of this grey, 0 to [`WHITE`].
fn on(image: &ImageBuffer<LumaA<u16>, Vec<u16>>, paper: u64) -> Result<Array2<u8>> {
    let shape = (image.height() as usize, image.width() as usize);
    let grey = |&LumaA([luma, alpha]): &LumaA<u16>| {
        let (luma, alpha) = (u64::from(luma), u64::from(alpha));
        // Of 65535² to 255, rounded.
        ((luma * alpha + paper * (WHITE - alpha) + WHITE * 257 / 2) / (WHITE * 257)) as u8
    };
    Ok(Array2::from_shape_vec(shape, image.pixels().map(grey).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, Rgb, Rgba};
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
    fn white_ink_on_a_transparent_ground_stands_on_black() {
        let white = ImageBuffer::from_fn(3, 1, |x, _| LumaA([255, [0_u8, 128, 255][x as usize]]));
        assert_eq!(decoded(&png(white)), array![[0, 128, 255]]);
        // An opaque white image is blank, whatever stands behind it.
        let opaque = ImageBuffer::from_fn(2, 1, |_, _| LumaA([255, 255_u8]));
        assert_eq!(decoded(&png(opaque)), array![[255, 255]]);
    }

    #[test]
    fn every_format_shows_the_same_picture() {
        let picture = ImageBuffer::from_fn(20, 30, |x, y| {
            Rgb([if x.abs_diff(10) + y / 9 < 6 { 20_u8 } else { 240 }; 3])
        });
        let want = decoded(&png(picture.clone()));
        for format in [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::WebP] {
            let mut bytes = Cursor::new(Vec::new());
            DynamicImage::from(picture.clone()).write_to(&mut bytes, format).unwrap();
            let got = grey(bytes.into_inner().as_slice(), format).unwrap();
            let most = got.iter().zip(&want).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(got.dim() == want.dim() && most <= Some(4), "{format:?}: {most:?}");
        }
    }

    #[test]
    fn what_follows_a_jpegs_end_does_not_matter() {
        let image = ImageBuffer::from_fn(40, 40, |x, y| Luma([((x * 7) ^ (y * 13)) as u8]));
        let mut jpeg = Cursor::new(Vec::new());
        DynamicImage::from(image).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        let want = grey(jpeg.as_slice(), ImageFormat::Jpeg).unwrap();
        // A film may hold any bytes, such as the start of a scan.
        let film: &[u8] = b"\0\0\0\x18ftypmp42\xff\xda\0\x08\xff\xc0";
        assert_eq!(grey([&jpeg[..], film].concat().as_slice(), ImageFormat::Jpeg).unwrap(), want);
        // A small picture in a segment of the file has an end of its own.
        let inner = [&[0xff, 0xe2, 0, 6][..], &[0xff, 0xda, 0xff, 0xd9]].concat();
        let with_inner = [&jpeg[..2], &inner, &jpeg[2..]].concat();
        assert_eq!(grey(with_inner.as_slice(), ImageFormat::Jpeg).unwrap(), want);
        assert!(grey(&with_inner[..with_inner.len() - 2], ImageFormat::Jpeg).is_err());
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
        assert_eq!(error, "the image is too large: at most 16384 pixels a side and 244 MiB are allowed");
        // Some hundred bytes that claim 16,000 x 16,000 pixels.
        let mut jpeg = Cursor::new(Vec::new());
        let small = ImageBuffer::from_fn(16, 16, |_, _| Luma([0_u8]));
        DynamicImage::from(small).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let mut jpeg = jpeg.into_inner();
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0x3e, 0x80, 0x3e, 0x80]);
        let error = grey(jpeg.as_slice(), ImageFormat::Jpeg).unwrap_err().to_string();
        assert_eq!(error, "16000 x 16000 pixels; at most 64 million are allowed: make the image smaller");
    }
}

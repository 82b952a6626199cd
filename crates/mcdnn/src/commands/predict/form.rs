//! What a file is, by its first bytes.

use image::ImageFormat;

/// Bytes that tell the form of a file.
pub(super) const MARK_BYTES: u64 = 32;

/// The images that are read, as messages name them.
pub(super) const NAMES: &str = "PNG, JPEG, BMP, GIF, WebP, TIFF";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Image(ImageFormat),
    /// IDX, raw or gzipped; only reading tells what is in gzip data.
    Idx,
    /// An image that is not read: what it is, and what to do.
    OtherImage(&'static str),
    /// No image: what it is.
    NoImage(&'static str),
}

/// How files begin.
const MARKS: [(&[u8], Form); 19] = [
    (b"\x89PNG\r\n\x1a\n", Form::Image(ImageFormat::Png)),
    (b"\xff\xd8\xff", Form::Image(ImageFormat::Jpeg)),
    (b"GIF87a", Form::Image(ImageFormat::Gif)),
    (b"GIF89a", Form::Image(ImageFormat::Gif)),
    (b"II*\0", Form::Image(ImageFormat::Tiff)),
    (b"MM\0*", Form::Image(ImageFormat::Tiff)),
    (b"\x1f\x8b", Form::Idx), // gzip
    (b"\0\0\0\x0cjP  ", Form::OtherImage("JPEG 2000: export it as PNG or JPEG")),
    (b"\xff\x4f\xff\x51", Form::OtherImage("JPEG 2000: export it as PNG or JPEG")),
    (b"\xff\x0a", Form::OtherImage("JPEG XL: export it as PNG or JPEG")),
    (b"\0\0\x01\0", Form::OtherImage("ICO: export it as PNG")),
    (b"%PDF", Form::OtherImage("PDF: export the page as PNG")),
    (b"<svg", Form::OtherImage("SVG: export it as PNG")),
    (b"\x1a\x45\xdf\xa3", Form::NoImage("a video: save one picture of it")),
    (b"<!doctype html", Form::NoImage("a web page: download the file itself")),
    (b"<html", Form::NoImage("a web page: download the file itself")),
    (b"version https://git-lfs", Form::NoImage("a Git LFS pointer: `git lfs pull` downloads the file")),
    (b"PK\x03\x04", Form::NoImage("a ZIP archive: unpack it")),
    (b"\x93NUMPY", Form::NoImage("a NumPy array: write its images as PNG or IDX")),
];

/// What begins like this; the name decides where a form has no mark of its own.
pub(super) fn of(start: &[u8], name: &str) -> Form {
    if start.is_empty() {
        return Form::NoImage("the file is empty");
    }
    let lower = start.to_ascii_lowercase();
    let is_text = |mark: &[u8]| mark.starts_with(b"<");
    let begins = |mark: &[u8]| if is_text(mark) { lower.starts_with(mark) } else { start.starts_with(mark) };
    if let Some((_, form)) = MARKS.iter().find(|(mark, _)| begins(mark)) {
        return *form;
    }
    match start {
        // The element types of IDX, and a rank.
        [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=u8::MAX, ..] => Form::Idx,
        // Two reserved numbers are 0.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Form::Image(ImageFormat::Bmp),
        [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] if kind.starts_with(b"WEBP") => {
            Form::Image(ImageFormat::WebP)
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] if kind.starts_with(b"AVI ") => {
            Form::NoImage("a video: save one picture of it")
        }
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'h', b'e', b'i' | b'v', ..] | [b'm', b'i', b'f', b'1', ..] | [b'm', b's', b'f', b'1', ..] => {
                Form::OtherImage("HEIC: export it as JPEG")
            }
            [b'a', b'v', b'i', b'f' | b's', ..] => Form::OtherImage("AVIF: export it as PNG or JPEG"),
            _ => Form::NoImage("a video: save one picture of it"),
        },
        // Targa files begin with numbers that others may begin with, too.
        _ if name.to_ascii_lowercase().ends_with(".tga") => Form::OtherImage("TGA: export it as PNG"),
        _ => Form::NoImage("not an image (PNG, JPEG, BMP, GIF, WebP, TIFF) and not an IDX file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let what = |start: &[u8]| match of(start, "a.bin") {
            Form::OtherImage(what) | Form::NoImage(what) => what.split(':').next().unwrap().to_owned(),
            form => format!("{form:?}"),
        };
        for (start, want) in [
            (&b"\0\0\x08\x03\0\0\0\x01"[..], "Idx"),
            (b"\0\0\x0e\x01", "Idx"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "Image(WebP)"),
            (b"BM\x46\0\0\0\0\0\0\0\x36", "Image(Bmp)"),
            (b"MM\0*\0\0", "Image(Tiff)"),
            (b"\0\0\0\x18ftypheic", "HEIC"),
            (b"\0\0\0\x18ftypmif1", "HEIC"),
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"\0\0\0\x18ftypmp42", "a video"),
            (b"RIFF\x10\0\0\0AVI LIST", "a video"),
            (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
            (b"\0\0\x01\0\x01\0", "ICO"),
            (b"%PDF-1.7", "PDF"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
            // Zeros alone are no IDX, and two letters no BMP.
            (b"\0\0\0\0\0\0", "not an image (PNG, JPEG, BMP, GIF, WebP, TIFF) and not an IDX file"),
            (b"BMW and others", "not an image (PNG, JPEG, BMP, GIF, WebP, TIFF) and not an IDX file"),
            (b"", "the file is empty"),
        ] {
            assert_eq!(what(start), want, "{start:?}");
        }
        assert_eq!(of(b"\0\0\x02\0\0", "a.TGA"), Form::OtherImage("TGA: export it as PNG"));
    }
}

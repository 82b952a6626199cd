//! What can be wrong with a file, an array or a folder.

use std::io;
use std::path::PathBuf;

use crate::idx::Element;

/// Why digits could not be read, checked or written.
///
/// Every variant names the file, what was found and what was expected. Digits that never were in a file are named
/// "images in memory" and "labels in memory". Input and output errors are the [source](std::error::Error::source),
/// not part of the message: print the whole chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused to open, read or write.
    #[error("{path}: cannot {action}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb: "open", "read", "write", ….
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The first two bytes are neither IDX's zeros nor gzip's mark.
    #[error("{path}: magic {got:#010x}, expected two zero bytes, a type byte and the rank: not an IDX file")]
    Magic {
        /// The file.
        path: PathBuf,
        /// Its first four bytes, big-endian.
        got: u32,
    },
    /// Something that people get in place of the file.
    #[error("{path}: this is {what}, not an IDX file: download the file itself")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The header announces more than is read.
    #[error("{path}: its header announces {want} bytes, expected at most {max}")]
    Limit {
        /// The file.
        path: PathBuf,
        /// Length in bytes that the header announces.
        want: u64,
        /// The most that is read.
        max: u64,
    },
    /// The third byte is no element type of IDX.
    #[error(
        "{path}: element type {got:#04x}, expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)"
    )]
    ElementCode {
        /// The file.
        path: PathBuf,
        /// The byte found.
        got: u8,
    },
    /// The header announces more than this machine can address.
    #[error("{path}: {shape:?} elements of {element}, expected at most {max} bytes in all", max = isize::MAX)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The sizes the header announces.
        shape: Vec<u32>,
        /// The elements' type.
        element: Element,
    },
    /// The system has no memory for what the header announces.
    #[error("{path}: not enough memory for the {want} bytes that its header announces")]
    Memory {
        /// The file.
        path: PathBuf,
        /// Length in bytes that the header announces.
        want: u64,
    },
    /// The file, or what it holds in gzip form, ends too early.
    #[error("{path}: truncated: got {got} bytes, expected {want}")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes there are; of a gzip file, the inflated ones.
        got: u64,
        /// Bytes there must be at least, header included.
        want: u64,
    },
    /// The file, or its content in gzip form, continues after the last element.
    #[error("{path}: trailing bytes: got at least {got} bytes, expected {want}")]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes seen; of a gzip file, inflated ones.
        got: u64,
        /// Bytes that the header announces, itself included.
        want: u64,
    },
    /// The gzip form is damaged.
    #[error("{path}: damaged gzip data")]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder found.
        source: io::Error,
    },
    /// Bytes follow the gzip data that are neither a further member nor zeros.
    #[error("{path}: trailing bytes after the gzip data: got at least {got}, expected none")]
    GzipTrailing {
        /// The file.
        path: PathBuf,
        /// Bytes seen after the end.
        got: u64,
    },
    /// A well-formed IDX file of another element type than asked for.
    #[error("{path}: elements of type {got}, expected {want}")]
    ElementType {
        /// The file.
        path: PathBuf,
        /// Its type.
        got: Element,
        /// The type asked for.
        want: Element,
    },
    /// A well-formed IDX file of another rank than asked for.
    #[error("{path}: rank {} (shape {shape:?}), expected {want}", shape.len())]
    Rank {
        /// The file.
        path: PathBuf,
        /// Its shape.
        shape: Vec<usize>,
        /// The rank asked for: 3 for images, 1 for labels.
        want: usize,
    },
    /// IDX has one byte for the rank and four for each size.
    #[error("{path}: shape {shape:?}, expected at most 255 sizes below 4294967296")]
    Unwritable {
        /// The file that was to be written.
        path: PathBuf,
        /// The array's shape.
        shape: Vec<usize>,
    },
    /// Images and labels do not belong together.
    #[error("{labels}: {n_labels} labels, expected {n_images}, one for each image of {images}")]
    Counts {
        /// The images' file.
        images: PathBuf,
        /// The labels' file.
        labels: PathBuf,
        /// Number of images.
        n_images: usize,
        /// Number of labels.
        n_labels: usize,
    },
    /// A label is no digit.
    #[error("{path}: label {got} at index {label_idx}, expected 0 to 9")]
    Label {
        /// The labels' file.
        path: PathBuf,
        /// Index of the label, from 0.
        label_idx: usize,
        /// The label.
        got: i32,
    },
    /// A well-formed IDX file that is in neither form of labels.
    #[error(
        "{path}: labels of shape {shape:?} of {element}, expected [n] of u8 (idx1-ubyte) or [n, 8] of i32 (idx2-int)"
    )]
    LabelsForm {
        /// The labels' file.
        path: PathBuf,
        /// The elements' type.
        element: Element,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Images that are not in MNIST's form, where that is asked for.
    #[error("{path}: images of shape {got:?}, expected [n, 28, 28] with at least one image")]
    ImageShape {
        /// The images' file.
        path: PathBuf,
        /// Their number, height and width.
        got: Vec<usize>,
    },
    /// Test images of another size than training images.
    #[error("{path}: images of {got:?} pixels (height, width), expected {want:?} as in the training images")]
    ImageSize {
        /// The test images' file.
        path: PathBuf,
        /// Their height and width in pixels.
        got: [usize; 2],
        /// Height and width of the training images in pixels.
        want: [usize; 2],
    },
    /// Not a folder at all.
    #[error("{path}: no such folder; expected a folder with {name} and the three other files, raw or .gz")]
    Folder {
        /// What was given.
        path: PathBuf,
        /// The file looked for.
        name: String,
    },
    /// A folder without one of the files.
    #[error("{folder}: no file {name}, raw or .gz")]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file looked for.
        name: String,
    },
    /// A well-formed file that is not the collection's.
    #[error(
        "{path}: SHA-256 {got}, expected {want} of {collection}'s {name}: the file is damaged or belongs to another collection; \
         name a folder with {collection}'s files, or no folder to download them"
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// The collection it should be of.
        collection: String,
        /// Name of the collection's file.
        name: String,
        /// SHA-256 of the file's raw IDX bytes, in hex.
        got: String,
        /// SHA-256 of the collection's file, in hex.
        want: String,
    },
    /// Nothing would be left to train on.
    #[error("{n_validation} digits held out of {n_digits}, expected at most {}", n_digits.saturating_sub(1))]
    HoldOut {
        /// Digits asked to be held out.
        n_validation: usize,
        /// Digits there are.
        n_digits: usize,
    },
}

impl Error {
    /// Wraps an error of the system: use as `.map_err(Error::io(path, "read"))`.
    pub(crate) fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { path, action, source }
    }
}

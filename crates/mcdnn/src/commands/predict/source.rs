//! From the arguments to digits in MNIST's form: files, folders, standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use image::ImageFormat;
use mnist_data::idx::{self, Array};
use ndarray::{Array2, ArrayView2, Ix3};
use preprocess::{MNIST_PX, Polarity, to_mnist};
use serde::Serialize;

use super::decode;
use crate::terminal::Terminal;

/// The name of standard input, as an argument and in messages.
const STDIN: (&str, &str) = ("-", "standard input");

/// What a file must begin with.
const MARKS: [(&[u8], Form); 4] = [
    (b"\x89PNG\r\n\x1a\n", Form::Image(ImageFormat::Png)),
    (b"\xff\xd8\xff", Form::Image(ImageFormat::Jpeg)),
    (b"\x00\x00", Form::Idx),
    (b"\x1f\x8b", Form::Idx), // gzip
];

/// Bytes of the longest mark.
const MARK_BYTES: u64 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Image(ImageFormat),
    Idx,
}

/// A digit in MNIST's form.
pub(crate) struct Found {
    /// The file's path, or `standard input`.
    pub(crate) name: String,
    /// Its place in an IDX file, counted from 0.
    pub(crate) index: Option<usize>,
    /// `[28, 28]`, 0 background to 255 ink.
    pub(crate) pixels: Array2<u8>,
    pub(crate) polarity: Polarity,
}

/// What could not be made a digit.
#[derive(Debug, Serialize)]
pub(crate) struct Unread {
    /// As [`Found::name`].
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    /// One sentence that begins with the name.
    pub(crate) reason: String,
}

/// Reads what the arguments name: in their order, a folder's files by name.
pub(crate) fn read(arguments: &[PathBuf], terminal: &Terminal) -> (Vec<Found>, Vec<Unread>) {
    let mut all = All::default();
    for argument in arguments {
        if argument == Path::new(STDIN.0) {
            all.add(STDIN.1, from_reader(io::stdin().lock(), STDIN.1));
        } else if argument.is_dir() {
            all.add_folder(argument, terminal);
        } else {
            let name = argument.display().to_string();
            all.add(&name, open(argument).and_then(|file| from_reader(file, &name)));
        }
    }
    (all.found, all.unread)
}

#[derive(Default)]
struct All {
    found: Vec<Found>,
    unread: Vec<Unread>,
}

impl All {
    fn add(&mut self, name: &str, images: Result<Vec<Grey>>) {
        let images = match images {
            Ok(images) => images,
            Err(error) => return self.refuse(name, None, &error),
        };
        for Grey { index, pixels, is_mnist } in images {
            match in_mnists_form(pixels.view(), is_mnist) {
                Ok((pixels, polarity)) => {
                    self.found.push(Found { name: name.to_owned(), index, pixels, polarity });
                }
                Err(error) => {
                    let place = index.map_or_else(|| name.to_owned(), |index| format!("{name}[{index}]"));
                    self.refuse(name, index, &error.context(place));
                }
            }
        }
    }

    fn refuse(&mut self, name: &str, index: Option<usize>, error: &anyhow::Error) {
        self.unread.push(Unread { name: name.to_owned(), index, reason: format!("{error:#}") });
    }

    /// The images among a folder's files. Others may lie there, too; they are counted.
    fn add_folder(&mut self, folder: &Path, terminal: &Terminal) {
        let name = folder.display().to_string();
        let files = match files(folder) {
            Ok(files) => files,
            Err(error) => return self.refuse(&name, None, &anyhow::Error::new(error).context(name.clone())),
        };
        let mut n_others = 0;
        let n_before = self.found.len() + self.unread.len();
        for path in files {
            let name = path.display().to_string();
            match open(&path).and_then(|mut file| Ok((start(&mut file, &name)?, file))) {
                Ok((start, _)) if form(&start).is_none() => n_others += 1,
                Ok((start, file)) => self.add(&name, from_reader(start.chain(file), &name)),
                Err(error) => self.refuse(&name, None, &error),
            }
        }
        if self.found.len() + self.unread.len() == n_before {
            let error = anyhow::anyhow!("{name}: no PNG, JPEG or IDX file in this folder");
            self.refuse(&name, None, &error);
        } else if n_others > 0 {
            terminal.note(format_args!(
                "{name}: passed over what is neither PNG, JPEG nor IDX: {n_others} of its files"
            ));
        }
    }
}

/// The files in a folder, by name; not those in folders below it.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = listing.collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

/// An image as it came.
struct Grey {
    index: Option<usize>,
    /// `[height, width]`, 0 black to 255 white.
    pixels: Array2<u8>,
    /// Whether it has MNIST's form already.
    is_mnist: bool,
}

fn in_mnists_form(image: ArrayView2<'_, u8>, is_mnist: bool) -> Result<(Array2<u8>, Polarity)> {
    if is_mnist {
        let polarity = Polarity::of(image)?;
        return Ok((polarity.light_on_dark(image), polarity));
    }
    let digit = to_mnist(image)?;
    Ok((digit.pixels, digit.polarity))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{}: cannot open", path.display()))
}

/// The first bytes, as many as a mark has, or all there are.
fn start(reader: &mut impl Read, name: &str) -> Result<io::Cursor<Vec<u8>>> {
    let mut start = Vec::new();
    reader.take(MARK_BYTES).read_to_end(&mut start).with_context(|| format!("{name}: cannot read"))?;
    Ok(io::Cursor::new(start))
}

fn form(start: &io::Cursor<Vec<u8>>) -> Option<Form> {
    MARKS.iter().find(|(mark, _)| start.get_ref().starts_with(mark)).map(|(_, form)| *form)
}

fn from_reader(mut reader: impl Read, name: &str) -> Result<Vec<Grey>> {
    let start = start(&mut reader, name)?;
    if start.get_ref().is_empty() {
        bail!("{name}: empty");
    }
    let form = form(&start);
    let reader = io::BufReader::new(start.chain(reader));
    match form {
        Some(Form::Idx) => from_idx(reader, name),
        Some(Form::Image(format)) => {
            let pixels = decode::grey(reader, format).with_context(|| name.to_owned())?;
            Ok(vec![Grey { index: None, pixels, is_mnist: false }])
        }
        None => bail!("{name}: neither PNG, JPEG nor IDX"),
    }
}

fn from_idx(reader: impl Read, name: &str) -> Result<Vec<Grey>> {
    let array = idx::read_from(reader, name)?;
    let (shape, element) = (array.shape().to_vec(), array.element());
    let images = match array {
        Array::U8(images) => images.into_dimensionality::<Ix3>().ok(),
        _ => None,
    };
    let Some(images) = images else {
        bail!(
            "{name}: IDX of {element} with the shape {shape:?}, expected u8 with three axes: images, height, width"
        );
    };
    let is_mnist = images.shape()[1..] == [MNIST_PX, MNIST_PX];
    let grey = |(index, pixels): (usize, ArrayView2<'_, u8>)| Grey {
        index: Some(index),
        pixels: pixels.to_owned(),
        is_mnist,
    };
    Ok(images.outer_iter().enumerate().map(grey).collect())
}

//! From the arguments to digits in MNIST's form: files, folders, standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use mnist_data::idx::{self, Array};
use ndarray::{Array2, Array3, ArrayView2, Axis, Ix3};
use preprocess::{Doubt, MNIST_PX, MnistDigit, Polarity, are_in_mnists_form, to_mnist};
use serde::Serialize;

use super::decode;
use super::form::{self, Form};
use super::progress::Progress;
use crate::numbers::count;
use crate::terminal::Terminal;

/// The name of standard input, as an argument and in messages.
const STDIN: (&str, &str) = ("-", "standard input");

/// Largest IDX file, inflated, in bytes: 340,000 digits. An answer takes more memory than a digit does.
const MAX_IDX: u64 = 256 << 20;

/// Files that systems leave in folders of pictures; hidden ones begin with a dot.
const OF_SYSTEMS: [&str; 2] = ["Thumbs.db", "desktop.ini"];

/// Folders below one that are named.
const N_NAMED: usize = 3;

/// How folders and files are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Whether folders below a folder are read, too.
    pub(crate) recursive: bool,
    /// Whether rows and columns of an IDX file's images are exchanged.
    pub(crate) transpose: bool,
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
    /// Why the image may show something else than one digit.
    pub(crate) doubt: Option<Doubt>,
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
pub(crate) fn read(
    arguments: &[PathBuf],
    reading: Reading,
    terminal: &Terminal,
) -> (Vec<Found>, Vec<Unread>) {
    let has_progress = terminal.is_interactive();
    let mut all = All { found: Vec::new(), unread: Vec::new(), notes: Vec::new(), reading, has_progress };
    for argument in arguments {
        if argument == Path::new(STDIN.0) {
            all.add_argument(STDIN.1, from_reader(io::stdin().lock(), STDIN.1, reading));
        } else if argument.is_dir() {
            let n_before = all.n_seen();
            all.add_folder(argument);
            if reading.recursive && all.n_seen() == n_before {
                let name = argument.display().to_string();
                let error = anyhow!(
                    "{name}: no image in this folder or in the folders inside it (expected {} or IDX)",
                    form::NAMES
                );
                all.refuse(&name, None, &error);
            }
        } else {
            let name = argument.display().to_string();
            let images = open(argument).map_err(Refused::Image);
            all.add_argument(&name, images.and_then(|file| from_reader(file, &name, reading)));
        }
    }
    for note in &all.notes {
        terminal.note(note); // not while a progress bar is shown
    }
    (all.found, all.unread)
}

/// The digit that one image shows, read as [`read`] does.
///
/// # Errors
/// With the same sentence as [`read`], which begins with the name; and for IDX, which holds many images.
#[cfg(feature = "demo")]
pub(crate) fn read_one(bytes: &[u8], name: &str) -> Result<Found> {
    let many = || Err(anyhow!("{name}: an IDX file holds many images: choose one image"));
    let start = &bytes[..bytes.len().min(form::MARK_BYTES as usize)];
    if form::of(start, name) == Form::Idx {
        return many(); // before it is inflated
    }
    match from_reader(bytes, name, Reading { recursive: false, transpose: false }) {
        Ok(Images::One(pixels)) => {
            let MnistDigit { pixels, polarity, doubt } =
                normalized(pixels.view()).with_context(|| name.to_owned())?;
            Ok(Found { name: name.to_owned(), index: None, pixels, polarity, doubt })
        }
        Ok(Images::Idx(_)) => many(),
        Err(Refused::NoImage(error) | Refused::Image(error)) => Err(error),
    }
}

/// Why a file gives no image.
enum Refused {
    /// It is not an image. In a folder, that is not an error.
    NoImage(anyhow::Error),
    /// It is an image, or should be one.
    Image(anyhow::Error),
}

struct All {
    found: Vec<Found>,
    unread: Vec<Unread>,
    notes: Vec<String>,
    reading: Reading,
    has_progress: bool,
}

impl All {
    /// Images that were read, and refused.
    fn n_seen(&self) -> usize {
        self.found.len() + self.unread.len()
    }

    fn add_argument(&mut self, name: &str, images: Result<Images, Refused>) {
        match images {
            Ok(images) => self.add(name, images),
            Err(Refused::NoImage(error) | Refused::Image(error)) => self.refuse(name, None, &error),
        }
    }

    fn add(&mut self, name: &str, images: Images) {
        match images {
            Images::One(pixels) => self.add_digit(name, None, normalized(pixels.view())),
            Images::Idx(images) => {
                let is_mnist = are_in_mnists_form(images.view());
                if !is_mnist && images.shape()[1..] == [MNIST_PX, MNIST_PX] {
                    self.notes.push(format!(
                        "{name}: the images are not in MNIST's form (ink of 20 pixels, centre of mass in the middle); they are converted to it"
                    ));
                }
                for (index, image) in images.outer_iter().enumerate() {
                    let digit = if is_mnist { as_it_is(image) } else { normalized(image) };
                    self.add_digit(name, Some(index), digit);
                }
            }
        }
    }

    fn add_digit(&mut self, name: &str, index: Option<usize>, digit: Result<MnistDigit>) {
        match digit {
            Ok(MnistDigit { pixels, polarity, doubt }) => {
                self.found.push(Found { name: name.to_owned(), index, pixels, polarity, doubt });
            }
            Err(error) => {
                let place = index.map_or_else(|| name.to_owned(), |index| format!("{name}[{index}]"));
                self.refuse(name, index, &error.context(place));
            }
        }
    }

    fn refuse(&mut self, name: &str, index: Option<usize>, error: &anyhow::Error) {
        self.unread.push(Unread { name: name.to_owned(), index, reason: format!("{error:#}") });
    }

    /// The images among a folder's files. Others may lie there, too; they are counted.
    fn add_folder(&mut self, folder: &Path) {
        let name = folder.display().to_string();
        let Entries { files, folders } = match entries(folder) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(&name, None, &anyhow::Error::new(error).context(name.clone())),
        };
        let mut n_others = 0;
        let n_before = self.n_seen();
        let progress = self.has_progress.then(|| Progress::of(files.len(), "files"));
        for path in files {
            let name = path.display().to_string();
            let images = open(&path).map_err(Refused::Image);
            match images.and_then(|file| from_reader(file, &name, self.reading)) {
                Ok(images) => self.add(&name, images),
                Err(Refused::NoImage(_)) => n_others += 1,
                Err(Refused::Image(error)) => self.refuse(&name, None, &error),
            }
            progress.iter().for_each(|progress| progress.advance(1));
        }
        drop(progress);
        let is_empty = self.n_seen() == n_before;
        if n_others > 0 {
            self.notes.push(format!("{name}: skipped {} (not images)", count(n_others, "file")));
        }
        if self.reading.recursive {
            folders.iter().for_each(|folder| self.add_folder(folder));
        } else if is_empty {
            let hint = if folders.is_empty() { "" } else { "; --recursive also reads the folders inside it" };
            let error = anyhow!("{name}: no image in this folder (expected {} or IDX){hint}", form::NAMES);
            self.refuse(&name, None, &error);
        } else if !folders.is_empty() {
            let named: Vec<_> = folders.iter().take(N_NAMED).filter_map(|path| path.file_name()).collect();
            let named: Vec<_> = named.iter().map(|name| name.to_string_lossy()).collect();
            let more = if folders.len() > N_NAMED { ", …" } else { "" };
            self.notes.push(format!(
                "{name}: skipped the folders in it: {} ({}{more}); --recursive reads them",
                folders.len(),
                named.join(", ")
            ));
        }
    }
}

/// What lies in a folder, by name, without what systems leave there.
struct Entries {
    files: Vec<PathBuf>,
    /// No links, which may lead in circles.
    folders: Vec<PathBuf>,
}

fn entries(folder: &Path) -> io::Result<Entries> {
    let mut entries = Entries { files: Vec::new(), folders: Vec::new() };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || OF_SYSTEMS.iter().any(|of_system| name.eq_ignore_ascii_case(of_system)) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            entries.folders.push(entry.path());
        } else if entry.path().is_file() {
            entries.files.push(entry.path());
        }
    }
    entries.files.sort();
    entries.folders.sort();
    Ok(entries)
}

/// Images as they came, 0 black to 255 white.
enum Images {
    /// `[height, width]`.
    One(Array2<u8>),
    /// `[images, height, width]`.
    Idx(Array3<u8>),
}

fn normalized(image: ArrayView2<'_, u8>) -> Result<MnistDigit> {
    Ok(to_mnist(image)?)
}

fn as_it_is(image: ArrayView2<'_, u8>) -> Result<MnistDigit> {
    let polarity = Polarity::of(image)?;
    Ok(MnistDigit { pixels: polarity.light_on_dark(image), polarity, doubt: None })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{}: cannot open", path.display()))
}

fn from_reader(mut reader: impl Read, name: &str, reading: Reading) -> Result<Images, Refused> {
    let mut start = Vec::new();
    let read = reader.by_ref().take(form::MARK_BYTES).read_to_end(&mut start);
    read.with_context(|| format!("{name}: cannot read")).map_err(Refused::Image)?;
    let form = form::of(&start, name);
    let reader = io::BufReader::new(io::Cursor::new(start).chain(reader));
    match form {
        Form::Idx => from_idx(reader, name, reading),
        Form::Image(format) => {
            let pixels = decode::grey(reader, format).with_context(|| name.to_owned());
            pixels.map(Images::One).map_err(Refused::Image)
        }
        Form::OtherImage(what) => Err(Refused::Image(anyhow!("{name}: {what}"))),
        Form::NoImage(what) => Err(Refused::NoImage(anyhow!("{name}: {what}"))),
    }
}

fn from_idx(reader: impl Read, name: &str, reading: Reading) -> Result<Images, Refused> {
    let array = idx::read_at_most(reader, name, MAX_IDX).map_err(|error| {
        let is_other = matches!(error, mnist_data::Error::Magic { .. } | mnist_data::Error::Foreign { .. });
        if is_other { Refused::NoImage(error.into()) } else { Refused::Image(error.into()) }
    })?;
    let (shape, element) = (array.shape().to_vec(), array.element());
    let images = match array {
        Array::U8(images) => images.into_dimensionality::<Ix3>().ok(),
        _ => None,
    };
    let Some(mut images) = images else {
        return Err(Refused::NoImage(anyhow!(
            "{name}: IDX file of {element} with the shape {shape:?}, expected u8 with three axes: images, height, width"
        )));
    };
    if images.len_of(Axis(0)) == 0 {
        return Err(Refused::Image(anyhow!("{name}: the file contains no images")));
    }
    if reading.transpose {
        images.swap_axes(1, 2);
    }
    Ok(Images::Idx(images))
}

//! Writing IDX, raw or gzipped, and hashing what would be written.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use ndarray::{ArrayView, Dimension};

use super::array::{Array, Element, Value, each};
use crate::Error;
use crate::hash::HashWriter;
use crate::whole_file::write_whole;

/// How the bytes of an IDX file are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    #[default]
    Raw,
    /// Gzipped at the highest level, without name and time: equal arrays make equal files.
    Gzip,
}

/// Writes an IDX file, whole or not at all: to a temporary sibling, synced, renamed over `path`.
///
/// # Shapes
/// Any shape of at most 255 axes, each shorter than 2³²; the elements are written in row-major order.
///
/// # Errors
/// [`Error::Unwritable`] for other shapes, [`Error::Io`]; an older file at `path` then stays as it was.
pub fn write(path: impl AsRef<Path>, array: &Array, encoding: Encoding) -> Result<(), Error> {
    let path = path.as_ref();
    check_shape(array.shape(), path)?;
    let written = write_whole::<io::Error>(path, |file| {
        let mut writer = BufWriter::new(file);
        match encoding {
            Encoding::Raw => write_elements(&mut writer, array)?,
            Encoding::Gzip => {
                let mut gzip = GzBuilder::new().write(&mut writer, Compression::best());
                write_elements(&mut gzip, array)?;
                gzip.finish()?;
            }
        }
        writer.flush()
    });
    written.map_err(Error::io(path, "write"))
}

/// Writes the raw IDX bytes of an array to a writer. Errors call the data `name`.
///
/// # Errors
/// As [`write()`].
pub fn write_to(mut writer: impl Write, array: &Array, name: impl AsRef<Path>) -> Result<(), Error> {
    let name = name.as_ref();
    check_shape(array.shape(), name)?;
    write_elements(&mut writer, array).map_err(Error::io(name, "write"))
}

/// SHA-256 of the raw IDX file that holds these bytes.
///
/// Reading is strict, so an array read from a file has the hash of that file's raw bytes, without reading it twice.
/// Axes of 2³² and more, which no IDX file has, count modulo 2³².
pub(crate) fn sha256_u8<D: Dimension>(bytes: ArrayView<'_, u8, D>) -> String {
    let mut hash = HashWriter::default();
    write_view(&mut hash, bytes).expect("a hash takes every byte");
    hash.finish()
}

fn check_shape(shape: &[usize], path: &Path) -> Result<(), Error> {
    if shape.len() <= usize::from(u8::MAX) && shape.iter().all(|&size| u32::try_from(size).is_ok()) {
        return Ok(());
    }
    Err(Error::Unwritable { path: path.to_path_buf(), shape: shape.to_vec() })
}

fn write_elements(writer: &mut dyn Write, array: &Array) -> io::Result<()> {
    each!(array, inner => write_view(writer, inner.view()))
}

fn write_view<T: Value, D: Dimension>(writer: &mut dyn Write, view: ArrayView<'_, T, D>) -> io::Result<()> {
    let element: Element = T::ELEMENT;
    let mut bytes = vec![0, 0, element.code(), view.ndim() as u8];
    for &size in view.shape() {
        bytes.extend_from_slice(&(size as u32).to_be_bytes());
    }
    if let Some(elements) = view.as_slice().and_then(T::as_bytes) {
        writer.write_all(&bytes)?;
        return writer.write_all(elements);
    }
    const CHUNK: usize = 8 * 1024;
    for &value in view {
        value.push_bytes(&mut bytes);
        if bytes.len() >= CHUNK {
            writer.write_all(&bytes)?;
            bytes.clear();
        }
    }
    writer.write_all(&bytes)
}

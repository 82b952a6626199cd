//! Reading IDX, raw or gzipped.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Dimension, IxDyn};

use super::array::{Array, Element, Value};
use super::fill::fill;
use super::members::Members;
use crate::Error;

/// Two zero bytes, type byte, rank.
const MAGIC_BYTES: usize = 4;

/// How a gzip file starts (RFC 1952).
const GZIP_MARK: [u8; 2] = [0x1f, 0x8b];

/// First allocation, in bytes, for data whose length nothing proves; it then doubles as data arrive.
const FIRST_STEP: usize = 64 * 1024;

/// First allocation for a gzip file, in bytes for each byte of the file. MNIST's images inflate to five times the
/// file and so get their one allocation at once; deflate's most is 1032 times.
const FIRST_STEP_GZIP: u64 = 8;

/// Most bytes of an array that [`read`] and [`read_from`] take, 1 GiB: twenty times MNIST's training images, and more than any collection of
/// digits but those that are made without end. A gzip file of 4 MB can announce and bring four times as much.
pub const MAX_BYTES: u64 = 1 << 30;

/// Reads an IDX file, raw or gzipped, of at most [`MAX_BYTES`].
///
/// # Shapes
/// As the file's header has them, outermost axis first, row-major.
///
/// # Errors
/// [`Error::Io`], and whatever the [module](super)'s rules refuse: [`Error::Magic`], [`Error::Foreign`], [`Error::ElementCode`],
/// [`Error::TooLarge`], [`Error::Limit`], [`Error::Memory`], [`Error::Truncated`], [`Error::Trailing`], [`Error::Gzip`],
/// [`Error::GzipTrailing`].
pub fn read(path: impl AsRef<Path>) -> Result<Array, Error> {
    let path = path.as_ref();
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let metadata = file.metadata().map_err(Error::io(path, "open"))?;
    // Pipes and the like have no length: they are read as they come.
    let n_bytes = metadata.is_file().then_some(metadata.len());
    read_any(file, n_bytes, MAX_BYTES, path)
}

/// Reads an IDX array, raw or gzipped, from a reader, to its end. Errors call the data `name`.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, name: impl AsRef<Path>) -> Result<Array, Error> {
    read_at_most(reader, name, MAX_BYTES)
}

/// [`read_from`] with a limit in bytes, which is checked against the header before memory is allocated.
///
/// # Errors
/// As [`read`].
pub fn read_at_most(reader: impl Read, name: impl AsRef<Path>, max_bytes: u64) -> Result<Array, Error> {
    read_any(reader, None, max_bytes, name.as_ref())
}

/// Reads a file of bytes whose rank is that of `D`.
pub(crate) fn read_u8<D: Dimension>(path: &Path) -> Result<ndarray::Array<u8, D>, Error> {
    into_u8(read(path)?, path)
}

/// Takes an array for one of bytes whose rank is that of `D`.
pub(crate) fn into_u8<D: Dimension>(array: Array, path: &Path) -> Result<ndarray::Array<u8, D>, Error> {
    let Array::U8(array) = array else {
        return Err(Error::ElementType { path: path.to_path_buf(), got: array.element(), want: Element::U8 });
    };
    let shape = array.shape().to_vec();
    let want = D::NDIM.unwrap_or(shape.len());
    array.into_dimensionality().map_err(|_| Error::Rank { path: path.to_path_buf(), shape, want })
}

fn read_any(
    mut reader: impl Read,
    n_bytes: Option<u64>,
    max_bytes: u64,
    path: &Path,
) -> Result<Array, Error> {
    let mut start = [0; MAGIC_BYTES];
    let n_start = fill(&mut reader, &mut start).map_err(Error::io(path, "read"))?;
    let start = &start[..n_start];
    if !start.starts_with(&GZIP_MARK) {
        let form = n_bytes.map_or(Form::Stream, |n_bytes| Form::File { n_bytes });
        return Source { reader: &mut reader, form, n_read: 0, max_bytes, path }.array(start);
    }
    let form = Form::Gzip { n_bytes };
    let mut members = Members::of(BufReader::with_capacity(FIRST_STEP, start.chain(reader)));
    let array = Source { reader: &mut members, form, n_read: 0, max_bytes, path }.array(&[])?;
    match members.n_after().map_err(Error::io(path, "read"))? {
        0 => Ok(array),
        got => Err(Error::GzipTrailing { path: path.to_path_buf(), got }),
    }
}

/// What is known of the data beforehand.
#[derive(Clone, Copy)]
enum Form {
    /// A raw file of known length.
    File { n_bytes: u64 },
    /// Raw data of unknown length.
    Stream,
    /// Data that are being inflated, from a file of that length where it is known.
    Gzip { n_bytes: Option<u64> },
}

impl Form {
    /// The most bytes to allocate before any of them has come; `want` are announced.
    fn first_step(self, want: usize) -> usize {
        match self {
            // The file's length has been compared with its header.
            Form::File { .. } => want,
            Form::Gzip { n_bytes: Some(n_bytes) } => {
                usize::try_from(n_bytes.saturating_mul(FIRST_STEP_GZIP)).map_or(want, |n| n.max(FIRST_STEP))
            }
            Form::Stream | Form::Gzip { n_bytes: None } => FIRST_STEP,
        }
    }
}

/// What begins like this, if it is something that people get in place of a file.
fn foreign(start: &[u8]) -> Option<&'static str> {
    match start.to_ascii_lowercase().as_slice() {
        b"<!do" | b"<htm" | b"<hea" => Some("a web page"),
        b"vers" => Some("a pointer of Git LFS"),
        _ => None,
    }
}

struct Header {
    element: Element,
    shape: Vec<usize>,
    n_elements: usize,
    /// Length of the whole file, header included.
    n_bytes: u64,
}

impl Header {
    /// `None` when the file, or any array of that shape, would be longer than a slice may be.
    fn new(element: Element, sizes: &[u32]) -> Option<Self> {
        let n_header = (MAGIC_BYTES + 4 * sizes.len()) as u64;
        // Strides must fit where there is no element, too: a size of 0 does not excuse the others.
        let mut not_zero = sizes.iter().map(|&size| u64::from(size.max(1)));
        let n_strides = not_zero.try_fold(1_u64, u64::checked_mul)?;
        let n_values_bytes = n_strides.checked_mul(element.n_bytes() as u64)?;
        if n_values_bytes > isize::MAX as u64 {
            return None;
        }
        let is_empty = sizes.contains(&0);
        let n_elements = if is_empty { 0 } else { n_strides };
        let n_bytes = n_header.checked_add(if is_empty { 0 } else { n_values_bytes })?;
        let shape = sizes.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<_>>()?;
        Some(Header { element, shape, n_elements: usize::try_from(n_elements).ok()?, n_bytes })
    }
}

/// The raw bytes of an IDX file on their way in.
struct Source<'a> {
    reader: &'a mut dyn Read,
    form: Form,
    n_read: u64,
    max_bytes: u64,
    path: &'a Path,
}

impl Source<'_> {
    /// `start`: the first bytes, where they have been read already.
    fn array(mut self, start: &[u8]) -> Result<Array, Error> {
        let header = self.header(start)?;
        let want = header.n_bytes;
        if want > self.max_bytes {
            return Err(Error::Limit { path: self.path(), want, max: self.max_bytes });
        }
        match self.form {
            Form::File { n_bytes: got } if got < want => return Err(self.truncated(got, want)),
            Form::File { n_bytes: got } if got > want => return Err(self.trailing(got, want)),
            _ => {}
        }
        let array = match header.element {
            Element::U8 => Array::U8(self.values(&header)?),
            Element::I8 => Array::I8(self.values(&header)?),
            Element::I16 => Array::I16(self.values(&header)?),
            Element::I32 => Array::I32(self.values(&header)?),
            Element::F32 => Array::F32(self.values(&header)?),
            Element::F64 => Array::F64(self.values(&header)?),
        };
        self.end(want)?;
        Ok(array)
    }

    fn header(&mut self, start: &[u8]) -> Result<Header, Error> {
        let mut magic = [0; MAGIC_BYTES];
        magic[..start.len()].copy_from_slice(start);
        self.n_read = start.len() as u64;
        self.exactly(&mut magic[start.len()..], MAGIC_BYTES as u64)?;
        let [0, 0, code, rank] = magic else {
            if let Some(what) = foreign(&magic) {
                return Err(Error::Foreign { path: self.path(), what });
            }
            return Err(Error::Magic { path: self.path(), got: u32::from_be_bytes(magic) });
        };
        let element = Element::from_code(code).ok_or(Error::ElementCode { path: self.path(), got: code })?;
        let mut sizes = vec![[0; 4]; usize::from(rank)];
        let n_header = (MAGIC_BYTES + 4 * sizes.len()) as u64;
        self.exactly(sizes.as_flattened_mut(), n_header)?;
        let sizes: Vec<u32> = sizes.into_iter().map(u32::from_be_bytes).collect();
        let header = Header::new(element, &sizes);
        header.ok_or_else(|| Error::TooLarge { path: self.path(), shape: sizes, element })
    }

    fn values<T: Value>(&mut self, header: &Header) -> Result<ArrayD<T>, Error> {
        let n_value = T::ELEMENT.n_bytes();
        let n = header.n_elements;
        let n_first = self.form.first_step(n * n_value) / n_value;
        let mut values: Vec<T> = Vec::new();
        while values.len() < n {
            let n_step = (n - values.len()).min(values.len().max(n_first));
            let no_memory = |_| Error::Memory { path: self.path(), want: header.n_bytes };
            values.try_reserve_exact(n_step).map_err(no_memory)?;
            let n_before = values.len();
            let outcome = T::read(self.reader, n_step, &mut values);
            self.n_read += ((values.len() - n_before) * n_value) as u64;
            self.n_read += outcome.map_err(|error| self.fault(error, header.n_bytes))? as u64;
            if values.len() < n_before + n_step {
                return Err(self.truncated(self.n_read, header.n_bytes));
            }
        }
        let too_large = |_| Error::Memory { path: self.path(), want: header.n_bytes };
        ArrayD::from_shape_vec(IxDyn(&header.shape), values).map_err(too_large)
    }

    /// Refuses anything after the last element. Of gzip data, this also checks the sum that follows them.
    fn end(&mut self, want: u64) -> Result<(), Error> {
        match fill(self.reader, &mut [0]) {
            Ok(0) => Ok(()),
            Ok(n_more) => Err(self.trailing(want + n_more as u64, want)),
            // All bytes have come, so "truncated" would be a riddle: it is gzip's own end that is missing.
            Err(source) if matches!(self.form, Form::Gzip { .. }) => {
                Err(Error::Gzip { path: self.path(), source })
            }
            Err(source) => Err(self.fault(source, want)),
        }
    }

    /// Fills the buffer; `want` is the least length of a file that can do so.
    fn exactly(&mut self, buffer: &mut [u8], want: u64) -> Result<(), Error> {
        let n = fill(self.reader, buffer).map_err(|error| self.fault(error, want))?;
        self.n_read += n as u64;
        if n < buffer.len() { Err(self.truncated(self.n_read, want)) } else { Ok(()) }
    }

    /// Tells a file that ends early and a damaged one from one that cannot be read.
    fn fault(&self, source: io::Error, want: u64) -> Error {
        match (self.form, source.kind()) {
            (Form::Gzip { .. }, io::ErrorKind::UnexpectedEof) => self.truncated(self.n_read, want),
            (Form::Gzip { .. }, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                Error::Gzip { path: self.path(), source }
            }
            _ => Error::Io { path: self.path(), action: "read", source },
        }
    }

    fn truncated(&self, got: u64, want: u64) -> Error {
        Error::Truncated { path: self.path(), got, want }
    }

    fn trailing(&self, got: u64, want: u64) -> Error {
        Error::Trailing { path: self.path(), got, want }
    }

    fn path(&self) -> PathBuf {
        self.path.to_path_buf()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_allocation_is_what_the_data_justify() {
        const ANNOUNCED: usize = 1 << 40;
        let first = |form: Form| form.first_step(ANNOUNCED);
        assert_eq!(first(Form::File { n_bytes: ANNOUNCED as u64 }), ANNOUNCED);
        assert_eq!(first(Form::Stream), FIRST_STEP);
        assert_eq!(first(Form::Gzip { n_bytes: None }), FIRST_STEP);
        assert_eq!(first(Form::Gzip { n_bytes: Some(20) }), FIRST_STEP);
        // MNIST's 9.9 MB of gzip data hold 47.04 MB: one allocation.
        assert_eq!(first(Form::Gzip { n_bytes: Some(9_912_422) }), 79_299_376);
    }
}

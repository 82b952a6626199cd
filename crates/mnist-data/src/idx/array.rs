//! Arrays of the element types that IDX has.

use std::fmt;
use std::io::{self, Read};

use ndarray::{ArrayD, Dimension};

use super::fill::fill;

/// An element type of IDX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Unsigned bytes, type byte 0x08: MNIST's images and labels.
    U8,
    /// Signed bytes, type byte 0x09.
    I8,
    /// Signed 16-bit integers, type byte 0x0b.
    I16,
    /// Signed 32-bit integers, type byte 0x0c.
    I32,
    /// IEEE single precision, type byte 0x0d.
    F32,
    /// IEEE double precision, type byte 0x0e.
    F64,
}

impl Element {
    /// The type byte: the third byte of an IDX file.
    pub(super) fn code(self) -> u8 {
        match self {
            Element::U8 => 0x08,
            Element::I8 => 0x09,
            Element::I16 => 0x0b,
            Element::I32 => 0x0c,
            Element::F32 => 0x0d,
            Element::F64 => 0x0e,
        }
    }

    /// The type of a type byte, `None` where IDX has none.
    pub(super) fn from_code(code: u8) -> Option<Self> {
        let all = [Element::U8, Element::I8, Element::I16, Element::I32, Element::F32, Element::F64];
        all.into_iter().find(|element| element.code() == code)
    }

    /// Bytes of one element: 1, 2, 4 or 8.
    pub(super) fn n_bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 => 1,
            Element::I16 => 2,
            Element::I32 | Element::F32 => 4,
            Element::F64 => 8,
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Element::U8 => "u8",
            Element::I8 => "i8",
            Element::I16 => "i16",
            Element::I32 => "i32",
            Element::F32 => "f32",
            Element::F64 => "f64",
        })
    }
}

/// What an IDX file holds: an array of any rank, of one of six element types.
///
/// Made from `ndarray` arrays of those types with `From`, whatever their rank and memory order.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Unsigned bytes.
    U8(ArrayD<u8>),
    /// Signed bytes.
    I8(ArrayD<i8>),
    /// Signed 16-bit integers.
    I16(ArrayD<i16>),
    /// Signed 32-bit integers.
    I32(ArrayD<i32>),
    /// Single precision.
    F32(ArrayD<f32>),
    /// Double precision.
    F64(ArrayD<f64>),
}

/// Runs one expression on the array inside, whatever its type.
macro_rules! each {
    ($array:expr, $inner:ident => $body:expr) => {
        match $array {
            $crate::idx::Array::U8($inner) => $body,
            $crate::idx::Array::I8($inner) => $body,
            $crate::idx::Array::I16($inner) => $body,
            $crate::idx::Array::I32($inner) => $body,
            $crate::idx::Array::F32($inner) => $body,
            $crate::idx::Array::F64($inner) => $body,
        }
    };
}
pub(super) use each;

impl Array {
    /// The sizes of the axes, outermost first; empty for rank 0.
    pub fn shape(&self) -> &[usize] {
        each!(self, inner => inner.shape())
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        match self {
            Array::U8(_) => Element::U8,
            Array::I8(_) => Element::I8,
            Array::I16(_) => Element::I16,
            Array::I32(_) => Element::I32,
            Array::F32(_) => Element::F32,
            Array::F64(_) => Element::F64,
        }
    }
}

/// A type whose values IDX can hold.
pub(super) trait Value: Copy {
    const ELEMENT: Element;

    /// Appends up to `n` values to `values`, fewer only when `reader` ends. Returns the number of bytes of a last,
    /// incomplete value.
    fn read(reader: &mut dyn Read, n: usize, values: &mut Vec<Self>) -> io::Result<usize>;

    /// Appends the big-endian bytes of one value.
    fn push_bytes(self, bytes: &mut Vec<u8>);

    /// The values' own memory where it is already in the form of the file.
    fn as_bytes(_values: &[Self]) -> Option<&[u8]> {
        None
    }
}

impl Value for u8 {
    const ELEMENT: Element = Element::U8;

    /// Straight into the array's own memory: no copy on the way.
    fn read(reader: &mut dyn Read, n: usize, values: &mut Vec<Self>) -> io::Result<usize> {
        reader.take(n as u64).read_to_end(values).map(|_| 0)
    }

    fn push_bytes(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }

    fn as_bytes(values: &[Self]) -> Option<&[u8]> {
        Some(values)
    }
}

impl<D: Dimension> From<ndarray::Array<u8, D>> for Array {
    fn from(array: ndarray::Array<u8, D>) -> Self {
        Array::U8(array.into_dyn())
    }
}

macro_rules! big_endian_value {
    ($($type:ty => $variant:ident),*) => {$(
        impl Value for $type {
            const ELEMENT: Element = Element::$variant;

            fn read(reader: &mut dyn Read, n: usize, values: &mut Vec<Self>) -> io::Result<usize> {
                const N_BYTES: usize = size_of::<$type>();
                let mut chunk = [0; 8 * 1024];
                let mut n_left = n;
                while n_left > 0 {
                    let n_now = n_left.min(chunk.len() / N_BYTES);
                    let chunk = &mut chunk[..n_now * N_BYTES];
                    let n_got = fill(reader, chunk)?;
                    let (whole, incomplete) = chunk[..n_got].as_chunks::<N_BYTES>();
                    values.extend(whole.iter().map(|&bytes| <$type>::from_be_bytes(bytes)));
                    if n_got < chunk.len() {
                        return Ok(incomplete.len());
                    }
                    n_left -= n_now;
                }
                Ok(0)
            }

            fn push_bytes(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_be_bytes());
            }
        }

        impl<D: Dimension> From<ndarray::Array<$type, D>> for Array {
            fn from(array: ndarray::Array<$type, D>) -> Self {
                Array::$variant(array.into_dyn())
            }
        }
    )*};
}

big_endian_value!(i8 => I8, i16 => I16, i32 => I32, f32 => F32, f64 => F64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_elements_belong_together() {
        let known = (0..=u8::MAX).filter_map(Element::from_code);
        let known = known.map(|element| (element.code(), element.to_string(), element.n_bytes()));
        let want = [
            (0x08, "u8", 1),
            (0x09, "i8", 1),
            (0x0b, "i16", 2),
            (0x0c, "i32", 4),
            (0x0d, "f32", 4),
            (0x0e, "f64", 8),
        ];
        assert!(known.eq(want.map(|(code, name, n_bytes)| (code, name.to_owned(), n_bytes))));
    }
}

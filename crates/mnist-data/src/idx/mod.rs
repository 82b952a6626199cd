//! The IDX format: arrays of any of its six element types and any rank, read strictly and written whole.
//!
//! An IDX file is two zero bytes, a byte for the element type, a byte for the rank, one big-endian `u32` size for each
//! axis, and the elements in row-major order, big-endian. Files may be gzipped; that is seen from their first two
//! bytes, never from their name.
//!
//! **Strict** means: exactly the announced number of bytes, before and after inflating. A truncated file, one with
//! trailing bytes, and one whose sizes overflow are errors, never panics, and never make the reader allocate more than the file justifies: a raw file's length is compared with its header first, a gzip
//! file's array starts with at most eight times the file's length (or 64 KiB) and grows with the data that arrive, up to a limit
//! that the header is compared with ([`MAX_BYTES`], or the caller's own). Gzip data may have several members and zeros behind, as `gzip` has it.
//!
//! **Rank 0** is accepted: no sizes, so one element. **Sizes of 0** are accepted: no elements.
//!
//! ```
//! use mnist_data::idx::{self, Array, Encoding};
//! use ndarray::array;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("weights-idx2-float.gz");
//! let weights = Array::from(array![[0.5_f32, -1.0, 2.0], [1.5, 0.0, -0.25]]);
//! idx::write(&path, &weights, Encoding::Gzip)?;
//! assert_eq!(idx::read(&path)?, weights);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! The format's description stood on the MNIST page of Yann LeCun, Corinna Cortes and Christopher Burges.

mod array;
mod fill;
mod members;
mod read;
mod write;

pub use array::{Array, Element};
pub use read::{MAX_BYTES, read, read_at_most, read_from};
pub use write::{Encoding, write, write_to};

pub(crate) use read::{into_u8, read_u8};
pub(crate) use write::sha256_u8;

#[cfg(test)]
mod tests;

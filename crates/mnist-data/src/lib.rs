#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod collection;
mod data;
mod digits;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
mod hash;
pub mod idx;
mod sample;
mod whole_file;

pub use collection::{Collection, KnownFile, UnknownCollection};
pub use data::{Data, Split};
pub use digits::{Digits, DigitsView, N_CLASSES, TestDigits};
pub use error::Error;
pub use hash::FileHash;

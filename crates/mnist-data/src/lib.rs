#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod collection;
mod data;
mod digits;
mod error;
mod evaluation;
#[cfg(feature = "fetch")]
pub mod fetch;
mod hash;
pub mod idx;
mod labels;
mod sample;
mod whole_file;

pub use collection::{Collection, UnknownCollection};
pub use data::Data;
pub use digits::{Digits, DigitsView, TestDigits};
pub use error::Error;
pub use evaluation::EvaluationDigits;
pub use hash::FileHash;
pub use labels::N_CLASSES;

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod markdown;
pub mod published;
mod summary;
mod table;

pub use error::ReportError;
pub use markdown::{Listing, markdown};
pub use summary::{MAX_SUBSET_WIDTHS, SUMMARY_SCHEMA, Summary, read, read_summary};

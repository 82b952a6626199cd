#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod markdown;
pub mod published;
mod selection;
mod statistics;
mod summary;
mod table;
mod trials;
mod validation;

pub use error::ReportError;
pub use markdown::{Listing, committee_markdown, markdown};
pub use selection::{Columns, Loaded, Selection, load};
pub use statistics::{CURVE_SAMPLES, RESAMPLES, Statistics};
pub use summary::{MAX_SUBSET_WIDTHS, OddWidths, SUMMARY_SCHEMA, Summary, read, read_selected, read_summary};
pub use trials::Trial;

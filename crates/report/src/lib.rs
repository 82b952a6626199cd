#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod drawing;
mod error;
mod evidence;
mod figures;
mod files;
mod finding;
mod markdown;
mod page;
mod published;
mod selection;
mod statistics;
mod summary;
mod table;
mod trials;
mod with_views;

pub use drawing::figure::Figure;
pub use error::ReportError;
pub use evidence::Evidence;
pub use files::{Pixels, Report, write_summary};
pub use finding::headline;
pub use markdown::listing::Listing;
pub use markdown::{committee_markdown, markdown};
pub use selection::{Columns, Labels, Loaded, Selection, load};
pub use statistics::{RESAMPLES, Statistics};
pub use summary::{OddWidths, Summary, Training, is_of_another_format, read, read_selected, read_summary};
pub use table::{Align, table};
pub use trials::Trial;
pub use with_views::WithViews;

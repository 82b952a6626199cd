#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod canvas;
mod checkpoint;
mod column;
mod group;
mod groups;
mod mend;
mod metrics;
mod observer;
mod run;
mod setup;
mod streams;
mod stretch;
mod validation;

pub use checkpoint::{CheckpointError, Flaw};
pub use column::ColumnError;
pub use mend::{Mended, mend};
pub use metrics::MetricsError;
pub use observer::{Event, Observer, Warning};
pub use run::{MakeEngine, RunError, Summary, clean_finished, run};
pub use setup::{Clock, Setup, StudyDigits};

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod best_epoch;
mod canvas;
mod checkpoint;
mod column;
mod column_error;
mod epoch;
mod group;
mod group_error;
mod grouping;
mod job;
mod make_engine;
mod mend;
mod metrics;
mod observer;
mod run;
mod setup;
mod streams;
mod validation;
mod warning;

pub use checkpoint::{CheckpointError, Flaw};
pub use column_error::ColumnError;
pub use make_engine::MakeEngine;
pub use mend::{Mended, mend};
pub use metrics::MetricsError;
pub use observer::{Event, Observer};
pub use run::{RunError, Summary, clean_finished, run};
pub use setup::{Clock, Setup, StudyDigits};
pub use warning::Warning;

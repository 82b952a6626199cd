#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod canvas;
mod checkpoint;
mod column;
mod finished;
mod group;
mod groups;
mod ledger;
mod metrics;
mod observer;
mod predict;
mod run;
mod setup;
mod streams;
mod stretch;
mod validation;

pub use checkpoint::{CheckpointError, Flaw};
pub use column::ColumnError;
pub use finished::{FinishedError, predict_finished};
pub use metrics::{EpochRecord, MetricsError};
pub use observer::{Event, Observer};
pub use predict::PredictError;
pub use run::{MakeEngine, RunError, Summary, clean_finished, run};
pub use setup::{Clock, Provenance, Setup, StudyDigits};

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column_id;
mod config;
mod config_error;
mod data_set;
mod difference;
mod distortion;
mod error;
mod finished;
mod folder;
mod format;
mod json;
mod learning_rate;
mod lock;
mod manifest;
mod metrics;
mod optimizer;
mod probabilities;
mod provenance;
mod record;
mod schema;
mod sealed;
mod study;
mod whole_file;
mod widths;

pub use column_id::{ColumnId, ColumnIdError};
pub use config_error::{ConfigError, ConfigProblem};
pub use data_set::DataSet;
pub use difference::Difference;
pub use distortion::AnnealedDistortion;
pub use error::StudyError;
pub use finished::{FinishedColumn, Predictions};
pub use folder::{ColumnFolder, ResultsFolder};
pub use learning_rate::{LearningRate, RunLength};
pub use lock::FolderLock;
pub use manifest::{DataFile, MANIFEST_SCHEMA, Manifest};
pub use metrics::{EpochRecord, read_metrics};
pub use probabilities::{N_CLASSES, read_probabilities, write_probabilities};
pub use provenance::{Kind, Provenance, TrainingRun, kinds};
pub use record::{ColumnRecord, RECORD_SCHEMA};
pub use schema::schema_json;
pub use sealed::{BrokenSeal, seal, sha256_hex, unseal};
pub use study::{CONFIG_SCHEMA, Study};
pub use whole_file::write_whole;

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod column_id;
mod config_error;
mod error;
mod folder;
mod json;
mod learning_rate;
mod lock;
mod manifest;
mod probabilities;
mod raw;
mod schema;
mod study;
mod weights;
mod whole_file;

pub use column_id::{ColumnId, ColumnIdError};
pub use config_error::{ConfigError, ConfigProblem};
pub use error::StudyError;
pub use folder::{ColumnFolder, ResultsFolder};
pub use learning_rate::{LearningRate, RunLength};
pub use lock::FolderLock;
pub use manifest::{DataFile, MANIFEST_SCHEMA, Manifest};
pub use probabilities::{N_CLASSES, read_probabilities, write_probabilities};
pub use schema::schema_json;
pub use study::{AnnealedDistortion, CONFIG_SCHEMA, DataSet, Study};
pub use whole_file::write_whole;

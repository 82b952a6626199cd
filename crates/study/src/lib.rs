#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column_id;
mod config;
mod config_error;
mod data_set;
mod difference;
mod distortion;
mod error;
mod folder;
mod json;
mod learning_rate;
mod lock;
mod manifest;
mod optimizer;
mod probabilities;
mod schema;
mod study;
mod weights;
mod whole_file;
mod widths;

pub use column_id::{ColumnId, ColumnIdError};
pub use config_error::{ConfigError, ConfigProblem};
pub use data_set::DataSet;
pub use difference::Difference;
pub use distortion::AnnealedDistortion;
pub use error::StudyError;
pub use folder::{ColumnFolder, ResultsFolder};
pub use learning_rate::{LearningRate, RunLength};
pub use lock::FolderLock;
pub use manifest::{DataFile, MANIFEST_SCHEMA, Manifest};
pub use probabilities::{N_CLASSES, read_probabilities, write_probabilities};
pub use schema::schema_json;
pub use study::{CONFIG_SCHEMA, Study};
pub use whole_file::write_whole;

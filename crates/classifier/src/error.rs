//! Why a study does not answer.

use std::path::PathBuf;

use ciresan_net::EngineError;
use committee::ProbabilitiesProblem;
use study::{ColumnId, StudyError};
use thiserror::Error;

use crate::image::ImageError;
use crate::predict::PredictError;

/// Why a results folder is no classifier.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No study is in the folder.
    #[error("{path}: not the results folder of a study: it has no study.json")]
    NoStudy {
        /// The results folder.
        path: PathBuf,
    },
    /// None of the study's columns is finished.
    #[error("{path}: none of the study's {n_columns} columns is finished")]
    NoColumn {
        /// The results folder.
        path: PathBuf,
        /// Columns of the study.
        n_columns: usize,
    },
    /// A file of the study that cannot be read, is damaged, or is another study's.
    #[error(transparent)]
    Study(#[from] Box<StudyError>),
    /// The engine does not take the column.
    #[error("column {column}: {problem}")]
    Engine {
        /// The column.
        column: ColumnId,
        /// What is wrong.
        problem: EngineError,
    },
}

/// Why images cannot be classified. None of them is then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// An image that is no digit; of several the first.
    #[error("image {index}: {problem}")]
    Image {
        /// Its index among the images given, from 0.
        index: usize,
        /// What is wrong with it.
        problem: ImageError,
    },
    /// A column cannot be applied.
    #[error("column {column}: {problem}")]
    Predict {
        /// The column.
        column: ColumnId,
        /// What is wrong.
        problem: PredictError,
    },
    /// What a column says is no distribution: its weights are so large that its sums are not finite. Rows are images.
    #[error("column {column}: {problem}")]
    Probabilities {
        /// The column.
        column: ColumnId,
        /// What is wrong.
        problem: ProbabilitiesProblem,
    },
}

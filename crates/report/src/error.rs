//! Why there is no report.

use std::path::PathBuf;

use committee::CommitteeError;
use preprocess::Width;
use study::StudyError;

/// Errors of this crate. As in `study`, the message holds the whole reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The folder's manifest or a column's file.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// Columns and labels that do not fit together.
    #[error("{path}: {error}")]
    Committee {
        /// The results folder.
        path: PathBuf,
        /// What does not fit.
        error: CommitteeError,
    },
    /// No `study.json`.
    #[error("{path}: no study.json in this folder, so it holds no study")]
    NoStudy {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing to report on yet.
    #[error("{path}: none of {n_columns} columns is finished, expected at least one")]
    NothingFinished {
        /// The results folder.
        path: PathBuf,
        /// Columns that were looked for.
        n_columns: usize,
    },
    /// A width that the study does not have.
    #[error("{path}: no width {got} in this study, expected some of {}", list(known))]
    Width {
        /// The results folder.
        path: PathBuf,
        /// The width asked for.
        got: Width,
        /// The study's widths.
        known: Vec<Width>,
    },
    /// No width at all was asked for.
    #[error("{path}: no widths chosen, expected some of {}", list(known))]
    NoWidths {
        /// The results folder.
        path: PathBuf,
        /// The study's widths.
        known: Vec<Width>,
    },
    /// A `committee.json` that cannot be read.
    #[error("{path}: {reason}")]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl ReportError {
    /// Whether the caller asked for something wrong (exit code 2) and not something failed (exit code 1).
    #[must_use]
    pub fn is_wrong_usage(&self) -> bool {
        match self {
            Self::Study(error) => error.is_wrong_usage(),
            Self::NoStudy { .. } | Self::Width { .. } | Self::NoWidths { .. } => true,
            Self::Committee { .. } | Self::NothingFinished { .. } | Self::Summary { .. } => false,
        }
    }
}

fn list(widths: &[Width]) -> String {
    widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

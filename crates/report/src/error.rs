//! Why there is no report.

use std::path::PathBuf;

use crate::markdown::format::list;
use committee::CommitteeError;
use preprocess::Width;
use study::{ColumnId, StudyError};

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
    #[error("{path}: not the results folder of a study: it has no study.json")]
    NoStudy {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing to report on yet.
    #[error("{path}: none of the {n_columns} columns is finished; at least one is needed")]
    NothingFinished {
        /// The results folder.
        path: PathBuf,
        /// Columns that were looked for.
        n_columns: usize,
    },
    /// A width that the study does not have.
    #[error("{path}: this study has no width {got}; it has {}", list(known))]
    Width {
        /// The results folder.
        path: PathBuf,
        /// The width asked for.
        got: Width,
        /// The study's widths.
        known: Vec<Width>,
    },
    /// A column that the study does not have.
    #[error(
        "{path}: this study has no column {got}; it has numbers 1 to {columns_per_width} of the widths {}",
        list(known)
    )]
    Column {
        /// The results folder.
        path: PathBuf,
        /// The column asked for.
        got: ColumnId,
        /// The study's widths.
        known: Vec<Width>,
        /// Columns of each.
        columns_per_width: u16,
    },
    /// A column that was asked for by name.
    #[error("{path}: column {column} is not finished")]
    NotFinished {
        /// The results folder.
        path: PathBuf,
        /// The column.
        column: ColumnId,
    },
    /// The weighted mean without validation errors to weigh by.
    #[error(
        "{path}: no weights for a weighted mean: it needs each column's error on held-out training digits, \
         which only a study with \"validation\" above 0 has"
    )]
    NoWeights {
        /// The results folder.
        path: PathBuf,
    },
    /// A column's metrics that cannot be read.
    #[error("{path}: {reason}")]
    Metrics {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nothing at all was asked for.
    #[error("{path}: no widths chosen; the study has {}", list(known))]
    NoWidths {
        /// The results folder.
        path: PathBuf,
        /// The study's widths.
        known: Vec<Width>,
    },
    /// Digits that the probabilities are not of.
    #[error(
        "{path}: probabilities of {want} digits, but the data set has {got}: they belong to another data set"
    )]
    Digits {
        /// The results folder.
        path: PathBuf,
        /// Test digits at hand.
        got: usize,
        /// Rows of the probabilities.
        want: usize,
    },
    /// A figure that could not be drawn.
    #[error("the figure {name}: {reason}")]
    Figure {
        /// Its name.
        name: &'static str,
        /// What the plotting library says.
        reason: String,
    },
    /// No font to draw PNGs with.
    #[error(
        "no font is installed, and PNG figures need one: install one (such as the package fonts-dejavu-core) or leave out --png"
    )]
    NoFont,
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
            Self::NoStudy { .. } | Self::Width { .. } | Self::NoWidths { .. } | Self::Column { .. } => true,
            Self::NoWeights { .. } => true,
            Self::Committee { .. } | Self::NothingFinished { .. } | Self::NotFinished { .. } => false,
            Self::Metrics { .. } | Self::Digits { .. } => false,
            Self::Figure { .. } | Self::NoFont | Self::Summary { .. } => false,
        }
    }
}

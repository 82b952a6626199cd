//! Why a column cannot go on.

use std::io;
use std::path::PathBuf;

use ciresan_net::EngineError;
use classifier::PredictError;
use preprocess::PreprocessError;
use study::StudyError;
use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::metrics::MetricsError;

/// Why a column cannot go on. Its last checkpoint stays, and the other columns train on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// Training has diverged. [`study::ColumnFolder::diverged`] names the step's images, so that it can be repeated from the checkpoint.
    #[error(
        "{what} is {got} in epoch {epoch}, step {step}, at a learning rate of {learning_rate}: \
         try a smaller learning rate; `diverged.json` in the column's folder has the images of the step"
    )]
    NotFinite {
        /// `"loss"` or `"update ratio"`.
        what: &'static str,
        /// What came instead of a finite number.
        got: f64,
        /// The epoch, counted from 1.
        epoch: u32,
        /// The step in that epoch, counted from 1.
        step: u32,
        /// The learning rate of the step.
        learning_rate: f32,
    },
    /// The checkpoint cannot be read or used.
    #[error("{0}; delete the checkpoints in this folder to train the column anew")]
    Checkpoint(#[from] CheckpointError),
    /// The metrics cannot be kept.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Checkpoint, weights, predictions or record cannot be written.
    #[error(transparent)]
    Results(#[from] Box<StudyError>),
    /// The checkpoint of a finished column cannot be deleted.
    #[error("{path}: cannot delete the checkpoint of a finished column: {reason}")]
    Remove {
        /// The checkpoint.
        path: PathBuf,
        /// The reason.
        reason: io::Error,
    },
    /// Lost predictions of test digits that this run leaves unread.
    #[error(
        "{path}: missing or damaged, and this run does not read the test digits; `--test` computes the predictions again from the weights"
    )]
    Unread {
        /// The file of predictions.
        path: PathBuf,
    },
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The weights are not finite: the last step went too far.
    #[error("its weights cannot be stored: {0}; try a smaller learning rate")]
    Weights(#[from] ciresan_net::WeightsError),
    /// A digit cannot be made the network's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Digits cannot be predicted.
    #[error(transparent)]
    Predict(#[from] PredictError),
}

impl ColumnError {
    /// Whether training has diverged: the cause is the recipe, not the machine.
    #[must_use]
    pub fn is_divergence(&self) -> bool {
        matches!(self, Self::NotFinite { .. } | Self::Weights(_))
    }

    /// Whether a file could not be written for want of space, the user's own share of it included.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let reason = match self {
            Self::Metrics(MetricsError::Io { reason, .. }) => reason,
            Self::Results(error) | Self::Metrics(MetricsError::Results(error)) => match &**error {
                StudyError::Io { reason, .. } => reason,
                _ => return false,
            },
            _ => return false,
        };
        matches!(reason.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether another process has taken over the column and continues it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let Self::Results(error) = self else { return false };
        matches!(**error, StudyError::Lost { .. })
    }
}

impl From<StudyError> for ColumnError {
    fn from(error: StudyError) -> Self {
        Self::Results(Box::new(error))
    }
}

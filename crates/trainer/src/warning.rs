//! Damage that does not stop a column.

use std::path::PathBuf;

use thiserror::Error;

use crate::checkpoint::CheckpointError;

/// Damage that costs time or records, but no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Warning {
    /// The last checkpoint cannot be used, and the one before can.
    #[error("{error}: training resumes from the previous checkpoint, after epoch {epoch}")]
    Checkpoint {
        /// What is wrong with the last one.
        error: CheckpointError,
        /// Complete epochs of the one before.
        epoch: u32,
    },
    /// An earlier run trained the column on something that rounds differently.
    #[error(
        "it was started on {before} and resumes on {now}, which rounds differently: its bits will match neither"
    )]
    OtherKind {
        /// What the earlier run computed with.
        before: String,
        /// What this one computes with.
        now: String,
    },
    /// Lines of epochs that are behind the column are missing from its metrics.
    #[error(
        "{path}: {missing} of {epochs} lines (one per epoch) are missing or damaged; training resumes without them"
    )]
    MetricsMissing {
        /// The metrics.
        path: PathBuf,
        /// Lines that are not there.
        missing: u32,
        /// Epochs that should have one.
        epochs: u32,
    },
    /// The metrics are whole lines, but not those that were written.
    #[error(
        "{path}: a line was changed after it was written; training resumes and leaves the line unchanged"
    )]
    MetricsAltered {
        /// The metrics.
        path: PathBuf,
    },
}

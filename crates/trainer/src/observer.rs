//! What a run tells while it works. The library prints nothing: whoever calls it listens.

use std::path::PathBuf;

use study::{ColumnId, EpochRecord};
use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::column::ColumnError;

/// Something that happened in a run. Workers and epochs: workers count from 0, epochs from 1.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A worker begins a column; those of a group one after the other, before the first step.
    ColumnStarted {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
        /// Complete epochs of earlier runs.
        epochs_done: u32,
        /// Images of the run that earlier runs have trained.
        images_done: u64,
    },
    /// Something of a column is damaged, and it trains on without.
    Warned {
        /// The column.
        column: ColumnId,
        /// What is damaged, and what is done about it.
        warning: &'a Warning,
    },
    /// A column has made a training step.
    Step {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
        /// The epoch of the step.
        epoch: u32,
        /// Images of the batch.
        n_images: usize,
        /// Mean cross-entropy of the epoch's images up to here, in nats.
        mean_loss: f64,
    },
    /// A column has finished an epoch; its line stands in the metrics, and its checkpoint is saved.
    EpochFinished {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
        /// The line.
        record: &'a EpochRecord,
    },
    /// A column is finished: its predictions are stored.
    ColumnFinished {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
    },
    /// A column was interrupted and saved.
    ColumnStopped {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
    },
    /// A column cannot go on; the others do.
    ColumnFailed {
        /// The worker.
        worker: usize,
        /// The column.
        column: ColumnId,
        /// Why.
        error: &'a ColumnError,
    },
}

/// Damage that costs time or records, but no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Warning {
    /// The last checkpoint cannot be used, and the one before can.
    #[error("{error}: training resumes from the checkpoint before it, after epoch {epoch}")]
    Checkpoint {
        /// What is wrong with the last one.
        error: CheckpointError,
        /// Complete epochs of the one before.
        epoch: u32,
    },
    /// An earlier run trained the column on something that rounds differently.
    #[error(
        "it was begun on {before}, and training resumes on {now}, which rounds differently: its bits are of neither"
    )]
    OtherKind {
        /// What the earlier run computed with.
        before: String,
        /// What this one computes with.
        now: String,
    },
    /// Lines of epochs that are behind the column are missing from its metrics.
    #[error(
        "{path}: the lines of {missing} of {epochs} epochs are lost or damaged; training resumes without them"
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
        "{path}: a line has been altered since it was written; training resumes, and the line stays as it is"
    )]
    MetricsAltered {
        /// The metrics.
        path: PathBuf,
    },
}

/// Listens to a run, from all its workers at once.
pub trait Observer: Sync {
    /// Called for every event, on the worker's thread: it should return soon.
    fn observe(&self, event: &Event<'_>);
}

/// Hears nothing.
impl Observer for () {
    fn observe(&self, _: &Event<'_>) {}
}

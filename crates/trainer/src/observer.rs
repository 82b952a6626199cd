//! The events of a run. The library prints nothing; the caller observes.

use study::{ColumnId, EpochRecord};

use crate::column_error::ColumnError;
use crate::warning::Warning;

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
        /// Epochs that it trained, those of earlier runs included: with early stopping perhaps fewer than the study's.
        epochs: u32,
        /// With early stopping: the epoch whose weights it has.
        kept_epoch: Option<u32>,
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

/// Listens to a run, from all its workers at once.
pub trait Observer: Sync {
    /// Called for every event, on the worker's thread: it should return soon.
    fn observe(&self, event: &Event<'_>);
}

/// Hears nothing.
impl Observer for () {
    fn observe(&self, _: &Event<'_>) {}
}

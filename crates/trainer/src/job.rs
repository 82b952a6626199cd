//! A worker's job: what a group and its columns need to know, and the observer.

use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::ArrayView3;
use preprocess::{PreprocessError, Width};
use study::{ColumnId, RunLength};

use crate::canvas::Canvases;
use crate::column_error::ColumnError;
use crate::observer::{Event, Observer};
use crate::setup::Setup;

/// How far the training of a column came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The column's files are complete.
    Finished {
        /// Epochs that it trained.
        epochs: u32,
        /// With early stopping: the epoch whose weights it has, counted from 1.
        kept_epoch: Option<u32>,
    },
    /// The stop flag was set; a checkpoint is saved.
    Stopped,
}

/// A worker's job: what a group needs to know, and the observer.
pub(crate) struct Job<'a, 'setup> {
    pub(crate) setup: &'a Setup<'setup>,
    pub(crate) config_hash: &'a str,
    /// Counted from 0.
    pub(crate) worker: usize,
    pub(crate) observer: &'a dyn Observer,
    /// Set when a column could not be written for want of space: no other could be.
    pub(crate) disk_full: &'a AtomicBool,
    /// Takes what came of each column, once.
    pub(crate) ended: &'a (dyn Fn(ColumnId, Result<Outcome, ColumnError>) + Sync),
}

impl Job<'_, '_> {
    /// How long each column trains.
    pub(crate) fn run_length(&self) -> RunLength {
        let Setup { study, digits, .. } = self.setup;
        // Fewer than 2^32 digits: `run` refuses more before any column begins.
        RunLength::new(study.epochs, digits.training.len() as u32, study.batch)
    }

    pub(crate) fn classes(&self) -> usize {
        self.setup.study.network.classes()
    }

    /// Images of the first `n_steps` batches of an epoch, of which the last may be smaller.
    pub(crate) fn images_in_epoch(&self, n_steps: u32) -> u64 {
        let full = u64::from(n_steps) * u64::from(self.setup.study.batch);
        full.min(self.setup.digits.training.len() as u64)
    }

    pub(crate) fn normalize(
        &self,
        images: ArrayView3<'_, u8>,
        width: Width,
    ) -> Result<Canvases, PreprocessError> {
        let input = self.setup.study.network.input();
        Canvases::normalize(images, width, [input.height, input.width])
    }

    /// The time by the calendar: RFC 3339, UTC.
    pub(crate) fn now(&self) -> String {
        let now = self.setup.started + (self.setup.clock)();
        humantime::format_rfc3339_seconds(now).to_string()
    }

    pub(crate) fn stopping(&self) -> bool {
        self.setup.stop.load(Ordering::Relaxed) || self.disk_full.load(Ordering::Relaxed)
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        self.observer.observe(&event);
    }
}

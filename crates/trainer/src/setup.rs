//! The input of a run.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use mnist_data::{DigitsView, TestDigits};
use ndarray::ArrayView3;
use study::{ColumnId, DataFile, Predictions, Provenance, ResultsFolder, Study, StudyError};

use crate::observer::Observer;

/// The time since any fixed moment; handed in, because the library reads no clock.
pub type Clock<'a> = &'a (dyn Fn() -> Duration + Sync);

/// Time that adds up over runs.
pub(crate) struct Stopwatch<'a> {
    clock: Clock<'a>,
    begun: Duration,
    before: Duration,
}

impl<'a> Stopwatch<'a> {
    /// Goes on from `before`, the time of earlier runs.
    pub(crate) fn start(clock: Clock<'a>, before: Duration) -> Self {
        Self { clock, begun: clock(), before }
    }

    /// The time up to now, that of earlier runs included.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before + (self.clock)().saturating_sub(self.begun)
    }
}

/// Seconds to three decimals, as results files have them.
pub(crate) fn whole_ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

/// What to train, where, and with how much of the machine.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// The study.
    pub study: &'a Study,
    /// Its results folder, which exists.
    pub folder: &'a ResultsFolder,
    /// Called before each write to a column's folder, which other processes keep away from while the caller holds the column:
    /// an error, which says that it no longer does, ends the column unwritten.
    pub may_write: &'a (dyn Fn(ColumnId) -> Result<(), StudyError> + Sync),
    /// The columns to train, in this order; finished ones must not be among them.
    pub columns: &'a [ColumnId],
    /// The study's digits.
    pub digits: StudyDigits<'a>,
    /// Groups of columns trained side by side; no result depends on it.
    pub workers: NonZeroUsize,
    /// Most columns of a group, which one engine trains in lockstep. No result depends on it where
    /// [`Engine`](ciresan_net::Engine) promises equal bits: on a CPU.
    pub group: NonZeroUsize,
    /// Threads in all; those that are no workers help to prepare batches. At least `workers` are made.
    pub threads: NonZeroUsize,
    /// The files of its digits with their hashes, for the manifest.
    pub data: &'a [DataFile],
    /// The program and its machine, for the columns' records.
    pub provenance: &'a Provenance,
    /// When `clock` was at zero, for the columns' records.
    pub started: SystemTime,
    /// When set, every worker saves its columns after the current step and starts no others.
    pub stop: &'a AtomicBool,
    /// For speeds and times spent; no result depends on it.
    pub clock: Clock<'a>,
    /// Told of everything that happens.
    pub observer: &'a dyn Observer,
}

/// The digits of a study. Training takes views of training digits; the test digits have a type of their own, which only
/// prediction takes.
#[derive(Debug, Clone, Copy)]
pub struct StudyDigits<'a> {
    /// Digits that the columns train on.
    pub training: DigitsView<'a>,
    /// Training digits held out, on which each epoch's error is measured; may be empty.
    pub validation: DigitsView<'a>,
    /// Digits whose probabilities are stored at the end; `None` leaves the test set unread.
    pub test: Option<&'a TestDigits>,
}

impl<'a> StudyDigits<'a> {
    /// The pictures of the digits that some predictions are about; `None` for test digits that are left unread.
    pub(crate) fn images(&self, which: Predictions, study: &Study) -> Option<ArrayView3<'a, u8>> {
        match which.digits(study) {
            Predictions::HeldOut => Some(self.validation.images()),
            _ => self.test.map(TestDigits::images),
        }
    }
}

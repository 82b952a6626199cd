//! A run: the columns of a study, shared out among workers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Duration;

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use study::{ColumnId, ColumnRecord, Manifest, ResultsFolder, RunLength, StudyError};
use thiserror::Error;

use crate::column;
use crate::column_error::ColumnError;
use crate::job::{Job, Outcome};
use crate::make_engine::MakeEngine;
use crate::observer::{Event, Observer};
use crate::setup::Setup;
use crate::{group, grouping};

/// What came of a run. Columns stand in the order of [`Setup::columns`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Columns that are finished now.
    pub finished: Vec<ColumnId>,
    /// Columns that were interrupted and saved.
    pub stopped: Vec<ColumnId>,
    /// Columns that were not begun because of the interruption, or of a full disk.
    pub waiting: Vec<ColumnId>,
    /// Columns that cannot go on.
    pub failed: Vec<(ColumnId, ColumnError)>,
    /// Epochs finished in this run, over all columns.
    pub epochs: u32,
    /// Images trained in this run, over all columns.
    pub images: u64,
    /// From the first column's start to the last one's end: preparation, prediction and saving included.
    pub wall: Duration,
}

impl Summary {
    /// Images trained a second of wall time, over all workers.
    #[must_use]
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

/// Why a run could not begin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// No digits, or more than a u32 can count.
    #[error("{got} training digits, expected 1 to {}", u32::MAX)]
    Digits {
        /// Training digits that are not held out.
        got: usize,
    },
    /// The manifest cannot be read or written.
    #[error(transparent)]
    Results(#[from] Box<StudyError>),
    /// The operating system gives no threads.
    #[error("cannot start {n_threads} threads: {reason}")]
    Threads {
        /// Threads asked for.
        n_threads: usize,
        /// The reason.
        reason: ThreadPoolBuildError,
    },
}

/// Trains columns until all are finished or failed, the stop flag is set, or one finds the disk full, where no other would fare
/// better: the others are then saved as if the flag were set, as far as there is room.
///
/// Every worker trains one group of columns at a time, in lockstep, and takes the next from a queue. What a column
/// becomes depends on the study and the column alone, where the engine promises that: not on workers, groups and
/// threads, nor on how often its training was interrupted.
///
/// # Errors
/// When there are no digits, threads cannot be had, or the manifest cannot be written. What befalls a column is in the [`Summary`].
pub fn run<M: MakeEngine>(setup: &Setup<'_>, make: &M) -> Result<Summary, RunError> {
    let run_length = check(setup)?;
    let config_hash = setup.study.hash();
    let groups = grouping::form(setup, &config_hash, run_length);
    let n_workers = setup.workers.get().min(groups.len()).max(1);
    let n_threads = setup.threads.get().max(n_workers);
    let pool = ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .thread_name(|thread| format!("trainer-{thread}"))
        .build()
        .map_err(|reason| RunError::Threads { n_threads, reason })?;

    let counter = Counter { inner: setup.observer, epochs: AtomicU32::new(0), images: AtomicU64::new(0) };
    let begun = (setup.clock)();
    if setup.folder.adopt(setup.study).map_err(Box::new)?.is_none() {
        setup.folder.write_manifest(&Manifest::new(setup.study, setup.data)).map_err(Box::new)?;
    }
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let disk_full = AtomicBool::new(false);
    // No worker starts before all are here: one that still helped another could otherwise find its own group's training
    // as the next job while it waits, and the other would wait for all of it.
    let start = Barrier::new(n_workers);
    pool.broadcast(|thread| {
        let worker = thread.index();
        if worker >= n_workers {
            return; // idle from now on: takes the batches that workers offer
        }
        start.wait();
        let ended = |column, outcome| {
            counter.observe(&match &outcome {
                &Ok(Outcome::Finished { epochs, kept_epoch }) => {
                    Event::ColumnFinished { worker, column, epochs, kept_epoch }
                }
                Ok(Outcome::Stopped) => Event::ColumnStopped { worker, column },
                Err(error) => Event::ColumnFailed { worker, column, error },
            });
            if outcome.as_ref().is_err_and(ColumnError::is_disk_full) {
                disk_full.store(true, Ordering::Relaxed);
            }
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((column, outcome));
        };
        let (config_hash, disk_full) = (&config_hash, &disk_full);
        let job = Job { setup, config_hash, worker, observer: &counter, disk_full, ended: &ended };
        while !job.stopping() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(columns) = groups.get(index) else { break };
            group::train(&job, columns, make);
        }
    });
    let wall = (setup.clock)().saturating_sub(begun);
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(summary(setup.columns, outcomes, &counter, wall))
}

/// How long each column trains, which a `u32` must be able to count.
fn check(setup: &Setup<'_>) -> Result<RunLength, RunError> {
    let got = setup.digits.training.len();
    match u32::try_from(got) {
        Ok(n_images @ 1..) => Ok(RunLength::new(setup.study.epochs, n_images, setup.study.batch)),
        _ => Err(RunError::Digits { got }),
    }
}

fn summary(
    columns: &[ColumnId],
    outcomes: Vec<(ColumnId, Result<Outcome, ColumnError>)>,
    counter: &Counter<'_>,
    wall: Duration,
) -> Summary {
    let mut summary = Summary {
        finished: Vec::new(),
        stopped: Vec::new(),
        waiting: Vec::new(),
        failed: Vec::new(),
        epochs: counter.epochs.load(Ordering::Relaxed),
        images: counter.images.load(Ordering::Relaxed),
        wall,
    };
    let mut outcomes: HashMap<_, _> = outcomes.into_iter().collect();
    for &column in columns {
        match outcomes.remove(&column) {
            Some(Ok(Outcome::Finished { .. })) => summary.finished.push(column),
            Some(Ok(Outcome::Stopped)) => summary.stopped.push(column),
            Some(Err(error)) => summary.failed.push((column, error)),
            None => summary.waiting.push(column),
        }
    }
    summary
}

/// Does what a crash at the very end of a column left undone: deletes the checkpoints of those of these columns that are finished.
/// Columns that were finished by a program before there were records get one. The caller holds the columns.
///
/// # Errors
/// [`ColumnError::Results`] when the manifest or a record cannot be read or written, [`ColumnError::Remove`] with the path
/// of the first checkpoint that cannot be deleted.
pub fn clean_finished(folder: &ResultsFolder, columns: &[ColumnId]) -> Result<(), ColumnError> {
    let Some(manifest) = folder.manifest()? else { return Ok(()) };
    let [finished, _] = folder.split(columns)?;
    for id in finished {
        let files = folder.column(&id);
        if !files.record().exists() {
            let record = folder.finished_column(&manifest, id)?.record().clone();
            files.write_record(&ColumnRecord { files: files.checksums()?, ..record })?;
        }
        column::remove_unfinished(&files)?;
    }
    Ok(())
}

/// Counts what a run does on its way to the caller's observer.
struct Counter<'a> {
    inner: &'a dyn Observer,
    epochs: AtomicU32,
    images: AtomicU64,
}

impl Observer for Counter<'_> {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Step { n_images, .. } => {
                self.images.fetch_add(*n_images as u64, Ordering::Relaxed);
            }
            Event::EpochFinished { .. } => {
                self.epochs.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        self.inner.observe(event);
    }
}

//! The columns of a study, trained in this process: what it says meanwhile, and on what machine.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use study::{ColumnId, ColumnLocks, Provenance, ResultsFolder, Study};
use trainer::{ColumnError, Mended, Observer, Setup, StudyDigits, Summary};

use self::machine::Machine;
pub(crate) use self::machine::Wanted;
use crate::app::App;
use crate::device::Device;
use crate::digits::Digits;
use crate::numbers::{count, duration, list, thousands};
use crate::plan::{Plan, rounded};
use crate::terminal::Terminal;

mod bars;
mod lines;
mod machine;
mod outlook;
mod provenance;

/// What to train, where to, and with what.
pub(crate) struct Job<'a> {
    pub(crate) study: &'a Study,
    pub(crate) folder: &'a ResultsFolder,
    /// On all columns that are asked for.
    pub(crate) locks: &'a ColumnLocks,
    /// Set by signals, where the caller listens for them already.
    pub(crate) stop: Option<Arc<AtomicBool>>,
    /// The columns that are asked for and finished, in training order.
    pub(crate) finished: &'a [ColumnId],
    /// Those that are not finished, in training order.
    pub(crate) unfinished: &'a [ColumnId],
    /// Whether the test digits are predicted though training digits are held out.
    pub(crate) test: bool,
    pub(crate) digits: &'a Digits,
    pub(crate) wanted: Wanted,
    /// Whether neither plan nor progress is told.
    pub(crate) is_quiet: bool,
}

/// How a run ended that did not fail as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Every column asked for is finished.
    Finished,
    /// A signal asked for the end; what was trained is saved.
    Interrupted,
    /// Some columns failed; stderr has said which and why.
    Failed,
    /// As [`Failed`](Self::Failed), but only because losses were not finite: the cause is the recipe.
    Diverged,
    /// As [`Failed`](Self::Failed), but only because other processes have taken columns over, and train them.
    TakenOver,
}

/// Makes predictions of finished columns that are missing or damaged from their weights, then trains until every column is finished or has
/// failed, or a signal comes.
///
/// # Errors
/// When there is no such machine, or the run cannot begin.
pub(crate) fn train(job: &Job<'_>, app: &App) -> Result<End> {
    let Job { study, folder, locks, unfinished, digits, .. } = *job;
    let terminal = &app.terminal;
    let machine = Machine::choose(job.wanted, study, unfinished.len().max(1))?;
    let (training, validation) = digits.data.train.hold_out(study.validation as usize)?;
    let reads_test = job.test || study.validation == 0;
    let test = reads_test.then_some(&digits.data.test);

    let workers = machine.workers;
    let provenance = provenance::provenance(&machine);
    note_other_engine(job, &provenance, terminal)?;
    let stop = match &job.stop {
        Some(stop) => Arc::clone(stop),
        None => listen(app)?,
    };
    if !job.is_quiet && !unfinished.is_empty() {
        let plan = plan(study, unfinished, job.finished.len(), training.len());
        terminal.fitted_note(format_args!("{plan}\nengine    {machine}"));
    }
    let observer: Box<dyn Observer + '_> = if job.is_quiet {
        Box::new(lines::ErrorsOnly { terminal })
    } else if terminal.is_interactive() {
        Box::new(bars::Bars::new(study, unfinished.len(), workers))
    } else {
        Box::new(lines::Lines::new(study, unfinished.len(), terminal))
    };
    let started = Instant::now();
    let setup = Setup {
        study,
        folder,
        may_write: &|column| locks.confirm(column),
        columns: unfinished,
        digits: StudyDigits { training, validation, test },
        workers,
        group: machine.group,
        threads: machine.threads,
        data: &digits.files,
        provenance: &provenance,
        started: SystemTime::now(),
        stop: &stop,
        clock: &|| started.elapsed(),
        observer: observer.as_ref(),
    };
    let mended = match folder.manifest()? {
        Some(manifest) => machine.mend(&Setup { columns: job.finished, ..setup }, &manifest),
        None => Vec::new(),
    };
    say_mended(&mended, terminal);
    let mut errors: Vec<ColumnError> = mended.into_iter().filter_map(|(_, mended)| mended.err()).collect();
    let mut is_complete = true;
    if !unfinished.is_empty() {
        let summary = machine.run(&setup).with_context(|| format!("study {}", study.name))?;
        drop(observer); // clears the bars
        is_complete = conclude(job, &summary, workers, terminal);
        errors.extend(summary.failed.into_iter().map(|(_, error)| error));
    }
    // A failure is no interruption, though a signal came as well: the same command would fail again.
    Ok(if is_complete && errors.is_empty() {
        End::Finished
    } else if errors.is_empty() {
        End::Interrupted
    } else if errors.iter().all(ColumnError::is_lost) {
        End::TakenOver
    } else if errors.iter().all(ColumnError::is_divergence) {
        End::Diverged
    } else {
        End::Failed
    })
}

/// From now on signals set the flag that this returns, and no longer end the program.
pub(crate) fn listen(app: &App) -> Result<Arc<AtomicBool>> {
    (app.listen)().context("cannot listen for signals")
}

/// Says which finished columns had to be mended, and which could not be.
fn say_mended(mended: &[(ColumnId, Mended)], terminal: &Terminal) {
    for (column, mended) in mended {
        match mended {
            Ok(true) => terminal.note(format_args!(
                "{column:<11} predictions were missing or damaged; computed again from the weights"
            )),
            Ok(false) => {}
            Err(error) => terminal.note(format_args!("error: column {column}: {error}")),
        }
    }
}

/// Says so where finished columns were trained by another engine or instruction set, which rounds differently: the study's
/// results are then not those of either alone, bit for bit.
fn note_other_engine(job: &Job<'_>, provenance: &Provenance, terminal: &Terminal) -> Result<()> {
    let Some(manifest) = job.folder.manifest()? else { return Ok(()) };
    let columns = job.finished.iter().filter_map(|id| job.folder.finished_column(&manifest, *id).ok());
    let kinds: Vec<String> = columns.map(|column| column.record().kind()).collect();
    let kind = provenance.kind();
    if let Some(before) = kinds.iter().find(|before| **before != kind)
        && !job.unfinished.is_empty()
    {
        terminal.note(format_args!(
            "note: some columns of this study were trained on {before}. The others will be trained on {kind}, which rounds \
             differently. The study will be a mixture."
        ));
    }
    Ok(())
}

/// `to train  4 columns (w14-1, …); 8 epochs of 60,000 digits each`
fn plan(study: &Study, unfinished: &[ColumnId], n_finished: usize, n_images: usize) -> String {
    let at_most = if study.early_stopping.is_some() { "at most " } else { "" };
    let done = if n_finished > 0 { format!(", {n_finished} finished before") } else { String::new() };
    format!(
        "to train  {} ({}){done}; {at_most}{} of {} digits each",
        count(unfinished.len(), "column"),
        list(unfinished.iter()),
        count(study.epochs as usize, "epoch"),
        thousands(n_images as u64),
    )
}

/// Says how it went: what failed, what was saved, and the closing line. Returns whether every column is finished.
fn conclude(job: &Job<'_>, summary: &Summary, workers: NonZeroUsize, terminal: &Terminal) -> bool {
    let study = job.study;
    if !summary.failed.is_empty() {
        // Each has said why when it failed.
        let n_columns =
            count(summary.failed.len() + summary.finished.len() + summary.stopped.len(), "column");
        let failed = list(summary.failed.iter().map(|(column, _)| column));
        terminal.note(format_args!("error: {} of {n_columns} failed: {failed}", summary.failed.len()));
    }
    if summary.epochs > 0 || !summary.finished.is_empty() {
        let distorted = if study.distortion.is_some() { "distortion included" } else { "no distortion" };
        terminal.note(format_args!(
            "trained {}, {} in {}: {} images a second on {} ({distorted})",
            count(summary.finished.len(), "column"),
            count(summary.epochs as usize, "epoch"),
            duration(summary.wall),
            thousands(summary.images_per_second().round() as u64),
            count(workers.get(), "worker"),
        ));
    }
    if !summary.stopped.is_empty() || !summary.waiting.is_empty() {
        let n_asked = job.finished.len() + job.unfinished.len();
        let n_finished = job.finished.len() + summary.finished.len();
        let left = Plan::new(study, job.folder, workers).of(job.unfinished).on(job.wanted.device);
        let time = match job.wanted.device {
            Device::Cpu => format!(", about {}", rounded(left.estimate())),
            _ => String::new(),
        };
        terminal.note(format_args!(
            "stopped: {n_finished} of {} finished, {} saved in mid-training, {} not started; {} images left{time}",
            count(n_asked, "column"),
            summary.stopped.len(),
            summary.waiting.len(),
            thousands(left.n_images()),
        ));
    }
    if summary.failed.iter().any(|(_, error)| error.is_disk_full()) {
        terminal.note("error: the disk is full: free space and run the same command");
    }
    summary.failed.is_empty() && summary.stopped.is_empty() && summary.waiting.is_empty()
}

//! The glue between the command line and the library: reads the config, the folder and the data, runs, reports.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use ciresan_cpu::Isa;
use study::{ColumnId, Provenance, ResultsFolder, Study, StudyError};
use trainer::{Mended, Observer, Setup, StudyDigits, Summary};

pub(crate) use self::cli::Cli;
use self::figures::{count, list, thousands};
use self::machine::Machine;

mod bars;
mod cli;
mod data;
mod figures;
mod interrupt;
mod lines;
mod machine;
mod outlook;
mod provenance;

/// Names the instruction set to train with: a test's, or that of the machine on which a study was begun.
const INSTRUCTION_SET: &str = "CIRESAN_INSTRUCTION_SET";

/// How a run ended that did not fail as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Every column asked for is finished.
    Finished,
    /// Some are not; stderr has said which and why.
    Unfinished,
}

/// The command line asks for something that cannot be: exit code 2.
#[derive(Debug)]
struct WrongUsage(String);

impl Display for WrongUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUsage {}

/// Whether an error lies in flags or config (exit code 2) or in the doing (1).
pub(crate) fn is_wrong_usage(error: &anyhow::Error) -> bool {
    let of_study = error.downcast_ref::<StudyError>().is_some_and(StudyError::is_wrong_usage);
    of_study || error.is::<WrongUsage>()
}

/// Writes a line on stderr. Nothing depends on its arriving: where stderr is closed there is no other place to tell it.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Trains what the command line asks for.
pub(crate) fn train(cli: &Cli) -> Result<End> {
    let isa = instruction_set()?;
    let study = Study::read(&cli.config)?;
    let columns = asked_for(cli, &study)?;
    let folder = ResultsFolder::open(&cli.study);
    folder.adopt(&study)?;
    // Without a lock and without a change on the disk, so that a finished study may lie where nothing can be written.
    if folder.is_complete(&columns, cli.test) {
        return Ok(nothing_to_do(&study, &columns));
    }

    let folder = ResultsFolder::create(&cli.study)?;
    let _lock = folder.lock()?;
    folder.adopt(&study)?; // again: another run may have come first
    trainer::clean_finished(&folder, &study)?;
    let (finished, unfinished): (Vec<_>, Vec<_>) = columns.iter().partition(|id| folder.is_finished(id));

    let machine = Machine::choose(cli, &study, columns.len(), isa)?;
    let stop = Arc::new(AtomicBool::new(false));
    interrupt::listen(&stop, cli.stop_when_stdin_closes)?;
    let (data, files) = data::read(study.data, cli.data.as_deref())?;
    let (training, validation) = data.train.hold_out(study.validation as usize)?;
    let reads_test = cli.test || study.validation == 0;
    let digits = StudyDigits { training, validation, test: reads_test.then_some(&data.test) };

    let workers = machine.workers;
    let provenance = provenance::provenance(&machine);
    note_other_engine(&folder, &provenance, &finished)?;
    if !cli.quiet && !unfinished.is_empty() {
        let plan = plan(&study, &unfinished, finished.len(), training.len());
        say(format_args!("{plan}, on {machine}"));
    }

    let observer: Box<dyn Observer> = if cli.quiet {
        Box::new(lines::ErrorsOnly)
    } else if io::stderr().is_terminal() {
        Box::new(bars::Bars::new(&study, unfinished.len(), workers))
    } else {
        Box::new(lines::Lines::new(&study, unfinished.len()))
    };
    let started = Instant::now();
    let setup = Setup {
        study: &study,
        folder: &folder,
        columns: &unfinished,
        digits,
        workers,
        group: machine.group,
        threads: machine.threads,
        data: &files,
        provenance: &provenance,
        started: SystemTime::now(),
        stop: &stop,
        clock: &|| started.elapsed(),
        observer: observer.as_ref(),
    };
    let mended = match folder.manifest()? {
        Some(manifest) => machine.mend(&Setup { columns: &finished, ..setup }, &manifest),
        None => Vec::new(),
    };
    let sound = say_mended(&mended);
    if unfinished.is_empty() {
        return Ok(if sound { nothing_to_do(&study, &columns) } else { End::Unfinished });
    }
    let summary = machine.run(&setup).with_context(|| format!("study {}", study.name))?;
    drop(observer); // clears the bars
    let end = conclude(&study, &summary, workers);
    Ok(if sound { end } else { End::Unfinished })
}

/// Says which finished columns had to be mended, and which could not be; whether all are sound now.
fn say_mended(mended: &[(ColumnId, Mended)]) -> bool {
    for (column, mended) in mended {
        match mended {
            Ok(true) => say(format_args!(
                "{column:<11} its predictions were damaged or missing: made again from its weights"
            )),
            Ok(false) => {}
            Err(error) => say(format_args!("error: column {column}: {error}")),
        }
    }
    mended.iter().all(|(_, mended)| mended.is_ok())
}

/// Says so where finished columns were trained by another engine or instruction set, which rounds differently: the study's
/// results are then not those of either alone, bit for bit.
fn note_other_engine(folder: &ResultsFolder, provenance: &Provenance, finished: &[ColumnId]) -> Result<()> {
    let Some(manifest) = folder.manifest()? else { return Ok(()) };
    let columns = finished.iter().filter_map(|id| folder.finished_column(&manifest, *id).ok());
    let kinds: Vec<String> = columns.map(|column| column.record().kind()).collect();
    let kind = provenance.kind();
    if let Some(before) = kinds.iter().find(|before| **before != kind) {
        say(format_args!(
            "note: columns of this study were trained on {before}; the others will be trained on {kind}, which rounds \
             differently, so the study will be a mixture"
        ));
    }
    Ok(())
}

/// The instruction set that the environment names, else the fastest of this CPU.
fn instruction_set() -> Result<Isa> {
    match std::env::var_os(INSTRUCTION_SET) {
        Some(name) => Ok(name
            .to_string_lossy()
            .parse()
            .map_err(|error| WrongUsage(format!("{INSTRUCTION_SET}: {error}")))?),
        None => Ok(Isa::best()),
    }
}

/// The columns of the study, or those of them that the command line names, in training order.
fn asked_for(cli: &Cli, study: &Study) -> Result<Vec<ColumnId>> {
    let all = study.columns();
    if let Some(unknown) = cli.columns.iter().find(|id| !all.contains(id)) {
        let message = format!(
            "--columns: the study {} has no column {unknown}; it has {}",
            study.name,
            list(all.iter())
        );
        return Err(WrongUsage(message).into());
    }
    let wanted = |id: &ColumnId| cli.columns.is_empty() || cli.columns.contains(id);
    Ok(all.into_iter().filter(wanted).collect())
}

fn nothing_to_do(study: &Study, columns: &[ColumnId]) -> End {
    let n_columns = count(columns.len(), "column");
    say(format_args!(
        "nothing to do: study {} has finished {n_columns} ({})",
        study.name,
        list(columns.iter())
    ));
    End::Finished
}

/// `study quick: 4 columns to train (w14-1, …), 8 epochs of 60,000 digits each`
fn plan(study: &Study, unfinished: &[ColumnId], n_finished: usize, n_images: usize) -> String {
    let done = if n_finished > 0 { format!(", {n_finished} finished before") } else { String::new() };
    format!(
        "study {}: {} to train ({}){done}, {} of {} digits each",
        study.name,
        count(unfinished.len(), "column"),
        list(unfinished.iter()),
        count(study.epochs as usize, "epoch"),
        thousands(n_images as u64),
    )
}

/// Says how it went: what failed, what was saved, and the closing line.
fn conclude(study: &Study, summary: &Summary, workers: NonZeroUsize) -> End {
    if !summary.failed.is_empty() {
        // Each has said why when it failed.
        let n_columns =
            count(summary.failed.len() + summary.finished.len() + summary.stopped.len(), "column");
        let failed = list(summary.failed.iter().map(|(column, _)| column));
        say(format_args!("error: {} of {n_columns} failed: {failed}", summary.failed.len()));
    }
    if summary.epochs > 0 || !summary.finished.is_empty() {
        let distorted = if study.distortion.is_some() { "distortion included" } else { "no distortion" };
        say(format_args!(
            "trained {}, {} in {}: {} images a second on {} ({distorted})",
            count(summary.finished.len(), "column"),
            count(summary.epochs as usize, "epoch"),
            figures::duration(summary.wall),
            thousands(summary.images_per_second().round() as u64),
            count(workers.get(), "worker"),
        ));
    }
    if !summary.stopped.is_empty() || !summary.waiting.is_empty() {
        let waiting = match summary.waiting.len() {
            0 => String::new(),
            n => format!(", {n} not begun"),
        };
        say(format_args!(
            "stopped: {} saved in mid-training{waiting}; the same command continues",
            count(summary.stopped.len(), "column"),
        ));
    }
    let complete = summary.failed.is_empty() && summary.stopped.is_empty() && summary.waiting.is_empty();
    if complete { End::Finished } else { End::Unfinished }
}

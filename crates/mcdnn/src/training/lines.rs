//! Progress as plain lines, for logs and pipes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use study::{EpochRecord, Study};
use trainer::{Event, Observer};

use super::outlook::Outlook;
use crate::numbers::{count, duration, percent, significant, thousands};
use crate::terminal::Terminal;

/// A run of at most this many epochs, all columns together, gets a line for each.
const FEW_EPOCHS: usize = 500;

/// A longer run gets at most a line in this time, and one for each finished column.
const PAUSE: Duration = Duration::from_secs(60);

/// Prints a line on stderr for every epoch of every column or, of a long run, at most one a minute.
pub(super) struct Lines<'a> {
    epochs: u32,
    n_columns: usize,
    is_long: bool,
    terminal: &'a Terminal,
    state: Mutex<State>,
}

struct State {
    outlook: Outlook,
    n_finished: usize,
    /// When the last line of an epoch was printed.
    printed: Option<Instant>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(study: &Study, n_columns: usize, terminal: &'a Terminal) -> Self {
        let outlook = Outlook::new(study, n_columns);
        let is_long = study.epochs as usize * n_columns > FEW_EPOCHS;
        if is_long {
            terminal.note("progress  at most one line a minute; every epoch is in columns/*/metrics.jsonl");
        }
        let state = Mutex::new(State { outlook, n_finished: 0, printed: None });
        Self { epochs: study.epochs, n_columns, is_long, terminal, state }
    }
}

impl Observer for Lines<'_> {
    fn observe(&self, event: &Event<'_>) {
        let terminal = self.terminal;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::ColumnStarted { column, epochs_done, images_done, .. } => {
                state.outlook.begin(*images_done);
                if *images_done > 0 {
                    terminal
                        .note(format_args!("{column:<11} resumes after epoch {epochs_done}/{}", self.epochs));
                }
            }
            Event::Step { n_images, .. } => state.outlook.advance(*n_images),
            Event::EpochFinished { column, record, .. } => {
                if self.is_long && state.printed.is_some_and(|printed| printed.elapsed() < PAUSE) {
                    return;
                }
                state.printed = Some(Instant::now());
                terminal.note(format_args!(
                    "{column:<11} {}  {} left",
                    epoch(record, self.epochs),
                    duration(state.outlook.left())
                ));
            }
            Event::ColumnFinished { column, epochs, kept_epoch, .. } => {
                state.n_finished += 1;
                state.outlook.end(*epochs);
                let (n_finished, of) = (state.n_finished, count(self.n_columns, "column"));
                let stopped = stopped_early(*epochs, *kept_epoch);
                terminal
                    .note(format_args!("{column:<11} finished{stopped}, {n_finished} of {of} in this run"));
            }
            _ => ErrorsOnly { terminal }.observe(event),
        }
    }
}

/// Prints a line on stderr for every column that fails.
pub(super) struct ErrorsOnly<'a> {
    pub(super) terminal: &'a Terminal,
}

impl Observer for ErrorsOnly<'_> {
    fn observe(&self, event: &Event<'_>) {
        if let Event::ColumnFailed { column, error, .. } = event {
            self.terminal.note(format_args!("error: column {column}: {error}"));
        }
        if let Event::Warned { column, warning } = event {
            self.terminal.note(format_args!("warning: column {column}: {warning}"));
        }
    }
}

/// Nothing or, with early stopping, ` after epoch 62, with the weights of epoch 31`.
pub(super) fn stopped_early(epochs: u32, kept_epoch: Option<u32>) -> String {
    kept_epoch
        .map_or_else(String::new, |kept| format!(" after epoch {epochs}, with the weights of epoch {kept}"))
}

/// `epoch 3/8  lr 0.0485  loss 0.1032  validation 0.71 %  6,900 images/s`
fn epoch(record: &EpochRecord, epochs: u32) -> String {
    let validation = match record.validation_error {
        Some(error) => format!("  validation {}", percent(error)),
        None => String::new(),
    };
    format!(
        "epoch {}/{epochs}  lr {}  loss {}{validation}  {} images/s",
        record.epoch,
        significant(record.learning_rate.into(), 3),
        significant(record.loss, 4),
        thousands(record.images_per_second.round() as u64),
    )
}

//! Progress as plain lines, one an epoch: for logs and pipes.

use std::sync::{Mutex, PoisonError};

use study::{EpochRecord, Study};
use trainer::{Event, Observer};

use super::outlook::Outlook;
use crate::numbers::{duration, percent, significant, thousands};
use crate::terminal::Terminal;

/// Prints a line on stderr for every epoch of every column.
pub(super) struct Lines<'a> {
    epochs: u32,
    terminal: &'a Terminal,
    outlook: Mutex<Outlook>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(study: &Study, n_columns: usize, terminal: &'a Terminal) -> Self {
        let outlook = Mutex::new(Outlook::new(study, n_columns));
        Self { epochs: study.epochs, terminal, outlook }
    }
}

impl Observer for Lines<'_> {
    fn observe(&self, event: &Event<'_>) {
        let terminal = self.terminal;
        let mut outlook = self.outlook.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::ColumnStarted { column, epochs_done, images_done, .. } => {
                outlook.begin(*images_done);
                if *images_done > 0 {
                    terminal
                        .note(format_args!("{column:<11} resumes after epoch {epochs_done}/{}", self.epochs));
                }
            }
            Event::Step { n_images, .. } => outlook.advance(*n_images),
            Event::EpochFinished { column, record, .. } => terminal.note(format_args!(
                "{column:<11} {}  {} left",
                epoch(record, self.epochs),
                duration(outlook.left())
            )),
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

//! Progress on a terminal: a line for every worker and one for the whole run, redrawn in place.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use study::{ColumnId, Study};
use terminal_size::terminal_size_of;
use trainer::{Event, Observer};

use super::lines::stopped_early;
use super::outlook::{Outlook, images_per_column, rate, time_left};
use crate::numbers::{duration, percent, significant, thousands};

/// The name, a bar as wide as there is room for, the share, the message.
const TEMPLATE: &str = "{prefix:14} {wide_bar:.cyan/238} {percent:>3} %  {msg}";

/// Characters of a line beside the message: the rest of the template, with a bar that can still be seen.
const BESIDE: usize = 14 + 1 + 6 + 1 + 5 + 2;

/// Workers that have a line: with more lines than the terminal has rows, redrawing would flood it.
const MAX_SHOWN: usize = 16;

/// One line a worker, whose columns train in lockstep, and a total; finished columns scroll up as a line each.
pub(super) struct Bars {
    epochs: u32,
    images_per_column: u64,
    all: MultiProgress,
    total: ProgressBar,
    state: Mutex<State>,
}

struct State {
    outlook: Outlook,
    workers: Vec<Worker>,
}

struct Worker {
    bar: ProgressBar,
    begun: Instant,
    /// The columns at work, each with its mean loss.
    columns: Vec<(ColumnId, f64)>,
    /// Images that they will have trained on.
    total: u64,
    /// Images that they have, those of earlier runs included.
    done: u64,
    /// Those of this run.
    trained: u64,
    last_epoch: String,
}

impl Bars {
    pub(super) fn new(study: &Study, n_columns: usize, workers: NonZeroUsize) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        let all = MultiProgress::new();
        let outlook = Outlook::new(study, n_columns);
        let bar = |images: u64, name: &str| {
            let bar = all.add(ProgressBar::new(images).with_style(style.clone()));
            bar.set_prefix(name.to_owned());
            bar
        };
        let images_per_column = images_per_column(study);
        let workers = (0..workers.get())
            .map(|worker| Worker {
                bar: if worker < MAX_SHOWN { bar(images_per_column, "") } else { ProgressBar::hidden() },
                begun: Instant::now(),
                columns: Vec::new(),
                total: 0,
                done: 0,
                trained: 0,
                last_epoch: String::new(),
            })
            .collect();
        let total = bar(outlook.total(), "total");
        Self {
            epochs: study.epochs,
            images_per_column,
            all,
            total,
            state: Mutex::new(State { outlook, workers }),
        }
    }

    fn begin(&self, state: &mut State, worker: usize, column: ColumnId, images_done: u64) {
        state.outlook.begin(images_done);
        let worker = &mut state.workers[worker];
        if worker.columns.is_empty() {
            (worker.begun, worker.total, worker.done, worker.trained) = (Instant::now(), 0, 0, 0);
            worker.last_epoch.clear();
        }
        worker.columns.push((column, 0.0));
        worker.total += self.images_per_column;
        worker.done += images_done;
        worker.show_columns();
        worker.bar.set_message("preparing digits");
    }

    fn step(
        &self,
        state: &mut State,
        worker: usize,
        column: ColumnId,
        epoch: u32,
        n_images: usize,
        mean_loss: f64,
    ) {
        state.outlook.advance(n_images);
        let State { outlook, workers } = state;
        let worker = &mut workers[worker];
        worker.done += n_images as u64;
        worker.trained += n_images as u64;
        if let Some((_, loss)) = worker.columns.iter_mut().find(|(id, _)| *id == column) {
            *loss = mean_loss;
        }
        if worker.columns.last().is_none_or(|(last, _)| *last != column) {
            return; // the others of the group have made this step as well
        }
        let speed = rate(worker.trained, worker.begun.elapsed());
        let loss = worker.columns.iter().map(|(_, loss)| loss).sum::<f64>() / worker.columns.len() as f64;
        worker.bar.set_position(worker.done);
        let left = duration(time_left(worker.total.saturating_sub(worker.done), speed));
        worker.bar.set_message(that_fits(&[
            (0, &format!("epoch {epoch}/{}", self.epochs)),
            (2, &format!("loss {}", significant(loss, 4))),
            (3, &worker.last_epoch),
            (4, &format!("{} images/s", thousands(speed.round() as u64))),
            (1, &format!("{left} left")),
        ]));
        self.total.set_position(outlook.done());
        let speed = thousands(outlook.images_per_second().round() as u64);
        self.total.set_message(that_fits(&[
            (1, &format!("{speed} images/s")),
            (0, &format!("{} left", duration(outlook.left()))),
        ]));
    }

    /// Prints a line that stays, above the bars.
    fn keep(&self, line: String) {
        // A terminal that is gone has nobody to read it.
        let _ = self.all.println(line);
    }
}

/// The parts that fit into the terminal's line as it is now, in their order; what has a higher number is left out first.
fn that_fits(parts: &[(u8, &str)]) -> String {
    let width = terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
    joined(parts, width.saturating_sub(BESIDE))
}

fn joined(parts: &[(u8, &str)], room: usize) -> String {
    let mut highest = u8::MAX;
    loop {
        let kept = parts.iter().filter(|(rank, text)| *rank <= highest && !text.is_empty());
        let text = kept.map(|(_, text)| *text).collect::<Vec<_>>().join("  ");
        let next = parts.iter().map(|(rank, _)| *rank).filter(|rank| *rank < highest).max();
        match next {
            Some(next) if text.chars().count() > room => highest = next,
            _ => return if text.chars().count() > room { String::new() } else { text },
        }
    }
}

impl Worker {
    /// A column leaves the group.
    fn end(&mut self, column: ColumnId, how: &'static str) {
        self.columns.retain(|(id, _)| *id != column);
        if self.columns.is_empty() {
            self.bar.set_message(how);
        } else {
            self.show_columns();
        }
    }

    /// `w14-1`, or `w14-1 +34`
    fn show_columns(&self) {
        let Some((first, _)) = self.columns.first() else { return };
        let others = self.columns.len() - 1;
        let name = if others > 0 { format!("{first} +{others}") } else { first.to_string() };
        self.bar.set_prefix(name);
        self.bar.set_length(self.total);
        self.bar.set_position(self.done);
    }
}

impl Observer for Bars {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::ColumnStarted { worker, column, images_done, .. } => {
                self.begin(&mut state, worker, column, images_done);
            }
            Event::Step { worker, column, epoch, n_images, mean_loss, .. } => {
                self.step(&mut state, worker, column, epoch, n_images, mean_loss);
            }
            Event::EpochFinished { worker, record, .. } => {
                let error = record.validation_error;
                state.workers[worker].last_epoch =
                    error.map_or_else(String::new, |error| format!("validation {}", percent(error)));
                if record.epoch == self.epochs {
                    state.workers[worker].bar.set_message("predicting");
                }
            }
            Event::Warned { column, warning } => self.keep(format!("warning: column {column}: {warning}")),
            Event::ColumnFinished { worker, column, epochs, kept_epoch } => {
                let spared = state.outlook.end(epochs);
                self.total.set_length(state.outlook.total());
                let worker = &mut state.workers[worker];
                worker.total -= spared;
                let time = duration(worker.begun.elapsed());
                let gap = if worker.last_epoch.is_empty() { "" } else { "  " };
                let stopped = stopped_early(epochs, kept_epoch);
                self.keep(format!("{column:<11} finished in {time}{stopped}{gap}{}", worker.last_epoch));
                worker.end(column, "finished");
            }
            Event::ColumnStopped { worker, column } => state.workers[worker].end(column, "saved"),
            Event::ColumnFailed { worker, column, error } => {
                self.keep(format!("error: column {column}: {error}"));
                state.workers[worker].end(column, "failed");
            }
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // What is to stay has been printed line by line. A terminal that is gone needs no clearing.
        let _ = self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_line_leaves_out_what_matters_least() {
        let parts = [(0, "epoch 3/8"), (2, "loss 0.1"), (3, ""), (1, "5 s left")];
        let of = |room| joined(&parts, room);
        assert_eq!(of(29), "epoch 3/8  loss 0.1  5 s left");
        assert_eq!(of(28), "epoch 3/8  5 s left");
        assert_eq!((of(18), of(8)), ("epoch 3/8".to_owned(), String::new()));
    }
}

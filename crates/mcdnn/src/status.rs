//! How far a study is, from its results folder alone; nothing there is changed.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde::Serialize;
use study::{
    ColumnFolder, ColumnId, ColumnRecord, EpochRecord, FinishedColumn, Kind, Manifest, ResultsFolder,
    StudyError, kinds, read_metrics,
};

use crate::app::shown;
use crate::holding::kernel;
use crate::layout::fit;
use crate::numbers::{count, percent, significant, thousands};
use crate::plan::{Plan, rounded};

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What a cell shows that has no value.
const NOTHING: &str = "–";

/// A study's state.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    schema: u32,
    study: String,
    path: String,
    /// Whether a process holds columns of the folder.
    run_at_work: bool,
    /// Estimated time until every column is finished; 0 when none is left to train.
    estimated_seconds: f64,
    /// What trained the finished columns.
    kinds: Vec<Kind>,
    /// In training order.
    columns: Vec<Column>,
    /// Of the columns whose record can be read.
    #[serde(skip)]
    records: Vec<ColumnRecord>,
}

/// A column's state.
#[derive(Debug, Clone, Serialize)]
struct Column {
    column: ColumnId,
    state: State,
    /// Epochs behind it.
    epoch: u32,
    /// Epochs of the config.
    epochs: u32,
    /// Of the last epoch, in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    /// Share of the held-out digits that is wrong after the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_error: Option<f64>,
    /// Whether its error is still above 50 % after a tenth of its epochs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    learnt_nothing: bool,
    /// Of the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    images_per_second: Option<f64>,
    /// Seconds spent on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_s: Option<f64>,
    /// Of a finished column.
    #[serde(skip_serializing_if = "Option::is_none")]
    interruptions: Option<usize>,
    /// What trained it, of a finished column.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What can be said of a column from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Every file is as its record says.
    Finished,
    /// Begun, and a run that is at work holds it.
    InTraining,
    /// Some files are there, and no run is at work.
    Begun,
    /// No file is there.
    NotBegun,
    /// A file is not as it was written, or cannot be read.
    Damaged,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Finished => "finished",
            Self::InTraining => "in training",
            Self::Begun => "started",
            Self::NotBegun => "not started",
            Self::Damaged => "damaged",
        })
    }
}

impl Status {
    /// Reads every file of the finished columns and the metrics of the others. The weights and predictions of
    /// columns that were finished in the state `before` are not read again.
    ///
    /// # Errors
    /// When the lock cannot be tried. A column that cannot be read is damaged, which is no error.
    pub(crate) fn read(folder: &ResultsFolder, manifest: &Manifest, before: Option<&Self>) -> Result<Self> {
        let study = &manifest.config;
        let at_work = folder.at_work(&kernel(), SystemTime::now())?;
        let held_whole = folder.is_held_by_an_older_program()?;
        let run_at_work = held_whole || !at_work.is_empty();
        let mut records = Vec::new();
        let mut columns = Vec::new();
        for id in study.columns() {
            let known = before.and_then(|before| before.finished(id));
            let (column, record) = known.unwrap_or_else(|| {
                Column::read(folder, manifest, id, held_whole || at_work.contains_key(&id))
            });
            columns.push(column);
            records.extend(record);
        }
        // A run at work trains its columns side by side; one to come has a worker a core.
        let n_workers = NonZeroUsize::new(number_of(&columns, State::InTraining));
        let n_workers = n_workers.or_else(|| thread::available_parallelism().ok());
        let plan = Plan::new(study, folder, n_workers.unwrap_or(NonZeroUsize::MIN));
        Ok(Self {
            schema: SCHEMA,
            study: study.name.clone(),
            path: shown(folder.root()).to_string(),
            run_at_work,
            estimated_seconds: plan.estimate().as_secs_f64(),
            kinds: kinds(&records),
            columns,
            records,
        })
    }

    /// A column that is finished and whole.
    fn finished(&self, id: ColumnId) -> Option<(Column, Option<ColumnRecord>)> {
        let column = self.columns.iter().find(|it| it.column == id && it.state == State::Finished)?;
        let record = self.records.iter().find(|record| record.column == id)?;
        Some((column.clone(), Some(record.clone())))
    }

    /// The same with the columns first that a person wants to see on a small screen: damaged and in training.
    pub(crate) fn busy_first(mut self) -> Self {
        self.columns.sort_by_key(|column| match column.state {
            State::Damaged => 0,
            State::InTraining => 1,
            State::Begun => 2,
            State::NotBegun => 3,
            State::Finished => 4,
        });
        self
    }

    /// Whether every column is finished and whole.
    pub(crate) fn is_complete(&self) -> bool {
        number_of(&self.columns, State::Finished) == self.columns.len()
    }

    /// `12 of 35 columns finished, 2 in training, about 3 h left`
    pub(crate) fn headline(&self) -> String {
        let finished = number_of(&self.columns, State::Finished);
        let mut line = format!("{finished} of {} finished", count(self.columns.len(), "column"));
        for state in [State::InTraining, State::Begun, State::Damaged] {
            match number_of(&self.columns, state) {
                0 => {}
                n => line += &format!(", {n} {state}"),
            }
        }
        if self.estimated_seconds > 0.0 {
            let left = Duration::try_from_secs_f64(self.estimated_seconds).unwrap_or(Duration::MAX);
            line += &format!(", about {} left", rounded(left.max(Duration::from_secs(1))));
        }
        line
    }
}

fn number_of(columns: &[Column], state: State) -> usize {
    columns.iter().filter(|column| column.state == state).count()
}

impl Column {
    /// The column's state, and its record if it is finished.
    fn read(
        folder: &ResultsFolder,
        manifest: &Manifest,
        id: ColumnId,
        run_at_work: bool,
    ) -> (Self, Option<ColumnRecord>) {
        let files = folder.column(&id);
        let metrics = read_metrics(&files.metrics());
        let last = metrics.as_ref().ok().and_then(|epochs| epochs.last()).copied();
        let epochs = manifest.config.epochs;
        let column = Self::after(id, epochs, last);
        let is_finished = match folder.is_finished(&id) {
            Ok(is_finished) => is_finished,
            Err(error) => return (column.damaged(error), None),
        };
        if !is_finished {
            return match metrics {
                Ok(_) => (Self { state: unfinished(&files, run_at_work), ..column }, None),
                Err(error) => (column.damaged(&error), None),
            };
        }
        // Whose metrics may have been lost.
        let epoch = if manifest.config.early_stopping.is_some() { column.epoch } else { epochs };
        let column = Self { epoch, ..column };
        let found = match folder.finished_column(manifest, id) {
            Ok(found) => found,
            Err(error) => return (column.damaged(&error), None),
        };
        let record = found.record().clone();
        let column = Self {
            state: State::Finished,
            // Of a folder of format 1 the time may be unknown.
            wall_s: Some(record.wall_s()).filter(|&wall_s| wall_s > 0.0),
            interruptions: Some(record.n_interruptions()),
            kind: Some(record.kind()),
            ..column
        };
        let column = match damage(&found, &files) {
            None => column,
            Some(error) => column.damaged(error),
        };
        (column, Some(record))
    }

    /// A column after its last epoch.
    fn after(column: ColumnId, epochs: u32, last: Option<EpochRecord>) -> Self {
        Self {
            column,
            state: State::NotBegun,
            epoch: last.map_or(0, |last| last.epoch),
            epochs,
            loss: last.map(|last| last.loss),
            validation_error: last.and_then(|last| last.validation_error),
            learnt_nothing: last.is_some_and(|last| last.has_learnt_nothing(epochs)),
            images_per_second: last.map(|last| last.images_per_second),
            wall_s: last.map(|last| last.elapsed_s),
            interruptions: None,
            kind: None,
            error: None,
        }
    }

    fn damaged(self, error: impl fmt::Display) -> Self {
        Self { state: State::Damaged, error: Some(error.to_string()), ..self }
    }

    /// What is wrong with a column that trains, and what to do.
    fn warning(&self) -> Option<String> {
        let so_far = match (self.validation_error, self.loss) {
            (Some(error), _) => format!("held-out error {}", percent(error)),
            (None, loss) => format!("loss {}", significant(loss?, 3)),
        };
        let Self { column, epoch, .. } = self;
        let warning = format!("{column} learnt nothing: {so_far} after epoch {epoch};");
        self.learnt_nothing.then(|| format!("{warning}\n          try a lower learning rate"))
    }

    fn cells(&self) -> [String; 8] {
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
        [
            self.column.to_string(),
            self.state.to_string(),
            format!("{}/{}", self.epoch, self.epochs),
            or_nothing(self.loss.map(|loss| significant(loss, 3))),
            or_nothing(self.validation_error.map(percent)),
            or_nothing(self.images_per_second.map(|speed| thousands(speed.round() as u64))),
            or_nothing(self.wall_s.map(clock)),
            or_nothing(self.interruptions.map(|n| n.to_string())),
        ]
    }
}

/// The state of a column that is not finished, by what is in its folder.
fn unfinished(files: &ColumnFolder, run_at_work: bool) -> State {
    // A run makes the folder when it begins the column.
    let n_files = files.root().read_dir().map(Iterator::count);
    match n_files {
        Ok(_) if run_at_work => State::InTraining,
        Ok(1..) => State::Begun,
        Ok(0) | Err(_) => State::NotBegun,
    }
}

/// What is wrong with a finished column's files.
fn damage(column: &FinishedColumn<'_>, files: &ColumnFolder) -> Option<String> {
    let lost = match column.lost_predictions(false, None) {
        Ok(lost) => *lost.first()?,
        Err(error) => return Some(error.to_string()),
    };
    let error = if column.has(lost) { column.probabilities(lost).err() } else { None };
    let path = files.root().join(lost.file_name());
    let missing = || format!("{}: missing; `reproduce` computes it again from the weights", path.display());
    Some(error.map_or_else(missing, |error: StudyError| error.to_string()))
}

/// `2:05:13`: hours, minutes, seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

impl Status {
    /// The headline, whether a run is active, what trained the columns, and a table with a row for each column, in lines of at
    /// most `width` characters: what has no room is left out of the table.
    pub(crate) fn text(&self, width: usize) -> String {
        let mut text = String::new();
        // Memory takes every text.
        let _ = self.write(&mut text, width);
        fit(&text, width)
    }

    fn write(&self, f: &mut impl fmt::Write, most: usize) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        let run = if self.run_at_work { "a run is training in this folder" } else { "no run is active" };
        writeln!(f, "run       {run}")?;
        if self.kinds.len() > 1 {
            writeln!(f, "mixture   the columns were trained by different engines:")?;
        }
        for (kind, label) in self.kinds.iter().zip(["trained"].into_iter().chain(std::iter::repeat(""))) {
            writeln!(f, "{label:<9} {kind}")?;
        }
        let header = ["column", "state", "epoch", "loss", "held-out", "images/s", "time", "stops"];
        let rows: Vec<[String; 8]> = self.columns.iter().map(Column::cells).collect();
        let mut widths = header.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let is_shown = shown_columns(&widths, most);
        write!(f, "\n{}", line(&header.map(str::to_owned), &widths, is_shown))?;
        for (column, mut row) in self.columns.iter().zip(rows) {
            match &column.error {
                None => write!(f, "\n{}", line(&row, &widths, is_shown))?,
                Some(error) => {
                    row[2].clear();
                    let [id, state, ..] = &row;
                    write!(f, "\n{id:<0$}  {state:<1$}  {error}", widths[0], widths[1])?;
                }
            }
        }
        for warning in self.columns.iter().filter_map(Column::warning) {
            write!(f, "\nwarning   {warning}")?;
        }
        Ok(())
    }
}

/// Columns of the table in the order in which they are left out: stops, images/s, time, loss, held-out error.
const LEFT_OUT: [usize; 5] = [7, 5, 6, 3, 4];

/// Which columns of the table fit.
fn shown_columns(widths: &[usize; 8], most: usize) -> [bool; 8] {
    let mut is_shown = [true; 8];
    let taken = |is_shown: &[bool; 8]| -> usize {
        let shown = widths.iter().zip(is_shown).filter(|(_, is_shown)| **is_shown);
        shown.map(|(width, _)| width + 2).sum::<usize>().saturating_sub(2)
    };
    for column in LEFT_OUT {
        if taken(&is_shown) > most {
            is_shown[column] = false;
        }
    }
    is_shown
}

/// The first two cells to the left, the numbers to the right.
fn line(cells: &[String; 8], widths: &[usize; 8], is_shown: [bool; 8]) -> String {
    let shown = cells.iter().zip(widths).enumerate().filter(|(i, _)| is_shown[*i]);
    let padded = shown.map(|(i, (cell, width))| match i {
        0 | 1 => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    padded.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_long_study_fits_80_columns() {
        let epoch = EpochRecord {
            epoch: 800,
            learning_rate: 0.001,
            loss: 0.004_851,
            update_ratio: 0.001,
            skipped: None,
            images_per_second: 120_200.0,
            validation_error: Some(1.0),
            elapsed_s: 400_000.0,
        };
        let ids = ["w14-1", "original-5"].map(|id| id.parse().unwrap());
        let mut columns = ids.map(|id| Column::after(id, 800, Some(epoch)));
        columns[0].state = State::InTraining;
        columns[1].interruptions = Some(12);
        let kinds = Vec::new();
        let status = Status {
            schema: SCHEMA,
            study: "paper".to_owned(),
            path: String::new(),
            run_at_work: true,
            estimated_seconds: 10_000.0,
            kinds,
            columns: columns.into(),
            records: Vec::new(),
        };
        let text = status.text(80);
        assert_eq!(status.headline(), "0 of 2 columns finished, 1 in training, about 2 h 50 min left");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let warning = "warning   original-5 learnt nothing: held-out error 100.00 % after epoch 800;\n          \
                       try a lower learning rate";
        assert!(text.ends_with(warning), "{text}");
        assert!(text.contains("111:06:40"), "{text}");
    }
}
